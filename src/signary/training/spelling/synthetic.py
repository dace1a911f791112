"""Training of fingerspelling on synthetic clips: ``--data synthetic``."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import lightning
import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from signary.datasets.augment.mix import SpelledBatch
from signary.datasets.synthetic.spelling import SyntheticBatch, SyntheticSpelling
from signary.datasets.synthetic.texts import PhraseMaker
from signary.evaluation.phrases import spelling_report
from signary.models.point_network import CTCNetwork, SpellingNetwork
from signary.training.learn import learn
from signary.training.pack import Learned, with_credits
from signary.training.recipes.recipe import Credit
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.rows import row_loader
from signary.training.run import Run
from signary.training.spelling.batches import Batch
from signary.training.spelling.read import read_clips
from signary.training.spelling.start import first_network
from signary.training.spelling.task import SpellingTask
from signary.training.spelling.train import pack_spellers
from signary.training.spelling.tune import tables_of, tuned

SYNTHETIC = Path("synthetic")
SOURCE = "synthetic"
EPOCH_BATCHES, HELD_OUT, TUNED, READ_BATCH = 50, 256, 512, 32
# seeds of the clips for scores and for tuning: other phrases, speeds and cameras, of the same people for scores; for
# tuning of strangers, who differ from them about as much as they do from each other, and with phrases of no language
OTHER_SEED, TUNED_SEED, STRANGE, BACKWARDS = 7_000_003, 9_000_011, 1.5, 8


class MadeClips(Dataset[Batch]):
    """Batches of synthetic clips, each fully determined by its number.

    Parameters
    ----------
    source : SyntheticSpelling
    recipe : SpellingRecipe
    size : int
        Clips in a batch.
    """

    def __init__(self, source: SyntheticSpelling, recipe: SpellingRecipe, size: int) -> None:
        self.source, self.recipe, self.size = source, recipe, size

    def __getitem__(self, number: int) -> Batch:
        made = self.source.draw(self.size, number=number)
        letters, counts = self.recipe.characters.encode_many(made.texts)
        unknown = torch.full((self.size,), torch.nan)
        rows = torch.arange(self.size)
        parts = (made.points, made.lengths, torch.from_numpy(letters), torch.from_numpy(counts), unknown)
        return SpelledBatch(*parts), rows, rows


class EpochNumbers(Sampler[int]):
    """Numbers of batches, new ones each epoch."""

    def __init__(self, count: int) -> None:
        self.count, self.epoch = count, 0

    def set_epoch(self, epoch: int) -> None:
        """Use the numbers of an epoch; Lightning calls this."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[int]:
        # a generator, since Lightning asks for the iterator before it sets the epoch
        yield from range(self.epoch * self.count, (self.epoch + 1) * self.count)


def train_on_made(recipe: SpellingRecipe, run: Run) -> Path:
    """Train a recipe of fingerspelling on synthetic clips, measure it on others, and return the bundle.

    An epoch is 50 batches. People and words reserved for testing are not used; `signary evaluate MODEL synthetic` reads
    those.
    """
    run.start(recipe, fold=-1, learned=[f"{SOURCE} {recipe.seed}"])
    networks = [fit_on_made(recipe.member(number), run, number) for number in range(recipe.members)]
    scores = measure(networks, recipe)
    clips = EPOCH_BATCHES * recipe.batch * recipe.epochs if recipe.steps is None else recipe.steps * recipe.batch
    thresholds: dict[str, float] = {}
    if readers := [network for network in networks if isinstance(network, CTCNetwork)]:
        tables, texts = tables_of(readers, strange_clips(readers[0], recipe))
        thresholds = tuned(tables, texts, recipe.characters.characters)
    run.write_metrics(train={"n": clips}, validation=scores)
    made = Credit(name=SOURCE, licence="made by signary from its learned handshapes")
    sources = with_credits(recipe.init_from, [made, *recipe.sources])
    learned = Learned(
        temperature=1.0,
        fitted_on="nothing, as trained",
        validation=scores,
        split="other made clips of the people learned from",
        files={credit.name: [] for credit in sources},
        sources=sources,
        thresholds=thresholds,
    )
    return pack_spellers(run.bundle, networks, recipe, learned)


def fit_on_made(
    recipe: SpellingRecipe,
    run: Run | None = None,
    member: int = 0,
    *,
    network: SpellingNetwork | None = None,
) -> SpellingNetwork:
    """Train a network, by default `first_network`; the rest as `signary.training.learn.learn`."""
    lightning.seed_everything(recipe.seed, verbose=False)
    network = network or first_network(recipe, member)
    source = SyntheticSpelling(network.select, recipe.synthetic, seed=recipe.seed)
    batches = row_loader(MadeClips(source, recipe, recipe.batch), EpochNumbers(EPOCH_BATCHES))
    task, stage = partial(SpellingTask, recipe, network), f"member-{member}"
    trained: SpellingNetwork = learn(recipe, task, batches, run=run, stage=stage, clip_norm=recipe.clip_norm)
    return trained


def measure(networks: list[SpellingNetwork], recipe: SpellingRecipe) -> dict[str, object]:
    """Return the scores of networks on other synthetic clips; see `spelling_report`."""
    asked: list[str] = []
    read: list[str] = []
    with torch.inference_mode():
        for made in made_clips(networks[0], recipe, OTHER_SEED, HELD_OUT):
            asked += made.texts
            read += read_clips(networks, made.points, made.lengths, recipe)
    return dict(spelling_report(asked, read))


def made_clips(network: SpellingNetwork, recipe: SpellingRecipe, seed: int, count: int) -> Iterator[SyntheticBatch]:
    """Yield ``count`` clips that no training of this recipe draws."""
    source = SyntheticSpelling(network.select, recipe.synthetic, seed=recipe.seed + seed)
    for number in range(count // READ_BATCH):
        yield source.draw(READ_BATCH, number=number)


def strange_clips(network: SpellingNetwork, recipe: SpellingRecipe) -> Iterator[SyntheticBatch]:
    """Yield clips to tune decoding on.

    Their hands differ from those in training as strangers' do. Every eighth phrase is spelled backwards, since words
    that the language model does not know have to be read, too.
    """
    options = recipe.synthetic.model_copy(update={"strangers": STRANGE})
    source = SyntheticSpelling(network.select, options, seed=recipe.seed + TUNED_SEED)
    phrases = PhraseMaker(weights=options.texts).draw(TUNED, np.random.default_rng(recipe.seed + TUNED_SEED))
    phrases[::BACKWARDS] = [phrase[::-1] for phrase in phrases[::BACKWARDS]]
    for first in range(0, TUNED, READ_BATCH):
        yield source.draw(READ_BATCH, texts=phrases[first : first + READ_BATCH])


def is_made(data: Path) -> bool:
    """Return whether synthetic clips are asked for; an existing path of that name comes first."""
    return data == SYNTHETIC and not data.exists()
