"""Signs from videos: pictures or landmarks, from scratch or carried over, on gestures of three people, each left out.

Needs ``gesture-videos`` and, beside the package's own compact network, nothing else. ``--quick`` takes two seeds and
fewer epochs. Every row is the mean over seeds of the share read right of people never learned from, with the half
width of its 95 % interval (Student's t over the seeds).
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from harness import arguments, show
from signary.datasets.clips import Clips
from signary.datasets.manifest import Options, prepare
from signary.landmarks.store import choose_points
from signary.models.video import Backbone
from signary.training.backbones import open_backbone, random_backbone
from signary.training.recipe import load_recipe
from signary.training.schema_signs import SignRecipe
from signary.training.schema_videos import VideoRecipe
from signary.training.signs import fit_committee, label_places, load_clips, predict_signs
from signary.training.video_features import Sampling, prepare_features
from signary.training.videos import fit_videos, load_videos, predict_videos

COMMANDS = ("FanDown", "FanOff", "FanOn", "FanUp", "LightOff", "LightOn", "SetThermo")
DIGITS = tuple(f"Num{number}" for number in range(10))
FEW = (1, 2, 5)  # clips a class
T_95 = {2: 12.706, 3: 4.303, 5: 2.776, 8: 2.365, 10: 2.262}
HANDS = {
    "points": "[left_hand, right_hand]",
    "center": "[left_hand_wrist, right_hand_wrist]",
    "average": "0.99",
    "batch": "32",
    "learning_rate": "0.002",
    "optimizer": "adamw",
    "weight_decay": "0.05",
    "clip_norm": "1.0",
    "data.folds": "0",
}

Fit = Callable[[Clips, int], Callable[[Clips], NDArray[Any]]]


def interval(values: Sequence[float]) -> dict[str, Any]:
    """Return mean and half width of the 95 % interval over seeds."""
    half = T_95[len(values)] * statistics.stdev(values) / len(values) ** 0.5
    return {"mean": round(statistics.mean(values), 4), "half_width": round(half, 4), "seeds": len(values)}


def left_out(clips: Clips, places: NDArray[np.int64], fit: Fit, seeds: int, each: int = 0) -> list[float]:
    """Return, for each seed, the mean share read right of each signer left out.

    Parameters
    ----------
    clips : Clips
    places : int64 (N,)
        Of their labels.
    fit : callable(clips, seed)
        Gives what tells logits of clips.
    seeds : int
    each : int
        Clips of each class that are learned from, drawn by the seed; 0: all.
    """
    told = []
    for seed in range(seeds):
        scores = []
        for signer in np.unique(clips.signer):
            seen = np.flatnonzero(clips.signer != signer)
            others = clips.signer == signer
            read = fit(clips.select(some(seen, places, each, seed)), seed)
            scores.append(float((read(clips.select(others)).argmax(1) == places[others]).mean()))
        told.append(statistics.mean(scores))
    return told


def some(rows: NDArray[np.int64], places: NDArray[np.int64], each: int, seed: int) -> NDArray[np.int64]:
    """Return ``each`` rows of every class, or all."""
    if not each:
        return rows
    shuffled = np.random.default_rng(seed).permutation(rows)
    kept = [shuffled[places[shuffled] == place][:each] for place in np.unique(places)]
    return np.sort(np.concatenate(kept))


def video_fit(recipe: VideoRecipe, start: Mapping[str, torch.Tensor] | None = None, freeze: str = "none") -> Fit:
    """Return what trains a recipe of videos from scratch, or goes on from weights."""

    def fit(clips: Clips, seed: int) -> Callable[[Clips], NDArray[Any]]:
        plan = recipe.model_copy(update={"seed": seed, "freeze": freeze})
        network = fit_videos(plan, clips, start=dict(start) if start else None)
        return lambda others: predict_videos(network, others)

    return fit


def sign_fit(recipe: SignRecipe) -> Fit:
    """Return what trains a recipe of landmarks."""

    def fit(clips: Clips, seed: int) -> Callable[[Clips], NDArray[Any]]:
        plan = recipe.model_copy(update={"seed": seed})
        network = fit_committee(plan, clips)
        return lambda others: predict_signs(network, others, plan)

    return fit


def backbones() -> dict[str, Backbone]:
    """Return the compact network as it learned photos of letters, and one that learned nothing."""
    return {"photos": open_backbone("compact"), "random": random_backbone("compact")}


def videos(data: Path, folder: Path, seeds: int, more: Mapping[str, str]) -> dict[str, Any]:
    """Features of each network of pictures, read by each network over time; few clips a class; and the transfer."""
    told: dict[str, Any] = {}
    for name, backbone in backbones().items():
        store = folder / name
        prepare_features("clips", data, store, backbone, sampling=Sampling(fit="crop", draws=2))
        for network in ("video-lstm", "video-transformer"):
            recipe, clips, _ = load_videos(_recipe(network, more), store)
            scores = left_out(clips, label_places(clips, recipe), video_fit(recipe), seeds)
            told[f"{network} on {name}"] = interval(scores)
        recipe, clips, _ = load_videos(_recipe("video-lstm", more), store)
        for each in FEW:
            scores = left_out(clips, label_places(clips, recipe), video_fit(recipe), seeds, each)
            told[f"video-lstm on {name}, {each} clips a class"] = interval(scores)
    gain = told["video-lstm on photos"]["mean"] - told["video-lstm on random"]["mean"]
    told["gain of photos"] = round(gain, 4)
    return told | transfer(folder / "photos", seeds, more)


def transfer(store: Path, seeds: int, more: Mapping[str, str]) -> dict[str, Any]:
    """Learn ten gestures, then seven others of which there are few clips, against learning these from scratch.

    People who are read at the end are in neither: the first network is learned for each of them anew.
    """
    digits, known, _ = load_videos(_recipe("video-lstm", {**more, "data.classes": ",".join(DIGITS)}), store)
    commands, clips, _ = load_videos(_recipe("video-lstm", {**more, "data.classes": ",".join(COMMANDS)}), store)
    places, told = label_places(clips, commands), {}
    for each in FEW:
        scores: dict[str, list[float]] = {name: [] for name in ("scratch", "none", "lstm1", "all")}
        for seed in range(seeds):
            right: dict[str, list[float]] = {name: [] for name in scores}
            for signer in np.unique(clips.signer):
                first = fit_videos(digits.model_copy(update={"seed": seed}), known.select(known.signer != signer))
                few = clips.select(some(np.flatnonzero(clips.signer != signer), places, each, seed))
                others = clips.signer == signer
                for name, shares in right.items():
                    start = None if name == "scratch" else first.state_dict()
                    read = video_fit(commands, start, "none" if name == "scratch" else name)(few, seed)
                    shares.append(float((read(clips.select(others)).argmax(1) == places[others]).mean()))
            for name, shares in right.items():
                scores[name].append(statistics.mean(shares))
        for name, values in scores.items():
            gains = [value - scratch for value, scratch in zip(values, scores["scratch"], strict=True)]
            row = interval(values) | ({} if name == "scratch" else {"gain": interval(gains)})
            told[f"digits to commands, {each} clips a class, {'' if name == 'scratch' else 'freeze '}{name}"] = row
    return told


def landmarks(data: Path, folder: Path, seeds: int, more: Mapping[str, str]) -> dict[str, Any]:
    """The same clips through landmarks of hands (only hands are in these pictures), read by ``signs-conv``."""
    store = folder / "landmarks"
    prepare("clips", data, store, choose_points(), Options(detector="hands"), workers=2)
    recipe = load_recipe("signs-conv", HANDS | dict(more))
    assert isinstance(recipe, SignRecipe)
    recipe, clips, _ = load_clips(recipe, store)
    places = label_places(clips, recipe)
    told = {"signs-conv on landmarks": interval(left_out(clips, places, sign_fit(recipe), seeds))}
    for each in FEW:
        scores = left_out(clips, places, sign_fit(recipe), seeds, each)
        told[f"signs-conv on landmarks, {each} clips a class"] = interval(scores)
    return told


def _recipe(name: str, more: Mapping[str, str]) -> VideoRecipe:
    recipe = load_recipe(name, more)
    assert isinstance(recipe, VideoRecipe)
    return recipe


def main() -> None:
    """Print a row for each way of reading."""
    options = arguments(__doc__)
    data, seeds = Path(options.data) / "gesture-videos", 2 if options.quick else 5
    with tempfile.TemporaryDirectory() as folder:
        told = videos(data, Path(folder), seeds, {"epochs": "20"} if options.quick else {})
        told |= landmarks(data, Path(folder), seeds, {"epochs": "40" if options.quick else "120"})
    show({"chance": round(1 / (len(DIGITS) + len(COMMANDS)), 4), **told}, as_json=options.json)


if __name__ == "__main__":
    main()
