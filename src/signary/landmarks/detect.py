"""Find landmarks in pictures: the `Detector` protocol, with MediaPipe's Hands and Holistic behind it.

MediaPipe 0.10.14 to 0.10.29 carries these models in its wheel, so detection works offline. MediaPipe Hands names
hands as a mirror shows them; here sides are the signer's own in an unmirrored picture, so they are exchanged. A
picture that is said to be mirrored is turned round before anything looks at it.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from importlib import import_module
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from signary.errors import InputError
from signary.landmarks.looks import LAST_LOOKS, LOOKS, VIDEO_LOOK, Image, Look, turned, view_of
from signary.landmarks.sequence import HAND_SLOTS, LEFT, RIGHT, Points
from signary.landmarks.skeleton import FACE, HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND
from signary.lifetime import Lifetime
from signary.privacy import without
from signary.video.frame import Frame

ENGINES = ("hands", "holistic")
OTHER_SIDE = {LEFT: RIGHT, RIGHT: LEFT}


class Detector(Protocol):
    """Anything that finds landmarks in a frame; a context manager.

    ``reset`` comes between clips and forgets what was tracked; ``close`` frees the networks.
    """

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3) in the order of ``HOLISTIC_543``: x / width, y / height, z / width, NaN = not seen.

        x and y may lie outside 0 to 1 where a point is guessed beyond the picture's edge.
        """
        ...

    def reset(self) -> None:
        """Forget the last clip."""
        ...

    def close(self) -> None:
        """Free the networks."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def open_detector(
    engine: str = "hands", *, still: bool = False, max_hands: int = 2, mirrored: bool = False
) -> HandsDetector | HolisticDetector:
    """Open a detector by name.

    Parameters
    ----------
    engine : {"hands", "holistic"}
        Hands alone (fast), or hands, body and face.
    still : bool
        Frames are single photos: nothing is tracked, and a photo in which no hand is found is looked at again
        (`signary.landmarks.looks`). Holistic only stops tracking.
    max_hands : int
        1 or 2: at most so many hands, those nearest the middle of the picture (Hands only).
    mirrored : bool
        The pictures are mirror images, as from a selfie camera.

    Raises
    ------
    InputError
        If there is no such engine or number of hands.
    """
    if engine not in ENGINES:
        raise InputError(f"{engine!r}: no such detector", hint=f"known: {', '.join(ENGINES)}")
    check_max_hands(max_hands)
    if engine == "holistic":
        return HolisticDetector(still=still, mirrored=mirrored)
    return HandsDetector(still=still, max_hands=max_hands, mirrored=mirrored)


def check_max_hands(max_hands: int) -> None:
    """Refuse a number of hands that is not 1 or 2.

    Raises
    ------
    InputError
    """
    if max_hands not in (1, 2):
        raise InputError(f"max_hands={max_hands}, must be 1 or 2", hint="a signer has two hands at most")


def nothing_seen() -> Points:
    """Return float32 (543, 3) of NaN."""
    return np.full((len(HOLISTIC_543), 3), np.nan, np.float32)


@dataclass(frozen=True, slots=True)
class _Hand:
    side: str
    score: float
    points: Points


class HandsDetector(Lifetime):
    """MediaPipe Hands: 21 points of each hand, about 20 ms a frame on one core.

    Parameters
    ----------
    still, max_hands, mirrored
        As for `open_detector`.
    """

    def __init__(self, *, still: bool = False, max_hands: int = 2, mirrored: bool = False) -> None:
        check_max_hands(max_hands)
        self.still, self.max_hands, self.mirrored = still, max_hands, mirrored
        self._graphs: dict[float, Any] = {}
        self._woken: set[float] = set()

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3) with the hands' slots filled; see `Detector`."""
        image = turned(frame.image) if self.mirrored else frame.image
        for look in (*LOOKS, *LAST_LOOKS) if self.still else (VIDEO_LOOK,):
            if hands := self._hands(image, look):
                return self._placed(hands, image)
        return nothing_seen()

    def looks(self, frame: Frame) -> Points:
        """Look at a photo in several ways.

        Parameters
        ----------
        frame : Frame

        Returns
        -------
        float32 (K, 543, 3)
            One row for each of `LOOKS` that found a hand; else of the first of `LAST_LOOKS` that does; else one row
            of NaN. A hand alone is in the slot on which most looks agree.
        """
        image = turned(frame.image) if self.mirrored else frame.image
        found = [self._placed(hands, image) for look in LOOKS if (hands := self._hands(image, look))]
        for look in LAST_LOOKS if not found else ():
            if hands := self._hands(image, look):
                found = [self._placed(hands, image)]
                break
        return _agreed(np.stack(found)) if found else nothing_seen()[None]

    def reset(self) -> None:
        """Forget the last clip."""
        if not self.still:  # a still detector tracks nothing
            self.close()

    def close(self) -> None:
        """Free the networks."""
        self._woken.clear()
        while self._graphs:
            self._graphs.popitem()[1].close()

    def _graph(self, threshold: float) -> Any:
        if threshold not in self._graphs:
            with _QUIET:
                # stills are searched for more hands than are kept, so that the middle ones can be chosen
                self._graphs[threshold] = _solution("hands").Hands(
                    static_image_mode=self.still,
                    max_num_hands=4 if self.still else self.max_hands,
                    min_detection_confidence=threshold,
                )
        return self._graphs[threshold]

    def _hands(self, image: Image, look: Look) -> list[_Hand]:
        view = view_of(image, look)
        graph = self._graph(look.threshold)
        # MediaPipe's native warnings come with the first hand that a graph finds
        with contextlib.nullcontext() if look.threshold in self._woken else _QUIET:
            result = graph.process(view.image)
        if result.multi_hand_landmarks:
            self._woken.add(look.threshold)
        found = zip(result.multi_hand_landmarks or (), result.multi_handedness or (), strict=True)
        return [
            _Hand(
                side=_side(hand.classification[0].label, look),
                score=hand.classification[0].score,
                points=view.taken_back(_array(landmarks)),
            )
            for landmarks, hand in found
        ]

    def _placed(self, hands: list[_Hand], image: Image) -> Points:
        """Keep the hands nearest the middle; of two with one side, the less certain takes the other slot."""
        size = np.array([1.0, image.shape[0] / image.shape[1]])
        hands = sorted(hands, key=lambda hand: float(np.linalg.norm((hand.points.mean(0)[:2] - 0.5) * size)))
        points = nothing_seen()
        for hand in sorted(hands[: self.max_hands], key=lambda hand: -hand.score):
            taken = np.isfinite(points[HAND_SLOTS[hand.side]]).any()
            points[HAND_SLOTS[OTHER_SIDE[hand.side] if taken else hand.side]] = hand.points
        return points


class HolisticDetector(Lifetime):
    """MediaPipe Holistic: face, body and both hands, the detector behind both Google sign data sets.

    Parameters
    ----------
    still, mirrored
        As for `open_detector`.
    """

    def __init__(self, *, still: bool = False, mirrored: bool = False) -> None:
        self.still, self.mirrored = still, mirrored
        self._graph: Any = None
        self._woken = False

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3); see `Detector`."""
        image = turned(frame.image) if self.mirrored else np.ascontiguousarray(frame.image)
        # MediaPipe's native warnings come with the start, and with the first hand
        with contextlib.nullcontext() if self._woken else _QUIET:
            if self._graph is None:
                self._graph = _solution("holistic").Holistic(static_image_mode=self.still)
            result = self._graph.process(image)
        self._woken |= bool(result.left_hand_landmarks or result.right_hand_landmarks)
        points = nothing_seen()
        for slot, landmarks in (
            (FACE, result.face_landmarks),
            (LEFT_HAND, result.left_hand_landmarks),
            (POSE, result.pose_landmarks),
            (RIGHT_HAND, result.right_hand_landmarks),
        ):
            if landmarks:
                points[slot] = _array(landmarks)
        return points

    def reset(self) -> None:
        """Forget the last clip."""
        if self._graph is not None:
            self._graph.reset()
            self._woken = False

    def close(self) -> None:
        """Free the networks."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None


def _solution(name: str) -> Any:
    """Import one of MediaPipe's solutions, without what it would draw and record with.

    matplotlib writes a list of fonts into the user's folder, and sounddevice starts a compiler to find a library.
    """
    with without("matplotlib", "matplotlib.pyplot", "sounddevice"):
        return import_module(f"mediapipe.python.solutions.{name}")


def _array(landmarks: Any) -> Points:
    return np.array([(point.x, point.y, point.z) for point in landmarks.landmark], np.float32)


def _side(label: str, look: Look) -> str:
    """Return the signer's side; MediaPipe's label supposes a mirror image."""
    return label.lower() if look.mirror else OTHER_SIDE[label.lower()]


def _agreed(points: Points) -> Points:
    """Move hands that are alone in a look to the slot that most looks (K, 543, 3) name."""
    left, right = (np.isfinite(points[:, slot]).all((1, 2)) for slot in (LEFT_HAND, RIGHT_HAND))
    winner, loser = (LEFT_HAND, RIGHT_HAND) if left.sum() > right.sum() else (RIGHT_HAND, LEFT_HAND)
    moved = (left != right) & np.isfinite(points[:, loser]).all((1, 2))
    points[moved, winner] = points[moved, loser]
    points[moved, loser] = np.nan
    return points


class _Quiet(contextlib.AbstractContextManager[None]):
    """Keeps MediaPipe's native start-up lines off stderr; threads may be inside at the same time."""

    def __init__(self) -> None:
        self._lock, self._inside, self._saved = threading.Lock(), 0, -1

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 2)
                os.close(null)
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                os.dup2(self._saved, 2)
                os.close(self._saved)


_QUIET = _Quiet()
