"""How far readings are trusted."""

from __future__ import annotations

import numpy as np
import pytest

from signary.errors import InputError, ShapeError
from signary.text.beam import Candidate, prefix_beam
from signary.text.ctc import align
from signary.text.trust import EVIDENCE, Trust, evidence, fit_trust


def found(sharpness: float, seed: int) -> np.ndarray:
    """Return the evidence of a clip of which each frame is as clear as this."""
    random = np.random.default_rng(seed)
    logits = random.normal(0, 1, (20, 6)) + sharpness * np.eye(6)[np.repeat([0, 5, 1, 5], 5)]
    table = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    readings = prefix_beam(table, 5)
    return evidence(readings, align(table, readings[0].characters, 5))


def test_by_default_trust_is_what_the_network_says() -> None:
    table = np.log([[0.6, 0.1, 0.3], [0.1, 0.2, 0.7]])
    readings = prefix_beam(table, 2)
    spelling = align(table, readings[0].characters, 2)
    said = evidence(readings, spelling)
    likely = 0.6 * 0.7 + 0.6 * 0.1 + 0.3 * 0.1  # a, then nothing; a held; nothing, then a
    assert readings[0].characters.tolist() == [0]
    assert Trust().confidence(said) == pytest.approx(likely)
    assert not Trust().doubtful(said)
    assert Trust(threshold=0.6).doubtful(said)
    named = dict(zip(EVIDENCE, said, strict=True))
    others = sum(np.exp(reading.log_probability) for reading in readings[1:])
    assert len(readings) > 2
    assert named["margin"] == pytest.approx(np.log(likely / others))
    assert named["least"] == named["mean"] == pytest.approx(np.log(0.6))
    assert named["share"] == pytest.approx(np.log(likely) / 2)


def test_clear_clips_are_trusted_more() -> None:
    clear, blurred = (np.array([found(sharpness, seed) for seed in range(12)]) for sharpness in (9.0, 3.0))
    assert Trust().confidence(clear).min() > Trust().confidence(blurred).max()
    assert not Trust().doubtful(clear).any()
    assert Trust().doubtful(blurred).all()


def test_evidence_is_finite_whatever_was_read() -> None:
    nothing = np.zeros(0, np.int64)
    table = np.zeros((0, 3))
    empty = evidence([Candidate(nothing, 0.0, 0.0)], align(table, nothing, 2))
    assert empty.tolist() == [20, 20, -20, -20, pytest.approx(0, abs=1e-9)]
    hopeless = evidence([Candidate(nothing, -np.inf, -np.inf)] * 2, align(table, nothing, 2))
    assert np.isfinite(hopeless).all()
    assert Trust().confidence(hopeless) < 1e-8
    with pytest.raises(InputError, match="0 readings"):
        evidence([], align(table, nothing, 2))


def test_trust_is_learned() -> None:
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, (4000, 5))
    chances = 1 / (1 + np.exp(-(0.8 * rows[:, 0] + 1.5 * rows[:, 2] - 0.5)))
    learned = fit_trust(rows, random.random(4000) < chances, threshold=0.3, ridge=1e-4)
    assert learned.weights == pytest.approx((0.8, 0, 1.5, 0, 0), abs=0.15)
    assert (learned.bias, learned.threshold) == (pytest.approx(-0.5, abs=0.15), 0.3)
    assert learned.confidence(rows) == pytest.approx(chances, abs=0.08)


def test_what_parts_right_from_wrong_wholly_stays_finite() -> None:
    rows = np.zeros((10, 5))
    rows[5:, 1] = 20
    learned = fit_trust(rows, rows[:, 1] > 0)
    assert np.isfinite(learned.weights).all()
    assert learned.doubtful(rows).tolist() == [True] * 5 + [False] * 5


def test_odd_input_is_refused() -> None:
    with pytest.raises(ShapeError, match="2 weights"):
        Trust((1.0, 2.0))
    with pytest.raises(ShapeError, match="evidence"):
        fit_trust(np.zeros((3, 4)), [True, False, True])
    with pytest.raises(InputError, match="2 of 2 right"):
        fit_trust(np.zeros((2, 5)), [True, True])
