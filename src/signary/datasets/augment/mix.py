"""Clips joined with others of the same signer, with their texts; and letters that a decoder in training is not shown.

Both are of Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling
recognition competition (Kaggle, 2023), where mixing the clips of different signers did not help.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from signary.datasets.augment.chance import drawn
from signary.text.characters import CharacterVocabulary

Rows = NDArray[np.int64]


class SignerIndex:
    """Which other rows are of the same signer: made once, asked for a batch at a time.

    Parameters
    ----------
    signers : str or int (N,)
        Of each row; an empty name is a signer that is not known, whose clips are joined with none.

    Examples
    --------
    >>> index = SignerIndex(["ann", "bob", "ann", ""])
    >>> index.draw([0, 1, 2, 3], np.random.default_rng(0)).tolist()
    [2, -1, 0, -1]
    """

    def __init__(self, signers: ArrayLike) -> None:
        names, self._signer = np.unique(np.asarray(signers), return_inverse=True)
        self._rows = np.argsort(self._signer, kind="stable")
        self._count = np.bincount(self._signer, minlength=len(names))
        self._first = np.cumsum(self._count) - self._count
        self._place = np.empty_like(self._rows)
        self._place[self._rows] = np.arange(len(self._rows)) - np.repeat(self._first, self._count)
        self._others = np.where(names == "", 0, self._count - 1) if names.dtype.kind in "US" else self._count - 1

    def draw(self, rows: ArrayLike, random: np.random.Generator, share: float = 1.0) -> Rows:
        """Return a partner for each row, each of the signer's other rows as likely.

        Parameters
        ----------
        rows : int (B,)
        random : numpy Generator
        share : float
            Of the rows that have a partner, 0 to 1.

        Returns
        -------
        int64 (B,)
            -1 = none.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        rows = np.asarray(rows, np.int64)
        signer = self._signer[rows]
        others = self._others[signer]
        step = 1 + random.integers(0, np.maximum(others, 1))
        partner = self._rows[self._first[signer] + (self._place[rows] + step) % self._count[signer]]
        return np.where((others > 0) & (random.random(len(rows)) < share), partner, -1)


class SpelledBatch(NamedTuple):
    """Clips with their texts, padded.

    Attributes
    ----------
    clips : float32 (B, T, P, C)
    lengths : int64 (B,)
    letters : int64 (B, L)
        Of a `CharacterVocabulary`, without marks but ``pad``.
    letter_counts : int64 (B,)
    scores : float32 (B,)
        How well each can be read, 0 to 1.
    """

    clips: Tensor
    lengths: Tensor
    letters: Tensor
    letter_counts: Tensor
    scores: Tensor


def cut_mix(batch: SpelledBatch, partners: Tensor, pad: int) -> SpelledBatch:
    """CutMix: join the end of one clip and the beginning of another, texts cut at the same share of their length.

    Either of the two comes first, as often, and one random share is for both. Texts are cut between two letters, so
    that both have some, and clips at that very share of theirs, where the published code rounds either by itself;
    each score counts by its letters in what is joined, and there by the random share. There only one of the two may be
    mirrored; here `SpellingAugment` mirrors what is joined, as one signer spells with one hand.

    Parameters
    ----------
    batch : SpelledBatch
        Of N clips: the B that are asked for, and behind them their partners; clips are normalized.
    partners : int64 (B,)
        The place of each clip's partner in the batch; its own = it stays as it is.
    pad : int
        What follows a text.

    Returns
    -------
    SpelledBatch
        Of B clips.
    """
    own = torch.arange(len(partners), device=partners.device)
    mixed, share = partners != own, torch.rand(len(partners), device=partners.device)
    swapped = drawn(partners, 0.5).bool()
    one, two = torch.where(swapped, partners, own), torch.where(swapped, own, partners)
    start, stop = (mixed * _cut(batch.letter_counts[rows], share) for rows in (one, two))
    begin, end = (
        (cut * batch.lengths[rows] / batch.letter_counts[rows].clamp(min=1)).round().long()
        for cut, rows in ((start, one), (stop, two))
    )
    clips, lengths = _join(batch.clips, batch.lengths, (one, begin), (two, end), 0)
    letters, counts = _join(batch.letters, batch.letter_counts, (one, start), (two, stop), pad)
    late = stop / counts.clamp(min=1)
    return SpelledBatch(clips, lengths, letters, counts, batch.scores[one] * (1 - late) + batch.scores[two] * late)


def hide_letters(tokens: Tensor, vocabulary: CharacterVocabulary, share: float = 0.2) -> Tensor:
    """Put ``mask`` in place of some of what a decoder in training is shown, but never of ``start`` and ``pad``.

    Parameters
    ----------
    tokens : int64 (B, L)
    vocabulary : CharacterVocabulary
    share : float
        Of the letters, 0 to 1.

    Returns
    -------
    int64 (B, L)
    """
    hidden = torch.rand(tokens.shape, device=tokens.device) < share
    return tokens.masked_fill(hidden & (tokens != vocabulary.start) & (tokens != vocabulary.pad), vocabulary.mask)


def _cut(counts: Tensor, share: Tensor) -> Tensor:
    """Return where to cut so many letters: with two or more, neither end is left without, int64 (B,)."""
    return torch.minimum((counts * share).round().long().clamp(min=1), counts - 1).clamp(min=0)


def _join(
    values: Tensor, counts: Tensor, early: tuple[Tensor, Tensor], late: tuple[Tensor, Tensor], fill: int
) -> tuple[Tensor, Tensor]:
    """Put what comes in some rows before a place behind what comes in others from a place on.

    Parameters
    ----------
    values : (N, L, ...)
    counts : int64 (N,)
    early, late : pairs of int64 (B,)
        Rows and places: those begin there, these end there.
    fill : int
        What follows.

    Returns
    -------
    (B, M, ...) and how many of the M count, int64 (B,).
    """
    (one, begin), (two, end) = early, late
    kept = counts[one] - begin
    whole = kept + end
    place = torch.arange(int(whole.max()), device=values.device).expand(len(one), -1)
    first, second = one[:, None] * values.shape[1] + begin[:, None], two[:, None] * values.shape[1] - kept[:, None]
    inside = place < whole[:, None]
    source = torch.where(inside, place + torch.where(place < kept[:, None], first, second), 0)
    taken = values.flatten(0, 1).index_select(0, source.flatten())
    counted = inside.reshape(-1, *(1,) * (values.dim() - 2))
    return torch.where(counted, taken, fill).view(*source.shape, *values.shape[2:]), whole
