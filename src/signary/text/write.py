"""Writing of results, to stdout and to files."""

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
    """Return a result as in ``--format json``: its own ``to_dict``."""
    return result.to_dict()


def format_results(results: Sequence[Result], format: str) -> str:
    """Return results in one of `FORMATS`, for stdout.

    ========  =======================================================================================================
    text      the text alone; of several sources ``source: text``, one line each
    json      an object; of several sources an array
    jsonl     one object a line
    csv       a header and one row a token; a source without tokens has one row, a failed one its ``error``
    srt, vtt  one cue a token; a photo's lasts a second. Of several sources each keeps its own times, from 0: srt
              numbers its cues on and puts ``source: `` before each text, vtt names the source in a NOTE
    eaf       an ELAN 3.0 document with one tier; of several sources one tier and one media file each
    ========  =======================================================================================================

    Failures are not in text, srt, vtt and eaf: report them on stderr.

    Events belong to one stream without a name: text has a line for each final one, consecutive final ones are one track
    in srt, vtt and eaf, and partial ones are only in json and jsonl.

    Parameters
    ----------
    results : sequence of Recognition, Failure or Event
    format : str

    Returns
    -------
    str
        Ends in a newline, unless it is empty. Characters that UTF-8 cannot encode (in file names that are not UTF-8)
        are written ``\\udcXX``, which JSON reads back.

    Raises
    ------
    InputError
        If there is no such format; the known ones are listed.
    """
    return format_readings([_plain(result) for result in results], format)


def write_result(result: Result, path: Path, format: str, *, force: bool = False) -> Path:
    """Write one result into a file, as `write_results`; ``path`` is best from `output_paths`."""
    return save_readings([_plain(result)], path, format, force=force)


def write_results(
    results: Result | Iterable[Result], path: str | Path, *, format: str | None = None, force: bool = False
) -> Path:
    """Write results into one file, whole or not at all; parent folders are made.

    Parameters
    ----------
    results : Recognition, Failure or Event, or an iterable of them
        A generator is read to its end before the file is written, and not started if the file cannot be written. For
        failures and events see `format_results`.
    path : str or Path
    format : str, optional
        One of `FORMATS`; by default the file's ending decides.
    force : bool
        Write over an existing file.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InputError
        As of `Recognition.save`, and if there is no such format or one of the results has another type.

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
    """Return a result as a plain dict, for the formats."""
    if isinstance(result, Failure):
        return result.to_dict()
    if isinstance(result, Recognition | Event):
        return asdict(result)
    raise _no_result(result)


def _no_result(value: object) -> InputError:
    hint = "give what recognize, recognize_many and stream return"
    return InputError(f"{type(value).__name__}: is no Recognition, Failure or Event", hint=hint)
