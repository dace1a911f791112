"""Vocabularies: one spelling of a label, silent labels, aliases."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.text.vocabulary import Vocabulary, canonical

ALIASES = {"Num0": "0", "Num1": "1", "Del": "nothing", "Space": "nothing", "thankyou": "thank-you"}
VOCABULARY = Vocabulary(("0", "1", "A", "thank-you", "nothing"), silent=("nothing",), aliases=ALIASES)


@pytest.mark.parametrize(
    ("label", "form"),
    [
        ("A", "a"),
        ("Thank You", "thank-you"),
        ("thank_you", "thank-you"),
        ("  thank -_ you ", "thank-you"),
        ("I-Love-You", "i-love-you"),
        ("Num0", "num0"),
        ("-", "-"),
        ("_", "_"),
        (" ", " "),
        ("'", "'"),
        ("CAFÉ", "café"),
        ("cafe\u0301", "café"),
        ("", ""),
    ],
)
def test_canonical(label: str, form: str) -> None:
    assert canonical(label) == form


@given(st.text())
def test_canonical_of_canonical_is_itself(label: str) -> None:
    assert canonical(canonical(label)) == canonical(label)


@given(st.lists(st.text(st.characters(categories=["Ll", "Nd"]), min_size=1), min_size=1, max_size=4))
def test_every_way_to_join_words_is_one_label(words: list[str]) -> None:
    assert canonical(" ".join(words)) == canonical("_".join(words)) == canonical("-".join(words))


@pytest.mark.parametrize(
    ("label", "index"),
    [("0", 0), ("Num1", 1), ("num1", 1), ("a", 2), ("Thank You", 3), ("ThankYou", 3), ("DEL", 4), ("Nothing", 4)],
)
def test_index_goes_through_canonical_and_aliases(label: str, index: int) -> None:
    assert VOCABULARY.index(label) == index


def test_outside_is_none() -> None:
    assert VOCABULARY.index("B") is None
    assert VOCABULARY.expected_text("B") is None
    assert VOCABULARY.expected_text("Num2") is None


def test_texts() -> None:
    assert [VOCABULARY.text(index) for index in range(len(VOCABULARY))] == ["0", "1", "A", "thank-you", ""]
    assert VOCABULARY.expected_text("thankyou") == "thank-you"
    assert VOCABULARY.expected_text("Space") == ""
    assert VOCABULARY.expected_text("Nothing") == ""


def test_silent_may_be_spelled_otherwise() -> None:
    assert Vocabulary(("A", "no sign"), silent=("No_Sign",)).text(1) == ""


@pytest.mark.parametrize("index", [-1, 5])
def test_text_of_no_label(index: int) -> None:
    with pytest.raises(InputError, match=rf"index={index}, must be 0 to 4"):
        VOCABULARY.text(index)


def test_symbols_of_a_speller_stay_apart() -> None:
    symbols = Vocabulary((" ", "-", "_", "a", "+"))
    assert [symbols.index(symbol) for symbol in (" ", "-", "_", "A", "+")] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("labels", "silent", "aliases", "message"),
    [
        (("Thank You", "thank-you"), (), {}, "'Thank You' and 'thank-you' are one"),
        (("A",), ("nothing",), {}, "nothing"),
        (("A",), (), {"Num0": "0"}, "'0' is not among the labels"),
        (("A", "B"), (), {"a": "B"}, "is a label itself"),
    ],
)
def test_what_does_not_fit_together(
    labels: tuple[str, ...], silent: tuple[str, ...], aliases: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Vocabulary(labels, silent, aliases)


def test_an_alias_that_is_its_own_label_does_no_harm() -> None:
    assert Vocabulary(("A", "nothing"), aliases={"Nothing": "nothing"}).index("NOTHING") == 1


def test_equal_hashable_and_can_be_sent_to_another_process() -> None:
    copy = pickle.loads(pickle.dumps(VOCABULARY))
    assert copy == VOCABULARY
    assert hash(copy) == hash(VOCABULARY)
    assert copy.index("Num1") == 1
