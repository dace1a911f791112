"""MediaPipe's Hands and Holistic as detectors.

The wheels of MediaPipe 0.10.14 to 0.10.29 contain these models, so detection works offline. MediaPipe Hands labels
hands as in a mirror image. Here a side is the signer's own in an unmirrored picture, so labels are exchanged.
Mirrored pictures are flipped first.
"""

from __future__ import annotations

import contextlib
import os
import threading
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from signary.landmarks.detector import OTHER_SIDE, check_max_hands, nothing_seen
from signary.landmarks.looks import LAST_LOOKS, LOOKS, VIDEO_LOOK, Image, Look, turned, view_of
from signary.landmarks.sequence import HAND_SLOTS, Points
from signary.landmarks.skeleton import FACE, LEFT_HAND, POSE, RIGHT_HAND
from signary.lifetime import Lifetime
from signary.privacy import without
from signary.video.frame import Frame


@dataclass(frozen=True, slots=True)
class _Hand:
    side: str
    score: float
    points: Points


class HandsDetector(Lifetime):
    """MediaPipe Hands: 21 points per hand, about 20 ms per frame on one core.

    Parameters
    ----------
    still, max_hands, mirrored
        As for `signary.landmarks.detect.open_detector`.
    """

    def __init__(self, *, still: bool = False, max_hands: int = 2, mirrored: bool = False) -> None:
        check_max_hands(max_hands)
        self.still, self.max_hands, self.mirrored = still, max_hands, mirrored
        self._graphs: dict[float, Any] = {}
        self._woken: set[float] = set()

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3) with only the hands filled in; see `signary.landmarks.detector.Detector`."""
        image = turned(frame.image) if self.mirrored else frame.image
        for look in (*LOOKS, *LAST_LOOKS) if self.still else (VIDEO_LOOK,):
            if hands := self._hands(image, look):
                return self._placed(hands, image)
        return nothing_seen()

    def looks(self, frame: Frame) -> Points:
        """Return float32 (K, 543, 3): a row for each of `LOOKS` in which a hand is found.

        Without any, there is one row: of the first of `LAST_LOOKS` in which a hand is found, else NaN. The only hand
        of a view gets the side that most of the views give.
        """
        image = turned(frame.image) if self.mirrored else frame.image
        found = [self._placed(hands, image) for look in LOOKS if (hands := self._hands(image, look))]
        for look in LAST_LOOKS if not found else ():
            if hands := self._hands(image, look):
                found = [self._placed(hands, image)]
                break
        return _agreed(np.stack(found)) if found else nothing_seen()[None]

    def reset(self) -> None:
        """Clear the tracking state."""
        if not self.still:  # no tracking in photos
            self.close()

    def close(self) -> None:
        """Free the networks."""
        self._woken.clear()
        while self._graphs:
            self._graphs.popitem()[1].close()

    def _graph(self, threshold: float) -> Any:
        if threshold not in self._graphs:
            with _QUIET:
                # in photos more hands are searched for than kept, to choose the central ones
                self._graphs[threshold] = _solution("hands").Hands(
                    static_image_mode=self.still,
                    max_num_hands=4 if self.still else self.max_hands,
                    min_detection_confidence=threshold,
                )
        return self._graphs[threshold]

    def _hands(self, image: Image, look: Look) -> list[_Hand]:
        view = view_of(image, look)
        graph = self._graph(look.threshold)
        # MediaPipe prints native warnings when a graph finds its first hand
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
        """Keep the hands nearest the center; if two have the same side, the one with the lower score changes."""
        size = np.array([1.0, image.shape[0] / image.shape[1]])
        hands = sorted(hands, key=lambda hand: float(np.linalg.norm((hand.points.mean(0)[:2] - 0.5) * size)))
        points = nothing_seen()
        for hand in sorted(hands[: self.max_hands], key=lambda hand: -hand.score):
            taken = np.isfinite(points[HAND_SLOTS[hand.side]]).any()
            points[HAND_SLOTS[OTHER_SIDE[hand.side] if taken else hand.side]] = hand.points
        return points


class HolisticDetector(Lifetime):
    """MediaPipe Holistic: face, body and both hands, as in both of Google's sign data sets.

    Parameters
    ----------
    still, mirrored
        As for `signary.landmarks.detect.open_detector`.
    """

    def __init__(self, *, still: bool = False, mirrored: bool = False) -> None:
        self.still, self.mirrored = still, mirrored
        self._graph: Any = None
        self._woken = False

    def detect(self, frame: Frame) -> Points:
        """Return float32 (543, 3); see `signary.landmarks.detector.Detector`."""
        image = turned(frame.image) if self.mirrored else np.ascontiguousarray(frame.image)
        # MediaPipe prints native warnings at the start and with the first hand
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

    def looks(self, frame: Frame) -> Points:
        """Return float32 (1, 543, 3): one view, as `detect` sees it."""
        return self.detect(frame)[None]

    def reset(self) -> None:
        """Clear the tracking state."""
        if self._graph is not None:
            self._graph.reset()
            self._woken = False

    def close(self) -> None:
        """Free the networks."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None


def _solution(name: str) -> Any:
    """Import a MediaPipe solution without matplotlib and sounddevice.

    matplotlib writes a font list into the user's folder, and sounddevice starts a compiler to find a library.
    """
    with without("matplotlib", "matplotlib.pyplot", "sounddevice"):
        return import_module(f"mediapipe.python.solutions.{name}")


def _array(landmarks: Any) -> Points:
    return np.array([(point.x, point.y, point.z) for point in landmarks.landmark], np.float32)


def _side(label: str, look: Look) -> str:
    """Return the signer's side; MediaPipe's label assumes a mirror image."""
    return label.lower() if look.mirror else OTHER_SIDE[label.lower()]


def _agreed(points: Points) -> Points:
    """Move the only hand of a view to the side that most of the views (K, 543, 3) give."""
    left, right = (np.isfinite(points[:, slot]).all((1, 2)) for slot in (LEFT_HAND, RIGHT_HAND))
    winner, loser = (LEFT_HAND, RIGHT_HAND) if left.sum() > right.sum() else (RIGHT_HAND, LEFT_HAND)
    moved = (left != right) & np.isfinite(points[:, loser]).all((1, 2))
    points[moved, winner] = points[moved, loser]
    points[moved, loser] = np.nan
    return points


class _Quiet(contextlib.AbstractContextManager[None]):
    """Suppresses MediaPipe's native output on stderr; several threads may enter at once."""

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
