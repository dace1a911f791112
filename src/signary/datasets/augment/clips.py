"""Augmentation of batches of clips: other speeds, cameras, bodies and detector errors.

Changes in time, affine changes and the two masks follow Hoyeol Sohn's winning entry of the isolated sign language
recognition competition (Kaggle, 2023). Changes of single hands, noise and lost hands are added.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from signary.datasets.augment.chance import drawn, linear, stretches, uniform
from signary.datasets.augment.strengths import ClipStrengths
from signary.features.select import SelectPoints

MIDDLE = 0.5
LONGEST_GAP = 12


class ClipAugment:
    """Augment a padded batch of clips, each clip independently.

    Parameters
    ----------
    options : ClipStrengths
    points : SelectPoints
        The points of the clips.
    max_frames : int
        Longer clips are cropped to this length, at a random start.
    """

    def __init__(self, options: ClipStrengths, points: SelectPoints, *, max_frames: int = 384) -> None:
        self.options, self.max_frames = options, max_frames
        self._mirror = torch.tensor(points.mirror)
        self._hands = _hands_of(points)

    def __call__(self, clips: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return augmented clips and their lengths.

        Parameters
        ----------
        clips : float32 (B, T, P, C)
            Image-normalized, NaN = not seen; values after a clip's end are ignored.
        lengths : int64 (B,)

        Returns
        -------
        clips : float32 (B, S, P, C)
        lengths : int64 (B,)
        """
        clips, lengths = take_times(clips, *self._times(lengths))
        clips = self._move_hands(self._flip(clips))
        clips = self._lose(self._view(clips), lengths)
        return clips, lengths

    def _times(self, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the sampling times of each clip, float32 (B, S), and their number, int64 (B,)."""
        options, count = self.options, lengths.float()
        faster = drawn(lengths, options.resample) * uniform(lengths, options.speed)
        begin, end = options.trim * torch.rand(2, len(lengths), device=lengths.device)
        span = (count - 1) * (1 - begin - end).clamp(min=0.1)
        wanted = ((span + 1) * (1 + faster)).round().clamp(min=1)
        cut = wanted.clamp(max=self.max_frames)
        skipped = torch.rand_like(count) * (wanted - cut)
        frame = torch.arange(int(cut.max()), device=lengths.device)[None] + skipped[:, None]
        share = (frame / (wanted - 1).clamp(min=1)[:, None]).clamp(max=1)
        # slower first and faster later, or the reverse; time never runs backwards
        late = torch.where(drawn(lengths, 0.5)[:, None] > 0, share, 1 - share)
        share = share + uniform(lengths, options.warp)[:, None] * share * (1 - share) * late
        return (begin * (count - 1))[:, None] + share * span[:, None], cut.long()

    def _flip(self, clips: Tensor) -> Tensor:
        flipped = clips[:, :, self._mirror.to(clips.device)]
        flipped = torch.cat([1 - flipped[..., :1], flipped[..., 1:]], -1)
        return torch.where(drawn(clips, self.options.flip).bool()[:, None, None, None], flipped, clips)

    def _move_hands(self, clips: Tensor) -> Tensor:
        """Rotate, scale and shift each hand, to imitate other bodies and habits."""
        options, clips = self.options, clips.clone()
        for part in self._hands:
            hand = clips[:, :, part, :2]
            wrist = hand[:, :, :1]
            change = linear(
                math.radians(options.hand_turn_deg) * uniform(clips, 1),
                torch.exp(uniform(clips, options.hand_size)),
                torch.zeros(len(clips), device=clips.device),
            )
            away = (hand - wrist) @ change[:, None]
            shift = uniform(clips, options.hand_shift, len(clips), 1, 1, 2)
            clips[:, :, part, :2] = wrist + away + shift
        return clips

    def _view(self, clips: Tensor) -> Tensor:
        """Rotate, scale, shear and shift the picture; add detector noise."""
        options, plane = self.options, clips[..., :2]
        some = drawn(clips, options.affine)
        change = linear(
            some * math.radians(options.turn_deg) * uniform(clips, 1),
            1 + some * uniform(clips, options.scale),
            some * uniform(clips, options.shear),
        )
        shift = some[:, None, None, None] * uniform(clips, options.shift, len(clips), 1, 1, 2)
        plane = (plane - MIDDLE) @ change[:, None] + MIDDLE + shift + options.jitter * torch.randn_like(plane)
        return torch.cat([plane, clips[..., 2:]], -1)

    def _lose(self, clips: Tensor, lengths: Tensor) -> Tensor:
        """Hide what a detector may miss: some frames, a box of the picture, a hand for a while."""
        options = self.options
        frames = stretches(lengths, clips.shape[1], 0.2, 0.4)[:, 0]
        hidden = (frames & drawn(clips, options.frames_lost).bool()[:, None])[..., None]
        hidden = hidden.expand(clips.shape[:3])
        if options.box_lost:
            hidden = hidden | self._box(clips)
        if not (options.hand_lost or options.hands_gone):
            return clips.masked_fill(hidden[..., None], math.nan)
        gaps = self._gaps(clips)
        for part in self._hands:
            lost = stretches(lengths, clips.shape[1], 0.1, 0.5)[:, 0] & drawn(clips, options.hand_lost).bool()[:, None]
            hidden = hidden.clone()
            hidden[:, :, part] |= (lost | gaps)[..., None]
        return clips.masked_fill(hidden[..., None], math.nan)

    def _gaps(self, clips: Tensor) -> Tensor:
        """Draw frames without hands, bool (B, T): short gaps, in total up to 90 % of a clip."""
        batch, frames, device = *clips.shape[:2], clips.device
        share = 0.9 * torch.rand(batch, 1, device=device) * drawn(clips, self.options.hands_gone)[:, None]
        run = torch.randint(1, LONGEST_GAP, (batch, 1), device=device)
        block = (torch.arange(frames, device=device) + torch.randint(0, LONGEST_GAP, (batch, 1), device=device)) // run
        return torch.rand(batch, frames + LONGEST_GAP, device=device).gather(1, block) < share

    def _box(self, clips: Tensor) -> Tensor:
        """Draw a box in the picture; return which points are inside, bool (B, T, P)."""
        side = 0.2 + 0.2 * torch.rand(len(clips), 1, 1, 1, device=clips.device)
        corner = torch.rand(len(clips), 1, 1, 2, device=clips.device) * (1 - side)
        away = clips[..., :2] - corner
        inside = ((away >= 0) & (away < side)).all(-1)
        return inside & drawn(clips, self.options.box_lost).bool()[:, None, None]


class NoSign:
    """Turn some clips of a batch into non-signs: the end of one clip and the start of another, or a clip without hands.

    Parameters
    ----------
    label : int
        Index of "no sign" in the vocabulary.
    points : SelectPoints
        The points of the clips.
    share : float
        Share of the batch; a quarter of these lose their hands.
    least, most : float
        How much of each of the two clips is used, 0 to 1.
    """

    def __init__(
        self, label: int, points: SelectPoints, *, share: float, least: float = 0.1, most: float = 0.3
    ) -> None:
        self.label, self.share, self.least, self.most = label, share, least, most
        self._hands = _hands_of(points)

    def __call__(self, clips: Tensor, lengths: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return clips float32 (B, T, P, C), lengths int64 (B,) and labels int64 (B,), some of them replaced."""
        chosen = drawn(clips, self.share).bool()
        bare = chosen & drawn(clips, 0.25).bool()
        other = torch.randperm(len(clips), device=clips.device)
        first, second = (
            (lengths * (self.least + (self.most - self.least) * torch.rand_like(lengths.float()))).ceil().long()
            for lengths in (lengths, lengths[other])
        )
        frame = torch.arange(clips.shape[1], device=clips.device)[None]
        row = torch.arange(len(clips), device=clips.device)[:, None]
        early = frame < first[:, None]
        place = torch.where(early, lengths[:, None] - first[:, None] + frame, frame - first[:, None])
        between = clips[torch.where(early, row, other[:, None]), place.clamp(0, clips.shape[1] - 1)]
        joined = (chosen & ~bare)[:, None, None, None]
        clips = torch.where(joined, between, clips)
        for part in self._hands:
            clips[:, :, part] = clips[:, :, part].masked_fill(bare[:, None, None, None], math.nan)
        lengths = torch.where(chosen & ~bare, first + second, lengths).clamp(max=clips.shape[1])
        return clips, lengths, torch.where(chosen, self.label, labels)


def take_times(clips: Tensor, times: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Resample clips: interpolate linearly between two frames; where one is NaN, take the nearer frame.

    Parameters
    ----------
    clips : float32 (B, T, P, C)
    times : float32 (B, S)
        In frames, 0 to T - 1.
    lengths : int64 (B,)
        How many of the S times are valid.

    Returns
    -------
    clips : float32 (B, S, P, C)
    lengths : int64 (B,)
    """
    times = times.clamp(0, clips.shape[1] - 1)
    before = times.floor().long()
    after = (before + 1).clamp(max=clips.shape[1] - 1)
    share = (times - before)[:, :, None, None]
    row = torch.arange(len(clips), device=clips.device)[:, None]
    first, second = clips[row, before], clips[row, after]
    between = first + (second - first) * share
    return torch.where(between.isnan(), torch.where(share < MIDDLE, first, second), between), lengths


def _hands_of(points: SelectPoints) -> list[slice]:
    return [points.parts[name] for name in ("left_hand", "right_hand") if name in points.parts]
