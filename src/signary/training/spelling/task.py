"""What is learned of fingerspelling, as a Lightning module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from signary.datasets.augment.mix import SpelledBatch, cut_mix, hide_letters
from signary.datasets.augment.spelling import SpellingAugment
from signary.errors import InputError
from signary.evaluation.metrics import spelling_metrics
from signary.models.point_network import CTCNetwork, SpellingNetwork
from signary.models.speller import Speller, reversed_targets, spell
from signary.text.characters import CharacterVocabulary
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.batches import Batch, Phrases
from signary.training.task import NetworkTask

NAMED = 8


class SpellingTask(NetworkTask):
    """Learn fingerspelling from clips that are mixed, changed and shown in part.

    Parameters
    ----------
    recipe : SpellingRecipe
    network : SpellingNetwork
    steps : int
        Of the whole training, for the schedule.
    seen, unseen : Phrases, optional
        What is learned from, to name what cannot be; what is held out.
    """

    recipe: SpellingRecipe
    network: SpellingNetwork

    def __init__(
        self,
        recipe: SpellingRecipe,
        network: SpellingNetwork,
        steps: int,
        seen: Phrases | None = None,
        unseen: Phrases | None = None,
    ) -> None:
        super().__init__(recipe, network, steps)
        self.warm_up, self.seen, self.unseen = recipe.warm_up, seen, unseen
        self.augment = SpellingAugment(recipe.augment, network.select)
        self.read: list[tuple[str, str]] = []

    def training_step(self, batch: Batch, index: int) -> Tensor:
        """Return the loss of a batch.

        Raises
        ------
        InputError
            If it is no number; the clips are named.
        """
        spelled, partners, rows = batch
        with torch.autocast(spelled.clips.device.type, enabled=False):  # half precision would blur places
            spelled = self.changed(spelled, partners)
        # changed clips differ in length even where the batch's own were alike
        parts = list(by_length(spelled, self.recipe.data.together))
        losses = [self.loss(part) * (len(part.clips) / len(rows)) for part in parts]
        loss = torch.stack(losses).sum()
        if not torch.isfinite(loss):
            names = [] if self.seen is None else self.seen.name[rows.cpu().numpy()].tolist()
            listed = ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
            self._stop(f"loss={float(loss)} in epoch {self.current_epoch}, batch {index}, of clips {listed}")
        self.log("train_loss", loss.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=len(rows))
        return loss

    def on_train_epoch_end(self) -> None:
        """Refuse weights that are no numbers, before they would be kept."""
        if not all(bool(torch.isfinite(weights).all()) for weights in self.network.parameters()):
            self._stop(f"weights are no numbers after epoch {self.current_epoch}")

    def _stop(self, said: str) -> None:
        hint = "the last good checkpoint is kept: go on with --resume and a lower --learning_rate"
        raise InputError(said, hint=hint)

    def changed(self, batch: SpelledBatch, partners: Tensor) -> SpelledBatch:
        """Normalize clips, mix them with their partners and change them at random."""
        clips = self.network.features.normalize(batch.clips, batch.lengths)
        mixed = cut_mix(batch._replace(clips=clips), partners, self.recipe.characters.pad)
        clips, lengths = self.augment(mixed.clips, mixed.lengths)
        return mixed._replace(clips=clips, lengths=lengths)

    def loss(self, batch: SpelledBatch) -> Tensor:
        """Return the loss of normalized clips."""
        memory, valid = self.network.encode_normal(batch.clips, batch.lengths)
        if isinstance(self.network, CTCNetwork):
            return ctc_loss(self.network.score(memory), valid, batch)
        assert isinstance(self.network, Speller)
        hidden = self.recipe.augment.letters_hidden if self.training else 0.0
        return speller_loss(self.network, (memory, valid), batch, self.recipe, hidden=hidden)

    def validation_step(self, batch: Batch, index: int) -> None:
        """Read clips, and log the loss."""
        spelled, _, rows = batch
        clips = self.network.features.normalize(spelled.clips, spelled.lengths)
        loss = self.loss(spelled._replace(clips=clips))
        self.log("validation_loss", loss, on_epoch=True, prog_bar=True, batch_size=len(rows))
        if self.unseen is not None:
            said = read_clips([self.reader], spelled.clips, spelled.lengths, self.recipe)
            self.read += zip(self.unseen.clips.label[rows.cpu().numpy()].tolist(), said, strict=True)

    def on_validation_epoch_end(self) -> None:
        """Log how well the phrases were read."""
        if self.read:
            scores = spelling_metrics(*zip(*self.read, strict=True))
            self.log_dict({f"validation_{name}": value for name, value in scores.items()}, prog_bar=True)
            self.read = []


def by_length(batch: SpelledBatch, size: int) -> Iterator[SpelledBatch]:
    """Yield parts of a batch, of so many clips of about one length, without the padding that they need not."""
    for rows in torch.split(batch.lengths.argsort(stable=True), size):
        some = SpelledBatch(*(column[rows] for column in batch))
        frames, letters = int(some.lengths.max()), int(some.letter_counts.max())
        yield some._replace(clips=some.clips[:, :frames], letters=some.letters[:, :letters])


def speller_loss(
    speller: Speller,
    encoded: tuple[Tensor, Tensor],
    batch: SpelledBatch,
    recipe: SpellingRecipe,
    *,
    hidden: float = 0.0,
) -> Tensor:
    """Return the loss of both decoders and, where scores are known, of the confidence.

    Parameters
    ----------
    speller : Speller
    encoded : (memory, valid)
        The clips of the batch.
    batch : SpelledBatch
    recipe : SpellingRecipe
        With what each of the losses counts.
    hidden : float
        Share of the letters that the decoders are not shown.

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
    """Return the loss of what is said of each frame, float32 (B, T, V); clips too short for their text count 0."""
    blank, frames = log_probabilities.shape[-1] - 1, valid.sum(1)
    counts = batch.letter_counts
    return functional.ctc_loss(
        log_probabilities.transpose(0, 1), batch.letters, frames, counts, blank=blank, zero_infinity=True
    )


def ended_letters(batch: SpelledBatch, characters: CharacterVocabulary, width: int | None = None) -> Tensor:
    """Return the letters with the mark of the end behind them, int64 (B, L): L is ``width``, or as few as hold all."""
    more = 1 if width is None else width - batch.letters.shape[1]
    longer = functional.pad(batch.letters, (0, more), value=characters.pad)
    return longer.scatter(1, batch.letter_counts[:, None], characters.end)


def behind_start(targets: Tensor, characters: CharacterVocabulary) -> Tensor:
    """Return what a decoder reads to say targets (B, L): the mark of the start, and all but the last of them."""
    return functional.pad(targets[:, :-1], (1, 0), value=characters.start)


def read_clips(networks: Sequence[Any], points: Tensor, lengths: Tensor, recipe: SpellingRecipe) -> list[str]:
    """Return the text of clips.

    Parameters
    ----------
    networks : sequence of SpellingNetwork
        They read together.
    points : float32 (B, T, P, 3)
        Those of ``select``.
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
    """Return the likeliest character of each frame where it changes, padding in place of the others."""
    encoded = [network.encode_selected(points, lengths) for network in networks]
    said = torch.stack([network.score(memory) for network, (memory, _) in zip(networks, encoded, strict=True)])
    best, blank = said.mean(0).argmax(-1), networks[0].blank
    before = functional.pad(best[:, :-1], (1, 0), value=blank)
    return best.masked_fill((best == before) | ~encoded[0][1], blank)  # blank is where padding is, among the symbols


def _entropy(logits: Tensor, targets: Tensor, ignored: int, *, smoothing: float) -> Tensor:
    logits, targets = logits.float().flatten(0, 1), targets.flatten()
    return functional.cross_entropy(logits, targets, ignore_index=ignored, label_smoothing=smoothing)
