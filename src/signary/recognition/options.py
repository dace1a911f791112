"""How sources are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

from signary.landmarks.detector import check_max_hands
from signary.landmarks.sequence import LEFT, RIGHT
from signary.ranges import FPS, above_zero, one_of

HANDS = ("auto", LEFT, RIGHT)
CONTEXTS = ("none", "words")

Progress = Callable[[int, int | None], None]  # frames done, frames in all or None
Options = TypeVar("Options", bound=Any)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How sources are read.

    Parameters
    ----------
    hand : {"auto", "left", "right"}
        Which of the signer's hands to read; ``auto`` takes the one seen larger and longer.
    mirrored : bool
        The pictures are mirror images.
    max_hands : int
        1 or 2: the most hands to find, those nearest the middle; of signs always 2.
    as_clip : bool
        Read a folder of pictures as one clip.
    fps : float, optional
        Frames a second of sources that do not say.
    times_s : sequence of float, optional
        Seconds of each frame of frames in memory, rising, in place of ``fps``.
    context : {"none", "words"}
        Whether doubtful letters of a clip are read so that they make words; `signary.text.context`. Letters that
        the model is sure of stay as they are, and so do photos.
    """

    hand: str = "auto"
    mirrored: bool = False
    max_hands: int = 2
    as_clip: bool = False
    fps: float | None = None
    context: str = "none"
    times_s: Sequence[float] | None = None

    @property
    def of_source(self) -> dict[str, Any]:
        """What `signary.video.source.open_source` is told."""
        return {"as_clip": self.as_clip, "fps": self.fps, "times_s": self.times_s}

    def __post_init__(self) -> None:
        one_of(HANDS, "the signer's own side", hand=self.hand)
        check_max_hands(self.max_hands)
        above_zero(FPS, fps=self.fps)
        one_of(CONTEXTS, "words reads doubtful letters", context=self.context)


def with_thresholds(options: Options, thresholds: Mapping[str, float]) -> Options:
    """Return ``options``, a dataclass, with its fields set to a bundle's thresholds of the same names."""
    kinds = {field.name: type(getattr(options, field.name)) for field in fields(options)}
    return replace(options, **{name: kinds[name](value) for name, value in thresholds.items() if name in kinds})
