"""How long reading takes: around the detector, and from a cold start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

import signary
from harness import alternate, arguments, matrix_rate, ratio, show
from signary.landmarks.detect import HandsDetector
from signary.landmarks.extract import extract
from signary.text.commit import decode_held
from signary.video.source import open_source

FRAMES = 90


def main() -> None:
    """Print ratios and medians."""
    options = arguments(__doc__)
    runs = 3 if options.quick else 7
    reader = signary.load("letters")
    photo = _photo(Path(options.data))
    images = np.stack([photo] * FRAMES)

    def around() -> None:
        reading = reader.read_landmarks(sequence)
        decode_held(reading.probabilities, sequence.times_s, reading.seen, reading.position, reader.bundle.vocabulary)

    with HandsDetector() as detector:
        sequence = extract(open_source(images), detector)
        frames = list(open_source(images))
        times = alternate({"around": around, "detector": lambda: [detector.detect(frame) for frame in frames]}, runs)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        Image.fromarray(photo).save(path)
        cold = {
            "import signary": ["-c", "import signary"],
            "signary --help": ["-m", "signary", "--help"],
            "signary recognize photo.jpg": ["-m", "signary", "recognize", str(path)],
        }
        starts = alternate({name: lambda words=words: _start(words) for name, words in cold.items()}, runs)
    show(
        {
            "around_ratio": ratio(times["around"], times["detector"]),
            "detector_ms_a_frame": 1000 * statistics.median(times["detector"]) / FRAMES,
            "around_ms_a_frame": 1000 * statistics.median(times["around"]) / FRAMES,
            "cold_s": {name: statistics.median(seconds) for name, seconds in starts.items()},
            "matrix_gflops": matrix_rate(),
        },
        as_json=options.json,
    )


def _photo(data: Path) -> np.ndarray:
    """Return a photo of a hand if there is data, else a grey picture."""
    found = sorted((data / "asl-letters-photos-mirrored" / "photos" / "B").glob("*.jpg"))
    if found:
        return np.asarray(Image.open(found[0]).convert("RGB").resize((640, 480)))
    return np.full((480, 640, 3), 128, np.uint8)


def _start(words: list[str]) -> None:
    subprocess.run([sys.executable, *words], check=True, capture_output=True)


if __name__ == "__main__":
    main()
