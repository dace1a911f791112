"""Photos and videos as bytes: in memory, or from an open file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signary.errors import InputError
from signary.video.kinds import HEAD_BYTES, LANDMARK_SIGNATURE, MAX_PHOTO_BYTES, PHOTO_SIGNATURE
from signary.video.memory import Pictures, type_name
from signary.video.pipe import put_back

if TYPE_CHECKING:
    from signary.video.animation import Animation
    from signary.video.decode import VideoDecoder


def open_photo(photo: Path | bytes, name: str) -> Animation | Pictures:
    """Open a photo file or its bytes: a still, or a clip if it is an animation."""
    from signary.video.animation import Animation, is_animation
    from signary.video.photo import open_bytes, open_image

    data = open_bytes(photo, name)
    try:
        image = open_image(data, name)
        if is_animation(image):
            return Animation(image, name, data)
    except InputError:
        pass  # raised again when it is read
    data.close()
    return Pictures(name, [photo])


def open_stream(stream: Any, name: str) -> VideoDecoder | Animation | Pictures:
    """Open a photo or video from a binary file, at its current position; the file is never closed.

    Parameters
    ----------
    stream : binary file
        Need not be seekable.
    name : str
        In errors.

    Raises
    ------
    InputError
        If it is empty, neither photo nor video, or refers to other files.
    """
    lent = _Lent(stream, name)
    head = lent.read_all(HEAD_BYTES)
    if not head:
        hint = "pipe a photo or video: cat clip.mp4 | signary ..." if name == "-" else "seek(0) first, or give it anew"
        raise InputError(f"{name}: empty, nothing came in", hint=hint)
    if LANDMARK_SIGNATURE.match(head):
        raise InputError(f"{name}: holds landmarks, no pictures", hint="give the path of the file, or a sequence")
    if PHOTO_SIGNATURE.match(head):
        photo = head + lent.read_all(MAX_PHOTO_BYTES)
        if len(photo) > MAX_PHOTO_BYTES:
            raise InputError(
                f"{name}: a photo of more than {MAX_PHOTO_BYTES // 2**20} MiB",
                hint="pipe motion JPEG in a container such as Matroska",
            )
        return open_photo(photo, name)
    from signary.video.decode import VideoDecoder, check_head

    check_head(head, name)
    if lent.seekable():
        lent.seek(-len(head), io.SEEK_CUR)
        return VideoDecoder(lent, name=name)  # type: ignore[arg-type]
    return VideoDecoder(put_back(head, lent), name=name)  # type: ignore[arg-type]


class _Lent:
    """A binary file of the caller: read but never closed; errors name it."""

    def __init__(self, file: Any, name: str) -> None:
        self._file, self._name = file, name

    def read(self, size: int = -1) -> bytes:
        # read1 returns what is there: a live stream does not wait for a full buffer
        return self._bytes(getattr(self._file, "read1", self._file.read), size)

    def read_all(self, size: int) -> bytes:
        """Read ``size`` bytes, fewer only at the end."""
        parts, left = [], size
        while left > 0 and (part := self.read(left)):
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    def seekable(self) -> bool:
        """Tell whether the file is seekable."""
        return bool(getattr(self._file, "seekable", lambda: False)())

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def _bytes(self, read: Any, size: int) -> bytes:
        try:
            data = read(size)
        except (OSError, ValueError, TypeError) as error:
            raise InputError(f"{self._name}: cannot be read ({error})", hint="give an open binary file") from error
        if data is not None and not isinstance(data, bytes | bytearray | memoryview):
            close = getattr(data, "close", None)  # a coroutine, never awaited
            if callable(close):
                close()
            hint = "open it in binary mode: open(path, 'rb')"
            raise InputError(f"{self._name}: gives {type_name(data)}, must give bytes", hint=hint)
        return bytes(data or b"")
