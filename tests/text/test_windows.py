"""From windows to signs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import ShapeError
from signary.text.recognition import Token
from signary.text.vocabulary import Vocabulary
from signary.text.windows import WindowOptions, decode_windows, shared

VOCABULARY = Vocabulary(("A", "B", "C", "idle"), silent=("idle",))
SURE = {"A": (0.7, 0.2, 0.05, 0.05), "B": (0.1, 0.8, 0.0, 0.1), "C": (0, 0, 1, 0), "-": (0.02, 0.02, 0.02, 0.94)}


def decode(labels: str, stride_s: float = 0.2, window_s: float = 0.4, **options: float) -> list[Token]:
    start = stride_s * np.arange(len(labels))
    rows = np.array([SURE[label] for label in labels]).reshape(-1, 4)
    return decode_windows(rows, start, start + window_s, VOCABULARY, WindowOptions(**options))  # type: ignore[arg-type]


def said(tokens: list[Token]) -> list[tuple[str, float, float]]:
    return [(token.text, token.start_s, token.end_s) for token in tokens]


def test_neighbors_that_agree_are_one_sign() -> None:
    (token,) = decode("AAAAA", 1 / 8, 1)
    assert said([token]) == [("A", pytest.approx(0.25), pytest.approx(1.25))]
    assert token.confidence == pytest.approx(0.7)
    assert [(other.text, other.confidence) for other in token.alternatives] == [
        ("B", pytest.approx(0.2)),
        ("C", pytest.approx(0.05)),
    ]


def test_one_window_is_what_it_says() -> None:
    assert said(decode("B", 0, 1.5)) == [("B", 0, pytest.approx(1.5))]
    assert decode("B", min_confidence=0.81) == []
    assert said(decode("B", min_confidence=0.8)) == [("B", 0, pytest.approx(0.4))]


def test_silence_says_nothing() -> None:
    assert decode("") == decode("-") == decode("-----") == []


def test_a_pause_parts_two_of_one_sign() -> None:
    tokens = decode("AAA-----AAA")
    assert [token.text for token in tokens] == ["A", "A"]
    assert tokens[0].end_s < tokens[1].start_s
    assert [token.text for token in decode("AAABBBBBAAA")] == ["A", "B", "A"]


def test_a_gap_in_time_parts_two_of_one_sign() -> None:
    rows, start = np.array([SURE["A"]] * 3), np.array([0, 0.2, 2.0])
    assert said(decode_windows(rows, start, start + 0.4, VOCABULARY)) == [
        ("A", pytest.approx(0.1), pytest.approx(0.5)),
        ("A", 2.0, 2.4),
    ]


def test_a_single_window_that_disagrees_is_outvoted() -> None:
    assert [token.text for token in decode("AAAAABAAAA", 0.2, 2.0)] == ["A"]


def test_of_two_that_overlap_the_likelier_stays() -> None:
    rows = np.array([SURE["A"], SURE["B"], SURE["C"]])
    start = np.array([0.0, 1.0, 2.2])
    tokens = decode_windows(rows, start, start + 2, VOCABULARY, WindowOptions(smooth_s=0.1))
    assert [token.text for token in tokens] == ["A", "C"]
    tokens = decode_windows(rows, start, start + 2, VOCABULARY, WindowOptions(smooth_s=0.1, overlap=0.5))
    assert [token.text for token in tokens] == ["A", "B", "C"]


def test_a_short_sign_within_a_long_one_overlaps_wholly() -> None:
    assert shared(np.array([[0, 4], [1, 2], [3.5, 5], [2, 2], [2, 2]])).tolist() == [
        [1, 1, pytest.approx(1 / 3), 1, 1],
        [1, 1, 0, 1, 1],
        [pytest.approx(1 / 3), 0, 1, 0, 0],
        [1, 1, 0, 1, 1],
        [1, 1, 0, 1, 1],
    ]


@st.composite
def windows(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    count = draw(st.integers(0, 30))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    rows = random.dirichlet([draw(st.sampled_from([0.1, 1.0]))] * 4, count)
    start = random.uniform(0, draw(st.sampled_from([1.0, 10.0])), count)
    return rows, start, start + random.uniform(0, 3, count) * draw(st.sampled_from([0, 1]))


@given(windows(), st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 99))
def test_tokens_of_any_windows(made: tuple[np.ndarray, np.ndarray, np.ndarray], overlap: float, seed: int) -> None:
    rows, start, end = made
    options = WindowOptions(overlap=overlap, min_confidence=0.3)
    tokens = decode_windows(rows, start, end, VOCABULARY, options)
    order = np.random.default_rng(seed).permutation(len(rows))
    mixed = decode_windows(rows[order], start[order], end[order], VOCABULARY, options)
    assert said(mixed) == said(tokens)
    assert [token.start_s for token in tokens] == sorted(token.start_s for token in tokens)
    spans = np.array([(token.start_s, token.end_s) for token in tokens]).reshape(-1, 2)
    assert (shared(spans)[~np.eye(len(tokens), dtype=bool)] <= overlap + 1e-9).all()
    for token in tokens:
        assert token.text in ("A", "B", "C")
        assert 0.3 <= token.confidence <= 1
        assert start.min() - 1e-9 <= token.start_s <= token.end_s <= end.max() + 1e-9
        assert token.text not in [other.text for other in token.alternatives]


def test_arrays_that_do_not_fit() -> None:
    for rows, start, end in (((2, 4), 1, 2), ((2, 3), 2, 2), ((2, 4), 2, 3)):
        with pytest.raises(ShapeError, match="shapes") as caught:
            decode_windows(np.zeros(rows), np.zeros(start), np.zeros(end), VOCABULARY)
        assert caught.value.hint
    with pytest.raises(ShapeError, match="window 1 ends before it starts"):
        decode_windows(np.zeros((2, 4)), np.ones(2), np.array([1.0, 0.5]), VOCABULARY)
