"""``signary landmarks``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from signary.cli.app import OK, SOME_FAILED, STDIN, WrongUse, checked_flags, given, show_failure
from signary.cli.job import Job, run_locally, run_on_ray
from signary.cli.progress import progress
from signary.text.write import output_path
from signary.video.source import expand_sources, is_camera


def landmarks(
    sources: Annotated[list[str], Parameter(required=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    workers: int = 1,
    engine: Literal["local", "ray"] = "local",
    detector: Literal["hands", "holistic"] = "holistic",
    format: Literal["parquet", "npz"] = "parquet",
    mirrored: bool = False,
    max_hands: int = 2,
    draw: bool = False,
    force: bool = False,
) -> int:
    """Find the landmarks of hands, body and face, and keep them as files.

    Parameters
    ----------
    sources
        Files, folders, globs, a camera's number (until Ctrl+C), or - for stdin.
    output
        Folder for one file a source; files that exist are kept and counted as done.
    workers
        Processes, or tasks of Ray.
    engine
        Where they run: on this machine, or through Ray Data on this machine or a cluster.
    detector
        Hands alone, or hands, body and face.
    format
        Kaggle's long Parquet layout, or npz.
    mirrored
        The pictures are mirror images.
    max_hands
        1 or 2: hands nearest the middle that are looked at.
    draw
        Also write the pictures with the skeleton drawn over them, where they are lacking.
    force
        Write over files that exist.
    """
    from signary.landmarks.detect import check_max_hands

    with checked_flags():
        check_max_hands(max_hands)
    if workers < 1:
        raise WrongUse(f"workers={workers}, must be 1 or more", hint="a process each; 1 is the default")
    sources = given(sources)
    names = expand_sources(sources)
    if draw and any(map(is_camera, names)):
        raise WrongUse("--draw: a camera's pictures are not kept", hint="film a file and name that")
    root = sources[0] if len(sources) == 1 else None
    with _stdin_copied(names) as copy:
        targets = [str(output_path(output, name, "text", root).with_suffix(f".{format}")) for name in names]
        jobs = [
            Job(name, copy if name == STDIN else name, target, detector, mirrored, max_hands, draw, force)
            for name, target in zip(names, targets, strict=True)
        ]
        return _done([job for job in jobs if not (job.is_written and job.is_drawn)], len(jobs), output, workers, engine)


def _done(jobs: list[Job], known: int, output: Path, workers: int, engine: str) -> int:
    """Do jobs, say how that went, and return the exit status."""
    results = {"local": run_locally, "ray": run_on_ray}[engine](jobs, workers)
    if kept := known - len(jobs):
        sys.stderr.write(f"{kept} done before and kept\n")
    failed = 0
    for failure in progress(results, "landmarks", len(jobs)):
        if failure:
            failed += 1
            show_failure(failure)
    sys.stdout.write(f"{len(jobs) - failed} written to {output}\n")
    return SOME_FAILED if failed else OK


@contextmanager
def _stdin_copied(names: Sequence[str]) -> Iterator[str]:
    """Yield the path of a file with what came through stdin, for other processes and a second reading."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stdin"
        if STDIN in names:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(path)
