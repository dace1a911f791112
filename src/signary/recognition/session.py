"""Read one live source: frames or points go in one at a time, events come out."""

from __future__ import annotations

from typing import Protocol

from signary.landmarks.detector import Detector
from signary.landmarks.sequence import Points
from signary.text.commit import mean_confidence, recognition_text
from signary.text.recognition import Event, Token
from signary.video.frame import Frame


class LiveWindow(Protocol):
    """The frames of a live source that can still change the text; frames go in, tokens come out."""

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None = None) -> None:
        """Take one frame; parameters as of `Session.push`."""
        ...

    def tokens(self) -> tuple[list[Token], list[Token]]:
        """Return the tokens that became final since the last call, and those that may still change."""
        ...

    def end(self) -> list[Token]:
        """Return the tokens that were not final yet: the source has ended."""
        ...


class Session:
    """Read one live source, wherever its frames come from; made by `Recognizer.session`.

    A token is final as soon as no later frame can change it. Until then it is part of partial events; there is one
    whenever the partial text changes. One thread at a time may use a session.

    Parameters
    ----------
    window : LiveWindow
    task : str
    detector : Detector
        Finds the points of frames; closed with the session.
    """

    def __init__(self, window: LiveWindow, task: str, detector: Detector) -> None:
        self.task = task
        self._window, self._detector = window, detector
        self._shown: tuple[str, ...] = ()

    def look(self, frame: Frame) -> Points:
        """Return the points float32 (543, 3) of the next frame, for `push`."""
        return self._detector.detect(frame)

    def push(
        self, points: Points, time_s: float, aspect: float | None = None, shown_s: float | None = None
    ) -> list[Event]:
        """Take the points of the next frame and return new events.

        Parameters
        ----------
        points : float32 (543, 3)
            As in a `LandmarkSequence`, of an unmirrored picture.
        time_s : float
            Rising from frame to frame.
        aspect : float, optional
            Width / height of the picture.
        shown_s : float, optional
            Seconds for which the frame is shown at most; by default until the next one.
        """
        self._window.push(points, time_s, aspect, shown_s)
        final, open_tokens = self._window.tokens()
        events = [self._event([token], final=True) for token in final]
        if (texts := tuple(token.text for token in open_tokens)) != self._shown:
            self._shown = texts
            if open_tokens:
                events.append(self._event(open_tokens, final=False))
        return events

    def end(self) -> list[Event]:
        """Return the events of the tokens that were not final yet."""
        return [self._event([token], final=True) for token in self._window.end()]

    def close(self) -> None:
        """Free the detector."""
        self._detector.close()

    def _event(self, tokens: list[Token], *, final: bool) -> Event:
        return Event(
            text=recognition_text(tokens, self.task),
            final=final,
            tokens=tuple(tokens),
            start_s=tokens[0].start_s,
            end_s=tokens[-1].end_s,
            confidence=mean_confidence(tokens),
        )
