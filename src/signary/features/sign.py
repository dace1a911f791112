"""What the networks of isolated signs read: clips of points to frames of numbers, and which of them are padding."""

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

Pooled = tuple[Tensor, Tensor, Tensor, Tensor]


class DominantSide(nn.Module):
    """The lips and the dominant hand and forearm, from the frames in which that hand was seen.

    The dominant hand is the one of which more was seen, in doubt the left. A right one is mirrored with its forearm,
    the lips stay. As in Mark Wijkhuizen's notebook for the isolated sign language recognition competition (Kaggle,
    2023).

    Parameters
    ----------
    bins : int
        Longer clips are averaged to so many frames.
    always : bool
        Fill shorter ones up.
    by_raw : bool
        Repeat the frames of long clips by their number before any were dropped, as the notebook does.
    """

    parts = (("lips", slice(0, 40)), ("hand", slice(40, 61)), ("arm", slice(61, 66)))
    points = 66

    def __init__(self, bins: int, *, always: bool = False, by_raw: bool = False) -> None:
        super().__init__()
        self.select = SelectPoints(("lips_ring", "left_hand", "left_forearm", "right_hand", "right_forearm"))
        self.pool = PoolFrames(bins, always=always, repeated=True, by_raw=by_raw)

    @torch.no_grad()
    def forward(self, points: Tensor, lengths: Tensor | None = None) -> Pooled:
        """Choose a side and pool.

        Parameters
        ----------
        points : float32 (B, T, P, C)
            Those of ``select``.
        lengths : int64 (B,)
            None = all T.

        Returns
        -------
        values : float32 (B, S, 66, 2)
            x and y of 40 points of the lips, 21 of the hand, 5 of the forearm; 0 where not seen. S = min(T, bins),
            with ``always`` bins.
        seen : bool (B, S, 66)
        times : float32 (B, S)
            0 to 1, of the original frames; 0 in padded frames.
        full : bool (B, S)
            False = padded.
        """
        with full_precision(points):
            frames = valid_frames(points, lengths)
            values, seen = flat_points(points, frames)
            places = self.select.parts
            left, right = places["left_hand"], places["right_hand"]
            turn = (hand_seen(seen[:, :, right]) > hand_seen(seen[:, :, left]))[:, None, None]
            lips = places["lips_ring"]
            left, right = slice(left.start, right.start), slice(right.start, None)
            side = mirrored(values[:, :, right], seen[:, :, right])
            side = torch.where(turn[..., None], side, values[:, :, left])
            side_seen = either(turn, seen[:, :, right], seen[:, :, left])
            kept = side_seen[:, :, :21].any(-1)
            values, seen = torch.cat([values[:, :, lips], side], 2), torch.cat([seen[:, :, lips], side_seen], 2)
            weights = self.pool(kept, frames)
            return *pool_points(weights, values, seen), *pool_times(weights, kept)


class BothSides(nn.Module):
    """Lips, head, both hands and both arms, mirrored as a whole if the right hand signs, centered and scaled.

    Every frame counts in which any of the points was seen. Centered between the shoulders.

    Parameters
    ----------
    bins : int
        Longer clips are averaged to so many frames.
    lips, head : bool
        Read the lips; the nose, eyes, ears and mouth that come with the body. The former need data with a face.
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

    @torch.no_grad()
    def forward(self, points: Tensor, lengths: Tensor | None = None) -> Pooled:
        """Turn, normalize and pool.

        Parameters
        ----------
        points : float32 (B, T, P, C)
            Those of ``select``.
        lengths : int64 (B,)
            None = all T.

        Returns
        -------
        values : float32 (B, S, P, 2)
            S = min(T, bins); 0 where not seen.
        seen : bool (B, S, P)
        times : float32 (B, S)
            0 to 1, of the original frames; 0 in padded frames.
        full : bool (B, S)
            False = padded.
        """
        with full_precision(points):
            frames = valid_frames(points, lengths)
            values, seen = self.turn(*flat_points(points, frames))
            values = self.normalize(values, seen)
            kept = seen.any(-1)
            weights = self.pool(kept, frames)
            return *pool_points(weights, values, seen), *pool_times(weights, kept)


class Trajectories(nn.Module):
    """Where each point is and where it goes within one and two frames, centered and scaled.

    Frames in which none of the points was seen are dropped. As in Hoyeol Sohn's winning entry of the isolated sign
    language recognition competition (Kaggle, 2023).

    Parameters
    ----------
    parts, center : sequence of str
        The points, see ``SelectPoints``, and those of them whose mean over the clip becomes 0.
    max_frames : int
        What comes later is left out.
    left_signer : bool
        Mirror clips in which the right hand signs.
    shapes : bool
        Tell of each hand its shape, too: its points without place and size in each frame.
    bins : int, optional
        Average longer clips to so many frames, so that how many a camera takes a second counts for less, and no frame
        is left out.

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

    @torch.no_grad()
    def forward(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Normalize, drop empty frames and tell how the points move.

        Parameters
        ----------
        points : float32 (B, T, P, C)
            Those of ``select``.
        lengths : int64 (B,)
            None = all T.

        Returns
        -------
        features : float32 (B, S, D)
            S = min(T, max_frames), or min(T, bins); 0 where not seen.
        valid : bool (B, S)
            False = padding.
        """
        with full_precision(points):
            frames = valid_frames(points, lengths)
            values, seen = flat_points(points, frames)
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
