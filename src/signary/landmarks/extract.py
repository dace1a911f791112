"""Frames to landmarks: one source read by one detector."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from signary.errors import InputError
from signary.landmarks.detect import Detector, HandsDetector
from signary.landmarks.repair import repair
from signary.landmarks.sequence import LandmarkSequence, shown_until
from signary.video.source import FrameSource


def extract(
    source: FrameSource, detector: Detector, on_progress: Callable[[int, int | None], None] | None = None
) -> LandmarkSequence:
    """Find the landmarks of every frame; memory stays flat.

    Parameters
    ----------
    source : FrameSource
    detector : Detector
    on_progress : callable(frames done, frames in all or None), optional

    Returns
    -------
    LandmarkSequence
        ``HOLISTIC_543``, short gaps and exchanged sides of a clip repaired.

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


def look_closely(source: FrameSource, detector: HandsDetector) -> LandmarkSequence:
    """Look at one photo in several ways.

    Parameters
    ----------
    source : FrameSource
        A still.
    detector : HandsDetector
        Opened for stills.

    Returns
    -------
    LandmarkSequence
        One frame for each look (`signary.landmarks.detect.HandsDetector.looks`), all at the same time.

    Raises
    ------
    InputError
        If the source has no frame.
    """
    for frame in source:
        points = detector.looks(frame)
        return LandmarkSequence(points, np.full(len(points), frame.time_s), aspect=frame.aspect)
    raise InputError(f"{source.name}: no frames", hint="give a photo that a viewer can show")
