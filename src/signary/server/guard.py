"""Access control: refuse requests of other web pages, under other host names, without the token, or too large.

A browser lets every page send requests to this machine. ``Origin`` reveals another page (cross-site WebSocket
hijacking), ``Host`` a foreign name that points to this machine (DNS rebinding). Source: OWASP, "WebSocket Security
Cheat Sheet"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

import asyncio
import hmac
import socket
from contextlib import suppress
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from typing import Any
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signary.server.messages import REFUSED, ErrorDetail, ErrorReply
from signary.server.options import LOCALHOST, ServeOptions, is_ip

COOKIE = "signary_token"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
FORM_BYTES = 64 * 1024  # of a form, beside its file
MOST_SENDING = 8  # simultaneous requests with a body: each may fill the disk with one upload
LINGER = 2.0  # seconds to read on a refused upload, so that its sender gets the answer instead of a reset


class Guard:
    """ASGI middleware that refuses requests and adds security headers to answers."""

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self.app, self.options, self._sending = app, options, 0
        own = () if is_ip(options.host) else (options.host,)
        machine = () if options.is_local else (socket.gethostname().lower(),)
        self._names = {LOCALHOST, *own, *machine, *(name.lower() for name in options.names)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        refused = self._refused(scope)
        if scope["type"] == "websocket":
            await (_close(receive, send, refused) if refused else self.app(scope, receive, send))
            return
        if refused:
            await _answer(403, refused)(scope, receive, _with_headers(send))
        elif self._shows_token(scope):
            await self._welcome()(scope, receive, _with_headers(send))
        else:
            await self._hand_on(scope, receive, _with_headers(send))

    def _refused(self, scope: Scope) -> str:
        """Return why a request is refused; empty if it is not."""
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) != 1 or not self._is_own(host := headers["host"]):
            return f"Host {headers.get('host', '')[:80]!r} is not this server's name"
        if (origin := headers.get("origin")) is not None and not _same(origin, host):
            return f"Origin {origin[:80]!r} is another page's"
        foreign = headers.get("sec-fetch-site", "none") not in ("none", "same-origin")
        if foreign and headers.get("sec-fetch-mode") != "navigate":
            return "another page asked for this"
        if self.options.token and not self._knows_token(scope, headers):
            return "the token is missing or wrong"
        return ""

    def _is_own(self, host: str) -> bool:
        name = _name_of(f"//{host}")
        if name is None:
            return False
        if not is_ip(name):
            return name in self._names
        # an address cannot be rebound
        return name == self.options.host or not self.options.is_local or ip_address(name).is_loopback

    def _knows_token(self, scope: Scope, headers: Headers) -> bool:
        scheme, _, bearer = headers.get("authorization", "").partition(" ")
        shown = [bearer] if scheme.lower() == "bearer" else []
        shown += _query_tokens(scope)
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        shown += [cookies[COOKIE].value] if COOKIE in cookies else []
        return any(hmac.compare_digest(word.encode(), self.options.token.encode()) for word in shown)

    def _shows_token(self, scope: Scope) -> bool:
        return bool(self.options.token) and scope["path"] == "/" and bool(_query_tokens(scope))

    def _welcome(self) -> Response:
        """Move the token from the page's address to a cookie that scripts cannot read."""
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, self.options.token, httponly=True, samesite="strict")
        return response

    async def _hand_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        limit = self.options.upload_bytes + FORM_BYTES
        length = Headers(scope=scope).get("content-length", "0")
        if not length.isdecimal() or int(length) > limit:
            await _answer(413, _too_large(self.options), close=True)(scope, receive, _lingering(receive, send))
            return
        sends = scope["method"] == "POST"
        if sends and self._sending >= MOST_SENDING:
            busy = f"{self._sending} files are being sent already"
            await _answer(503, busy, close=True)(scope, receive, _lingering(receive, send))
            return
        self._sending += sends
        try:
            await self._counted(scope, receive, send, limit)
        finally:
            self._sending -= sends

    async def _counted(self, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
        """Pass a request on, with a limit on its body."""
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:  # a body of unknown length
                raise HTTPException(413, _too_large(self.options), {"Connection": "close"})
            return message

        async def sending(message: Message) -> None:
            await (_lingering(receive, send) if taken > limit else send)(message)

        await self.app(scope, counted, sending)


def refusal(message: str, hint: str = "", *, type: str = "Refused", source: str | None = None) -> dict[str, Any]:
    """Return the body of a refusal."""
    return ErrorReply(source=source, error=ErrorDetail(type=type, message=message, hint=hint)).model_dump()


def _answer(status: int, message: str, *, close: bool = False) -> Response:
    return JSONResponse(refusal(message), status, {"Connection": "close"} if close else None)


async def _close(receive: Receive, send: Send, reason: str) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    await send({"type": "websocket.close", "code": REFUSED, "reason": reason.encode()[:120].decode(errors="ignore")})


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


def _lingering(receive: Receive, send: Send) -> Send:
    """Return a ``send`` that reads on for `LINGER` before the answer ends: closing on unread bytes resets."""

    async def sending(message: Message) -> None:
        if message["type"] != "http.response.body" or message.get("more_body"):
            await send(message)
            return
        await send({**message, "more_body": True})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER):
                while (await receive()).get("more_body"):
                    pass
        await send({"type": "http.response.body"})

    return sending


def _too_large(options: ServeOptions) -> str:
    return f"the request is larger than {options.upload_bytes / 2**20:.0f} MiB"


def _name_of(address: str) -> str | None:
    """Return the name in ``//name:port``; None if there is none, or more than that."""
    try:
        parts = urlsplit(address)
        plain = parts.port is None or parts.port > 0
    except ValueError:
        return None
    more = "@" in parts.netloc or parts.path or parts.query or parts.fragment
    return parts.hostname if plain and not more else None


def _same(origin: str, host: str) -> bool:
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and rest.lower() == host.lower()


def _query_tokens(scope: Scope) -> list[str]:
    return parse_qs(scope["query_string"].decode("latin-1")).get("token", [])
