"""Read isolated signs live: everything since the last pause is read again and again until the next pause."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.reading import KeptFrames, Said
from signary.recognition.signs.reader import SignReader, WindowReading
from signary.recognition.slide import PAUSE_S, TINY_S
from signary.text.recognition import Token

KEPT_S = 20.0  # signing without a pause for longer is cut


class SignWindow:
    """The frames that can still change the text; a `signary.recognition.session.LiveWindow`.

    Signs are final once the hands are gone for `PAUSE_S`; they are then those of the whole clip. They are final, too,
    once no sign was found for two windows, as when the hands rest in view.

    Parameters
    ----------
    reader : SignReader
    hand : {"auto", "left", "right"}
    """

    def __init__(self, reader: SignReader, hand: str) -> None:
        self.reader, self.kept = reader, KeptFrames(hand)
        self._began_s, self._read_s = np.inf, -np.inf
        self._open: list[Token] = []
        self._said: Said = {}

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame; as `LiveWindow.push`."""
        self.kept.push(points, time_s, aspect, shown_s)
        self._began_s = min(self._began_s, time_s)

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return new final tokens, and those that may still change; as `LiveWindow.tokens`."""
        slide, times = self.reader.slide, self.kept.times_s
        now_s = times[-1]
        if now_s - self._read_s < slide.stride_s - TINY_S:
            return [], self._open
        self._read_s = now_s
        paused = now_s - self.kept.seen_s > PAUSE_S + TINY_S and not self._is_short
        if paused or now_s - times[0] > KEPT_S + slide.window_s:
            return self.end(), []
        reading, clip = self._read(self._said)
        self._open = self._decoded(reading, clip)
        first_s, last_s = clip.times_s[reading.first], clip.times_s[reading.last]
        pauses = np.flatnonzero(first_s[1:] - last_s[:-1] > PAUSE_S + TINY_S)
        since_pause_s = first_s[pauses[-1] + 1 if len(pauses) else 0 :].min(initial=now_s)
        long_ago_s = now_s - 2 * slide.window_s
        if since_pause_s < long_ago_s and not self._decoded(reading[first_s >= long_ago_s], clip):
            return self._forget(bisect_left(times, now_s - slide.window_s)), []
        return [], self._open

    def end(self) -> list[Token]:
        """Return the tokens that were not final yet; as `LiveWindow.end`."""
        self._open = self._decoded(*self._read({})) if len(self.kept) else []
        return self._forget()

    @property
    def _is_short(self) -> bool:
        """Whether the source is no longer than one window so far."""
        return self.kept.times_s[-1] - self._began_s <= self.reader.slide.window_s + TINY_S

    def _read(self, said: Said) -> tuple[WindowReading, LandmarkSequence]:
        clip = self.kept.clip()
        return self.reader.read_windows(clip, self.kept.hand, short=self._is_short, said=said), clip

    def _decoded(self, reading: WindowReading, clip: LandmarkSequence) -> list[Token]:
        return self.reader.decode(reading, clip.times_s, ends_s=clip.ends_s)

    def _forget(self, count: int | None = None) -> list[Token]:
        """Drop the oldest ``count`` frames, all by default, and return the tokens of the last reading."""
        self.kept.forget(count)
        self._said.clear()
        final, self._open = self._open, []
        return final
