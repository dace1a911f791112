"""A camera on the command line: what is signed is written as it comes, until Ctrl+C."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from signary.text.recognition import Recognition
from signary.text.write import to_dict
from signary.video.source import FrameSource

if TYPE_CHECKING:
    from signary.recognition.recognizer import Recognizer

AT_ONCE = ("text", "jsonl")  # formats of which every line stands for itself
KEYS = ("source", "model", "task", "text", "confidence", "tokens")


class Stoppable(Protocol):
    """Anything whose frames a signal can end, such as a camera."""

    def stop(self) -> None:
        """Let the frames end."""
        ...


def write_events(reader: Recognizer, frames: FrameSource, format: str, *, source: str, **options: Any) -> None:
    """Read a live source and write each final event to stdout at once.

    Parameters
    ----------
    reader : Recognizer
    frames : FrameSource
    format : {"text", "jsonl"}
        The text of an event, or an object with it and its tokens.
    source : str
        What the user calls it.
    **options
        Fields of `signary.recognition.recognizer.ReadOptions`.
    """
    for event in reader.stream(frames, **options):
        if not event.final:
            continue
        said = to_dict(Recognition(source, reader.name, reader.task, event.text, event.confidence, event.tokens))
        line = event.text if format == "text" else json.dumps({key: said[key] for key in KEYS}, ensure_ascii=False)
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


@contextmanager
def until_interrupt(frames: Stoppable) -> Iterator[None]:
    """Let a first Ctrl+C end the frames, as if there were no more; a second one stops the program."""
    before = signal.getsignal(signal.SIGINT)

    def stop(number: int, _: Any) -> None:
        signal.signal(number, before)
        frames.stop()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
