"""Splits that tell the truth: by source or by group, never through a group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from signary.datasets.samples import HandSamples
from signary.errors import InputError


def group_folds(groups: NDArray[np.str_], folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Give each of N samples a fold so that no group is in two; folds are of about one size.

    Parameters
    ----------
    groups : str (N,)
    folds : int
        2 or more, at most the number of groups.
    seed : int

    Returns
    -------
    int64 (N,)
        0 to ``folds - 1``.

    Raises
    ------
    InputError
        If there are fewer groups than folds.
    """
    names, place, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    if not 2 <= folds <= len(names):
        raise InputError(f"folds={folds}, must be 2 to {len(names)}", hint="as many as there are groups at most")
    shuffled = np.random.default_rng(seed).permutation(len(names))
    order = shuffled[np.argsort(-sizes[shuffled], kind="stable")]
    fold_of = np.empty(len(names), np.int64)
    rounds = np.arange(len(names))
    # back and forth over the folds, largest groups first
    fold_of[order] = np.where(rounds // folds % 2, folds - 1 - rounds % folds, rounds % folds)
    return fold_of[place]


def leave_source_out(
    samples: HandSamples, *, together: Mapping[str, str] | None = None
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield (source, train mask, test mask), each source left out once.

    Parameters
    ----------
    samples : HandSamples
    together : mapping of str to str, optional
        Source -> the source with which it shares people, and is therefore left out.
    """
    owner = np.array([(together or {}).get(source, source) for source in samples.source])
    for source in dict.fromkeys(samples.source.tolist()):
        test = samples.source == source
        yield source, owner != (together or {}).get(source, source), test
