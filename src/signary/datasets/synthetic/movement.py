"""Movement of spelling hands, for a batch of texts: handshapes of real people, joined by transitions.

A text becomes slots: a rest, sometimes a false start, its characters, a rest. In each slot the hand forms a shape,
holds it or draws with it, and moves to the next with minimum jerk (Flash and Hogan, 1985). Everything that depends on
characters comes from lookup tables, so there is no loop over texts, characters or frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from signary.avatar.hand import LIMITS, HandBuild
from signary.avatar.handshapes import JOINTS
from signary.avatar.keys import AT_EASE, DIP, RESTING, SLIDE, SPELLING, smooth_step
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.shapes import KEYS, REST, Shapes, quaternion_product, vector_quaternion

FPS = 30.0  # lengths of letters are counted in frames at this rate
# Double letters, as teachers describe them: slide sideways, bounce, or relax and form again (Bill Vicars,
# https://lifeprint.com/asl101/pages-layout/fingerspelling2.htm); between words a dip, a slide or a pause.
SLIDES, BOUNCES = 0.6, 0.25
DIPS, SPACE_SLIDES = 0.4, 0.3
BOUNCE = (0.0, 0.09, 0.12)
# Thumb, four fingers, rotation and position each start at slightly different times.
GROUPS = [0] * 6 + [1] * 4 + [2] * 4 + [3] * 4 + [4] * 4 + [5] * 4 + [6] * 3
LATEST = 0.3
CHANNELS, TURN = len(GROUPS), slice(JOINTS, JOINTS + 4)


@dataclass(frozen=True, eq=False)
class Spelling:
    """Key poses of B texts over time.

    Parameters
    ----------
    times_s : float32 (B, K)
        Not falling.
    keys : float32 (B, K, 29)
        Angles (22), rotation as a quaternion (4), wrist position in shoulder widths (3).
    arcs : float32 (B, K / 6, 29)
        Deviation of the transition into each slot from a straight line.
    lags : float32 (B, K / 6, 7)
        Delay of each part of the hand in the transition into a slot (0 to 1).
    letters_s : float32 (B, L, 2)
        Start and end of each character: its shape is reached, its shape is left; NaN after a text's end.
    letter_frames : float32 (B,)
        Mean frames at 30 fps per character, transition and hold.
    build : HandBuild
        (B, ...).
    """

    times_s: Tensor
    keys: Tensor
    arcs: Tensor
    lags: Tensor
    letters_s: Tensor
    letter_frames: Tensor
    build: HandBuild

    @property
    def durations_s(self) -> Tensor:
        """Duration of each text in seconds, float32 (B,)."""
        return self.times_s[:, -1]

    @property
    def home(self) -> Tensor:
        """Wrist position at the first character, float32 (B, 3)."""
        return self.keys[:, 2 * KEYS, -3:]


def spell(numbers: Tensor, lengths: Tensor, options: SyntheticOptions, shapes: Shapes, dice: Dice) -> Spelling:
    """Plan the movement of texts.

    Parameters
    ----------
    numbers : int64 (B, L)
        Tokens of `CharacterVocabulary`, padded with ``pad``.
    lengths : int64 (B,)
    options : SyntheticOptions
    shapes : Shapes
        Handshapes to use.
    dice : Dice
    """
    batch, letters = numbers.shape
    rest = torch.full((batch, 1), REST, device=numbers.device)
    false = dice.chance(options.false_starts * (options.rests > 0), batch)[:, None]
    start = torch.where(false, numbers[:, :1], rest)
    slots = torch.cat([rest, start, numbers, rest], 1)
    twins = _twins(slots)
    change, hold, letter_frames = _durations(slots, shapes.long(slots), lengths, false[:, 0], options, dice)
    begins = (change + hold).cumsum(1) - hold
    poses = _pulled(shapes.poses(slots, twins, dice), slots, letter_frames, options, dice)
    poses = _eased(poses, slots, false, dice)
    places, arcs = _places(slots, twins, poses[:, :, 0, :JOINTS], options, dice)
    # without a false start, its slot is the end of the rest
    poses[:, 1] = torch.where(false[..., None], poses[:, 1], poses[:, 0])
    places[:, 1] = torch.where(false, places[:, 1], places[:, 0])
    keys = torch.cat([shapes.drawn(poses, slots), places[:, :, None] + shapes.strokes(slots, dice)], -1)
    ends = begins + hold
    shown = torch.stack([begins, ends], -1)[:, 2:-1]
    valid = torch.arange(letters, device=numbers.device) < lengths[:, None]
    keys = keys.flatten(1, 2)
    keys[..., TURN] = _near_sides(keys[..., TURN])
    return Spelling(
        times_s=(begins[:, :, None] + hold[:, :, None] * shapes.shares(slots)).flatten(1),
        keys=keys,
        arcs=arcs,
        lags=options.asynchrony * dice.uniform(0, 1, *slots.shape, 7),
        letters_s=torch.where(valid[..., None], shown, torch.nan),
        letter_frames=letter_frames,
        build=shapes.builds(batch, dice),
    )


def _twins(slots: Tensor) -> Tensor:
    """Return the number of equal characters directly before each, int64 (B, S); 0 for spaces and rests."""
    place = torch.arange(slots.shape[1], device=slots.device).expand_as(slots)
    first = torch.ones_like(slots, dtype=torch.bool)
    first[:, 3:] = (slots[:, 3:] != slots[:, 2:-1]) | (slots[:, 3:] == 0) | (slots[:, 3:] == REST)
    return place - torch.where(first, place, 0).cummax(1).values


def _durations(
    slots: Tensor, long: Tensor, lengths: Tensor, false: Tensor, options: SyntheticOptions, dice: Dice
) -> tuple[Tensor, Tensor, Tensor]:
    """Draw seconds (B, S) of the transition into each slot and of its hold, and frames per letter (B,)."""
    batch, count = slots.shape
    least, median, most = options.letter_frames
    pace = (median * (options.letter_spread * dice.normal(batch)).exp()).clamp(least, most)
    spelled = (slots != REST) & (torch.arange(count, device=slots.device) >= 2)
    weight = (0.25 * dice.normal(batch, count)).clamp(-0.5, 0.5).exp() * long * spelled
    unit = weight * (lengths / weight.sum(1))[:, None] * (pace / FPS)[:, None]
    unit = torch.maximum(unit, options.shortest_slot / FPS * spelled)
    low, high = options.transition
    share = (dice.uniform(low, high, batch, 1) + 0.06 * dice.normal(batch, count)).clamp(low, high)
    change, hold = unit * share, unit * (1 - share)
    first, last = torch.tensor(2, device=slots.device).expand(batch, 1), (lengths + 2)[:, None]
    hold[:, 0] = options.rests * dice.uniform(0, 0.8, batch)
    way = options.rests * dice.uniform(0.25, 0.7, batch, 2)
    change = change.scatter(1, first, way[:, :1]).scatter(1, last, way[:, 1:])
    hold = hold.scatter(1, last, options.rests * dice.uniform(0, 0.8, batch, 1))
    change[:, 1], hold[:, 1] = false * way[:, 0], false * dice.uniform(0.03, 0.2, batch)
    return change, hold, unit.sum(1) * FPS / lengths


def _pulled(poses: Tensor, slots: Tensor, letter_frames: Tensor, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Apply coarticulation to poses (B, S, 2, 26), stronger at higher speed; a space lies between its neighbors."""
    before, after = poses.roll(1, 1)[:, :, 1:], poses.roll(-1, 1)[:, :, :1]
    inner = ((side != REST) & (side != 0) for side in (slots.roll(1, 1), slots.roll(-1, 1)))
    before, after = (
        torch.where(kept[..., None, None], _near(neighbor, poses), poses)
        for kept, neighbor in zip(inner, (before, after), strict=True)
    )
    pull = (0.25 * (9.5 / letter_frames - 0.6)).clamp(0, 0.35)[:, None] * dice.uniform(0.5, 1.5, *slots.shape)
    pull = (options.coarticulation * pull).clamp(max=0.6) * (slots != REST)
    side = torch.where(slots == 0, dice.uniform(0, 1, *slots.shape), 0.5)[..., None, None]
    pull = torch.where(slots == 0, 1.0, pull)[..., None, None]
    return poses + pull * (side * before + (1 - side) * after - poses)


def _eased(poses: Tensor, slots: Tensor, false: Tensor, dice: Dice) -> Tensor:
    """Relax the hand: fully at rest, partly in false starts and between words."""
    ease = torch.where(slots == REST, 0.8, torch.where(slots == 0, dice.uniform(0, 0.5, len(slots), 1), 0.0))
    ease[:, 1] = torch.where(false[:, 0], dice.uniform(0.2, 0.6, len(slots)), ease[:, 1])
    angles = torch.from_numpy(AT_EASE).to(poses.device)
    limits = torch.from_numpy(LIMITS).to(poses.device)
    eased = poses[..., :JOINTS] + ease[..., None, None] * (angles - poses[..., :JOINTS])
    lean = torch.zeros(*slots.shape, 3, device=poses.device)
    lean[..., 0] = 0.7 * (slots == REST) * dice.uniform(0, 1, len(slots), 1)
    turn = quaternion_product(vector_quaternion(lean)[:, :, None], poses[..., JOINTS:])
    return torch.cat([eased.clamp(limits[:, 0], limits[:, 1]), turn], -1)


def _places(
    slots: Tensor, twins: Tensor, angles: Tensor, options: SyntheticOptions, dice: Dice
) -> tuple[Tensor, Tensor]:
    """Return the wrist position in each slot (B, S, 3), and the arcs of the transitions (B, S, 29)."""
    batch, count = slots.shape
    slide, dip, spelling, resting = (
        torch.from_numpy(vector).to(slots.device) for vector in (SLIDE, DIP, SPELLING, RESTING)
    )
    style, doubled = dice.uniform(0, 1, batch, 1), (twins > 0)[..., None]
    home = spelling + dice.normal(batch, 1, 3) * torch.tensor([0.15, 0.12, 0.1], device=slots.device)
    line = torch.arange(count, device=slots.device) / count
    written = options.drift * dice.uniform(-0.1, 0.35, batch, 1) * line
    places = home + written[..., None] * slide.sign() + 0.015 * options.drift * dice.normal(batch, count, 3)
    aside = torch.where(style < SLIDES, dice.uniform(0.25, 1.0, batch, 1), 0.0)
    places = places + (aside * twins)[..., None] * slide
    kind = dice.uniform(0, 1, batch, 1, 1)
    gap = torch.where(kind < DIPS, dip, torch.where(kind < DIPS + SPACE_SLIDES, slide, 0 * dip))
    places = places + (slots == 0)[..., None] * gap * dice.uniform(0.4, 1.0, batch, count, 1)
    away = torch.where(dice.chance(0.35, batch, 2), 0.0, dice.uniform(0.3, 1.0, batch, 2))
    away = torch.where(torch.arange(count, device=slots.device) < 2, away[:, :1], away[:, 1:])[..., None]
    places = torch.where((slots == REST)[..., None], places + away * (resting - spelling), places)
    arcs = torch.zeros(batch, count, CHANNELS, device=slots.device)
    arcs[..., -3:] = 0.03 * options.drift * dice.normal(batch, count, 3) * (slots != REST)[..., None]
    bounce = torch.tensor(BOUNCE, device=slots.device) * dice.uniform(0.5, 1.3, batch, 1, 1)
    bounces = doubled & ((style >= SLIDES) & (style < SLIDES + BOUNCES))[..., None]
    arcs[..., -3:] = torch.where(bounces, bounce, arcs[..., -3:])
    forms = doubled[..., 0] & (style >= SLIDES + BOUNCES)
    arcs[..., :JOINTS] = 0.5 * forms[..., None] * (torch.from_numpy(AT_EASE).to(slots.device) - angles)
    return places, arcs


def _near(turned: Tensor, like: Tensor) -> Tensor:
    """Return poses (..., 26) with quaternions negated where that brings them nearer to those of ``like``."""
    sign = torch.where((turned[..., JOINTS:] * like[..., JOINTS:]).sum(-1, keepdim=True) < 0, -1.0, 1.0)
    return torch.cat([turned[..., :JOINTS].expand_as(like[..., :JOINTS]), turned[..., JOINTS:] * sign], -1)


def _near_sides(turns: Tensor) -> Tensor:
    """Negate quaternions (B, K, 4) where needed so that each is near the one before."""
    signs = torch.where((turns[:, 1:] * turns[:, :-1]).sum(-1) < 0, -1.0, 1.0).cumprod(1)
    return torch.cat([turns[:, :1], turns[:, 1:] * signs[..., None]], 1)


def moved(spelling: Spelling, moments: Moments) -> tuple[Tensor, Tensor]:
    """Return the poses of hands in each frame.

    Parameters
    ----------
    spelling : Spelling
    moments : Moments

    Returns
    -------
    values : float32 (N, 29)
        As the keys; unit quaternions.
    still : float32 (N,)
        1 while a shape is held or drawn with, 0 in transitions.
    """
    batch, count = spelling.times_s.shape
    ladder, asked = moments.on_ladder(spelling.times_s)
    least = moments.text * count
    first = torch.searchsorted(ladder, asked, right=True) - 1
    first = torch.minimum(torch.maximum(first, least), least + count - 2)
    begin = ladder[first]
    share = ((asked - begin) / (ladder[first + 1] - begin).clamp(min=1e-9)).clamp(0, 1).float()
    way = (first + 1) % KEYS == 0
    slot = ((first + 1) // KEYS).clamp(max=batch * count // KEYS - 1)
    late = LATEST * spelling.lags.flatten(0, 1)[slot] * way[:, None]
    share = smooth_step(((share[:, None] - late) / (1 - late.amax(1, keepdim=True))).clamp(0, 1))[:, GROUPS]
    rows = spelling.keys.flatten(0, 1)
    values = torch.lerp(rows[first], rows[first + 1], share)
    values += 16 * (share * (1 - share)).square() * spelling.arcs.flatten(0, 1)[slot] * way[:, None]
    turn = values[:, TURN]
    values[:, TURN] = turn / turn.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    return values, (~way).float()
