"""How strong the random changes are: the options of the augmentations, as recipes give them."""

from __future__ import annotations

from typing import Annotated, Self

from annotated_types import Le
from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]


class Strengths(BaseModel):
    """How strong the changes of one kind are: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class HandStrengths(Strengths):
    """Strengths of the random changes; see `signary.datasets.augment.hands.HandAugment`.

    Parameters
    ----------
    roll_deg, tilt_deg : float
        Largest turn in the picture, and of the camera about the other two axes.
    bend_deg : float
        Standard deviation of a bone's turn.
    bone : float
        Standard deviation of the factor on bone and finger lengths.
    jitter : float
        Standard deviation of the noise on points, in hand sizes; twice that in depth.
    stretch : float
        Largest log factor between width and height, for pictures of unknown aspect.
    depth : float
        Largest relative change of depth.
    flip, flat : float
        Share of hands taken for the other side, and without depth.
    """

    roll_deg: float = Field(20.0, ge=0)
    tilt_deg: float = Field(25.0, ge=0)
    bend_deg: float = Field(6.0, ge=0)
    bone: float = Field(0.08, ge=0)
    jitter: float = Field(0.02, ge=0)
    stretch: float = Field(0.25, ge=0)
    depth: float = Field(0.5, ge=0, lt=1)
    flip: float = Field(0.2, ge=0, le=1)
    flat: float = Field(0.2, ge=0, le=1)


class PictureStrengths(Strengths):
    """Strengths of the random changes; see `signary.datasets.augment.pictures.PictureAugment`. All 0: none.

    Parameters
    ----------
    turn_deg : float
        Largest turn in the picture.
    zoom, light, color : float
        Largest log factor of size, of brightness and gamma, and between the color channels.
    shift, perspective : float
        In half pictures: largest shift, and how much nearer one side may be.
    flip, grey, blur : float
        Share of pictures that are mirrored, made grey, made soft.
    noise : float
        Largest standard deviation of the noise, 0 to 1.
    cover, background : float
        Share of pictures a rectangle of which, or what is far from the middle, is taken from another picture.
    """

    turn_deg: float = Field(0.0, ge=0)
    zoom: float = Field(0.0, ge=0)
    shift: float = Field(0.0, ge=0)
    perspective: float = Field(0.0, ge=0, lt=0.5)
    flip: float = Field(0.0, ge=0, le=1)
    light: float = Field(0.0, ge=0)
    color: float = Field(0.0, ge=0)
    grey: float = Field(0.0, ge=0, le=1)
    blur: float = Field(0.0, ge=0, le=1)
    noise: float = Field(0.0, ge=0)
    cover: float = Field(0.0, ge=0, le=1)
    background: float = Field(0.0, ge=0, le=1)


class ClipStrengths(Strengths):
    """Strengths of the random changes; see `signary.datasets.augment.clips.ClipAugment`. All 0: none.

    Parameters
    ----------
    resample, flip, affine, frames_lost, box_lost, hand_lost, hands_gone : float
        Share of clips that are slowed down or sped up, mirrored, seen by another camera, without two to four tenths
        of the frames, without what lies in a box of the picture, without a hand (each) for a tenth to half of it,
        without hands in up to nine tenths of it, again and again.
    speed, warp : float
        Largest relative change of length, and how unevenly it is spread.
    trim : float
        Largest share cut off at each end.
    scale, shear, shift : float
        Of the camera: largest relative change of size, shear, and way in picture widths.
    turn_deg : float
        Largest turn in the picture.
    hand_turn_deg, hand_size, hand_shift : float
        Of each hand by itself: largest turn, log factor of size, way in picture widths.
    jitter : float
        Standard deviation of the noise, in picture widths.
    """

    resample: float = Field(0.0, ge=0, le=1)
    speed: float = Field(0.5, ge=0, lt=1)
    warp: float = Field(0.0, ge=0, le=1)
    trim: float = Field(0.0, ge=0, lt=0.5)
    flip: float = Field(0.0, ge=0, le=1)
    affine: float = Field(0.0, ge=0, le=1)
    scale: float = Field(0.2, ge=0, lt=1)
    shear: float = Field(0.15, ge=0)
    turn_deg: float = Field(30.0, ge=0)
    shift: float = Field(0.1, ge=0)
    hand_turn_deg: float = Field(0.0, ge=0)
    hand_size: float = Field(0.0, ge=0)
    hand_shift: float = Field(0.0, ge=0)
    jitter: float = Field(0.0, ge=0)
    hand_lost: float = Field(0.0, ge=0, le=1)
    hands_gone: float = Field(0.0, ge=0, le=1)
    frames_lost: float = Field(0.0, ge=0, le=1)
    box_lost: float = Field(0.0, ge=0, le=1)


class SpellingStrengths(Strengths):
    """Strengths of the random changes; see `signary.datasets.augment.spelling` and `signary.datasets.augment.mix`.

    The defaults are what the published final network learned with, once it is worked out how often each change
    really came about, and with the box, which there did nothing. `SMALL_AUGMENT` is its first round's.

    Parameters
    ----------
    flip, stretch, warp, begin, affine, fingers_lost, frames_lost, box_lost : float
        Share of clips that are mirrored, made longer or shorter, sped up here and slowed down there, begun later or
        earlier, seen by another camera, without some fingers twice for a while, without some frames, without what
        lies in a small box.
    pose_lost, face_lost, hands_lost : float
        Share without body, face, both hands: one of these at most.
    mix : float
        Share joined with another clip of the same signer, if there is one.
    letters_hidden : float
        Share of the letters before that a decoder is not shown.
    shortest, longest : float
        Factors of length.
    warp_by : float
        Largest relative change of a twentieth to a thirtieth of the clip.
    begin_frames : int
        Most that are dropped or, nearly, put before.
    scale, shear, shift : float
        Of the camera: largest relative change of size, shear, and way in standard deviations of the clip's points.
    turn_deg : float
        Largest turn in the picture.
    fewest_fingers, most_fingers : int
        Lost at a time, of ten.
    fingers_redrawn : bool
        Lose twelve fingers at a time of which each may be any, 7.2 of ten on average, as the published code does.
    holes : list of int
        In how many stretches the lost frames are, each number as often; together they are 0.2 to 0.4 of the clip.
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
    shear: float = Field(0.2, ge=0)
    turn_deg: float = Field(30.0, ge=0)
    shift: float = Field(0.15, ge=0)
    fewest_fingers: int = Field(2, ge=0, le=10)
    most_fingers: int = Field(6, ge=0, le=10)
    fingers_redrawn: bool = False
    holes: list[Annotated[int, Field(ge=1)]] = Field([1, 2, 4], min_length=1)

    @classmethod
    def only(cls, **strengths: object) -> Self:
        """Return these changes and no others: shares that are not named are 0."""
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
