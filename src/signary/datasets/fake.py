"""Fake data in the layout of a real data set, to try out pipelines; a model trained on it reads no real signer.

Each character has a random hand, and a clip moves from one hand to the next, so a network can memorize such a set.
"""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.datasets.readers.fingerspelling import COLUMNS, MAP, TABLES
from signary.datasets.split import SUPPLEMENTAL
from signary.errors import InputError
from signary.landmarks.files import wide_names
from signary.landmarks.sequence import Points
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND, RIGHT_HAND
from signary.output import make_folder, whole_folder
from signary.text.characters import CHARACTERS, CharacterVocabulary

SIGNERS = 8
HIDDEN, FLICKER = 0.15, 4  # share of spans of 4 frames in which the hand is not seen
BODY, HAND, STEP, NOISE = 0.15, 0.05, 0.002, 0.002  # picture widths
LEFT_HANDED = 0.2

_NAMES = ("anna", "dmitri", "farid", "grace", "hugo", "ines", "jamal", "keiko", "o'hara", "priya", "quinn", "zoe")
_PLACES = ("oak", "hill", "river", "stone", "church", "mill", "north", "sunset", "maple", "harbor")
_SENTENCES = ("my bike has a flat tire", "see you later", "prayers are answered", "the cat sleeps in the sun")
Draw = np.random.Generator


def make_fingerspelling(
    folder: str | Path,
    *,
    files: int = 3,
    sequences: int = 20,
    supplemental: int = 1,
    frames_a_letter: int = 6,
    seed: int = 0,
    force: bool = False,
) -> None:
    """Write a folder in the layout of Kaggle's asl-fingerspelling, with fake landmarks.

    Parameters
    ----------
    folder : str or Path
        Written completely or not at all.
    files : int
        Files of the training part: made-up names, addresses, phone numbers and web addresses.
    sequences : int
        Phrases per file; one file is held in memory, about 3 MB per phrase.
    supplemental : int
        Files of the supplemental part: a few sentences, repeated. With 0 its table is not written either.
    frames_a_letter : int
        On average; signers differ.
    seed : int
    force : bool
        Overwrite an existing folder of this kind.

    Raises
    ------
    InputError
        If a number is too small, the folder exists and ``force`` is false, or it cannot be written.

    Source: the layout is described on https://www.kaggle.com/competitions/asl-fingerspelling/data.
    """
    if min(files, sequences, frames_a_letter) < 1 or supplemental < 0:
        said = f"files={files}, sequences={sequences}, frames_a_letter={frames_a_letter}, supplemental={supplemental}"
        raise InputError(f"{said}: too few", hint="1 or more, but 0 or more of supplemental")
    rng = np.random.default_rng(seed)
    shapes = rng.normal(0, HAND, (len(CHARACTERS), 21, 3)).astype(np.float32)
    numbers = iter(np.sort(rng.choice(2**31, (files + supplemental) * (sequences + 1), replace=False)).tolist())
    with whole_folder(folder, force=force, marks=(MAP,)) as draft:
        (draft / MAP).write_text(json.dumps({character: place for place, character in enumerate(CHARACTERS)}))
        for split, count in {"train": files, SUPPLEMENTAL: supplemental}.items():
            rows: list[tuple[object, ...]] = [COLUMNS]
            for file_id in (next(numbers) for _ in range(count)):
                path = f"{split}_landmarks/{file_id}.parquet"
                phrases = {next(numbers): _phrase(rng, split) for _ in range(sequences)}
                clips = {name: _points(phrase, shapes, frames_a_letter, rng) for name, phrase in phrases.items()}
                make_folder((draft / path).parent)
                write_wide(draft / path, clips)
                signers = rng.permutation(sequences) % SIGNERS
                rows += [(path, file_id, *row) for row in zip(phrases, signers, phrases.values(), strict=True)]
            if count:
                with (draft / TABLES[split]).open("w", newline="", encoding="utf-8") as stream:
                    csv.writer(stream).writerows(rows)


def write_wide(path: Path, clips: dict[int, Points]) -> None:
    """Write clips float32 (T, 543, 3), keyed by ``sequence_id``, in Kaggle's wide layout, NaN as empty cells."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    points = np.concatenate(list(clips.values()))
    lengths = [len(clip) for clip in clips.values()]
    columns = {"frame": pa.array(np.concatenate([np.arange(length, dtype=np.int16) for length in lengths]))}
    values = points.transpose(2, 1, 0).reshape(-1, len(points))
    columns |= {name: pa.array(row, from_pandas=True) for name, row in zip(wide_names(), values, strict=True)}
    columns["sequence_id"] = pa.array(np.repeat(np.array(list(clips), np.int64), lengths))
    pq.write_table(pa.table(columns), path)


def _phrase(rng: Draw, split: str) -> str:
    if split == SUPPLEMENTAL:
        return str(rng.choice(_SENTENCES))
    name, other, place = (str(rng.choice(words)) for words in (_NAMES, _NAMES, _PLACES))
    number = int(rng.integers(1, 10_000))
    made = (
        f"{name} {other}",
        f"{number} {place} {rng.choice(('street', 'road', 'lane'))}",
        f"+{number % 90 + 1}-{rng.integers(100, 999)}-{number:04d}",
        f"www.{place}.com/{name.replace(chr(39), '')}",
    )
    return made[rng.integers(len(made))]


def _points(phrase: str, shapes: NDArray[np.float32], frames_a_letter: int, rng: Draw) -> Points:
    """Return float32 (T, 543, 3): a swaying body, and a hand that moves from letter to letter, lost at times."""
    letters = CharacterVocabulary().encode(phrase)
    frames = max(1, round(len(letters) * frames_a_letter * rng.uniform(0.8, 1.25)))
    place = np.linspace(0, len(letters) - 1, frames)
    before = place.astype(np.int64)
    after, part = np.minimum(before + 1, len(letters) - 1), (place - before)[:, None, None]
    hand = (1 - part) * shapes[letters[before]] + part * shapes[letters[after]]
    sway = rng.normal(0, STEP, (frames, 1, 3)).cumsum(axis=0)
    points = rng.normal(0.5, BODY, (len(HOLISTIC_543), 3)) + sway
    points[:, LEFT_HAND] = points[:, RIGHT_HAND] = np.nan
    seen = (rng.random(frames // FLICKER + 1) >= HIDDEN).repeat(FLICKER)[:frames]
    side = LEFT_HAND if rng.random() < LEFT_HANDED else RIGHT_HAND
    points[seen, side] = 0.5 + (hand + sway)[seen]
    noisy: Points = (points + rng.normal(0, NOISE, points.shape)).astype(np.float32)
    return noisy
