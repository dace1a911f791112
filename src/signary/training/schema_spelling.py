"""The fields of recipes of continuous fingerspelling, and their defaults."""

from __future__ import annotations

from typing import Annotated, Self

from annotated_types import Le
from pydantic import Field, model_validator

from signary.training.schema import Part

Share = Annotated[float, Field(ge=0, le=1)]


class SpellingAugment(Part):
    """Strengths of the random changes; see `signary.datasets.spelling_augment` and `signary.datasets.spelling_mix`.

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


SMALL_AUGMENT = SpellingAugment(
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
