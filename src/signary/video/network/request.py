"""HTTP requests: redirects, authentication and errors."""

from __future__ import annotations

import re
from http.client import BadStatusLine, HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from ssl import SSLCertVerificationError, SSLError

from signary.address import Address, redirected
from signary.errors import InputError
from signary.video.network.authorization import authorization
from signary.video.network.line import Line, Pace, Patience, Stop

MAX_REDIRECTS = 5
MAX_REASON = 100
HEADERS = {"User-Agent": "signary", "Accept": "*/*", "Accept-Encoding": "identity", "Connection": "close"}
HINTS = {
    401: "write user and password into the address: http://USER:PASSWORD@HOST/PATH",
    403: "the server refuses this address: check it, and user and password",
    404: "check the address",
    410: "check the address",
}

LOST = (OSError, HTTPException)  # of a broken connection


class Answer:
    """The response to one request; its body is read within the timeouts of `Patience`.

    Attributes
    ----------
    status : int
    length : int or None
        Bytes of the body; None if not given.
    at : int
        Bytes read so far.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._response = HTTPResponse(line, method="GET")  # type: ignore[arg-type]
        try:
            self._response.begin()
        except BaseException:
            self._response.close()
            raise
        self.status: int = self._response.status
        self.length: int | None = self._response.length
        self.at = 0

    @property
    def reason(self) -> str:
        """Status and its text, on one line."""
        text = re.sub(r"[^ -~]+", " ", self._response.reason)[:MAX_REASON].strip()
        return f"{self.status} {text}".strip()

    @property
    def kind(self) -> str:
        """Content type in lower case, without parameters."""
        return self._response.headers.get_content_type() if self.header("Content-Type") else ""

    @property
    def boundary(self) -> str:
        """Boundary of a multipart body; empty if not given."""
        return self._response.headers.get_boundary("") or ""

    def header(self, name: str) -> str:
        """Return the value of a header, empty if absent."""
        return str(self._response.headers.get(name) or "").strip()

    def headers(self, name: str) -> list[str]:
        """Return all values of a header."""
        return [str(value) for value in self._response.headers.get_all(name) or []]

    def begin(self) -> None:
        """As `Pace.begin`."""
        self._line.pace.begin()

    def read1(self, size: int) -> bytes:
        """Return up to ``size`` bytes as soon as some come, none at the end.

        Raises
        ------
        OSError, HTTPException
            At a stall, or if the body ends too early.
        """
        left = size if self.length is None else min(size, self.length - self.at)
        data = self._response.read1(left) if left else b""
        self.at += len(data)
        if not data and left and self.length is not None:
            raise IncompleteRead(b"", self.length - self.at)
        return data

    def readline(self, size: int) -> bytes:
        """Return a line, or its first ``size`` bytes; none at the end."""
        return self._response.readline(size)

    def close(self) -> None:
        """End the connection."""
        self._response.close()
        self._line.close()


def get(address: Address, name: str, stop: Stop, patience: Patience, extra: dict[str, str] | None = None) -> Answer:
    """Send a GET with ``extra`` headers, follow allowed redirects, and authenticate if asked to.

    Raises
    ------
    InputError
        If it redirects to another server or too often.
    OSError, HTTPException
        If no answer comes in time.
    """
    pace, place, credentials, redirects = Pace(patience), address, "", 0
    while True:
        answer = _ask(place, pace, stop, {**(extra or {}), **({"Authorization": credentials} if credentials else {})})
        if answer.status in (301, 302, 303, 307, 308) and answer.header("Location"):
            answer.close()
            redirects += 1
            if redirects > MAX_REDIRECTS:
                raise InputError(f"{name}: sends on more than {MAX_REDIRECTS} times", hint="check the address")
            place, credentials = redirected(place, answer.header("Location"), name), ""
            continue
        if answer.status == 401 and address.user is not None and not credentials:
            credentials = authorization(place, answer.headers("WWW-Authenticate"))
            if credentials:
                answer.close()
                continue
        return answer


def _ask(place: Address, pace: Pace, stop: Stop, extra: dict[str, str]) -> Answer:
    line = Line(place, pace, stop)
    try:
        host = place.authority if place.host.isascii() else place.authority.encode("idna").decode()
        fields = {"Host": host, **HEADERS, **extra}
        head = "".join(f"{field}: {value}\r\n" for field, value in fields.items())
        line.sendall(f"GET {place.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1", "replace"))
        return Answer(line)
    except BaseException:
        line.close()
        raise


def refusal(answer: Answer, name: str, *, has_password: bool) -> InputError:
    """Return the error for an answer without a picture."""
    hint = HINTS.get(answer.status, "try again later" if answer.status >= 500 else "check the address")
    if answer.status == 401 and has_password:
        hint = "wrong user or password, or a way to give them that is not known here (Basic and Digest are)"
    return InputError(f"{name}: answers {answer.reason}", hint=hint)


def lost(error: Exception, name: str) -> InputError:
    """Return the error for a failed connection."""
    return InputError(f"{name}: {why(error)}", hint="check the address, the network, and that the server runs")


def why(error: Exception) -> str:
    """Say in a few words how a connection failed."""
    if isinstance(error, SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, SSLError):
        return f"no encrypted connection ({error.reason or 'TLS failed'})"
    if isinstance(error, RemoteDisconnected):
        return "ended the connection without an answer"
    if isinstance(error, IncompleteRead):
        return "ended the connection too early"
    if isinstance(error, BadStatusLine):
        return "does not speak HTTP"
    if isinstance(error, HTTPException):
        return f"answers nonsense ({type(error).__name__})"
    reason = getattr(error, "strerror", None)
    return f"no connection ({reason})" if reason else str(error)
