"""From frames to characters: best path, alignment and likelihoods, against all paths written out and against torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError
from signary.text.ctc import align, greedy, log_likelihood
from signary.text.partial import PartialCTC
from signary.text.spelling import Spelling

Floats = NDArray[np.float64]


def noise(frames: int, classes: int, seed: int, spread: float = 2.0) -> Floats:
    """Return logarithms of random probabilities."""
    logits = np.random.default_rng(seed).normal(0, spread, (frames, classes))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def shown(frames: list[int], classes: int = 4) -> Floats:
    """Return logarithms for frames that show these classes."""
    return np.log(np.eye(classes)[frames] * 0.96 + 0.01)


def read(path: tuple[int, ...], blank: int) -> tuple[int, ...]:
    return tuple(key for key, _ in itertools.groupby(path) if key != blank)


def all_texts(table: Floats, blank: int) -> dict[tuple[int, ...], float]:
    """Return how likely every text is, by writing out all paths."""
    total: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(table.shape[1]), repeat=len(table)):
        text = read(path, blank)
        total[text] = np.logaddexp(total.get(text, -np.inf), table[np.arange(len(table)), list(path)].sum())
    return total


def assert_same(one: Spelling, other: Spelling) -> None:
    for name in Spelling.__slots__:
        assert np.array_equal(getattr(one, name), getattr(other, name)), name


def test_runs_become_characters() -> None:
    found = greedy(shown([3, 0, 0, 3, 0, 1, 1, 1, 3, 2]), 3)
    assert found.characters.tolist() == [0, 0, 1, 2]  # the blank parts the doubles
    assert (found.first.tolist(), found.last.tolist()) == ([1, 4, 5, 9], [2, 4, 7, 9])
    assert found.confidence == pytest.approx(0.97)


def test_doubles_need_a_blank_between_them() -> None:
    assert greedy(shown([0, 0]), 3).characters.tolist() == [0]
    assert greedy(shown([0, 3, 0]), 3).characters.tolist() == [0, 0]
    assert log_likelihood(shown([0, 0]), [[0, 0]], 3).tolist() == [-np.inf]
    with pytest.raises(InputError, match="not in 2 frames"):
        align(shown([0, 0]), [0, 0], 3)
    assert align(shown([0, 0, 0]), [0, 0], 3).first.tolist() == [0, 2]


def test_confidence_and_rows_are_those_of_the_surest_frame() -> None:
    table = np.log([[0.5, 0.2, 0.3], [0.9, 0.04, 0.06], [0.6, 0.3, 0.1]])
    found = greedy(table, 2)
    assert found.confidence.tolist() == pytest.approx([0.9])
    assert found.rows == pytest.approx(np.array([[0.9, 0.04, 0.06]]))


@pytest.mark.parametrize("blank", [0, 1, 2])
@pytest.mark.parametrize("frames", [1, 2, 4, 5])
def test_likelihoods_sum_up_all_paths(frames: int, blank: int) -> None:
    table = noise(frames, 3, seed=frames)
    texts = all_texts(table, blank)
    said = log_likelihood(table, list(texts), blank)
    assert said == pytest.approx(np.array(list(texts.values())))
    assert np.exp(said).sum() == pytest.approx(1)


def test_likelihoods_are_those_of_torch() -> None:
    table, random = noise(40, 12, seed=3), np.random.default_rng(4)
    texts = [random.integers(0, 11, length) for length in (0, 1, 5, 12, 20)] + [np.zeros(7, np.int64)]
    loss = [
        torch.nn.functional.ctc_loss(
            torch.from_numpy(table)[:, None],
            torch.from_numpy(text)[None],
            torch.tensor([40]),
            torch.tensor([len(text)]),
            blank=11,
            reduction="sum",
        ).item()
        for text in texts
    ]
    assert -log_likelihood(table, texts, 11) == pytest.approx(np.array(loss))


@given(st.integers(1, 6), st.integers(0, 1000))
def test_an_alignment_is_the_likeliest_path_of_its_text(frames: int, seed: int) -> None:
    table = noise(frames, 3, seed)
    paths = list(itertools.product(range(3), repeat=frames))
    scores = np.array([table[np.arange(frames), list(path)].sum() for path in paths])
    text = read(paths[seed % len(paths)], 2)
    best = max((k for k, path in enumerate(paths) if read(path, 2) == text), key=lambda k: scores[k])
    found = align(table, text, 2)
    expected = np.full(frames, 2)
    for symbol, first, last in zip(text, found.first, found.last, strict=True):
        expected[first : last + 1] = symbol
    assert tuple(expected.tolist()) == paths[best]


@given(st.integers(1, 60), st.integers(0, 1000))
def test_spans_are_in_order_and_inside(frames: int, seed: int) -> None:
    table = noise(frames, 5, seed)
    found = greedy(table, 4)
    aligned = align(table, found.characters, 4)
    assert_same(aligned, found)  # the best path is that of its own text, too
    for spans in (found, found.widened(frames), found.widened(frames, most=0)):
        assert (spans.first <= spans.last).all()
        assert (spans.last[:-1] < spans.first[1:]).all()
        assert (spans.first >= 0).all()
        assert (spans.last < frames).all()


def test_characters_widen_halfway_to_their_neighbors() -> None:
    found = greedy(shown([3, 3, 0, 3, 3, 3, 1] + [3] * 20), 3)
    wide = found.widened(27, most=8)
    assert (wide.first.tolist(), wide.last.tolist()) == ([0, 5], [4, 14])
    assert_same(found.widened(27, most=0), found)


@given(st.lists(st.integers(0, 7), max_size=12), st.integers(0, 500))
def test_chunks_equal_the_whole(sizes: list[int], seed: int) -> None:
    table = np.repeat(noise(20, 4, seed), 1 + seed % 3, axis=0)
    partial, said = PartialCTC(3), []
    for piece in np.split(table, np.minimum(np.cumsum(sizes), len(table)).astype(int)):
        before = partial.stable
        said.extend(partial.feed(piece).tolist())
        assert partial.stable.tolist() == said
        assert partial.stable[: len(before)].tolist() == before.tolist()
    whole = greedy(table, 3)
    assert partial.spelling is not None
    assert_same(partial.spelling, whole)
    assert len(said) == len(whole.characters) - (table[-1].argmax() != 3)


def test_a_character_is_stable_once_it_has_ended() -> None:
    partial = PartialCTC(3)
    assert partial.spelling is None
    assert partial.feed(shown([0, 0])).tolist() == []
    assert partial.feed(shown([0, 1])).tolist() == [0]
    assert partial.feed(shown([3])).tolist() == [1]
    assert (partial.stable.tolist(), partial.frames) == ([0, 1], 5)


def test_no_frames_say_nothing() -> None:
    nothing = np.zeros((0, 4))
    assert greedy(nothing, 3).rows.shape == (0, 4)
    assert align(nothing, [], 3).characters.tolist() == []
    assert log_likelihood(nothing, [[], [1]], 3).tolist() == [0, -np.inf]
    assert log_likelihood(shown([1]), [], 3).shape == (0,)
    with pytest.raises(InputError, match="not in 0 frames"):
        align(nothing, [1], 3)


def test_what_is_impossible_stays_so() -> None:
    with np.errstate(divide="ignore"):
        table = np.log(np.eye(3)[[0, 2, 1]])
    assert log_likelihood(table, [[0, 1], [0]], 2).tolist() == [0, -np.inf]
    assert greedy(table, 2).characters.tolist() == [0, 1]


@pytest.mark.parametrize("wrong", [np.zeros(3), np.zeros((2, 1)), np.zeros((1, 2, 3))])
def test_tables_of_another_shape_are_refused(wrong: Floats) -> None:
    with pytest.raises(ShapeError, match="T, V"):
        greedy(wrong, 0)


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    table = shown([0, 1, 2])
    table[1, 2] = wrong
    with pytest.raises(InputError, match="frame 1: not finite"):
        greedy(table, 3)
    with pytest.raises(InputError, match="frame 0: not finite"):
        PartialCTC(3).feed(np.full((1, 4), -np.inf))


def test_classes_that_are_none_are_refused() -> None:
    with pytest.raises(ShapeError, match="blank=4"):
        greedy(shown([0]), 4)
    with pytest.raises(InputError, match="3: no character"):
        align(shown([0, 1]), [3], 3)
    with pytest.raises(ShapeError, match="must be int"):
        log_likelihood(shown([0]), [[0.5]], 3)
