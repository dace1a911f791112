"""The avatar's pictures: how fast they are drawn, and how well a detector in video mode finds each held letter.

``avatar.py`` asks whether whole texts are read back; this one looks at single held shapes, near and far, and names the
letters, cameras and skins that the detector misses.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import cv2
import numpy as np

from harness import alternate, arguments, matrix_rate, show
from signary.avatar.flesh import hand_length
from signary.avatar.look import Look
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.render import Painter, render
from signary.landmarks.detect import HandsDetector
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.video.frame import Frame

SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SIZE, FPS, HELD_FRAMES = (480, 480), 30.0, 20
# Shoulder width in picture widths: an upper body with a hand of an eighth, a fifth and a third of the picture's height.
CAMERAS = {"far": 0.26, "body": 0.42, "near": 0.66}
MARGIN = 0.12
CLOSE_ENOUGH = 0.25  # hand lengths; a hand seen further off than that is something else taken for one


@dataclass(frozen=True, slots=True)
class Shown:
    """One held sign before the detector."""

    sign: str
    camera: str
    seed: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of it: in how many frames the hand was found, and its distances (hand lengths) there."""

    shown: Shown
    skin: int
    frames: int
    errors: tuple[float, ...]


def main() -> None:
    """Print speeds, and detection by letter, camera and skin."""
    options = arguments(__doc__)
    seeds = 2 if options.quick else 10
    tasks = [Shown(sign, camera, seed) for seed in range(seeds) for camera in CAMERAS for sign in SIGNS]
    result: dict[str, Any] = {"matrix_gflops": round(matrix_rate(), 1)} | speeds(3 if options.quick else 9)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        result |= summary(list(pool.map(look_at, tasks, chunksize=6)))
    show(result, as_json=options.json)


def speeds(runs: int) -> dict[str, float]:
    """Return frames drawn a second on one core: the default look, and a random one with noise and motion blur."""
    cv2.setNumThreads(1)
    frames = plan_spelling("HELLO", SpellOptions(zoom=CAMERAS["body"])).sequence(FPS)[30:90]
    looks = {"plain": Look(), "noisy": Look(noise=4.0), "blurred": Look(shutter=0.5)}
    tasks: dict[str, Callable[[], Any]] = {
        name: lambda look=look: list(render(frames, size=SIZE, look=look)) for name, look in looks.items()
    }
    times = alternate(tasks, runs)
    return {f"{name}_frames_per_s": round(len(frames) / statistics.median(times[name]), 1) for name in looks}


def look_at(shown: Shown) -> Seen:
    """Hold a sign still but for its drift, and look from the first frame on: nothing was tracked before."""
    plan = plan_spelling(shown.sign, SpellOptions(speed=1.0, zoom=CAMERAS[shown.camera], seed=shown.seed))
    letter = plan.letters[0][0]
    times = np.linspace(letter.start_s, letter.end_s, HELD_FRAMES)
    look = look_of(shown.seed)
    painter, errors = Painter(SIZE, look), []
    with HandsDetector() as detector:
        for number, points in enumerate(framed(plan.points(times)[0])):
            seen = detector.detect(Frame(painter.exposed(points), number, number / FPS))
            truth = painter.placed(points)[RIGHT_HAND]
            hands = [seen[slot][:, :2] * SIZE for slot in (RIGHT_HAND, LEFT_HAND)]
            away = [float(np.linalg.norm(hand - truth[:, :2], axis=1).mean()) for hand in hands]
            nearest = min((each for each in away if np.isfinite(each)), default=np.inf) / hand_length(truth)
            if nearest <= CLOSE_ENOUGH:
                errors.append(nearest)
    return Seen(shown, look.skin, HELD_FRAMES, tuple(errors))


def framed(points: np.ndarray) -> np.ndarray:
    """Shift points (T, 543, 3) no further than it takes to keep the hand off the picture's edge: people do so too."""
    hand = points[:, RIGHT_HAND, :2]
    low, high = hand.min((0, 1)), hand.max((0, 1))
    shift = np.maximum(MARGIN - low, 0) - np.maximum(high - (1 - MARGIN), 0)
    return np.asarray(points + np.append(shift, 0).astype(np.float32))


def look_of(seed: int) -> Look:
    """Draw a look; ten seeds in a row show the ten skins."""
    return replace(Look.random(np.random.default_rng(seed)), skin=1 + 7 * seed % 10)


def summary(seen: Sequence[Seen]) -> dict[str, Any]:
    """Sum up how often the hand was found, and how far off."""
    errors = [error for each in seen for error in each.errors]
    signs = rates(seen, lambda each: each.shown.sign)
    return {
        "found": rates(seen, lambda _: "all")["all"],
        "found_worst": dict(sorted(signs.items(), key=lambda item: item[1])[:8]),
        "found_by_camera": rates(seen, lambda each: each.shown.camera),
        "found_by_skin": dict(sorted(rates(seen, lambda each: each.skin).items())),
        "found_by_sign": signs,
        "error_hand_lengths": round(statistics.median(errors), 4) if errors else None,
        "error_hand_lengths_p95": round(float(np.quantile(errors, 0.95)), 4) if errors else None,
        "error_by_sign": {
            sign: round(statistics.median(off), 3)
            for sign in SIGNS
            if (off := [error for each in seen if each.shown.sign == sign for error in each.errors])
        },
    }


def rates(seen: Sequence[Seen], key: Callable[[Seen], Any]) -> dict[Any, float]:
    """Return the share of frames with the hand found, by what ``key`` says."""
    found: dict[Any, list[tuple[int, int]]] = {}
    for each in seen:
        found.setdefault(key(each), []).append((len(each.errors), each.frames))
    return {name: round(sum(hits for hits, _ in all_) / sum(n for _, n in all_), 4) for name, all_ in found.items()}


if __name__ == "__main__":
    main()
