"""The time of reading: besides the detector, for a folder with one worker and with all cores, from a cold start."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import signary
from harness import alternate, arguments, matrix_rate, ratio, show
from signary.jobs.worker import cores
from signary.landmarks.extract import extract
from signary.landmarks.mediapipe import HandsDetector
from signary.text.commit import decode_held
from signary.video.source import open_source

FRAMES = 90
PHOTOS, QUICK_PHOTOS = 120, 80  # enough that the start of workers matters little
FOLDER_RUNS, QUICK_FOLDER_RUNS = 5, 2


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
            "folder": _folder(Path(options.data), quick=options.quick),
            "matrix_gflops": matrix_rate(),
        },
        as_json=options.json,
    )


def _folder(data: Path, *, quick: bool) -> dict[str, Any]:
    """Return the photos that ``signary recognize`` reads in a second, from a cold start to the end."""
    photos, workers = _photos(data, QUICK_PHOTOS if quick else PHOTOS), cores()
    if not photos:
        return {"photos": 0}
    words = ["-m", "signary", "recognize", *map(str, photos), "--workers"]
    tasks = {f"{number}": partial(_start, [*words, f"{number}"]) for number in sorted({1, workers})}
    times = alternate(tasks, QUICK_FOLDER_RUNS if quick else FOLDER_RUNS)
    return {
        "photos": len(photos),
        "workers": workers,
        "files_per_s": {name: len(photos) / statistics.median(seconds) for name, seconds in times.items()},
        "workers_ratio": ratio(times["1"], times[f"{workers}"]),
    }


def _photos(data: Path, count: int) -> list[Path]:
    """Return real photos spread over a set, or none."""
    found = sorted((data / "asl-letters-photos").rglob("*.jpg"))
    return found[:: max(1, len(found) // count)][:count]


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
