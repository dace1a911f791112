"""Live reading: frames in, partial and final events out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from signary.landmarks.detect import Detector
from signary.landmarks.sequence import LandmarkSequence
from signary.text.commit import HeldOptions, decode_held, mean_confidence, recognition_text, settle_s
from signary.text.recognition import Event, Token
from signary.video.source import FrameSource

if TYPE_CHECKING:
    from signary.recognition.recognizer import Reading, Recognizer

KEPT_S = 20.0  # a held sign longer than this is cut


def stream_events(
    recognizer: Recognizer, frames: FrameSource, detector: Detector, *, hand: str, held: HeldOptions
) -> Iterator[Event]:
    """Yield events as frames come.

    A token is final once it ended longer ago than the decoder looks ahead (`signary.text.commit.settle_s`); until
    then it is part of a partial event, which comes whenever the partial text changes. What is open when the source
    ends becomes final.

    Parameters
    ----------
    recognizer : Recognizer
    frames : FrameSource
    detector : Detector
    hand : {"auto", "left", "right"}
    held : HeldOptions

    Yields
    ------
    Event
    """
    window = _Window(recognizer, hand, held)
    shown: tuple[str, ...] = ()
    for frame in frames:
        window.push(detector.detect(frame), frame.time_s, frame.aspect)
        settled, open_tokens = window.tokens(frame.time_s)
        for token in settled:
            yield _event([token], recognizer.task, final=True)
        if (texts := tuple(token.text for token in open_tokens)) != shown:
            shown = texts
            if open_tokens:
                yield _event(open_tokens, recognizer.task, final=False)
    for token in window.tokens(np.inf)[0]:
        yield _event([token], recognizer.task, final=True)


def _event(tokens: list[Token], task: str, *, final: bool) -> Event:
    return Event(
        text=recognition_text(tokens, task),
        final=final,
        tokens=tuple(tokens),
        start_s=tokens[0].start_s,
        end_s=tokens[-1].end_s,
        confidence=mean_confidence(tokens),
    )


class _Window:
    """The frames that can still change the text: graph outputs of each, newest last."""

    def __init__(self, recognizer: Recognizer, hand: str, held: HeldOptions) -> None:
        self.recognizer, self.hand, self.held = recognizer, hand, held
        self.readings: list[Reading] = []
        self.times: list[float] = []
        self.settled_s = -np.inf

    def push(self, points: np.ndarray, time_s: float, aspect: float) -> None:  # type: ignore[type-arg]
        """Read one frame, float32 (543, 3)."""
        sequence = LandmarkSequence(points[None], [time_s], aspect=aspect)
        self.readings.append(self.recognizer.read_landmarks(sequence, hand=self.hand))
        self.times.append(time_s)

    def tokens(self, now_s: float) -> tuple[list[Token], list[Token]]:
        """Return the tokens that became settled, and those that are open, at ``now_s``."""
        decoded = [token for token in self._decode() if token.start_s >= self.settled_s]
        limit = now_s - settle_s(self.held)
        settled = [token for token in decoded if token.end_s < limit]
        if settled:
            self.settled_s = settled[-1].end_s
        self._forget(limit)
        return settled, decoded[len(settled) :]

    def _decode(self) -> list[Token]:
        if not self.times:
            return []
        from signary.recognition.recognizer import Reading

        whole = Reading(
            np.concatenate([reading.probabilities for reading in self.readings]),
            np.concatenate([reading.place for reading in self.readings]),
        )
        return decode_held(
            whole.probabilities,
            np.asarray(self.times),
            whole.seen,
            whole.position,
            self.recognizer.bundle.vocabulary,
            self.held,
        )

    def _forget(self, limit_s: float) -> None:
        """Drop frames well before everything that is still open."""
        oldest = min(limit_s - KEPT_S, self.times[-1]) if self.times else 0.0
        count = int(np.searchsorted(self.times, oldest))
        del self.readings[:count], self.times[:count]
