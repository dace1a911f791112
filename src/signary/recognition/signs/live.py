"""Isolated signs, live: what is signed from one pause to the next is read anew until it is over."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence, Points, shown_until
from signary.recognition.reading import WindowReading, hand_seen, one_handed
from signary.recognition.slide import PAUSE_S, TINY_S
from signary.text.recognition import Token

if TYPE_CHECKING:
    from signary.recognition.signs.recognizer import SignRecognizer

KEPT_S = 20.0  # what is signed for longer without a pause is cut

Said = MutableMapping[tuple[float, float], NDArray[np.float32]]


class SignWindow:
    """The frames that can still change the text; a `signary.recognition.session.OpenText`.

    Signs are final once the hands are gone for `PAUSE_S`; then they are those of the whole clip. They are final, too,
    once nothing was read for two windows, as of hands at rest.

    Parameters
    ----------
    recognizer : SignRecognizer
    hand : {"auto", "left", "right"}
    """

    def __init__(self, recognizer: SignRecognizer, hand: str) -> None:
        self.recognizer, self.hand = recognizer, hand
        self._points: list[Points] = []
        self._times: list[float] = []
        self._shown: list[float | None] = []
        self._aspect: float | None = None
        self._began_s, self._seen_s, self._read_s = np.inf, -np.inf, -np.inf
        self._open: list[Token] = []
        self._said: Said = {}

    def __len__(self) -> int:
        return len(self._times)

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame, float32 (543, 3)."""
        self._points.append(points)
        self._times.append(time_s)
        self._shown.append(shown_s)
        self._aspect, self._began_s = aspect, min(self._began_s, time_s)
        if hand_seen(one_handed(points[None], self.hand)).any():
            self._seen_s = time_s

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return the tokens that became final since they were asked for last, and those that are open."""
        slide, now_s = self.recognizer.slide, self._times[-1]
        if now_s - self._read_s < slide.stride_s - TINY_S:
            return [], self._open
        self._read_s = now_s
        paused = now_s - self._seen_s > PAUSE_S + TINY_S and not self._is_short
        if paused or now_s - self._times[0] > KEPT_S + slide.window_s:
            return self.end(), []
        reading, clip = self._read(self._said)
        self._open = self._decoded(reading, clip)
        recent = clip.times_s[reading.first] >= now_s - 2 * slide.window_s
        if self._times[0] < now_s - 2 * slide.window_s and not self._decoded(reading[recent], clip):
            return self._forget(bisect_left(self._times, now_s - slide.window_s)), []
        return [], self._open

    def end(self) -> list[Token]:
        """Return the tokens that are still open, for good."""
        self._open = self._decoded(*self._read({})) if self._times else []
        return self._forget(len(self))

    @property
    def _is_short(self) -> bool:
        """Whether all that was signed up to now is one window."""
        return self._times[-1] - self._began_s <= self.recognizer.slide.window_s + TINY_S

    def _read(self, said: Said) -> tuple[WindowReading, LandmarkSequence]:
        ends_s = shown_until(self._times, self._shown)
        clip = repair(LandmarkSequence(np.stack(self._points), self._times, aspect=self._aspect, ends_s=ends_s))
        return self.recognizer.read_windows(clip, self.hand, short=self._is_short, said=said), clip

    def _decoded(self, reading: WindowReading, clip: LandmarkSequence) -> list[Token]:
        return self.recognizer.decode(reading, clip.times_s, ends_s=clip.ends_s)

    def _forget(self, frames: int) -> list[Token]:
        """Drop the oldest frames and return what was read up to now."""
        del self._points[:frames], self._times[:frames], self._shown[:frames]
        self._said.clear()
        final, self._open = self._open, []
        return final
