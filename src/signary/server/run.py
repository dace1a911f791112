"""Listen and run the app, with its limits."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from signary.errors import InputError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

CLOSE_S = 5  # for open requests when the server stops
CONNECTIONS = 64  # beside the live sessions


def listening(host: str, port: int) -> socket.socket:
    """Return a listening socket (port 0: any free one); raise `InputError` if that fails."""
    if not 0 <= port < 65536:  # the system would take it modulo 65536
        raise InputError(f"port={port}, must be 0 to 65535", hint="--port 0 takes a free port")
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        return socket.create_server(address[:2], family=family)
    except OSError as error:
        hint = "another program may listen there; --port 0 takes a free port"
        raise InputError(f"{host}:{port}: cannot listen ({error})", hint=hint) from error


def make_server(app: ASGIApp, limit: int = 8) -> uvicorn.Server:
    """Return the server for an app with ``limit`` live sessions; ``run(sockets=[...])`` runs until Ctrl+C."""
    import uvicorn

    from signary.server.live import FRAME_BYTES

    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,  # for privacy
        server_header=False,
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        limit_concurrency=CONNECTIONS + 2 * limit,
        timeout_graceful_shutdown=CLOSE_S,
    )
    return uvicorn.Server(config)
