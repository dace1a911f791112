"""Load a bundle as the recognizer that reads its task."""

from __future__ import annotations

from pathlib import Path

from signary.bundles.bundle import load_bundle
from signary.recognition.held.recognizer import HeldRecognizer
from signary.recognition.pictures import PictureRecognizer
from signary.recognition.recognizer import Recognizer
from signary.recognition.signs.recognizer import SignRecognizer
from signary.recognition.spelling.recognizer import SpellingRecognizer
from signary.recognition.videos import VideoRecognizer
from signary.video.photo import teach_pillow

KINDS: tuple[type[Recognizer], ...] = (
    HeldRecognizer,
    PictureRecognizer,
    SignRecognizer,
    SpellingRecognizer,
    VideoRecognizer,
)


def load(name_or_path: str | Path = "letters", *, threads: int | None = None) -> Recognizer:
    """Load a recognizer. After that ``PIL.Image.open`` reads HEIC, too.

    Parameters
    ----------
    name_or_path : str or Path
        A bundle that comes with the package, a bundle folder, or a run folder.
    threads : int, optional
        Threads of the network; the number of cores, 4 at most, by default.

    Raises
    ------
    ModelNotFound, BundleError
    """
    teach_pillow()
    bundle = load_bundle(name_or_path)
    kind = next((kind for kind in KINDS if kind.reads(bundle.manifest)), Recognizer)  # refuses the bundle
    return kind(bundle, threads=threads)
