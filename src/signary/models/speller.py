"""Networks that read continuous fingerspelling from raw points: an encoder with a decoder, or with a CTC head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from signary.features.select import SelectPoints
from signary.features.spelling import SPELLING_POINTS, SpellingPoints
from signary.models.decoder import Decoder, DecoderState
from signary.models.squeezeformer import Squeezeformer, Stem


class SpellingNetwork(nn.Module):
    """What reads fingerspelling: points of one clip, or of a padded batch of clips, to frames of features.

    Attributes
    ----------
    features : SpellingPoints
        Points to normalized points.
    stem, encoder : Module
        These to frames.
    """

    def __init__(self, features: SpellingPoints, stem: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.features, self.stem, self.encoder = features, stem, encoder

    @property
    def select(self) -> SelectPoints:
        """The points that it reads; training data may be kept in this form."""
        return self.features.select

    def encode(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read clips.

        Parameters
        ----------
        points : float32 (T, 543, 3) or (B, T, 543, 3)
            ``HOLISTIC_543``, image-normalized; NaN = not seen. T is 1 or more.
        lengths : int64 (B,)
            Frames of each clip of a batch, the rest is padding and may hold anything; None = all T.

        Returns
        -------
        memory : float32 (B, S, D)
            S = min(T, max_frames); B is 1 for one clip. 0 in padding.
        valid : bool (B, S)
            False = padding.
        """
        points = self.select(points)
        return self.encode_selected(points[None] if points.dim() == 3 else points, lengths)

    def encode_selected(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return memory and valid for points (B, T, P, C), those of ``select`` alone."""
        return self.encode_normal(self.features.normalize(points, lengths), lengths)

    def encode_normal(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return memory and valid for points that ``features.normalize`` made, changed at random or not."""
        values, valid = self.features.fit(values, lengths)
        padded = None if lengths is None else valid
        return self.encoder(self.stem(values, padded), padded), valid


class SpellerOutput(NamedTuple):
    """What a `Speller` says of clips and the texts it is taught.

    Attributes
    ----------
    logits : float32 (B, L, V)
        Of the token after each.
    reversed_logits : float32 (B, L, V) or None
        The same for reversed texts, where such were given.
    confidence : float32 (B,) or None
        Logit of how well a clip can be read.
    """

    logits: Tensor
    reversed_logits: Tensor | None
    confidence: Tensor | None


class Speller(SpellingNetwork):
    """Christof Henkel's and Darragh Hanley's winning network of fingerspelling recognition (Kaggle, 2023).

    9,736,305 parameters for 63 symbols, 8,584,209 without the decoder of reversed texts, which serves training alone.
    `Speller.small` is that of their first round.

    Parameters
    ----------
    symbols : int
        V; the last four are marks: padding, start, end, hidden.
    points : sequence of str
        The points it reads, see ``SelectPoints``.
    coordinates : int
        2 = x and y, 3 = z, too.
    width, depth, heads, kernel : int
        Of the encoder: D, blocks, attention heads, frames that a convolution sees.
    attention : {"rotary", "relative"}
    max_frames : int
        Longer clips are resized.
    parts, reverse, confidence : bool
        Read hands, face and body in branches of their own, too; have a second decoder for reversed texts; tell how
        well a clip can be read.
    layers, hidden : int
        Of the decoders.
    dropout, attention_dropout : float
        The second of the decoders' attention.
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
        """Number of parameters that reading needs."""
        unused = () if self.reversed is None else self.reversed.parameters()
        return sum(map(torch.numel, self.parameters())) - sum(map(torch.numel, unused))

    def forward(
        self,
        points: Tensor,
        lengths: Tensor | None,
        tokens: Tensor,
        reversed_tokens: Tensor | None = None,
    ) -> SpellerOutput:
        """Read clips along with their texts.

        Parameters
        ----------
        points, lengths
            See `encode`.
        tokens : int64 (B, L)
            The mark of the start, then the text; some of it may be hidden.
        reversed_tokens : int64 (B, L)
            The same for the text from its end.

        Returns
        -------
        SpellerOutput
        """
        return self.teach(*self.encode(points, lengths), tokens, reversed_tokens)

    def teach(
        self, memory: Tensor, valid: Tensor, tokens: Tensor, reversed_tokens: Tensor | None = None
    ) -> SpellerOutput:
        """Return what `forward` does, for clips that were encoded."""
        logits, _ = self.decoder(tokens, self.decoder.start(memory, valid))
        back = None
        if self.reversed is not None and reversed_tokens is not None:
            back, _ = self.reversed(reversed_tokens, self.reversed.start(memory, valid))
        return SpellerOutput(logits, back, self.trust(memory))

    def trust(self, memory: Tensor) -> Tensor | None:
        """Return the logit of how well each clip can be read, float32 (B,), or None without such a head."""
        return None if self.confidence is None else self.confidence(memory[:, 0])[:, 0]

    def start(self, memory: Tensor, valid: Tensor) -> DecoderState:
        """Return the state before the first token of clips that were encoded."""
        return self.decoder.start(memory, valid)

    def step(self, token: Tensor, state: DecoderState) -> tuple[Tensor, DecoderState]:
        """Return logits float32 (B, V) of what follows a token int64 (B,), and the state with it."""
        logits, state = self.decoder(token[:, None], state)
        return logits[:, 0], state


@torch.no_grad()
def spell(
    spellers: Sequence[Speller], points: Tensor, lengths: Tensor | None = None, *, limit: int = 33
) -> tuple[Tensor, Tensor]:
    """Read clips token by token, each time the likeliest by the mean of the networks' logits.

    Parameters
    ----------
    spellers : sequence of Speller
    points : float32 (B, T, P, C)
        Those of ``select``, the same for all.
    lengths : int64 (B,)
        None = all T.
    limit : int
        Tokens at most.

    Returns
    -------
    tokens : int64 (B, L)
        The mark of the end, then padding, behind each text.
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
    """Turn texts around: "cab", end, padding becomes "bac", end, padding.

    Parameters
    ----------
    targets : int64 (B, L)
        Each with the mark of the end; ``pad`` behind it.
    pad : int

    Returns
    -------
    int64 (B, L)
    """
    end = (targets != pad).sum(1, keepdim=True) - 1
    places = torch.arange(targets.shape[1], device=targets.device).expand_as(targets)
    return targets.gather(1, torch.where(places < end, end - 1 - places, places))


class CTCNetwork(SpellingNetwork):
    """A network that says of each frame a character, or none (CTC, Graves et al., 2006).

    Attributes
    ----------
    blank : int
        The class of no character, the last.
    look_ahead : int
        Frames that what is said of a frame depends on after it, but for what all of a clip decides.
    """

    look_ahead: int

    def __init__(
        self, features: SpellingPoints, stem: nn.Module, encoder: nn.Module, *, characters: int, width: int
    ) -> None:
        super().__init__(features, stem, encoder)
        self.blank = characters
        self.head = nn.Linear(width, characters + 1)

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read clips.

        Parameters
        ----------
        points, lengths
            See `encode`.

        Returns
        -------
        log_probabilities : float32 (B, T, V)
        valid : bool (B, T)
            False = padding.
        """
        memory, valid = self.encode(points, lengths)
        return self.score(memory), valid

    def score(self, memory: Tensor) -> Tensor:
        """Return log probabilities float32 (B, T, V) of clips that were encoded."""
        logits: Tensor = self.head(memory)
        return logits.float().log_softmax(-1)


class SpellerCTC(CTCNetwork):
    """A small network that reads while the clip goes on: at each frame a character, or none (CTC, Graves et al., 2006).

    Every frame is normalized by those up to it, attention looks back alone, and what is said of a frame depends on
    ``look_ahead`` frames after it: 13 by default, one of the stem and two of each block. 1,388,764 parameters for 59
    characters.

    Parameters
    ----------
    characters : int
        V - 1; the last of the V classes is `blank`.
    points, coordinates, width, depth, heads, kernel, parts, dropout
        As of `Speller`.
    past : int
        Frames that attention looks back, with the present one.
    ahead : int
        Frames that each convolution looks ahead.

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
