"""Text to movement: all points of a fingerspelling signer at any time.

A text becomes a plan of key poses with times: hold, transition, hold; a slide between double letters, strokes for J and
Z, a dip between words. Between keys every joint moves with minimum jerk (Flash and Hogan, 1985). Faster spelling has
shorter holds and stronger coarticulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from signary.avatar.body import HAND_LENGTH, body_points
from signary.avatar.hand import Floats, HandBuild, hand_points, quaternion_turn
from signary.avatar.handshapes import JOINTS, HandshapeBank, load_handshapes, spellable
from signary.avatar.keys import SpelledLetter, lay_out, near_sides, smooth_step
from signary.errors import InputError
from signary.landmarks.sequence import LEFT, RIGHT, LandmarkSequence
from signary.landmarks.skeleton import HOLISTIC_543
from signary.ranges import FPS as FPS_HINT
from signary.ranges import above_zero

CHUNK_FRAMES = 256


@dataclass(frozen=True, slots=True)
class SpellOptions:
    """Options of spelling.

    Parameters
    ----------
    speed : float
        Letters a second, above 0; people spell 2 to 8.
    hand : {"right", "left"}
        The signer's own.
    shapes_of, build_of : str, optional
        People of the bank whose handshapes, and whose bones, are used; see `HandshapeBank.default_person`.
    variation : float
        Variation of handshapes, in standard deviations of that person.
    drift : float
        Drift of hand and body, 0 = none.
    aspect : float
        Width / height of the picture.
    zoom : float
        Shoulder width in picture widths.
    seed : int
    """

    speed: float = 2.0
    hand: str = RIGHT
    shapes_of: str | None = None
    build_of: str | None = None
    variation: float = 0.35
    drift: float = 1.0
    aspect: float = 1.0
    zoom: float = 0.48
    seed: int = 0

    def __post_init__(self) -> None:
        above_zero("2 letters a second is calm", speed=self.speed, aspect=self.aspect, zoom=self.zoom)
        if self.hand not in (LEFT, RIGHT):
            raise InputError(f"hand={self.hand!r}, must be 'left' or 'right'", hint="the signer's own side")


@dataclass(frozen=True, eq=False)
class SpellingPlan:
    """Key poses of B texts, each row padded with its last key.

    Parameters
    ----------
    texts : tuple of str
        Capitals, digits, single spaces.
    letters : tuple of tuple of SpelledLetter
        Start and end of each letter.
    times_s : float64 (B, K)
        Rising.
    angles : float32 (B, K, 22)
    turns : float32 (B, K, 4)
        Unit quaternions, each near the one before.
    places : float32 (B, K, 3)
        Wrist positions, shoulder widths.
    build : HandBuild
        Of each text, (B, ...).
    phases : float32 (B, 4, 3)
        Of the drift.
    options : SpellOptions
    """

    texts: tuple[str, ...]
    letters: tuple[tuple[SpelledLetter, ...], ...]
    times_s: NDArray[np.float64]
    angles: Floats
    turns: Floats
    places: Floats
    build: HandBuild
    phases: Floats
    options: SpellOptions

    @property
    def duration_s(self) -> float:
        """Duration of the longest text in seconds."""
        return float(self.times_s[:, -1].max())

    def points(self, times_s: NDArray[np.float64]) -> Floats:
        """Return the points of all texts at given times.

        Parameters
        ----------
        times_s : float64 (T,)

        Returns
        -------
        float32 (B, T, 543, 3)
            ``HOLISTIC_543`` in the units of `LandmarkSequence`. The other hand rests below the picture: NaN.
        """
        angles, turns, wrist = self._between(np.asarray(times_s, np.float64))
        build = HandBuild(self.build.palm[:, None], self.build.bones[:, None], self.build.twist[:, None])
        hand = hand_points(angles, quaternion_turn(turns), build) * np.float32(HAND_LENGTH)
        sway = self._drift(times_s)
        points = body_points(hand, wrist + 2.5 * sway, sway, zoom=self.options.zoom, aspect=self.options.aspect)
        if self.options.hand == LEFT:
            points = points[:, :, list(HOLISTIC_543.mirror)]
            points[..., 0] = 1 - points[..., 0]
        return points

    def sequence(self, fps: float = 30.0, text: int = 0) -> LandmarkSequence:
        """Return a whole text as a clip."""
        parts = list(self.chunks(fps, text))
        times = np.concatenate([times for times, _ in parts])
        return LandmarkSequence(np.concatenate([points for _, points in parts]), times, aspect=self.options.aspect)

    def frame_count(self, fps: float, text: int = 0) -> int:
        """Return the number of frames of a text.

        Raises
        ------
        InputError
            If ``fps`` is not above 0.
        """
        above_zero(FPS_HINT, fps=fps)
        return int(np.ceil(self.times_s[text, -1] * fps)) + 1

    def chunks(self, fps: float = 30.0, text: int = 0) -> Iterator[tuple[NDArray[np.float64], Floats]]:
        """Yield times (T,) and points (T, 543, 3) of a text, a few seconds at a time, to bound memory."""
        count, alone = self.frame_count(fps, text), self.only(text)
        for start in range(0, count, CHUNK_FRAMES):
            times = np.arange(start, min(start + CHUNK_FRAMES, count)) / fps
            yield times, alone.points(times)[0]

    def only(self, text: int) -> SpellingPlan:
        """Return the plan of one of the texts."""
        row = slice(text, text + 1)
        build = HandBuild(self.build.palm[row], self.build.bones[row], self.build.twist[row])
        arrays = (self.times_s[row], self.angles[row], self.turns[row], self.places[row])
        return SpellingPlan(self.texts[row], self.letters[row], *arrays, build, self.phases[row], self.options)

    def _between(self, times: NDArray[np.float64]) -> tuple[Floats, Floats, Floats]:
        """Interpolate keys: angles (B, T, 22), unit quaternions (B, T, 4) and wrists (B, T, 3)."""
        batch, keys = self.times_s.shape
        after = self.duration_s + 1.0  # rows are concatenated with offsets, for one search over all
        offset = np.arange(batch)[:, None] * after
        ladder = (np.minimum(self.times_s, after) + offset).ravel()
        asked = np.clip(times, 0, self.duration_s)[None] + offset
        flat = np.searchsorted(ladder, asked, side="right").reshape(batch, -1) - 1
        first = np.clip(flat, np.arange(batch)[:, None] * keys, np.arange(batch)[:, None] * keys + keys - 2)
        span = np.maximum(ladder[first + 1] - ladder[first], 1e-9)
        share = smooth_step(np.clip((asked - ladder[first]) / span, 0, 1)).astype(np.float32)[..., None]

        def mixed(values: Floats) -> Floats:
            rows = values.reshape(batch * keys, -1)
            return np.asarray(rows[first] + share * (rows[first + 1] - rows[first]))

        turns = mixed(self.turns)
        return mixed(self.angles), turns / np.linalg.norm(turns, axis=-1, keepdims=True), mixed(self.places)

    def _drift(self, times: NDArray[np.float64]) -> Floats:
        """Return the slow drift (B, T, 3) of the body, shoulder widths."""
        pace = np.array([0.17, 0.31, 0.53, 0.9])[:, None, None] * 2 * np.pi
        waves = np.sin(pace * times[:, None] + self.phases[:, :, None, :]).mean(1)
        return np.asarray(waves * (0.012 * self.options.drift), np.float32)


def plan_spelling(
    texts: str | Sequence[str],
    options: SpellOptions | None = None,
    *,
    bank: HandshapeBank | None = None,
    skip_unknown: bool = False,
) -> SpellingPlan:
    """Plan the spelling of texts.

    Parameters
    ----------
    texts : str or sequence of str
    options : SpellOptions, optional
    bank : HandshapeBank, optional
        The package's own by default.
    skip_unknown : bool
        Leave out characters without a handshape.

    Returns
    -------
    SpellingPlan

    Raises
    ------
    InputError
        If a text has characters without a handshape, or nothing to spell.
    """
    options, bank = options or SpellOptions(), bank or load_handshapes()
    written = [spellable(text, skip_unknown=skip_unknown) for text in ([texts] if isinstance(texts, str) else texts)]
    random = np.random.default_rng(options.seed)
    poses_of = partial(bank.poses, people=options.shapes_of, variation=options.variation, random=random)
    plans = [lay_out(text, options.speed, poses_of) for text in written]
    length = max(len(keys.times) for keys, _ in plans)
    filled = [keys.filled(length) for keys, _ in plans]
    builds = np.array([bank.person(options.build_of or bank.default_person("A"))] * len(written))
    return SpellingPlan(
        texts=tuple(written),
        letters=tuple(letters for _, letters in plans),
        times_s=np.stack([keys.times for keys in filled]),
        angles=np.stack([keys.poses[:, :JOINTS] for keys in filled]),
        turns=near_sides(np.stack([keys.poses[:, JOINTS:] for keys in filled])),
        places=np.stack([keys.places for keys in filled]),
        build=bank.build_of(builds),
        phases=random.uniform(0, 2 * np.pi, (len(written), 4, 3)).astype(np.float32),
        options=options,
    )
