"""The bank of handshapes."""

from __future__ import annotations

import string

import numpy as np
import pytest

from signary.avatar.hand import LIMITS, vector_quaternion
from signary.avatar.handshapes import JOINTS, HandshapeBank, load_handshapes, spellable
from signary.errors import InputError

BANK = load_handshapes()


def test_every_letter_and_digit_is_there() -> None:
    assert set(BANK.shapes) == {*string.ascii_uppercase, *string.digits}
    assert np.isfinite(BANK.poses(BANK.shapes)).all()
    assert len(BANK.people) >= 10


def test_poses_are_what_hands_can_do() -> None:
    poses = BANK.poses(BANK.shapes * 20, variation=2.0, random=np.random.default_rng(0))
    angles, turns = poses[:, :JOINTS], poses[:, JOINTS:]
    assert (angles >= LIMITS[:, 0] - 1e-5).all()
    assert (angles <= LIMITS[:, 1] + 1e-5).all()
    np.testing.assert_allclose(np.linalg.norm(turns, axis=1), 1, atol=1e-4)


def test_a_seed_repeats() -> None:
    one, two, other = (BANK.poses("AB", variation=1.0, random=np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert np.abs(one - other).max() > 0.01


def test_people_are_apart() -> None:
    shown = BANK.shown_by("A")
    assert {"keptsecret", "davidlee", "meyyappan"} <= set(shown)
    poses = BANK.poses(["A"] * len(shown), people=shown)
    assert np.abs(poses[0] - poses[1]).max() > 0.05
    with pytest.raises(InputError, match="nobody"):
        BANK.poses("A", people="nobody")


def test_differences_are_those_between_people() -> None:
    """Fake people who differ in one joint and about one axis; one of them shows nothing."""
    random = np.random.default_rng(3)
    bends, leans = random.normal(0, [[[0.3]], [[0.2]]], (2, 3, 400)).astype(np.float32)
    mean = np.zeros((4, 401, JOINTS + 4), np.float32)
    mean[:3, :400, 5] = 1 + bends
    mean[:3, :400, JOINTS:] = vector_quaternion(leans[..., None] * np.array([0, 1, 0]))
    mean[:3, 400, 5], mean[:, 400, JOINTS], mean[3] = 9 * np.arange(3), 1, np.nan
    modes = np.zeros((4, 401, 1, JOINTS + 3), np.float32)
    shapes = (*("A" * 400), "0")
    bank = HandshapeBank(("a", "b", "c", "d"), shapes, mean, modes, BANK.build_of(np.arange(4)))
    found = bank.differences(np.arange(4))
    expected = np.zeros(JOINTS + 3)
    expected[[5, JOINTS + 1]] = 0.3, 0.2
    np.testing.assert_allclose(np.sqrt(np.diag(found @ found.T)), expected, atol=0.02)
    assert not bank.differences(np.array([0, 3])).any()  # nobody to differ from


def test_fists_have_the_thumb_where_it_belongs() -> None:
    """Seen from the palm, S has the thumb in front of the fingers, M and N behind them."""
    from signary.avatar.hand import hand_points

    still = np.eye(3, dtype=np.float32)
    person = np.array([BANK.person("keptsecret")] * 3)
    s, m, n = hand_points(BANK.poses("SMN")[:, :JOINTS], still, BANK.build_of(person))
    assert s[4, 2] < s[6, 2]
    assert m[4, 2] > m[[7, 11], 2].max()
    assert n[4, 2] > n[[7, 11], 2].max()


def test_what_can_be_spelled() -> None:
    assert spellable("  hello\tWorld 7 ") == "HELLO WORLD 7"
    assert spellable("a-b!", skip_unknown=True) == "AB"
    with pytest.raises(InputError, match="'-!'"):
        spellable("a-b!-")
    with pytest.raises(InputError, match="nothing"):
        spellable("?!", skip_unknown=True)
