"""The model of words, letter by letter: what it learns, what it says, how it is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError, ModelNotFound, ShapeError
from signary.text.language import LETTERS, SYMBOLS, CharacterModel, encode, load_language
from signary.text.ngrams import BOUNDARY, DISCOUNT

WORDS = ["queen", "quick", "question", "banana", "band", "a", "letter", "letters"]
words = st.text(LETTERS, min_size=1, max_size=9)


@pytest.fixture(scope="module")
def small() -> CharacterModel:
    return CharacterModel.fit(WORDS, order=4)


def code(letter: str) -> int:
    return 1 + LETTERS.index(letter)


def test_a_bigram_by_hand() -> None:
    model = CharacterModel.fit(["ab", "ac"], order=2)
    # before: boundary a b, a c; b and c each end; a follows one symbol, b one, c one, an end two
    single = np.zeros(SYMBOLS)
    single[[BOUNDARY, code("a"), code("b"), code("c")]] = np.array([2, 1, 1, 1]) - DISCOUNT
    single = (single + 4 * DISCOUNT / SYMBOLS) / 5
    after_a = np.zeros(SYMBOLS)
    after_a[[code("b"), code("c")]] = 1 - DISCOUNT
    after_a = (after_a + 2 * DISCOUNT * single) / 2
    assert np.exp(model.next_log_probabilities([code("a")])) == pytest.approx(after_a, abs=1e-6)
    assert np.exp(model.next_log_probabilities([code("z")])) == pytest.approx(single, abs=1e-6)
    spelled = model.log_probability("ac")
    start, end = model.next_log_probabilities([BOUNDARY]), model.next_log_probabilities([code("c")])
    assert spelled == pytest.approx(start[code("a")] + np.log(after_a[code("c")]) + end[BOUNDARY], abs=1e-5)


@given(st.lists(words, min_size=1, max_size=20), st.integers(2, 7), st.lists(st.integers(0, 26), max_size=8))
def test_probabilities_sum_to_1(seen: list[str], order: int, context: list[int]) -> None:
    said = CharacterModel.fit(seen, order=order).next_log_probabilities(context or np.zeros(0, np.int64))
    assert (said.dtype, said.shape) == (np.float32, (SYMBOLS,))
    assert np.isfinite(said).all()
    assert np.exp(said.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_a_batch_is_its_rows(small: CharacterModel) -> None:
    contexts = np.random.default_rng(0).integers(0, SYMBOLS, (5, 40, 3))
    batch = small.next_log_probabilities(contexts)
    assert batch.shape == (5, 40, SYMBOLS)
    for place in np.ndindex(5, 40):
        assert (batch[place] == small.next_log_probabilities(contexts[place])).all()
    assert (small.next_log_probabilities(contexts.astype(np.uint8)) == batch).all()
    assert small.next_log_probabilities(np.zeros((0, 3), np.int64)).shape == (0, SYMBOLS)


def test_only_the_word_and_what_is_near_counts(small: CharacterModel) -> None:
    q, u, e = (code(letter) for letter in "que")
    alone = small.next_log_probabilities([BOUNDARY, BOUNDARY, q])
    assert (small.next_log_probabilities([e, BOUNDARY, q]) == alone).all()
    assert (small.next_log_probabilities([BOUNDARY, q]) == alone).all()
    assert (small.next_log_probabilities([e, e, e, q, u, e]) == small.next_log_probabilities([q, u, e])).all()
    assert LETTERS[alone.argmax() - 1] == "u"


def test_what_was_seen_more_is_likelier() -> None:
    even = CharacterModel.fit(["cat", "car"])
    rather = CharacterModel.fit(["cat", "car"], [8, 1])
    assert even.log_probability("cat") == pytest.approx(even.log_probability("car"))
    assert rather.log_probability("cat") > even.log_probability("cat") > rather.log_probability("car")
    assert (CharacterModel.fit(["cat", "car"], [4, 0.5]).steps == rather.steps).all()
    assert (CharacterModel.fit(["car", "cat"], [1, 8]).ngrams == rather.ngrams).all()


def test_texts(small: CharacterModel) -> None:
    assert small.log_probability("Quick banana") == pytest.approx(
        small.log_probability("quick") + small.log_probability("BANANA"), abs=1e-4
    )
    assert small.log_probability("quick") > small.log_probability("qiuck")
    for text in ("", "  ", "h1", "naïve", "it's"):
        with pytest.raises(InputError):
            small.log_probability(text)
    assert encode("aZ").tolist() == [1, 26]


def test_saved_and_loaded(small: CharacterModel, tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    small.save(path)
    again = CharacterModel.load(path)
    contexts = np.random.default_rng(1).integers(0, SYMBOLS, (99, 3))
    assert again.order == small.order
    assert (again.next_log_probabilities(contexts) == small.next_log_probabilities(contexts)).all()
    with pytest.raises(InputError, match="exists"):
        small.save(path)
    (tmp_path / "text.npz").write_text("no model")
    np.savez(tmp_path / "other.npz", order=3)
    np.savez(tmp_path / "odd.npz", order=3, deltas=np.ones((2, 8), np.uint8), steps=np.zeros(3, np.uint8))
    (tmp_path / "half.npz").write_bytes(path.read_bytes()[:-40])
    for name in ("text.npz", "half.npz", "other.npz", "odd.npz", "missing.npz"):
        with pytest.raises(InputError):
            CharacterModel.load(tmp_path / name)


def test_bad_input(small: CharacterModel) -> None:
    for seen in ([], [""], ["two words"], ["a1"]):
        with pytest.raises(InputError):
            CharacterModel.fit(seen)
    for weights in ([1, 0], [1, np.nan], [1, np.inf], [1, -1]):
        with pytest.raises(InputError, match="weights"):
            CharacterModel.fit(["a", "b"], weights)
    with pytest.raises(ShapeError):
        CharacterModel.fit(["a", "b"], [1])
    for order in (1, 13):
        with pytest.raises(InputError, match="order"):
            CharacterModel.fit(["a"], order=order)
    for contexts in (0, [0.5], np.float32([1, 2])):
        with pytest.raises(ShapeError):
            small.next_log_probabilities(contexts)
    for contexts in ([27], [-1, 3]):
        with pytest.raises(InputError):
            small.next_log_probabilities(contexts)
    for ngrams in ([], [3, 2], [-1], [27**3], [5, 6]):
        with pytest.raises(InputError):
            CharacterModel(3, np.array(ngrams, np.int64), np.zeros(len(ngrams), np.uint8))


def test_english() -> None:
    english = load_language()
    assert english is load_language("en")
    for real, made in (("hello", "hwllo"), ("michael", "micnael"), ("johnson", "jobnson"), ("thank you", "tnank you")):
        assert english.log_probability(real) > english.log_probability(made) + 3
    with pytest.raises(ModelNotFound, match="known: en"):
        load_language("xx")


def test_import_is_light() -> None:
    heavy = "[name for name in ('torch', 'onnxruntime', 'cv2', 'mediapipe') if name in sys.modules]"
    code = f"import sys, signary.text.language, signary.text.context; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
