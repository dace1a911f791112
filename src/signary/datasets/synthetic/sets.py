"""Test sets of spelling, by name: ``synthetic``, ``avatar``, ``photos:PATH``.

Their words are never used in training on synthetic spelling, and the time of each character is known.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from signary.avatar.handshapes import HandshapeBank, load_handshapes
from signary.avatar.look import BACKGROUNDS, SKIN_TONES, Look
from signary.avatar.motion import SpellingPlan, SpellOptions, plan_spelling
from signary.avatar.spell import spelled_frames
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.synthetic.texts import PhraseMaker
from signary.errors import InputError
from signary.landmarks.detect import open_detector
from signary.landmarks.extract import extract
from signary.landmarks.sequence import LandmarkSequence, Points, scattered
from signary.landmarks.skeleton import HOLISTIC_543
from signary.video.source import open_source
from signary.video.write import write_video

if TYPE_CHECKING:
    from signary.datasets.hands import HandSamples
    from signary.datasets.synthetic.spelling import SyntheticBatch

SYNTHETIC, AVATAR, PHOTOS = "synthetic", "avatar", "photos"
FILMS, STRUNG, BATCH = 40, 500, 50  # default numbers of clips, and clips drawn together
SPEEDS = 3.0, 5.0  # letters a second
AVATAR_FPS = 30.0
SEED = 20230824
READ = ("lips", "nose", "right_eye", "left_eye", "left_hand", "right_hand", "upper_body")  # all that can be generated
TIMES = "letters_s"  # key in the description of a store

Times = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class SpelledClip:
    """A clip with its text and the times of its characters.

    Parameters
    ----------
    name, text : str
    letters_s : float32 (L, 2)
        Start and end of each character: its shape is reached, its shape is left; NaN = unknown.
    make : callable
        Returns the landmarks.
    fps : float
    key : str
        As in a store; empty: known to no model.
    """

    name: str
    text: str
    letters_s: Times
    make: Callable[[], LandmarkSequence]
    fps: float
    key: str = ""

    def sequence(self) -> LandmarkSequence:
        """Return the landmarks, ``HOLISTIC_543``."""
        return self.make()


@dataclass(frozen=True, slots=True, eq=False)
class SpellingSet:
    """Clips to test on.

    Parameters
    ----------
    name : str
    clips : list of SpelledClip
    about : dict
        Statistics, see `signary.datasets.synthetic.frozen.describe`; empty for the avatar, which is filmed later.
    """

    name: str
    clips: list[SpelledClip]
    about: dict[str, Any] = field(default_factory=dict)


def is_spelling_set(name: str | Path) -> bool:
    """Return whether a name is that of a set; an existing folder or file of that name takes precedence."""
    return str(name).partition(":")[0] in (SYNTHETIC, AVATAR, PHOTOS) and not Path(name).exists()


def find_spelling_set(name: str | Path, limit: int | None = None, *, engine: str = "holistic") -> SpellingSet:
    """Return a set by name; every run gives the same clips.

    Parameters
    ----------
    name : str
        ``synthetic``: the frozen test set of synthetic spelling. ``avatar``: films of the avatar as from ``signary
        spell``, at 3 to 5 letters a second, seen by a real detector; ``avatar:PERSON`` with the handshapes of one
        person of the bank. ``photos:PATH``: phrases from real photos of letters, a folder with one folder per letter or
        an ``.npz`` of their landmarks.
    limit : int, optional
        Only the first clips, or more than the default `FILMS` or `STRUNG`.
    engine : {"holistic", "hands"}
        Detector for the avatar.

    Raises
    ------
    InputError
        If there is no such set, person or photo, or ``limit`` is below 1.
    """
    kind, _, rest = str(name).partition(":")
    if limit is not None and limit < 1:
        raise InputError(f"limit={limit}, must be 1 or more", hint="clips to read")
    if kind == SYNTHETIC and not rest:
        return _synthetic(limit)
    if kind == AVATAR:
        return SpellingSet(str(name), list(_films(limit or FILMS, rest or None, engine)))
    if kind == PHOTOS and rest:
        return _strung(str(name), Path(rest), limit or STRUNG)
    raise InputError(f"{name}: no such set of spelling", hint="synthetic, avatar, avatar:PERSON or photos:PATH")


def store_spelling(found: SpellingSet, target: str | Path, *, track: Callable[[list[SpelledClip]], Any] = iter) -> Path:
    """Write a set into a store, with the times of its characters, so that films need not be made again.

    Raises
    ------
    InputError
        If the store exists.
    """
    draft = StoreDraft(target, np.arange(len(HOLISTIC_543)))
    draft.begin()
    for one in track(found.clips):
        seen = one.sequence()
        clip = Clip(one.name, seen.points, one.text, fps=one.fps, aspect=seen.aspect, source=found.name)
        draft.add(one.name, [clip])
    times = {one.name: _without_nan(one.letters_s) for one in found.clips}
    draft.finish(about={"name": draft.target.name, "reader": found.name, "has_phrases": True, TIMES: times})
    return draft.target


def _without_nan(times: Times) -> list[list[float | None]]:
    return [[value if np.isfinite(value) else None for value in pair] for pair in times.tolist()]


def phrases_of(characters: str, count: int, *, seed: int = SEED) -> list[str]:
    """Draw phrases of test words that use only the given characters.

    Raises
    ------
    InputError
        If there are too few.
    """
    maker, random, found = PhraseMaker("test"), np.random.default_rng(seed), list[str]()
    for _ in range(count + 10):  # in batches, so that a larger count starts with the same phrases
        found += [text for text in maker.draw(BATCH, random) if set(text) <= set(characters)]
        if len(found) >= count:
            return found[:count]
    raise InputError(f"{characters!r}: too few for phrases", hint="all letters, and best also digits")


def _synthetic(limit: int | None) -> SpellingSet:
    from signary.datasets.synthetic.frozen import describe, frozen_test
    from signary.features.select import SelectPoints

    points, clips = SelectPoints(READ), list[SpelledClip]()
    about = describe(_kept(_first(frozen_test(points), limit), points.index.numpy(), clips), points)
    return SpellingSet(SYNTHETIC, _named(SYNTHETIC, clips), about)


def _first(batches: Iterator[SyntheticBatch], limit: int | None) -> Iterator[SyntheticBatch]:
    """Yield batches up to a number of clips; the last batch is cut."""
    left = limit
    while left is None or left > 0:
        if (batch := next(batches, None)) is None:
            return
        kept = {name: part[:left] for name, part in vars(batch).items()}
        yield replace(batch, **kept)
        left = None if left is None else left - len(batch.texts)


def _strung(name: str, path: Path, limit: int) -> SpellingSet:
    from signary.datasets.synthetic.frozen import describe
    from signary.datasets.synthetic.photos import StrungHands
    from signary.features.select import SelectPoints

    hands, points = StrungHands(_photographed(path), seed=SEED), SelectPoints(("left_hand", "right_hand"))
    starts, clips = range(0, limit, BATCH), list[SpelledClip]()
    texts = phrases_of(hands.characters, len(starts) * BATCH)
    batches = (hands.draw(texts[start : start + BATCH]) for start in starts)
    about = describe(_kept(_first(batches, limit), points.index.numpy(), clips), points)
    return SpellingSet(name, _named(PHOTOS, clips), about)


def _photographed(path: Path) -> HandSamples:
    from signary.datasets.readers.hand_arrays import read_hand_arrays
    from signary.datasets.readers.photos import read_photo_folder

    return read_hand_arrays(path) if path.suffix == ".npz" else read_photo_folder(path)


def _kept(
    batches: Iterable[SyntheticBatch], points: NDArray[np.int64], clips: list[SpelledClip]
) -> Iterator[SyntheticBatch]:
    """Yield batches and collect their clips without padding, so that one batch at a time is in memory."""
    for batch in batches:
        clips += _clips(batch, points)
        yield batch


def _clips(batch: SyntheticBatch, points: NDArray[np.int64]) -> Iterator[SpelledClip]:
    """Yield the clips of a batch; ``points`` are the numbers of its points among the 543."""
    columns = (batch.lengths.tolist(), batch.texts, batch.letters_s.numpy(), batch.fps.tolist())
    for values, length, text, letters_s, fps in zip(batch.points.numpy(), *columns, strict=True):
        make = partial(clip_of, values[:length].copy(), points, fps)
        yield SpelledClip("", text, letters_s[: len(text)], make, fps)


def clip_of(values: Points, points: NDArray[np.int64], fps: float) -> LandmarkSequence:
    """Return a clip, given some points float32 (T, P, 3) and their numbers among the 543, int64 (P,)."""
    return LandmarkSequence(scattered(values, points), np.arange(len(values)) / fps)


def _named(title: str, clips: Iterable[SpelledClip]) -> list[SpelledClip]:
    return [replace(clip, name=f"{title}-{number:04d}") for number, clip in enumerate(clips)]


def _films(count: int, person: str | None, engine: str) -> Iterator[SpelledClip]:
    bank, random = _bank_of(person), np.random.default_rng(SEED)
    for number, text in enumerate(phrases_of("abcdefghijklmnopqrstuvwxyz0123456789 ", count)):
        options = SpellOptions(random.uniform(*SPEEDS), shapes_of=person, build_of=person, seed=number)
        skin, background = int(random.integers(len(SKIN_TONES))) + 1, BACKGROUNDS[random.integers(len(BACKGROUNDS))]
        plan, look = plan_spelling(text, options, bank=bank), Look(skin=skin, background=background, seed=number)
        letters_s = np.full((len(text), 2), np.nan, np.float32)
        letters_s[np.array(list(text)) != " "] = [(letter.start_s, letter.end_s) for letter in plan.letters[0]]
        # cached: the page of a report asks for it again
        make = cache(partial(_filmed, plan, look, engine))
        yield SpelledClip(f"{AVATAR}-{number:04d}", text, letters_s, make, AVATAR_FPS)


def _bank_of(person: str | None) -> HandshapeBank:
    """Return the bank; a test person without digits gets those of the test people's group of digits."""
    from signary.datasets.synthetic.shapes import TEST_PEOPLE

    bank = load_handshapes()
    if person not in TEST_PEOPLE:
        return bank
    row, digits, mean, modes = bank.person(person), bank.person(TEST_PEOPLE[-1]), bank.mean.copy(), bank.modes.copy()
    lacks = np.isnan(mean[row]).any(-1)
    mean[row, lacks], modes[row, lacks] = mean[digits, lacks], modes[digits, lacks]
    return replace(bank, mean=mean, modes=modes)


def _filmed(plan: SpellingPlan, look: Look, engine: str) -> LandmarkSequence:
    """Film the avatar and detect its landmarks."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spelled.mp4"
        write_video(path, (frame.image for frame in spelled_frames(plan, fps=AVATAR_FPS, look=look)), AVATAR_FPS)
        with open_source(path) as frames, open_detector(engine) as detector:
            return extract(frames, detector)
