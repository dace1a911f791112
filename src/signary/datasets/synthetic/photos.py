"""Test phrases from real photos of letters: the hands of one source, with synthetic transitions.

Each character has the points that a detector found in a photo of it. Timing, drift, dips and strokes of the hand, and
detector errors, are as in the rest of this room; between shapes all points move with minimum jerk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signary.avatar.body import HAND_LENGTH
from signary.datasets.hands import HandSamples
from signary.datasets.synthetic.body import place_cameras, swing
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.movement import FPS, TURN, Spelling, moved, spell
from signary.datasets.synthetic.noise import MOST_MISSED, missed, trembling
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.shapes import KEYS, Shapes
from signary.datasets.synthetic.spelling import LEAST_INSIDE, SyntheticBatch
from signary.errors import InputError
from signary.text.characters import CharacterVocabulary

KNUCKLES, PALM = [5, 9, 13, 17], 0.475  # hand lengths from the wrist to the knuckles
CHANNEL_OF = [0, *[0] * 4, *[6] * 4, *[10] * 4, *[14] * 4, *[18] * 4]  # the channel of a movement that times each point
ROLL, STRETCH = 0.1, 0.05
MIXED = 0.2  # a smaller share of photos of one hand counts as detector errors


class StrungHands:
    """Spell with the hands of one source.

    Parameters
    ----------
    samples : HandSamples
        Photos of characters; other labels and photos without a hand are left out, and if nearly all photos show one
        hand, those detected as the other hand, too.
    options : SyntheticOptions, optional
        For pace, transitions, movement and noise.
    seed : int

    Attributes
    ----------
    characters : str
        The photographed characters, and the space.

    Raises
    ------
    InputError
        If there is no photo of a character.
    """

    def __init__(self, samples: HandSamples, options: SyntheticOptions | None = None, *, seed: int = 0) -> None:
        kept = samples.select(samples.found & (np.char.str_len(samples.label) == 1))
        if not len(kept):
            raise InputError(f"{len(samples)} hands, none of a character", hint="photos of letters, labeled A to Z")
        if not MIXED < (right := kept.right.mean()) < 1 - MIXED:
            kept = kept.select(kept.right == (right > 0.5))
        self.options, self.seed, self.drawn = options or SyntheticOptions(), seed, 0
        self._hands = torch.from_numpy(sized_hands(kept.right_hands()))
        labels = np.char.lower(kept.label)
        self._rows = {label: np.flatnonzero(labels == label) for label in np.unique(labels).tolist()}
        self.characters = "".join(self._rows) + " "
        self._shapes = Shapes("test", self.options)

    @torch.no_grad()
    def draw(self, texts: Sequence[str]) -> SyntheticBatch:
        """Spell texts at 30 frames a second; the points are the left hand's, then the right hand's.

        Raises
        ------
        InputError
            If there is no photo of a character.
        """
        if unknown := set("".join(texts)) - set(self.characters):
            raise InputError(f"{''.join(sorted(unknown))!r}: not photographed", hint=f"these are: {self.characters!r}")
        state = np.random.SeedSequence((self.seed, self.drawn)).generate_state(2).tolist()
        self.drawn += 1
        dice, options = Dice(state[0]), self.options
        numbers, lengths = (torch.from_numpy(part) for part in CharacterVocabulary().encode_many(texts))
        spelling = spell(numbers, lengths, options, self._shapes, dice)
        fps = torch.full((len(texts),), FPS)
        moments = Moments.of(spelling.durations_s, fps)
        shown = _pulled(self._shown(texts, np.random.default_rng(state[1])), spelling.letter_frames, options, dice)
        hand, wrist, still = _between(shown, spelling, moments)
        hand = trembling(_turned(hand, moments, options, dice), still, moments, options, dice)
        points = _pictured(HAND_LENGTH * hand, wrist, moments, spelling, options, dice)
        padded = torch.full((len(texts), int(moments.lengths.max()), 42, 3), torch.nan)
        padded[torch.arange(padded.shape[1]) < moments.lengths[:, None]] = points
        return SyntheticBatch(padded, moments.lengths, list(texts), spelling.letters_s, fps, spelling.letter_frames)

    def _shown(self, texts: Sequence[str], random: np.random.Generator) -> Tensor:
        """Choose the photos, float32 (B, S, 21, 3): of a rest, a start, the characters, the rests after them.

        A double letter keeps its photo, a rest has that of the next letter, a space lies between its neighbors.
        """
        rows = np.zeros((len(texts), max(map(len, texts)) + 3), np.int64)
        spaces = np.zeros_like(rows, dtype=bool)
        for text, row, space in zip(texts, rows, spaces, strict=True):
            for place, character in enumerate(text, 2):
                same = place > 2 and character in (" ", text[place - 3])
                row[place] = row[place - 1] if same else random.choice(self._rows[character])
                space[place] = character == " "
            row[:2], row[len(text) + 2 :] = row[2], row[len(text) + 1]
        hands = self._hands[torch.from_numpy(rows)]
        between = (hands + hands.roll(-1, 1)) / 2
        return torch.where(torch.from_numpy(spaces)[..., None, None], between, hands)


def sized_hands(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return hands float32 (N, 21, 3) from the wrist, in hand lengths, given any unit; unknown depth becomes 0."""
    hands = np.nan_to_num(points - points[:, :1])
    palm = np.sqrt((hands[:, KNUCKLES] ** 2).sum(-1).mean(1))
    return np.asarray(hands * (PALM / np.maximum(palm, 1e-9))[:, None, None], np.float32)


def _pulled(shown: Tensor, letter_frames: Tensor, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Apply coarticulation to hands (B, S, 21, 3), stronger at higher speed."""
    pull = (0.25 * (9.5 / letter_frames - 0.6)).clamp(0, 0.35)[:, None] * dice.uniform(0.5, 1.5, *shown.shape[:2])
    around = (shown.roll(1, 1) + shown.roll(-1, 1)) / 2
    pull[:, :1] = pull[:, -1:] = 0
    return torch.lerp(shown, around, (options.coarticulation * pull)[..., None, None])


def _between(shown: Tensor, spelling: Spelling, moments: Moments) -> tuple[Tensor, Tensor, Tensor]:
    """Interpolate photos: hands (N, 21, 3) in hand lengths, wrists (N, 3) in shoulder widths, and stillness (N,).

    The progress of each finger comes from the same movement, applied to slot numbers instead of angles.
    """
    slots = shown.shape[1]
    keys = torch.arange(slots).repeat_interleave(KEYS)[:, None].expand_as(spelling.keys).clone().float()
    keys[..., TURN], keys[..., -3:] = 1.0, spelling.keys[..., -3:]
    arcs = torch.cat([torch.zeros_like(spelling.arcs[..., :-3]), spelling.arcs[..., -3:]], -1)
    values, still = moved(replace(spelling, keys=keys, arcs=arcs), moments)
    way = values[:, CHANNEL_OF].clamp(0, slots - 1)
    slot = way.long().clamp(max=slots - 2)
    text, point = moments.text[:, None], torch.arange(21)
    hand = torch.lerp(shown[text, slot, point], shown[text, slot + 1, point], (way - slot)[..., None])
    return hand, values[:, -3:], still


def _turned(hand: Tensor, moments: Moments, options: SyntheticOptions, dice: Dice) -> Tensor:
    """Slowly rotate hands (N, 21, 3) in the picture, and stretch them."""
    turn, stretch = swing(moments, (0.35, 0.25), dice).unbind(-1)
    angle = options.wrist * (ROLL * turn + ROLL * dice.normal(len(moments.lengths))[moments.text])[:, None]
    x, y, z = ((options.camera * STRETCH * stretch).exp()[:, None, None] * hand).unbind(-1)
    return torch.stack([angle.cos() * x - angle.sin() * y, angle.sin() * x + angle.cos() * y, z], -1)


def _pictured(
    hand: Tensor, wrist: Tensor, moments: Moments, spelling: Spelling, options: SyntheticOptions, dice: Dice
) -> Tensor:
    """Return both hands (N, 42, 3) in pictures; some clips are mirrored (left-handed), some frames have no hand."""
    text, camera = moments.text, place_cameras(spelling.home, options, dice)
    plane = torch.einsum("nij,npj->npi", camera.plane[text], (hand + wrist[:, None])[..., :2])
    plane = plane + camera.middle[text][:, None]
    seen = torch.cat([plane, camera.depth[text][:, None, None] * hand[..., 2:]], -1)
    outside = ((plane > 0) & (plane < 1)).all(-1).float().mean(1) < LEAST_INSIDE
    seen[missed(moments, MOST_MISSED * options.gaps, dice) | outside] = torch.nan
    left = dice.chance(options.left, len(moments.lengths))[text]
    seen[left, :, 0] = 1 - seen[left, :, 0]
    points = torch.full((len(text), 42, 3), torch.nan)
    points[left, :21], points[~left, 21:] = seen[left], seen[~left]
    return points
