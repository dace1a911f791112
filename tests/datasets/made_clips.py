"""Stores of fake clips whose labels are movements of the hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from made_stores import write_store

from signary.datasets.stores.draft import Clip
from signary.datasets.stores.landmarks import ClipStore
from signary.landmarks.skeleton import LEFT_HAND, POSE

WAYS = {"across": (0.4, 0.0), "up": (0.0, -0.4), "still": (0.0, 0.0)}


def made_clip(label: str, signer: int, number: int, *, frames: int = 12) -> Clip:
    """Move the left hand in the direction of the label, with a body of the signer's size and position."""
    random = np.random.default_rng((signer, number, len(label)))
    points = np.full((frames, 543, 3), np.nan, np.float32)
    size, place = 0.8 + 0.1 * signer, np.array([0.45 + 0.02 * signer, 0.5, 0.0])
    body = np.random.default_rng(99).normal(0, 0.15, (25, 3))
    body[[11, 12]] = [[0.15, 0, 0], [-0.15, 0, 0]]
    points[:, POSE][:, :25] = body * size + place
    hand = np.random.default_rng(7).normal(0, 0.05, (21, 3))
    way = np.linspace(0, 1, frames)[:, None] * np.array([*WAYS[label], 0.0])
    points[:, LEFT_HAND] = (hand + way[:, None]) * size + place + random.normal(0, 0.004, (frames, 21, 3))
    return Clip(
        id=f"{label}-{signer}-{number}",
        points=points,
        label=label,
        signer=f"s{signer}",
        group=f"s{signer}",
        fps=25.0,
        source="made",
        licence="none",
        file=f"{label}/{signer}/{number}.npy",
        sha256=f"{signer:032x}{number:030x}{len(label):02x}",
    )


def made_signs(path: Path, *, signers: int = 4, each: int = 4) -> ClipStore:
    """Write a store of three signs by some signers, of 8 to 20 frames."""
    clips = [
        made_clip(label, signer, number, frames=8 + 4 * (number % 4))
        for signer in range(signers)
        for label in WAYS
        for number in range(each)
    ]
    return write_store(path, clips)
