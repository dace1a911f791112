"""Decoding of spelling is chosen by errors, and trust is fitted on clips read right and wrong."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch")

from signary.recognition.spelling.graphs import trust_of
from signary.text.beam import BeamOptions
from signary.text.characters import CHARACTERS
from signary.text.phrase_model import load_phrase_model
from signary.text.spelled import spelled_text
from signary.text.trust import EVIDENCE
from signary.training.spelling.tune import tuned

WORDS = ("street", "main", "anna", "house", "green", "water", "three", "river", "mother", "young") * 4


def table(text: str, sure: float, random: np.random.Generator) -> NDArray[np.float32]:
    """Return log probabilities of a text with a blank frame after each character; lower ``sure`` makes more errors."""
    blank = len(CHARACTERS)
    said = [number for symbol in text for number in (CHARACTERS.index(symbol), blank)]
    logits = random.normal(size=(len(said), blank + 1))
    logits[np.arange(len(said)), said] += 8 * sure
    return (logits - np.log(np.exp(logits).sum(1, keepdims=True))).astype(np.float32)


def test_trust_tells_right_from_wrong() -> None:
    random = np.random.default_rng(0)
    surety = random.uniform(0.1, 0.7, len(WORDS))
    tables = [table(word, sure, random) for word, sure in zip(WORDS, surety.tolist(), strict=True)]
    found = tuned(tables, WORDS, CHARACTERS)
    assert {f"trust_{name}" for name in EVIDENCE} < found.keys()
    assert found["weight"] > 0  # English words, badly seen
    search = BeamOptions(int(found["beam"]), int(found["best"]), found["weight"], found["insertion"])
    how = {"language": load_phrase_model(), "options": search, "trust": trust_of(found)}
    sure, unsure = (spelled_text(table("river", share, random), CHARACTERS, **how) for share in (1.0, 0.2))
    assert sure.confidence > unsure.confidence
    assert (sure.text, sure.confidence > 0.5, unsure.confidence < 0.5) == ("river", True, True)


def test_nothing_is_learned_of_trust_where_all_is_right() -> None:
    random = np.random.default_rng(1)
    found = tuned([table(word, 2.0, random) for word in WORDS], WORDS, CHARACTERS)
    assert set(found) == {"beam", "best", "weight", "insertion"}
    assert trust_of(found).weights[0] == 1


def test_nothing_is_searched_where_all_is_wrong() -> None:
    random = np.random.default_rng(2)
    assert tuned([table("zzz", 1.0, random) for _ in WORDS], WORDS, CHARACTERS) == {}
