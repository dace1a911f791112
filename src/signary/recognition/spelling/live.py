"""Read continuous fingerspelling live: a phrase is read again and again until the pause that ends it."""

from __future__ import annotations

import numpy as np

from signary.landmarks.sequence import Points
from signary.recognition.reading import KeptFrames, Said, one_handed
from signary.recognition.slide import TINY_S
from signary.recognition.spelling.reader import SpellingReader, hand_lowered, space
from signary.text.recognition import Token

# Seconds between two readings of an open phrase, or this share of its length so far if that is more.
GLANCE_S, GLANCE_SHARE = 0.2, 0.04
KEPT_S = 60.0  # a phrase that is longer is cut


class SpellingWindow:
    """The frames of the open phrase; a `signary.recognition.session.LiveWindow`.

    A phrase is final once the hands are gone for as long as divides phrases; it is then read as in the whole clip.

    Parameters
    ----------
    reader : SpellingReader
    hand : {"auto", "left", "right"}
    """

    def __init__(self, reader: SpellingReader, hand: str) -> None:
        self.reader, self.kept = reader, KeptFrames(hand)
        self._read_s = self._ended_s = -np.inf
        self._open: list[Token] = []
        self._said: Said = {}

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame; as `LiveWindow.push`. Frames before the first hand of a phrase are not kept."""
        self.kept.push(points, time_s, aspect, shown_s)
        if self.kept.seen_s < self.kept.times_s[0]:
            self.kept.forget()

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return new final tokens, and those that may still change; as `LiveWindow.tokens`."""
        if not len(self.kept):
            return [], []
        first_s, now_s = self.kept.times_s[0], self.kept.times_s[-1]
        if self._is_over(now_s) or now_s - first_s > KEPT_S:
            return self.end(), []
        if now_s - self._read_s >= max(GLANCE_S, GLANCE_SHARE * (now_s - first_s)) - TINY_S:
            self._read_s = now_s
            self._open = self._spaced(self.reader.glimpse(self.kept.clip(), self.kept.hand, self._said))
        return [], self._open

    def end(self) -> list[Token]:
        """Return the tokens that were not final yet; as `LiveWindow.end`."""
        if not len(self.kept):
            return []
        clip = self.kept.clip()
        found = self.reader.decode(self.reader.read_landmarks(clip, hand=self.kept.hand), clip.times_s)
        found, self._open = self._spaced(found), []
        self.kept.forget()
        self._said.clear()
        self._ended_s = found[-1].end_s if found else self._ended_s
        return found

    def _is_over(self, now_s: float) -> bool:
        """Say whether the hands are gone for as long as divides phrases."""
        options, gone_s = self.reader.options, now_s - self.kept.seen_s - TINY_S
        if gone_s <= options.pause_s or gone_s > options.lost_s:
            return gone_s > options.pause_s
        lowered = hand_lowered(one_handed(np.stack(self.kept.points), self.kept.hand))
        return bool(lowered[np.isfinite(lowered)][-1] >= options.lowered)

    def _spaced(self, tokens: list[Token]) -> list[Token]:
        """Put a space between the phrase before and these tokens."""
        if not tokens or self._ended_s == -np.inf:
            return tokens
        return [space(self._ended_s, tokens[0].start_s), *tokens]
