"""Losses of networks that read fingerspelling."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from signary.datasets.augment.mix import SpelledBatch, hide_letters
from signary.models.speller import Speller, reversed_targets
from signary.text.characters import CharacterVocabulary
from signary.training.recipes.spelling import SpellingRecipe


def speller_loss(
    speller: Speller,
    encoded: tuple[Tensor, Tensor],
    batch: SpelledBatch,
    recipe: SpellingRecipe,
    *,
    hidden: float = 0.0,
) -> Tensor:
    """Return the loss of both decoders and, for known scores, of the confidence.

    Parameters
    ----------
    speller : Speller
    encoded : (memory, valid)
        Of the clips of the batch.
    batch : SpelledBatch
    recipe : SpellingRecipe
        With the weights of the losses.
    hidden : float
        Share of the letters that is hidden from the decoders.

    Returns
    -------
    float32 ()
    """
    losses, characters = recipe.losses, recipe.characters
    targets = ended_letters(batch, characters, recipe.data.letters + 1 if losses.padding else None)
    shown, back, shown_back = hide_letters(behind_start(targets, characters), characters, hidden), None, None
    if speller.reversed is not None and losses.backward:
        back = reversed_targets(targets, pad=characters.pad)
        shown_back = hide_letters(behind_start(back, characters), characters, hidden)
    said = speller.teach(*encoded, shown, shown_back)
    entropy = partial(_entropy, smoothing=recipe.label_smoothing)
    loss = losses.forward * entropy(said.logits, targets, -100 if losses.padding else characters.pad)
    if said.reversed_logits is not None and back is not None:
        loss = loss + losses.backward * entropy(said.reversed_logits, back, characters.pad)
    known = torch.isfinite(batch.scores)
    if said.confidence is None or not losses.confidence or not known.any():
        return loss
    sure = functional.binary_cross_entropy_with_logits(said.confidence.float()[known], batch.scores[known])
    return (1 - losses.confidence) * loss + losses.confidence * sure


def ctc_loss(log_probabilities: Tensor, valid: Tensor, batch: SpelledBatch) -> Tensor:
    """Return the CTC loss of frames, float32 (B, T, V); it is 0 for clips too short for their text."""
    blank, frames = log_probabilities.shape[-1] - 1, valid.sum(1)
    counts = batch.letter_counts
    return functional.ctc_loss(
        log_probabilities.transpose(0, 1), batch.letters, frames, counts, blank=blank, zero_infinity=True
    )


def ended_letters(batch: SpelledBatch, characters: CharacterVocabulary, width: int | None = None) -> Tensor:
    """Return the letters with the end mark after them, int64 (B, L): L is ``width``, or as short as possible."""
    more = 1 if width is None else width - batch.letters.shape[1]
    longer = functional.pad(batch.letters, (0, more), value=characters.pad)
    return longer.scatter(1, batch.letter_counts[:, None], characters.end)


def behind_start(targets: Tensor, characters: CharacterVocabulary) -> Tensor:
    """Return the input of a decoder for targets (B, L): the start mark, and all targets but the last."""
    return functional.pad(targets[:, :-1], (1, 0), value=characters.start)


def _entropy(logits: Tensor, targets: Tensor, ignored: int, *, smoothing: float) -> Tensor:
    logits, targets = logits.float().flatten(0, 1), targets.flatten()
    return functional.cross_entropy(logits, targets, ignore_index=ignored, label_smoothing=smoothing)
