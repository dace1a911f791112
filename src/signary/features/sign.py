"""The features that networks of isolated signs read: clips of points to frames of numbers."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from signary.errors import ConfigError
from signary.features.motion import difference
from signary.features.normalize import NormalizeClip, part_shape
from signary.features.resample import KeepFrames, PoolFrames, pool_points, pool_times, take_frames
from signary.features.select import (
    LeftSigner,
    SelectPoints,
    either,
    flat_points,
    full_precision,
    hand_seen,
    mirrored,
    valid_frames,
)


class ClipFeatures(nn.Module):
    """From points to features: without gradients, in full precision.

    Attributes
    ----------
    select : SelectPoints
        The points that are read.
    """

    select: SelectPoints

    @torch.no_grad()
    def forward(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, ...]:
        """Return what `prepare` makes of clips.

        Parameters
        ----------
        points : float32 (B, T, P, C)
            Those of ``select``; NaN = not seen.
        lengths : int64 (B,)
            Frames of each clip, the rest is padding; None = all T.
        """
        with full_precision(points):
            frames = valid_frames(points, lengths)
            return self.prepare(*flat_points(points, frames), frames)

    def prepare(self, values: Tensor, seen: Tensor, frames: Tensor) -> tuple[Tensor, ...]:
        """Return the features of points float32 (B, T, P, 2), bool (B, T, P) and valid frames bool (B, T)."""
        raise NotImplementedError


class PooledPoints(ClipFeatures):
    """Points averaged over at most ``bins`` frames.

    `forward` returns

    values : float32 (B, S, Q, 2)
        x and y of Q points; 0 where not seen. S = min(T, bins), or bins if the pool always fills up.
    seen : bool (B, S, Q)
    times : float32 (B, S)
        0 to 1, of the original frames; 0 in padded frames.
    full : bool (B, S)
        False = padded.

    Attributes
    ----------
    parts : tuple of (str, slice)
        Where each part of the body lies among the Q points.
    """

    parts: tuple[tuple[str, slice], ...]
    pool: PoolFrames

    def pooled(self, values: Tensor, seen: Tensor, kept: Tensor, frames: Tensor) -> tuple[Tensor, ...]:
        """Average the frames to keep, bool (B, T)."""
        weights = self.pool(kept, frames)
        return *pool_points(weights, values, seen), *pool_times(weights, kept)


class DominantSide(PooledPoints):
    """The lips and the dominant hand and forearm, from the frames in which that hand was seen.

    The dominant hand is the one with more points seen, the left one if both have as many. A right hand is mirrored with
    its forearm, the lips are not. As in Mark Wijkhuizen's notebook for the isolated sign language recognition
    competition (Kaggle, 2023). The Q = 66 points are 40 of the lips, 21 of the hand, 5 of the forearm.

    Parameters
    ----------
    bins : int
        Longer clips are averaged to so many frames.
    always : bool
        Pad shorter ones to ``bins`` frames.
    by_raw : bool
        Repeat the frames of long clips by their number before any were dropped, as the notebook does.
    """

    parts = (("lips", slice(0, 40)), ("hand", slice(40, 61)), ("arm", slice(61, 66)))
    points = 66

    def __init__(self, bins: int, *, always: bool = False, by_raw: bool = False) -> None:
        super().__init__()
        self.select = SelectPoints(("lips_ring", "left_hand", "left_forearm", "right_hand", "right_forearm"))
        self.pool = PoolFrames(bins, always=always, repeated=True, by_raw=by_raw)

    def prepare(self, values: Tensor, seen: Tensor, frames: Tensor) -> tuple[Tensor, ...]:
        """Choose a side and pool."""
        places = self.select.parts
        lips, left, right = places["lips_ring"], places["left_hand"], places["right_hand"]
        turn = (hand_seen(seen[:, :, right]) > hand_seen(seen[:, :, left]))[:, None, None]
        left, right = slice(left.start, right.start), slice(right.start, None)
        side = mirrored(values[:, :, right], seen[:, :, right])
        side = torch.where(turn[..., None], side, values[:, :, left])
        side_seen = either(turn, seen[:, :, right], seen[:, :, left])
        values, seen = torch.cat([values[:, :, lips], side], 2), torch.cat([seen[:, :, lips], side_seen], 2)
        return self.pooled(values, seen, side_seen[:, :, :21].any(-1), frames)


class BothSides(PooledPoints):
    """Lips, head, both hands and both arms: mirrored as a whole if the right hand signs, then centered and scaled.

    A frame counts if any of the points was seen. The center is between the shoulders.

    Parameters
    ----------
    bins : int
        Longer clips are averaged to so many frames.
    lips, head : bool
        Read the lips, which need data with a face; read the nose, eyes, ears and mouth of the body's pose.
    """

    def __init__(self, bins: int, *, lips: bool = True, head: bool = False) -> None:
        super().__init__()
        face = tuple(name for name, is_read in (("lips", lips), ("head", head)) if is_read)
        self.select = SelectPoints((*face, "left_hand", "right_hand", "left_arm", "right_arm"))
        places = self.select.parts
        arms = slice(places["left_arm"].start, places["right_arm"].stop)
        self.parts = (*((name, places[name]) for name in (*face, "left_hand", "right_hand")), ("arms", arms))
        self.turn = LeftSigner(self.select)
        self.normalize = NormalizeClip(places[arm].start for arm in ("left_arm", "right_arm"))
        self.pool = PoolFrames(bins)

    def prepare(self, values: Tensor, seen: Tensor, frames: Tensor) -> tuple[Tensor, ...]:
        """Mirror, normalize and pool."""
        values, seen = self.turn(values, seen)
        return self.pooled(self.normalize(values, seen), seen, seen.any(-1), frames)


class Trajectories(ClipFeatures):
    """The position of each point, centered and scaled, and its movement over one and two frames.

    Frames in which none of the points was seen are dropped. As in Hoyeol Sohn's winning entry of the isolated sign
    language recognition competition (Kaggle, 2023).

    `forward` returns

    features : float32 (B, S, D)
        S = min(T, max_frames), or min(T, bins); 0 where not seen.
    valid : bool (B, S)
        False = padding.

    Parameters
    ----------
    parts, center : sequence of str
        The points, see ``SelectPoints``, and those of them whose mean over the clip becomes 0.
    max_frames : int
        Later frames are left out.
    left_signer : bool
        Mirror clips in which the right hand signs.
    shapes : bool
        Add the shape of each hand: its points without position and size in each frame.
    bins : int, optional
        Average longer clips to so many frames. Then the frame rate matters less, and no frame is left out.

    Raises
    ------
    ConfigError
        If a point is unknown, or a center is not among the points.
    """

    def __init__(
        self,
        parts: Sequence[str],
        center: Sequence[str],
        *,
        max_frames: int = 384,
        left_signer: bool = False,
        shapes: bool = False,
        bins: int | None = None,
    ) -> None:
        super().__init__()
        self.select = SelectPoints(parts)
        missing = sorted(set(center) - set(self.select.names))
        if missing or not center:
            raise ConfigError(f"{missing or tuple(center)}: center not among the points", hint="give it with center=")
        self.turn = LeftSigner(self.select) if left_signer else None
        self.normalize = NormalizeClip(self.select.names.index(name) for name in center)
        self.keep, self.pool = KeepFrames(max_frames), PoolFrames(bins) if bins else None
        self.hands = [self.select.parts[name] for name in ("left_hand", "right_hand")] if shapes else []

    @property
    def width(self) -> int:
        """Number of features D."""
        shapes: int = sum(hand.stop - hand.start for hand in self.hands)
        return 6 * (len(self.select) + shapes)

    def prepare(self, values: Tensor, seen: Tensor, frames: Tensor) -> tuple[Tensor, ...]:
        """Normalize, drop empty frames and add the movement."""
        if self.turn is not None:
            values, seen = self.turn(values, seen)
        if self.pool is not None:
            values, seen = pool_points(self.pool(seen.any(-1), frames), values, seen)
        shapes = [part_shape(values[:, :, hand], seen[:, :, hand]) for hand in self.hands]
        values = torch.cat([self.normalize(values, seen), *shapes], 2)
        seen = torch.cat([seen, *(seen[:, :, hand] for hand in self.hands)], 2)
        order, valid = self.keep(seen.any(-1))
        # a dropped frame holds zeros and nothing seen already
        values, seen = take_frames(values, order), take_frames(seen, order)
        moves = difference(values, seen), difference(values, seen, step=2)
        return torch.cat([numbers.flatten(2) for numbers in (values, *moves)], -1), valid
