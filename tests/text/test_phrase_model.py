"""The model of phrases: what it knows of earlier words, what it learns, how it is kept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError, ShapeError
from signary.text.characters import CHARACTERS
from signary.text.ngrams import BOUNDARY
from signary.text.phrase_model import DIGIT, MARKS, OTHER, SYMBOLS, WORD, PhraseModel, after, encode, load_phrase_model

PHRASES = ["12 main street", "9 main street", "oak avenue 7", "www.queen.com", "queen.org", "555-0199"]
spelled = st.text("abcdefghijklmnopqrstuvwxyz 0.-", min_size=1, max_size=25)


@pytest.fixture(scope="module")
def small() -> PhraseModel:
    return PhraseModel.fit(PHRASES, order=5)


def context(text: str) -> np.ndarray:
    """Return the context after a text, (1,)."""
    number = np.zeros(1, np.int64)
    for code in encode(text):
        number = after(number, code[None])
    return number


def seen_back(text: str) -> list[int]:
    """Return the seven symbols that a model of order 8 looks back to, written out."""
    *words, last = re.split(r"([^a-z])", text)
    codes = [BOUNDARY] * 7
    earlier = [code for word in words for code in ([WORD] if word.isalpha() else encode(word).tolist())]
    return [*codes, *earlier[-5:], *encode(last).tolist()[-7:]][-7:]


@given(spelled)
def test_words_that_are_over_are_one_symbol(text: str) -> None:
    model = PhraseModel.fit(["ab"], order=8)
    by_context = model.next_log_probabilities([seen_back(text)])
    fitted = PhraseModel.fit([text, "ab"], order=8)
    assert (model.following(context(text), np.arange(SYMBOLS))[0, 1:27] == by_context[0, 1:27]).all()
    digits = "".join("0" if letter.isdigit() else letter for letter in text)
    last = fitted.ngrams[fitted.ngrams % SYMBOLS == BOUNDARY] // SYMBOLS  # the contexts of ends
    number = int(np.array(seen_back(digits)) @ SYMBOLS ** np.arange(6, -1, -1))
    assert number in last


def test_it_learns_what_stands_where(small: PhraseModel) -> None:
    def likeliest(text: str) -> str:
        alphabet = "abcdefghijklmnopqrstuvwxyz" + MARKS
        said = small.following(context(text), np.append(encode(alphabet), BOUNDARY))[0]
        return [*alphabet, "end"][int(said.argmax())]

    assert likeliest("45 cedar s") == "t"
    assert likeliest("45 cedar street") == "end"
    assert likeliest("www") == "."
    assert likeliest("www.cedar.") == "c"
    assert small.log_probability("31 main street") > small.log_probability("31 street main") + 3
    assert small.log_probability("777-1234") == pytest.approx(small.log_probability("555-0199"))


@given(spelled)
def test_probabilities_sum_to_1(text: str) -> None:
    model = PhraseModel.fit(PHRASES)
    codes = np.append(encode("abcdefghijklmnopqrstuvwxyz0123456789" + MARKS), [BOUNDARY, WORD, OTHER])
    said = model.following(context(text), codes)
    assert (said.shape, said.dtype) == ((1, len(codes)), np.float32)
    assert np.exp(said.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_batches_are_their_rows(small: PhraseModel) -> None:
    contexts = np.concatenate([context(text) for text in ("", "12 ma", "queen.", "averyverylongwordindeed", "4-")])
    codes = np.arange(SYMBOLS)
    batch = small.following(contexts, codes)
    for number, row in zip(contexts, batch, strict=True):
        assert small.following(number[None], codes)[0] == pytest.approx(row, abs=1e-6)


def test_characters_have_codes() -> None:
    assert encode("az09 @").tolist() == [1, 26, DIGIT, DIGIT, DIGIT + 1, DIGIT + len(MARKS)]
    assert set(encode("A!é😀").tolist()) == {OTHER}
    assert len(encode("")) == 0
    assert encode(CHARACTERS).max() < SYMBOLS


def test_rare_ngrams_are_left_out() -> None:
    phrases = ["main"] * 5 + ["oak"]
    every, common = PhraseModel.fit(phrases), PhraseModel.fit(phrases, least=2)
    assert len(common.ngrams) == 5 < len(every.ngrams)
    assert common.log_probability("main") > common.log_probability("oak") + 5


def test_weights_are_counts(small: PhraseModel) -> None:
    weighed, counted = PhraseModel.fit(["ab", "cd"], [4, 1]), PhraseModel.fit(["ab"] * 4 + ["cd"])
    assert (weighed.ngrams == counted.ngrams).all()
    assert (weighed.steps == counted.steps).all()


def test_saved_and_loaded(small: PhraseModel, tmp_path: Path) -> None:
    small.save(tmp_path / "model.npz")
    again = PhraseModel.load(tmp_path / "model.npz")
    assert again.log_probability("12 main street") == small.log_probability("12 main street")
    (tmp_path / "text.npz").write_text("no model")
    with pytest.raises(InputError, match="no language model"):
        PhraseModel.load(tmp_path / "text.npz")


def test_bad_input() -> None:
    with pytest.raises(InputError, match="0 words"):
        PhraseModel.fit([])
    with pytest.raises(ShapeError, match="weights"):
        PhraseModel.fit(["a"], [1, 2])
    for order in (1, 9):
        with pytest.raises(InputError, match=f"order={order}, must be 2 to 8"):
            PhraseModel.fit(["a"], order=order)


def test_english() -> None:
    english = load_phrase_model()
    assert english is load_phrase_model()
    pairs = {
        "main street 42": "mnin street 42",
        "www.hello.com": "www.hello.cxm",
        "jessica miller": "jessicn miller",
        "+1-202-555-0126": "+1-20255-5-0126",
    }
    for real, wrong in pairs.items():
        assert english.log_probability(real) > english.log_probability(wrong) + 3


def test_import_is_light() -> None:
    heavy = "[name for name in ('torch', 'onnxruntime', 'cv2', 'mediapipe') if name in sys.modules]"
    code = f"import sys, signary.text.phrase_model; print({heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
