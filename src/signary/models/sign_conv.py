"""A small network of convolutions over time and transformers that reads one isolated sign from raw points."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.features.sign import Trajectories
from signary.models.blocks import FrameNorm, attend, frame_mean
from signary.models.point_network import SignNetwork

FACE_AND_HANDS = ("lips", "left_hand", "right_hand", "nose", "right_eye", "left_eye")
BODY_AND_HANDS = ("upper_body", "left_hand", "right_hand")
LIP_CENTER = ("face_17",)
SHOULDERS = ("pose_left_shoulder", "pose_right_shoulder")


class DropPath(nn.Module):
    """Drop a branch for whole clips in training (stochastic depth).

    Parameters
    ----------
    rate : float
        0 to 1.
    """

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: Tensor) -> Tensor:
        """Return (B, T, D) unchanged; in training 0 for some clips and scaled up for the others."""
        if not self.training or self.rate == 0:
            return branch
        kept = torch.rand(len(branch), 1, 1, device=branch.device) >= self.rate
        return branch * kept / (1 - self.rate)


class ConvBlock(nn.Module):
    """A causal depthwise convolution with channel attention and a residual connection.

    Each channel's weight comes from the means of the channel and its neighbors over the clip (ECA, Wang et al. 2020).

    Parameters
    ----------
    width : int
        D.
    kernel : int
        Frames.
    expand : int
        The block works on ``expand`` D channels.
    drop_path : float
        Share of the clips for which the block is dropped in training.
    """

    def __init__(self, width: int, *, kernel: int = 17, expand: int = 2, drop_path: float = 0.2) -> None:
        super().__init__()
        channels = expand * width
        self.widen, self.narrow = nn.Linear(width, channels), nn.Linear(channels, width)
        self.back = nn.Conv1d(channels, channels, kernel, groups=channels, bias=False)
        self.norm = FrameNorm(channels)
        self.neighbors = nn.Conv1d(1, 1, 5, padding=2, bias=False)
        self.drop = DropPath(drop_path)
        _start_like_keras(self)

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and bool (B, T), False = padding."""
        hidden = functional.silu(self.widen(frames)).transpose(1, 2)
        hidden = self.back(functional.pad(hidden, (self.back.kernel_size[0] - 1, 0))).transpose(1, 2)
        hidden = self.norm(hidden, valid)
        weights = torch.sigmoid(self.neighbors(frame_mean(hidden, valid)[:, None])).transpose(1, 2)
        after: Tensor = frames + self.drop(self.narrow((hidden.transpose(1, 2) * weights).transpose(1, 2)))
        return after


class AttentionBlock(nn.Module):
    """Attention, then a perceptron, each with normalization before it and a residual connection.

    The scores are scaled by D ** -0.5 of the whole width, not of a head, as in the published network.

    Parameters
    ----------
    width : int
        D.
    heads, expand : int
        Attention heads; the perceptron has ``expand`` D hidden units.
    dropout, drop_path : float
        On the attention weights; share of the clips for which a branch is dropped in training.
    """

    def __init__(
        self, width: int, *, heads: int = 4, expand: int = 2, dropout: float = 0.2, drop_path: float = 0.2
    ) -> None:
        super().__init__()
        self.heads, self.scale = heads, width**-0.5
        self.norms = nn.ModuleList([FrameNorm(width) for _ in range(2)])
        self.qkv, self.mix = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.widen = nn.Linear(width, expand * width, bias=False)
        self.narrow = nn.Linear(expand * width, width, bias=False)
        self.shares, self.drop = nn.Dropout(dropout), DropPath(drop_path)
        _start_like_keras(self)

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and bool (B, T), False = padding."""
        qkv = self.qkv(self.norms[0](frames, valid))
        frames = frames + self.drop(self.mix(attend(qkv, self.heads, valid, scale=self.scale, drop=self.shares)))
        hidden = functional.silu(self.widen(self.norms[1](frames, valid)))
        after: Tensor = frames + self.drop(self.narrow(hidden))
        return after


class SignConv(SignNetwork):
    """Hoyeol Sohn's winning network of the isolated sign language recognition competition (Kaggle, 2023).

    It drops frames in which none of its points was seen and reads the first ``max_frames`` of the rest. 1,830,040
    parameters for 250 signs.

    Parameters
    ----------
    classes : int
        V.
    points : sequence of str
        The points it reads, see ``SelectPoints``; ``BODY_AND_HANDS`` for data without a face.
    center : sequence of str
        Points, among those, whose mean over the clip becomes 0.
    width : int
        D.
    depth : int
        Number of stages, each of three convolution blocks and one attention block.
    kernel, heads : int
        Frames of a convolution's kernel; attention heads.
    max_frames : int
    dropout : float
        Before the last layer, once `start_dropout` was called.
    drop_path : float
        Share of the clips for which a block is dropped in training; also the dropout on the attention weights.
    left_signer : bool
        Mirror clips in which the right hand signs; the published network does not.
    shapes : bool
        Add the shape of each hand; the published network does not.
    bins : int, optional
        Average longer clips to so many frames; the published network reads every frame.

    Raises
    ------
    ConfigError
        If a point is unknown, or a center is not among the points.
    """

    def __init__(
        self,
        classes: int,
        *,
        points: Sequence[str] = FACE_AND_HANDS,
        center: Sequence[str] = LIP_CENTER,
        width: int = 192,
        depth: int = 2,
        kernel: int = 17,
        heads: int = 4,
        max_frames: int = 384,
        dropout: float = 0.8,
        drop_path: float = 0.2,
        left_signer: bool = False,
        shapes: bool = False,
        bins: int | None = None,
    ) -> None:
        super().__init__()
        self.features: Trajectories = Trajectories(
            points, center, max_frames=max_frames, left_signer=left_signer, shapes=shapes, bins=bins
        )
        self.stem, self.norm = nn.Linear(self.features.width, width, bias=False), FrameNorm(width)
        blocks: list[nn.Module] = []
        for _ in range(depth):
            blocks += [ConvBlock(width, kernel=kernel, drop_path=drop_path) for _ in range(3)]
            blocks.append(AttentionBlock(width, heads=heads, dropout=drop_path, drop_path=drop_path))
        self.blocks = nn.ModuleList(blocks)
        self.top, self.head = nn.Linear(width, 2 * width), nn.Linear(2 * width, classes)
        self.late_dropout, self.drop = dropout, nn.Dropout(0.0)
        for layer in (self.stem, self.top, self.head):
            _start_like_keras(layer)

    def start_dropout(self) -> None:
        """Switch on the dropout before the last layer. The published network trains 15 epochs without it."""
        self.drop.p = self.late_dropout

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits float32 (B, V) for points (B, T, P, C), those of ``select`` alone; C is 2 or 3."""
        features, valid = self.features(points, lengths)
        frames = self.norm(self.stem(features), valid)
        for block in self.blocks:
            frames = block(frames, valid)
        logits: Tensor = self.head(self.drop(frame_mean(self.top(frames), valid)))
        return logits


def _start_like_keras(module: nn.Module) -> None:
    """Initialize with Glorot's uniform weights and zero biases; torch's default is a third as wide."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear | nn.Conv1d):
            nn.init.xavier_uniform_(layer.weight)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
