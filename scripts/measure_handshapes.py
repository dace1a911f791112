"""Measure the avatar's handshapes for hints in the practice mode of the web page.

Writes ``src/signary/browser/parts/handshapes.json``: for each letter and digit, mean and tolerance of every measure of
a right hand over the people of the bank and their usual variation. The tolerance is twice the standard deviation.
``src/signary/browser/parts/hints.js`` takes the same measures; ``tests/server/test_page.py`` compares the two.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.avatar.hand import hand_points, quaternion_turn
from signary.avatar.handshapes import JOINTS, HandshapeBank, load_handshapes

OUTPUT = Path(__file__).resolve().parents[1] / "src/signary/browser/parts/handshapes.json"
DRAWS = 200
KNUCKLES, TIPS = [5, 9, 13, 17], [8, 12, 16, 20]
NAMES = ("thumb", "index", "middle", "ring", "pinky", "across", "spread")
LEAST = {"thumb": 0.2, "across": 0.2, "spread": 0.15}  # smallest tolerance, in palm lengths
LEAST_FINGER, LEAST_TURN_DEG = 0.25, 40.0


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    path = parser.parse_args().output
    bank = load_handshapes()
    random = np.random.default_rng(0)
    rows = {shape: summary(shown(bank, shape, random)) for shape in bank.shapes}
    lines = ",\n".join(f"{json.dumps(shape)}: {json.dumps(row)}" for shape, row in rows.items())
    path.write_text(f"{{\n{lines}\n}}\n", encoding="utf-8")
    print(f"{path}: {len(rows)} handshapes")


def shown(bank: HandshapeBank, shape: str, random: np.random.Generator) -> NDArray[np.float32]:
    """Return random samples of a handshape: x and y in hand lengths, float32 (N, 21, 2)."""
    names = bank.shown_by(shape)
    people = [names[row % len(names)] for row in range(DRAWS)]
    poses = bank.poses([shape] * DRAWS, people=people, variation=1.0, random=random)
    builds = bank.build_of(np.array([bank.person(name) for name in people]))
    return np.asarray(hand_points(poses[:, :JOINTS], quaternion_turn(poses[:, JOINTS:]), builds)[..., :2], np.float32)


def measures(points: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Measure hands in the image plane.

    Parameters
    ----------
    points : float32 (N, 21, 2)
        x and y in one unit.

    Returns
    -------
    float32 (N, 7)
        In palm lengths: distance of each fingertip from the wrist less that of its root (thumb to little finger); how
        far the thumb's tip lies beyond the first knuckle, and the middle fingertip beyond that of the index finger,
        toward the little finger.
    float32 (N, 2)
        Unit vector from the wrist to the knuckles.
    """
    away = np.linalg.norm(points - points[:, :1], axis=-1)
    row = points[:, 17] - points[:, 5]
    width = np.linalg.norm(row, axis=-1, keepdims=True)
    palm = np.maximum(away[:, 9:10], 1.3 * width)
    row = row / np.maximum(width, 1e-6)
    across = ((points[:, 4] - points[:, 5]) * row).sum(-1, keepdims=True)
    spread = ((points[:, 12] - points[:, 8]) * row).sum(-1, keepdims=True)
    reach = away[:, [4, *TIPS]] - away[:, [2, *KNUCKLES]]
    up = (points[:, KNUCKLES] - points[:, :1]).mean(1)
    up = up / np.maximum(np.linalg.norm(up, axis=-1, keepdims=True), 1e-6)
    return np.concatenate([reach, across, spread], -1) / palm, up


def summary(points: NDArray[np.float32]) -> dict[str, list[float]]:
    """Return mean and tolerance of each measure, and of the rotation in degrees, clockwise from upright."""
    values, up = measures(points)
    row = {
        name: _rounded(values[:, k].mean(), max(2 * values[:, k].std(), LEAST.get(name, LEAST_FINGER)))
        for k, name in enumerate(NAMES)
    }
    middle = up.mean(0)
    off = np.degrees(np.arccos(np.clip(up @ (middle / np.linalg.norm(middle)), -1, 1)))
    turn = np.degrees(np.arctan2(middle[0], -middle[1]))
    return row | {"turn": [round(float(turn)), round(float(max(2 * np.sqrt((off**2).mean()), LEAST_TURN_DEG)))]}


def _rounded(mean: float, tolerance: float) -> list[float]:
    return [round(float(mean), 2), round(float(tolerance), 2)]


if __name__ == "__main__":
    main()
