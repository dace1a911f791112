"""Options of the server."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address

from signary.errors import ConfigError

LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Options of the server.

    Parameters
    ----------
    host : str
        Address to listen on.
    models : tuple of str
        Names or paths of the models, the default first; by default all that come with the package.
    limit : int
        Largest number of live sessions.
    token : str
        Required in every request; empty: none.
    insecure : bool
        Serve other machines without a token.
    names : tuple of str
        Further host names of this server.
    workers : int
        Threads for live sessions.
    idle_s : float
        Close a live session after this time without a frame.
    patience_s : float
        Close it if the client reads no message for this time.
    upload_bytes, upload_frames : int
        Limits of a recording.

    Raises
    ------
    ConfigError
        If a value is out of range, or other machines would be served without a token.
    """

    host: str = "127.0.0.1"
    models: tuple[str, ...] = ()
    limit: int = 8
    token: str = field(default="", repr=False)
    insecure: bool = False
    names: tuple[str, ...] = ()
    workers: int = min(8, (os.cpu_count() or 1) + 1)
    idle_s: float = 60.0
    patience_s: float = 10.0
    upload_bytes: int = 200 * 2**20
    upload_frames: int = 18_000

    def __post_init__(self) -> None:
        for name in ("limit", "workers", "idle_s", "patience_s", "upload_bytes", "upload_frames"):
            if getattr(self, name) <= 0:
                raise ConfigError(f"{name}={getattr(self, name)}, must be above 0", hint="leave it out")
        if not (self.is_local or self.token or self.insecure):
            hint = "give --token, which every visitor then needs; --insecure does without"
            raise ConfigError(f"host={self.host!r}: other machines could use it unasked", hint=hint)

    @property
    def is_local(self) -> bool:
        """Whether only this machine is served."""
        return self.host == LOCALHOST or (is_ip(self.host) and ip_address(self.host).is_loopback)


def is_ip(name: str) -> bool:
    """Tell whether a host is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
