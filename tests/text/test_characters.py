"""Characters and marks against Kaggle's own map, and there and back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.text.characters import CHARACTERS, CharacterVocabulary

VOCABULARY = CharacterVocabulary()
PHRASES = st.lists(st.text(CHARACTERS, max_size=12), max_size=5)


def test_numbers_are_kaggles(shared_data: Path) -> None:
    known = json.loads((shared_data / "fingerspelling-kaggle" / "character_to_prediction_index.json").read_text())
    assert {character: place for place, character in enumerate(CHARACTERS)} == known
    assert VOCABULARY.encode("".join(known)).tolist() == list(range(59))


def test_marks() -> None:
    marks = (VOCABULARY.pad, VOCABULARY.start, VOCABULARY.end, VOCABULARY.mask)
    assert (marks, len(VOCABULARY)) == ((59, 60, 61, 62), 63)
    assert VOCABULARY.encode("2 a-e -aroe").tolist() == [17, 0, 32, 12, 36, 0, 12, 32, 49, 46, 36]


@given(PHRASES)
def test_there_and_back(phrases: list[str]) -> None:
    numbers, lengths = VOCABULARY.encode_many(phrases)
    assert numbers.dtype == lengths.dtype == np.int64
    assert numbers.shape == (len(phrases), max(map(len, phrases), default=0))
    assert [VOCABULARY.decode(row) for row in numbers] == phrases
    for row, length, phrase in zip(numbers, lengths.tolist(), phrases, strict=True):
        assert row[:length].tolist() == VOCABULARY.encode(phrase).tolist() and (row[length:] == 59).all()


def test_reading_ends_at_the_first_end() -> None:
    assert VOCABULARY.decode([60, 32, 62, 33, 59, 34, 61, 35, 61]) == "abc"
    assert VOCABULARY.decode([32, 33]) == "ab"
    assert VOCABULARY.decode([61, 32]) == VOCABULARY.decode([]) == ""


def test_what_is_unknown_is_named() -> None:
    with pytest.raises(InputError, match=r"'Añ~b': unknown characters 'Añ€'"):
        VOCABULARY.encode_many(["ab", "Añ~b", "€"])
    for strange in (63, -1):
        with pytest.raises(InputError, match=f"{strange}: no such symbol"):
            VOCABULARY.decode([1, strange])


def test_other_characters() -> None:
    small = CharacterVocabulary("ba")
    assert (len(small), small.encode("ab").tolist(), small.end) == (6, [1, 0], 4)
    for wrong in ("aba", ""):
        with pytest.raises(InputError, match="must differ"):
            CharacterVocabulary(wrong)
