"""Any source of pictures through one door: files, folders, globs, stdin, cameras, arrays."""

from __future__ import annotations

import glob
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError
from signary.video.frame import Frame
from signary.video.pipe import put_back

PHOTO_ENDINGS = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff", ".ppm", ".heic", ".heif", ".avif")
VIDEO_ENDINGS = (
    *(".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".gif", ".3gp"),
    *(".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".ogv", ".mjpeg"),
)
LANDMARK_ENDINGS = (".parquet", ".npz")
PHOTO_SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG|RIFF....WEBP|BM|II\*\0|MM\0\*|P[36]\s", re.DOTALL)

STDIN = "-"
CAMERA_NUMBER = re.compile(r"\d{1,3}")
DEFAULT_FPS = 30.0
HEAD_BYTES = 16
MAX_PHOTO_BYTES = 256 * 1024 * 1024


@runtime_checkable
class FrameSource(Protocol):
    """Frames of one source, in order and one at a time; a context manager; iterate once.

    Opening checks that the source is there; a photo is decoded, and most damage found, while iterating.

    Attributes
    ----------
    name : str
        The source as the user named it.
    is_still : bool
        One picture without a place in time.
    is_live : bool
        A camera: it does not wait for a slow reader and has no end of its own.
    fps : float
        Frames a second; 0 for a still.
    frame_count : int or None
        Estimate, for progress bars; None where it is not known.
    warnings : list of str
        What was found wrong on the way, complete after the last frame.
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
        """Free what the source holds."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Pictures:
    """Photos and arrays in memory or on disk: a still (``fps`` 0), or the frames of a clip.

    Parameters
    ----------
    name : str
    pictures : sequence of uint8 (H, W, 3), Path or bytes
        RGB pictures, photo files, or the bytes of such.
    fps : float
        Frames a second; 0 for a still.
    """

    is_live = False

    def __init__(self, name: str, pictures: Sequence[NDArray[np.uint8] | Path | bytes], fps: float = 0.0) -> None:
        self.name, self.fps = name, fps
        self.is_still = fps == 0
        self.frame_count: int | None = len(pictures)
        self.warnings: list[str] = []
        self._pictures = pictures

    def __iter__(self) -> Iterator[Frame]:
        for index, picture in enumerate(self._pictures):
            image = picture if isinstance(picture, np.ndarray) else self._read(picture)
            yield Frame(image, index, index / self.fps if self.fps else 0.0)

    def _read(self, photo: Path | bytes) -> NDArray[np.uint8]:
        from signary.video.decode import read_photo

        return read_photo(photo, name=self.name if isinstance(photo, bytes) else "")

    def close(self) -> None:
        """Let go of the pictures."""
        self._pictures = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_source(
    source: str | Path | int | NDArray[Any] | FrameSource, *, as_clip: bool = False, fps: float | None = None
) -> FrameSource:
    """Open anything that holds pictures.

    Parameters
    ----------
    source : str, Path, int, uint8 array or FrameSource
        A photo (JPEG, PNG, WebP, BMP, TIFF) or video file (whatever FFmpeg reads; a GIF is a video), ``-`` for
        stdin, a camera's number (0 or "0"; a file of that name wins), an array (H, W, 3) as a still or (T, H, W, 3)
        as a clip, RGB; with ``as_clip`` a folder or glob of photos. What is open already is handed back.
    as_clip : bool
        Read the photos of a folder or glob, in natural order, as the frames of one clip.
    fps : float, optional
        Frames a second of an array or ``as_clip``, 30 by default; videos and cameras have their own.

    Returns
    -------
    FrameSource

    Raises
    ------
    InputError
        If there is no such file or camera, or nothing in it can be read as pictures.
    ShapeError
        If an array is not uint8 (H, W, 3) or (T, H, W, 3).

    Examples
    --------
    >>> with open_source(np.zeros((2, 48, 64, 3), np.uint8), fps=25) as clip:
    ...     [frame.time_s for frame in clip]
    [0.0, 0.04]
    """
    if fps is not None and not 0 < fps < float("inf"):
        raise InputError(f"fps={fps}, must be above 0", hint="frames a second, 30 for example")
    if isinstance(source, np.ndarray):
        return _open_array(source, fps or DEFAULT_FPS)
    if not isinstance(source, str | Path | int):
        return source
    path, name = Path(str(source)), str(source)
    if name == STDIN:
        return _open_stream(sys.stdin.buffer, STDIN)
    if _is_file(path):
        return _open_file(path, name)
    if is_camera(name):
        return _open_camera(int(name))
    if as_clip and (_is_folder(path) or _is_glob(name)):
        return Pictures(name, _clip_photos(path, name), fps or DEFAULT_FPS)
    if _is_folder(path) and not _known_files(path):
        raise InputError(f"{name}: no photo, video or landmark file in this folder", hint="check the path")
    if _is_glob(name) and not _matches(name):
        raise InputError(f"{name}: no file matches this pattern", hint="check it; quotes keep the shell off it")
    if _is_folder(path) or _is_glob(name):
        hint = "name its files one by one (`signary recognize` does), or read its photos as one clip: --as-clip"
        raise InputError(f"{name}: a folder or pattern, not one source", hint=hint)
    raise InputError(f"{name}: no such file", hint="check the path; a number is a camera, - is stdin")


def is_camera(source: str | Path | int) -> bool:
    """Tell whether a source is a camera's number; a file or folder of that name is none."""
    return CAMERA_NUMBER.fullmatch(str(source)) is not None and not _exists(Path(str(source)))


def expand_sources(sources: Iterable[str | Path]) -> list[str]:
    """Replace folders and globs by their files, in natural order (2 before 10); leave all else as it is.

    Folders are searched to the bottom for photos, videos and landmark files; hidden files are left out.

    Parameters
    ----------
    sources : iterable of str or Path

    Returns
    -------
    list of str
        A file that is not there, an empty folder or a glob without a match stays in, to fail as one source of a
        batch.
    """
    return [name for source in sources for name in _expanded(str(source))]


def _expanded(name: str) -> list[str]:
    path, files = Path(name), []
    if name == STDIN or _is_file(path):
        return [name]
    if _is_folder(path):
        files = _known_files(path)
    elif _is_glob(name):
        files = [file for match in _matches(name) for file in (_known_files(match) if match.is_dir() else [match])]
    return [str(file) for file in files] or [name]


def natural_key(path: Path) -> list[list[int | str]]:
    """Return the key that sorts ``2.jpg`` before ``10.jpg``, folder by folder, whatever the case."""
    return [
        [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name.casefold())] for name in path.parts
    ]


def _known_files(folder: Path) -> list[Path]:
    endings = PHOTO_ENDINGS + VIDEO_ENDINGS + LANDMARK_ENDINGS
    files = (file for file in folder.rglob("*") if file.suffix.lower() in endings and file.is_file())
    visible = (file for file in files if not any(part.startswith(".") for part in file.relative_to(folder).parts))
    return sorted(visible, key=natural_key)


def _is_glob(name: str) -> bool:
    return glob.has_magic(name)


def _matches(pattern: str) -> list[Path]:
    # Path.glob would match hidden files and refuse absolute patterns.
    return sorted(map(Path, glob.glob(pattern, recursive=True)), key=natural_key)  # noqa: PTH207


def _is_file(path: Path) -> bool:
    """Tell whether ``path`` is there and no folder: a file, or a pipe that can be read as one."""
    return _exists(path) and not path.is_dir()


def _is_folder(path: Path) -> bool:
    return _exists(path) and path.is_dir()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # too long a name, a folder that may not be entered, a null character
        return False


def _clip_photos(path: Path, name: str) -> list[Path]:
    files = sorted(path.iterdir(), key=natural_key) if _is_folder(path) else _matches(name)
    photos = [file for file in files if file.suffix.lower() in PHOTO_ENDINGS and not file.name.startswith(".")]
    if not photos:
        raise InputError(f"{name}: no photos to make a clip of", hint=f"known endings: {', '.join(PHOTO_ENDINGS)}")
    return photos


def _open_array(images: NDArray[Any], fps: float) -> FrameSource:
    fits = images.ndim in (3, 4) and images.shape[-1] == 3 and images.dtype == np.uint8 and images.size > 0
    if not fits:
        raise ShapeError(
            f"array {images.dtype} {images.shape}, must be uint8 (H, W, 3) or (T, H, W, 3)",
            hint="give RGB pictures with values 0 to 255",
        )
    return Pictures("array", images, fps) if images.ndim == 4 else Pictures("array", [images])  # type: ignore[arg-type]


def _open_file(path: Path, name: str) -> FrameSource:
    if path.is_fifo():
        return _open_stream(path.open("rb"), name)
    ending = path.suffix.lower()
    if ending in LANDMARK_ENDINGS:
        raise InputError(f"{name}: holds landmarks, no pictures", hint="read it as a LandmarkSequence")
    if ending in PHOTO_ENDINGS or (ending not in VIDEO_ENDINGS and PHOTO_SIGNATURE.match(_head(path))):
        return Pictures(name, [path])
    from signary.video.decode import VideoDecoder

    return VideoDecoder(path, name=name)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError:
        return b""


def _open_camera(number: int) -> FrameSource:
    from signary.video.camera import Camera

    return Camera(number)


def _open_stream(stream: BinaryIO, name: str) -> FrameSource:
    head = stream.read(HEAD_BYTES)
    if not head:
        raise InputError(f"{name}: empty, nothing came in", hint="pipe a photo or video: cat clip.mp4 | signary ...")
    if PHOTO_SIGNATURE.match(head):
        photo = head + stream.read(MAX_PHOTO_BYTES)
        if len(photo) > MAX_PHOTO_BYTES:
            raise InputError(
                f"{name}: a photo of more than {MAX_PHOTO_BYTES // 2**20} MiB",
                hint="pipe motion JPEG in a container such as Matroska",
            )
        return Pictures(name, [photo])
    from signary.video.decode import VideoDecoder

    if stream.seekable():
        stream.seek(-len(head), 1)
        return VideoDecoder(stream, name=name)
    return VideoDecoder(put_back(head, stream), name=name)
