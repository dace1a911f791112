"""Options of synthetic spelling."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SyntheticOptions(BaseModel):
    """Options of synthetic spelling; for strengths, 1 is realistic and 0 is off.

    Parameters
    ----------
    texts : dict of str to float
        Relative frequency of each kind of phrase.
    letter_frames : tuple of float
        Minimum, median and maximum of a phrase's mean frames per character, at 30 fps; log-normal.
    letter_spread : float
        Standard deviation of its logarithm.
    transition : tuple of float
        Minimum and maximum share of a character's time spent on the transition to it.
    shortest_slot : float
        Minimum frames per character, at 30 fps.
    variation, blend, bones : float
        Variation of one person's handshapes, blending of people, variation of bone lengths.
    strangers : float
        Distance of handshapes from those of the known people: at 1, in some clips as large as between these people,
        in most clips less.
    coarticulation : float
        Influence of neighboring shapes, stronger at higher speed.
    asynchrony : float
        Delay between fingers.
    drift, wrist : float
        Drift of the hand's position and rotation.
    rests : float
        Rest before and after.
    false_starts, left, other_hand : float
        Share of clips with a false start, with a left-handed signer, with the second hand visible.
    looks, body_motion : float
        Variation between signers, and their movement.
    camera : float
        Variation of view, distance, position and aspect.
    fps : tuple of float
        Minimum and maximum frames a second.
    least_frames : float
        Minimum mean frames per character; the frame rate is raised where needed.
    noise, gaps : float
        Of the detector.
    flips : float
        Share of clips in which left and right hand are swapped for a moment.
    sparse : float
        Share of clips whose detector gives only some points of a hand, half of them without depth.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    texts: dict[str, float] = {"name": 1.0, "words": 1.0, "phone": 1.0, "address": 1.0, "url": 1.0}
    letter_frames: tuple[float, float, float] = (3.5, 9.5, 18.0)
    letter_spread: float = Field(0.45, ge=0)
    transition: tuple[float, float] = (0.35, 0.75)
    shortest_slot: float = Field(1.5, gt=0)
    variation: float = Field(1.0, ge=0)
    blend: float = Field(1.0, ge=0, le=1)
    bones: float = Field(1.0, ge=0, le=1)
    strangers: float = Field(0.0, ge=0)
    coarticulation: float = Field(1.0, ge=0)
    asynchrony: float = Field(1.0, ge=0, le=1)
    drift: float = Field(1.0, ge=0)
    wrist: float = Field(1.0, ge=0)
    rests: float = Field(1.0, ge=0)
    false_starts: float = Field(0.05, ge=0, le=1)
    left: float = Field(0.15, ge=0, le=1)
    other_hand: float = Field(0.2, ge=0, le=1)
    looks: float = Field(1.0, ge=0)
    body_motion: float = Field(1.0, ge=0)
    camera: float = Field(1.0, ge=0)
    fps: tuple[float, float] = (10.0, 60.0)
    least_frames: float = Field(2.5, gt=0)
    noise: float = Field(1.0, ge=0)
    gaps: float = Field(1.0, ge=0, le=2)
    flips: float = Field(0.03, ge=0, le=1)
    sparse: float = Field(0.0, ge=0, le=1)
