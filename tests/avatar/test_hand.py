"""The hand model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.avatar.hand import (
    ANGLES,
    LIMITS,
    HandBuild,
    clip_angles,
    hand_points,
    quaternion_times,
    quaternion_turn,
    quaternion_vector,
    vector_quaternion,
)
from signary.avatar.handshapes import load_handshapes

BANK = load_handshapes()
BUILD = HandBuild(BANK.build.palm[0], BANK.build.bones[0], BANK.build.twist[0])
vectors = st.lists(st.floats(-2, 2), min_size=3, max_size=3).map(lambda values: np.array(values, np.float32))


def posed(**degrees: float) -> np.ndarray:
    """Return the points of a hand with some joints bent."""
    angles = np.zeros(len(ANGLES), np.float32)
    for name, value in degrees.items():
        angles[ANGLES.index(name)] = np.radians(value)
    return hand_points(angles, np.eye(3, dtype=np.float32), BUILD)


def test_a_straight_hand_is_one_hand_length_long() -> None:
    assert BUILD.length == pytest.approx(1, abs=1e-3)
    tip = posed()[12]
    assert tip[1] < -0.9
    assert abs(tip[0]) < 0.2


@given(st.lists(st.floats(-1.5, 1.5), min_size=22, max_size=22), vectors)
def test_bones_keep_their_lengths(angles: list[float], vector: np.ndarray) -> None:
    hand = hand_points(np.array(angles, np.float32), quaternion_turn(vector_quaternion(vector)), BUILD)
    chains = hand[1:].reshape(5, 4, 3)
    lengths = np.linalg.norm(np.diff(chains, axis=1), axis=-1)
    np.testing.assert_allclose(lengths, BUILD.bones, atol=1e-4)
    np.testing.assert_allclose(np.linalg.norm(chains[:, 0], axis=-1), np.linalg.norm(BUILD.palm, axis=-1), atol=1e-4)


def test_fingers_bend_to_the_palm_and_spread_to_the_thumb() -> None:
    assert posed(index_mcp=90)[8, 2] < -0.3
    assert posed(index_spread=20)[8, 0] > posed()[8, 0] + 0.1
    fist = posed(middle_mcp=90, middle_pip=100, middle_dip=60)
    assert np.linalg.norm(fist[12] - fist[9]) < 0.5 * np.linalg.norm(posed()[12] - posed()[9])


def test_torch_and_numpy_agree() -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(0)
    angles = random.uniform(LIMITS[:, 0], LIMITS[:, 1], (7, 22)).astype(np.float32)
    turn = quaternion_turn(random.standard_normal((7, 4)).astype(np.float32))
    build = HandBuild(*(torch.from_numpy(part) for part in (BUILD.palm, BUILD.bones, BUILD.twist)))
    there = hand_points(torch.from_numpy(angles), torch.from_numpy(turn), build, torch).numpy()
    np.testing.assert_allclose(hand_points(angles, turn, BUILD), there, atol=1e-5)


@given(vectors, vectors)
def test_quaternions_turn_as_matrices_do(first: np.ndarray, second: np.ndarray) -> None:
    one, two = vector_quaternion(first), vector_quaternion(second)
    whole = quaternion_turn(quaternion_times(one, two))
    np.testing.assert_allclose(whole, quaternion_turn(one) @ quaternion_turn(two), atol=1e-4)
    back = vector_quaternion(quaternion_vector(one))
    np.testing.assert_allclose(quaternion_turn(back), quaternion_turn(one), atol=1e-4)


def test_angles_stay_within_what_hands_can_do() -> None:
    assert (LIMITS[:, 0] < LIMITS[:, 1]).all()
    np.testing.assert_array_equal(clip_angles(np.full(22, 9, np.float32)), LIMITS[:, 1])
