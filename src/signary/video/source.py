"""Open any source of pictures: file, folder, glob, address, stdin, camera, pictures in memory."""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from numbers import Integral
from os import PathLike, fsdecode, fspath
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from signary.address import is_address, shown_address
from signary.errors import InputError
from signary.ranges import FPS, above_zero
from signary.video.binary import open_photo, open_stream
from signary.video.files import STDIN, clip_photos, exists, is_file, is_folder, is_glob, known_files, matches
from signary.video.frame import DEFAULT_FPS, Frame
from signary.video.kinds import HEAD_BYTES, LANDMARK_ENDINGS, PHOTO_ENDINGS, PHOTO_SIGNATURE
from signary.video.memory import Pictures, array_pictures, as_array, is_image, iterable_pictures, type_name

CAMERA_NUMBER = re.compile(r"\d{1,3}")
SCHEME = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
READABLE = (
    "a path, http(s):// or rtsp:// address, camera number, PIL image, uint8 array, bytes or binary file of a photo or "
    "video, or a list or iterator of frames"
)


@runtime_checkable
class FrameSource(Protocol):
    """Frames of one source in order; a context manager; iterate once.

    Opening checks that the source exists; photos are decoded, and most damage found, while iterating.

    Attributes
    ----------
    name : str
        As given by the user.
    is_still : bool
        One picture without a time.
    is_live : bool
        A camera: it drops frames for a slow reader and has no end.
    fps : float
        0 for a still.
    frame_count : int or None
        Estimate, for progress bars.
    warnings : list of str
        Complete after the last frame.
    """

    name: str
    fps: float
    frame_count: int | None
    warnings: list[str]

    @property
    def is_still(self) -> bool: ...

    @property
    def is_live(self) -> bool: ...

    def __iter__(self) -> Iterator[Frame]: ...

    def close(self) -> None:
        """Free the resources of the source."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_source(
    source: Any, *, as_clip: bool = False, fps: float | None = None, times_s: Iterable[float] | None = None
) -> FrameSource:
    """Open anything that contains pictures.

    Parameters
    ----------
    source : str, Path, int, array, PIL.Image.Image, bytes, binary file, iterable of frames or FrameSource
        One of

        * a photo (JPEG, PNG, WebP, BMP, TIFF, HEIC, AVIF, JPEG 2000), an animation (GIF, APNG, WebP, AVIF: a clip) or
          a video file (whatever FFmpeg reads); ``-`` for stdin; with ``as_clip`` a folder, glob or list of photos;
        * an address, ``http(s)://`` of a photo, video or camera, ``rtsp(s)://`` of a camera;
        * a camera's number (0 or "0"; a file of that name takes precedence);
        * a uint8 array or tensor, RGB: (H, W, 3), (H, W), (H, W, 4) or (3, H, W) is a still, (T, H, W, 3) and the like
          a clip; a PIL image of any mode;
        * bytes, bytearray, memoryview or a binary file (from its current position) of a photo or video;
        * a list, tuple, iterator or generator of frames of one size: arrays, PIL images, `Frame`.

        A FrameSource is returned as it is. Nothing that the caller opened is closed.
    as_clip : bool
        Read the photos of a folder, glob or list, in natural order, as one clip.
    fps : float, optional
        Of frames in memory or ``as_clip``, 30 by default; videos and cameras have their own.
    times_s : iterable of float, optional
        Of frames in memory, rising, instead of ``fps``; `Frame` objects have their own.

    Raises
    ------
    InputError
        If there is no such file, address or camera, it has no readable pictures, or it has another type.
    ShapeError
        If an array has another dtype or shape.

    Examples
    --------
    >>> with open_source(np.zeros((2, 48, 64, 3), np.uint8), fps=25) as clip:
    ...     [frame.time_s for frame in clip]
    [0.0, 0.04]
    """
    _check_times(fps, times_s)
    if isinstance(source, FrameSource):
        return source
    if isinstance(source, str | PathLike):
        return _open_named(fsdecode(fspath(source)), as_clip=as_clip, fps=fps)
    if isinstance(source, Integral) and not isinstance(source, bool):
        return _open_named(str(int(source)), as_clip=as_clip, fps=fps)
    if is_image(source):
        return _open_image(source)
    if _is_encoded(source):
        return open_stream(io.BytesIO(_file_bytes(source)), source_name(source))
    if isinstance(source, Frame):
        return Pictures("frame", [source.image])
    if (array := as_array(source)) is not None:
        return array_pictures(array, fps=fps, times_s=times_s)
    if callable(getattr(source, "read", None)):
        return open_stream(source, source_name(source))
    if isinstance(source, Iterable):
        return iterable_pictures(source, fps=fps, times_s=times_s, as_clip=as_clip)
    raise InputError(f"{type_name(source)}: cannot be read as pictures", hint=f"give {READABLE}")


@contextmanager
def opened(source: Any, **options: Any) -> Iterator[FrameSource]:
    """Open a source for a ``with`` block; a given FrameSource stays open. Parameters as for `open_source`."""
    frames = open_source(source, **options)
    try:
        yield frames
    finally:
        if frames is not source:
            frames.close()


def source_name(source: Any) -> str:
    """Return the name of a source in results, without passwords."""
    if isinstance(source, str | PathLike):
        name = fsdecode(fspath(source))
        return shown_address(name) if is_address(name) else name
    if isinstance(source, Integral) and not isinstance(source, bool):
        return str(int(source))
    if is_image(source):
        return _image_name(source)
    if isinstance(given := getattr(source, "name", None), str) and given:
        return given
    if _is_encoded(source):
        return "bytes"
    if isinstance(source, Frame):
        return "frame"
    if hasattr(source, "__array__"):
        return "array"
    return "file" if hasattr(source, "read") else "frames" if isinstance(source, Iterable) else type(source).__name__


def is_camera(source: str | Path | int) -> bool:
    """Tell whether a source is a camera's number and not an existing file or folder."""
    return CAMERA_NUMBER.fullmatch(str(source)) is not None and not exists(Path(str(source)))


def is_landmark_file(source: Any) -> bool:
    """Tell by its ending whether a source is the path of a landmark file."""
    if not isinstance(source, str | PathLike):
        return False
    name = fsdecode(fspath(source))
    return name.lower().endswith(LANDMARK_ENDINGS) and not is_address(name)


def _check_times(fps: float | None, times_s: Iterable[float] | None) -> None:
    above_zero(FPS, fps=fps)
    if fps is not None and times_s is not None:
        raise InputError(f"fps={fps} and times_s: only one of them can be", hint="leave one out")


def _open_named(name: str, *, as_clip: bool, fps: float | None) -> FrameSource:
    path = Path(name)
    if name == STDIN:
        return open_stream(sys.stdin.buffer, STDIN)
    if is_address(name):
        from signary.video.network.source import open_network

        return open_network(name)
    if is_file(path):
        return _open_file(path, name)
    if is_camera(name):
        return _open_camera(int(name))
    if as_clip and (is_folder(path) or is_glob(name)):
        return Pictures(name, clip_photos(path, name), fps or DEFAULT_FPS)
    raise _not_one(path, name)


def _not_one(path: Path, name: str) -> InputError:
    """Return the error for a name that is no file, address or camera."""
    if is_folder(path) and not known_files(path):
        return InputError(f"{name}: no photo, video or landmark file in this folder", hint="check the path")
    if SCHEME.match(name):
        hint = "addresses start with http://, https:// or rtsp://; of a file give the path"
        return InputError(f"{shown_address(name)}: no address that can be read", hint=hint)
    if is_glob(name) and not matches(name):
        return InputError(f"{name}: no file matches this pattern", hint="check it; quotes keep the shell off it")
    if is_folder(path) or is_glob(name):
        hint = "name its files one by one (`signary recognize` does), or read its photos as one clip: --as-clip"
        return InputError(f"{name}: a folder or pattern, not one source", hint=hint)
    return InputError(f"{name}: no such file", hint="check the path; a number is a camera, - is stdin")


def _open_file(path: Path, name: str) -> FrameSource:
    if path.is_fifo():
        return open_stream(path.open("rb"), name)
    ending, head = path.suffix.lower(), _head(path)
    if ending in LANDMARK_ENDINGS:
        raise InputError(f"{name}: holds landmarks, no pictures", hint="read it as a LandmarkSequence")
    if PHOTO_SIGNATURE.match(head):
        return open_photo(path, name)
    if ending in PHOTO_ENDINGS:
        return Pictures(name, [path])  # raises the error when read
    from signary.video.decode import VideoDecoder

    return VideoDecoder(path, name=name)


def _open_image(image: Any) -> FrameSource:
    from signary.video.animation import Animation, is_animation

    name = _image_name(image)
    return Animation(image, name) if is_animation(image) else Pictures(name, [image])


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _open_camera(number: int) -> FrameSource:
    from signary.video.camera import Camera

    return Camera(number)


def _image_name(image: Any) -> str:
    return str(getattr(image, "filename", "") or "picture")


def _is_encoded(source: Any) -> bool:
    """Tell whether an object contains the bytes of a photo or video file."""
    if isinstance(source, np.ndarray):
        return source.dtype == np.uint8 and source.ndim == 1 and source.size > 0
    if hasattr(source, "__array__") or hasattr(source, "read"):
        return False
    if callable(getattr(source, "read_bytes", None)):  # a file of an archive or package
        return True
    try:
        view = memoryview(source)
    except TypeError:
        return False
    return view.itemsize == 1 and view.ndim == 1


def _file_bytes(source: Any) -> bytes:
    return bytes(source.read_bytes() if hasattr(source, "read_bytes") else memoryview(source).tobytes())
