"""The avatar: how fast it moves and is drawn, how well its hand is found, and what the letters model reads of it."""

from __future__ import annotations

import os
import re
import statistics
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import islice
from multiprocessing import get_context
from typing import Any

import numpy as np

from harness import alternate, arguments, matrix_rate, show
from signary.avatar.flesh import hand_length
from signary.avatar.look import Look
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.render import Painter, render
from signary.landmarks.mediapipe import HandsDetector
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.text.recognition import Recognition
from signary.video.frame import Frame

LETTERS, DIGITS, MOVING = "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", "JZ"
SIZE, FPS, WORD_FPS = (480, 480), 30.0, 20.0
SKINS = (2, 6, 10)
Task = tuple[str, int, int]  # text, seed, skin


def main() -> None:
    """Print speeds, detection by letter, single letters and words by skin."""
    options = arguments(__doc__)
    seeds, words = (4, 20) if options.quick else (20, 200)
    result: dict[str, Any] = {"matrix_gflops": round(matrix_rate(), 1)} | speeds(3 if options.quick else 9)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        result |= detection(
            pool.map(find_hand, [(letter, seed) for letter in LETTERS + DIGITS for seed in range(seeds // 2)])
        )
        singles = [(letter, seed, 1 + seed % 10) for letter in LETTERS for seed in range(seeds)]
        result |= single_letters(singles, list(pool.map(read_back, singles)))
        tasks = [(word, seed, skin) for skin in SKINS for seed, word in enumerate(random_words(words))]
        result |= words_read(tasks, list(pool.map(read_back, tasks, chunksize=8)))
    show(result, as_json=options.json)


def speeds(runs: int) -> dict[str, float]:
    """Return frames drawn and texts moved a second, on one core."""
    import cv2

    cv2.setNumThreads(1)
    clip = plan_spelling("HELLO").sequence(FPS)
    frames = clip[30:90]
    texts = ["ABCDEFGHIK"] * 100

    def move() -> None:
        plan = plan_spelling(texts)
        plan.points(np.arange(0, plan.duration_s, 1 / FPS))

    times = alternate({"draw": lambda: list(render(frames, size=SIZE)), "move": move}, runs)
    return {
        "draw_frames_per_s": round(len(frames) / statistics.median(times["draw"]), 1),
        "motion_texts_per_s": round(len(texts) / statistics.median(times["move"]), 1),
    }


def find_hand(task: tuple[str, int]) -> tuple[str, list[bool], list[float]]:
    """Show one letter to the detector in video mode: letter, found in each frame, errors in hand lengths."""
    letter, seed = task
    plan = plan_spelling(letter, SpellOptions(speed=1.0, seed=seed))
    shown = plan.letters[0][0]
    painter, found, errors = Painter(SIZE, random_look(seed)), [], []
    times = np.arange(0, shown.end_s, 1 / FPS)
    with HandsDetector() as detector:
        for time_s, points in zip(times, plan.points(times)[0], strict=True):
            seen = detector.detect(Frame(painter.exposed(points), 0, float(time_s)))
            if time_s < shown.start_s:
                continue
            hands = [seen[slot] for slot in (RIGHT_HAND, LEFT_HAND) if np.isfinite(seen[slot]).all()]
            found.append(bool(hands))
            if hands:
                truth = painter.placed(points)[RIGHT_HAND]
                away = [np.linalg.norm(hand[:, :2] * SIZE - truth[:, :2], axis=1).mean() for hand in hands]
                errors.append(float(min(away)) / hand_length(truth))
    return letter, found, errors


def detection(tasks: Iterable[tuple[str, list[bool], list[float]]]) -> dict[str, Any]:
    """Return how often and how precisely the hand was found."""
    found: dict[str, list[bool]] = {}
    errors: list[float] = []
    for letter, here, away in tasks:
        found.setdefault(letter, []).extend(here)
        errors.extend(away)
    rates = {letter: round(float(np.mean(here)), 3) for letter, here in found.items()}
    return {
        "found": round(float(np.mean(np.concatenate(list(found.values())))), 4),
        "found_worst": dict(sorted(rates.items(), key=lambda item: item[1])[:5]),
        "landmark_error_hand_lengths": round(statistics.median(errors), 4),
    }


def read_back(task: Task) -> tuple[str, list[tuple[float, float]]]:
    """Spell a text and read it from pictures: text, times of its letters (spelled, read)."""
    text, seed, skin = task
    plan = plan_spelling(text, SpellOptions(seed=seed))
    result = read_clip(reader(), plan.sequence(WORD_FPS), replace(random_look(seed), skin=skin))
    right = result.text == plan.texts[0]
    times = zip(plan.letters[0], result.tokens, strict=True) if right else ()
    return result.text, [(letter.start_s, token.start_s) for letter, token in times]


def read_clip(model: Recognizer, clip: LandmarkSequence, look: Look) -> Recognition:
    """Draw a clip, detect its hand, and read it."""
    return model.recognize(detected(clip, look))


def detected(clip: LandmarkSequence, look: Look) -> LandmarkSequence:
    """Draw a clip and detect its hand."""
    with HandsDetector() as detector:
        points = [detector.detect(frame) for frame in render(clip, size=SIZE, look=look)]
    return LandmarkSequence(np.stack(points), clip.times_s, aspect=1.0)


def single_letters(tasks: list[Task], read: list[tuple[str, list[tuple[float, float]]]]) -> dict[str, Any]:
    """Return the share of single letters read correctly, with nothing else."""
    right: dict[str, list[bool]] = {}
    for (letter, _, _), (text, _) in zip(tasks, read, strict=True):
        right.setdefault(letter, []).append(text == letter)
    rates = {letter: round(float(np.mean(hits)), 3) for letter, hits in right.items()}
    return {
        "still_letters": round(float(np.mean([rates[letter] for letter in rates if letter not in MOVING])), 4),
        "J": rates["J"],
        "Z": rates["Z"],
        "letters_worst": dict(sorted(rates.items(), key=lambda item: item[1])[:6]),
    }


def words_read(tasks: list[Task], read: list[tuple[str, list[tuple[float, float]]]]) -> dict[str, Any]:
    """Return the character error rate by skin tone, and the error of the letters' times."""
    from rapidfuzz.distance import Levenshtein

    edits, lengths = dict.fromkeys(SKINS, 0), dict.fromkeys(SKINS, 0)
    for (word, _, skin), (text, _) in zip(tasks, read, strict=True):
        edits[skin] += Levenshtein.distance(word.upper(), text)
        lengths[skin] += len(word)
    off = [abs(spelled - seen) for _, times in read for spelled, seen in times]
    return {
        "words_cer": round(sum(edits.values()) / sum(lengths.values()), 4),
        "words_cer_by_skin": {skin: round(edits[skin] / lengths[skin], 4) for skin in SKINS},
        "start_off_s_median": round(statistics.median(off), 3),
        "start_off_s_p95": round(float(np.quantile(off, 0.95)), 3),
    }


def random_words(count: int) -> list[str]:
    """Draw words of 3 to 9 letters from Python's own help texts, the same on every machine with that Python."""
    from pydoc_data.topics import topics

    pattern = re.compile(r"(?<![\w`*.])[a-z]{3,9}(?![\w`*(.=_])")
    words = sorted({word for text in topics.values() for word in pattern.findall(text)})
    return list(islice(np.random.default_rng(0).permutation(words).tolist(), count))


def random_look(seed: int) -> Look:
    """Draw a look over the whole range, with the camera of a webcam."""
    return Look.random(np.random.default_rng(seed))


@cache
def reader() -> Recognizer:
    """Load the letters model once a process, on one thread."""
    return load("letters", threads=1)


if __name__ == "__main__":
    main()
