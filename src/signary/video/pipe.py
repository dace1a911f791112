"""Videos from a pipe, which cannot seek."""

from __future__ import annotations

import tempfile
from typing import Any, BinaryIO

from signary.errors import InputError

# Boxes that may come before an MP4's index (moov) or, if that is last, its pictures (mdat).
FORE_BOXES = (b"ftyp", b"free", b"skip", b"wide", b"uuid", b"pdin")
MAX_FORE_BYTES = 2**20
COPY_BYTES = 2**16


def put_back(
    head: bytes, stream: BinaryIO, *, name: str = "", most: int | None = None, size: int | None = None
) -> BinaryIO:
    """Return a stream with its first bytes put back.

    An MP4 with its index after the pictures, as phones write it, is copied to a temporary file, since FFmpeg has to
    seek in it; anything else is streamed.

    Parameters
    ----------
    head : bytes
        At least 8.
    stream : binary file
    name : str
        In errors.
    most : int, optional
        Largest copy in bytes.
    size : int, optional
        Total bytes, if known.

    Raises
    ------
    InputError
        If the copy would exceed ``most``.
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
    """Read the first boxes of an MP4; return all bytes read, and whether the pictures come before the index."""
    at = 0
    while head[at + 4 : at + 8] in FORE_BOXES and at < MAX_FORE_BYTES:
        at += max(8, int.from_bytes(head[at : at + 4], "big"))
        while (left := min(at + 8, MAX_FORE_BYTES) - len(head)) > 0 and (more := stream.read(left)):
            head += more
    return head, at > 0 and head[at + 4 : at + 8] == b"mdat"


class _Rejoined:
    """A pipe with its first bytes put back; without ``seek``, so that PyAV streams it."""

    def __init__(self, head: bytes, stream: BinaryIO) -> None:
        self._head, self._stream = head, stream

    def read(self, size: int) -> bytes:
        head, self._head = self._head[:size], self._head[size:]
        # read1 as in `signary.video.binary`
        return head or getattr(self._stream, "read1", self._stream.read)(size)
