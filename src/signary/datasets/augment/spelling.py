"""Augmentation of batches of fingerspelling clips: other speeds, cameras and bodies, and lost points.

It follows Christof Henkel's and Darragh Hanley's winning entry of the American sign language fingerspelling
recognition competition (Kaggle, 2023). As there, it is applied to normalized points, between
`SpellingPoints.normalize` and `SpellingPoints.fit`: normalization would undo the scaling and shifting of a whole clip.
Mixing of clips comes first; see `signary.datasets.augment.mix`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from signary.datasets.augment.chance import drawn, linear, stretches, uniform
from signary.datasets.augment.strengths import SpellingStrengths
from signary.features.select import SelectPoints

SIDES, FINGERS = ("left_hand", "right_hand"), ("thumb", "index", "middle", "ring", "pinky")
JOINTS = ("shoulder", "elbow", "wrist")  # from the body outward
CHUNKS = 20, 29
REDRAWN = 12
FINGERS_WHILE, FRAMES_WHILE, BOX_SIDE = (0.25, 0.5), (0.2, 0.4), (0.05, 0.1)

Loss = tuple[Tensor, Tensor]  # in W pairs for each clip: frames, bool (B, W, S), and points, bool (B, W, P)


class SpellingAugment:
    """Augment a padded batch of normalized clips, each clip independently.

    Differences from the published code, which loops over samples: points that were not seen stay unseen under camera
    changes, instead of moving with the others; clips rotate about their mean, not about a point that depends on the
    shear; chunks of a warped clip are not each cut to whole frames, which made it shorter; joints lost with the body
    are the same on both sides; the box hides something.

    Parameters
    ----------
    options : SpellingStrengths
    points : SelectPoints
        The points of the clips.
    """

    def __init__(self, options: SpellingStrengths, points: SelectPoints) -> None:
        self.options = options
        self._mirror = torch.tensor(points.mirror)
        body = [name.startswith("pose_") for name in points.names]
        inner = [_named(points.names, JOINTS[:count]) for count in range(len(JOINTS) + 1)]
        self._pose = torch.tensor(body) & ~torch.stack(inner)
        self._face = _named(points.names, ["face_"])
        self._hands = _named(points.names, SIDES)
        fingers = [_named(points.names, [f"{side}_{finger}_"]) for side in SIDES for finger in FINGERS]
        self._fingers = torch.stack(fingers)

    def __call__(self, clips: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return augmented clips and their lengths.

        Parameters
        ----------
        clips : float32 (B, T, P, C)
            Normalized; 0 = not seen, and in padding. C is 2 or 3.
        lengths : int64 (B,)

        Returns
        -------
        clips : float32 (B, S, P, C)
        lengths : int64 (B,)
            1 or more; clips may become longer, so cut or resample long ones after this.
        """
        clips = self.cover(self.look(clips))
        source, lengths = self.times(lengths)
        frames = source.shape[1]
        gone = (source < 0)[:, None], torch.ones(len(clips), 1, len(self._face), device=clips.device).bool()
        losses = self.lose_fingers(lengths, frames), self.lose_part(lengths, frames), self.lose_frames(lengths, frames)
        return take(clips, source, [gone, *losses]), lengths

    def look(self, clips: Tensor) -> Tensor:
        """Flip and SpatialAffine: mirror, rotate, scale, shear and shift clips, the same in all frames.

        Shear is along x or along y, and the shift is equal along both axes, as in the published code.
        """
        options, some = self.options, drawn(clips, self.options.affine)
        shear, along = some * uniform(clips, options.shear), drawn(clips, 0.5)
        change = linear(
            some * math.radians(options.turn_deg) * uniform(clips, 1),
            1 + some * uniform(clips, options.scale),
            shear * along,
            shear * (1 - along),
        )
        flip = drawn(clips, options.flip)
        change = change * torch.stack([1 - 2 * flip, torch.ones_like(flip)], -1)[..., None]
        mirror = self._mirror.to(clips.device)
        order = torch.where(flip.bool()[:, None], mirror, torch.arange(len(mirror), device=clips.device))
        return move(clips, order, change, some * uniform(clips, options.shift))

    def cover(self, clips: Tensor) -> Tensor:
        """SpatialMask: hide points in a box of 5 % to 10 % of the clip's width and height."""
        chosen = drawn(clips, self.options.box_lost).nonzero()[:, 0]
        some, count = clips.index_select(0, chosen), clips[0, :, :, 0].numel()
        flat = some.flatten(2)
        low, high = (edge.view(-1, *clips.shape[2:])[..., :2] for edge in (flat.amin(1), flat.amax(1)))
        low, high = low.amin(1), high.amax(1)  # unseen points are 0, the mean, so they do not widen the range
        least, most = BOX_SIDE
        side = (high - low) * (least + (most - least) * torch.rand(len(some), 1, device=clips.device))
        middle = low + side / 2 + (high - low - side) * torch.rand(len(some), 2, device=clips.device)
        x, y = (
            (some[..., axis] - middle[:, axis, None, None]).abs_() <= side[:, axis, None, None] / 2 for axis in range(2)
        )
        # a box holds few points: finding their indices is faster than masking all points
        inside = (x & y).flatten().nonzero()[:, 0]
        inside = chosen[inside // count] * count + inside % count
        return clips.flatten(0, 2).index_fill(0, inside, 0).view_as(clips)

    def times(self, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """TimeStretch, DynamicResample and TimeShift: draw the source frame of each new frame.

        Parameters
        ----------
        lengths : int64 (B,)

        Returns
        -------
        source : int64 (B, S)
            -1 = none: before the first or after the last.
        lengths : int64 (B,)
        """
        options = self.options
        rate = options.shortest + (options.longest - options.shortest) * torch.rand_like(lengths, dtype=torch.float32)
        rate = torch.where(drawn(lengths, options.stretch).bool(), rate, 1.0)
        stretched = (lengths * rate).floor().clamp(min=1)
        ends, chunk, factor = self._chunks(stretched)
        whole = ends[:, -1].round().clamp(min=1)
        late = torch.randint(-options.begin_frames, options.begin_frames, lengths.shape, device=lengths.device)
        late = late * drawn(lengths, options.begin) * (whole + late > 2)
        changed = (whole + late).long()
        place = torch.arange(int(changed.max()), device=lengths.device) - late[:, None]
        inside = (place >= 0) & (place < whole[:, None])
        # the middles of the frames, through the chunks and back
        middle = place.clamp(min=0) + 0.5
        number = torch.searchsorted(ends, middle, right=True).clamp(max=ends.shape[1] - 1)
        begin = torch.nn.functional.pad(ends, (1, 0)).gather(1, number)
        before = number * chunk + (middle - begin) / factor.gather(1, number)
        source = (before * (lengths / stretched)[:, None]).long().clamp(min=0)
        return torch.where(inside, torch.minimum(source, lengths[:, None] - 1), -1), changed

    def _chunks(self, lengths: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the chunks' new ends, float32 (B, K), their old length, (B, 1), and their factors, (B, K)."""
        least, most = CHUNKS
        count = torch.randint(least, most + 1, (len(lengths), 1), device=lengths.device)
        some = drawn(lengths, self.options.warp)[:, None]
        factor = 1 + some * uniform(lengths, self.options.warp_by, len(lengths), most)
        chunk = lengths[:, None] / count
        real = torch.arange(most, device=lengths.device) < count
        return (chunk * factor * real).cumsum(1), chunk, factor

    def lose_fingers(self, lengths: Tensor, frames: int) -> Loss:
        """FingerDropout: twice, lose some of the ten fingers, but no wrist, for a quarter to half of a clip.

        The published code intends two to six, but draws twelve with replacement: 7.2 on average.
        """
        options, size = self.options, (len(lengths), 2, len(self._fingers))
        when = stretches(lengths, frames, *FINGERS_WHILE, count=2)
        chosen = torch.zeros(size, device=lengths.device)
        if options.fingers_redrawn:
            finger = torch.randint(size[-1], (*size[:2], REDRAWN), device=lengths.device)
            chosen = chosen.scatter_(2, finger, 1.0)
        else:
            count = torch.randint(
                options.fewest_fingers, options.most_fingers + 1, (*size[:2], 1), device=lengths.device
            )
            rank = torch.rand(size, device=lengths.device).argsort(2)
            chosen = (rank < count).float()
        which = chosen @ self._fingers.to(lengths.device).float() > 0
        return when & drawn(lengths, options.fingers_lost).bool()[:, None, None], which

    def lose_part(self, lengths: Tensor, frames: int) -> Loss:
        """PoseDrop, FaceDrop or HandDrop: lose the body, the face or both hands in the whole clip, at most one of them.

        Of the body, all points are lost, or those beyond the shoulders, the elbows or the wrists.
        """
        options, device = self.options, lengths.device
        chance = torch.rand(len(lengths), device=device)
        limits = torch.tensor([options.pose_lost, options.face_lost, options.hands_lost], device=device).cumsum(0)
        part = torch.searchsorted(limits, chance, right=True)
        beyond = torch.randint(len(self._pose), part.shape, device=device)
        parts = torch.cat([self._pose, self._face[None], self._hands[None]]).to(device)
        place = torch.where(part == 0, beyond, len(self._pose) - 1 + part).clamp(max=len(parts) - 1)
        when = (part < len(limits))[:, None, None].expand(-1, 1, frames)
        return when, parts[place][:, None]

    def lose_frames(self, lengths: Tensor, frames: int) -> Loss:
        """TemporalMasks: lose all points for 0.2 to 0.4 of a clip, in one, two or four spans."""
        options, device = self.options, lengths.device
        most = max(options.holes)
        holes = torch.tensor(options.holes, device=device)
        count = holes[torch.randint(len(holes), lengths.shape, device=device)][:, None, None]
        least_share, most_share = FRAMES_WHILE
        when = stretches(lengths, frames, least_share / count, most_share / count, count=most)
        some = drawn(lengths, options.frames_lost).bool()[:, None, None]
        when = when & some & (torch.arange(most, device=device)[:, None] < count)
        return when, torch.ones(len(lengths), most, len(self._face), device=device).bool()


def move(clips: Tensor, order: Tensor, change: Tensor, shift: Tensor) -> Tensor:
    """Reorder points and transform x and y, the same in all frames; points with x = y = 0 stay 0.

    Parameters
    ----------
    clips : float32 (B, T, P, C)
    order : int64 (B, P)
    change : float32 (B, 2, 2)
        Multiplied from the right.
    shift : float32 (B,)
        Added to both coordinates.
    """
    # each frame as one row of numbers, as it is and with x and y swapped: much faster than 2 by 2 products
    points, axes = clips.shape[2:]
    flat, one, none = clips.flatten(2), torch.ones_like(shift), torch.zeros_like(shift)
    own, other = (
        flat.gather(2, (order[..., None] * axes + order.new_tensor(axis)).flatten(1)[:, None].expand_as(flat))
        for axis in ([0, 1, 2][:axes], [1, 0, 2][:axes])
    )
    straight, across, away = (
        torch.stack(row, -1)[:, :axes].repeat(1, points)[:, None]
        for row in (
            (change[:, 0, 0], change[:, 1, 1], one),
            (change[:, 1, 0], change[:, 0, 1], none),
            (shift, shift, none),
        )
    )
    moved = (own * straight).addcmul_(other, across)
    seen = own.abs_().add_(other.abs_()).ne_(0)
    return moved.addcmul_(seen, away).view_as(clips)


def take(clips: Tensor, source: Tensor, losses: Iterable[Loss]) -> Tensor:
    """Select frames of clips and set lost points to 0.

    Parameters
    ----------
    clips : float32 (B, T, P, C)
    source : int64 (B, S)
        Frame indices; below 0, any frame will do.
    losses : iterable of (bool (B, W, S), bool (B, W, P))
        Which points are lost in which of the new frames.

    Returns
    -------
    float32 (B, S, P, C)
    """
    clip = torch.arange(len(clips), device=clips.device)[:, None] * clips.shape[1]
    frames = clips.flatten(0, 1).flatten(1).index_select(0, (clip + source.clamp(min=0)).flatten())
    when, which = (torch.cat(each, 1).to(clips.dtype) for each in zip(*losses, strict=True))
    which = which[..., None].expand(*which.shape, clips.shape[3]).flatten(2)
    lost = when.transpose(1, 2) @ which
    return frames.view_as(lost).mul_(lost.lt_(0.5)).view(*source.shape, *clips.shape[2:])


def _named(names: Sequence[str], parts: Sequence[str]) -> Tensor:
    """Return which names contain one of the parts, bool (P,)."""
    return torch.tensor([any(part in name for part in parts) for name in names])
