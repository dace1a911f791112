"""Transformers that read one isolated sign from raw points: the published one and a corrected one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from signary.features.motion import difference
from signary.features.normalize import Standardize, part_shape
from signary.features.sign import BothSides, DominantSide
from signary.models.blocks import Block, frame_mean
from signary.models.point_network import SignNetwork

FRAMES = 64


class PartEmbedding(nn.Module):
    """Embed each part of the body, and project their weighted sum to the network's width.

    Parameters
    ----------
    features : mapping of str to int
        D of each part.
    inner, width : int
        Units of a part, units of a frame.
    """

    def __init__(self, features: Mapping[str, int], *, inner: int, width: int) -> None:
        super().__init__()
        self.parts = nn.ModuleDict({part: _two_layers(count, inner) for part, count in features.items()})
        self.empty = nn.ParameterDict({part: nn.Parameter(torch.zeros(inner)) for part in features})
        self.weights = nn.Parameter(torch.zeros(len(features)))
        self.join = _two_layers(inner, width)

    def forward(self, parts: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """Return float32 (B, T, width) for each part's features (B, T, D) and bool (B, T), False = not seen."""
        embedded = [
            torch.where(there[..., None], self.parts[part](features), self.empty[part])
            for part, (features, there) in parts.items()
        ]
        shares = torch.softmax(self.weights, 0)
        weighed = torch.stack([share * part for share, part in zip(shares.unbind(), embedded, strict=True)])
        joined: Tensor = self.join(weighed.sum(0))
        return joined


def _two_layers(features: int, width: int) -> nn.Sequential:
    first, second = nn.Linear(features, width, bias=False), nn.Linear(width, width, bias=False)
    nn.init.xavier_uniform_(first.weight)
    nn.init.kaiming_uniform_(second.weight, nonlinearity="relu")
    return nn.Sequential(first, nn.GELU(), second)


def _head(width: int, classes: int) -> nn.Linear:
    head = nn.Linear(width, classes)
    nn.init.xavier_uniform_(head.weight)
    nn.init.zeros_(head.bias)
    return head


def drop_frames(full: Tensor, rate: float) -> Tensor:
    """Drop frames at random, bool (B, T); a clip that would lose all of them keeps all."""
    kept = full & (torch.rand(full.shape, device=full.device) >= rate)
    return kept | (full & ~kept.any(1, keepdim=True))


class PublishedSignTransformer(SignNetwork):
    """Mark Wijkhuizen's transformer for the isolated sign language recognition competition (Kaggle, 2023).

    It reads the lips and the dominant hand and forearm, from the frames in which that hand was seen. 5,315,965
    parameters for 250 signs. Call `measure` with the training data before training. All clips without a hand give the
    same logits.

    The notebook attends to padded frames, and hides a quarter of the frames at random in inference, too. Here frames
    are hidden in training alone, like dropout, and padding is not attended to, unless asked for.

    Parameters
    ----------
    classes : int
        V.
    width, inner : int
        Units of a frame and of a part of the body.
    depth, heads : int
        Blocks, and attention heads of each.
    hidden, block_dropout, dropout : float
        Share of the frames hidden in training; dropout in the blocks and before the last layer.
    mask_queries : bool
        As the notebook: a padded or hidden frame is attended to, but itself attends to all frames alike.
    hide_always : bool
        As the notebook: hide frames in inference, too, so that results vary.
    repeat_by_raw : bool
        As the notebook: repeat frames of long clips by their number before those without a hand were dropped.
    """

    def __init__(
        self,
        classes: int,
        *,
        width: int = 512,
        inner: int = 384,
        depth: int = 2,
        heads: int = 8,
        hidden: float = 0.25,
        block_dropout: float = 0.3,
        dropout: float = 0.1,
        mask_queries: bool = False,
        hide_always: bool = False,
        repeat_by_raw: bool = False,
    ) -> None:
        super().__init__()
        self.features: DominantSide = DominantSide(FRAMES, always=mask_queries, by_raw=repeat_by_raw)
        self.standardize = Standardize(self.features.points)
        numbers = {name: 2 * (area.stop - area.start) for name, area in self.features.parts}
        self.embed = PartEmbedding(numbers, inner=inner, width=width)
        self.positions = nn.Embedding(FRAMES + 1, width)
        nn.init.zeros_(self.positions.weight)
        self.blocks = nn.ModuleList(
            [Block(width, heads=heads, dropout=block_dropout, norm=False) for _ in range(depth)]
        )
        self.drop, self.head = nn.Dropout(dropout), _head(width, classes)
        self.hidden, self.hide_always, self.mask_queries = hidden, hide_always, mask_queries

    def measure(self, batches: Iterable[tuple[Tensor, Tensor | None]]) -> None:
        """Set each point's mean and standard deviation from the training data.

        Parameters
        ----------
        batches : iterable of (points float32 (B, T, P, C), lengths int64 (B,) or None)
            Points of ``select``.
        """
        self.standardize.measure(self.features(points, lengths)[:2] for points, lengths in batches)

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits float32 (B, V) for points (B, T, P, C), those of ``select`` alone; C is 2 or 3."""
        values, seen, times, full = self.features(points, lengths)
        values = self.standardize(values, seen)
        areas = self.features.parts
        parts = {name: (values[:, :, area].flatten(2), seen[:, :, area].any(-1)) for name, area in areas}
        # the last frame shares its row with the padding, which nothing attends to
        rows = torch.where(full, torch.floor(times * FRAMES).long(), FRAMES)
        frames = self.embed(parts) + self.positions(rows)
        shown = drop_frames(full, self.hidden) if self.training or self.hide_always else full
        masks = (None, shown) if self.mask_queries else (shown, None)
        for block in self.blocks:
            frames = block(frames, *masks)
        logits: Tensor = self.head(self.drop(frame_mean(frames, shown)))
        return logits


class SignTransformer(SignNetwork):
    """A transformer over lips, both hands and both arms, the same for left- and right-handed signers.

    If the right hand signs, the whole clip is mirrored, lips included. It is centered between the shoulders and scaled.
    A frame counts if anything was seen in it. More than 64 frames are averaged to 64. The position of a frame is a
    blend of two neighboring rows of learned positions, so no two frames have the same.

    Parameters
    ----------
    classes, width, inner, depth, heads, hidden, block_dropout, dropout
        As of `PublishedSignTransformer`.
    lips, head : bool
        See `signary.features.sign.BothSides`.
    """

    def __init__(
        self,
        classes: int,
        *,
        width: int = 384,
        inner: int = 256,
        depth: int = 3,
        heads: int = 6,
        hidden: float = 0.25,
        block_dropout: float = 0.2,
        dropout: float = 0.3,
        lips: bool = True,
        head: bool = False,
    ) -> None:
        super().__init__()
        self.features: BothSides = BothSides(FRAMES, lips=lips, head=head)
        numbers = {name: 6 * (area.stop - area.start) for name, area in self.features.parts}
        self.embed = PartEmbedding(numbers, inner=inner, width=width)
        self.positions = nn.Parameter(torch.randn(FRAMES, width) * 0.02)
        self.blocks = nn.ModuleList([Block(width, heads=heads, dropout=block_dropout) for _ in range(depth)])
        self.start, self.end = nn.LayerNorm(width), nn.LayerNorm(width)
        self.drop, self.head = nn.Dropout(dropout), _head(width, classes)
        self.hidden = hidden

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits float32 (B, V) for points (B, T, P, C), those of ``select`` alone; C is 2 or 3."""
        values, seen, times, full = self.features(points, lengths)
        moves = difference(values, seen)
        parts = {}
        for name, area in self.features.parts:
            part, known = values[:, :, area], seen[:, :, area]
            numbers = torch.cat([part, part_shape(part, known), moves[:, :, area]], -1)
            parts[name] = numbers.flatten(2), known.any(-1)
        frames = self.start(self.embed(parts)) + self._place(times)
        shown = drop_frames(full, self.hidden) if self.training else full
        for block in self.blocks:
            frames = block(frames, shown)
        logits: Tensor = self.head(self.drop(frame_mean(self.end(frames), shown)))
        return logits

    def _place(self, times: Tensor) -> Tensor:
        """Interpolate between the two rows of positions next to each time."""
        place = times * (FRAMES - 1)
        row = torch.floor(place).long().clamp(max=FRAMES - 2)
        share = (place - row)[..., None]
        return (1 - share) * self.positions[row] + share * self.positions[row + 1]
