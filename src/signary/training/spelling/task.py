"""The Lightning module that networks of fingerspelling are trained by."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from signary.datasets.augment.mix import SpelledBatch, cut_mix
from signary.datasets.augment.spelling import SpellingAugment
from signary.errors import InputError
from signary.evaluation.metrics import spelling_metrics
from signary.models.point_network import CTCNetwork, SpellingNetwork
from signary.models.speller import Speller
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.batches import Batch, Phrases, listed
from signary.training.spelling.losses import ctc_loss, speller_loss
from signary.training.spelling.read import read_clips
from signary.training.task import NetworkTask

NAMED = 8


class SpellingTask(NetworkTask):
    """Train on clips that are mixed, augmented and partly hidden; other parameters as `NetworkTask`.

    Parameters
    ----------
    seen, unseen : Phrases, optional
        Those to train on, to name clips with a broken loss, and those held out.
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
            If it is not finite; the clips are named.
        """
        spelled, partners, rows = batch
        with torch.autocast(spelled.clips.device.type, enabled=False):  # half precision would blur positions
            spelled = self.changed(spelled, partners)
        # augmentation changes lengths that were similar in the batch
        parts = list(by_length(spelled, self.recipe.data.together))
        losses = [self.loss(part) * (len(part.clips) / len(rows)) for part in parts]
        loss = torch.stack(losses).sum()
        if not torch.isfinite(loss):
            names = [] if self.seen is None else self.seen.name[rows.cpu().numpy()].tolist()
            where = f"in epoch {self.current_epoch}, batch {index}, of clips {listed(names, NAMED)}"
            self._stop(f"loss={float(loss)} {where}")
        self.log("train_loss", loss.detach(), on_step=False, on_epoch=True, prog_bar=True, batch_size=len(rows))
        return loss

    def on_train_epoch_end(self) -> None:
        """Stop before weights that are not finite are kept."""
        if not all(bool(torch.isfinite(weights).all()) for weights in self.network.parameters()):
            self._stop(f"weights are no numbers after epoch {self.current_epoch}")

    def _stop(self, said: str) -> None:
        hint = "the last good checkpoint is kept: go on with --resume and a lower --learning_rate"
        raise InputError(said, hint=hint)

    def changed(self, batch: SpelledBatch, partners: Tensor) -> SpelledBatch:
        """Normalize clips, mix them with their partners and augment them."""
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
        """Read clips and log the loss."""
        spelled, _, rows = batch
        clips = self.network.features.normalize(spelled.clips, spelled.lengths)
        loss = self.loss(spelled._replace(clips=clips))
        self.log("validation_loss", loss, on_epoch=True, prog_bar=True, batch_size=len(rows))
        if self.unseen is not None:
            said = read_clips([self.reader], spelled.clips, spelled.lengths, self.recipe)
            self.read += zip(self.unseen.clips.label[rows.cpu().numpy()].tolist(), said, strict=True)

    def on_validation_epoch_end(self) -> None:
        """Log the scores of the phrases read."""
        if self.read:
            scores = spelling_metrics(*zip(*self.read, strict=True))
            self.log_dict({f"validation_{name}": value for name, value in scores.items()}, prog_bar=True)
            self.read = []


def by_length(batch: SpelledBatch, size: int) -> Iterator[SpelledBatch]:
    """Yield parts of a batch, each of up to ``size`` clips of similar length, without excess padding."""
    for rows in torch.split(batch.lengths.argsort(stable=True), size):
        some = SpelledBatch(*(column[rows] for column in batch))
        frames, letters = int(some.lengths.max()), int(some.letter_counts.max())
        yield some._replace(clips=some.clips[:, :frames], letters=some.letters[:, :letters])
