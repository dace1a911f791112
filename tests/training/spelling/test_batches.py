"""Epochs in which a supplemental phrase is seen once."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from signary.training.spelling.batches import epoch_rows

SPLITS = np.where(np.arange(400) < 300, "train", "supplemental")


def test_each_supplemental_phrase_once_by_chance() -> None:
    phrases = np.array([f"name {row}" for row in range(300)] + ["see you", "my bike", "x" * 32, "x" * 33] * 25)
    rng = np.random.default_rng(1)
    epochs = [epoch_rows(phrases, SPLITS, rng) for _ in range(400)]
    for rows in epochs:
        assert rows[:300].tolist() == list(range(300))
        assert sorted(phrases[rows[300:]].tolist()) == ["my bike", "see you", "x" * 32]
        assert (np.diff(rows) > 0).all()
    seen = np.bincount(np.concatenate([rows[300:] for rows in epochs]), minlength=400)[300:].reshape(25, 4)
    assert seen[:, 3].sum() == 0 and seen[:, :3].min() > 2 and seen.max() < 40  # 16 are expected of each


def test_without_supplemental_phrases() -> None:
    phrases, rng = np.full(400, "see you"), np.random.default_rng(0)
    assert epoch_rows(phrases, SPLITS, rng, supplemental=False).tolist() == list(range(300))
    assert epoch_rows(phrases[:5], SPLITS[:5], rng).tolist() == [0, 1, 2, 3, 4]
