"""Texts letter by letter: greedy with one, better texts with more, none longer than is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from signary.recognition.spelling.letters import LetterReading, read_letters
from signary.text.characters import CharacterVocabulary

MARKS = CharacterVocabulary("ab")  # a 0, b 1, padding 2, start 3, end 4, hidden 5
MEMORY = {name: np.zeros((1, 1, 1, 1, 2, 1), np.float32) for name in ("memory_keys", "memory_values")}


class Table:
    """A decoder with a table: what follows each token; counts how many texts it was asked of."""

    def __init__(self, after: dict[int, dict[int, float]]) -> None:
        self.after, self.asked = after, [0]

    def run(self, token: np.ndarray, keys: np.ndarray, values: np.ndarray, **memory: Any) -> dict[str, np.ndarray]:
        assert memory["memory_keys"].shape[2] == len(token) == keys.shape[2]
        self.asked.append(len(token))
        logits = np.full((len(token), len(MARKS)), -30.0, np.float32)
        for row, said in zip(logits, token.tolist(), strict=True):
            for symbol, probability in self.after[said].items():
                row[symbol] = np.log(probability)
        more = [
            np.concatenate([past, past[..., :1, :] if past.shape[-2] else np.zeros((*past.shape[:-2], 1, 1))], -2)
            for past in (keys, values)
        ]
        looked = np.full((len(token), memory["memory_keys"].shape[-2]), 0.5, np.float32)
        return {"logits": logits, "keys_after": more[0], "values_after": more[1], "looked": looked}


# the likeliest first letter, a, leads to an unlikely text; b ends at once
TRAP = {3: {0: 0.6, 1: 0.4}, 0: {0: 0.34, 1: 0.33, 4: 0.33}, 1: {4: 0.98, 0: 0.02}}


def test_one_text_at_a_time_takes_the_likeliest_letter() -> None:
    found = read_letters(Table(TRAP), MEMORY, MARKS, letters=3, beam=1)  # type: ignore[arg-type]
    assert found.numbers.tolist() == [0, 0, 0]
    assert found.log_probability == pytest.approx(np.log(0.6 * 0.34 * 0.34 * 0.33), abs=1e-4)


def test_several_find_the_likelier_text() -> None:
    table = Table(TRAP)
    found = read_letters(table, MEMORY, MARKS, letters=3, beam=3, length_power=0)  # type: ignore[arg-type]
    assert found.numbers.tolist() == [1]
    assert found.log_probability == pytest.approx(np.log(0.4 * 0.98), abs=1e-4)
    assert found.rows.shape == (1, 6)
    assert found.rows[0, 1] == pytest.approx(0.4, abs=1e-4)
    assert max(table.asked) <= 3


def test_the_power_of_the_length_favors_longer_texts() -> None:
    after = {3: {0: 0.5, 4: 0.5}, 0: {4: 0.9, 0: 0.1}, **{key: {4: 1.0} for key in (1, 2, 4, 5)}}
    plain, long = (
        read_letters(Table(after), MEMORY, MARKS, letters=4, length_power=power)  # type: ignore[arg-type]
        for power in (0.0, 1.0)
    )
    assert (plain.numbers.tolist(), long.numbers.tolist()) == ([], [0])


def reading(looks: np.ndarray) -> LetterReading:
    return LetterReading(np.zeros(len(looks), np.int64), np.zeros((len(looks), 6)), looks, 0.0)


def test_letters_are_where_they_were_read_from() -> None:
    looks = np.full((3, 20), 0.002)
    for row, place in zip(looks, (3, 4, 15), strict=True):  # the second is seen right behind the first
        row[place : place + 2] = 0.45
    first, last = reading(looks).frames(20)
    assert first[0] <= 3 <= last[0] < first[1] <= 5 <= last[1] < first[2] <= 15
    assert last[2] >= 16
    assert [array.tolist() for array in reading(looks).frames(40)] == [(2 * first).tolist(), (2 * last + 1).tolist()]


def test_more_letters_than_frames_share_these_out() -> None:
    first, last = reading(np.full((4, 2), 0.5)).frames(2)
    assert (np.diff(first) >= 0).all()
    assert (first <= last).all()
    assert (last[-1], len(first)) == (1, 4)
    assert [len(array) for array in reading(np.zeros((0, 5))).frames(5)] == [0, 0]
