"""The text that networks read together of each clip."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from signary.models.point_network import CTCNetwork, SpellingNetwork
from signary.models.speller import spell
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.batches import Phrases, ordered_phrases


def read_phrases(networks: Sequence[SpellingNetwork], phrases: Phrases, recipe: SpellingRecipe) -> list[str]:
    """Return the text that networks read together of each clip."""
    order = np.argsort(phrases.clips.length, kind="stable")
    said = np.empty(len(phrases), object)
    with torch.inference_mode():
        batches = ordered_phrases(phrases.select(order), networks[0])
        read = [text for batch, _, _ in batches for text in read_clips(networks, batch.clips, batch.lengths, recipe)]
    said[order] = read
    return [str(text) for text in said]


def read_clips(networks: Sequence[Any], points: Tensor, lengths: Tensor, recipe: SpellingRecipe) -> list[str]:
    """Return the text of clips.

    Parameters
    ----------
    networks : sequence of SpellingNetwork
        Whose probabilities are averaged.
    points : float32 (B, T, P, 3)
        Selected ones.
    lengths : int64 (B,)
    recipe : SpellingRecipe
    """
    if isinstance(networks[0], CTCNetwork):
        numbers = _greedy(networks, points, lengths)
    else:
        numbers, _ = spell(networks, points, lengths, limit=recipe.data.letters + 1)
    return [recipe.characters.decode(row) for row in numbers.cpu().numpy()]


@torch.no_grad()
def _greedy(networks: Sequence[CTCNetwork], points: Tensor, lengths: Tensor) -> Tensor:
    """Return the likeliest character of each frame where it changes, and padding elsewhere."""
    encoded = [network.encode_selected(points, lengths) for network in networks]
    said = torch.stack([network.score(memory) for network, (memory, _) in zip(networks, encoded, strict=True)])
    best, blank = said.mean(0).argmax(-1), networks[0].blank
    before = functional.pad(best[:, :-1], (1, 0), value=blank)
    return best.masked_fill((best == before) | ~encoded[0][1], blank)  # among the symbols, blank is the padding
