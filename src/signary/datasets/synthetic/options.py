"""How real made spelling is."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class SyntheticOptions(BaseModel):
    """How spelling is made; of strengths, 1 is as real as it gets and 0 is off.

    Parameters
    ----------
    texts : dict of str to float
        How often each kind of phrase comes beside the others.
    letter_frames : tuple of float
        Least, median and most frames at 30 fps that a phrase's characters take on average; log-normal between.
    letter_spread : float
        Of their logarithm.
    transition : tuple of float
        Least and greatest share of a character's time that is spent on the way to it.
    shortest_slot : float
        Frames at 30 fps that any one character takes.
    variation, blend, bones : float
        How much one person's handshape varies, people are blended, and bones differ.
    strangers : float
        How far shapes lie from those of the people who are known: 1, in some clips as far as theirs do from each
        other, and less in most.
    coarticulation : float
        How much neighbors pull at a shape, the more the faster.
    asynchrony : float
        How much later some fingers start than others.
    drift, wrist : float
        How much the hand wanders, and turns.
    rests : float
        Rest before and after.
    false_starts, left, other_hand : float
        Shares of clips with a shape begun in vain, with a left-handed signer, and with a second hand to be seen.
    looks, body_motion : float
        How much signers differ, and move.
    camera : float
        How much view, distance, place and format vary.
    fps : tuple of float
        Least and most frames a second.
    least_frames : float
        A character takes no fewer frames on average: a camera too slow for the phrase is a faster one.
    noise, gaps : float
        Of the detector.
    flips : float
        Share of clips in which the hand is taken for the other one for a moment.
    sparse : float
        Share of clips whose detector gives but some points of a hand, half of them without depth.
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
