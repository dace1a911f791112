"""A camera on the command line: signs are written as they are read, until Ctrl+C."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from signary.text.commit import recognition_text
from signary.text.recognition import Event, Recognition, Token
from signary.video.source import FrameSource

if TYPE_CHECKING:
    from rich.text import Text

    from signary.landmarks.draw import Image
    from signary.landmarks.sequence import Points
    from signary.recognition.recognizer import Recognizer
    from signary.recognition.session import Session

AT_ONCE = ("text", "jsonl")  # formats that can be written line by line
KEYS = ("source", "model", "task", "text", "confidence", "tokens")
REDRAWN_HZ = 12
TINY_S = 1e-6

Write = Callable[[Event], None]
Look = Callable[["Image", "Points"], bool]


class Stoppable(Protocol):
    """Anything whose frames a signal can end, such as a camera."""

    def stop(self) -> None:
        """Let the frames end."""
        ...


class Said:
    """The text read so far: final letters or signs, and those that may still change.

    Parameters
    ----------
    task : str
    """

    def __init__(self, task: str) -> None:
        self.task = task
        self._final: list[Token] = []
        self._open: list[Token] = []

    def take(self, event: Event) -> None:
        """Take an event of a stream."""
        if event.final:
            self._final += event.tokens
            self._open = [token for token in self._open if token.start_s >= event.end_s - TINY_S]
        else:
            self._open = list(event.tokens)

    @property
    def text(self) -> str:
        """The whole text."""
        return recognition_text([*self._final, *self._open], self.task)

    def styled(self) -> Text:
        """Return the whole text for the terminal, with the part that may still change dimmed."""
        from rich.text import Text

        sure = recognition_text(self._final, self.task)
        return Text.assemble(sure, (self.text[len(sure) :], "dim"))


def read_live(session: Session, frames: FrameSource, write: Write, look: Look | None = None) -> int:
    """Read a live source to its end, and return the number of frames.

    Parameters
    ----------
    session : Session
    frames : FrameSource
    write : callable(Event)
        Called for each event, partial or final, immediately.
    look : callable(picture, points), optional
        Called after each frame; False ends the reading.
    """
    count = 0
    for frame in frames:
        count += 1
        points = session.look(frame)
        for event in session.push(points, frame.time_s, frame.aspect, frame.shown_s):
            write(event)
        if look is not None and not look(frame.image, points):
            break
    for event in session.end():
        write(event)
    return count


@contextmanager
def writing(reader: Recognizer, format: str, source: str) -> Iterator[Write]:
    """Yield a function that writes events to stdout: on a terminal as growing text, else one line per final event.

    Parameters
    ----------
    reader : Recognizer
    format : {"text", "jsonl"}
        The text of an event, or a JSON object with its text and tokens.
    source : str
        Its name for the user.
    """
    if format == "text" and sys.stdout.isatty():
        with _growing(reader.task) as write:
            yield write
        return

    def line(event: Event) -> None:
        if not event.final:
            return
        said = Recognition(source, reader.name, reader.task, event.text, event.confidence, event.tokens).to_dict()
        text = event.text if format == "text" else json.dumps({key: said[key] for key in KEYS}, ensure_ascii=False)
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()

    yield line


@contextmanager
def _growing(task: str) -> Iterator[Write]:
    from rich.console import Console
    from rich.live import Live

    said = Said(task)
    with Live(console=Console(), refresh_per_second=REDRAWN_HZ, vertical_overflow="visible") as live:

        def write(event: Event) -> None:
            said.take(event)
            live.update(said.styled())

        yield write


@contextmanager
def until_interrupt(frames: Stoppable) -> Iterator[None]:
    """Let a first Ctrl+C end the frames like the end of a file; a second one stops the program."""
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, _: Any) -> None:
        signal.signal(number, before)
        frames.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
