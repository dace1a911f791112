"""Cut clips into windows that a network of single signs can read."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from signary.ranges import above_zero

PAUSE_S = 0.5  # hands that are gone for longer divide a clip
GLIMPSE_S = 0.1  # hands that are seen for less between two pauses do not sign
EARLY = 0.4  # of a tick: how early a frame may come
FASTER = 1.05  # times max_fps: a clip that is no faster is not thinned
TINY_S = 1e-6

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SlideOptions:
    """How a window slides over a clip.

    Parameters
    ----------
    window_s : float
        Length of a window; a shorter clip is one window.
    stride_s : float
        Step from one window to the next.
    max_fps : float
        Frames a second that the network reads; faster clips are thinned.

    Raises
    ------
    InputError
        If one of them is not above 0.
    """

    window_s: float = 2.0
    stride_s: float = 0.2
    max_fps: float = 30.0

    def __post_init__(self) -> None:
        for field in fields(self):
            above_zero(f"{field.default} is the default", **{field.name: getattr(self, field.name)})


def thinned(times_s: NDArray[np.float64], max_fps: float) -> Integers:
    """Choose frames so that there are at most ``max_fps`` a second.

    Parameters
    ----------
    times_s : float64 (T,)
        Rising. Frames at one time are looks at one photo and are all kept.
    max_fps : float

    Returns
    -------
    int64 (K,)
        The first frame of each tick of a clock that starts with the clip; all frames if the clip is not faster.
    """
    steps = np.diff(times_s)
    if not steps.any() or np.median(steps) * max_fps * FASTER >= 1:
        return np.arange(len(times_s))
    tick = np.floor((times_s - times_s[0]) * max_fps + EARLY)
    return np.flatnonzero(np.diff(tick, prepend=-1))


def window_frames(times_s: NDArray[np.float64], seen: NDArray[np.bool_], slide: SlideOptions) -> Integers:
    """Cut a clip into windows.

    Hands that are gone for more than `PAUSE_S` divide a clip into parts. A part no longer than a window is one
    window; over a longer one a window slides to its end. Parts shorter than `GLIMPSE_S` are left out.

    Parameters
    ----------
    times_s : float64 (T,)
        Rising.
    seen : bool (T,)
        Frames in which a hand was seen.
    slide : SlideOptions

    Returns
    -------
    int64 (W, 2)
        First frame of each window, and the one after its last.
    """
    shown = np.flatnonzero(seen)
    if not len(shown):
        return np.zeros((0, 2), np.int64)
    breaks = np.flatnonzero(np.diff(times_s[shown]) > PAUSE_S + TINY_S)
    begin_s, end_s = times_s[shown[np.append(0, breaks + 1)]], times_s[shown[np.append(breaks, -1)]]
    lasting = end_s - begin_s >= GLIMPSE_S - TINY_S
    begin_s, end_s = begin_s[lasting], end_s[lasting]
    free_s = np.maximum(end_s - begin_s - slide.window_s, 0)
    counts = np.ceil(free_s / slide.stride_s - TINY_S).astype(np.int64) + 1
    part = np.repeat(np.arange(len(counts)), counts)
    step = np.arange(len(part)) - (np.cumsum(counts) - counts)[part]
    start_s = begin_s[part] + np.minimum(step * slide.stride_s, free_s[part])
    stop_s = np.minimum(start_s + slide.window_s, end_s[part])
    first, end = np.searchsorted(times_s, start_s - TINY_S), np.searchsorted(times_s, stop_s + TINY_S, side="right")
    return np.stack([first, end], 1)


def frames_with_hand(windows: Integers, seen: NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Leave out the windows without a hand.

    Parameters
    ----------
    windows : int64 (W, 2)
        As from `window_frames`.
    seen : bool (T,)

    Returns
    -------
    windows, shown : int64 (K, 2)
        Those in which a hand was seen, and its first and last frame in each.
    """
    shown = np.flatnonzero(seen)
    first, end = np.searchsorted(shown, windows).T
    there = first < end
    return windows[there], shown[np.stack([first[there], end[there] - 1], 1)].reshape(-1, 2)
