"""Signs from videos: pictures or landmarks, from scratch or by transfer, on gestures of three people, each left out.

Needs only ``gesture-videos``. Each figure is the accuracy on left-out people, the mean over the three, then over the
seeds, with the half width of its 95 % interval (Student's t over the seeds, which choose the few training clips and
the initial weights; the people are too few for an interval).
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness import parser, show
from signary.datasets.clips import Clips
from signary.datasets.prepare import prepare
from signary.datasets.readers.reader import Options
from signary.datasets.stores.landmarks import choose_points
from signary.evaluation.report.figure import drawn, tidy
from signary.models.inception import InceptionV3
from signary.models.weights import trainable
from signary.output import whole_file
from signary.training.clips import load_clips
from signary.training.networks import sign_network, trainable_parameters, video_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.recipes.videos import VideoRecipe
from signary.training.signs.train import fit_committee, predict_signs
from signary.training.videos.backbones import open_backbone, random_backbone
from signary.training.videos.batches import load_videos
from signary.training.videos.features import Sampling, prepare_features
from signary.training.videos.train import fit_videos, predict_videos

DIGITS = tuple(f"Num{number}" for number in range(10))
COMMANDS = ("FanDown", "FanOff", "FanOn", "FanUp", "LightOff", "LightOn", "SetThermo")
SETS = {"all": DIGITS + COMMANDS, "digits": DIGITS, "commands": COMMANDS}
BEFORE, AFTER = "digits", "commands"
SIGNERS = 3
FEW = (1, 2, 5, 0)  # clips a class; 0: all there are
FREEZE = ("none", "lstm1", "all")
DRAWS = 4

Row = tuple[str, str, int]  # classes, way, clips a class
Scores = dict[Row, dict[int, list[float]]]  # for each seed the accuracy on each signer


@dataclass(frozen=True, slots=True)
class Way:
    """A way of reading: its store, its recipe, and the changed fields."""

    store: str
    recipe: str
    fields: Mapping[str, str] = field(default_factory=dict)

    def load(self, stores: Path, classes: Sequence[str], more: Mapping[str, str]) -> tuple[Any, Clips]:
        """Return the recipe and its clips of some classes."""
        # the same number of steps for any number of clips
        fields = {"epochs": "1000", **self.fields, **more, "data.classes": ",".join(classes)}
        recipe = load_recipe(self.recipe, fields)
        if isinstance(recipe, VideoRecipe):
            return load_videos(recipe, stores / self.store)[:2]
        assert isinstance(recipe, SignRecipe)
        return load_clips(recipe, stores / self.store)[:2]


STEPS = {"steps": "100"}  # about 30 epochs of all clips, as in the recipes
LANDMARKS, LSTM = "signs-conv-small on landmarks", "video-lstm"
WAYS = {
    LANDMARKS: Way("landmarks", "signs-conv-small"),
    LSTM: Way("photos", "video-lstm", STEPS),
    "video-lstm on random weights": Way("random", "video-lstm", STEPS),
    "video-transformer": Way("photos", "video-transformer", STEPS),
    "video-transformer on random weights": Way("random", "video-transformer", STEPS),
}


@dataclass(frozen=True, slots=True)
class Fold:
    """One signer left out, and the seed."""

    stores: Path
    seed: int
    signer: int
    more: Mapping[str, str]

    def load(self, way: str, classes: str) -> tuple[Any, Clips]:
        """Return a recipe with this fold's seed, and clips of a set of classes."""
        recipe, clips = WAYS[way].load(self.stores, SETS[classes], self.more)
        return recipe.model_copy(update={"seed": self.seed}), clips

    def seen(self, clips: Clips) -> NDArray[np.bool_]:
        """Return the clips of the other signers, bool (N,)."""
        seen: NDArray[np.bool_] = clips.signer != np.unique(clips.signer)[self.signer]
        return seen

    def score(self, recipe: Any, clips: Clips, each: int, start: dict[str, torch.Tensor] | None = None) -> float:
        """Train on some clips of each class of the others, and return the accuracy on the one left out."""
        seen, places = self.seen(clips), recipe.words.places(clips.label)
        few = clips.select(some(np.flatnonzero(seen), places, each, self.seed))
        if isinstance(recipe, VideoRecipe):
            logits = predict_videos(fit_videos(recipe, few, start=start), clips.select(~seen))
        else:
            logits = predict_signs(fit_committee(recipe, few), clips.select(~seen), recipe)
        return float((logits.argmax(1) == places[~seen]).mean())


def some(rows: NDArray[np.int64], places: NDArray[np.int64], each: int, seed: int) -> NDArray[np.int64]:
    """Return ``each`` random rows of every class, or all."""
    if not each:
        return rows
    shuffled = np.random.default_rng(seed).permutation(rows)
    kept = [shuffled[places[shuffled] == place][:each] for place in np.unique(places[rows])]
    return np.sort(np.concatenate(kept))


def landmarks(fold: Fold) -> Iterator[tuple[Row, float]]:
    """Train on landmarks of all classes, with few clips and with all."""
    recipe, clips = fold.load(LANDMARKS, "all")
    for each in FEW:
        yield ("all", LANDMARKS, each), fold.score(recipe, clips, each)


def pictures(fold: Fold) -> Iterator[tuple[Row, float]]:
    """Train on all classes with features of networks trained on photos of letters, or untrained."""
    for way in list(WAYS)[1:]:
        recipe, clips = fold.load(way, "all")
        for each in FEW if way == LSTM else (0,):
            yield ("all", way, each), fold.score(recipe, clips, each)


def transfer(fold: Fold) -> Iterator[tuple[Row, float]]:
    """Train on one set of gestures, then on few clips of the other, against training on these from scratch."""
    first, known = fold.load(LSTM, BEFORE)
    start = fit_videos(first, known.select(fold.seen(known))).state_dict()
    recipe, clips = fold.load(LSTM, AFTER)
    for each in FEW:
        yield (AFTER, LSTM, each), fold.score(recipe, clips, each)
        for freeze in FREEZE:
            plan = recipe.model_copy(update={"freeze": freeze})
            yield (AFTER, f"after {BEFORE}, freeze {freeze}", each), fold.score(plan, clips, each, dict(start))


def commands(fold: Fold) -> Iterator[tuple[Row, float]]:
    """Train on landmarks of the same few clips of the other set."""
    recipe, clips = fold.load(LANDMARKS, AFTER)
    for each in FEW:
        yield (AFTER, LANDMARKS, each), fold.score(recipe, clips, each)


PARTS = {"landmarks": landmarks, "pictures": pictures, "transfer": transfer, "commands": commands}


def measure(part: str, fold: Fold) -> list[tuple[Row, float]]:
    """Return the measurements of a part in a fold; runs in its own process."""
    torch.set_num_threads(1)  # the networks are small: folds side by side are faster than two threads in one
    return list(PARTS[part](fold))


def measured(folds: Sequence[Fold], parts: Sequence[str], workers: int, kept: Path | None) -> Scores:
    """Measure parts in folds in parallel; results in a file are not measured again."""
    done: dict[str, Any] = json.loads(kept.read_text()) if kept and kept.is_file() else {}
    names = {f"{part} {fold.seed} {fold.signer}": (part, fold) for fold in folds for part in parts}
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        asked = {pool.submit(measure, *job): name for name, job in names.items() if name not in done}
        for count, answer in enumerate(as_completed(asked), 1):
            done[asked[answer]] = answer.result()
            sys.stderr.write(f"{count} of {len(asked)}: {asked[answer]}\n")
            if kept:
                with whole_file(kept, force=True) as draft:
                    draft.write_text(json.dumps(done))
    scores: Scores = {}
    for name, (_, fold) in names.items():
        for row, score in done[name]:
            scores.setdefault(tuple(row), {}).setdefault(fold.seed, []).append(score)
    return scores


def interval(values: Sequence[float]) -> dict[str, float]:
    """Return the mean over seeds, and the half width of its 95 % interval."""
    from scipy.stats import t

    half = t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    return {"mean": round(statistics.mean(values), 4), "half_width": round(float(half), 4)}


def by_seed(scores: Scores, row: Row) -> list[float]:
    """Return the mean over signers of each seed."""
    return [statistics.mean(shares) for _, shares in sorted(scores[row].items())]


def rows_of(scores: Scores) -> list[dict[str, Any]]:
    """Return each row with its interval, the mean of each signer, and its gain over its baseline."""
    rows = []
    for row in scores:
        classes, way, each = row
        signers = np.mean(list(scores[row].values()), 0).round(4).tolist()
        told = {"classes": classes, "way": way, "clips": each or "all", **interval(by_seed(scores, row))}
        told |= {"signers": signers, "chance": round(1 / len(SETS[classes]), 4)}
        random = (classes, f"{way} on random weights", each)
        base = random if random in scores else (classes, LSTM, each)
        if base in scores and base != row and not way.endswith("random weights"):
            pairs = zip(by_seed(scores, row), by_seed(scores, base), strict=True)
            told |= {"over": base[1], "gain": interval([mine - other for mine, other in pairs])}
        rows.append(told)
    return rows


def parameters(stores: Path) -> dict[str, int]:
    """Count trainable parameters, for 17 classes, and frozen ones."""
    told = {"video-lstm-seed, 249 classes": trainable_parameters(load_recipe("video-lstm-seed"))}
    for name in (LANDMARKS, LSTM, "video-transformer"):
        recipe, clips = WAYS[name].load(stores, SETS["all"], {})
        if isinstance(recipe, VideoRecipe):
            network = video_network(recipe, len(recipe.vocabulary), features=clips.stores[0].width)
            told[name] = trainable(network.parameters())
        else:
            told[name] = trainable(sign_network(recipe, len(recipe.vocabulary)).parameters())
    told["compact, kept as it is"] = sum(weight.numel() for weight in open_backbone("compact").trunk.parameters())
    told["inception, kept as it is"] = sum(weight.numel() for weight in InceptionV3().parameters())
    return told


def epoch_seconds(stores: Path) -> dict[str, float]:
    """Time an epoch of all clips of two people; also for two layers of 1,024 units on the same features."""
    told = {}
    large = Way("photos", "video-lstm-seed", {"features": "compact", "standardize": "true", "batch": "32"})
    for name, way in {**WAYS, "video-lstm-seed": large}.items():
        if way.store == "random":
            continue
        recipe, clips = way.load(stores, SETS["all"], {"steps": "100000"})
        seen = clips.select(clips.signer != clips.signer[0])
        seconds = []
        for epochs in (1, 4):
            plan, start = recipe.model_copy(update={"epochs": epochs}), time.perf_counter()
            fit_videos(plan, seen) if isinstance(plan, VideoRecipe) else fit_committee(plan, seen)
            seconds.append(time.perf_counter() - start)
        told[name] = round((seconds[1] - seconds[0]) / 3, 3)
    return told


def make_stores(data: Path, stores: Path, workers: int) -> None:
    """Prepare missing stores: features of two image networks, and landmarks of hands."""
    for name, backbone in {"photos": open_backbone("compact"), "random": random_backbone("compact")}.items():
        sampling = Sampling(fit="crop", draws=DRAWS)
        prepare_features("clips", data, stores / name, backbone, sampling=sampling, workers=workers)
    if not (stores / "landmarks").exists():
        options = Options(detector="hands")  # these pictures show only hands
        prepare("clips", data, stores / "landmarks", choose_points("hands"), options, workers=workers, resume=True)


def plot(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draw accuracy by clips in each class: for all classes, and for the set learned second."""
    with drawn(path, 9, 4, force=True) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, classes in zip(panels, ("all", AFTER), strict=True):
            mine = [row for row in rows if row["classes"] == classes]
            for number, way in enumerate(dict.fromkeys(row["way"] for row in mine)):
                curve = [row for row in mine if row["way"] == way]
                if len(curve) < len(FEW):
                    continue
                places = np.arange(len(curve)) + 0.04 * number
                half = [row["half_width"] for row in curve]
                axes.errorbar(
                    places, [row["mean"] for row in curve], half, label=way, capsize=2, marker="o", markersize=3
                )
            axes.axhline(1 / len(SETS[classes]), color="gray", linewidth=0.8, linestyle=":", label="chance")
            axes.set_xticks(range(len(FEW)), [each or "all" for each in FEW])
            axes.set(xlabel="clips a class", title=f"{classes}: {len(SETS[classes])} classes", ylim=(0, 1))
            axes.legend(frameon=False, fontsize=7)
        panels[0].set_ylabel("share read right of people never learned from")
        tidy(*panels)


def table(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield a line for each way and set of classes, with a column for each number of clips."""
    for classes in SETS:
        for way in dict.fromkeys(row["way"] for row in rows if row["classes"] == classes):
            mine = [row for row in rows if (row["classes"], row["way"]) == (classes, way)]
            cells = [f"{row['clips']}: {_percent(row)}" for row in mine]
            yield f"{classes}, {way}", "  ".join(cells)
            gains = [f"{row['clips']}: {_percent(row['gain'], '+')}" for row in mine if "gain" in row]
            if gains:
                over = next(row["over"] for row in mine if "over" in row)
                yield f"    {way}, over {over}", "  ".join(gains)


def _percent(row: Mapping[str, float], sign: str = "") -> str:
    return f"{100 * row['mean']:{sign}.1f} ± {100 * row['half_width']:.1f} %"


def main() -> None:
    """Print a row for each way of reading."""
    asked = parser(__doc__)
    asked.add_argument("--stores", type=Path, help="folder in which what is prepared stays for the next time")
    asked.add_argument("--keep", type=Path, metavar="FILE", help="write each result there, and go on from those in it")
    asked.add_argument("--seeds", type=int, help="5, or 2 with --quick")
    asked.add_argument("--steps", type=int, help="of each training, in place of the recipes' own; 40 with --quick")
    asked.add_argument("--parts", nargs="*", choices=PARTS, default=list(PARTS), help="all by default")
    asked.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="folds learned side by side")
    asked.add_argument("--plot", type=Path, help="draw learning curves there")
    options = asked.parse_args()
    if options.seeds is not None and options.seeds < 2:
        asked.error("--seeds: an interval needs 2 or more")
    steps = options.steps or (40 if options.quick else None)
    more = {} if steps is None else {"steps": str(steps)}
    with tempfile.TemporaryDirectory() as temporary:
        stores = options.stores or Path(temporary)
        make_stores(Path(options.data) / "gesture-videos", stores, options.workers)
        seeds = range(options.seeds or (2 if options.quick else 5))
        folds = [Fold(stores, seed, signer, more) for seed in seeds for signer in range(SIGNERS)]
        rows = rows_of(measured(folds, options.parts, options.workers, options.keep))
        told = {"seeds": len(seeds), "parameters": parameters(stores), "epoch_s": epoch_seconds(stores)}
    if options.plot:
        plot(rows, options.plot)
    show(told | ({"rows": rows} if options.json else dict(table(rows))), as_json=options.json)


if __name__ == "__main__":
    main()
