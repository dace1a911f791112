"""Probabilities, temperature and reliability against brute force and the definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from signary.errors import InputError, ShapeError
from signary.text.calibrate import (
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)

LOGITS = hnp.arrays(np.float64, st.tuples(st.integers(1, 4), st.integers(1, 6)), elements=st.floats(-1e4, 1e4))


def sampled(temperature: float, n: int = 4000, labels: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Draw logits and the targets that a model of that true temperature would meet."""
    random = np.random.default_rng(3)
    logits = random.normal(0, 4, (n, labels))
    chances = np.exp(logits / temperature)
    chances /= chances.sum(axis=1, keepdims=True)
    targets = (chances.cumsum(axis=1) < random.random((n, 1))).sum(axis=1)
    return logits, np.minimum(targets, labels - 1)


def nll(logits: np.ndarray, targets: np.ndarray, temperature: float) -> float:
    """Negative log-likelihood by its definition."""
    return float(-np.log(softmax(logits, temperature)[np.arange(len(targets)), targets]).mean())


def test_softmax_of_known_values() -> None:
    np.testing.assert_allclose(softmax([0.0, np.log(3)]), [0.25, 0.75])
    np.testing.assert_allclose(softmax([[0.0, np.log(9)]], temperature=2), [[0.25, 0.75]])
    np.testing.assert_allclose(softmax([1000.0, 1000.0, -1000.0]), [0.5, 0.5, 0])


@given(LOGITS, st.floats(0.05, 20), st.floats(-100, 100))
def test_softmax_sums_to_one_keeps_order_and_does_not_see_a_shift(
    logits: np.ndarray, temperature: float, shift: float
) -> None:
    chances = softmax(logits, temperature)
    np.testing.assert_allclose(chances.sum(axis=-1), 1)
    top = chances[np.arange(len(logits)), logits.argmax(axis=-1)]
    np.testing.assert_array_equal(top, chances.max(axis=-1))
    np.testing.assert_allclose(softmax(logits + shift, temperature), chances, atol=1e-8)


@pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
def test_softmax_refuses_a_temperature_that_is_not_above_0(temperature: float) -> None:
    with pytest.raises(InputError, match="must be above 0"):
        softmax([1.0, 2.0], temperature)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5, 6.0])
def test_fit_temperature_equals_a_brute_force_grid(temperature: float) -> None:
    logits, targets = sampled(temperature)
    found = fit_temperature(logits, targets)
    grid = np.exp(np.linspace(np.log(0.05), np.log(20), 1200))
    best = grid[np.argmin([nll(logits, targets, value) for value in grid])]
    assert found == pytest.approx(best, rel=0.006)  # one step of the grid
    assert found == pytest.approx(temperature, rel=0.1)
    assert nll(logits, targets, found) <= nll(logits, targets, best) + 1e-12


def test_fit_temperature_stays_inside_its_bounds() -> None:
    right = np.eye(4)
    assert fit_temperature(right, [0, 1, 2, 3]) == pytest.approx(MIN_TEMPERATURE, rel=1e-3)
    assert fit_temperature(right, [1, 2, 3, 0]) == pytest.approx(MAX_TEMPERATURE, rel=1e-3)


def test_fit_temperature_is_one_where_none_is_better() -> None:
    assert fit_temperature(np.zeros((3, 4)), [0, 1, 2]) == 1.0


@pytest.mark.parametrize(
    ("logits", "targets", "error", "message"),
    [
        (np.zeros((3, 2)), [0, 1], ShapeError, r"\(3, 2\), targets \(2,\)"),
        (np.zeros(3), [0, 1, 0], ShapeError, r"must be \(N, V\)"),
        (np.zeros((0, 2)), np.zeros(0, int), InputError, "empty"),
        (np.zeros((1, 2)), [2], InputError, "outside 0 to 1"),
        (np.zeros((1, 2)), [-1], InputError, "outside 0 to 1"),
        (np.zeros((1, 2)), [0.5], ShapeError, "whole numbers"),
        (np.full((1, 2), np.nan), [0], InputError, "not finite"),
    ],
)
def test_fit_temperature_refuses(logits: np.ndarray, targets: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        fit_temperature(logits, targets)  # type: ignore[arg-type]


def test_reliability_by_hand() -> None:
    table = reliability([0.0, 0.5, 0.6, 0.9, 1.0], [False, True, False, True, True], bins=2)
    np.testing.assert_allclose(table.edges, [0, 0.5, 1])
    np.testing.assert_array_equal(table.count, [2, 3])
    np.testing.assert_allclose(table.mean_confidence, [0.25, 2.5 / 3])
    np.testing.assert_allclose(table.accuracy, [0.5, 2 / 3])


def test_an_empty_bin_is_nan() -> None:
    table = reliability([0.95], [True])
    assert table.count.tolist() == [0] * 9 + [1]
    assert np.isnan(table.accuracy[:9]).all()
    assert table.accuracy[9] == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=50), st.integers(1, 20))
def test_every_reading_lies_in_the_bin_that_holds_it(readings: list[tuple[float, bool]], bins: int) -> None:
    sure = np.array([confidence for confidence, _ in readings])
    right = np.array([correct for _, correct in readings], bool)
    table = reliability(sure, right, bins)
    assert table.count.sum() == len(readings)
    for place, (low, high) in enumerate(zip(table.edges, table.edges[1:], strict=False)):
        inside = (sure > low) & (sure <= high) if place else sure <= high
        assert table.count[place] == inside.sum()
        if inside.any():
            assert table.accuracy[place] == pytest.approx(right[inside].mean())
            assert table.mean_confidence[place] == pytest.approx(sure[inside].mean())


def test_expected_calibration_error_by_hand() -> None:
    confidence, correct = [0.9, 0.9, 0.9, 0.9, 0.3], [True, True, True, False, True]
    assert expected_calibration_error(confidence, correct) == pytest.approx((4 * 0.15 + 0.7) / 5)
    assert expected_calibration_error([1.0, 1.0], [True, True]) == 0
    assert expected_calibration_error([1.0, 1.0], [False, False]) == 1


def test_calibration_lowers_the_error() -> None:
    logits, targets = sampled(4.0)
    errors = []
    for temperature in (1.0, fit_temperature(logits, targets)):
        chances = softmax(logits, temperature)
        errors.append(expected_calibration_error(chances.max(axis=1), chances.argmax(axis=1) == targets))
    assert errors[0] > 0.2
    assert errors[1] < 0.03


@pytest.mark.parametrize(
    ("confidence", "correct", "bins", "error", "message"),
    [
        ([1.2], [True], 10, InputError, "outside 0 to 1"),
        ([np.nan], [True], 10, InputError, "outside 0 to 1"),
        ([0.5], [True, False], 10, ShapeError, r"\(1,\), correct \(2,\)"),
        ([0.5], [True], 0, InputError, "bins=0"),
        ([], [], 10, InputError, "0 readings"),
    ],
)
def test_calibration_error_refuses(
    confidence: list[float], correct: list[bool], bins: int, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        expected_calibration_error(confidence, correct, bins)
