"""Addresses on a network: what is one, its parts, and how it is shown without its secrets."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from signary.errors import InputError

ADDRESS = re.compile(r"(https?|rtsps?)://", re.IGNORECASE)
LIVE = re.compile(r"rtsps?://", re.IGNORECASE)
PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}

HIDDEN = "***"
PORT = re.compile(r":\d{1,5}(?:[/?#]|$)")
ODD_HOST = re.compile(r"[\s\x00-\x1f\x7f%]")
ODD_NAME = re.compile(r"""[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]""")  # some file system or shell cannot hold them
SECRET = re.compile(
    r"([\w.\-\[\]%]*(?:token|key|pass|pwd|psw|secret|sig|auth|cred|session)[\w.\-\[\]%]*=)[^&\s]*", re.IGNORECASE
)
SAFE = "/%:=&?~+!$,;'@()*[]"
MAX_SHOWN_LOCATION = 300


@dataclass(frozen=True, slots=True)
class Address:
    """Parts of an address.

    Parameters
    ----------
    scheme : str
        http, https, rtsp or rtsps.
    host : str
        Lower case, without the brackets of an IPv6 address.
    port : int
    target : str
        Path and query as a request line has them.
    user, password : str or None
        None if there is none.
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = None
    password: str | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """Scheme, host and port: who is asked."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as a Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme in ("https", "rtsps")


def is_address(source: Any) -> bool:
    """Tell whether a source is an address on a network: http, https, rtsp or rtsps.

    Parameters
    ----------
    source : object
        Anything that a source can be; a Path is none.
    """
    return isinstance(source, str) and ADDRESS.match(source) is not None


def is_live_address(address: str) -> bool:
    """Tell whether an address is a live one by its looks; one of http may turn out to be a camera when asked."""
    return LIVE.match(address) is not None


def shown_address(address: str) -> str:
    """Return an address as results and errors call it, on one line and without its secrets.

    Parameters
    ----------
    address : str
        Anything, also what is no valid address.

    Examples
    --------
    >>> shown_address("rtsp://me:secret@camera/live?channel=1&token=abc")
    'rtsp://me:***@camera/live?channel=1&token=***'
    """
    line = "".join(letter if letter.isprintable() else "?" for letter in address)
    scheme, mark, rest = line.partition("://")
    if mark:
        line = scheme + mark + _without_password(rest)
    return SECRET.sub(rf"\g<1>{HIDDEN}", line)


def address_parts(address: str) -> list[str]:
    """Return the names of folders and file that stand for an address: its host, and the parts of its path.

    User, password, port and query are left out, as are parts that are empty or lead upwards; characters that names of
    files cannot hold everywhere become ``_``.

    Examples
    --------
    >>> address_parts("http://ann:secret@host:8080/a/../my%20clip.mp4?token=1")
    ['host', 'a', 'my clip.mp4']
    """
    rest = re.split("[?#]", address.partition("://")[2])[0]
    place = re.split(r"[/\\]", rest)[0]
    host = re.sub(r":\d*$", "", place.rpartition("@")[2]).strip("[]").lower()
    return [
        safe
        for part in (host, *rest[len(place) :].split("/"))
        if (safe := ODD_NAME.sub("_", unquote(part)).strip()).strip(".")
    ]


def _without_password(rest: str) -> str:
    place = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    at = place.rfind("@")
    if at < 0 and ":" in place and not place.startswith("[") and not PORT.match(rest, place.find(":")):
        at = rest.rfind("@")  # a password with a slash in it, which ends the place too early
    user, colon, _ = rest[: max(at, 0)].partition(":")
    return f"{user}:{HIDDEN}{rest[at:]}" if colon else rest


def read_address(address: str) -> Address:
    """Take an address apart.

    Raises
    ------
    InputError
        If it has no host, or an impossible port.
    """
    hint = "write it as http://HOST/PATH; %40 stands for @ in a password, %2F for /"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
        if not host or not is_address(address) or ODD_HOST.search(host) or port == 0 or parts.netloc.endswith(":"):
            raise ValueError
    except ValueError:  # not chained: its text holds parts of the password
        raise InputError(f"{shown_address(address)}: no valid address", hint=hint) from None
    scheme = parts.scheme.lower()
    target = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Address(scheme, host, port or PORTS[scheme], target, user, password)


def redirected(base: Address, location: str, name: str) -> Address:
    """Return where a server sends on to, which must be itself; user and password are those that the user gave.

    Parameters
    ----------
    base : Address
        Who answered.
    location : str
        As the server wrote it.
    name : str
        What errors call the source.

    Raises
    ------
    InputError
        For every other server, port or scheme; the plain upgrade from http to https is allowed.
    """
    whole = location.strip()
    with contextlib.suppress(ValueError):  # brackets that do not fit
        whole = urljoin(f"{base.scheme}://{base.authority}{base.target}", whole)
    shown = shown_address(whole)
    shown = shown if len(shown) <= MAX_SHOWN_LOCATION else f"{shown[:MAX_SHOWN_LOCATION]}..."
    hint = f"give {shown} itself if you trust it" if is_address(whole) else "this is never opened"
    try:
        new = read_address(whole)
    except InputError:
        new = None
    upgrade = ("https", base.host, 443) if base.place == ("http", base.host, 80) else base.place
    if new is None or new.place not in (base.place, upgrade):
        raise InputError(f"{name}: sends on to {shown}", hint=hint)
    return Address(*new.place, new.target, base.user, base.password)
