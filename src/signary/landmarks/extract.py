"""Extract the landmarks of one source with one detector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from signary.errors import InputError
from signary.landmarks.detector import Detector
from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence, shown_until
from signary.video.source import FrameSource


def extract(
    source: FrameSource, detector: Detector, on_progress: Callable[[int, int | None], None] | None = None
) -> LandmarkSequence:
    """Find the landmarks of every frame, one frame at a time.

    Parameters
    ----------
    source : FrameSource
    detector : Detector
    on_progress : callable(frames done, total or None), optional

    Returns
    -------
    LandmarkSequence
        Of ``HOLISTIC_543``; clips are repaired (`repair`).

    Raises
    ------
    InputError
        If the source has no frame.
    """
    points, times, shown, aspect = [], [], [], None
    for frame in source:
        points.append(detector.detect(frame))
        times.append(frame.time_s)
        shown.append(frame.shown_s)
        aspect = aspect or frame.aspect
        if on_progress is not None:
            on_progress(len(times), source.frame_count)
    if not points:
        raise InputError(f"{source.name}: no frames", hint="give a photo or video that a player can show")
    sequence = LandmarkSequence(np.stack(points), times, aspect=aspect, ends_s=shown_until(times, shown))
    return sequence if source.is_still else repair(sequence)


def look_closely(source: FrameSource, detector: Detector) -> LandmarkSequence:
    """Find the landmarks in one or more views of a photo.

    Parameters
    ----------
    source : FrameSource
        A still.
    detector : Detector
        Opened with ``still=True``.

    Returns
    -------
    LandmarkSequence
        A frame per view (`signary.landmarks.detector.Detector.looks`), all with the same time.

    Raises
    ------
    InputError
        As `extract`.
    """
    for frame in source:
        points = detector.looks(frame)
        return LandmarkSequence(points, np.full(len(points), frame.time_s), aspect=frame.aspect)
    raise InputError(f"{source.name}: no frames", hint="give a photo that a viewer can show")
