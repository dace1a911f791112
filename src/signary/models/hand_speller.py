"""A small network that reads fingerspelling from the points of the hands: convolutions over time, fast on a CPU.

Dense convolutions over a few frames are the fastest way to use context that a CPU's matrix routines offer. They are
dilated: the last one sees about two seconds to either side. Each block is scaled by a mean over the whole clip (squeeze
and excitation: Hu et al., 2018, arXiv:1709.01507; over time: Han et al., "ContextNet", 2020, arXiv:2005.03191).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.features.spelling_hands import HANDS, SpellingHands, by_hand, mean_point
from signary.models.point_network import CTCNetwork

DILATIONS = (1, 2, 4, 1, 2, 4)
SQUEEZE = 8
UNSEEN = -1e4  # far below any logit of a hand that is seen
GATE_FRAMES = 9


class HandStem(nn.Module):
    """From the points of both hands to features of each frame, the same for left and right hands.

    Both hands, the left one mirrored, go through the same layers. A gate weighs them by their shape and movement.

    Parameters
    ----------
    points, coordinates : int
        Of one hand.
    width : int
        D.
    """

    mirror: Tensor

    def __init__(self, points: int, coordinates: int, width: int) -> None:
        super().__init__()
        self.project = nn.Linear(points * coordinates + 5, width)
        self.norm = nn.LayerNorm(width)
        self.gate = nn.Conv1d(width, 1, GATE_FRAMES, padding=GATE_FRAMES // 2)
        self.after = nn.Linear(width, width)
        sides = torch.tensor([[-1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])[:, None, :coordinates]
        self.register_buffer("mirror", sides, persistent=False)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        """Return float32 (B, T, D) for points (B, T, 2 P, C) as of `SpellingHands`, and (B, T, 1), 0 = padding."""
        hands = by_hand(values) * self.mirror
        seen = (hands != 0).any(-1, keepdim=True).to(hands.dtype)
        shown = seen.amax(-2)  # (B, T, 2, 1)
        middle = mean_point(hands, seen)
        place = middle[..., 0, :2]
        other = place.flip(2) * place.new_tensor([-1.0, 1.0])  # the other hand, mirrored alike
        apart = (place - other) * shown.prod(2, keepdim=True)
        shape = ((hands - middle) * seen).flatten(3)
        frames = functional.silu(self.norm(self.project(torch.cat([shape, place, apart, shown], -1))))
        look = (frames * known[..., None]).permute(0, 2, 3, 1)  # (B, 2, D, T)
        counts = self.gate(look.flatten(0, 1)).reshape(*look.shape[:2], 1, -1).permute(0, 3, 1, 2)
        shares = (counts + UNSEEN * (1 - shown)).softmax(2)
        mixed: Tensor = self.after((frames * shares).sum(2))
        return mixed


class ConvBlock(nn.Module):
    """A convolution over neighboring frames, scaled by the whole clip, with a residual connection.

    Parameters
    ----------
    width, kernel, dilation : int
        D, frames of the kernel and the distance between them.
    dropout : float
    """

    def __init__(self, width: int, kernel: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.around = nn.Conv1d(width, width, kernel, dilation=dilation, padding=dilation * (kernel // 2))
        self.squeeze = nn.Sequential(
            nn.Linear(width, width // SQUEEZE), nn.SiLU(), nn.Linear(width // SQUEEZE, width), nn.Sigmoid()
        )
        self.mix = nn.Linear(width, width)
        self.drop = nn.Dropout(dropout)

    def forward(self, frames: Tensor, valid: Tensor) -> Tensor:
        """Return float32 (B, T, D) for frames of that shape and float32 (B, T, 1), 0 = padding."""
        hidden = self.around((self.norm(frames) * valid).transpose(1, 2)).transpose(1, 2)
        hidden = functional.silu(hidden)
        clip = (hidden * valid).sum(1, keepdim=True) / valid.sum(1, keepdim=True)
        after: Tensor = frames + self.drop(self.mix(hidden * self.squeeze(clip)))
        return after


class HandSpeller(CTCNetwork):
    """A CTC network that reads fingerspelling from the hands alone.

    Most blocks run on every other frame. Their output is added to features of every frame, so that characters of two
    frames stay apart.

    Parameters
    ----------
    characters : int
        V - 1; the last of the V classes is `blank`.
    points : sequence of str
        See `SpellingHands`.
    coordinates, kernel : int
        2 or 3; frames of a kernel, odd.
    width, inner : int
        D at every frame, and at every other frame.
    depth : int
        Blocks on every other frame, with `DILATIONS` repeated.
    dropout : float

    Raises
    ------
    ConfigError
        If a point is unknown, or the coordinates are not 2 or 3.
    """

    def __init__(
        self,
        characters: int = 59,
        *,
        points: Sequence[str] = HANDS,
        coordinates: int = 3,
        width: int = 96,
        inner: int = 160,
        depth: int = 6,
        kernel: int = 5,
        dropout: float = 0.0,
    ) -> None:
        features = SpellingHands(points, coordinates=coordinates)
        stem = HandStem(len(features.select) // 2, coordinates, width)
        super().__init__(features, stem, nn.LayerNorm(width), characters=characters, width=width)
        dilations = [DILATIONS[number % len(DILATIONS)] for number in range(depth)]
        self.before = nn.ModuleList([ConvBlock(width, kernel, 1, dropout) for _ in range(2)])
        self.narrow = nn.Conv1d(width, inner, kernel, stride=2, padding=kernel // 2)
        self.blocks = nn.ModuleList([ConvBlock(inner, kernel, dilation, dropout) for dilation in dilations])
        self.widen = nn.Linear(inner, 2 * width)
        self.after = ConvBlock(width, kernel, 1, dropout)
        self.look_ahead = kernel // 2 * (4 + 2 * sum(dilations)) + GATE_FRAMES // 2 + 1

    def encode_normal(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return memory and valid for points from ``features.normalize``, augmented or not."""
        values, valid = self.features.fit(values, lengths)
        known = valid[..., None].to(values.dtype)
        frames = self.stem(values, known)
        for block in self.before:
            frames = block(frames, known)
        half = self.narrow((frames * known).transpose(1, 2)).transpose(1, 2)
        for block in self.blocks:
            half = block(half, known[:, ::2])
        whole = self.widen(half).reshape(len(half), -1, frames.shape[2])[:, : frames.shape[1]]
        frames = self.after(frames + whole, known)
        return self.encoder(frames) * known, valid
