"""Networks that read continuous fingerspelling from raw points: an encoder with a decoder, or with a CTC head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from signary.features.spelling import SPELLING_POINTS, SpellingPoints
from signary.models.decoder import Decoder, DecoderState
from signary.models.point_network import CTCNetwork, SpellingNetwork
from signary.models.squeezeformer import Squeezeformer
from signary.models.stem import Stem


class SpellerOutput(NamedTuple):
    """The output of a `Speller` for clips and their texts.

    Attributes
    ----------
    logits : float32 (B, L, V)
        Of the token that follows each.
    reversed_logits : float32 (B, L, V) or None
        The same for reversed texts, if given.
    confidence : float32 (B,) or None
        Logit of how well a clip can be read.
    """

    logits: Tensor
    reversed_logits: Tensor | None
    confidence: Tensor | None


class Speller(SpellingNetwork):
    """Christof Henkel's and Darragh Hanley's winning network of fingerspelling recognition (Kaggle, 2023).

    9,736,305 parameters for 63 symbols; 8,584,209 without the decoder of reversed texts, which only training needs.
    `Speller.small` is the network of their first round.

    Parameters
    ----------
    symbols : int
        V; the last four are marks: padding, start, end, hidden.
    points : sequence of str
        The points it reads, see ``SelectPoints``.
    coordinates : int
        2 = x and y, 3 = z, too.
    width, depth, heads, kernel : int
        Of the encoder: D, blocks, attention heads, frames of a convolution's kernel.
    attention : {"rotary", "relative"}
    max_frames : int
        Longer clips are resized.
    parts, reverse, confidence : bool
        Add branches for the hands, the face and the body; a second decoder for reversed texts; a head that estimates
        how well a clip can be read.
    layers, hidden : int
        Of the decoders.
    dropout, attention_dropout : float
        The second is for the decoders' attention.
    unseen : bool
        See `signary.features.spelling.normalize_part`.

    Raises
    ------
    ConfigError
        If a point is unknown, or the coordinates are not 2 or 3.
    """

    def __init__(
        self,
        symbols: int = 63,
        *,
        points: Sequence[str] = SPELLING_POINTS,
        coordinates: int = 3,
        width: int = 208,
        depth: int = 14,
        heads: int = 4,
        kernel: int = 51,
        attention: Literal["rotary", "relative"] = "rotary",
        max_frames: int = 384,
        parts: bool = True,
        reverse: bool = True,
        confidence: bool = True,
        layers: int = 2,
        hidden: int = 512,
        dropout: float = 0.1,
        attention_dropout: float = 0.2,
        unseen: bool = False,
    ) -> None:
        features = SpellingPoints(points, coordinates=coordinates, max_frames=max_frames)
        groups = features.groups if parts else None
        stem = Stem(len(features.select), coordinates=coordinates, width=width, parts=groups, unseen=unseen)
        encoder = Squeezeformer(width, depth=depth, heads=heads, kernel=kernel, attention=attention, dropout=dropout)
        super().__init__(features, stem, encoder)
        options: dict[str, Any] = {"depth": layers, "heads": heads, "hidden": hidden}
        options |= {"dropout": dropout, "attention_dropout": attention_dropout}
        self.decoder = Decoder(symbols, width, **options)
        self.reversed = Decoder(symbols, width, **options) if reverse else None
        self.confidence = nn.Linear(width, 1) if confidence else None

    @classmethod
    def small(cls, symbols: int = 63, **options: Any) -> Speller:
        """Return the network of the first round, 2,515,040 parameters for 63 symbols, or a variant of it."""
        first: dict[str, Any] = {"width": 144, "depth": 6, "attention": "relative"}
        return cls(symbols, **(first | {"parts": False, "reverse": False, "confidence": False} | options))

    @property
    def inference_parameters(self) -> int:
        """Number of parameters that inference needs."""
        unused = () if self.reversed is None else self.reversed.parameters()
        return sum(map(torch.numel, self.parameters())) - sum(map(torch.numel, unused))

    def forward(
        self, points: Tensor, lengths: Tensor | None, tokens: Tensor, reversed_tokens: Tensor | None = None
    ) -> SpellerOutput:
        """Read clips together with their texts.

        Parameters
        ----------
        points, lengths
            See `PointNetwork`.
        tokens : int64 (B, L)
            The start mark, then the text; some of it may be hidden.
        reversed_tokens : int64 (B, L), optional
            The same for the reversed text.

        Returns
        -------
        SpellerOutput
        """
        return self.teach(*self.encode(points, lengths), tokens, reversed_tokens)

    def teach(
        self, memory: Tensor, valid: Tensor, tokens: Tensor, reversed_tokens: Tensor | None = None
    ) -> SpellerOutput:
        """Return what `forward` does, for encoded clips."""
        logits, _ = self.decoder(tokens, self.decoder.start(memory, valid))
        back = None
        if self.reversed is not None and reversed_tokens is not None:
            back, _ = self.reversed(reversed_tokens, self.reversed.start(memory, valid))
        return SpellerOutput(logits, back, self.trust(memory))

    def trust(self, memory: Tensor) -> Tensor | None:
        """Return the logit of how well each clip can be read, float32 (B,); None without such a head."""
        return None if self.confidence is None else self.confidence(memory[:, 0])[:, 0]

    def start(self, memory: Tensor, valid: Tensor) -> DecoderState:
        """Return the decoder's state before the first token, for encoded clips."""
        return self.decoder.start(memory, valid)

    def step(self, token: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return logits float32 (B, V) of the token that follows token int64 (B,), and the state after it."""
        logits, state = self.decoder(token[:, None], state)
        return logits[:, 0], state


@torch.no_grad()
def spell(
    spellers: Sequence[Speller], points: Tensor, lengths: Tensor | None = None, *, limit: int = 33
) -> tuple[Tensor, Tensor]:
    """Read clips token by token, always the likeliest by the mean of the networks' logits.

    Parameters
    ----------
    spellers : sequence of Speller
    points : float32 (B, T, P, C)
        Those of ``select``, the same for all networks.
    lengths : int64 (B,)
        None = all T.
    limit : int
        Largest number of tokens.

    Returns
    -------
    tokens : int64 (B, L)
        After each text the end mark, then padding.
    ended : bool (B,)
        False = cut off at the limit.
    """
    pad = spellers[0].decoder.pad
    states = [speller.start(*speller.encode_selected(points, lengths)) for speller in spellers]
    token = torch.full((len(points),), pad + 1, device=points.device)
    ended = torch.zeros_like(token, dtype=torch.bool)
    tokens: list[Tensor] = []
    while len(tokens) < limit and not ended.all():
        steps = [speller.step(token, state) for speller, state in zip(spellers, states, strict=True)]
        states = [state for _, state in steps]
        token = torch.stack([logits for logits, _ in steps]).mean(0).argmax(-1).masked_fill(ended, pad)
        tokens.append(token)
        ended = ended | (token == pad + 2)
    return torch.stack(tokens, 1), ended


def reversed_targets(targets: Tensor, *, pad: int) -> Tensor:
    """Reverse texts: "cab", end, padding becomes "bac", end, padding.

    Parameters
    ----------
    targets : int64 (B, L)
        Each with the end mark, then ``pad``.
    pad : int

    Returns
    -------
    int64 (B, L)
    """
    end = (targets != pad).sum(1, keepdim=True) - 1
    places = torch.arange(targets.shape[1], device=targets.device).expand_as(targets)
    return targets.gather(1, torch.where(places < end, end - 1 - places, places))


class SpellerCTC(CTCNetwork):
    """A small streaming network: for each frame a character, or none.

    Every frame is normalized by the frames up to it and attends to earlier frames alone. The output of a frame depends
    on ``look_ahead`` later frames: 13 by default, one from the stem and two from each block. 1,388,764 parameters for
    59 characters.

    Parameters
    ----------
    characters : int
        V - 1; the last of the V classes is `blank`.
    points, coordinates, width, depth, heads, kernel, parts, dropout
        As of `Speller`.
    past : int
        Frames that each frame attends to, up to itself.
    ahead : int
        Later frames in each convolution's kernel.

    Raises
    ------
    ConfigError
        If a point is unknown, or the coordinates are not 2 or 3.
    """

    def __init__(
        self,
        characters: int = 59,
        *,
        points: Sequence[str] = SPELLING_POINTS,
        coordinates: int = 3,
        width: int = 128,
        depth: int = 6,
        heads: int = 4,
        kernel: int = 17,
        past: int = 64,
        ahead: int = 2,
        parts: bool = False,
        dropout: float = 0.1,
    ) -> None:
        features = SpellingPoints(points, coordinates=coordinates, max_frames=None, running=True)
        stem = Stem(
            len(features.select), coordinates=coordinates, width=width, parts=features.groups if parts else None
        )
        encoder = Squeezeformer(width, depth=depth, heads=heads, kernel=kernel, past=past, ahead=ahead, dropout=dropout)
        super().__init__(features, stem, encoder, characters=characters, width=width)
        self.look_ahead = 1 + depth * ahead
