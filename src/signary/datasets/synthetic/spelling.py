"""Synthetic spelling: any text to landmarks with exact labels, as much as training needs.

Texts (`texts`) become handshapes of real people (`shapes`), joined by transitions (`movement`), with a body and a
camera (`body`) and detector errors (`noise`). Every kind of realism has a strength, 0 = off.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from signary.avatar.body import HAND_LENGTH, OTHER_WRIST
from signary.avatar.hand import HandBuild, hand_points
from signary.avatar.handshapes import JOINTS
from signary.datasets.synthetic.body import BODY_POINTS, Bodies, Camera, place_cameras, swing
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.movement import FPS, TURN, Spelling, moved, spell
from signary.datasets.synthetic.noise import FACE_MISSED, MOST_MISSED, flipped, given, missed, shake, trembling
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.shapes import REST, Shapes, quaternion_product, quaternion_turn, vector_quaternion
from signary.datasets.synthetic.texts import PhraseMaker, check_spelled
from signary.errors import ConfigError, InputError
from signary.features.select import SelectPoints
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, POSE, RIGHT_HAND
from signary.text.characters import CharacterVocabulary

HAND_POINTS = (*range(LEFT_HAND.start, LEFT_HAND.stop), *range(RIGHT_HAND.start, RIGHT_HAND.stop))
WRIST_HZ, SWAY_HZ = (0.35, 0.35, 0.35), (0.25, 0.25, 0.4)
WRIST_TURN, HOLD_TURN, SWAY = 0.1, 0.15, 0.02  # radians, radians, shoulder widths
OTHER_MISSED = 0.45
USUAL_FPS = 0.6  # share of cameras with 30 fps
LEAST_INSIDE = 0.4  # a hand with a smaller share in the picture is not detected


@dataclass(frozen=True, eq=False)
class SyntheticBatch:
    """B clips of spelling with exact labels.

    Parameters
    ----------
    points : float32 (B, T, P, 3)
        Image-normalized, as in `LandmarkSequence`; NaN = not seen, and after a clip's end.
    lengths : int64 (B,)
        Frames of each clip.
    texts : list of str
    letters_s : float32 (B, L, 2)
        Start and end of each character in seconds from the first frame: its shape is reached, its shape is left; NaN
        after a text's end.
    fps : float32 (B,)
    letter_frames : float32 (B,)
        Mean frames per character, at 30 fps.
    """

    points: Tensor
    lengths: Tensor
    texts: list[str]
    letters_s: Tensor
    fps: Tensor
    letter_frames: Tensor


class SyntheticSpelling:
    """Generator of synthetic spelling.

    Parameters
    ----------
    points : SelectPoints
        Points to generate; lips, nose, eyes, hands and upper body are available.
    options : SyntheticOptions, optional
    split : {"train", "test"}
        The two share no words and no people.
    seed : int
        The same seed gives the same batches.
    device : torch.device or str

    Raises
    ------
    ConfigError
        If a point is not available.
    InputError
        If the split is unknown.

    Examples
    --------
    >>> source = SyntheticSpelling(SelectPoints(["left_hand", "right_hand"]))
    >>> source.draw(2, texts=["anna", "main street 42"]).points.shape[::2]
    torch.Size([2, 42])
    """

    def __init__(
        self,
        points: SelectPoints,
        options: SyntheticOptions | None = None,
        *,
        split: str = "train",
        seed: int = 0,
        device: torch.device | str = "cpu",
    ) -> None:
        self.options, self.split, self.seed, self.device = options or SyntheticOptions(), split, seed, device
        self.drawn = 0
        self._shapes = Shapes(split, self.options, device)
        self._phrases = PhraseMaker(split, self.options.texts)
        self._vocabulary = CharacterVocabulary()
        asked = points.index.tolist()
        unknown = [HOLISTIC_543.points[point] for point in asked if point not in {*BODY_POINTS, *HAND_POINTS}]
        if unknown:
            raise ConfigError(f"{unknown[0]}: not made", hint="lips, nose, eyes, hands and upper body are")
        body = {point for point in asked if point in BODY_POINTS}
        body |= {HOLISTIC_543.mirror[point] for point in body}
        self._bodies = Bodies(tuple(sorted(body)), self.options, device)
        made = [*self._bodies.points, *HAND_POINTS]
        self._asked, self._mirror = (
            torch.tensor([3 * made.index(point) + axis for point in chosen for axis in range(3)], device=device)
            for chosen in (asked, [HOLISTIC_543.mirror[point] for point in asked])
        )

    @torch.no_grad()
    def draw(self, count: int, *, texts: Sequence[str] | None = None, number: int | None = None) -> SyntheticBatch:
        """Generate clips.

        Parameters
        ----------
        count : int
            B, 1 or more.
        texts : sequence of str, optional
            B texts to spell; by default random ones of this split.
        number : int, optional
            Number of the batch for this seed; by default the next.

        Raises
        ------
        InputError
            If the number of texts is not B, or a text cannot be spelled.
        """
        given = count if texts is None else len(texts)
        if count < 1 or given != count:
            raise InputError(f"count={count} for {given} texts", hint="one text a clip, 1 or more")
        number = self.drawn if number is None else number
        self.drawn = number + 1
        state = np.random.SeedSequence((self.seed, number)).generate_state(2).tolist()
        dice = Dice(state[0], self.device)
        chosen = self._phrases.draw(count, np.random.default_rng(state[1])) if texts is None else list(texts)
        check_spelled(chosen)
        numbers, lengths = (torch.from_numpy(part).to(self.device) for part in self._vocabulary.encode_many(chosen))
        spelling = spell(numbers, lengths, self.options, self._shapes, dice)
        fps = self._rates(spelling.letter_frames, dice)
        moments = Moments.of(spelling.durations_s, fps)
        points = self._seen(spelling, moments, dice)
        padded = torch.full((count, int(moments.lengths.max()), *points.shape[1:]), torch.nan, device=self.device)
        valid = torch.arange(padded.shape[1], device=self.device) < moments.lengths[:, None]
        padded[valid] = points
        return SyntheticBatch(padded, moments.lengths, chosen, spelling.letters_s, fps, spelling.letter_frames)

    def _rates(self, letter_frames: Tensor, dice: Dice) -> Tensor:
        low, high = self.options.fps
        fps = low * (high / low) ** dice.uniform(0, 1, len(letter_frames))
        usual = torch.full_like(fps, min(max(FPS, low), high))
        fps = torch.where(dice.chance(USUAL_FPS, len(fps)), usual, fps)
        return torch.maximum(fps, self.options.least_frames * FPS / letter_frames).clamp(max=max(high, FPS))

    def _seen(self, spelling: Spelling, moments: Moments, dice: Dice) -> Tensor:
        """Return what the detector sees in all frames, float32 (N, P, 3)."""
        text, batch, options = moments.text, len(moments.lengths), self.options
        left_handed = dice.chance(options.left, batch)
        camera = place_cameras(spelling.home, options, dice)
        sway = SWAY * options.drift * swing(moments, SWAY_HZ, dice)
        shape, wrist, still = self._hand(spelling, moments, camera, dice)
        wrist = (wrist + sway)[:, None]
        shape = HAND_LENGTH * trembling(shape, still, moments, options, dice)
        right = _projected(shape, wrist, camera, text)
        right[missed(moments, MOST_MISSED * options.gaps, dice) | ~_inside(right)] = torch.nan
        left = self._other_hand(moments, sway, camera, dice)
        swapped = flipped(moments, options, dice).nonzero()[:, 0]
        left[swapped], right[swapped] = right[swapped], left[swapped]
        if (some := given(batch, options, dice)) is not None:
            lost = ~some[text]
            left[lost] = right[lost] = torch.nan
        hands = (part.flatten(1) for part in (left, right))
        body = self._body(moments, sway, camera, wrist + shape, dice).flatten(1)
        made = torch.cat([body, *hands] if body.shape[1] else [*hands], 1)
        points = made.index_select(1, self._asked).view(len(text), -1, 3)
        rows = left_handed[text].nonzero()[:, 0]
        mirrored = made[rows].index_select(1, self._mirror).view(len(rows), *points.shape[1:])
        mirrored[..., 0] = 1 - mirrored[..., 0]
        points[rows] = mirrored
        return points

    def _hand(self, spelling: Spelling, moments: Moments, camera: Camera, dice: Dice) -> tuple[Tensor, Tensor, Tensor]:
        """Return the signing hand (N, 21, 3) from its wrist, in hand lengths, and the wrist (N, 3), in shoulder widths.

        Both are in camera view. The third result is whether the hand is still, float32 (N,).
        """
        text, batch = moments.text, len(moments.lengths)
        values, still = moved(spelling, moments)
        turn = WRIST_TURN * swing(moments, WRIST_HZ, dice) + (HOLD_TURN * dice.normal(batch, 3))[text]
        turn = quaternion_product(vector_quaternion(self.options.wrist * turn), values[:, TURN])
        view = camera.turn[text]
        size = (0.1 * self.options.camera * dice.normal(batch)).exp()[text]
        build = HandBuild(*(part[text] for part in vars(spelling.build).values()))
        hand = hand_points(values[:, :JOINTS], size[:, None, None] * (view @ quaternion_turn(turn)), build, torch)
        return hand, (view @ values[:, JOINTS + 4 :, None])[..., 0], still

    def _other_hand(self, moments: Moments, sway: Tensor, camera: Camera, dice: Dice) -> Tensor:
        """Return the other hand (N, 21, 3), at rest in the picture or not visible."""
        batch, text = len(moments.lengths), moments.text
        slots = torch.full((batch, 1), REST, device=text.device)
        pose = self._shapes.poses(slots, 0 * slots, dice)[:, 0, 0]
        build = self._shapes.builds(batch, dice)
        hand = HAND_LENGTH * hand_points(pose[:, :JOINTS], quaternion_turn(pose[:, JOINTS:]), build, torch)
        hand = hand * torch.tensor([-1, -1, 1], device=text.device)  # a left hand, hanging
        at = torch.tensor(OTHER_WRIST, device=text.device) + 0.25 * dice.normal(batch, 3)
        seen = dice.chance(self.options.other_hand, batch)[text]
        seen &= ~missed(moments, OTHER_MISSED * self.options.gaps, dice)
        rows = seen.nonzero()[:, 0]
        text = text[rows]
        points = torch.full((len(seen), 21, 3), torch.nan, device=text.device)
        points[rows] = _projected(hand[text], (at[text] + sway[rows])[:, None], camera, text)
        points[rows[~_inside(points[rows])]] = torch.nan
        return points

    def _body(self, moments: Moments, sway: Tensor, camera: Camera, hand: Tensor, dice: Dice) -> Tensor:
        """Return face and body (N, P, 3); the face is missing in some frames."""
        if not self._bodies.points:
            return hand[:, :0]
        points = shake(self._bodies.draw(moments, sway, camera, hand, dice), self.options, dice)
        face = sum(point < POSE.start for point in self._bodies.points)
        lost = missed(moments, FACE_MISSED * self.options.gaps, dice)
        points[lost.nonzero()[:, 0], :face] = torch.nan
        return points


def _projected(hand: Tensor, wrist: Tensor, camera: Camera, text: Tensor) -> Tensor:
    """Project hands (N, 21, 3), given relative to their wrists (N, 1, 3), into the picture; depth is from the wrist."""
    (x, y), plane = (hand[..., :2] + wrist[..., :2]).unbind(-1), camera.plane[text][..., None]
    across, down = camera.middle[text][..., None].unbind(1)
    across = torch.addcmul(across + plane[:, 0, 0] * x, plane[:, 0, 1], y)
    down = torch.addcmul(down + plane[:, 1, 0] * x, plane[:, 1, 1], y)
    return torch.stack([across, down, camera.depth[text][:, None] * hand[..., 2]], -1)


def _inside(hand: Tensor) -> Tensor:
    """Return which hands (N, 21, 3) are far enough in the picture to be detected, bool (N,)."""
    some = hand[:, ::4, :2]
    return ((some > 0) & (some < 1)).all(-1).float().mean(1) >= LEAST_INSIDE
