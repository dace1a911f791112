"""The value of each kind of realism in synthetic spelling: the same small training without it, tested with all of it.

All trainings start from one network trained on clips without any realism, since from scratch they need far more steps
with all of it.

The test sets are synthetic clips of test hands, films of the avatar read by the detector and, if available, real
letter photos of a test source joined to phrases. ``--read MODEL`` asks instead what makes reading hard: a trained model
reads clips without each kind.
"""

from __future__ import annotations

import argparse
import json
import operator
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial, reduce
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness import parser, show
from signary.datasets.synthetic.noise import ENDS
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.sets import clip_of, find_spelling_set
from signary.datasets.synthetic.spelling import SyntheticSpelling
from signary.evaluation.metrics import spelling_metrics
from signary.evaluation.report.figure import drawn, tidy
from signary.features.select import SelectPoints
from signary.output import make_folder, whole_file
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.text.twins import fold
from signary.training.networks import spelling_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.spelling import SpellingFeatures, SpellingRecipe
from signary.training.spelling.read import read_clips
from signary.training.spelling.synthetic import fit_on_made

ALL, AGAIN, STRANGERS = "all of it", "all of it, other clips", "no strangers"
NONE, TEN_POINTS = "none of it", "ten points a hand, x and y alone"
WITHOUT: dict[str, dict[str, Any]] = {
    ALL: {},
    AGAIN: {},
    "no detector noise": {"noise": 0.0},
    "no gaps": {"gaps": 0.0, "flips": 0.0},
    "no coarticulation": {"coarticulation": 0.0, "asynchrony": 0.0},
    "no turning and drifting": {"wrist": 0.0, "drift": 0.0},
    "no other views": {"camera": 0.0},
    STRANGERS: {"strangers": 0.0},
    "no variety of hands": {"strangers": 0.0, "variation": 0.0, "blend": 0.0, "bones": 0.0},
    "no rests and false starts": {"rests": 0.0, "false_starts": 0.0, "other_hand": 0.0},
    "one speed": {"letter_frames": [9.5, 9.5, 9.5]},
    "one frame rate": {"fps": [30.0, 30.0]},
}
# For training: practiced signers, without the recipe's beginners, and cameras of at most 45 frames a second.
USUAL = {"fps": (10.0, 45.0), "letter_frames": (3.0, 8.0, 18.0), "strangers": 1.0}
PLAIN = reduce(operator.or_, WITHOUT.values())
KINDS = WITHOUT | {NONE: PLAIN, TEN_POINTS: {}}
FULL, QUICK = {"beginning": 300, "steps": 300, "clips": 256}, {"beginning": 150, "steps": 50, "clips": 64}
HANDS = SelectPoints(["left_hand", "right_hand"])
TEN = [HANDS.names[side + end] for side in (0, len(HANDS) // 2) for end in ENDS]
TEST_SEED, READ_BATCH, FILMS = 5_000_011, 32, 12
PHOTOS = "asl-letters-landmarks/borisgraudt.npz"


def recipe_without(realism: dict[str, Any], steps: int, *, ten: bool = False, seed: int = 0) -> SpellingRecipe:
    """Return the recipe of the packaged reader, or of one of ten points, with less realism and so many steps."""
    recipe = load_recipe("spelling-hands")
    assert isinstance(recipe, SpellingRecipe)
    options = SyntheticOptions(**(USUAL | realism))
    features = SpellingFeatures(points=TEN, coordinates=2) if ten else recipe.features
    changes = {"synthetic": options, "steps": steps, "average": 0.98, "features": features, "seed": seed}
    return recipe.model_copy(update=changes)


def test_sets(clips: int, photos: Path) -> dict[str, list[tuple[str, Tensor]]]:
    """Return texts and hands' points, float32 (T, 42, 3), of each set, with fewer films than other clips."""
    source = SyntheticSpelling(HANDS, SyntheticOptions(), split="test", seed=TEST_SEED)
    sets: dict[str, list[tuple[str, Tensor]]] = {"made": []}
    for made in (source.draw(READ_BATCH) for _ in range(clips // READ_BATCH)):
        rows = zip(made.texts, made.points, made.lengths.tolist(), strict=True)
        sets["made"] += [(text, points[:frames]) for text, points, frames in rows]
    named = {"avatar": find_spelling_set("avatar", FILMS, engine="hands")}
    if photos.exists():
        named["photos"] = find_spelling_set(f"photos:{photos}", clips)
    for name, found in named.items():
        sets[name] = [(one.text, HANDS(torch.from_numpy(one.sequence().points))) for one in found.clips]
    return sets


def error_rate(network: Any, recipe: SpellingRecipe, clips: list[tuple[str, Tensor]]) -> float:
    """Return the character error rate of greedy decoding, with twins as equal."""
    columns = [HANDS.names.index(name) for name in network.select.names]
    read: list[str] = []
    for start in range(0, len(clips), READ_BATCH):
        points = [points[:, columns] for _, points in clips[start : start + READ_BATCH]]
        lengths = torch.tensor([len(frames) for frames in points])
        read += read_clips([network], pad_sequence(points, batch_first=True, padding_value=torch.nan), lengths, recipe)
    return float(spelling_metrics([fold(text) for text, _ in clips], [*map(fold, read)])["cer"])


def read_error_rate(reader: Recognizer, realism: dict[str, Any], clips: int, *, ten: bool = False) -> float:
    """Return a trained reader's character error rate on synthetic clips of test people, with twins as equal."""
    unseen = ~np.isin(HANDS.names, TEN) & ten
    source = SyntheticSpelling(HANDS, SyntheticOptions(**realism), split="test", seed=TEST_SEED)
    asked: list[str] = []
    read: list[str] = []
    for _ in range(clips // READ_BATCH):
        made = source.draw(READ_BATCH)
        points = made.points.numpy()
        points[:, :, unseen], points[..., 2] = np.nan, np.where(ten, np.nan, points[..., 2])
        for clip, frames, fps in zip(points, made.lengths.tolist(), made.fps.tolist(), strict=True):
            read.append(fold(reader.recognize(clip_of(clip[:frames], HANDS.index.numpy(), fps)).text))
        asked += map(fold, made.texts)
    return float(spelling_metrics(asked, read)["cer"])


def read_without(
    options: argparse.Namespace, chosen: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the error rate of a trained model on clips without each kind of realism."""
    reader = load(options.read, threads=options.threads)
    for name, realism in chosen.items():
        if name in (AGAIN, STRANGERS):  # for a trained reader both equal ALL
            continue
        yield name, {"made": round(read_error_rate(reader, realism, options.clips, ten=name == TEN_POINTS), 4)}


def learned_without(
    options: argparse.Namespace, chosen: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the error rates on each set of networks trained without each kind of realism."""
    keep = options.keep / f"{options.beginning}-{options.steps}-{options.clips}"  # apart from results of other options
    make_folder(keep)
    rows_file, known = keep / "rows.json", dict[str, dict[str, float]]()
    if rows_file.exists():
        known = json.loads(rows_file.read_text(encoding="utf-8"))
    sets = kept(keep / "sets.pt", lambda: test_sets(options.clips, Path(options.data) / PHOTOS))
    for name, realism in chosen.items():
        if name not in known:
            ten = name == TEN_POINTS
            plain = recipe_without(PLAIN, options.beginning, ten=ten)
            begun = kept(keep / f"beginner{'-ten' * ten}.pt", partial(beginner, plain))
            recipe = recipe_without(realism, options.steps, ten=ten, seed=int(name == AGAIN))
            network = spelling_network(recipe)
            network.load_state_dict(begun)
            network = fit_on_made(recipe, network=network)
            known[name] = {where: round(error_rate(network, recipe, clips), 4) for where, clips in sets.items()}
            with whole_file(rows_file, force=True) as draft:
                draft.write_text(json.dumps(known, indent=1), encoding="utf-8")
        yield name, known[name]


def beginner(recipe: SpellingRecipe) -> dict[str, Tensor]:
    """Return the weights of a network trained by a recipe from scratch."""
    return fit_on_made(recipe).state_dict()


def kept(path: Path, make: Callable[[], Any]) -> Any:
    """Return the content of a file, made if it is missing."""
    if not path.exists():
        made = make()
        with whole_file(path, force=True) as draft:
            torch.save(made, draft)
    return torch.load(path, weights_only=True)


def plot(rows: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Draw the error rates on each set, with a bar for each left-out kind."""
    sets = list(next(iter(rows.values())))
    with drawn(path, 4 * len(sets), 0.35 * len(rows) + 1, force=True) as figure:
        panels = figure.subplots(1, len(sets), sharey=True, squeeze=False)[0]
        places = np.arange(len(rows))[::-1]
        for axes, where in zip(panels, sets, strict=True):
            errors = [100 * row[where] for row in rows.values()]
            colors = ["#222222" if name in (ALL, AGAIN, NONE, TEN_POINTS) else "#3b7dd8" for name in rows]
            axes.barh(places, errors, color=colors)
            if ALL in rows:
                axes.axvline(100 * rows[ALL][where], color="gray", linewidth=0.8, linestyle=":")
            axes.set(title=where, xlabel="character errors, percent", yticks=places, yticklabels=list(rows))
        tidy(*panels)


def main() -> None:
    """Print error rates."""
    asked = parser(__doc__)
    asked.add_argument("--beginning", type=int, help="steps on plain clips, the same for all: 300, or 150 with --quick")
    asked.add_argument("--steps", type=int, help="of each training: 300, or 50 with --quick")
    asked.add_argument("--clips", type=int, help="to read of each set but the films, which are 12: 256, or 64")
    asked.add_argument("--threads", type=int, default=1)
    asked.add_argument("--read", metavar="MODEL", help="train nothing, read with this model")
    asked.add_argument("--only", nargs="*", choices=KINDS, metavar="KIND", help="what is left out, as it is printed")
    asked.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="write each result there, and go on from those in it"
    )
    asked.add_argument("--plot", type=Path, help="draw what was learned there")
    options = asked.parse_args()
    for name, usual in (QUICK if options.quick else FULL).items():
        setattr(options, name, getattr(options, name) or usual)
    torch.set_num_threads(options.threads)
    chosen = {name: without for name, without in KINDS.items() if not options.only or name in options.only}
    rows = dict[str, dict[str, float]]()
    with tempfile.TemporaryDirectory() as temporary:
        options.keep = options.keep or Path(temporary)
        for name, row in (read_without if options.read else learned_without)(options, chosen):
            rows[name] = row
            if not options.json:
                show({name: row}, as_json=False)
    if options.json:
        show(rows, as_json=True)
    if options.plot:
        plot(rows, options.plot)


if __name__ == "__main__":
    main()
