"""Videos that come through a pipe, which cannot go back."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO

from signary.errors import InputError

# Boxes that may come before an MP4's index (moov) or, where that comes last, its pictures (mdat).
FORE_BOXES = (b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pdin")
MAX_FORE_BYTES = 2**20
COPY_BYTES = 2**16


def put_back(
    head: bytes, stream: BinaryIO, *, name: str = "", most: int | None = None, size: int | None = None
) -> BinaryIO:
    """Return a stream with the bytes that were read from it put back.

    An MP4 whose index comes after its pictures, as phones write it, is kept in a temporary file, since FFmpeg has to
    go to and fro in it; everything else is read as it comes.

    Parameters
    ----------
    head : bytes
        At least 8.
    stream : binary file
    name : str
        What errors call it.
    most : int, optional
        Bytes that may be kept.
    size : int, optional
        Bytes in all, where that is known before they are read.

    Raises
    ------
    InputError
        If more than ``most`` bytes would have to be kept.
    """
    head, index_last = _read_to_index(head, stream)
    if not index_last:
        return _Rejoined(head, stream)  # type: ignore[return-value]
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the decoder that reads it
    try:
        _keep(head, stream, file, name, most, size)
    except BaseException:
        file.close()
        raise
    return file  # type: ignore[no-any-return]


def _keep(head: bytes, stream: BinaryIO, file: BinaryIO, name: str, most: int | None, size: int | None) -> None:
    data, kept = head, size or 0
    while data and (most is None or kept <= most):
        file.write(data)
        kept = max(kept, file.tell())
        data = stream.read(COPY_BYTES)
    if most is not None and kept > most:
        raise InputError(
            f"{name}: an MP4 of more than {most / 2**30:g} GiB with its index at the end, which has to be kept whole",
            hint="save it as a file, or write it with +faststart",
        )
    file.seek(0)


def _read_to_index(head: bytes, stream: BinaryIO) -> tuple[bytes, bool]:
    """Read an MP4's first boxes; return all that was read, and whether its pictures come before its index."""
    at = 0
    while head[at + 4 : at + 8] in FORE_BOXES and at < MAX_FORE_BYTES:
        at += max(8, int.from_bytes(head[at : at + 4], "big"))
        while (left := min(at + 8, MAX_FORE_BYTES) - len(head)) > 0 and (more := stream.read(left)):
            head += more
    return head, at > 0 and head[at + 4 : at + 8] == b"mdat"


class _Rejoined:
    """A pipe with its head put back; it has no ``seek``, which tells PyAV what it is."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        # read1 hands on what is there, so that a live stream is not held up until a buffer is full.
        return head or getattr(self._stream, "read1", self._stream.read)(size)
