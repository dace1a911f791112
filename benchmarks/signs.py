"""Isolated signs: accuracy on signers who are not in training, and the speed of training and reading."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness import alternate, arguments, matrix_rate, ratio, show
from signary.datasets.clips import Clips, fold_of
from signary.datasets.prepare import prepare
from signary.datasets.readers.reader import Options
from signary.datasets.stores.landmarks import ClipStore, choose_points
from signary.export.onnx import export_sign_graph
from signary.graph import Graph
from signary.models.sign_transformer import PublishedSignTransformer
from signary.training.clips import load_clips
from signary.training.networks import sign_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.signs import PUBLISHED_SIGNS, SignRecipe
from signary.training.rows import DrawnRows
from signary.training.signs.train import doubted, fit_committee, predict_signs, trusted_words
from store import make_store, real_lengths

TRADUTTORE = "traduttore_feb2022_10signs_3signers"
HEAD_WORDS = "traduttore_head_words_by_committer"
# one network, with fewer training steps than the two in the package
SMALL, QUICK = {"members": "1", "steps": "500"}, {"members": "1", "steps": "300"}
FRAMES, BATCH = 64, 64
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def stores(data: Path, folder: Path) -> Path:
    """Prepare the words and the two signs of Google's set; return the folder of both stores."""
    for name, source in (("words", "signs-landmarks"), ("gislr", "gislr-two-signs")):
        if not (folder / name).exists():
            prepare("mediapipe-arrays", data / source, folder / name, choose_points(), Options(fps=30.0))
    return folder


def learned(recipe: SignRecipe, clips: Clips, seen: NDArray[np.bool_], unseen: NDArray[np.bool_]) -> dict[str, Any]:
    """Train on some clips and read others; return the accuracy, and that of each word."""
    trusted = trusted_words(recipe, clips)
    network = doubted(fit_committee(recipe, clips.select(seen)), recipe, trusted)
    others = clips.select(unseen)
    right = predict_signs(network, others, recipe).argmax(1) == recipe.words.places(others.label)
    words = {str(word): round(float(right[others.label == word].mean()), 3) for word in np.unique(others.label)}
    return {"n": len(others), "accuracy": round(float(right.mean()), 4), "words": words}


def mean(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return scores with the unweighted mean of their accuracies."""
    return {"mean": round(float(np.mean([score["accuracy"] for score in scores.values()])), 4), **scores}


def left_out(recipe: SignRecipe, clips: Clips, names: NDArray[np.str_]) -> dict[str, Any]:
    """Leave each signer (source, fold) out once."""
    return mean({str(name): learned(recipe, clips, names != name, names == name) for name in np.unique(names)})


def ten_signs(data: Path, more: Mapping[str, str]) -> dict[str, Any]:
    """Ten signs by three signers, each left out once."""
    recipe, clips, _ = load_clips(_recipe(more), data / "words")
    recipe, clips = _of(recipe, clips, np.char.startswith(clips.group, TRADUTTORE))
    return left_out(recipe, clips, clips.signer)


def head_words(data: Path, more: Mapping[str, str]) -> dict[str, Any]:
    """Train on one of two people (and a third one's clips of one word), and read the other, on the words of both."""
    recipe, clips, _ = load_clips(_recipe(more), data / "words")
    recipe, clips = _of(recipe, clips, np.char.startswith(clips.group, HEAD_WORDS))
    people = np.array([signer.rsplit("/", 1)[-1] for signer in clips.signer])
    both = sorted(set(clips.label[people == "C"].tolist()) & set(clips.label[people == "D"].tolist()))
    known = np.isin(clips.label, both)
    recipe, clips, people = *_of(recipe, clips, known), people[known]
    return mean({f"to {name}": learned(recipe, clips, people != name, people == name) for name in "CD"})


def two_signs(data: Path, more: Mapping[str, str]) -> dict[str, Any]:
    """Hello and thank-you by 15 of Google's signers, five folds of three."""
    recipe, clips, _ = load_clips(_recipe(more), data / "gislr")
    number, _ = fold_of(clips, "signer", 5)
    return left_out(recipe, clips, number.astype(np.str_))


def sources(data: Path, more: Mapping[str, str]) -> dict[str, Any]:
    """Each source left out once, on the words of three or more sources."""
    recipe, clips, _ = load_clips(_recipe(more), data)
    known = np.isin(clips.label, trusted_words(recipe, clips)) & ~np.isin(clips.label, recipe.silent)
    names = np.unique(clips.source)
    return mean(
        {str(name): learned(recipe, clips, clips.source != name, known & (clips.source == name)) for name in names}
    )


def throughput(data: Path, quick: bool) -> dict[str, Any]:
    """Training steps on clips of real lengths: clips a second, and batches of similar length against padding to 64."""
    lengths = real_lengths(data)
    lengths = np.minimum(np.random.default_rng(0).choice(lengths, 512 if quick else 2048, replace=False), FRAMES)
    told: dict[str, Any] = {"device": DEVICE, "median_frames": int(np.median(lengths))}
    with tempfile.TemporaryDirectory() as folder:
        store = make_store(Path(folder), lengths)
        for name in ("signs-transformer-seed", "signs-transformer", "signs-conv"):
            times = alternate(epochs(name, store), 3)
            rates = {way: round(len(lengths) / float(np.median(seconds))) for way, seconds in times.items()}
            told[name] = {"clips_a_s": rates, "ratio": ratio(times["padded"], times["buckets"])}
    return told


def epochs(name: str, store: ClipStore) -> dict[str, Callable[[], None]]:
    """Return an epoch of a network over a store in batches of similar length, and one padded to 64 frames."""
    recipe = load_recipe(name, {"data.max_frames": str(FRAMES)})
    assert isinstance(recipe, SignRecipe)
    network = sign_network(recipe, PUBLISHED_SIGNS).to(DEVICE)
    optimizer = torch.optim.AdamW(network.parameters())
    points = network.select.index.cpu().numpy()

    def epoch(rows: DrawnRows, frames: int | None) -> None:
        for some in rows:
            values, lengths = store.padded(some, frames, points)
            logits = network.selected(torch.from_numpy(values).to(DEVICE), torch.from_numpy(lengths).to(DEVICE))
            labels = torch.from_numpy(some % PUBLISHED_SIGNS).to(DEVICE)
            loss = torch.nn.functional.cross_entropy(logits, labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    return {
        "buckets": partial(epoch, DrawnRows(len(store), BATCH, 0, lengths=store.lengths), None),
        "padded": partial(epoch, DrawnRows(len(store), BATCH, 0), FRAMES),
    }


def inference(quick: bool) -> dict[str, Any]:
    """The published transformer for one clip of 64 frames: our runtime against eager torch, two threads each."""
    torch.set_num_threads(2)
    network = PublishedSignTransformer(250).eval()
    points, median = torch.rand(FRAMES, 543, 3), torch.rand(22, 543, 3)
    with tempfile.TemporaryDirectory() as folder:
        export_sign_graph(network, Path(folder) / "model.onnx")
        backend = Graph(Path(folder) / "model.onnx", threads=2)
    given, short = points.numpy(), median.numpy()

    def eager() -> None:
        with torch.inference_mode():
            network(points)

    tasks = {
        "onnx": lambda: backend.run(points=given),
        "onnx_22_frames": lambda: backend.run(points=short),
        "eager": eager,
    }
    times = alternate(tasks, 20 if quick else 100)
    told = {f"{name}_ms": round(1000 * float(np.median(seconds)), 2) for name, seconds in times.items()}
    return told | {"eager_by_onnx": ratio(times["eager"], times["onnx"])}


def _recipe(more: Mapping[str, str]) -> SignRecipe:
    recipe = load_recipe("signs", more)
    assert isinstance(recipe, SignRecipe)
    return recipe


def _of(recipe: SignRecipe, clips: Clips, rows: NDArray[np.bool_]) -> tuple[SignRecipe, Clips]:
    """Keep some clips, and the words of the vocabulary that occur in them."""
    clips = clips.select(rows)
    vocabulary = sorted(set(clips.label.tolist()))
    silent = [label for label in recipe.silent if label in vocabulary]
    aliases = {name: label for name, label in recipe.aliases.items() if label in vocabulary}
    return recipe.model_copy(update={"vocabulary": vocabulary, "silent": silent, "aliases": aliases}), clips


def results(data: Path, folder: Path, *, quick: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the measurements, one after the other."""
    more = QUICK if quick else SMALL
    yield "inference", inference(quick)
    yield "throughput", throughput(data, quick)
    prepared = stores(data, folder)
    yield "ten_signs", ten_signs(prepared, more)
    yield "head_words", head_words(prepared, more)
    yield "two_signs", two_signs(prepared, more)
    yield "sources", sources(prepared, more)


def main() -> None:
    """Print scores on left-out signers, and speeds."""
    options = arguments(__doc__)
    told: dict[str, Any] = {"matrix_gflops": round(matrix_rate(), 1)}
    with tempfile.TemporaryDirectory() as folder:
        for name, result in results(Path(options.data), Path(folder), quick=options.quick):
            told[name] = result
            if not options.json:
                show({name: result}, as_json=False)
    if options.json:
        show(told, as_json=True)


if __name__ == "__main__":
    main()
