"""Continuous fingerspelling, live: what is spelled from one pause to the next is read anew until it is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.reading import hand_lowered, hand_seen, one_handed
from signary.recognition.slide import TINY_S, thinned
from signary.recognition.spelling.graphs import Said
from signary.text.recognition import Token

if TYPE_CHECKING:
    from signary.recognition.spelling.recognizer import SpellingRecognizer

# Seconds between two readings of what is still spelled, or this share of what it has taken, if that is more.
GLANCE_S, GLANCE_SHARE = 0.2, 0.04
KEPT_S = 60.0  # what is spelled for longer without a pause is cut


class SpellingWindow:
    """The frames of the phrase that is being spelled; a `signary.recognition.session.OpenText`.

    A phrase is final once the hands are gone for as long as divides phrases; then it is that of the whole clip.

    Parameters
    ----------
    recognizer : SpellingRecognizer
    hand : {"auto", "left", "right"}
    """

    def __init__(self, recognizer: SpellingRecognizer, hand: str) -> None:
        self.recognizer, self.hand = recognizer, hand
        self._points: list[Points] = []
        self._times: list[float] = []
        self._aspect: float | None = None
        self._seen_s = self._read_s = self._ended_s = -np.inf
        self._open: list[Token] = []
        self._said: Said = {}

    def __len__(self) -> int:
        return len(self._times)

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame, float32 (543, 3); what comes before the first hand is not kept."""
        if hand_seen(one_handed(points[None], self.hand)).any():
            self._seen_s = time_s
        elif not self._times:
            return
        self._points.append(points)
        self._times.append(time_s)
        self._aspect = aspect

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return the tokens that became final since they were asked for last, and those that are open."""
        if not self._times:
            return [], []
        now_s = self._times[-1]
        if self._is_over(now_s) or now_s - self._times[0] > KEPT_S:
            return self.end(), []
        if now_s - self._read_s >= max(GLANCE_S, GLANCE_SHARE * (now_s - self._times[0])) - TINY_S:
            self._read_s, self._open = now_s, self._glimpse()
        return [], self._open

    def end(self) -> list[Token]:
        """Return the tokens that are still open, for good."""
        if not self._times:
            return []
        clip = self._clip()
        found = self.recognizer.decode(self.recognizer.read_landmarks(clip, hand=self.hand), clip.times_s)
        self._points, self._times, self._open = [], [], []
        self._said.clear()
        found = self._spaced(found)
        self._ended_s = found[-1].end_s if found else self._ended_s
        return found

    def _is_over(self, now_s: float) -> bool:
        """Say whether hands are gone for as long as divides phrases."""
        options, gone_s = self.recognizer.runtime.options, now_s - self._seen_s - TINY_S
        if gone_s <= options.pause_s or gone_s > options.lost_s:
            return gone_s > options.pause_s
        lowered = hand_lowered(one_handed(np.stack(self._points), self.hand))
        return bool(lowered[np.isfinite(lowered)][-1] >= options.lowered)

    def _glimpse(self) -> list[Token]:
        recognizer, clip = self.recognizer, self._clip()
        points = one_handed(clip.points, self.hand)
        kept = thinned(clip.times_s, recognizer.runtime.options.max_fps)
        phrase = recognizer.runtime.glimpse(points[kept], clip.times_s[kept], self._said)
        return self._spaced(recognizer.tokens_of(phrase, clip.times_s[kept]))

    def _spaced(self, tokens: list[Token]) -> list[Token]:
        """Put a space between these and the phrase before."""
        if not tokens or self._ended_s == -np.inf:
            return tokens
        return [self.recognizer.space(self._ended_s, tokens[0].start_s), *tokens]

    def _clip(self) -> LandmarkSequence:
        return repair(LandmarkSequence(np.stack(self._points), self._times, aspect=self._aspect))
