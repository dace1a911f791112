"""The input of fingerspelling networks: points normalized over the clip, and resized to a largest length."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from signary.errors import ConfigError, ShapeError
from signary.features.normalize import EPSILON, MIDDLE
from signary.features.resample import take_frames
from signary.features.select import SelectPoints, full_precision, valid_frames

SPELLING_POINTS = ("lips", "left_hand", "right_hand", "nose", "right_eye", "left_eye", "right_arm", "left_arm")
BODY = ("left_hand", "right_hand", "face", "pose")


class SpellingPoints(nn.Module):
    """Points with mean 0 and standard deviation 1 over the whole clip, x, y and z apart, 0 where not seen.

    By default the 130 points, in their order, of Christof Henkel's and Darragh Hanley's winning entry of the American
    sign language fingerspelling recognition competition (Kaggle, 2023). Augmentation belongs between `normalize` and
    `fit`; `forward` does both.

    Parameters
    ----------
    points : sequence of str
        See ``SelectPoints``.
    coordinates : int
        C: 2 = x and y alone, 3 = z as well.
    max_frames : int, optional
        Longer clips are resized to so many frames; None = no clip is.
    running : bool
        Normalize each frame by the frames up to it, for streaming.

    Raises
    ------
    ConfigError
        If a point is unknown, or the coordinates are not 2 or 3.
    """

    def __init__(
        self,
        points: Sequence[str] = SPELLING_POINTS,
        *,
        coordinates: int = 3,
        max_frames: int | None = 384,
        running: bool = False,
    ) -> None:
        super().__init__()
        if coordinates not in (2, 3):
            raise ConfigError(f"coordinates={coordinates}, must be 2 or 3")
        self.select = SelectPoints(points)
        self.coordinates, self.max_frames, self.running = coordinates, max_frames, running

    @property
    def groups(self) -> dict[str, list[int]]:
        """Indices of the points of each hand, the face and the body; parts without points are left out."""
        places = {
            part: [place for place, name in enumerate(self.select.names) if name.startswith(part)] for part in BODY
        }
        return {part: found for part, found in places.items() if found}

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Normalize, then fit."""
        return self.fit(self.normalize(points, lengths), lengths)

    @torch.no_grad()
    def normalize(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Subtract the clip's mean from each coordinate and divide by its standard deviation.

        Parameters
        ----------
        points : float32 (B, T, P, 2 or 3)
            Those of ``select``; NaN = not seen, z may be NaN alone.
        lengths : int64 (B,)
            None = all T.

        Returns
        -------
        float32 (B, T, P, C)
            0 where not seen and in padding.

        Raises
        ------
        ShapeError
            If these are other points, or z is missing.
        """
        self.check(points)
        with full_precision(points):
            known = torch.isfinite(points[..., : self.coordinates])
            known = known & known[..., :2].all(-1, keepdim=True) & valid_frames(points, lengths)[..., None, None]
            # around the middle of the picture, squares are small enough for single precision
            values = torch.where(known, points[..., : self.coordinates].float() - MIDDLE, 0.0)
            count = self._total(known.float()).clamp(min=1)
            mean = self._total(values) / count
            variance = self._total(values.square()) / count - mean.square()
            # all points in one place: their differences are rounding errors and must not be scaled up
            scale = torch.where(variance > EPSILON, variance.clamp(min=EPSILON).sqrt(), 1.0)
            return (values - mean) / scale * known

    def check(self, points: Tensor) -> None:
        """Refuse points of another shape."""
        if points.shape[-2] != len(self.select) or points.shape[-1] < self.coordinates:
            raise ShapeError(
                f"points.shape={tuple(points.shape)}, must be (B, T, {len(self.select)}, {self.coordinates})"
            )

    def _total(self, values: Tensor) -> Tensor:
        """Sum (B, T, P, C) over points and frames: (B, 1, 1, C), or (B, T, 1, C) with running sums."""
        frames = values.sum(2, keepdim=True)
        return frames.cumsum(1) if self.running else frames.sum(1, keepdim=True)

    @torch.no_grad()
    def fit(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Resize clips that are too long, linearly. A point seen in only one of two frames is taken from that one.

        Parameters
        ----------
        values : float32 (B, T, P, C)
            0 where not seen.
        lengths : int64 (B,)
            None = all T; 0 counts as 1.

        Returns
        -------
        values : float32 (B, S, P, C)
            S = min(T, max_frames); 0 in padding, if it was 0.
        valid : bool (B, S)
            False = padding.
        """
        if lengths is not None:
            lengths = lengths.clamp(min=1)
        if self.max_frames is None:
            return values, valid_frames(values, lengths)
        frames = torch.arange(values.shape[1], device=values.device)[: self.max_frames]
        whole = valid_frames(values, lengths).sum(1, keepdim=True)
        fitted = whole.clamp(max=self.max_frames)
        last = (whole - 1).to(values.dtype)
        place = torch.minimum(((frames + 0.5) * (whole / fitted) - 0.5).clamp(min=0), last)
        early = place.floor()
        late = torch.minimum(early + 1, last)
        share = (place - early)[..., None, None]
        first, second = take_frames(values, early.long()), take_frames(values, late.long())
        weights = (1 - share) * point_seen(first), share * point_seen(second)
        total = weights[0] + weights[1]
        mixed = (weights[0] * first + weights[1] * second) / torch.where(total > 0, total, 1.0)
        valid = frames < fitted
        return mixed * valid[..., None, None], valid


def point_seen(values: Tensor) -> Tensor:
    """Return bool (..., P, 1) for normalized points (..., P, C): points that are all 0 were not seen."""
    return (values != 0).any(-1, keepdim=True)


def normalize_part(values: Tensor, *, unseen: bool = False) -> Tensor:
    """Normalize a part of the body to mean 0 and standard deviation 1 in each frame, x, y and z apart.

    Parameters
    ----------
    values : float32 (B, T, P, C)
        Normalized over the clip, 0 where not seen.
    unseen : bool
        Include points that were not seen, as zeros, in mean and deviation, as the published network does.

    Returns
    -------
    float32 (B, T, P, C)
        0 where not seen, and where all points are in one place.
    """
    with full_precision(values):
        seen = point_seen(values).to(values.dtype)
        counted = torch.ones_like(seen) if unseen else seen
        count = counted.sum(2, keepdim=True).clamp(min=1)
        away = values - values.sum(2, keepdim=True) / count
        variance = (away.square() * counted).sum(2, keepdim=True) / count
        return away * seen * (variance + EPSILON).rsqrt()
