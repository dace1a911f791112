"""Folds that separate signers, and blocks of a film."""

from __future__ import annotations

import numpy as np
import pytest
from made_pictures import made_pictures

pytest.importorskip("sklearn")
pytest.importorskip("torch")

from signary.datasets.split import block_folds, signer_folds, split_pictures
from signary.errors import ConfigError, InputError

RNG = np.random.default_rng(0)
SIGNERS = RNG.integers(0, 20, 400).astype(np.str_)
SPLITS = np.where(np.arange(400) < 300, "train", "supplemental")


def test_no_signer_is_in_two_folds() -> None:
    signers = SIGNERS.copy()
    signers[390:] = "only supplemental"
    folds = signer_folds(signers, SPLITS, seed=3)
    assert all(len(set(folds[signers == name])) == 1 for name in set(signers.tolist()))
    assert set(folds[390:]) == {-1} and set(folds[:300]) == {0, 1, 2, 3}
    assert np.ptp(np.bincount(folds[:300])) < 30
    np.testing.assert_array_equal(folds, signer_folds(signers, SPLITS, seed=3))


def test_too_few_signers() -> None:
    with pytest.raises(InputError, match="folds=4, must be 2 to 3"):
        signer_folds(np.array(["a", "b", "c", "d"]), np.array(["train"] * 3 + ["supplemental"]))


def test_blocks_are_stretches_of_a_film() -> None:
    labels = ["A"] * 50 + ["B"] * 30
    places = [*range(50), *range(0, 120, 4)]
    order = np.random.default_rng(0).permutation(80)
    label, place = np.array(labels)[order], np.array(places)[order]
    folds = block_folds(label, place, 10)
    for name, size in (("A", 5), ("B", 3)):
        rows = np.flatnonzero(label == name)
        along = folds[rows[np.argsort(place[rows])]]
        assert (np.diff(along) != 0).sum() == 9  # each fold is one block
        assert np.bincount(along).tolist() == [size] * 10


@pytest.mark.parametrize("how", ["random", "blocks", "groups"])
@pytest.mark.parametrize("fold", [0, 3])
def test_parts_are_apart_and_whole(how: str, fold: int) -> None:
    pictures = made_pictures(["A", "B"] * 100, [f"g{row // 4}" for row in range(200)])
    parts = split_pictures(pictures, how, validation=0.2, test=0.1, fold=fold)
    assert sorted(np.concatenate([parts.train, parts.validation, parts.test]).tolist()) == list(range(200))
    assert len(parts.test) == pytest.approx(20, abs=4)
    assert len(parts.validation) == pytest.approx(40, abs=4)
    if how == "groups":
        sides = [set(pictures.group[rows]) for _, rows in parts.items()]
        assert not any(sides[one] & sides[other] for one, other in ((0, 1), (0, 2), (1, 2)))


def test_folds_test_every_picture_once() -> None:
    pictures = made_pictures(["A", "B"] * 50, [f"g{row // 2}" for row in range(100)])
    for how in ("blocks", "groups"):
        tested = [split_pictures(pictures, how, validation=0.1, test=0.2, fold=fold).test for fold in range(5)]
        assert sorted(np.concatenate(tested).tolist()) == list(range(100))


def test_the_random_split_is_scikit_learns() -> None:
    from sklearn.model_selection import train_test_split

    parts = split_pictures(made_pictures(["A", "B"] * 205), "random", validation=0, test=0.15, seed=42)
    train, test = train_test_split(np.arange(410), test_size=0.15, random_state=42)
    assert (parts.train.tolist(), parts.test.tolist()) == (train.tolist(), test.tolist())
    assert len(parts.validation) == 0


def test_unknown_splits_and_folds() -> None:
    with pytest.raises(ConfigError, match="split='leaky'"):
        split_pictures(made_pictures(["A", "B"] * 9), "leaky", validation=0, test=0.1)
    with pytest.raises(ConfigError, match="fold=10, must be 0 to 9"):
        split_pictures(made_pictures(["A", "B"] * 9), "blocks", validation=0, test=0.1, fold=10)
    with pytest.raises(ConfigError, match="fold=5, must be 0 to 4"):
        split_pictures(made_pictures(["A", "B"] * 9), "blocks", validation=0.1, test=0.2, fold=5)
    with pytest.raises(ConfigError, match="fold=-1"):
        split_pictures(made_pictures(["A", "B"] * 9), "random", validation=0, test=0.1, fold=-1)
    alone = made_pictures(["A", "B"] * 9, [str(row) for row in range(18)])
    with pytest.raises(InputError, match="every picture is a group of its own"):
        split_pictures(alone, "groups", validation=0, test=0.1)
    with pytest.raises(InputError, match="9 groups are too few"):
        split_pictures(
            made_pictures(["A", "B"] * 9, [str(row // 2) for row in range(18)]), "groups", validation=0, test=0.1
        )
    whole = split_pictures(alone, "groups", validation=0, test=0)
    assert (len(whole.train), len(whole.validation), len(whole.test)) == (18, 0, 0)
