"""What reads points with a bundle, the source that was read, and the frames that a live reader keeps."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from signary.bundles.bundle import Bundle
from signary.graph import Graph
from signary.landmarks.repair import repair
from signary.landmarks.sequence import HAND_SLOTS, LEFT, RIGHT, LandmarkSequence, Points, shown_until
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.text.calibrate import softmax
from signary.text.recognition import Token

Floats = NDArray[np.float64]

SLOTS = (LEFT_HAND, RIGHT_HAND)
LEAST_SIZE = 1e-6  # of a hand, to divide by

Read = TypeVar("Read")
# Outputs of the graph for windows of a live source, by the first and last second of each. What is known is looked up,
# what is new is added.
Said = MutableMapping[tuple[float, float], NDArray[np.float32]]


def one_handed(points: Points, hand: str) -> Points:
    """Return points float32 (T, 543, 3) without the signer's other hand; ``auto`` leaves both."""
    if hand == "auto":
        return points
    points = points.copy()
    points[:, HAND_SLOTS[RIGHT if hand == LEFT else LEFT]] = np.nan
    return points


def hand_seen(points: Points) -> NDArray[np.bool_]:
    """Say in which frames some point of a hand was seen: points float32 (T, 543, 3) to bool (T,)."""
    left, right = (np.isfinite(points[:, slot, :2]).all(2).any(1) for slot in SLOTS)
    return np.asarray(left | right)


class Reader:
    """Turn points into a reading and a reading into tokens, with one bundle.

    Parameters
    ----------
    bundle : Bundle
        Its thresholds may set fields of the reader's options.
    threads : int, optional
        Of the network; the number of cores, 4 at most, by default.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        self.bundle = bundle

    def read_landmarks(self, sequence: LandmarkSequence, *, hand: str = "auto") -> Any:
        """Run the network over a clip.

        Parameters
        ----------
        sequence : LandmarkSequence
            T frames.
        hand : {"auto", "left", "right"}
            Which of the signer's hands to read.

        Returns
        -------
        Reading, WindowReading or SpellingReading
        """
        raise NotImplementedError

    def decode(
        self, reading: Any, times_s: Floats, *, context: str = "none", ends_s: Floats | None = None
    ) -> list[Token]:
        """Find the tokens of a reading.

        Parameters
        ----------
        reading : Reading, WindowReading or SpellingReading
            As from `read_landmarks`.
        times_s : float64 (T,)
        context : {"none", "words"}
            As of `ReadOptions`; read by models of letters alone.
        ends_s : float64 (T,), optional
            As of a `LandmarkSequence`.

        Returns
        -------
        list of Token
        """
        raise NotImplementedError


class LabelReader(Reader):
    """A reader whose one graph gives a logit for each label. Parameters as of `Reader`."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        super().__init__(bundle, threads=threads)
        self.graph = Graph(bundle.graph_path(), threads=threads)

    def run(self, **inputs: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Run the graph; its outputs, and ``probabilities`` float32 (..., V), the calibrated ``logits``."""
        output = self.graph.run(**inputs)
        temperature = self.bundle.manifest.calibration.temperature
        return output | {"probabilities": softmax(output["logits"], temperature).astype(np.float32)}


@dataclass(frozen=True, slots=True)
class ReadSource(Generic[Read]):
    """The reading of a source.

    Parameters
    ----------
    reading : Reading, WindowReading or SpellingReading
        T frames.
    times_s, ends_s : float64 (T,)
        When each frame begins and ends; all frames at one time are several looks at one photo.
    fps : float
        Frames a second; 0 for a photo.
    warnings : tuple of str
        Of the source.
    """

    reading: Read
    times_s: Floats
    ends_s: Floats
    fps: float
    warnings: tuple[str, ...] = ()

    @property
    def is_photo(self) -> bool:
        """Whether all frames are of one moment."""
        return len(self.times_s) > 0 and self.times_s[-1] == self.times_s[0]


class KeptFrames:
    """The frames of a live source that can still change the text, oldest first.

    Parameters
    ----------
    hand : {"auto", "left", "right"}
        The hand that is read.

    Attributes
    ----------
    points : list of float32 (543, 3)
    times_s : list of float
    seen_s : float
        Time of the last frame in which the hand was seen, kept or not; minus infinity before the first.
    """

    def __init__(self, hand: str) -> None:
        self.hand, self.seen_s = hand, -np.inf
        self.points: list[Points] = []
        self.times_s: list[float] = []
        self._shown_s: list[float | None] = []
        self._aspect: float | None = None

    def __len__(self) -> int:
        return len(self.times_s)

    def push(self, points: Points, time_s: float, aspect: float | None, shown_s: float | None) -> None:
        """Keep one frame; parameters as of `signary.recognition.session.LiveWindow.push`."""
        self.points.append(points)
        self.times_s.append(time_s)
        self._shown_s.append(shown_s)
        self._aspect = aspect
        if hand_seen(one_handed(points[None], self.hand)).any():
            self.seen_s = time_s

    def clip(self) -> LandmarkSequence:
        """Return the frames, one or more, with short gaps and exchanged hands repaired."""
        ends_s = shown_until(self.times_s, self._shown_s)
        return repair(LandmarkSequence(np.stack(self.points), self.times_s, aspect=self._aspect, ends_s=ends_s))

    def forget(self, count: int | None = None) -> None:
        """Drop the oldest ``count`` frames; all by default."""
        del self.points[:count], self.times_s[:count], self._shown_s[:count]
