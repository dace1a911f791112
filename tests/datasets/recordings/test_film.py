"""Recording: the countdown, repeated takes, and faults of clips."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from signary.avatar.motion import SpellOptions
from signary.avatar.spell import spell
from signary.datasets.recordings.film import Take, faults_of, film
from signary.datasets.recordings.folder import Person, Recordings
from signary.landmarks.detect import open_detector
from signary.landmarks.skeleton import POSE, RIGHT_HAND
from signary.video.camera import ArrayCapture, Camera, FileCapture
from signary.video.source import open_source

ANN, BOB = Person("ann", "research", "m1"), Person("bob", "", "m2")


def test_a_file_stands_for_the_camera(tmp_path: Path) -> None:
    pictures = np.zeros((26, 48, 64, 3), np.uint8)
    mine = Recordings(tmp_path / "mine")
    with open_detector("hands") as detector, open_source(pictures, fps=10) as source:
        takes = list(film(source, mine, "dark", ANN, detector, seconds=1.0, count=9))
    assert len(takes) == len(mine.rows()) == 3
    with open_source(takes[0].path) as clip:
        assert sum(1 for _ in clip) == 10
    assert takes[0].faults[0].startswith("too dark")


def test_faults() -> None:
    points = np.full((4, 543, 3), np.nan, np.float32)
    points[:, POSE], points[:, RIGHT_HAND] = 0.5, 0.5
    assert faults_of(points, 0.5) == []
    points[:3, RIGHT_HAND] = 1.2
    assert faults_of(points, 0.5) == ["a hand leaves the picture: step back"]
    points[:, RIGHT_HAND] = np.nan
    assert faults_of(points, 0.5) == ["no hand found in 100% of the frames"]


class Noted:
    """A watch that keeps notes, and rejects the first clip."""

    def __init__(self) -> None:
        self.left_s, self.hands, self.takes = list[float](), list[bool](), list[Path]()

    def rests(self, image: np.ndarray, left_s: float) -> None:
        self.left_s.append(left_s)

    def films(self, image: np.ndarray, *, hand: bool) -> None:
        self.hands.append(hand)

    def keeps(self, take: Take) -> bool:
        self.takes.append(take.path)
        return len(self.takes) > 1


def test_a_camera_counts_down_and_a_clip_can_be_filmed_again(tmp_path: Path) -> None:
    pictures = np.zeros((40, 48, 64, 3), np.uint8)
    mine, noted = Recordings(tmp_path / "mine"), Noted()
    with (
        open_detector("hands") as detector,
        Camera(0, open_capture=lambda number: ArrayCapture(pictures, 20, loop=True)) as camera,
    ):
        takes = list(film(camera, mine, "dark", ANN, detector, seconds=0.5, count=2, rest_s=0.4, watch=noted))
    assert len(takes) == len(mine.rows()) == 2
    assert len(noted.takes) == 3 and noted.takes[0] == noted.takes[1] == takes[0].path
    assert all(0 < left_s < 0.41 for left_s in noted.left_s) and noted.left_s[0] == pytest.approx(0.4)
    assert sum(now > before for before, now in pairwise(noted.left_s)) == 2  # each countdown falls
    assert noted.hands == [False] * 30


def test_a_hand_is_seen_while_a_video_plays_as_camera(tmp_path: Path) -> None:
    path, mine, noted = tmp_path / "clip.mp4", Recordings(tmp_path / "mine"), Noted()
    spell("L", path, SpellOptions(speed=0.4), fps=10, size=(200, 200))
    noted.takes.append(path)  # so that the first is kept
    with open_detector("hands") as detector, Camera(0, open_capture=lambda number: FileCapture(path)) as camera:
        (take,) = film(camera, mine, "l", ANN, detector, seconds=1.0, count=1, rest_s=0.8, watch=noted)
    assert len(noted.hands) == 10 and sum(noted.hands) >= 6
    assert not any("no hand" in fault for fault in take.faults)
