"""Videos that come through a pipe, which cannot go back."""

from __future__ import annotations

import shutil
import tempfile
from typing import Any, BinaryIO

# Boxes that may come before an MP4's index (moov) or, where that comes last, its pictures (mdat).
FORE_BOXES = (b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pdin")
MAX_FORE_BYTES = 2**20


def put_back(head: bytes, stream: BinaryIO) -> BinaryIO:
    """Return a stream with the bytes that were read from it put back.

    An MP4 whose index comes after its pictures, as phones write it, is kept in a temporary file, since FFmpeg has to
    go to and fro in it; everything else is read as it comes.

    Parameters
    ----------
    head : bytes
        At least 8.
    stream : binary file
    """
    head, index_last = _read_to_index(head, stream)
    if not index_last:
        return _Rejoined(head, stream)  # type: ignore[return-value]
    file: Any = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the decoder that reads it
    file.write(head)
    shutil.copyfileobj(stream, file)
    file.seek(0)
    return file  # type: ignore[no-any-return]


def _read_to_index(head: bytes, stream: BinaryIO) -> tuple[bytes, bool]:
    """Read an MP4's first boxes; return all that was read, and whether its pictures come before its index."""
    at = 0
    while head[at + 4 : at + 8] in FORE_BOXES and at < MAX_FORE_BYTES:
        at += max(8, int.from_bytes(head[at : at + 4], "big"))
        head += stream.read(max(0, min(at + 8, MAX_FORE_BYTES) - len(head)))
    return head, at > 0 and head[at + 4 : at + 8] == b"mdat"


class _Rejoined:
    """A pipe with its head put back; it has no ``seek``, which tells PyAV what it is."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        # read1 hands on what is there, so that a live stream is not held up until a buffer is full.
        return head or getattr(self._stream, "read1", self._stream.read)(size)
