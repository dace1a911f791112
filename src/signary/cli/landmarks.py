"""``signary landmarks``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from cyclopts import Parameter
from numpy.typing import NDArray

from signary.cli.app import OK, SOME_FAILED, checked_flags, given
from signary.cli.progress import progress
from signary.errors import SignaryError
from signary.text.write import output_path
from signary.video.source import expand_sources

PICTURE, FILM = ".png", ".mp4"


@dataclass(frozen=True, slots=True)
class _Job:
    source: str
    target: Path
    detector: str
    mirrored: bool
    max_hands: int
    draw: bool
    force: bool


def landmarks(
    sources: Annotated[list[str], Parameter(required=True)],
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    workers: int = 1,
    engine: Literal["local"] = "local",
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
        Files, folders, globs, a camera's number, or - for stdin.
    output
        Folder for one file a source; files that exist are kept and counted as done.
    workers
        Processes.
    engine
        Where they run.
    detector
        Hands alone, or hands, body and face.
    format
        Kaggle's long Parquet layout, or npz.
    mirrored
        The pictures are mirror images.
    max_hands
        1 or 2: hands nearest the middle that are looked at.
    draw
        Also write the pictures with the skeleton drawn over them.
    force
        Write over files that exist.
    """
    from signary.landmarks.detect import check_max_hands

    with checked_flags():
        check_max_hands(max_hands)
    sources = given(sources)
    names = expand_sources(sources)
    root = sources[0] if len(sources) == 1 else None
    targets = [output_path(output, name, "text", root).with_suffix(f".{format}") for name in names]
    jobs = [
        _Job(name, target, detector, mirrored, max_hands, draw, force)
        for name, target in zip(names, targets, strict=True)
        if force or not target.exists() or (draw and not _drawing(target))
    ]
    if kept := len(names) - len(jobs):
        sys.stderr.write(f"{kept} done before and kept\n")
    failed = 0
    for error in progress(_done(jobs, workers), "landmarks", len(jobs)):
        if error:
            failed += 1
            sys.stderr.write(f"error: {error}\n")
    sys.stdout.write(f"{len(jobs) - failed} written to {output}\n")
    return SOME_FAILED if failed else OK


def _drawing(target: Path) -> bool:
    return any(target.with_suffix(ending).exists() for ending in (PICTURE, FILM))


def _done(jobs: list[_Job], workers: int) -> Iterator[str]:
    if workers <= 1 or len(jobs) <= 1:
        yield from map(_do, jobs)
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_do, jobs)


def _do(job: _Job) -> str:
    """Write one source's landmarks; return what went wrong, or nothing."""
    from signary.landmarks.detect import open_detector
    from signary.landmarks.extract import extract
    from signary.landmarks.write import write_landmarks
    from signary.video.source import open_source

    try:
        job.target.parent.mkdir(parents=True, exist_ok=True)
        with open_source(job.source) as source:
            still = source.is_still
            with open_detector(job.detector, still=still, max_hands=job.max_hands, mirrored=job.mirrored) as detector:
                sequence = extract(source, detector)
        if job.draw:
            drawn = job.target.with_suffix(PICTURE if still else FILM)
            _draw(job, sequence.points, drawn, fps=sequence.fps)
        if job.force or not job.target.exists():
            write_landmarks(job.target, sequence, force=job.force)
    except SignaryError as error:
        return f"{job.source}: {error}"
    return ""


def _draw(job: _Job, points: NDArray[np.float32], path: Path, *, fps: float) -> None:
    from signary.landmarks.draw import draw_landmarks
    from signary.output import whole_file
    from signary.video.source import open_source
    from signary.video.write import write_video

    with open_source(job.source) as source:
        images = (frame.image[:, ::-1] if job.mirrored else frame.image for frame in source)
        drawn = (draw_landmarks(image, row) for image, row in zip(images, points, strict=False))
        if not source.is_still:
            write_video(path, drawn, fps or 30.0, force=job.force)
            return
        from PIL import Image

        with whole_file(path, force=job.force) as draft:
            Image.fromarray(next(drawn)).save(draft)
