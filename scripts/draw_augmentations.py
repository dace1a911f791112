"""Draw the effect of each augmentation on a clip of fingerspelling, for docs/pictures/augmentations.png.

python scripts/draw_augmentations.py OUT.png
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
import torch
from matplotlib import pyplot as plt
from matplotlib.collections import LineCollection
from torch import Tensor

from signary.avatar.motion import SpellOptions, plan_spelling
from signary.datasets.augment.mix import SpelledBatch, cut_mix
from signary.datasets.augment.spelling import SpellingAugment
from signary.datasets.augment.strengths import SpellingStrengths as Strengths
from signary.features.spelling import SpellingPoints, point_seen
from signary.landmarks.skeleton import HOLISTIC_543
from signary.text.characters import CharacterVocabulary

FPS, STEP, CELLS, WIDTH, HEIGHT, LARGER = 15, 4, 8, 6.4, 5.2, 2.2
FEATURES, VOCABULARY = SpellingPoints(), CharacterVocabulary()
COLORS = {"left_hand": "#0072b2", "right_hand": "#d55e00", "face": "#8a8a8a", "pose": "#303030"}
PLACES = {point: place for place, point in enumerate(FEATURES.select.index.tolist())}
EDGES = [(PLACES[first], PLACES[last]) for first, last in HOLISTIC_543.edges if first in PLACES and last in PLACES]
# title, strengths, and the seed of a draw that shows the change well
ROWS: tuple[tuple[str, dict[str, Any], int], ...] = (
    ("as it is: SIGN", {}, 0),
    ("mirrored", {"flip": 1}, 0),
    ("another speed", {"stretch": 1, "longest": 0.6}, 13),
    ("uneven speed\n(overdone)", {"warp": 1, "warp_by": 0.9}, 35),
    ("begun later", {"begin": 1}, 3),
    ("another camera", {"affine": 1}, 1),
    ("fingers lost", {"fingers_lost": 1}, 7),
    ("body lost", {"pose_lost": 1}, 3),
    ("face lost", {"face_lost": 1}, 0),
    ("hands lost", {"hands_lost": 1}, 0),
    ("frames lost", {"frames_lost": 1}, 0),
    ("a box lost", {"box_lost": 1}, 145),
)
STILL = ("mirrored", "another camera", *(title for title, _, _ in ROWS if title.endswith("lost")))


def clip_of(text: str) -> Tensor:
    """Return the avatar's clip of a text, normalized, float32 (1, T, P, 3)."""
    plan = plan_spelling(text, SpellOptions(speed=2))
    begin, end = (round(FPS * second) for second in (plan.letters[0][0].start_s, plan.letters[0][-1].end_s))
    points = plan.sequence(FPS).points[begin:end]
    return FEATURES.normalize(torch.from_numpy(points)[None, :, FEATURES.select.index])


def joined(clip: Tensor, other: Tensor) -> tuple[str, Tensor]:
    """Return the text and the clip of SIGN mixed with HAND."""
    lengths, counts = torch.tensor([clip.shape[1], other.shape[1]]), torch.tensor([4, 4])
    both = torch.nn.utils.rnn.pad_sequence([clip[0], other[0]], batch_first=True)
    letters = torch.from_numpy(VOCABULARY.encode_many(["sign", "hand"])[0])
    torch.manual_seed(3)
    mixed = cut_mix(SpelledBatch(both, lengths, letters, counts, torch.ones(2)), torch.tensor([1]), VOCABULARY.pad)
    return VOCABULARY.decode(mixed.letters[0]).upper(), mixed.clips


def draw_row(axes: plt.Axes, clip: Tensor, row: int, *, faint: bool = False) -> None:
    """Draw every few frames of a clip (1, T, P, 3) side by side, with enlarged hands."""
    lines: list[Any] = []
    colors: list[str] = []
    for cell, frame in enumerate(range(0, clip.shape[1], STEP)):
        seen = point_seen(clip[0, frame])[:, 0].tolist()
        places = clip[0, frame, :, :2].numpy() + np.array([cell * WIDTH, row * HEIGHT])
        for hand in ("left_hand", "right_hand"):
            wrist = FEATURES.groups[hand][0]
            places[FEATURES.groups[hand]] = (1 - LARGER) * places[wrist] + LARGER * places[FEATURES.groups[hand]]
        for first, last in EDGES:
            if seen[first] and seen[last]:
                part = next(part for part in COLORS if FEATURES.select.names[first].startswith(part))
                lines.append(places[[first, last]])
                colors.append("#dddddd" if faint else COLORS[part])
    axes.add_collection(LineCollection(lines, colors=colors, linewidths=0.8))


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", metavar="OUT.png")
    path = parser.parse_args().picture
    clip = clip_of("SIGN")
    strips = []
    for title, strengths, seed in ROWS:
        torch.manual_seed(seed)
        changing = SpellingAugment(Strengths.only(**strengths), FEATURES.select)
        strips.append((title, changing(clip, torch.tensor([clip.shape[1]]))[0]))
    text, mixed = joined(clip, clip_of("HAND"))
    strips.append((f"joined with\nHAND: {text}", mixed))
    _, axes = plt.subplots(figsize=(10, 0.8 * len(strips)))
    for row, (title, strip) in enumerate(strips):
        if title in STILL:
            draw_row(axes, clip, row, faint=True)
        draw_row(axes, strip, row)
        axes.text(-0.6 * WIDTH, row * HEIGHT, title, ha="right", va="center", fontsize=9)
    axes.set(xlim=(-2 * WIDTH, CELLS * WIDTH), ylim=((len(strips) - 0.2) * HEIGHT, -0.6 * HEIGHT), aspect="equal")
    axes.axis("off")
    plt.savefig(path, dpi=110, bbox_inches="tight", pad_inches=0.05)


if __name__ == "__main__":
    main()
