"""Network addresses: recognize, parse and show them without secrets."""

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
ODD_NAME = re.compile(r"""[\x00-\x1f\x7f-\x9f<>:"/\\|?*\ud800-\udfff]""")  # some file systems or shells forbid these
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
    scheme : {"http", "https", "rtsp", "rtsps"}
    host : str
        Lower case; IPv6 without brackets.
    port : int
    target : str
        Path and query, encoded for a request line.
    user, password : str, optional
    """

    scheme: str
    host: str
    port: int
    target: str
    user: str | None = None
    password: str | None = None

    @property
    def place(self) -> tuple[str, str, int]:
        """Scheme, host and port: the server."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port for a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the connection is TLS."""
        return self.scheme in ("https", "rtsps")


def is_address(source: Any) -> bool:
    """Tell whether a source is a str with an http, https, rtsp or rtsps address."""
    return isinstance(source, str) and ADDRESS.match(source) is not None


def is_live_address(address: str) -> bool:
    """Tell whether an address is RTSP; an HTTP address may turn out to be a camera once it answers."""
    return LIVE.match(address) is not None


def shown_address(address: str) -> str:
    """Return an address, valid or not, as results and errors show it: on one line, without secrets.

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
    """Return folder and file names for an address: its host and the parts of its path.

    User, password, port, query, empty parts and ``..`` are left out; characters that are unsafe in file names become
    ``_``.

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
        at = rest.rfind("@")  # a password with a slash
    user, colon, _ = rest[: max(at, 0)].partition(":")
    return f"{user}:{HIDDEN}{rest[at:]}" if colon else rest


def read_address(address: str) -> Address:
    """Parse an address.

    Raises
    ------
    InputError
        If it has no host or an impossible port.
    """
    hint = "write it as http://HOST/PATH; %40 stands for @ in a password, %2F for /"
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
        if not host or not is_address(address) or ODD_HOST.search(host) or port == 0 or parts.netloc.endswith(":"):
            raise ValueError
    except ValueError:  # not chained: its text contains parts of the password
        raise InputError(f"{shown_address(address)}: no valid address", hint=hint) from None
    scheme = parts.scheme.lower()
    target = quote(parts.path or "/", safe=SAFE) + (f"?{quote(parts.query, safe=SAFE)}" if parts.query else "")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    return Address(scheme, host, port or PORTS[scheme], target, user, password)


def redirected(base: Address, location: str, name: str) -> Address:
    """Return the target of a redirect, which must stay on the same server; user and password are kept.

    Parameters
    ----------
    base : Address
        The server that answered.
    location : str
        Of its Location header.
    name : str
        Of the source in errors.

    Raises
    ------
    InputError
        For any other server, port or scheme; only the upgrade from http to https on default ports is allowed.
    """
    whole = location.strip()
    with contextlib.suppress(ValueError):  # unbalanced brackets
        whole = urljoin(f"{base.scheme}://{base.authority}{base.target}", whole)
    shown = shown_address(whole)
    shown = shown if len(shown) <= MAX_SHOWN_LOCATION else f"{shown[:MAX_SHOWN_LOCATION]}..."
    try:
        new = read_address(whole)
    except InputError:
        new = None
    upgrade = ("https", base.host, 443) if base.place == ("http", base.host, 80) else base.place
    if new is None or new.place not in (base.place, upgrade):
        raise redirect_refused(name, shown)
    return Address(*new.place, new.target, base.user, base.password)


def redirect_refused(name: str, shown: str) -> InputError:
    """Return the error for a redirect to another server; ``shown`` comes from `shown_address`."""
    hint = f"give {shown} itself if you trust it" if is_address(shown) else "this is never opened"
    return InputError(f"{name}: sends on to {shown or 'another address'}", hint=hint)
