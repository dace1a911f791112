"""The answers of a model for each file or clip, found in this process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from signary.datasets.synthetic.sets import AVATAR, SpelledClip, find_spelling_set, is_spelling_set
from signary.errors import SignaryError
from signary.evaluation.labeled import Labeled, Source
from signary.jobs.run import Here, Lost, run
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.many import Opening, can_cross, default_workers
from signary.text.recognition import Recognition

SPELLING = "spelling"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The answer for one file or clip.

    Parameters
    ----------
    ranking : list of (str, float)
        Texts and their confidence, likeliest first; empty if no hand was found.
    seconds : float
        Time that recognition took, without loading a clip from a store or making one of a set.
    found : Recognition, optional
        For spelling.
    sequence : LandmarkSequence, optional
        The input, if it was not a file.
    """

    ranking: list[tuple[str, float]]
    seconds: float
    found: Recognition | None = None
    sequence: LandmarkSequence | None = None


def answers(
    reader: Any, labeled: Sequence[Labeled], data: Path, *, limit: int | None, workers: int
) -> Iterator[Answer | str]:
    """Ask a recognizer about files and clips.

    Parameters
    ----------
    reader : Recognizer
    labeled : sequence of Labeled
    data : Path
        Where they come from.
    limit : int, optional
        The limit with which a set was found.
    workers : int
        Processes that read files and film the avatar. Everything else is quick and is read in this process.

    Returns
    -------
    iterator of Answer or str
        In the order of ``labeled``; a str says why there is no answer.
    """
    if workers == 1:
        yield from (answer(reader, one) for one in labeled)
        return
    jobs = (_asked(one) if _is_shared(one) else Here(partial(answer, reader, one)) for one in labeled)
    start = partial(_answering, Opening.of(reader), data, limit)
    for result in run(start, jobs, workers):
        yield result.message if isinstance(result, Lost) else result


def answer(reader: Any, one: Labeled) -> Answer | str:
    """Return a recognizer's answer for a file or clip, or the reason why there is none."""
    try:
        source = one.read()
        started_s = time.perf_counter()
        found = reader.recognize(source) if reader.bundle.task == SPELLING else None
        ranking = [(found.text, found.confidence)] if found else reader.rank(source)
    except SignaryError as error:
        return error.message
    sequence = source if isinstance(source, LandmarkSequence) else None
    return Answer(ranking, time.perf_counter() - started_s, found, sequence)


def useful_workers(labeled: Iterable[Labeled], workers: int | None) -> int:
    """Return how many processes have work to do: at most ``workers``, by default as many as `default_workers` says."""
    names = [
        one.source.name if isinstance(one.source, SpelledClip) else one.source for one in filter(_is_shared, labeled)
    ]
    return max(1, min(len(names), default_workers(names) if workers is None else workers))


def is_film(source: Source) -> bool:
    """Return whether a source is a film of the avatar, which is slow to make and to read."""
    return isinstance(source, SpelledClip) and source.name.startswith(AVATAR)


def _is_shared(one: Labeled) -> bool:
    return is_film(one.source) or (isinstance(one.source, Path) and can_cross(one.source))


def _asked(one: Labeled) -> Labeled | str:
    return one.source.name if isinstance(one.source, SpelledClip) else one


def _answering(opening: Opening, data: Path, limit: int | None) -> Callable[[Labeled | str], Answer | str]:
    reader = opening.reader()
    clips = find_spelling_set(data, limit, engine=reader.engine).clips if is_spelling_set(data) else ()
    films = {clip.name: Labeled(clip, clip.text) for clip in clips}  # made from the same seeds in every process
    return partial(_answer_asked, reader, films)


def _answer_asked(reader: Any, films: Mapping[str, Labeled], asked: Labeled | str) -> Answer | str:
    return answer(reader, films[asked] if isinstance(asked, str) else asked)
