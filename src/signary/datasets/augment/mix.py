"""CutMix of clips of the same signer with their texts, and masking of letters for a decoder in training.

Both follow Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling
recognition competition (Kaggle, 2023), where mixing clips of different signers did not help.
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
    """Index of the rows of each signer: built once, used for every batch.

    Parameters
    ----------
    signers : str or int (N,)
        Signer of each row; an empty name is an unknown signer, whose clips have no partner.

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
        """Return a random partner for each row among the signer's other rows, all equally likely.

        Parameters
        ----------
        rows : int (B,)
        random : numpy Generator
        share : float
            Share of rows that get a partner if there is one, 0 to 1.

        Returns
        -------
        int64 (B,)
            -1 = none.

        Raises
        ------
        IndexError
            If a row does not exist.
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
        Tokens of a `CharacterVocabulary`, without special tokens except ``pad``.
    letter_counts : int64 (B,)
    scores : float32 (B,)
        How readable each clip is, 0 to 1.
    """

    clips: Tensor
    lengths: Tensor
    letters: Tensor
    letter_counts: Tensor
    scores: Tensor


def cut_mix(batch: SpelledBatch, partners: Tensor, pad: int) -> SpelledBatch:
    """CutMix: join the end of one clip with the start of another, and their texts, cut at the same share of the length.

    Both orders are equally likely, and one random share cuts both. A text is cut between two letters, so that each part
    has at least one, and the clip at exactly the same share; the published code rounds each by itself. Scores are
    weighted by the letters of each part; in the published code by the random share. There only one of the two may be
    mirrored; here `SpellingAugment` mirrors the joined clip, as one signer spells with one hand.

    Parameters
    ----------
    batch : SpelledBatch
        N normalized clips: the B to augment, then their partners.
    partners : int64 (B,)
        Row of each clip's partner in the batch; its own row leaves it unchanged.
    pad : int
        Padding token.

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
    """Replace some input tokens of a decoder in training by ``mask``, but never ``start`` or ``pad``.

    Parameters
    ----------
    tokens : int64 (B, L)
    vocabulary : CharacterVocabulary
    share : float
        Share of the letters, 0 to 1.

    Returns
    -------
    int64 (B, L)
    """
    hidden = torch.rand(tokens.shape, device=tokens.device) < share
    return tokens.masked_fill(hidden & (tokens != vocabulary.start) & (tokens != vocabulary.pad), vocabulary.mask)


def _cut(counts: Tensor, share: Tensor) -> Tensor:
    """Return where to cut texts, int64 (B,): of two letters or more, each part keeps at least one."""
    return torch.minimum((counts * share).round().long().clamp(min=1), counts - 1).clamp(min=0)


def _join(
    values: Tensor, counts: Tensor, early: tuple[Tensor, Tensor], late: tuple[Tensor, Tensor], fill: int
) -> tuple[Tensor, Tensor]:
    """Concatenate the end of some rows with the start of others.

    Parameters
    ----------
    values : (N, L, ...)
    counts : int64 (N,)
    early, late : pairs of int64 (B,)
        Rows and positions: ``early`` is kept from its position on, ``late`` up to its position.
    fill : int
        Padding.

    Returns
    -------
    (B, M, ...) and the valid lengths, int64 (B,).
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
