"""Windows over long clips, and joining what was read of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError, ShapeError
from signary.text.characters import CharacterVocabulary
from signary.text.ctc import greedy
from signary.text.stitch import stitch_frames, stitch_texts, windows

VOCABULARY = CharacterVocabulary()
PHRASE = "4417 north meadowbrook street, apartment 20, near www.quiet-letters.com/books"


def spelled(text: str, frames: int = 12) -> np.ndarray:
    """Return logarithms (T, 60) for a text of which each character is named in two of so many frames."""
    classes = np.full((len(text), frames), VOCABULARY.pad)
    classes[:, 4:6] = VOCABULARY.encode(text)[:, None]
    return np.log(np.eye(60)[classes.ravel()] * 0.9 + 0.1 / 60)


@given(st.integers(0, 5000), st.integers(1, 400), st.floats(0, 0.9))
def test_windows_cover_a_clip(frames: int, size: int, part: float) -> None:
    overlap = int(part * size)
    spans = windows(frames, size=size, overlap=overlap)
    first, stop = spans.T
    assert (first[0], stop[-1]) == (0, frames)
    assert (stop - first == min(size, frames)).all()
    assert (stop[:-1] - first[1:] >= overlap).all()
    assert len(spans) == 1 or (first[1:] > first[:-1]).all()


def test_no_window_more_than_needed() -> None:
    assert windows(384).tolist() == [[0, 384]]
    assert windows(385).tolist() == [[0, 384], [1, 385]]
    assert len(windows(10_000, size=384, overlap=128)) == 39


def test_windows_that_agree_are_the_whole() -> None:
    whole = spelled(PHRASE)
    spans = windows(len(whole), size=200, overlap=60)
    assert len(spans) > 5
    pieces = [whole[first:stop] for first, stop in spans]
    assert stitch_frames(pieces, spans[:, 0]) == pytest.approx(whole)


def test_windows_unsure_at_their_edges_read_the_whole() -> None:
    whole, random = spelled(PHRASE), np.random.default_rng(0)
    spans = windows(len(whole), size=200, overlap=60)
    pieces = [whole[first:stop].copy() for first, stop in spans]
    for k, piece in enumerate(pieces):
        for edge in [slice(0, 20)] * (k > 0) + [slice(-20, None)] * (k < len(pieces) - 1):
            piece[edge] = np.log(random.dirichlet(np.full(60, 0.05), 20) + 1e-9)
    found = greedy(stitch_frames(pieces, spans[:, 0]), VOCABULARY.pad)
    assert VOCABULARY.decode(found.characters) == PHRASE
    joined = np.concatenate([piece[:140] for piece in pieces])
    assert VOCABULARY.decode(greedy(joined, VOCABULARY.pad).characters) != PHRASE


def test_a_frame_is_weighed_by_how_near_each_middle_is() -> None:
    one, other = np.log([[0.75, 0.25]] * 3), np.log([[0.25, 0.75]] * 3)
    said = np.exp(stitch_frames([one, other], [0, 1]))
    assert said.sum(1) == pytest.approx(1)
    assert said[:, 0] == pytest.approx([0.75, (0.75 * 16 + 0.25) / 17, (0.75 + 0.25 * 16) / 17, 0.25])


def test_windows_that_do_not_fit_are_refused() -> None:
    piece = np.zeros((3, 2))
    with pytest.raises(InputError, match="frame 3: in no window"):
        stitch_frames([piece, piece], [0, 4])
    for pieces, starts in (([], []), ([piece, np.zeros((3, 4))], [0, 1]), ([piece], [0, 1]), ([piece], [-1])):
        with pytest.raises(ShapeError):
            stitch_frames(pieces, starts)
    for numbers in ((-1, 4, 2), (9, 4, 4), (9, 4, -1)):
        with pytest.raises(InputError, match="windows of"):
            windows(numbers[0], size=numbers[1], overlap=numbers[2])


@given(st.text("abcdefghij", min_size=20, max_size=70), st.integers(8, 12))
def test_texts_that_overlap_make_the_whole(text: str, overlap: int) -> None:
    spans = windows(len(text), size=20, overlap=overlap)
    pieces = [text[first:stop] for first, stop in spans]
    share = (spans[0, 1] - spans[-1, 0]) / 20 if len(spans) == 2 else overlap / 20
    # what repeats itself may be laid over itself elsewhere
    if all(len(set(text[place : place + 8])) > 5 for place in range(len(text) - 7)):
        assert stitch_texts(pieces, share=min(share, 1.0)) == text


def test_a_phrase_in_windows_is_the_phrase() -> None:
    spans = windows(len(PHRASE), size=30, overlap=12)
    assert stitch_texts([PHRASE[first:stop] for first, stop in spans], share=0.4) == PHRASE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("forty two main sqx", "qain street"),  # wrong at both edges
        ("forty two main st", "two man street"),  # one lost
        ("forty two main st", "two maiin street"),  # one too many
        ("forty two main s", "two main street"),
    ],
)
def test_errors_at_the_edges_do_not_show(one: str, other: str) -> None:
    joined = stitch_texts([one, other], share=0.5)
    assert joined.startswith("forty two ma")
    assert joined.endswith("n street")
    assert abs(len(joined) - len("forty two main street")) <= 1


def test_no_more_is_laid_over_each_other_than_the_time_allows() -> None:
    assert stitch_texts(["202-555-0", "555-0143"], share=0.55) == "202-555-0143"
    assert stitch_texts(["555-0143 1", "1 555-0143"], share=0.2) == "555-0143 1 555-0143"
    assert stitch_texts(["1 555-0143", "1 555-0143"], share=0.9) == "1 555-0143"


def test_texts_without_anything_in_common_follow_each_other() -> None:
    assert stitch_texts(["main ", "42"], share=0.5) == "main 42"
    assert stitch_texts(["ab", "bc"], share=0.0) == "abbc"
    assert stitch_texts([]) == ""
    assert stitch_texts(["", "ab", "", "cd"]) == "abcd"
    with pytest.raises(InputError, match="share=2"):
        stitch_texts(["a"], share=2)
