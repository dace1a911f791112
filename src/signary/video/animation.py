"""Animated pictures (GIF, APNG, WebP, AVIF): clips with a duration for each frame."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, BinaryIO

from signary.errors import InputError
from signary.lifetime import Lifetime
from signary.video.frame import Frame
from signary.video.photo import MAX_SIDE_PX, image_pixels

if TYPE_CHECKING:
    from PIL import Image

FORMATS = ("GIF", "PNG", "WEBP", "AVIF")
LEAST_SHOWN_S, USUAL_SHOWN_S = 0.02, 0.1  # browsers show shorter frames for the usual time


def is_animation(image: Image.Image) -> bool:
    """Tell whether a Pillow image is an animation."""
    try:
        return image.format in FORMATS and bool(getattr(image, "is_animated", False))
    except Exception:  # Pillow raises nearly any error for damaged files
        return True


class Animation(Lifetime):
    """Frames of an animated picture with their own durations; iterate once.

    Parameters
    ----------
    image : PIL.Image.Image
        Open; returned to its current frame at the end.
    name : str
        In errors.
    data : binary file, optional
        Of the image; closed with the source.

    Attributes
    ----------
    fps : float
        Mean frames a second of the frames read so far.
    """

    is_still = False
    is_live = False

    def __init__(self, image: Image.Image, name: str, data: BinaryIO | None = None) -> None:
        self.name = name
        self.warnings: list[str] = []
        self._image, self._data = image, data
        # skip the picture for programs without animation
        self._first = int(bool(image.info.get("default_image")))
        self.frame_count = self._count()
        self.fps: float = 1 / self._shown_s()

    def __iter__(self) -> Iterator[Frame]:
        at, time_s = self._image.tell(), 0.0
        try:
            for index in count():
                try:
                    self._image.seek(self._first + index)
                    pixels = image_pixels(self._image, self.name, max_side=MAX_SIDE_PX)
                except Exception as error:  # as above; also at the end of the file
                    self._check_end(index, error)
                    return
                shown_s = self._shown_s()
                yield Frame(pixels, index, time_s, shown_s)
                time_s += shown_s
                self.fps = (index + 1) / time_s
        finally:
            if self._data is None:
                self._image.seek(at)

    def _count(self) -> int | None:
        try:
            return int(getattr(self._image, "n_frames", 1)) - self._first
        except Exception:  # as above
            return None

    def _check_end(self, index: int, error: Exception) -> None:
        """Raise or warn if the end comes too early."""
        if not index:
            raise InputError(f"{self.name}: damaged ({error})", hint="save it anew") from error
        if index != self.frame_count:
            self.warnings.append(f"damaged: only {index} pictures of it could be read")

    def _shown_s(self) -> float:
        shown_s = float(self._image.info.get("duration") or 0) / 1000
        return shown_s if shown_s >= LEAST_SHOWN_S else USUAL_SHOWN_S

    def close(self) -> None:
        """Close the file."""
        if self._data is not None:
            self._data.close()
