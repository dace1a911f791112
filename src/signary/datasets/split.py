"""Honest splits by source, by group or by blocks of a film; and the random split, whose scores are too high."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from signary.datasets.hands import HandSamples
from signary.datasets.pictures import Pictures
from signary.errors import ConfigError, InputError

SUPPLEMENTAL = "supplemental"
SPLITS = ("random", "blocks", "groups")
PERCENT = 100
Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Parts:
    """Row indices of training, validation and test set, int64 each."""

    train: Rows
    validation: Rows
    test: Rows

    def items(self) -> list[tuple[str, Rows]]:
        """Return the parts that are not empty, by name."""
        parts = [("train", self.train), ("validation", self.validation), ("test", self.test)]
        return [(name, rows) for name, rows in parts if len(rows)]


def group_folds(groups: NDArray[np.str_], folds: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Assign N samples to folds of about equal size so that each group is in one fold.

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
    # largest groups first, back and forth over the folds
    fold_of[order] = np.where(rounds // folds % 2, folds - 1 - rounds % folds, rounds % folds)
    return fold_of[place]


def leave_source_out(
    samples: HandSamples, *, together: Mapping[str, str] | None = None
) -> Iterator[tuple[str, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Yield (source, train mask, test mask), leaving out each source once.

    Parameters
    ----------
    samples : HandSamples
    together : mapping of str to str, optional
        Source -> a source with the same people; when one is tested, neither is trained on.
    """
    owner = np.array([(together or {}).get(source, source) for source in samples.source])
    for source in dict.fromkeys(samples.source.tolist()):
        test = samples.source == source
        yield source, owner != (together or {}).get(source, source), test


def split_pictures(
    pictures: Pictures, how: str, *, validation: float, test: float, fold: int = 0, seed: int = 0
) -> Parts:
    """Split labeled pictures.

    Parameters
    ----------
    pictures : Pictures
    how : {"random", "blocks", "groups"}
        ``random`` leaks: neighbors in a film are near copies. ``blocks`` cuts each label's film into blocks of
        consecutive frames. ``groups`` separates people (or photos with their copies).
    validation, test : float
        Shares, in whole percents; for ``random``, any share.
    fold : int
        Which blocks or groups are tested, from 0.
    seed : int

    Raises
    ------
    ConfigError
        If ``how`` is unknown or ``fold`` out of range.
    InputError
        If there are too few groups.
    """
    if how not in SPLITS:
        raise ConfigError(f"split={how!r}, must be one of {', '.join(SPLITS)}", hint="groups and blocks tell the truth")
    if fold < 0:
        raise ConfigError(f"fold={fold}, must be 0 or more", hint="folds are counted from 0")
    if how == "random":
        return _random_parts(len(pictures), validation, test, seed + fold)
    step = gcd(round(PERCENT * validation), round(PERCENT * test), PERCENT)
    folds = PERCENT // step
    tested, tuned = round(PERCENT * test) // step, round(PERCENT * validation) // step
    different = folds // max(tested, 1)
    if fold >= different:
        raise ConfigError(f"fold={fold}, must be 0 to {different - 1}", hint="the share that is tested says how many")
    if folds == 1:
        return Parts(np.arange(len(pictures)), np.zeros(0, np.int64), np.zeros(0, np.int64))
    if how == "groups":
        _check_groups(pictures.group, folds)
    if how == "blocks":
        number = block_folds(pictures.label, pictures.place, folds, seed=seed)
    else:
        number = group_folds(pictures.group, folds, seed=seed)
    number = (number - fold * max(tested, 1)) % folds
    return Parts(
        train=np.flatnonzero(number >= tested + tuned),
        validation=np.flatnonzero((number >= tested) & (number < tested + tuned)),
        test=np.flatnonzero(number < tested),
    )


def _check_groups(group: NDArray[np.str_], folds: int) -> None:
    count = len(np.unique(group))
    if count == len(group):
        said = "split='groups': every picture is a group of its own, nothing is known of people"
        raise InputError(said, hint="--data.split blocks or random")
    if count < folds:
        said = f"split='groups': {count} groups are too few for these shares"
        raise InputError(said, hint="--data.validation 0.2 --data.test 0.2 takes five")


def block_folds(label: NDArray[np.str_], place: Rows, folds: int, *, seed: int = 0) -> Rows:
    """Cut each label's film into ``folds`` blocks of consecutive frames and number them at random.

    Parameters
    ----------
    label : str (N,)
    place : int64 (N,)
        Position in the label's film.
    folds : int
    seed : int

    Returns
    -------
    int64 (N,)
        0 to ``folds - 1``; every fold has one block of each label.
    """
    random = np.random.default_rng(seed)
    number = np.empty(len(label), np.int64)
    for name in np.unique(label):
        rows = np.flatnonzero(label == name)
        stretches = np.array_split(rows[np.argsort(place[rows], kind="stable")], folds)
        for stretch, fold in zip(stretches, random.permutation(folds), strict=True):
            number[stretch] = fold
    return number


def _random_parts(count: int, validation: float, test: float, seed: int) -> Parts:
    from sklearn.model_selection import train_test_split

    rest, tested = np.arange(count), np.zeros(0, np.int64)
    if test:
        rest, tested = train_test_split(rest, test_size=test, random_state=seed)
    if not validation:
        return Parts(rest, np.zeros(0, np.int64), tested)
    train, tuned = train_test_split(rest, test_size=validation / (1 - test), random_state=seed)
    return Parts(train, tuned, tested)


def signer_folds(signers: NDArray[np.str_], splits: NDArray[np.str_], folds: int = 4, *, seed: int = 0) -> Rows:
    """Assign N clips to folds so that each signer is in one fold.

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
        0 to ``folds - 1``, of about equal size without the supplemental clips. A supplemental clip has the fold of its
        signer, so that no tested signer is in the training set; -1 if its signer has no other clip.

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
