from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

from signary.errors import SkeletonMismatch
from signary.landmarks.files import read_landmarks
from signary.landmarks.skeleton import HAND_21, HOLISTIC_543, SKELETONS, Skeleton, find_skeleton

BOTH = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)


def test_parts_lie_where_both_sign_data_sets_have_them():
    assert dict(HOLISTIC_543.parts) == {
        "face": slice(0, 468),
        "left_hand": slice(468, 489),
        "pose": slice(489, 522),
        "right_hand": slice(522, 543),
    }
    assert dict(HAND_21.parts) == {"hand": slice(0, 21)}


@BOTH
def test_points_are_unique_and_parts_cover_them(skeleton: Skeleton):
    assert len(skeleton) == len(skeleton.points) == len(set(skeleton.points)) == len(skeleton.mirror)
    covered = np.concatenate([np.arange(len(skeleton))[part] for part in skeleton.parts.values()])
    assert covered.tolist() == list(range(len(skeleton)))


@BOTH
def test_mirror_is_an_involution(skeleton: Skeleton):
    mirror = np.array(skeleton.mirror)
    assert mirror[mirror].tolist() == list(range(len(skeleton)))


@BOTH
def test_edges_join_points_of_one_part_and_survive_the_mirror(skeleton: Skeleton):
    edges = np.array(skeleton.edges)
    part_of = np.concatenate([np.full(part.stop - part.start, i) for i, part in enumerate(skeleton.parts.values())])
    assert (part_of[edges[:, 0]] == part_of[edges[:, 1]]).all()
    mirror = np.array(skeleton.mirror)
    assert {frozenset(edge) for edge in mirror[edges].tolist()} == {frozenset(edge) for edge in edges.tolist()}


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("pose_left_wrist", "pose_right_wrist"),
        ("pose_mouth_left", "pose_mouth_right"),
        ("pose_left_foot_index", "pose_right_foot_index"),
        ("pose_nose", "pose_nose"),
        ("left_hand_thumb_tip", "right_hand_thumb_tip"),
        ("face_33", "face_263"),
        ("face_1", "face_1"),
    ],
)
def test_mirror_pairs(name: str, other: str):
    assert HOLISTIC_543.points[HOLISTIC_543.mirror[HOLISTIC_543.points.index(name)]] == other


def test_edges_are_those_of_mediapipe():
    hands = pytest.importorskip("mediapipe.python.solutions.hands_connections").HAND_CONNECTIONS
    poses = pytest.importorskip("mediapipe.python.solutions.pose_connections").POSE_CONNECTIONS
    assert set(HAND_21.edges) == {(a, b) for a, b in hands}
    edges = np.array(HOLISTIC_543.edges)
    pose = edges[(edges[:, 0] >= 489) & (edges[:, 0] < 522)] - 489
    assert {frozenset(edge) for edge in pose.tolist()} == {frozenset(edge) for edge in poses}


def test_names_are_those_of_mediapipe():
    hands = pytest.importorskip("mediapipe.python.solutions.hands").HandLandmark
    poses = pytest.importorskip("mediapipe.python.solutions.pose").PoseLandmark
    spelled = [point.name.lower().replace("finger_", "_") for point in hands]
    assert [name.replace("__", "_") for name in spelled] == list(HAND_21.points)
    assert [f"pose_{point.name.lower()}" for point in poses] == list(HOLISTIC_543.points[489:522])


def test_left_of_a_real_signer_is_on_the_right_of_the_picture(shared_data):
    (path,) = (shared_data / "gislr-two-signs/kaggle/train_landmark_files/22343").glob("*.parquet")
    points = read_landmarks(path).points[..., 0]
    names = list(HOLISTIC_543.points)
    x = dict(enumerate(points[np.isfinite(points[:, :468]).all(axis=1)].mean(axis=0)))
    assert x[names.index("pose_left_shoulder")] > x[names.index("pose_right_shoulder")]
    assert x[263] > x[33]  # outer corners of the left and the right eye


def test_find_skeleton():
    assert find_skeleton("HAND_21") is HAND_21
    assert find_skeleton(HOLISTIC_543) is HOLISTIC_543
    with pytest.raises(SkeletonMismatch, match="known: HAND_21, HOLISTIC_543"):
        find_skeleton("HAND_42")


@BOTH
def test_copies_and_pickles_stay_the_same_object(skeleton: Skeleton):
    assert pickle.loads(pickle.dumps(skeleton)) is skeleton
    assert copy.deepcopy(skeleton) is skeleton
    assert {skeleton: 1}[skeleton] == 1
