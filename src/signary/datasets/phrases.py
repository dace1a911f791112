"""Continuous fingerspelling to train from: folds of signers, and what makes an epoch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from signary.datasets.split import group_folds

SUPPLEMENTAL = "supplemental"
LONGEST = 32
Rows = NDArray[np.int64]


def signer_folds(signers: NDArray[np.str_], splits: NDArray[np.str_], folds: int = 4, *, seed: int = 0) -> Rows:
    """Give each of N clips a fold so that no signer is in two.

    Parameters
    ----------
    signers, splits : str (N,)
        Columns ``signer`` and ``split`` of a store.
    folds : int
        2 or more, at most the number of signers outside the supplemental part.
    seed : int

    Returns
    -------
    int64 (N,)
        0 to ``folds - 1``, in parts of about one size without the supplemental clips. A supplemental clip has the
        fold of its signer, so that whoever is tested was never learned from; -1 if its signer is in none.

    Raises
    ------
    InputError
        If there are fewer signers than folds.
    """
    counted = splits != SUPPLEMENTAL
    names, first = np.unique(signers[counted], return_index=True)
    fold_of = group_folds(signers[counted], folds, seed=seed)[first]
    place = np.searchsorted(names, signers).clip(max=len(names) - 1)
    return np.where(names[place] == signers, fold_of[place], -1)


def epoch_rows(
    phrases: NDArray[np.str_],
    splits: NDArray[np.str_],
    rng: np.random.Generator,
    *,
    supplemental: bool = True,
    longest: int = LONGEST,
) -> Rows:
    """Return the clips of one epoch: all but supplemental ones, and one by chance of each supplemental phrase.

    A few hundred sentences make up the supplemental part, each signed a hundred times: all of it would teach the
    sentences.

    Parameters
    ----------
    phrases, splits : str (N,)
        Columns ``label`` and ``split`` of a store, or some rows of them.
    rng : Generator
    supplemental : bool
        Take these phrases at all.
    longest : int
        Characters beyond which a supplemental phrase is left out.

    Returns
    -------
    int64 (E,)
        Rows of ``phrases``, rising.

    Source: C. Henkel and D. Hanley, https://www.kaggle.com/competitions/asl-fingerspelling/discussion/434485.
    """
    extra = splits == SUPPLEMENTAL
    rows = np.flatnonzero(~extra)
    if not supplemental:
        return rows
    offered = rng.permutation(np.flatnonzero(extra & (np.char.str_len(phrases) <= longest)))
    _, first = np.unique(phrases[offered], return_index=True)
    return np.sort(np.concatenate([rows, offered[first]]))
