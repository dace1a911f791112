"""Texts letter by letter: greedy with one, better texts with more, none longer than is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from signary.recognition.spelling_letters import read_letters
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
        return {"logits": logits, "keys_after": more[0], "values_after": more[1]}


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
