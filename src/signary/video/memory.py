"""Pictures in memory: arrays, Pillow images, and iterables of them as clips."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set, Sized
from itertools import chain
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError
from signary.lifetime import Lifetime
from signary.video.array import as_pictures
from signary.video.frame import DEFAULT_FPS, Frame, Picture

UNCERTAIN = "values beyond 8 bits: the largest tells what was taken for white; convert('L') or ('RGB') first to be sure"


class Pictures(Lifetime):
    """Photos and arrays in memory or on disk: a still (``fps`` 0) or a clip.

    Parameters
    ----------
    name : str
    pictures : iterable of Frame, array, PIL.Image.Image, Path or bytes
        Arrays as for `as_pictures`, photo files or their bytes; in a clip all of one size.
    fps : float
        0 for a still.
    times_s : iterable of float, optional
        Of the frames of a clip, rising, instead of ``fps``; without either, the times of the `Frame` objects.
    files : bool
        Paths are photos.

    Raises
    ------
    InputError, ShapeError
        While iterating: for no picture, times that do not rise, or another size.
    """

    is_live = False

    def __init__(
        self,
        name: str,
        pictures: Iterable[Any],
        fps: float | None = 0.0,
        *,
        times_s: Iterable[float] | None = None,
        files: bool = True,
    ) -> None:
        self.name, self.fps = name, DEFAULT_FPS if fps is None else fps
        self.is_still = fps == 0
        self.frame_count: int | None = len(pictures) if isinstance(pictures, Sized) else None
        self.warnings: list[str] = []
        self._pictures, self._times_s, self._files = pictures, times_s, files
        self._own_times = fps is None and times_s is None
        if isinstance(times_s, Sized) and self.frame_count not in (None, len(times_s)):
            hint = "one rising number of seconds a frame"
            raise ShapeError(f"{name}: {self.frame_count} frames, but {len(times_s)} times_s", hint=hint)

    def __iter__(self) -> Iterator[Frame]:
        last: Frame | None = None
        clock = None if self._times_s is None else iter(self._times_s)
        for index, picture in enumerate(self._pictures):
            own = picture if isinstance(picture, Frame) else None
            image = self._pixels(own.image if own else picture, index)
            frame = Frame(image, index, *self._time(own, index, clock))
            if last is not None:
                self._check_next(last, frame)
            yield frame
            last = frame
        if last is None:
            raise InputError(f"{self.name}: no frames", hint="give one picture or more")

    def _time(self, own: Frame | None, index: int, clock: Iterator[Any] | None) -> tuple[float, float | None]:
        """Return the time of a frame, and its longest duration if known."""
        if clock is not None:
            return _second(next(clock, None), self.name), None
        if own is not None and self._own_times:
            return own.time_s, own.shown_s
        return (index / self.fps if self.fps else 0.0), None

    def _pixels(self, picture: Any, index: int) -> Picture:
        if isinstance(picture, bytes) or (self._files and isinstance(picture, Path)):
            from signary.video.photo import read_photo

            return read_photo(picture, name=self.name if isinstance(picture, bytes) else "")
        name = self.name if self.is_still else f"{self.name}[{index}]"
        if is_image(picture):
            return self._of_pillow(picture, name)
        array = as_array(picture)
        if array is None:
            hint = "frames are arrays, PIL images or Frames; paths: as_clip=True, or recognize_many for one by one"
            raise InputError(f"{name}: {type_name(picture)}, no picture", hint=hint)
        pixels = as_pictures(array)
        if pixels.ndim != 3:
            raise ShapeError(f"{name}: array {array.shape}, must be one picture", hint="give clips one by one")
        return pixels

    def _of_pillow(self, image: Any, name: str) -> Picture:
        from signary.video.photo import check_size, image_pixels

        check_size(image.width, image.height, name)
        if (image.mode.startswith("I") or image.mode == "F") and UNCERTAIN not in self.warnings:
            self.warnings.append(UNCERTAIN)
        return image_pixels(image, name)

    def _check_next(self, last: Frame, frame: Frame) -> None:
        if frame.image.shape != last.image.shape:
            (height, width, _), (before, wide, _) = frame.image.shape, last.image.shape
            raise ShapeError(
                f"{self.name}: frame {frame.index} is {width} x {height}, the ones before {wide} x {before}",
                hint="a clip has one size: crop or scale its frames alike",
            )
        if not frame.time_s > last.time_s:
            raise InputError(
                f"{self.name}: frame {frame.index} at {frame.time_s:g} s after {last.time_s:g} s, must rise",
                hint="give fps, or times that rise",
            )

    def close(self) -> None:
        """Release the pictures."""
        self._pictures = ()


def is_image(source: Any) -> bool:
    """Tell whether an object is a Pillow image, without importing Pillow."""
    module = sys.modules.get("PIL.Image")
    return module is not None and isinstance(source, module.Image)


def as_array(source: Any) -> NDArray[Any] | None:
    """Return an array or tensor as a NumPy array; None for anything else."""
    if isinstance(source, np.ndarray):
        return np.asarray(source)
    if isinstance(source, type) or not (hasattr(source, "__array__") or hasattr(source, "__array_interface__")):
        return None
    try:
        return np.asarray(source)
    except Exception as error:  # tensors on a device or with a gradient raise various errors
        hint = "give it as a NumPy array of the main memory"
        raise InputError(f"{type_name(source)}: cannot become an array ({error})", hint=hint) from error


def iterable_pictures(
    source: Iterable[Any], *, fps: float | None = None, times_s: Iterable[float] | None = None, as_clip: bool = False
) -> Pictures:
    """Return any ordered iterable of pictures as a clip; its first frame is read at once, the iterable never closed.

    Parameters are as for `Pictures`; with ``as_clip``, paths are photos.

    Raises
    ------
    InputError
        If it is empty, exhausted or unordered.
    """
    if isinstance(source, Mapping | Set):
        raise InputError(f"{type_name(source)}: has no order of frames", hint="give a list of them")
    rest = iter(source)
    first = next(rest, rest)
    if first is rest:
        hint = "give one picture or more; an iterator can be read once"
        raise InputError(f"an empty or exhausted {type_name(source)}: no frames", hint=hint)
    pictures = source if isinstance(source, Sequence) else chain([first], rest)
    own_times = isinstance(first, Frame) and fps is None and times_s is None
    rate = None if own_times else fps or DEFAULT_FPS
    if as_clip and isinstance(first, str | PathLike):
        pictures = [Path(photo) if isinstance(photo, str | PathLike) else photo for photo in pictures]
    return Pictures("frames", pictures, rate, times_s=times_s, files=as_clip)


def array_pictures(
    array: NDArray[Any], *, fps: float | None = None, times_s: Iterable[float] | None = None
) -> Pictures:
    """Return an array as a still or a clip; layouts and errors as for `as_pictures`."""
    pictures = as_pictures(array, timed=fps is not None or times_s is not None)
    if pictures.ndim == 3:
        return Pictures("array", [pictures])
    return Pictures("array", pictures, fps or DEFAULT_FPS, times_s=times_s)


def type_name(source: Any) -> str:
    """Return the name of a type for errors."""
    kind = type(source)
    return kind.__qualname__ if kind.__module__ in ("builtins", "collections") else f"{kind.__module__}.{kind.__name__}"


def _second(time_s: Any, name: str) -> float:
    try:
        if math.isfinite(value := float(time_s)):
            return value
    except (TypeError, ValueError):
        pass
    said = "has fewer times than frames" if time_s is None else f"holds {time_s!r}"
    raise InputError(f"{name}: times_s {said}", hint="one rising number of seconds a frame")
