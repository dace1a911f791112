"""Texts by a beam search: against all texts written out, with a language, and weighed anew."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signary.errors import InputError, ShapeError
from signary.text.beam import BeamOptions, Candidate, prefix_beam, rescore
from signary.text.characters import CharacterVocabulary
from signary.text.ctc import greedy, log_likelihood
from signary.text.phrase_model import SYMBOLS, PhraseModel

VOCABULARY = CharacterVocabulary()
BLANK = VOCABULARY.pad


@pytest.fixture(scope="module")
def english() -> PhraseModel:
    return PhraseModel.fit(["queen", "quick", "main", "street", "letter", "4 main street"], order=4)


def noise(frames: int, classes: int, seed: int) -> np.ndarray:
    """Return logarithms of random probabilities."""
    logits = np.random.default_rng(seed).normal(0, 2, (frames, classes))
    return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)


def clip(*frames: dict[str, float]) -> np.ndarray:
    """Return logarithms (T, 60) for frames with these probabilities; the rest, and what is over, is the blank."""
    rows = np.full((len(frames), BLANK + 1), 1e-6)
    for row, chances in zip(rows, frames, strict=True):
        for symbol, chance in chances.items():
            row[VOCABULARY.encode(symbol)] = chance
        row[BLANK] = 1 - sum(chances.values())
    return np.log(rows)


def texts(readings: list[Candidate]) -> list[str]:
    return [VOCABULARY.decode(reading.characters) for reading in readings]


@given(st.integers(1, 5), st.integers(0, 3), st.integers(0, 500))
@settings(max_examples=50)
def test_a_wide_beam_finds_every_text(frames: int, blank: int, seed: int) -> None:
    table = noise(frames, 4, seed)
    symbols = [symbol for symbol in range(4) if symbol != blank]
    every = [text for length in range(frames + 1) for text in itertools.product(symbols, repeat=length)]
    likely = log_likelihood(table, every, blank)
    known = {text: total for text, total in zip(every, likely.tolist(), strict=True) if total > -np.inf}
    found = prefix_beam(table, blank, options=BeamOptions(beam=2000, best=2000, reach=np.inf))
    said = {tuple(reading.characters.tolist()): reading.log_probability for reading in found}
    assert said == pytest.approx(known)
    assert [reading.score for reading in found] == sorted(said.values(), reverse=True)


@given(st.integers(1, 60), st.integers(1, 20), st.integers(0, 500))
@settings(max_examples=50)
def test_no_beam_finds_less_than_the_best_path(frames: int, beam: int, seed: int) -> None:
    table = noise(frames, 8, seed)
    best = prefix_beam(table, 7, options=BeamOptions(beam=beam, best=1))[0]
    assert best.log_probability >= log_likelihood(table, [greedy(table, 7).characters], 7)[0]
    assert best.log_probability == pytest.approx(log_likelihood(table, [best.characters], 7)[0])


@given(st.integers(1, 30), st.integers(0, 500))
@settings(max_examples=50)
def test_frames_without_a_character_change_nothing(frames: int, seed: int) -> None:
    """A few of them between all others, as texts of real clips have."""
    table, random = noise(frames, 6, seed), np.random.default_rng(seed)
    silent = np.log([[2e-5] * 5 + [1 - 1e-4]])
    longer = np.concatenate([np.concatenate([row[None], silent.repeat(random.integers(2, 5), 0)]) for row in table])
    apart = np.concatenate([np.stack([row, silent[0]]) for row in table])
    found, expected = (prefix_beam(rows, 5, options=BeamOptions(beam=12, best=1))[0] for rows in (longer, apart))
    assert found.characters.tolist() == expected.characters.tolist()
    assert found.log_probability == pytest.approx(log_likelihood(longer, [found.characters], 5)[0], abs=0.05)


def test_many_paths_outweigh_the_best_one() -> None:
    table = clip({"a": 0.4}, {"a": 0.4})  # none 0.36; a 0.16 + 2 * 0.24
    assert greedy(table, BLANK).characters.tolist() == []
    best = prefix_beam(table, BLANK)[0]
    assert VOCABULARY.decode(best.characters) == "a"
    assert np.exp(best.log_probability) == pytest.approx(0.64, abs=1e-3)


def test_doubles_are_read_with_a_blank_and_only_so() -> None:
    shown, between = {"t": 0.98}, {"t": 0.01}
    assert texts(prefix_beam(clip(shown, between, shown), BLANK))[0] == "tt"
    assert texts(prefix_beam(clip(shown, shown, shown), BLANK))[0] == "t"


def test_the_language_decides_what_is_doubtful(english: PhraseModel) -> None:
    doubtful = clip({"q": 0.98}, {"v": 0.5, "u": 0.48}, {"e": 0.98}, {}, {"e": 0.98}, {"n": 0.98})
    assert texts(prefix_beam(doubtful, BLANK))[0] == "qveen"
    assert texts(prefix_beam(doubtful, BLANK, language=english))[0] == "queen"
    assert texts(prefix_beam(doubtful, BLANK, language=english, options=BeamOptions(weight=0.0)))[0] == "qveen"
    sure = clip({"q": 0.98}, {"v": 0.9999}, {"e": 0.98}, {}, {"e": 0.98}, {"n": 0.98})
    assert texts(prefix_beam(sure, BLANK, language=english))[0] == "qveen"


def test_the_end_counts_only_where_it_is_there(english: PhraseModel) -> None:
    options, worth = BeamOptions(weight=1.0), {}
    for text in ("quick", "quic"):
        frames = clip(*({letter: 0.98} for letter in text))
        over, open_ = (
            prefix_beam(frames, BLANK, language=english, options=options, ended=ended)[0] for ended in (True, False)
        )
        assert over.log_probability == open_.log_probability
        worth[text] = over.score - open_.score
    assert worth["quick"] > worth["quic"] + 1


def test_digits_are_alike_to_the_language(english: PhraseModel) -> None:
    table = clip({"4": 0.5, "7": 0.48}, {" ": 0.98}, {"m": 0.98}, {"a": 0.98}, {"i": 0.98}, {"n": 0.98})
    first, second = prefix_beam(table, BLANK, language=english, options=BeamOptions(weight=2.0))[:2]
    assert [VOCABULARY.decode(one.characters) for one in (first, second)] == ["4 main", "7 main"]
    assert first.score - second.score == pytest.approx(first.log_probability - second.log_probability)


def test_the_language_does_not_say_that_something_was_spelled(english: PhraseModel) -> None:
    table = clip({"a": 0.3}, {})
    first = prefix_beam(table, BLANK, language=english, options=BeamOptions(weight=0.5))[0]
    assert (VOCABULARY.decode(first.characters), first.score) == ("", pytest.approx(first.log_probability))


def test_scores_are_those_of_phrases_beside_characters_drawn_at_random(english: PhraseModel) -> None:
    frames = [{letter: 0.98} for letter in "main 4 queen"]
    frames.insert(-2, {})  # between the doubles
    best = prefix_beam(clip(*frames), BLANK, language=english, options=BeamOptions(weight=1.0, insertion=0.25))[0]
    assert VOCABULARY.decode(best.characters) == "main 4 queen"
    added = english.log_probability("main 4 queen") + 13 * np.log(SYMBOLS) + 12 * 0.25
    assert best.score - best.log_probability == pytest.approx(added, abs=1e-4)


def test_the_greedy_text_is_scored_as_all_are(english: PhraseModel) -> None:
    table = noise(9, 60, seed=1)
    narrow, wide = BeamOptions(1, 2, 0.7, 0.1), BeamOptions(3000, 3000, 0.7, 0.1, reach=np.inf)
    found = prefix_beam(table, BLANK, language=english, options=narrow)
    every = prefix_beam(table, BLANK, language=english, options=wide)
    known = {text: one.score for text, one in zip(texts(every), every, strict=True)}
    assert VOCABULARY.decode(greedy(table, BLANK).characters) in texts(found)
    for text, one in zip(texts(found), found, strict=True):
        assert one.score == pytest.approx(known[text])


def test_insertion_and_length_favor_longer_texts() -> None:
    table = clip({"a": 0.45}, {})
    assert texts(prefix_beam(table, BLANK))[0] == ""
    assert texts(prefix_beam(table, BLANK, options=BeamOptions(insertion=0.5)))[0] == "a"
    faint = clip({"a": 0.6}, {}, {"b": 0.45})
    assert texts(prefix_beam(faint, BLANK))[0] == "a"
    best = prefix_beam(faint, BLANK, options=BeamOptions(length_power=1.0))
    assert texts(best)[0] == "ab"
    assert best[0].score == pytest.approx(best[0].log_probability / 2)


def test_texts_that_are_far_behind_are_given_up() -> None:
    table = clip({"a": 0.9, "b": 0.09}, {}, {"c": 0.99, "d": 1e-5})
    far, near = (prefix_beam(table, BLANK, options=BeamOptions(best=50, reach=reach)) for reach in (20.0, 4.0))
    assert {"ac", "bc", "ad"} < set(texts(far))
    assert texts(near)[:2] == texts(far)[:2] == ["ac", "bc"]
    assert "ad" not in texts(near)
    assert near[0].score == far[0].score


def test_no_frames_are_an_empty_text() -> None:
    only = prefix_beam(np.zeros((0, 60)), BLANK)
    assert (texts(only), only[0].log_probability) == ([""], 0.0)


def test_odd_input_is_refused(english: PhraseModel) -> None:
    with pytest.raises(ShapeError, match="59 characters, must be 7"):
        prefix_beam(noise(3, 8, 0), 7, language=english)
    for wrong in (
        {"beam": 0},
        {"best": 0},
        {"weight": -1.0},
        {"length_power": np.nan},
        {"insertion": np.inf},
        {"reach": 0.0},
    ):
        with pytest.raises(InputError, match=next(iter(wrong))):
            BeamOptions(**wrong)


def test_two_scores_are_weighed() -> None:
    ctc, attention = [-1.0, -4.0, -np.inf], [-5.0, -3.0, 0.0]
    assert rescore(ctc, attention, weight=0.25).tolist() == [-4.0, -3.25, -np.inf]
    assert rescore(ctc, attention, weight=0.0).tolist() == attention
    assert rescore(ctc, attention, weight=1.0).tolist() == ctc
    with pytest.raises(ShapeError):
        rescore([0.0], [0.0, 1.0])
    with pytest.raises(InputError, match="weight=2"):
        rescore(ctc, attention, weight=2)
    with pytest.raises(InputError, match="not a number"):
        rescore([np.nan], [0.0])
