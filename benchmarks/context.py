"""The effect of context on spelled words: words and letters read right with it and without, and words made wrong.

The language model was not trained on the words called new, nor on the names. Most words are read from the avatar's
points with errors like those of a detector; without --quick some are also read from pictures, by the detector.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from avatar import detected, random_look, reader
from harness import arguments, show
from signary.avatar.flesh import hand_length
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.text.context import ContextOptions
from signary.text.language import CharacterModel

SCRIPTS = Path(__file__).parents[1] / "scripts"
FPS, PICTURE_FPS, VARIATION = 25.0, 20.0, 0.7
SPEEDS = (2.0, 2.5, 3.0)
PEOPLE = (None, "borisgraudt", "davidlee", "keptsecret", "meyyappan", "mirrored-photos", "13lack13lood")
# Error of a point, in hand lengths (the median of MediaPipe on the avatar is 0.03), and how long it persists.
ERRORS, ERROR_S = (0.02, 0.03, 0.04), 0.3
SHORTEST, LONGEST = 3, 10
COMMON = 4.0  # up to SCOWL's size 50
# Without context; with context but no language model, which still uses shorter shapes; with context.
WAYS = {"none": ("none", None), "shapes": ("words", ContextOptions(weight=0)), "words": ("words", None)}


@dataclass(frozen=True)
class Reading:
    """A spelled text, its kind and speed, and the text read in each of `WAYS`."""

    kind: str
    speed: float
    spelled: str
    read: dict[str, str]


def main() -> None:
    """Print the share of words read right, and character errors, with context and without."""
    options = arguments(__doc__)
    per_kind, pictured = (100, 0) if options.quick else (400, 14)
    words = drawn_words(per_kind)
    readings = [read(kind, word, seed, as_seen) for seed, (kind, word) in enumerate(words)]
    letters = [read("letters", chr(ord("a") + seed % 26), seed, as_seen) for seed in range(26 * 4)]
    result: dict[str, Any] = {"points": summed(readings), "single_letters": summed(letters)["letters"]}
    if pictured:
        tasks = [task for start in range(3) for task in words[start * per_kind : start * per_kind + pictured]]
        with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
            result["pictures"] = summed(pool.map(read_pictures, enumerate(tasks)))
    show(result, as_json=options.json)


def drawn_words(count: int) -> list[tuple[str, str]]:
    """Draw words of each kind by their frequency: known words, new words and new names."""
    lists, random = language()[1], np.random.default_rng(0)
    drawn = []
    for kind, chances in lists.items():
        share = np.array(list(chances.values()))
        picked = random.choice(list(chances), count, replace=False, p=share / share.sum())
        drawn.extend((kind, str(word)) for word in picked)
    return drawn


@cache
def language() -> tuple[CharacterModel, dict[str, dict[str, float]]]:
    """Train on nine tenths of the words; return the model, and the words of each kind with their weights."""
    import sys

    sys.path.insert(0, str(SCRIPTS))
    from fit_language import common_names, common_words, is_held_out, weighted

    words, names = common_words(), common_names()
    seen = {word: weight for word, weight in weighted(words, names).items() if not is_held_out(word)}
    suited = {word: common for word, common in words.items() if SHORTEST <= len(word) <= LONGEST and common >= COMMON}
    lists = {
        "known": {word: common for word, common in suited.items() if word in seen},
        "new": {word: common for word, common in suited.items() if word not in seen},
        "names": {
            name: share
            for name, share in names.items()
            if name not in words and is_held_out(name) and SHORTEST <= len(name) <= LONGEST
        },
    }
    return CharacterModel.fit(list(seen), list(seen.values())), lists


def read(kind: str, word: str, seed: int, seen: Callable[[LandmarkSequence, int], LandmarkSequence]) -> Reading:
    """Spell a word, detect it, and read it with context and without."""
    speed, person = SPEEDS[seed % len(SPEEDS)], PEOPLE[seed % len(PEOPLE)]
    how = SpellOptions(speed=speed, shapes_of=person, build_of=person, variation=VARIATION, seed=seed)
    clip = seen(plan_spelling(word, how).sequence(FPS if seen is as_seen else PICTURE_FPS), seed)
    return Reading(kind, speed, word.upper(), {way: read_clip(clip, *asked) for way, asked in WAYS.items()})


def read_clip(clip: LandmarkSequence, context: str, options: ContextOptions | None) -> str:
    """Read a clip; a context uses the language model that was not trained on the new words."""
    home = "signary.recognition.held.reader"
    with (
        patch(f"{home}.load_language", lambda: language()[0]),
        patch(f"{home}.ContextOptions", lambda: options or ContextOptions()),
    ):
        return reader().recognize(clip, context=context).text


def read_pictures(task: tuple[int, tuple[str, str]]) -> Reading:
    """Read a word from pictures, by the detector."""
    seed, (kind, word) = task
    return read(kind, word, seed, pictured)


def as_seen(clip: LandmarkSequence, seed: int) -> LandmarkSequence:
    """Move the points of the hand by errors like a detector's, which change slowly."""
    points, random = clip.points.copy(), np.random.default_rng(seed)
    hand = points[:, RIGHT_HAND]
    size = np.median([hand_length(frame) for frame in hand if np.isfinite(frame).all()])
    error = ERRORS[seed // len(SPEEDS) % len(ERRORS)]
    points[:, RIGHT_HAND] = hand + np.float32(error * size) * wandering(hand.shape, random)
    return LandmarkSequence(points, clip.times_s, aspect=clip.aspect)


def wandering(shape: tuple[int, ...], random: np.random.Generator) -> NDArray[np.float32]:
    """Draw numbers of standard deviation 1, correlated over `ERROR_S` along the first axis."""
    steps = random.standard_normal(shape).astype(np.float32)
    alike = np.exp(-1 / (FPS * ERROR_S))
    for frame in range(1, len(steps)):
        steps[frame] = alike * steps[frame - 1] + np.sqrt(1 - alike**2) * steps[frame]
    return steps


def pictured(clip: LandmarkSequence, seed: int) -> LandmarkSequence:
    """Draw a clip and detect its hand."""
    return detected(clip, random_look(seed))


def summed(readings: Iterable[Reading]) -> dict[str, dict[str, Any]]:
    """Summarize readings by kind and by speed."""
    groups: dict[str, list[Reading]] = {}
    for reading in readings:
        for name in dict.fromkeys((reading.kind, f"{reading.speed} letters a second")):
            groups.setdefault(name, []).append(reading)
    return {name: shares(group) for name, group in groups.items()}


def shares(readings: list[Reading]) -> dict[str, Any]:
    """Return words right and character errors of each way, and words that context corrects and makes wrong."""
    from rapidfuzz.distance import Levenshtein

    length = sum(len(one.spelled) for one in readings)
    right = {way: [one.spelled == one.read[way] for one in readings] for way in WAYS}
    edits = {way: sum(Levenshtein.distance(one.spelled, one.read[way]) for one in readings) for way in WAYS}
    pairs = list(zip(right["none"], right["words"], strict=True))
    return {
        "n": len(readings),
        "right": {way: round(float(np.mean(hits)), 4) for way, hits in right.items()},
        "cer": {way: round(count / length, 4) for way, count in edits.items()},
        "mended": sum(after and not before for before, after in pairs),
        "broken": sum(before and not after for before, after in pairs),
    }


if __name__ == "__main__":
    main()
