"""Record labeled clips from a camera, or cut them from a video, and check whether they are usable."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from signary.datasets.recordings.folder import Person, Recordings
from signary.errors import InputError
from signary.landmarks.detector import Detector
from signary.landmarks.draw import contact_sheet, draw_landmarks
from signary.landmarks.sequence import Points
from signary.landmarks.skeleton import LEFT_HAND, POSE, RIGHT_HAND
from signary.output import whole_file
from signary.video.frame import Frame, Picture
from signary.video.source import FrameSource, open_source
from signary.video.write import write_video

LONGEST_S = 60.0
LOOKS = 32  # frames of a clip that are checked
DARK = 0.2  # mean brightness, 0 to 1
OFTEN = 0.5
LOOK_S = 0.2  # between two checks for hands during recording
SHOULDERS = slice(POSE.start + 11, POSE.start + 13)


@dataclass(frozen=True, slots=True, eq=False)
class Take:
    """A recorded clip: its path, its faults, and its first, middle and last picture with landmarks."""

    path: Path
    faults: list[str]
    pictures: list[Picture]


class Watch(Protocol):
    """Feedback to the person who records."""

    def rests(self, image: Picture, left_s: float) -> None:
        """Take a picture of the countdown, and the seconds until the next clip."""
        ...

    def films(self, image: Picture, *, hand: bool) -> None:
        """Take a picture of the clip, and whether the last check found a hand."""
        ...

    def keeps(self, take: Take) -> bool:
        """Return whether to keep a clip; else it is removed and recorded again."""
        ...


def film(
    source: FrameSource,
    recordings: Recordings,
    label: str,
    person: Person,
    detector: Detector,
    *,
    seconds: float | None = 2.5,
    count: int = 10,
    rest_s: float = 1.5,
    watch: Watch | None = None,
) -> Iterator[Take]:
    """Record clips one after the other, with a countdown before each if the source is a camera.

    Parameters
    ----------
    source : FrameSource
    recordings : Recordings
    label : str
    person : Person
    detector : Detector
        Checks each clip.
    seconds : float, optional
        Length of each clip; None: a whole file is one clip.
    count : int
        Most clips; a file may end earlier.
    rest_s : float
        Seconds before each clip of a camera.
    watch : Watch, optional
        Gets every picture of a camera.

    Raises
    ------
    InputError
        If the source has no frame, a clip is longer than a minute, or a camera fails.
    """
    frames, size = iter(source), round((seconds or 0) * source.fps)
    watch, number = watch if source.is_live else None, 0
    while number < count:
        if source.is_live:
            _rest(frames, rest_s, watch)
        first = next(frames, None)
        if first is None or (number and not source.is_live and size and _left(source, first) < size / 2):
            break  # what is left of the file is too short for a clip
        images = _clip(first, frames, source, seconds)
        if watch:
            images = _watched(images, source.fps, detector, watch)
        path = recordings.add(label, person, partial(write_video, images=images, fps=source.fps))
        take = look_over(path, detector)
        if watch and not watch.keeps(take):
            recordings.take_back(label, person.name)
            continue
        number += 1
        yield take
    if number < count and (number == 0 or source.is_live):
        raise InputError(f"{source.name}: no more pictures", hint="is the camera free, or the video whole?")


def _watched(images: Iterator[Picture], fps: float, detector: Detector, watch: Watch) -> Iterator[Picture]:
    """Yield pictures and report them; a check of each would cost a slow machine frames."""
    detector.reset()
    every, hand = max(1, round(LOOK_S * fps)), True
    for number, image in enumerate(images):
        if number % every == 0:
            points = detector.detect(Frame(image, number, number / fps))
            hand = bool(np.isfinite(points[[LEFT_HAND.start, RIGHT_HAND.start], 0]).any())
        watch.films(image, hand=hand)
        yield image


def _left(source: FrameSource, first: Frame) -> float:
    return source.frame_count - first.index if source.frame_count else float("inf")


def _rest(frames: Iterator[Frame], seconds: float, watch: Watch | None) -> None:
    start_s = None
    for frame in frames:
        start_s = frame.time_s if start_s is None else start_s
        if (left_s := start_s + seconds - frame.time_s) <= 0:
            return
        if watch:
            watch.rests(frame.image, left_s)


def _clip(first: Frame, frames: Iterator[Frame], source: FrameSource, seconds: float | None) -> Iterator[Picture]:
    """Yield pictures at a constant rate: a late picture is repeated in place of missing ones."""
    ticks, last = 1, None if seconds is None else round(seconds * source.fps)
    yield first.image
    while last is None or ticks < last:
        frame = next(frames, None)
        if frame is None:
            if source.is_live:
                raise InputError(f"{source.name}: no more pictures", hint="the clip that was begun is not kept")
            return
        after_s = frame.time_s - first.time_s
        if after_s > LONGEST_S:
            raise InputError(f"{source.name}: longer than {LONGEST_S:g} s", hint="--seconds 2.5 cuts it into clips")
        due = int(after_s * source.fps + 0.5) + 1
        for _ in range(ticks, due if last is None else min(due, last)):
            yield frame.image
        ticks = max(ticks, due)


def look_over(path: Path, detector: Detector) -> Take:
    """Check a clip: enough light, a hand that stays in the picture, visible shoulders.

    Parameters
    ----------
    path : Path
    detector : Detector
        Shoulders need one that finds bodies.
    """
    detector.reset()
    with open_source(path) as source:
        step = max(1, (source.frame_count or 1) // LOOKS)
        looked = [(frame.image, detector.detect(frame)) for frame in source if frame.index % step == 0]
    points = np.stack([found for _, found in looked])
    light = float(np.mean([image.mean() for image, _ in looked])) / 255
    shown = [draw_landmarks(*looked[place]) for place in (0, len(looked) // 2, len(looked) - 1)]
    return Take(path, faults_of(points, light), shown)


def faults_of(points: Points, light: float) -> list[str]:
    """Return the faults that make a clip hard to read.

    Parameters
    ----------
    points : float32 (T, 543, 3)
    light : float
        Mean brightness, 0 to 1.
    """
    hands = np.stack([points[:, LEFT_HAND, :2], points[:, RIGHT_HAND, :2]])
    seen: NDArray[np.bool_] = np.isfinite(hands).any((2, 3))
    outside = ((hands < 0) | (hands > 1)).any((2, 3))
    faults = []
    if light < DARK:
        faults.append(f"too dark (light {light:.0%}): turn on a lamp in front of you")
    if (lost := 1 - seen.any(0).mean()) > OFTEN:
        faults.append(f"no hand found in {lost:.0%} of the frames")
    elif outside.sum() > OFTEN * seen.sum():
        faults.append("a hand leaves the picture: step back")
    if np.isfinite(points[:, SHOULDERS, 0]).all(1).mean() < OFTEN:
        faults.append("shoulders are not seen: step back")
    return faults


def write_sheet(path: Path, takes: list[Take]) -> Path:
    """Write a contact sheet, one row per clip: first, middle and last picture with the skeleton."""
    from PIL import Image

    with whole_file(path, force=True) as draft:
        Image.fromarray(contact_sheet([image for take in takes for image in take.pictures], columns=3)).save(draft)
    return path
