"""``signary landmarks``."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from signary.address import is_address
from signary.cli.app import OK, SOME_FAILED, STDIN, WrongUse, checked_flags, given, show_failure
from signary.cli.job import FILM, PICTURE, Job, run_jobs
from signary.cli.progress import progress
from signary.errors import SignaryError
from signary.jobs.run import Engine
from signary.text.output_names import check_apart, output_paths
from signary.text.recognition import Failure
from signary.video.files import expand_sources
from signary.video.kinds import LANDMARK_ENDINGS
from signary.video.source import is_camera, source_name


def landmarks(
    sources: Annotated[list[str], Parameter(required=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    workers: int | None = None,
    engine: Engine = "local",
    detector: Literal["hands", "holistic"] = "holistic",
    format: Literal["parquet", "npz"] = "parquet",
    mirrored: bool = False,
    max_hands: int = 2,
    draw: bool = False,
    force: bool = False,
    whole_names: bool = False,
) -> int:
    """Find the landmarks of hands, body and face, and save them as files.

    Parameters
    ----------
    sources
        Files, folders, globs, addresses (http, https, rtsp), a camera's number (until Ctrl+C), or - for stdin.
    output
        Folder for one file per source, with the source's name without its ending: clip.parquet for clip.mp4. If two
        sources would get one name, they keep their endings: clip.mp4.parquet. Existing files are kept and counted as
        done.
    workers
        Processes, or tasks of Ray; all cores by default, 1 for few files.
    engine
        Run on this machine, or through Ray Data on this machine or a cluster.
    detector
        Hands only, or hands, body and face.
    format
        Kaggle's long Parquet layout, or npz.
    mirrored
        The pictures are mirror images.
    max_hands
        1 or 2: number of hands to detect, those nearest the center.
    draw
        Also write the pictures with the skeleton drawn on them, if missing: clip.drawn.mp4 or .png.
    force
        Overwrite existing files.
    whole_names
        Keep the ending of every source in the name of its file.
    """
    from signary.landmarks.detector import check_max_hands
    from signary.recognition.many import check_workers, default_workers

    with checked_flags():
        check_max_hands(max_hands)
        check_workers(workers)
    sources = given(sources)
    names = expand_sources(sources)
    if draw and any(is_camera(name) or is_address(name) for name in names):
        raise WrongUse("--draw: pictures of a camera or address are not kept", hint="keep a file of them and name that")
    root = sources[0] if len(sources) == 1 else None
    targets_of = partial(output_paths, output, format=f".{format}", root=root, whole_names=whole_names)
    names = _without_outputs(names, targets_of)
    with _stdin_copied(names) as copy:
        how = (detector, mirrored, max_hands, draw, force)
        jobs = [
            Job(source_name(name), copy if name == STDIN else name, str(target), *how)
            for name, target in zip(names, targets_of(names), strict=True)
        ]
        known = _apart(jobs)
        undone = [job for job in known if not (job.is_written and job.is_drawn)]
        workers = default_workers(job.path for job in undone) if workers is None else workers
        status = _done(undone, len(known), output, workers, engine)
    return status if len(known) == len(jobs) else SOME_FAILED


def _without_outputs(names: Sequence[str], targets_of: Callable[[Sequence[str]], list[Path]]) -> list[str]:
    """Leave out files that an earlier run wrote next to the sources."""
    media = [name for name in names if Path(name).suffix.lower() not in LANDMARK_ENDINGS]
    made = set()
    for name, target in zip(media, targets_of(media), strict=True):
        job = Job(name, name, str(target))
        made |= {path.resolve() for path in (target, job.drawing(PICTURE), job.drawing(FILM))}
    return [name for name in names if Path(name).resolve() not in made]


def _apart(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs whose output would not overwrite their source; report the others."""
    known = []
    for job in jobs:
        try:
            check_apart(Path(job.target), job.source)
            known.append(job)
        except SignaryError as error:
            show_failure(Failure.of(job.source, error))
    return known


def _done(jobs: list[Job], known: int, output: Path, workers: int, engine: Engine) -> int:
    """Do jobs, report the results, and return the exit status."""
    results = run_jobs(jobs, workers, engine)
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
    """Yield the path of a file with the content of stdin, so that it can be read twice and by other processes."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stdin"
        if STDIN in names:
            with path.open("wb") as file:
                shutil.copyfileobj(sys.stdin.buffer, file)
        yield str(path)
