"""RTSP cameras, decoded by FFmpeg, which connects only to a local `Relay`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from signary.address import Address
from signary.errors import InputError
from signary.video.decode import VideoDecoder
from signary.video.frame import Picture
from signary.video.network.line import Patience, Stop, StoppedError
from signary.video.network.relay import Relay

if TYPE_CHECKING:
    import av

PROTOCOLS = "rtsp,tcp"
PROBE_US = 1_000_000  # to measure the frame rate if the server does not give it
HINT = "check the address, the network, and that the camera is on"


class RtspCapture:
    """Pictures of an RTSP stream over TCP.

    Parameters
    ----------
    address : Address
        Its user and password are sent to this server only (Basic or Digest).
    name : str
        In errors.
    stop : Stop
    patience : Patience

    Raises
    ------
    InputError
        If the server refuses, redirects, or has no pictures.
    OSError
        If it does not answer, or (while reading) the connection breaks or stalls.
    """

    def __init__(self, address: Address, name: str, stop: Stop, patience: Patience) -> None:
        self._name, self._stop = name, stop
        self._relay = Relay(address, name, stop, patience)
        try:
            self._container = self._open(address, patience)
            self._decoder = VideoDecoder("", name=name, container=self._container, is_live=True)
            # threads of whole frames would delay each picture by as many
            self._container.streams.video[0].thread_type = "SLICE"
        except BaseException:
            self._relay.close()
            raise
        self._relay.begin()
        self.fps: float = self._decoder.fps
        self._frames = iter(self._decoder)

    def _open(self, address: Address, patience: Patience) -> av.container.InputContainer:
        import av

        options = {
            "rtsp_transport": "tcp",
            "protocol_whitelist": PROTOCOLS,
            "allowed_media_types": "video",
            "analyzeduration": str(PROBE_US),
        }
        user = ":".join(quote(part or "", safe="") for part in (address.user, address.password))
        user = "" if address.user is None else f"{user}@"
        door = f"rtsp://{user}127.0.0.1:{self._relay.port}{address.target}"
        # the relay's timeouts come first; these are for FFmpeg's own waits
        timeout = 2 * patience.connect_s, 2 * patience.stall_s + patience.connect_s
        try:
            return av.open(door, format="rtsp", options=options, timeout=timeout)
        except (av.error.FFmpegError, OSError, ValueError) as error:  # its text contains the password
            reason = getattr(error, "strerror", None) or type(error).__name__
        self._check()
        if self._relay.replies.refused:
            hint = "wrong user or password" if address.user else "write them into it: rtsp://USER:PASSWORD@HOST/PATH"
            hint = hint if self._relay.replies.refused.startswith("401") else HINT
            raise InputError(f"{self._name}: answers {self._relay.replies.refused}", hint=hint)
        raise InputError(f"{self._name}: not a stream that can be read ({reason})", hint=HINT)

    def read(self) -> Picture | None:
        """Wait for the next picture; None at the end of a recording or stream."""
        import av

        try:
            frame = next(self._frames, None)
        except av.error.FFmpegError as error:  # its text contains the password
            self._check()
            raise OSError(error.strerror) from None
        except InputError:
            self._check()
            raise
        if frame is not None:
            return frame.image
        # a recording has a duration; at its end the server may hang up
        if not self._container.duration:
            self._check()
        return None

    def _check(self) -> None:
        """Raise if the source is closed or the relay has failed."""
        if self._stop.said:
            raise StoppedError("closed")
        if self._relay.failure is not None:
            raise self._relay.failure

    def close(self) -> None:
        """Send TEARDOWN and end the connection."""
        self._decoder.close()
        self._relay.close()
