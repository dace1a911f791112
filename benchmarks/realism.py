"""What is each kind of realism of made spelling worth? The same small training without it, read on what has it all.

Read are made clips of hands kept for testing, films of the avatar through the detector, and, where they are found,
real letter photos of a source kept for testing, strung together. ``--read MODEL`` asks the other way round what makes
reading hard: a trained model reads clips made without each kind.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from harness import show
from signary.datasets.spelling_sets import find_spelling_set
from signary.datasets.synthetic import SyntheticSpelling
from signary.datasets.synthetic_options import SyntheticOptions
from signary.datasets.synthetic_text import fold
from signary.evaluation.metrics import spelling_metrics
from signary.features.select import SelectPoints
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import HOLISTIC_543
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.training.recipe import load_recipe
from signary.training.schema_spelling import SpellingFeatures, SpellingRecipe
from signary.training.spelling_made import fit_on_made
from signary.training.spelling_task import read_clips

WITHOUT: dict[str, dict[str, Any]] = {
    "all of it": {},
    "no detector noise": {"noise": 0.0},
    "no gaps": {"gaps": 0.0, "flips": 0.0},
    "no coarticulation": {"coarticulation": 0.0, "asynchrony": 0.0},
    "no turning and drifting": {"wrist": 0.0, "drift": 0.0},
    "no other views": {"camera": 0.0},
    "no variety of hands": {"variation": 0.0, "blend": 0.0, "bones": 0.0},
    "no rests and false starts": {"rests": 0.0, "false_starts": 0.0, "other_hand": 0.0},
    "one speed": {"letter_frames": [9.5, 9.5, 9.5]},
}
JOINTS = ("cmc", *["mcp"] * 4)
FINGERS = ("thumb", "index", "middle", "ring", "pinky")
TEN = [
    f"{side}_hand_{finger}_{joint}"
    for side in ("left", "right")
    for finger, base in zip(FINGERS, JOINTS, strict=True)
    for joint in (base, "tip")
]
HANDS = SelectPoints(["left_hand", "right_hand"])
TEN_POINTS = "ten points a hand, x and y alone"
TEST_SEED, READ_BATCH, FILMS = 5_000_011, 32, 12
PHOTOS = "asl-letters-landmarks/borisgraudt.npz"


def recipe_without(realism: dict[str, Any], steps: int) -> SpellingRecipe:
    """Return the recipe of the reader that ships, with less realism and so many steps."""
    recipe = load_recipe("spelling-hands")
    assert isinstance(recipe, SpellingRecipe)
    options = SyntheticOptions(**(recipe.synthetic.model_dump() | {"sparse": 0.0} | realism))
    return recipe.model_copy(update={"synthetic": options, "steps": steps, "average": 0.98})


def test_sets(clips: int, photos: Path) -> dict[str, list[tuple[str, Tensor]]]:
    """Return texts and hands' points, float32 (T, 42, 3), of each set; as many clips of each, films fewer."""
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
    """Return the character error rate, twins as one; what is read is the likeliest of each frame alone."""
    columns = [HANDS.names.index(name) for name in network.select.names]
    read: list[str] = []
    for start in range(0, len(clips), READ_BATCH):
        points = [points[:, columns] for _, points in clips[start : start + READ_BATCH]]
        lengths = torch.tensor([len(frames) for frames in points])
        read += read_clips([network], pad_sequence(points, batch_first=True, padding_value=torch.nan), lengths, recipe)
    return float(spelling_metrics([fold(text) for text, _ in clips], [*map(fold, read)])["cer"])


def read_error_rate(reader: Recognizer, realism: dict[str, Any], clips: int, *, ten: bool = False) -> float:
    """Return a trained reader's character error rate on made clips of people kept for testing, twins as one."""
    unseen = ~np.isin(HANDS.names, TEN) & ten
    source = SyntheticSpelling(HANDS, SyntheticOptions(**realism), split="test", seed=TEST_SEED)
    asked: list[str] = []
    read: list[str] = []
    for _ in range(clips // READ_BATCH):
        made = source.draw(READ_BATCH)
        whole = np.full((*made.points.shape[:2], len(HOLISTIC_543), 3), np.nan, np.float32)
        points = made.points.numpy()
        points[:, :, unseen], points[..., 2] = np.nan, np.where(ten, np.nan, points[..., 2])
        whole[:, :, HANDS.index.numpy()] = points
        for clip, frames, fps in zip(whole, made.lengths.tolist(), made.fps.tolist(), strict=True):
            read.append(fold(reader.recognize(LandmarkSequence(clip[:frames], np.arange(frames) / fps)).text))
        asked += map(fold, made.texts)
    return float(spelling_metrics(asked, read)["cer"])


def results(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the error rates without each kind of realism."""
    torch.set_num_threads(options.threads)
    known = WITHOUT | {TEN_POINTS: {}}
    chosen = {name: without for name, without in known.items() if not options.only or name in options.only}
    if options.read:
        reader = load(options.read, threads=options.threads)
        for name, realism in chosen.items():
            yield {name: round(read_error_rate(reader, realism, options.clips, ten=name == TEN_POINTS), 4)}
        return
    sets = test_sets(options.clips, Path(options.data) / PHOTOS)
    for name, realism in chosen.items():
        recipe = recipe_without(realism, options.steps)
        if name == TEN_POINTS:
            recipe = recipe.model_copy(update={"features": SpellingFeatures(points=TEN, coordinates=2)})
        network = fit_on_made(recipe)
        yield {name: {where: round(error_rate(network, recipe, clips), 4) for where, clips in sets.items()}}


def main() -> None:
    """Print error rates."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--steps",
        type=int,
        default=1000,
        help="of each training; 1,000 take 20 minutes of a core, fewer teach too little to compare",
    )
    parser.add_argument("--clips", type=int, default=256, help="to read of each set but the films, which are 12")
    parser.add_argument("--data", default="../shared/data", help="where asl-letters-landmarks is")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--read", metavar="MODEL", help="train nothing, read with this model")
    parser.add_argument("--only", nargs="*", help="names of what is left out")
    parser.add_argument("--json", action="store_true", help="write one JSON object a line and nothing else")
    options = parser.parse_args()
    for result in results(options):
        show(result, as_json=options.json)


if __name__ == "__main__":
    main()
