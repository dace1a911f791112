"""CutMix of clips of one signer, and masking of letters for a decoder."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from signary.datasets.augment.mix import SignerIndex, SpelledBatch, cut_mix, hide_letters  # noqa: E402
from signary.text.characters import CharacterVocabulary  # noqa: E402

VOCABULARY = CharacterVocabulary()
FRAMES_A_LETTER = 4


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def spelled(texts: list[str], scores: list[float] | None = None) -> SpelledBatch:
    """Return clips whose frames have the value of their letter's token + 1, four frames per letter."""
    letters, counts = (torch.from_numpy(found) for found in VOCABULARY.encode_many(texts))
    real = torch.arange(letters.shape[1]) < counts[:, None]
    clips = torch.where(real, letters + 1, 0).repeat_interleave(FRAMES_A_LETTER, 1).float()
    clips = clips[..., None, None].expand(-1, -1, 3, 2).contiguous()
    return SpelledBatch(clips, FRAMES_A_LETTER * counts, letters, counts, torch.tensor(scores or [1.0] * len(texts)))


def texts_of(batch: SpelledBatch) -> list[str]:
    return [VOCABULARY.decode(row) for row in batch.letters]


@given(signers=st.lists(st.sampled_from(["ann", "bob", "eve", ""]), min_size=1, max_size=30))
def test_partners_are_other_rows_of_the_same_signer(signers: list[str]) -> None:
    index, random = SignerIndex(signers), np.random.default_rng(0)
    for row, partner in enumerate(index.draw(np.arange(len(signers)), random).tolist()):
        alone = not signers[row] or signers.count(signers[row]) == 1
        assert (partner == -1) == alone
        assert alone or (partner != row and signers[partner] == signers[row])


def test_every_other_row_is_as_likely_a_partner() -> None:
    index, random = SignerIndex([7, 8, 7, 7, 8, 7]), np.random.default_rng(0)
    partners = index.draw(np.full(6000, 2), random, 0.5)
    share = {row: float((partners == row).mean()) for row in np.unique(partners).tolist()}
    assert set(share) == {-1, 0, 3, 5}
    assert share[-1] == pytest.approx(0.5, abs=0.02)
    assert [share[row] for row in (0, 3, 5)] == pytest.approx([1 / 6] * 3, abs=0.02)


@settings(max_examples=60, deadline=None)
@given(first=st.text("abcdefgh", min_size=1, max_size=12), second=st.text("stuvwxyz", min_size=1, max_size=12))
def test_frames_and_letters_are_cut_at_one_place(first: str, second: str) -> None:
    after = cut_mix(spelled([first, second]), torch.tensor([1]), VOCABULARY.pad)
    text, frames = texts_of(after)[0], int(after.lengths[0])
    assert frames == FRAMES_A_LETTER * len(text) == FRAMES_A_LETTER * int(after.letter_counts[0])
    shown = (after.clips[0, :frames:FRAMES_A_LETTER, 0, 0] - 1).long()
    assert VOCABULARY.decode(shown) == text
    own, other = ("".join(letter for letter in text if letter in whole) for whole in ("abcdefgh", "stuvwxyz"))
    assert (text == own + other and first.endswith(own) and second.startswith(other)) or (
        text == other + own and second.endswith(other) and first.startswith(own)
    )
    assert not after.clips[0, frames:].any()


def test_both_are_cut_at_one_random_share_and_either_comes_first() -> None:
    long, short = "abcdefghijklmnopqrst", "0123456789"
    batch = spelled([long] * 2000 + [short], [1.0] * 2000 + [0.0])
    after = cut_mix(batch, torch.full((2000,), 2000), VOCABULARY.pad)
    early = np.array([text[0] in long for text in texts_of(after)])
    own = np.array([sum(letter in long for letter in text) for text in texts_of(after)])
    other = after.letter_counts.numpy() - own
    assert abs(early.mean() - 0.5) < 0.04
    assert own.min() == 1 and own.max() == 19 and other.min() == 1 and other.max() == 9
    assert (np.abs(own / 20 + other / 10 - 1) <= 0.05 + 0.025 + 0.051).all()  # the two shares add up to 1
    assert abs(own.mean() - 10) < 0.4
    torch.testing.assert_close(after.scores, torch.from_numpy(own / (own + other)).float())


def test_who_has_no_partner_stays_as_it_is() -> None:
    batch = spelled(["hello", "you", "world", "a"], [0.1, 0.2, 0.3, 0.4])
    after = cut_mix(batch, torch.tensor([0, 3, 2]), VOCABULARY.pad)
    assert texts_of(after)[0] == "hello" and texts_of(after)[2] == "world"
    assert after.lengths[[0, 2]].tolist() == [20, 20]
    assert torch.equal(after.clips[2, :20], batch.clips[2, :20])
    torch.testing.assert_close(after.scores[[0, 2]], torch.tensor([0.1, 0.3]))
    assert len(after.clips) == 3


def test_what_follows_a_text_is_padding() -> None:
    after = cut_mix(spelled(["ab", "cdefgh", "x"]), torch.tensor([0, 1, 2]), VOCABULARY.pad)
    assert after.letters[0].tolist() == [*VOCABULARY.encode("ab").tolist(), *[VOCABULARY.pad] * 4]


def test_one_letter_in_five_is_hidden_and_no_mark() -> None:
    tokens = torch.randint(0, VOCABULARY.pad, (2000, 20))
    tokens[:, 0], tokens[:, 15:] = VOCABULARY.start, VOCABULARY.pad
    shown = hide_letters(tokens, VOCABULARY)
    hidden = shown == VOCABULARY.mask
    assert abs(float(hidden[:, 1:15].float().mean()) - 0.2) < 0.01
    assert not hidden[:, 0].any() and not hidden[:, 15:].any()
    assert torch.equal(shown[~hidden], tokens[~hidden])
    assert torch.equal(hide_letters(tokens, VOCABULARY, 0), tokens)
