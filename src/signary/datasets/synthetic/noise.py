"""Detector errors: noisy points, frames without a hand, left and right swapped, missing points.

The constants are measured on clips of Google's Isolated Sign Language Recognition data (CC BY 4.0);
``scripts/fit_body.py`` prints them.
"""

from __future__ import annotations

import torch
from torch import Tensor

from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.movement import FPS
from signary.datasets.synthetic.options import SyntheticOptions

# Frames at 30 fps, log-normal: of the observed gaps, half are under 3 and 95 % under 26.
GAP_FRAMES, GAP_SPREAD, LEAST_GAP, LONGEST_GAP = 2.3, 1.45, 0.7, 45.0
MEAN_GAP, MOST_MISSED = 6.0, 0.38
FACE_MISSED = 0.02
# Hand lengths; depth noise is twice as large.
TREMBLE, TREMBLE_SPREAD, BIAS, WANDER, WANDER_S = 0.006, 0.5, 0.02, 0.015, 0.25
DEPTH_NOISE, DEPTH_SPREAD = (1.0, 1.0, 2.0), 0.25
FACE_TREMBLE = 0.0008  # picture widths
FLIP_FRAMES = (1.0, 8.0)
ENDS = (1, 4, 5, 8, 9, 12, 13, 16, 17, 20)  # of fingers: the points of sparse detectors
KEPT = 0.7  # share of points of other sparse detectors
POOL = 1 << 18


def missed(moments: Moments, most: float, dice: Dice) -> Tensor:
    """Draw the frames in which something is not detected, bool (N,).

    Parameters
    ----------
    moments : Moments
    most : float
        Share of time missed in the worst clips, 0 to 0.9; in most clips far less.
    dice : Dice
    """
    if not most:
        return torch.zeros_like(moments.text, dtype=torch.bool)
    batch, mean_s = len(moments.lengths), MEAN_GAP / FPS
    share = (most * dice.uniform(0.02, 1, batch, 1).square()).clamp(max=0.9)
    count = int(moments.durations_s.max() / (mean_s / most) * 1.6) + 8
    gap_frames = GAP_FRAMES * (GAP_SPREAD * dice.normal(batch, count)).exp()
    gaps = gap_frames.clamp(LEAST_GAP, LONGEST_GAP) / FPS
    runs = -dice.uniform(1e-6, 1, batch, count).log() * mean_s * (1 - share) / share
    ladder, asked = moments.on_ladder(torch.stack([runs, gaps], -1).flatten(1).cumsum(1))
    return (torch.searchsorted(ladder, asked, right=True) - moments.text * 2 * count) % 2 == 1


def flipped(moments: Moments, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Draw the frames in which left and right hand are swapped, bool (N,)."""
    batch, text = len(moments.lengths), moments.text
    begin = torch.where(dice.chance(options.flips, batch), moments.durations_s * dice.uniform(0, 1, batch), torch.inf)
    end = begin + dice.uniform(*FLIP_FRAMES, batch) / FPS
    return (moments.times_s >= begin[text]) & (moments.times_s < end[text])


def given(batch: int, options: SyntheticOptions, dice: Dice) -> Tensor | None:
    """Draw which coordinates of a hand a detector gives, bool (B, 21, 3); None = all, in all clips."""
    if not options.sparse:
        return None
    ends = torch.zeros(21, device=dice.device, dtype=torch.bool)
    ends[list(ENDS)] = True
    some = torch.where(dice.chance(0.5, batch, 1), ends, dice.chance(KEPT, batch, 21))
    axes = dice.chance(0.5, batch, 3) | torch.tensor([True, True, False], device=dice.device)
    return some[..., None] & axes[:, None] | ~dice.chance(options.sparse, batch, 1, 1)


def trembling(hand: Tensor, still: Tensor, moments: Moments, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Return hands with the detector's noise.

    Parameters
    ----------
    hand : float32 (N, 21, 3)
        From the wrist, hand lengths.
    still : float32 (N,)
        0 in transitions, where the hand blurs.
    moments : Moments
    options : SyntheticOptions
    dice : Dice
    """
    if not options.noise:
        return hand
    batch, text = len(moments.lengths), moments.text
    depth = torch.tensor(DEPTH_NOISE, device=hand.device)
    knots = int(moments.durations_s.max() / WANDER_S) + 2
    wander = WANDER * dice.normal(batch, knots, 21, 3) + BIAS * dice.normal(batch, 1, 21, 3)
    wander = (options.noise * depth * wander).flatten(0, 1).flatten(1)
    place = (moments.times_s / WANDER_S).float()
    knot = place.long()
    row = text * knots + knot
    slow = torch.lerp(wander[row], wander[row + 1], (place - knot)[:, None])
    strength = options.noise * TREMBLE * (TREMBLE_SPREAD * dice.normal(batch)).exp()
    white = dice.normal(*hand.shape) * depth * (strength[text] * (2 - still))[:, None, None]
    seen = hand + white + slow.view_as(hand)
    seen[..., 2] *= (DEPTH_SPREAD * options.noise * dice.normal(batch)).exp()[text, None]
    return seen


def shake(points: Tensor, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Add noise from a pool of random numbers to points (N, P, 3) of the body, in place."""
    if options.noise and points.numel():
        pool = options.noise * FACE_TREMBLE * dice.normal(POOL)
        rows = pool.unfold(0, points[0].numel(), 1)
        points += rows[dice.whole(len(rows), len(points))].view_as(points)
    return points
