"""How the server is run."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from ipaddress import ip_address

from signary.errors import ConfigError

LOCALHOST = "localhost"


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """How the server is run.

    Parameters
    ----------
    host : str
        Address to listen on.
    models : tuple of str
        Names or paths of what is served, the default one first; by default all models that come with the package.
    limit : int
        Live sessions at a time.
    token : str
        What every request must carry; empty: none.
    insecure : bool
        Serve other machines without a token.
    names : tuple of str
        Further names by which browsers may call this server.
    workers : int
        Threads that find hands and read them.
    idle_s : float
        A live session without a frame for so long is closed.
    patience_s : float
        A client that takes no message for so long is left.
    upload_bytes, upload_frames : int
        Largest and longest recording that is read.

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
        return self.host == LOCALHOST or (is_address(self.host) and ip_address(self.host).is_loopback)


def is_address(name: str) -> bool:
    """Say whether a host is given by numbers."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
