"""Whole pictures: the bias of random splits, accuracy on other people's hands, and speed.

The full run trains every network once by blocks of consecutive frames and once on a random split of the same photos
(hours on two cores; finished runs are kept in runs/pictures and used again). ``--quick`` skips the networks for
letters and measures speed, the baselines and, in few epochs, the digits.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import redirect_stdout
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness import alternate, arguments, matrix_rate, ratio, show
from signary.bundles.bundle import load_bundle
from signary.datasets.pictures import Pictures
from signary.datasets.readers.pictures import read_pictures
from signary.evaluation.metrics import wilson_interval
from signary.export.onnx import export_picture_graph
from signary.graph import Graph
from signary.models.picture import PictureReader
from signary.training.estimators import flat_rows, make_estimator
from signary.training.networks import picture_reader, trainable_parameters
from signary.training.pictures.batches import load_pictures, picture_loader, split_parts
from signary.training.pictures.train import PictureTask, fit_pictures, predict_pictures
from signary.training.recipes.load import load_recipe
from signary.training.recipes.pictures import EstimatorRecipe, PictureRecipe
from signary.training.train import read_metrics, train

RUNS = Path("runs/pictures")
BETTER = {"optimizer": "adam", "learning_rate": "0.0003", "schedule": "cosine"}
LETTERS: dict[str, tuple[str, dict[str, str]]] = {
    "letters-cnn": ("letters-cnn", {}),
    "letters-cnn-adam": ("letters-cnn", BETTER),
    "letters-cnn-modern": ("letters-cnn-modern", {}),
}
OTHERS = {
    "the same person, filmed again": "asl-letters-photos/test",
    "another person": "asl-letters-photos-mirrored/photos",
    "several people": "asl-letters-photos-several-hands",
}
PAIR = ("digits-logreg-numpy", "digits-logreg-sklearn", "digits-mlp-numpy", "digits-mlp")
BATCH = 64


def main() -> None:
    """Print the tables."""
    options = arguments(__doc__)
    with redirect_stdout(sys.stderr):  # Lightning writes its progress to stdout
        result = measure(Path(options.data), quick=options.quick)
    show(result, as_json=options.json)


def measure(data: Path, *, quick: bool) -> dict[str, Any]:
    """Return all tables."""
    result: dict[str, Any] = {"speed": speed(5 if quick else 15), "where the time goes": where(data)}
    result["zeros and ones"] = {name: tested(name, data) for name in PAIR}
    result["two layers, starts"] = starts(data, 2 if quick else 10)
    folds, few = (1, {"epochs": "8"}) if quick else (5, {})
    result["ten digits by signer"] = {name: by_signer(name, data, folds, few) for name in ("digits-cnn", "digits-rnn")}
    if not quick:
        result["ten digits, split"] = {how: tested("digits-cnn", data, how) for how in ("random", "groups")}
        result["letters"] = {name: letters(name, data) for name in LETTERS}
    return result


def tested(name: str, data: Path, split: str = "") -> dict[str, Any]:
    """Train a recipe, unless its run exists, and return its scores on the test part."""
    run = RUNS / "-".join(filter(None, (name, split)))
    recipe, more = LETTERS.get(name, (name, {}))
    if not (run / "bundle").is_dir():
        how = more | ({"data.split": split} if split else {})
        train(recipe, data=data, output=run, overrides=how, resume=run.exists())
    metrics = read_metrics(run)
    said = {"right": round(metrics["test"]["accuracy"] * metrics["test"]["n"]), "n": metrics["test"]["n"]}
    said["accuracy"] = round(metrics["test"]["accuracy"], 4)
    if folds := metrics.get("cross_validation"):
        said["cross-validation"] = {"mean": round(folds["mean"], 4), "std": round(folds["std"], 4)}
    return said


def starts(data: Path, count: int) -> dict[str, Any]:
    """Return the number of test zeros and ones that the two-layer network reads right with each initial seed."""
    recipe = load_recipe("digits-mlp-numpy")
    assert isinstance(recipe, EstimatorRecipe)
    pictures = load_pictures(recipe, data)
    parts = split_parts(recipe, pictures)
    rows, places = flat_rows(pictures, grey=True), np.array([recipe.labels.index(name) for name in pictures.label])
    right = []
    for seed in range(count):
        estimator = make_estimator(recipe.model_copy(update={"seed": seed})).fit(rows[parts.train], places[parts.train])
        right.append(int((estimator.predict(rows[parts.test]) == places[parts.test]).sum()))
    return {"right": right, "median": float(np.median(right)), "n": len(parts.test)}


def by_signer(name: str, data: Path, folds: int, overrides: dict[str, str]) -> dict[str, Any]:
    """Return the accuracy over folds by signer; no network is trained on people of its test part."""
    recipe = load_recipe(name, overrides | {"data.validation": "0", "data.test": "0.2"})
    assert isinstance(recipe, PictureRecipe)
    pictures = load_pictures(recipe, data)
    hits = []
    for fold in range(folds):
        parts = split_parts(recipe, pictures, fold=fold)
        network = fit_pictures(recipe, pictures.select(parts.train))
        test = pictures.select(parts.test)
        hits.append(np.array(recipe.labels)[predict_pictures(network, test).argmax(1)] == test.label)
    right = np.concatenate(hits)
    low, high = wilson_interval(int(right.sum()), len(right))
    return {
        "accuracy": round(float(right.mean()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "n": len(right),
        "folds": [round(float(hit.mean()), 4) for hit in hits],
        "parameters": trainable_parameters(recipe),
    }


def letters(name: str, data: Path) -> dict[str, Any]:
    """Return a network's accuracy on a random split, on blocks, and, trained by blocks, on other photos."""
    said: dict[str, Any] = {how: tested(name, data, how)["accuracy"] for how in ("random", "blocks")}
    for title, folder in OTHERS.items():
        pictures = read_pictures(data / folder, side=200)
        read = readings(RUNS / f"{name}-blocks", pictures)
        (most, count), *_ = Counter(read.tolist()).most_common(1)
        said[title] = {
            "accuracy": round(float((read == pictures.label).mean()), 4),
            "n": len(read),
            "most often read": f"{most} ({count})",
        }
    return said | {"parameters": load_bundle(RUNS / f"{name}-blocks").manifest.parameters}


def readings(run: Path, pictures: Pictures) -> NDArray[np.str_]:
    """Return the likeliest label of each picture by a run's bundle, str (N,)."""
    bundle = load_bundle(run)
    backend, rows = Graph(bundle.graph_path()), np.arange(len(pictures))
    batches = np.array_split(rows, range(BATCH, len(rows), BATCH))
    best = np.concatenate([backend.run(pictures=pictures.load(batch))["logits"].argmax(1) for batch in batches])
    return np.array(bundle.vocabulary.labels)[best]


def speed(runs: int) -> dict[str, Any]:
    """Return pictures a second of the letters' networks, eager and through the runtime, and ratios side by side."""
    pictures = np.random.default_rng(0).integers(0, 256, (BATCH, 200, 200, 3), np.uint8)
    tasks: dict[str, Any] = {}
    for name in ("letters-cnn", "letters-cnn-small", "letters-cnn-modern"):
        network = untrained(name)
        path = RUNS / f"{name}-speed.onnx"
        path.parent.mkdir(parents=True, exist_ok=True)
        export_picture_graph(network, path)
        tasks[f"{name}, runtime"] = partial(Graph(path).run, pictures=pictures)
        tasks[f"{name}, eager"] = partial(eager, network, pictures)
    times = alternate(tasks, runs)
    rates = {name: round(BATCH / float(np.median(spent)), 1) for name, spent in times.items()}
    of = {
        "small over first": ("letters-cnn, runtime", "letters-cnn-small, runtime"),
        "modern over first": ("letters-cnn, runtime", "letters-cnn-modern, runtime"),
        "runtime over eager, modern": ("letters-cnn-modern, eager", "letters-cnn-modern, runtime"),
    }
    ratios = {name: ratio(times[above], times[below]) for name, (above, below) in of.items()}
    return {"pictures a second": rates, "ratios": ratios, "matrix GFLOP/s": round(matrix_rate(), 1)}


def untrained(name: str) -> PictureReader:
    """Return the untrained network of a recipe, as it is packed."""
    recipe = load_recipe(name)
    assert isinstance(recipe, PictureRecipe)
    return picture_reader(recipe, noise(2)).eval()


def noise(count: int) -> Pictures:
    """Return pictures of noise, all of one label."""
    images = np.random.default_rng(0).integers(0, 256, (count, 200, 200, 3), np.uint8)
    same, row = np.full(count, "A"), np.arange(count)
    return Pictures(images, row, same, same, same, row, same)


def eager(network: PictureReader, pictures: NDArray[np.uint8]) -> torch.Tensor:
    """Run a network as it was trained."""
    with torch.inference_mode():
        logits: torch.Tensor = network(torch.from_numpy(pictures))
        return logits


def where(data: Path) -> dict[str, float]:
    """Return the milliseconds of each part of a training step of the modern network."""
    recipe = load_recipe("letters-cnn-modern")
    assert isinstance(recipe, PictureRecipe)
    pictures = load_pictures(recipe, data, cache=RUNS / "cache").select(np.arange(4 * BATCH))
    loader = picture_loader(pictures, recipe, BATCH, seed=0)
    batch, labels = next(iter(loader))
    task = PictureTask(recipe, picture_reader(recipe, pictures), 100)

    def step() -> None:
        with torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_amx_tile_supported()):
            torch.nn.functional.cross_entropy(task.network(batch), labels).backward()

    tasks = {"load": lambda: next(iter(loader)), "augment": lambda: task.augment(batch), "learn": step}
    return {name: round(1000 * float(np.median(spent)), 1) for name, spent in alternate(tasks, 5).items()}


if __name__ == "__main__":
    main()
