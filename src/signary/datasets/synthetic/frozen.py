"""The frozen test set of spelling, and statistics of a set of spelling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from numpy.typing import NDArray

from signary.datasets.synthetic.movement import FPS
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.spelling import SyntheticBatch, SyntheticSpelling
from signary.features.select import SelectPoints
from signary.text.phrases import phrase_kind

TEST_SET = Path(__file__).with_name("frozen.yaml")
SHARES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


def frozen_test(points: SelectPoints) -> Iterator[SyntheticBatch]:
    """Yield the test set for comparing spelling readers, in batches; every run gives the same clips.

    ``frozen.yaml`` next to this file defines it: people and words not used in training, all speeds, gaps and noise. It
    is always generated on the CPU, since other devices give other random numbers. The choice of points does not change
    the hands.
    """
    about = yaml.safe_load(TEST_SET.read_text(encoding="utf-8"))
    options = SyntheticOptions(**about["options"])
    source = SyntheticSpelling(points, options, split="test", seed=about["seed"])
    for first in range(0, about["phrases"], about["batch"]):
        yield source.draw(min(about["batch"], about["phrases"] - first))


def describe(batches: Iterable[SyntheticBatch], points: SelectPoints) -> dict[str, Any]:
    """Return statistics of a set of spelling.

    Returns
    -------
    dict
        ``clips``, ``kinds`` (counts by kind of phrase); quantiles at `SHARES` over clips or gaps: ``characters`` per
        phrase, ``letter_frames`` (at 30 fps), ``fps``, ``frames``, ``hand_seen`` (share of frames between the hand's
        first and last), ``gap_frames`` (length of gaps in the hand, at 30 fps); ``hand_outside`` and ``outside``
        (shares of the hand's and of all seen points that are outside the picture).
    """
    hands = [place for place, name in enumerate(points.names) if name.startswith(("left_hand", "right_hand"))]
    columns: dict[str, list[NDArray[Any]]] = {}
    counted: dict[str, int] = {}
    for batch in batches:
        seen = torch.isfinite(batch.points[:, :, hands, 0]).any(-1).numpy()
        rates, gaps = _gaps(seen, batch.fps.numpy())
        found = {
            "characters": np.array([len(text) for text in batch.texts]),
            "letter_frames": batch.letter_frames.numpy(),
            "fps": batch.fps.numpy(),
            "frames": batch.lengths.numpy(),
            "hand_seen": rates,
            "gap_frames": gaps,
            "hand_outside": _outside(batch.points[:, :, hands]),
            "outside": _outside(batch.points),
        }
        for name, values in found.items():
            columns.setdefault(name, []).append(values)
        for text in batch.texts:
            counted[phrase_kind(text)] = counted.get(phrase_kind(text), 0) + 1
    whole = {name: np.concatenate(values) for name, values in columns.items()}
    outside = {name: float(whole[name][::2].sum() / whole[name][1::2].sum()) for name in ("hand_outside", "outside")}
    quantiles = {name: np.quantile(values, SHARES).round(3).tolist() for name, values in whole.items()}
    return {"clips": len(whole["fps"]), "kinds": counted} | quantiles | outside


def _gaps(seen: NDArray[np.bool_], fps: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the share of frames with a hand, between its first and last frame, and the gap lengths at 30 fps."""
    clip, frame = np.nonzero(seen)
    step = np.diff(frame)
    within = np.diff(clip) == 0
    gap = within & (step > 1)
    missed = np.bincount(clip[1:][gap], step[gap] - 1, len(seen))
    known = seen.sum(1)
    return known / np.maximum(known + missed, 1), (step[gap] - 1) * FPS / fps[clip[1:][gap]]


def _outside(points: torch.Tensor) -> NDArray[np.int64]:
    """Return the numbers of points outside the picture and of points seen."""
    plane = points[..., :2]
    seen = torch.isfinite(plane).all(-1)
    outside = seen & ((plane < 0) | (plane > 1)).any(-1)
    return np.array([int(outside.sum()), int(seen.sum())])
