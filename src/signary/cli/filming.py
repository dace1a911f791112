"""What a person who records sees: a countdown, a warning if no hand is in the picture, and optionally a window."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from signary.cli.window import PictureWindow, mirrored_view
from signary.landmarks.draw import contact_sheet

if TYPE_CHECKING:
    from signary.datasets.recordings.film import Take
    from signary.video.frame import Picture

REVIEW_S = 2.5  # a clip is shown this long, or until a key is pressed
AGAIN = "r"
WIDTH = 60


class Filming:
    """Report the recording of clips; a `signary.datasets.recordings.film.Watch`.

    Parameters
    ----------
    label : str
    count : int
        Clips to record.
    out : file
        Gets a line that is overwritten on a terminal, else a line for each change.
    window : PictureWindow, optional
    """

    def __init__(self, label: str, count: int, out: TextIO, window: PictureWindow | None = None) -> None:
        self.label, self.count, self.out, self.window = label, count, out, window
        self._number, self._said = 1, ""

    def rests(self, image: Picture, left_s: float) -> None:
        """Count down."""
        clip = f"{self.label!r}, clip {self._number} of {self.count}"
        self._say(f"{clip}: {int(left_s) + 1}" if self.out.isatty() or self.window else clip, image)

    def films(self, image: Picture, *, hand: bool) -> None:
        """Report recording, and whether a hand is in the picture."""
        self._say("filming" if hand else "filming, but NO HAND is in the picture", image)

    def keeps(self, take: Take) -> bool:
        """Show the clip's first, middle and last picture, and ask whether to keep it; without a window, keep it."""
        if self.window is not None and self._again(take, self.window):
            self._say("again", None)
            return False
        self._number += 1
        self._say("", None)
        return True

    def _again(self, take: Take, window: PictureWindow) -> bool:
        faults = "; ".join(fault.partition(":")[0] for fault in take.faults)
        view = contact_sheet([mirrored_view(picture, None, "") for picture in take.pictures], columns=3)
        shown = mirrored_view(view[:, ::-1], None, f"{AGAIN.upper()}: again   other keys: keep   {faults}")
        end_s, key = time.monotonic() + REVIEW_S, ""
        while not key and time.monotonic() < end_s:
            key = window.show(shown)
            time.sleep(0.02)
        return key == AGAIN

    def _say(self, text: str, image: Picture | None) -> None:
        if text != self._said:
            end = "\r" if self.out.isatty() else "\n"
            self.out.write(f"{text:{WIDTH}}{end}" if self.out.isatty() else f"{text}{end}" * bool(text))
            self.out.flush()
        self._said = text
        if self.window is not None and image is not None and self.window.show(mirrored_view(image, None, text)) == "q":
            raise KeyboardInterrupt  # as Ctrl+C: the unfinished clip is discarded


@contextmanager
def watching(label: str, count: int, *, show: bool) -> Iterator[Filming]:
    """Yield a `Filming` that writes to stderr and, with ``show``, opens a window.

    Raises
    ------
    InputError
        If no window can be opened.
    """
    if not show:
        yield Filming(label, count, sys.stderr)
        return
    with PictureWindow() as window:
        yield Filming(label, count, sys.stderr, window)
