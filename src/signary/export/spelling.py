"""Export of fingerspelling networks to ONNX graphs that take raw points; several networks are averaged in one."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from signary.bundles.manifest import AFTER, ENCODER, MEMORY, PAST, SPELLER_FILES, STEP
from signary.export.fold import OPSET, folded
from signary.export.onnx import traced, verified
from signary.export.verify import verify_ctc_graph, verify_speller
from signary.models.decoder import DecoderState
from signary.models.point_network import CTCNetwork
from signary.models.speller import Speller


class SpellerEncoder(nn.Module):
    """The encoders of several spellers: points float32 (T, 543, 3) to keys and values of M networks.

    Parameters
    ----------
    spellers : iterable of Speller
        Of one recipe.
    """

    def __init__(self, spellers: Iterable[Speller]) -> None:
        super().__init__()
        self.spellers = nn.ModuleList(spellers)

    def forward(self, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Read a clip.

        Returns
        -------
        memory_keys, memory_values : float32 (M, N, 1, H, S, E)
            As in `DecoderState`.
        confidence : float32 ()
            Mean logit of how well the clip can be read; NaN without such a head.
        """
        spellers = [cast(Speller, speller) for speller in self.spellers]
        values = spellers[0].features.normalize(spellers[0].select(points)[None])
        memories = [speller.encode_normal(values) for speller in spellers]
        states = [speller.start(*memory) for speller, memory in zip(spellers, memories, strict=True)]
        sure = [speller.trust(memory) for speller, (memory, _) in zip(spellers, memories, strict=True)]
        said = [logit[0] for logit in sure if logit is not None]
        confidence = torch.stack(said).mean() if said else points.new_tensor(torch.nan)
        keys, clip_values = (torch.stack([getattr(state, name) for state in states]) for name in MEMORY)
        return keys, clip_values, confidence


class SpellerStep(nn.Module):
    """One step of the decoders of several spellers, with averaged logits. Parameters as of `SpellerEncoder`."""

    def __init__(self, spellers: Iterable[Speller]) -> None:
        super().__init__()
        self.decoders = nn.ModuleList([speller.decoder for speller in spellers])

    def forward(
        self, token: Tensor, keys: Tensor, values: Tensor, memory_keys: Tensor, memory_values: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Read a token.

        Parameters
        ----------
        token : int64 (B,)
        keys, values : float32 (M, N, B, H, L, E)
            Of the earlier tokens.
        memory_keys, memory_values : float32 (M, N, B, H, S, E)
            Of the encoder.

        Returns
        -------
        logits : float32 (B, V)
        keys, values : float32 (M, N, B, H, L + 1, E)
        looked : float32 (B, S)
            Attention weights (0 to 1) over the frames, for the token after this one.
        """
        said: list[Tensor] = []
        looked: list[Tensor] = []
        states: list[DecoderState] = []
        one = len(self.decoders) == 1  # a single network need not be copied out of a stack
        stacks = (keys, values, memory_keys, memory_values)
        held = ([each.squeeze(0)] if one else each.unbind() for each in stacks)
        for decoder, past_keys, past_values, clip_keys, clip_values in zip(self.decoders, *held, strict=True):
            state = DecoderState(past_keys, past_values, clip_keys, clip_values, valid=None)
            logits, state = decoder(token[:, None], state, looked)
            said.append(logits[:, 0])
            states.append(state)
        keys, values = (torch.stack([getattr(state, name) for state in states]) for name in PAST)
        return torch.stack(said).mean(0), keys, values, torch.stack(looked).mean(0)[:, 0]


class CTCReader(nn.Module):
    """Log probabilities averaged over several networks: points float32 (T, 543, 3) to float32 (T, V).

    Parameters
    ----------
    networks : iterable of CTCNetwork
        Of one recipe.
    """

    def __init__(self, networks: Iterable[CTCNetwork]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)

    def forward(self, points: Tensor) -> Tensor:
        """Return log probabilities; the last class is the blank."""
        return torch.stack([network(points)[0][0] for network in self.networks]).mean(0)


def export_speller(spellers: Iterable[Speller], folder: Path) -> None:
    """Write ``encoder.onnx`` and ``step.onnx``, with the inputs of `SpellerEncoder` and `SpellerStep`.

    Parameters
    ----------
    spellers : iterable of Speller
        Of one recipe; they are averaged.
    folder : Path

    Raises
    ------
    BundleError
        If the graphs compute something else than the networks.
    """
    spellers = list(spellers)
    encoder, step = SpellerEncoder(spellers).eval(), SpellerStep(spellers).eval()
    frames, beams = torch.export.Dim("frames", min=1), torch.export.Dim("beams", min=1)
    points = torch.rand(70, 543, 3)
    light = SpellerEncoder(map(folded, spellers))
    model = traced(light, (points,), ["points"], [*MEMORY, "confidence"], ({0: frames},), opset=OPSET)
    with torch.no_grad():
        memory = [each.repeat(1, 1, 2, 1, 1, 1) for each in encoder(points)[:2]]
    past, ahead = [each[..., :3, :] for each in memory], {2: beams, 4: torch.export.Dim("past", min=0)}
    clip = {2: beams, 4: frames}
    steps = traced(
        step,
        (torch.tensor([1, 2]), *past, *memory),
        ["token", *PAST, *MEMORY],
        ["logits", *AFTER, "looked"],
        ({0: beams}, ahead, ahead, clip, clip),
        opset=OPSET,
    )
    with verified(model, folder / SPELLER_FILES[ENCODER]), verified(steps, folder / SPELLER_FILES[STEP]):
        verify_speller(encoder, step, folder, symbols=spellers[0].decoder.embed.num_embeddings)


def export_ctc_graph(networks: Iterable[CTCNetwork], path: Path) -> None:
    """Write a graph: ``points`` (T, 543, 3), T 1 or more, to ``log_probabilities`` (T, V); see `CTCReader`.

    Parameters
    ----------
    networks : iterable of CTCNetwork
        Of one recipe; they are averaged.
    path : Path

    Raises
    ------
    BundleError
        If the graph computes something else than the networks.
    """
    reader = CTCReader(networks).eval()
    shapes = ({0: torch.export.Dim("frames", min=1)},)
    light = CTCReader(folded(cast(CTCNetwork, network)) for network in reader.networks)
    model = traced(light, (torch.rand(70, 543, 3),), ["points"], ["log_probabilities"], shapes, opset=OPSET)
    with verified(model, path):
        verify_ctc_graph(reader, path)
