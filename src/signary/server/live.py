"""From the bytes of a live session's frames to messages, without sockets."""

from __future__ import annotations

import contextlib
import ctypes
import struct
import time
from collections import deque
from dataclasses import dataclass

import numpy as np
from pydantic import BaseModel

from signary.errors import InputError
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND
from signary.recognition.recognizer import Recognizer
from signary.server.messages import FrameMessage, Ready, Spot, Start, event_message
from signary.video.frame import LIVE_SHOWN_S, Frame
from signary.video.photo import read_photo

TIME = struct.Struct("<d")
SHAPE = (len(HOLISTIC_543), 3)
LANDMARK_BYTES = TIME.size + 4 * SHAPE[0] * SHAPE[1]
FRAME_BYTES, FRAME_PIXELS = 4 * 2**20, 4_000_000
FARTHEST = 100.0  # picture widths; no detector gives points beyond
LATEST_S = 1e10  # Unix time is below
LEAST_STEP_S = 0.004  # faster frames add nothing
FPS_S = 2.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One received frame: its bytes, and the time of `time.perf_counter`."""

    data: bytes
    came_s: float


class LiveReader:
    """Reads the packets of one session, one at a time, in any thread.

    Raises
    ------
    ConfigError
        If the model does not read live sources.
    """

    def __init__(self, reader: Recognizer, start: Start) -> None:
        self.reader, self.start = reader, start
        self._session = reader.session(hand=start.hand, mirrored=start.mirrored)
        self._last_s = -np.inf
        self._served_at: deque[float] = deque(maxlen=240)
        self.received = self.served = self.dropped = 0

    def ready(self) -> Ready:
        """Return the first message to the client."""
        return Ready(model=self.reader.name, task=self.reader.task, labels=list(self.reader.vocabulary))

    def read(self, packet: Packet) -> list[BaseModel]:
        """Read one frame.

        Returns
        -------
        list of EventMessage and FrameMessage
            Events first; empty for a frame within `LEAST_STEP_S` of the last one.

        Raises
        ------
        InputError
            If the frame is invalid; the session can go on.
        """
        (time_s,) = TIME.unpack_from(packet.data)
        if not abs(time_s) < LATEST_S or time_s <= self._last_s:
            raise InputError(f"time_s={time_s}, must rise", hint="seconds of the client's clock, as float64")
        if time_s - self._last_s < LEAST_STEP_S:
            self.dropped += 1
            return []
        points, aspect = self._points(packet.data, time_s)
        self._last_s = time_s
        events = self._session.push(points, time_s, aspect, LIVE_SHOWN_S)
        self.served += 1
        return [*map(event_message, events), self._frame_message(packet, points, time_s)]

    def end(self) -> list[BaseModel]:
        """Return the open text as final."""
        return list(map(event_message, self._session.end()))

    def close(self) -> None:
        """Free the detector and its memory."""
        self._session.close()
        give_back_memory()

    def _points(self, data: bytes, time_s: float) -> tuple[Points, float | None]:
        if self.start.input == "jpeg":
            image = read_photo(data[TIME.size :], name="frame", max_pixels=FRAME_PIXELS)
            frame = Frame(image, self.served, time_s)
            return self._session.look(frame), frame.aspect
        points = np.frombuffer(data, "<f4", offset=TIME.size).reshape(SHAPE).astype(np.float32)
        if (np.abs(points) > FARTHEST).any():
            raise InputError("points: beyond 100 picture widths", hint="x / width, y / height, z / width; NaN = unseen")
        clip = LandmarkSequence(points[None], [time_s], aspect=self.start.aspect)
        return (clip.mirrored() if self.start.mirrored else clip).points[0], self.start.aspect

    def _frame_message(self, packet: Packet, points: Points, time_s: float) -> FrameMessage:
        hands = [_spots(points[slot], self.start.mirrored) for slot in (LEFT_HAND, RIGHT_HAND)]
        now_s = time.perf_counter()
        self._served_at.append(now_s)
        recent = [moment for moment in self._served_at if now_s - moment < FPS_S]
        return FrameMessage(
            time_s=time_s,
            lag_ms=round(1000 * (now_s - packet.came_s), 1),
            hands=[hand for hand in hands if hand],
            body=_spots(points[POSE], self.start.mirrored),
            received=self.received,
            served=self.served,
            dropped=self.dropped,
            fps=round((len(recent) - 1) / max(now_s - recent[0], 1e-3), 1),
        )


def give_back_memory() -> None:
    """Return freed memory to the system; glibc keeps it in the arenas of ended threads."""
    with contextlib.suppress(OSError, AttributeError):  # another libc
        ctypes.CDLL(None).malloc_trim(0)


def _spots(points: Points, mirrored: bool) -> list[Spot] | None:
    """Return the positions of points (p, 3) in the picture as it was sent; None if one was not seen."""
    places = points[:, :2].astype(np.float64)
    if not np.isfinite(places).all():
        return None
    places[:, 0] = 1 - places[:, 0] if mirrored else places[:, 0]
    return [(x, y) for x, y in places.round(4).tolist()]
