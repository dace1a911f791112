"""Read held letters live: keep the frames that can still change the text, and find the letters that are final."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from signary.landmarks.repair import Sides, fill_gaps
from signary.landmarks.sequence import LandmarkSequence, Points, shown_until
from signary.recognition.held.reader import HeldReader
from signary.recognition.held.tracking import HandPath, LeadingHand
from signary.recognition.reading import SLOTS
from signary.text.commit import decode_held, frame_labels, held_runs, held_tokens, left_s
from signary.text.recognition import Token
from signary.text.strokes import HOOK_FROM, HOOK_S, ZIGZAG, ZIGZAG_LIKE, Run, runs_of

KEPT_S = 20.0  # a held sign longer than this is cut
MAX_GAP_S = 0.2  # as `signary.landmarks.repair.fill_gaps`
TINY_S = 1e-6
POINTING = frozenset((ZIGZAG, *ZIGZAG_LIKE))

Floats = NDArray[np.float64]


class _Pushed(NamedTuple):
    points: Points
    time_s: float
    shown_s: float | None


class HeldWindow:
    """The frames that can still change the text, newest last; a `signary.recognition.session.LiveWindow`.

    The final tokens are those of the whole clip, provided that the same hand leads from its start.

    Parameters
    ----------
    reader : HeldReader
    hand : {"auto", "left", "right"}
    """

    def __init__(self, reader: HeldReader, hand: str) -> None:
        self.reader, self.hand, self.held = reader, hand, reader.options
        self._sides, self._path, self._lead = Sides(), HandPath(), LeadingHand()
        self._known: list[_Pushed] = []  # the last frames that were read; gaps are filled from them
        self._waiting: list[_Pushed] = []
        self._aspect: float | None = None
        self._seen_s = np.full(len(SLOTS), -np.inf)
        self._vocabulary = reader.bundle.vocabulary
        self._probabilities, self._position = np.zeros((0, len(self._vocabulary)), np.float32), np.zeros((0, 2))
        self._times, self._shown, self._seen = np.zeros(0), list[float | None](), np.zeros(0, np.bool_)
        self._labels = np.zeros(0, np.int64)
        self._final_s = -np.inf

    def __len__(self) -> int:
        return len(self._times)

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame; one without a hand is not read until it is clear whether the gap is short."""
        points = self._sides.of(points, time_s, aspect)
        self._waiting.append(_Pushed(points, time_s, shown_s))
        for hand, slot in enumerate(SLOTS):
            if np.isfinite(points[slot]).any():
                self._seen_s[hand] = time_s
        recent = self._seen_s[time_s - self._seen_s <= MAX_GAP_S + TINY_S]
        self._aspect = aspect
        self._read(float(recent.min(initial=time_s)))

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return new final tokens, and those that may still change."""
        if len(self) < 2:
            return [], []
        runs = self._runs()
        tokens = self._new(held_tokens(runs, *self._frames(), self._position, self._vocabulary, self.held))
        final_s, next_s = self._settled(runs)
        final = [token for token in tokens if token.start_s <= final_s]
        self._final_s = max(self._final_s, final_s)
        self._forget(next_s)
        return final, tokens[len(final) :]

    def end(self) -> list[Token]:
        """Return the remaining tokens, which are final now."""
        self._read(np.inf)
        rows, times, ends_s, seen = self._frames()
        return self._new(decode_held(rows, times, seen, self._position, self._vocabulary, self.held, ends_s))

    def _frames(self, first: int = 0) -> tuple[NDArray[np.float32], Floats, Floats, NDArray[np.bool_]]:
        """Return probabilities, times, ends and whether a hand was seen, of the frames from ``first`` on."""
        ends_s = shown_until(self._times, self._shown)
        return self._probabilities[first:], self._times[first:], ends_s[first:], self._seen[first:]

    @property
    def _fixed_s(self) -> float:
        """Time up to which later frames do not change the smoothed labels."""
        return float(self._times[-1]) - self.held.smooth_s / 2 - TINY_S

    def _new(self, tokens: list[Token]) -> list[Token]:
        return [token for token in tokens if token.start_s > self._final_s]

    def _read(self, until_s: float) -> None:
        """Fill short gaps and read the waiting frames up to ``until_s``."""
        count = sum(row.time_s <= until_s for row in self._waiting)
        if not count:
            return
        rows, known, aspect = [*self._known, *self._waiting], len(self._known), self._aspect
        times = [row.time_s for row in rows]
        clip = fill_gaps(LandmarkSequence(np.stack([row.points for row in rows]), times, aspect=aspect))
        for points, row in zip(clip.points[known : known + count], self._waiting, strict=False):
            points = self._lead.of(points, aspect) if self.hand == "auto" else points
            one = LandmarkSequence(points[None], [row.time_s], aspect=aspect)
            reading = self.reader.read_landmarks(one, hand=self.hand)
            self._probabilities = np.vstack([self._probabilities, reading.probabilities])
            self._position = np.vstack([self._position, self._path.step(reading.place[0])])
            self._times = np.append(self._times, row.time_s)
            self._shown.append(row.shown_s)
            self._seen = np.append(self._seen, reading.seen)
        kept = rows[: known + count]
        self._known = [row for row in kept if row.time_s >= kept[-1].time_s - MAX_GAP_S - TINY_S]
        del self._waiting[:count]

    def _runs(self) -> list[Run]:
        """Return the runs of one label, short ones too; labels that are final are not smoothed again."""
        known = len(self._labels)
        around = int(np.searchsorted(self._times, self._times[known] - self.held.smooth_s))
        recent = frame_labels(*self._frames(around), self._vocabulary, self.held)
        labels = np.append(self._labels, recent[known - around :])
        self._labels = labels[: np.searchsorted(self._times, self._fixed_s)]
        return held_runs(labels, *self._frames()[1:3], self._vocabulary, self.held)

    def _settled(self, runs: list[Run]) -> tuple[float, float]:
        """Return the time up to which the text is final, and the earliest time at which a new run can start.

        A run of one label is closed once no later frame can bridge to it. An I may still become a J, and pointing
        fingers in a row may become a Z: those stay open.
        """
        fixed_s = self._fixed_s
        texts = [self._vocabulary.text(run[0]) for run in runs]
        _, times, ends_s, _ = self._frames()
        ends = [left_s(run, times, ends_s) for run in runs]
        starts = [*(min(float(self._times[run[1]]), fixed_s) for run in runs), fixed_s]
        for k in range(len(runs), 0, -1):
            text, end_s, next_s = texts[k - 1], ends[k - 1], starts[k]
            closed = end_s + self.held.gap_s + TINY_S <= fixed_s
            hooks = any(texts[i] == HOOK_FROM and ends[i] + HOOK_S + TINY_S > next_s for i in range(k))
            near = k < len(runs) and next_s - end_s < self.held.gap_s + TINY_S
            if closed and not hooks and not (near and {text, texts[k]} <= POINTING):
                return end_s, next_s
        return -np.inf, starts[0]

    def _forget(self, next_s: float) -> None:
        """Drop the frames that no longer matter to what comes.

        In a stretch of frames with one label, smoothing changes nothing, and no gap is bridged across a long one. So
        the frames after such a stretch are read alike with or without those before it.
        """
        apart_s = self.held.smooth_s + self.held.gap_s + TINY_S
        count = int(np.searchsorted(self._times, next_s))
        labels = np.where(self._seen, self._probabilities.argmax(1) + 1, 0)[:count]
        first = int(np.searchsorted(self._times, self._times[-1] - KEPT_S))
        for _, start, stop in runs_of(labels):
            cut = int(np.searchsorted(self._times, self._times[stop - 1] - apart_s, side="right")) - 1
            first = max(first, cut if cut >= start else 0)
        self._probabilities, self._position = self._probabilities[first:], self._position[first:]
        self._times, self._seen, self._labels = self._times[first:], self._seen[first:], self._labels[first:]
        del self._shown[:first]
