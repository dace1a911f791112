"""Landmarks and drawing of one source, as a job that any process or machine can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.cli.live import until_interrupt
from signary.errors import SignaryError
from signary.jobs.run import Engine, Here, Lost, run
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.many import can_cross
from signary.text.recognition import Failure
from signary.video.frame import DEFAULT_FPS

PICTURE, FILM = ".png", ".mp4"


@dataclass(frozen=True, slots=True)
class Job:
    """The job for one source.

    Parameters
    ----------
    source, path : str
        Its name for the user, and its path.
    target : str
        Landmark file; the drawing is next to it. Existing files are kept, unless ``force``.
    detector : {"hands", "holistic"}
    mirrored, draw, force : bool
    max_hands : int
    """

    source: str
    path: str
    target: str
    detector: str = "holistic"
    mirrored: bool = False
    max_hands: int = 2
    draw: bool = False
    force: bool = False

    @property
    def is_written(self) -> bool:
        """Whether the landmarks are written already."""
        return Path(self.target).exists() and not self.force

    @property
    def is_drawn(self) -> bool:
        """Whether the drawing is written already, or not wanted."""
        return not self.draw or (not self.force and any(self.drawing(end).exists() for end in (PICTURE, FILM)))

    def drawing(self, ending: str) -> Path:
        """Return the path of the drawing, which differs from the source's even in the same folder."""
        return Path(self.target).with_suffix(f".drawn{ending}")


def run_jobs(jobs: Sequence[Job], workers: int, engine: Engine) -> Iterator[Failure | None]:
    """Do jobs, and yield for each, in order, its failure or None.

    Parameters
    ----------
    jobs : sequence of Job
        Sources that only this process can read, such as cameras, are read here, except with Ray.
    workers : int
    engine : {"local", "ray"}
        See `signary.jobs.run.run`.

    Raises
    ------
    ExtraMissing
        If Ray is asked for and not installed.
    """
    asked = (job if engine == "ray" or can_cross(job.path) else Here(partial(do, job)) for job in jobs)
    results = run(_start, asked, max(1, min(workers, len(jobs))), engine)
    return map(_told, jobs, results)


def _told(job: Job, result: Failure | Lost | None) -> Failure | None:
    return Failure(job.source, result.type, result.message, result.hint) if isinstance(result, Lost) else result


def _start() -> Callable[[Job], Failure | None]:
    return do


def do(job: Job) -> Failure | None:
    """Write one source's landmarks and drawing, unless they exist; return the failure, or None."""
    from signary.landmarks.files import read_landmarks
    from signary.landmarks.write import write_landmarks
    from signary.output import make_folder

    try:
        target = Path(job.target)
        make_folder(target.parent)
        if job.is_written:
            sequence = read_landmarks(target)
        else:
            sequence = _found(job)
            write_landmarks(target, sequence, force=job.force)
        if not job.is_drawn:
            _draw(job, sequence.points)
    except SignaryError as error:
        return Failure.of(job.source, error)
    return None


def _found(job: Job) -> LandmarkSequence:
    from signary.landmarks.detect import open_detector
    from signary.landmarks.extract import extract
    from signary.video.camera import Camera
    from signary.video.source import open_source

    with open_source(job.path) as source:
        still, hands = source.is_still, job.max_hands
        with (
            open_detector(job.detector, still=still, max_hands=hands, mirrored=job.mirrored) as detector,
            until_interrupt(source) if isinstance(source, Camera) else nullcontext(),
        ):
            return extract(source, detector)


def _draw(job: Job, points: NDArray[np.float32]) -> None:
    from PIL import Image

    from signary.landmarks.draw import draw_landmarks
    from signary.output import whole_file
    from signary.video.source import open_source
    from signary.video.write import write_video

    with open_source(job.path) as source:
        images = (frame.image[:, ::-1] if job.mirrored else frame.image for frame in source)
        drawn = map(draw_landmarks, images, points)
        if source.is_still:
            with whole_file(job.drawing(PICTURE), force=job.force) as draft:
                Image.fromarray(next(drawn)).save(draft)
        else:
            write_video(job.drawing(FILM), drawn, source.fps or DEFAULT_FPS, force=job.force)
