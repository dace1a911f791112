"""Continuous fingerspelling: the speed of reading and training, against the published code."""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from harness import alternate, matrix_rate, ratio, show
from signary.bundles.bundle import load_bundle
from signary.bundles.manifest import AFTER, ENCODER, MEMORY, SPELLER_FILES, STEP
from signary.datasets.augment.spelling import SpellingAugment
from signary.datasets.augment.strengths import SpellingStrengths as Strengths
from signary.datasets.fake import make_fingerspelling
from signary.datasets.prepare import prepare
from signary.datasets.readers.reader import Options
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import choose_points
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.sets import clip_of
from signary.datasets.synthetic.spelling import SyntheticBatch, SyntheticSpelling
from signary.datasets.synthetic.texts import PhraseMaker
from signary.evaluation.metrics import spelling_metrics
from signary.export.spelling import export_speller
from signary.features.select import SelectPoints
from signary.graph import Graph
from signary.landmarks.sequence import LandmarkSequence
from signary.models.attention import rotary_places, turned
from signary.models.blocks import FrameNorm
from signary.models.speller import Speller
from signary.models.squeezeformer import ConvModule, SqueezeBlock
from signary.recognition.load import load
from signary.recognition.spelling.recognizer import SpellingRecognizer
from signary.text.characters import CHARACTERS
from signary.training.networks import spelling_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.spelling.batches import load_phrases, phrase_loader
from signary.training.spelling.read import read_phrases
from signary.training.spelling.rows import PhraseRows
from signary.training.spelling.synthetic import OTHER_SEED, STRANGE
from signary.training.spelling.task import SpellingTask
from signary.training.spelling.train import fit_members

FRAMES, TOKENS, BATCH, POOL, FIVE_SECONDS, LETTERS = 384, 33, 32, 32, 150, 16
HANDS = SelectPoints(["left_hand", "right_hand"])
MEDIAN, SIGMA = 160, 0.5
PACES, SHORT = (9.5, 18.0, 30.0, 50.0), 16  # frames for each character at 30 fps, up to beginners'; letters of a phrase
PUBLISHED_MS = {"encoder": 72.9, "decoder": 47.9}  # of the published code on two cores of an EPYC, 2.6 GHz
OVERFIT = {"width": 64, "depth": 2, "batch": 16, "learning_rate": 3e-3, "weight_decay": 0.0, "dropout": 0.0}
OVERFIT_EACH = {  # a network that reads frame by frame needs depth to look far enough ahead
    "spelling-small": {"epochs": 400},
    "spelling": {"epochs": 400},
    "spelling-ctc": {"epochs": 600, "depth": 6},
}


class Published:
    """A speller's weights in the operations of the published code, in eager torch.

    Clips are padded to 384 frames; attention is computed step by step, with its softmax in full precision; batch
    normalization gathers frames by a mask; each letter is decoded from all letters before it, without a cache.

    Parameters
    ----------
    speller : Speller
    """

    def __init__(self, speller: Speller) -> None:
        self.speller = speller

    def encode(self, points: Tensor) -> tuple[Tensor, Tensor]:
        """Return memory (1, 384, D) and the mask of real frames, for points (T, 543, 3), T at most 384."""
        speller = self.speller
        values = speller.features.normalize(speller.select(points)[None])
        valid = torch.arange(FRAMES)[None] < len(points)
        values = functional.pad(values, (0, 0, 0, 0, 0, FRAMES - len(points)))
        frames = speller.stem(values, valid)
        places = rotary_places(FRAMES, speller.encoder.blocks[0].attention.branch.qkv.in_features // 4, frames.device)
        for block in speller.encoder.blocks:
            frames = self.block(block, frames, valid, places)
        return frames * valid[..., None], valid

    def block(self, block: SqueezeBlock, frames: Tensor, valid: Tensor, places: Tensor) -> Tensor:
        """Apply a block to frames."""
        attention = block.attention
        frames = attention.norm(
            frames + self.attend(attention, frames * attention.scale + attention.bias, valid, places)
        )
        frames = block.first(frames)
        conv = block.conv
        frames = conv.norm(frames + self.convolve(conv.branch, frames * conv.scale + conv.bias, valid))
        return block.second(frames)

    def attend(self, attention: Any, frames: Tensor, valid: Tensor, places: Tensor) -> Tensor:
        """Attend to real frames."""
        inner = attention.branch
        split = (functional.linear(frames, weight) for weight in inner.qkv.weight.chunk(3))
        query, key, value = (each.unflatten(-1, (inner.heads, -1)).transpose(1, 2) for each in split)
        query, key = turned(query, places), turned(key, places)
        scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        mask = valid[:, None, None] & valid[:, None, :, None]
        shares = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).softmax(-1, torch.float32)
        return inner.mix((shares @ value).transpose(1, 2).flatten(2))

    def convolve(self, conv: ConvModule, frames: Tensor, valid: Tensor) -> Tensor:
        """Gate and convolve, with features before frames."""
        hidden = functional.conv1d(
            (frames * valid[..., None]).transpose(1, 2), conv.widen.weight[..., None], conv.widen.bias
        )
        hidden = functional.glu(hidden, 1) * valid[:, None]
        hidden = conv.around(functional.pad(hidden, conv.margin)).transpose(1, 2)
        hidden = functional.silu(normalized(conv.norm, hidden, valid)).transpose(1, 2)
        hidden = functional.conv1d(hidden, conv.narrow.weight[..., None], conv.narrow.bias)
        return hidden.transpose(1, 2) * valid[..., None]

    def spell(self, memory: Tensor, valid: Tensor, tokens: Tensor) -> Tensor:
        """Return the logits (1, L, V) after each token (1, L), computed without a cache of tokens or clip."""
        steps = range(1, tokens.shape[1] + 1)
        decoder = self.speller.decoder
        return torch.cat([decoder(tokens[:, :count], decoder.start(memory, valid))[0][:, -1:] for count in steps], 1)


def normalized(norm: FrameNorm, frames: Tensor, valid: Tensor) -> Tensor:
    """Normalize the real frames, gathered and put back."""
    after = torch.zeros_like(frames)
    gathered = frames[valid]
    after[valid] = functional.batch_norm(
        gathered, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
    )
    return after


def runtime(
    folder: Path, points: NDArray[np.float32], tokens: NDArray[np.int64], threads: int
) -> tuple[Callable[[], Any], ...]:
    """Return functions that read a clip by its graphs: the encoder alone, and with all tokens."""
    encoder = Graph(folder / SPELLER_FILES[ENCODER], threads=threads)
    step = Graph(folder / SPELLER_FILES[STEP], threads=1)

    def encode() -> dict[str, NDArray[np.float32]]:
        clip = encoder.run(points=points)
        return {name: clip[name] for name in MEMORY}

    def spell() -> NDArray[np.float32]:
        memory = encode()
        keys, values = (array[..., :0, :] for array in memory.values())
        rows = []
        for token in tokens:
            said = step.run(token=token[None], keys=keys, values=values, **memory)
            keys, values = (said[name] for name in AFTER)
            rows.append(said["logits"][0])
        return np.stack(rows)

    return encode, spell


def decoding(*, quick: bool) -> dict[str, Any]:
    """Read 384 frames and 33 given tokens with two threads: our graphs with a cache, eager torch without.

    ``quick`` uses one thread, since on a busy machine two wait for each other.
    """
    threads = 1 if quick else 2
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    speller = Speller().eval()
    points, tokens = torch.rand(FRAMES, 543, 3), torch.randint(0, 59, (1, TOKENS))
    published = Published(speller)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode(False):
        export_speller([speller], Path(folder))
        encode, spell = runtime(Path(folder), points.numpy(), tokens[0].numpy(), threads)

    @torch.inference_mode()
    def eager() -> Tensor:
        return published.spell(*published.encode(points), tokens)

    @torch.inference_mode()
    def eager_encoder() -> Tensor:
        return published.encode(points)[0]

    @torch.inference_mode()
    def eager_of_ours() -> Tensor:
        return published.spell(*speller.encode(points), tokens)

    apart = float((eager()[0] - torch.from_numpy(spell())).abs().max())
    assert apart < 1e-3, f"the two ways differ by {apart}"
    tasks = {"ours": spell, "published": eager, "encode": encode, "published_encode": eager_encoder}
    times = alternate(tasks | {"eager_of_ours": eager_of_ours}, 7 if quick else 25)
    told = {f"{name}_ms": round(1000 * statistics.median(seconds), 1) for name, seconds in times.items()}
    rates = {name: ratio(times["ours"], times[name]) for name in ("published", "eager_of_ours")}
    return {"decode_ratio": rates["published"]["median"], "decode": told | rates | {"published_then_ms": PUBLISHED_MS}}


def spelled_lengths(count: int) -> NDArray[np.int64]:
    """Return lengths of clips like the competition's: log-normal, median 160 frames, cut at 384."""
    drawn = np.random.default_rng(0).lognormal(np.log(MEDIAN), SIGMA, count)
    return np.clip(drawn, 8, FRAMES).astype(np.int64)


def spelled_store(folder: Path, lengths: NDArray[np.int64]) -> Path:
    """Write a store of random clips of these lengths, by 20 signers, with random phrases of 8 to 31 letters."""
    random = np.random.default_rng(1)
    film = random.random((2 * FRAMES, 543, 3), np.float32)
    film[random.random(film.shape[:2]) < 0.3] = np.nan
    letters = ["".join(random.choice(list(CHARACTERS), size)) for size in random.integers(8, 32, len(lengths)).tolist()]
    clips = zip(random.integers(0, FRAMES, len(lengths)).tolist(), lengths.tolist(), letters, strict=True)
    draft = StoreDraft(folder / "store", choose_points())
    draft.begin()
    draft.add(
        "all",
        (
            Clip(f"{row}", film[start : start + length], phrase, f"{row % 20}", sha256=f"{row:064x}")
            for row, (start, length, phrase) in enumerate(clips)
        ),
    )
    draft.finish()
    return draft.target


def training(*, quick: bool) -> dict[str, Any]:
    """Steps on batches of 32: of similar length, against padded to 384; and the time of augmenting and loading."""
    torch.set_num_threads(1 if quick else 2)
    recipe = _recipe("spelling-small" if quick else "spelling", batch=BATCH, members=1)
    with tempfile.TemporaryDirectory() as folder:
        phrases, _ = load_phrases(recipe, spelled_store(Path(folder), spelled_lengths(BATCH * POOL)))
        task = SpellingTask(recipe, spelling_network(recipe), 1000, phrases).train()
        points = task.network.select.index.numpy()
        loader = phrase_loader(phrases, points, PhraseRows(phrases, recipe))
        batches = list(loader)
        lengths = np.array([int(batch.lengths[: len(rows)].max()) for batch, _, rows in batches])
        stride = POOL // (2 if quick else 4)  # of all lengths, in fewer steps
        kept = np.argsort(lengths, kind="stable")[stride // 2 :: stride]
        plain = [_without_partners(batches[place]) for place in kept]
        optimizer = torch.optim.AdamW(task.network.parameters(), lr=1e-5)

        def epoch(frames: int | None) -> Callable[[], None]:
            def run() -> None:
                for batch, _, _ in plain:
                    step(task, batch, optimizer, frames)

            return run

        times = alternate({"ours": epoch(None), "padded": epoch(FRAMES)}, 1 if quick else 2)
        share = changing(task, loader, times["ours"], len(plain), quick=quick)
    frames = sum(int(batch.lengths.sum()) for batch, _, _ in plain)
    bucket = sum(int(batch.lengths.max()) for batch, _, _ in plain) * BATCH
    told = {
        "network": recipe.network,
        "frames_by_padded_frames": round(frames / (len(plain) * BATCH * FRAMES), 3),
        "frames_in_buckets_by_padded_frames": round(bucket / (len(plain) * BATCH * FRAMES), 3),
        "ours_s": round(statistics.median(times["ours"]) / len(plain), 3),
        "padded_s": round(statistics.median(times["padded"]) / len(plain), 3),
        "ratio": ratio(times["ours"], times["padded"]),
    }
    return {"train_step_ratio": told["ratio"]["median"], "train_step": told, "changing_and_loading": share}


def step(task: SpellingTask, batch: Any, optimizer: torch.optim.Optimizer, frames: int | None) -> None:
    """Train on a batch, padded to so many frames, or as it is."""
    clips = task.network.features.normalize(batch.clips, batch.lengths)
    if frames is not None:
        clips = functional.pad(clips, (0, 0, 0, 0, 0, frames - clips.shape[1]))
    loss = task.loss(batch._replace(clips=clips))
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(task.network.parameters(), 4.0)
    optimizer.step()


def changing(task: SpellingTask, loader: Any, seconds: list[float], steps: int, *, quick: bool) -> dict[str, float]:
    """Return the time to load, mix and augment a batch, and its share of a step."""
    start, count = time.perf_counter(), 0
    for batch, partners, _ in loader:
        task.changed(batch, partners)
        count += 1
        if quick and count == POOL // 2:
            break
    each, learning = (time.perf_counter() - start) / count, statistics.median(seconds) / steps
    return {"ms_a_batch": round(1000 * each, 1), "share_of_a_step": round(each / (each + learning), 4)}


def augmenting() -> dict[str, float]:
    """Augment 1,000 clips of 160 frames on one core."""
    torch.set_num_threads(1)
    network = spelling_network(_recipe("spelling"))
    augment = SpellingAugment(Strengths(), network.select)
    clips = torch.randn(BATCH, 160, len(network.select), 3)
    lengths, batches = torch.full((BATCH,), 160), -(-1000 // BATCH)

    def change() -> None:
        for _ in range(batches):
            augment(clips, lengths)

    seconds = alternate({"augment": change}, 3)["augment"]
    return {"clips": batches * BATCH, "seconds_a_1000": round(1000 * statistics.median(seconds) / (batches * BATCH), 3)}


def making() -> dict[str, float]:
    """Make clips of hands on two cores, as a training on synthetic clips does."""
    torch.set_num_threads(2)
    source = SyntheticSpelling(HANDS)
    seconds = alternate({"make": lambda: source.draw(2 * BATCH)}, 9)["make"]
    return {"clips_a_second": round(2 * BATCH / statistics.median(seconds))}


def reading() -> dict[str, float]:
    """Read 12 made clips of five seconds with the bundled reader on two cores: text, times and how far to trust it."""
    reader, options = load("spelling", threads=2), SyntheticOptions(fps=(30.0, 30.0), letter_frames=(9.5, 9.5, 9.5))
    drawn = PhraseMaker("test").draw(1000, np.random.default_rng(0))
    made = SyntheticSpelling(HANDS, options).draw(12, texts=[text for text in drawn if len(text) == LETTERS][:12])
    points = made.points[:, :FIVE_SECONDS].numpy()
    clips = [clip_of(clip, HANDS.index.numpy(), 30.0) for clip in points]
    seconds = alternate({"read": lambda: [reader.recognize(clip) for clip in clips]}, 5)["read"]
    return {"ms_a_clip": round(1e3 * statistics.median(seconds) / len(clips), 1)}


def knowing(clips: int) -> dict[str, dict[str, float]]:
    """Read phrases, and the same backwards, with the language model and without; return the CER of each."""
    bundle, phrases = load_bundle("spelling"), PhraseMaker().draw(clips, np.random.default_rng(1))
    source = SyntheticSpelling(HANDS, SyntheticOptions(strangers=STRANGE), seed=OTHER_SEED)
    told: dict[str, dict[str, float]] = {"phrases": {}, "backwards": {}}
    for title, texts in {"phrases": phrases, "backwards": [phrase[::-1] for phrase in phrases]}.items():
        seen = _seen(source.draw(clips, texts=texts, number=0))
        for how, changed in {"with": {}, "without": {"weight": 0.0}}.items():
            manifest = bundle.manifest.model_copy(update={"thresholds": bundle.manifest.thresholds | changed})
            reader = SpellingRecognizer(replace(bundle, manifest=manifest))
            read = [reader.recognize(clip).text for clip in seen]
            told[title][how] = round(float(spelling_metrics(texts, read)["cer"]), 4)
    return told


def paces(clips: int) -> dict[str, float]:
    """Read short phrases of test hands at several paces, down to that of beginners; return the CER of each."""
    reader, told = load("spelling"), {}
    drawn = PhraseMaker("test").draw(4 * clips, np.random.default_rng(2))
    texts = [text for text in drawn if len(text) <= SHORT][:clips]
    for pace in PACES:
        options = SyntheticOptions(letter_frames=(pace, pace, pace), fps=(10.0, 30.0))
        made = SyntheticSpelling(HANDS, options, split="test", seed=OTHER_SEED).draw(len(texts), texts=texts)
        read = [reader.recognize(clip).text for clip in _seen(made)]
        told[f"{pace:g}"] = round(float(spelling_metrics(texts, read)["cer"]), 4)
    return told


def overfit(count: int) -> dict[str, Any]:
    """Overfit on random sequences, without augmentation; return seconds and errors of each network."""
    torch.set_num_threads(2)
    told = {}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make_fingerspelling(folder / "raw", files=1, sequences=count, supplemental=0, frames_a_letter=4)
        prepare("fingerspelling", folder / "raw", folder / "store", choose_points("hands"), Options(fps=30.0))
        for name, own in OVERFIT_EACH.items():
            recipe = _recipe(name, **(OVERFIT | own), members=1, warm_up=10, augment=Strengths.only())
            hands = recipe.features.model_copy(update={"points": ["left_hand", "right_hand"]})
            recipe = recipe.model_copy(update={"features": hands})
            phrases, _ = load_phrases(recipe, folder / "store")
            start = time.perf_counter()
            read = read_phrases(fit_members(recipe, phrases), phrases, recipe)
            wrong = sum(said != phrase for said, phrase in zip(read, phrases.clips.label.tolist(), strict=True))
            told[name] = {"n": count, "wrong": wrong, "seconds": round(time.perf_counter() - start, 1)}
    return told


def _seen(made: SyntheticBatch) -> list[LandmarkSequence]:
    """Return synthetic clips of hands as a detector gives them."""
    rows = zip(made.points.numpy(), made.lengths.tolist(), made.fps.tolist(), strict=True)
    return [clip_of(clip[:frames], HANDS.index.numpy(), fps) for clip, frames, fps in rows]


def _without_partners(batch: Any) -> Any:
    spelled, place, rows = batch
    own = spelled._replace(**{name: getattr(spelled, name)[: len(rows)] for name in spelled._fields})
    frames = int(own.lengths.max())
    return own._replace(clips=own.clips[:, :frames]), place, rows


def _recipe(name: str, **more: Any) -> SpellingRecipe:
    recipe = load_recipe(name)
    assert isinstance(recipe, SpellingRecipe)
    return recipe.model_copy(update=more)


def results(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the measurements, one after the other."""
    if options.overfit:
        yield {"overfit": overfit(options.overfit)}
        return
    yield decoding(quick=options.quick)
    yield {"augment": augmenting(), "make": making(), "read": reading()}
    clips = 64 if options.quick else 256
    yield {"language": knowing(clips), "paces": paces(clips)}
    yield training(quick=options.quick)


def main() -> None:
    """Print ratios and times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer runs, and steps of the small network")
    parser.add_argument("--json", action="store_true", help="write one JSON object and nothing else")
    parser.add_argument("--overfit", type=int, default=0, metavar="N", help="overfit on N random sequences instead")
    options = parser.parse_args()
    told: dict[str, Any] = {"matrix_gflops": round(matrix_rate(), 1)}
    for result in results(options):
        told |= result
        if not options.json:
            show(result, as_json=False)
    if options.json:
        show(told, as_json=True)


if __name__ == "__main__":
    main()
