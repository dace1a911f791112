"""Motion JPEG over HTTP, as IP cameras send it."""

from __future__ import annotations

from http.client import IncompleteRead

from signary.errors import InputError
from signary.video.frame import DEFAULT_FPS, Picture
from signary.video.network.request import Answer
from signary.video.photo import read_photo

MAX_PART_BYTES = 32 * 2**20
MAX_LINE_BYTES = 8192
MAX_HEADERS = 64
MAX_BAD_PARTS = 20
HINT = "check what the camera sends: it should be motion JPEG"


class MotionJpeg:
    """Pictures of a ``multipart/x-mixed-replace`` answer, which is closed with it; the first is read at once.

    Raises
    ------
    InputError
        If it contains no pictures.
    OSError, HTTPException
        If the connection breaks or stalls.
    """

    fps = DEFAULT_FPS

    def __init__(self, answer: Answer, name: str) -> None:
        self._answer, self._name = answer, name
        # some servers include the leading hyphens in the boundary
        self._mark = answer.boundary.strip().lstrip("-").encode("latin-1", "replace")
        if not self._mark:
            raise InputError(f"{name}: names no boundary between its pictures", hint=HINT)
        self._at_part, self._ended = False, False
        self._first = self._next()
        answer.begin()

    def read(self) -> Picture | None:
        """Wait for the next picture; None after the closing boundary."""
        if self._first is None:
            return self._next()
        first, self._first = self._first, None
        return first

    def close(self) -> None:
        """End the connection."""
        self._answer.close()

    def _next(self) -> Picture | None:
        for _ in range(MAX_BAD_PARTS):
            part = self._part()
            if part is None:
                return None
            try:
                return read_photo(part, name=self._name)
            except InputError:  # damaged, or a text between pictures
                continue
        raise InputError(f"{self._name}: {MAX_BAD_PARTS} parts in a row are no pictures", hint=HINT)

    def _part(self) -> bytes | None:
        """Return the body of the next part."""
        if not self._at_part:
            self._to_boundary()
        if self._ended:
            return None
        self._at_part = False
        length = self._length()
        if length is None:
            return self._to_boundary()
        if length > MAX_PART_BYTES:
            raise self._too_large()
        data = bytearray()
        while len(data) < length:
            more = self._answer.read1(length - len(data))
            if not more:
                raise IncompleteRead(b"")
            data += more
        return bytes(data)

    def _to_boundary(self) -> bytes:
        """Read to the next boundary; return the bytes before it."""
        data, is_start = bytearray(), True
        while True:
            line = self._line()
            rest = line.lstrip(b"-")
            if is_start and line.startswith(b"--") and rest.startswith(self._mark):
                break
            data += line
            if len(data) > MAX_PART_BYTES:
                raise self._too_large()
            is_start = line.endswith(b"\n")
        self._at_part, self._ended = True, rest.removeprefix(self._mark).startswith(b"--")
        return bytes(data.removesuffix(b"\n").removesuffix(b"\r"))

    def _length(self) -> int | None:
        """Read the headers of a part; return its length if given."""
        length = None
        for _ in range(MAX_HEADERS):
            name, _, value = self._line().strip().partition(b":")
            if not name:
                return length
            if name.strip().lower() == b"content-length" and value.strip().isdigit():
                length = int(value)
        raise InputError(f"{self._name}: more than {MAX_HEADERS} headers before a picture", hint=HINT)

    def _line(self) -> bytes:
        line = self._answer.readline(MAX_LINE_BYTES)
        if not line:
            raise IncompleteRead(b"")
        return line

    def _too_large(self) -> InputError:
        return InputError(f"{self._name}: a picture of more than {MAX_PART_BYTES // 2**20} MiB", hint=HINT)
