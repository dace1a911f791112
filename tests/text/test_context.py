"""Letters in context: the beam search over distributions, and tokens that are read again."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError, ShapeError
from signary.text.context import ContextOptions, read_words, tokens_in_context
from signary.text.language import LETTERS, SYMBOLS, CharacterModel, load_language
from signary.text.recognition import Alternative, Token

MODEL = CharacterModel.fit(["hello", "help", "world", "banana", "michael", "window", "cab"], order=4)
ALONE = ContextOptions(weight=0, sure=1, beam=1)


def rows(*readings: str | dict[str, float]) -> np.ndarray:
    """Make distributions (L, 27), logarithms; "-" is no letter."""
    chances = np.full((len(readings), SYMBOLS), 1e-6)
    for place, reading in enumerate(readings):
        for letter, chance in (reading if isinstance(reading, dict) else {reading: 1.0}).items():
            chances[place, "-abcdefghijklmnopqrstuvwxyz".index(letter)] = chance
    return np.log(chances)


def text(codes: np.ndarray) -> str:
    return "".join(("-" + LETTERS)[code] for code in codes)


def token(text: str, confidence: float, start_s: float, held_s: float = 0.4, **others: float) -> Token:
    alternatives = tuple(Alternative(other, chance) for other, chance in others.items())
    return Token(text, start_s, start_s + held_s, confidence, alternatives)


def row(*tokens: tuple[str, float, dict[str, float]]) -> list[Token]:
    return [token(text, confidence, 0.5 * place, **others) for place, (text, confidence, others) in enumerate(tokens)]


def read(tokens: list[Token], **options: float) -> list[Token]:
    return tokens_in_context(tokens, MODEL, frame_s=0.04, options=ContextOptions(**options))  # type: ignore[arg-type]


def said(tokens: list[Token]) -> str:
    return "".join(token.text for token in tokens)


def test_context_mends_a_doubtful_letter() -> None:
    doubtful = {"i": 0.6, "e": 0.3}
    assert text(read_words(rows("h", doubtful, "l", "l", "o"), MODEL)) == "hello"
    assert text(read_words(rows("h", doubtful, "l", "l", "o"), MODEL, options=ALONE)) == "hillo"


def test_a_passing_shape_falls_away() -> None:
    passing = {"x": 0.5, "-": 0.5}
    assert text(read_words(rows("h", "e", passing, "l", "p"), MODEL)) == "he-lp"
    strong = ContextOptions(weight=2)
    assert text(read_words(rows("w", "i", "n", {"d": 0.4, "-": 0.6}, "o", "w"), MODEL, options=strong)) == "window"


def test_gaps_part_words() -> None:
    letters = rows(*"hel", {"p": 0.5, "z": 0.5}, {"w": 0.5, "v": 0.5}, *"orld")
    gap = np.zeros(9)
    gap[4] = 1
    assert text(read_words(letters, MODEL, gaps=gap)) == "helpworld"
    parted, whole = (MODEL.log_probability(words) for words in ("help world", "helpworld"))
    assert parted > whole
    half = read_words(letters, MODEL, gaps=gap / 2)
    assert text(half) == "helpworld"


def test_a_wide_beam_is_the_best_of_all() -> None:
    random, weight = np.random.default_rng(0), 0.8
    for _ in range(5):
        chances = np.full((4, SYMBOLS), -np.inf)
        chances[:, 1:4] = np.log(random.dirichlet(np.ones(3), 4))
        found = read_words(chances, MODEL, options=ContextOptions(weight=weight, sure=1, beam=81))
        scores = {
            codes: sum(chances[place, code] for place, code in enumerate(codes))
            + weight * MODEL.log_probability("".join(LETTERS[code - 1] for code in codes))
            for codes in product(range(1, 4), repeat=4)
        }
        assert tuple(found) == max(scores, key=scores.__getitem__)


@given(st.integers(0, 2**32 - 1), st.integers(0, 9))
def test_alone_it_is_the_likeliest_letter_of_each_place(seed: int, length: int) -> None:
    letters = np.log(np.random.default_rng(seed).dirichlet(np.ones(SYMBOLS), length).reshape(-1, SYMBOLS) + 1e-9)
    assert (read_words(letters, MODEL, options=ALONE) == letters.argmax(1)).all()


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 0.99), st.floats(0, 20))
def test_what_is_sure_never_changes(seed: int, sure: float, weight: float) -> None:
    random = np.random.default_rng(seed)
    chances = random.dirichlet(np.full(SYMBOLS, 0.1), 8)
    found = read_words(
        np.log(chances + 1e-12), MODEL, gaps=random.random(8), options=ContextOptions(weight=weight, sure=sure)
    )
    certain = chances.max(1) > sure + 1e-6
    assert (found[certain] == chances.argmax(1)[certain]).all()


def test_rows_need_not_be_normalized() -> None:
    letters = rows("h", {"i": 0.6, "e": 0.3}, *"llo")
    assert (read_words(letters + np.arange(5)[:, None] - 3, MODEL) == read_words(letters, MODEL)).all()


def test_nothing_to_read() -> None:
    assert read_words(np.zeros((0, SYMBOLS)), MODEL).tolist() == []
    assert tokens_in_context([], MODEL, frame_s=0.04) == []


def test_bad_input() -> None:
    letters = rows("a", "b")
    for shape in ((2, 26), (27,), (1, 2, 27)):
        with pytest.raises(ShapeError):
            read_words(np.zeros(shape), MODEL)
    for wrong in (np.nan, np.inf):
        spoiled = letters.copy()
        spoiled[0, 3] = wrong
        with pytest.raises(InputError):
            read_words(spoiled, MODEL)
    with pytest.raises(InputError, match="nothing is possible"):
        read_words(np.full((1, SYMBOLS), -np.inf), MODEL)
    with pytest.raises(ShapeError):
        read_words(letters, MODEL, gaps=[0])
    for gap in (-0.1, 1.1, np.nan):
        with pytest.raises(InputError):
            read_words(letters, MODEL, gaps=[0, gap])
    for options in ({"weight": -1}, {"weight": np.nan}, {"beam": 0}, {"sure": 1.1}, {"hold_s": 0}, {"sure": np.nan}):
        with pytest.raises(InputError):
            ContextOptions(**options)


def test_a_changed_token() -> None:
    doubtful = row(("H", 0.95, {}), ("I", 0.6, {"E": 0.25, "J": 0.1}), ("L", 0.97, {}), ("P", 0.99, {}))
    found = read(doubtful)
    assert said(found) == "HELP"
    assert [(one.start_s, one.end_s) for one in found] == [(one.start_s, one.end_s) for one in doubtful]
    assert found[1].confidence == 0.25
    assert found[1].alternatives == (Alternative("I", 0.6), Alternative("J", 0.1))
    assert (found[0], found[2:]) == (doubtful[0], doubtful[2:])


def test_a_letter_that_the_reader_did_not_name() -> None:
    found = read(row(("h", 0.95, {}), ("q", 0.4, {"z": 0.3}), ("l", 0.97, {}), ("p", 0.99, {})), weight=3)
    assert (said(found), found[1].confidence) == ("help", 0)
    assert found[1].alternatives[0] == Alternative("q", 0.4)


def test_sure_readings_and_other_symbols_stay() -> None:
    sure = row(
        ("H", 0.9, {"W": 0.1}), ("X", 0.95, {"E": 0.05}), ("L", 0.9, {}), ("7", 0.3, {"L": 0.3}), ("thank-you", 0.2, {})
    )
    assert read(sure, weight=20) == sure
    assert said(read(row(("H", 0.9, {}), ("X", 0.89, {"E": 0.05}), ("L", 0.9, {}), ("P", 1, {})), weight=20)) == "HELP"


def test_doubtful_tokens_are_taken_where_they_fit() -> None:
    firm = [token("H", 0.95, 0), token("L", 0.95, 1.4), token("P", 0.95, 2)]
    real, passing, inside = token("E", 0.6, 0.7, 0.15), token("X", 0.4, 1.9, 0.02), token("K", 0.9, 0.1, 0.1)
    found = tokens_in_context(firm, MODEL, frame_s=0.04, doubtful=[inside, real, passing])
    assert found == [firm[0], real, *firm[1:]]
    assert tokens_in_context([], MODEL, frame_s=0.04, doubtful=[token("X", 0.3, 0, 0.02)]) == []


def test_doubtful_digits_are_not_taken() -> None:
    firm = [token("H", 0.95, 0), token("P", 0.95, 2)]
    assert tokens_in_context(firm, MODEL, frame_s=0.04, doubtful=[token("7", 0.9, 0.7)]) == firm


def test_a_long_pause_parts_words() -> None:
    letters = ["C", "A", "B", "W", "O", "R", "L", "D"]
    starts = [0, 0.5, 1, 6, 6.5, 7, 7.5, 8]
    spelled = [token(letter, 0.97, start) for letter, start in zip(letters, starts, strict=True)]
    spelled[2] = token("T", 0.55, 1, B=0.35)
    assert said(read(spelled)) == "CABWORLD"
    spelled[3] = token("V", 0.55, 6, W=0.35)
    assert said(read(spelled)) == "CABWORLD"


def test_as_many_alternatives_as_asked_for() -> None:
    many = row(("A", 0.5, {"S": 0.2, "T": 0.1, "E": 0.08, "N": 0.05, "M": 0.03}))
    (found,) = tokens_in_context(many, MODEL, frame_s=0.04, alternatives=2)
    assert len(found.alternatives) == 2


def test_names_and_words_of_english() -> None:
    spelled = row(("J", 0.97, {}), ("O", 0.97, {}), ("B", 0.6, {"H": 0.3}), ("T", 0.5, {"N": 0.4}))
    assert said(tokens_in_context(spelled, load_language(), frame_s=0.04)) == "JOHN"
