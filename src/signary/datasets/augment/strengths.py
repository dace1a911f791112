"""Strengths of the augmentations: the options that recipes set."""

from __future__ import annotations

from typing import Annotated, Self

from annotated_types import Le
from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Size = Annotated[float, Field(ge=0)]


class Strengths(BaseModel):
    """Strengths of one kind of augmentation; unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class HandStrengths(Strengths):
    """Options of `signary.datasets.augment.hands.HandAugment`.

    Parameters
    ----------
    roll_deg, tilt_deg : float
        Largest rotation in the picture, and of the camera about the other two axes.
    bend_deg : float
        Standard deviation of a bone's rotation.
    bone : float
        Standard deviation of the factor on bone and finger lengths.
    jitter : float
        Standard deviation of point noise, in hand sizes; twice that in depth.
    stretch : float
        Largest log factor between width and height, for pictures of unknown aspect.
    depth : float
        Largest relative change of depth.
    flip, flat : float
        Share of hands taken for the other side, and without depth.
    """

    roll_deg: Size = 20.0
    tilt_deg: Size = 25.0
    bend_deg: Size = 6.0
    bone: Size = 0.08
    jitter: Size = 0.02
    stretch: Size = 0.25
    depth: float = Field(0.5, ge=0, lt=1)
    flip: Share = 0.2
    flat: Share = 0.2


class PictureStrengths(Strengths):
    """Options of `signary.datasets.augment.pictures.PictureAugment`; all 0 = off.

    Parameters
    ----------
    turn_deg : float
        Largest rotation.
    zoom, light, color : float
        Largest log factor of size, of brightness and gamma, and between the color channels.
    shift, perspective : float
        In half pictures: largest shift, and how much nearer one side may be.
    flip, grey, blur : float
        Share of pictures that are mirrored, made grey, blurred.
    noise : float
        Largest standard deviation of the noise, 0 to 1.
    cover, background : float
        Share of pictures with a rectangle, or the area far from the center, taken from another picture.
    """

    turn_deg: Size = 0.0
    zoom: Size = 0.0
    shift: Size = 0.0
    perspective: float = Field(0.0, ge=0, lt=0.5)
    flip: Share = 0.0
    light: Size = 0.0
    color: Size = 0.0
    grey: Share = 0.0
    blur: Share = 0.0
    noise: Size = 0.0
    cover: Share = 0.0
    background: Share = 0.0


class ClipStrengths(Strengths):
    """Options of `signary.datasets.augment.clips.ClipAugment`; all shares 0 = off.

    Parameters
    ----------
    resample, flip, affine, frames_lost, box_lost, hand_lost, hands_gone : float
        Share of clips that are slowed down or sped up, mirrored, seen by another camera, without 20 % to 40 % of the
        frames, without the points in a box of the picture, without a hand (each) for 10 % to 50 % of the clip, without
        hands in many gaps of up to 90 % of the clip.
    speed, warp : float
        Largest relative change of length, and how unevenly it is spread.
    trim : float
        Largest share cut off at each end.
    scale, shear, shift : float
        Of the camera: largest relative change of size, shear, and shift in picture widths.
    turn_deg : float
        Largest rotation in the picture.
    hand_turn_deg, hand_size, hand_shift : float
        Of each hand by itself: largest rotation, log factor of size, shift in picture widths.
    jitter : float
        Standard deviation of the noise, in picture widths.
    """

    resample: Share = 0.0
    speed: float = Field(0.5, ge=0, lt=1)
    warp: Share = 0.0
    trim: float = Field(0.0, ge=0, lt=0.5)
    flip: Share = 0.0
    affine: Share = 0.0
    scale: float = Field(0.2, ge=0, lt=1)
    shear: Size = 0.15
    turn_deg: Size = 30.0
    shift: Size = 0.1
    hand_turn_deg: Size = 0.0
    hand_size: Size = 0.0
    hand_shift: Size = 0.0
    jitter: Size = 0.0
    hand_lost: Share = 0.0
    hands_gone: Share = 0.0
    frames_lost: Share = 0.0
    box_lost: Share = 0.0


class SpellingStrengths(Strengths):
    """Options of `signary.datasets.augment.spelling` and `signary.datasets.augment.mix`.

    The defaults are those of the published final network, as the rates at which each change really occurred there, and
    with the box, which had no effect there. `SMALL_AUGMENT` has those of its first round.

    Parameters
    ----------
    flip, stretch, warp, begin, affine, fingers_lost, frames_lost, box_lost : float
        Share of clips that are mirrored, made longer or shorter, sped up and slowed down in parts, started later or
        earlier, seen by another camera, without some fingers for two spans, without some frames, without the points in
        a small box.
    pose_lost, face_lost, hands_lost : float
        Share without body, face, both hands: at most one of these.
    mix : float
        Share joined with another clip of the same signer, if there is one.
    letters_hidden : float
        Share of the previous letters that are masked for the decoder.
    shortest, longest : float
        Factors of length.
    warp_by : float
        Largest relative change of a chunk, 1/20 to 1/29 of the clip.
    begin_frames : int
        Most frames dropped, or (one fewer) added, at the start.
    scale, shear, shift : float
        Of the camera: largest relative change of size, shear, and shift in standard deviations of the clip's points.
    turn_deg : float
        Largest rotation in the picture.
    fewest_fingers, most_fingers : int
        Lost at a time, of ten.
    fingers_redrawn : bool
        Draw twelve lost fingers with replacement, 7.2 of ten on average, as the published code does.
    holes : list of int
        Numbers of spans that the lost frames may form, all equally likely; together 0.2 to 0.4 of the clip.
    """

    flip: Share = 0.5
    stretch: Share = 0.8
    warp: Share = 0.25
    begin: Share = 0.5
    affine: Share = 0.75
    fingers_lost: Share = 0.5625
    pose_lost: Share = 0.265
    face_lost: Share = 0.189
    hands_lost: Share = 0.091
    frames_lost: Share = 0.5
    box_lost: Share = 0.5
    mix: Share = 0.5
    letters_hidden: Share = 0.2
    shortest: float = Field(0.3, gt=0)
    longest: float = Field(2.0, gt=0)
    warp_by: float = Field(0.1, ge=0, lt=1)
    begin_frames: int = Field(10, ge=1)
    scale: float = Field(0.3, ge=0, lt=1)
    shear: Size = 0.2
    turn_deg: Size = 30.0
    shift: Size = 0.15
    fewest_fingers: int = Field(2, ge=0, le=10)
    most_fingers: int = Field(6, ge=0, le=10)
    fingers_redrawn: bool = False
    holes: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 4], min_length=1)

    @classmethod
    def only(cls, **strengths: object) -> Self:
        """Return only these changes: shares that are not named are 0."""
        shares = [name for name, field in cls.model_fields.items() if Le(1) in field.metadata]
        return cls.model_validate(dict.fromkeys(shares, 0.0) | strengths)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        for least, most in (("shortest", "longest"), ("fewest_fingers", "most_fingers")):
            if getattr(self, least) > getattr(self, most):
                raise ValueError(f"{least}={getattr(self, least)}, must be at most {most}={getattr(self, most)}")
        lost = self.pose_lost + self.face_lost + self.hands_lost
        if lost > 1:
            raise ValueError(f"pose_lost + face_lost + hands_lost = {lost:g}, must be at most 1")
        return self


SMALL_AUGMENT = SpellingStrengths(
    shortest=0.5,
    longest=1.5,
    warp=0,
    begin=0,
    scale=0.2,
    shear=0.15,
    shift=0.1,
    fingers_lost=0,
    pose_lost=0,
    face_lost=0,
    hands_lost=0,
    holes=[1],
)
