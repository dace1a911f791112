"""Results written out, for stdout and for files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from signary.errors import InputError
from signary.text.formats import FORMATS, format_of, format_readings, save_readings
from signary.text.output_names import output_paths
from signary.text.recognition import Event, Failure, Recognition

__all__ = ["FORMATS", "Result", "format_results", "output_paths", "to_dict", "write_result", "write_results"]

Result = Recognition | Failure | Event


def to_dict(result: Result) -> dict[str, Any]:
    """Return a result as ``--format json`` has it: `Recognition.to_dict` and its like."""
    return result.to_dict()


def format_results(results: Sequence[Result], format: str) -> str:
    """Write results out in one of `FORMATS`, for stdout.

    ========  =======================================================================================================
    text      the text alone; of several sources ``source: text``, one line each
    json      an object; of several sources an array
    jsonl     one object a line
    csv       a header and one row a token; a source without tokens has one row, a failed one its ``error``
    srt, vtt  one cue a token; a photo's lasts a second. Of several sources each keeps its own times, from 0: srt
              numbers its cues on and puts ``source: `` before each text, vtt names the source in a NOTE
    eaf       an ELAN 3.0 document with one tier; of several sources one tier and one media file each
    ========  =======================================================================================================

    Failures have no place in text, srt, vtt and eaf: name them on stderr.

    Events are of one stream, which has no name: text has a line for each final one, the final ones that follow each
    other are one track of srt, vtt and eaf, and partial ones are in json and jsonl alone.

    Parameters
    ----------
    results : sequence of Recognition, Failure or Event
    format : str

    Returns
    -------
    str
        Ends in a newline, unless there is nothing to say. Characters that UTF-8 has no bytes for (in names of files
        that are not UTF-8) are written ``\\udcXX``, which JSON reads back.

    Raises
    ------
    InputError
        If there is no such format; the known ones are listed.
    """
    return format_readings([_plain(result) for result in results], format)


def write_result(result: Result, path: Path, format: str, *, force: bool = False) -> Path:
    """Write one result into a file, whole or not at all; folders above it are made.

    Parameters
    ----------
    result : Recognition, Failure or Event
    path : Path
        Best from `output_paths`.
    format : str
        One of `FORMATS`.
    force : bool
        Write over an existing file.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If there is no such format, the file exists and ``force`` is false, or it cannot be written.
    """
    return save_readings([_plain(result)], path, format, force=force)


def write_results(
    results: Result | Iterable[Result], path: str | Path, *, format: str | None = None, force: bool = False
) -> Path:
    """Write results into one file, whole or not at all; folders above it are made.

    Parameters
    ----------
    results : Recognition, Failure or Event, or an iterable of them
        A generator is read to its end before the file is written, and not begun where the file cannot be. What becomes
        of failures and events is told at `format_results`.
    path : str or Path
    format : str, optional
        One of `FORMATS`; by default the one that the ending names.
    force : bool
        Write over an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        If there is no such format or ending (the known ones are listed), one of the results is something else, the
        file exists and ``force`` is false, or it cannot be written.

    Examples
    --------
    >>> reader = signary.load("letters")  # doctest: +SKIP
    >>> write_results(reader.recognize_many(["a.mp4", "b.mp4"]), "read.csv")  # doctest: +SKIP
    >>> write_results(reader.stream("a.mp4"), "a.srt")  # doctest: +SKIP
    """
    path = Path(path)
    return save_readings(map(_plain, _each(results)), path, format or format_of(path), force=force)


def _each(results: Result | Iterable[Result]) -> Iterator[Result]:
    if isinstance(results, Result):
        yield results
    elif isinstance(results, Iterable) and not isinstance(results, str):
        yield from results
    else:
        raise _no_result(results)


def _plain(result: Result) -> dict[str, Any]:
    """Return a result as the formats take it."""
    if isinstance(result, Failure):
        return result.to_dict()
    if isinstance(result, Recognition | Event):
        return asdict(result)
    raise _no_result(result)


def _no_result(value: object) -> InputError:
    hint = "give what recognize, recognize_many and stream return"
    return InputError(f"{type(value).__name__}: is no Recognition, Failure or Event", hint=hint)
