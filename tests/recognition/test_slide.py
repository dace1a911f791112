"""Clips cut into windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.recognition.slide import GLIMPSE_S, PAUSE_S, SlideOptions, frames_with_hand, thinned, window_frames

SLIDE = SlideOptions()


def times(seconds: float, fps: float = 10) -> np.ndarray:
    return np.arange(round(seconds * fps)) / fps


def test_a_long_part_is_slid_over_to_its_end() -> None:
    clock = times(2.5)
    windows = window_frames(clock, np.ones(25, bool), SLIDE)
    assert windows.tolist() == [[0, 21], [2, 23], [4, 25]]
    assert window_frames(clock, clock < 2.25, SLIDE).tolist() == [[0, 21], [2, 23]]


def test_a_pause_divides() -> None:
    seen = np.array([0, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 1, *[0] * 8, 1], bool)
    windows = window_frames(np.arange(25) / 10, seen, SLIDE)
    assert windows.tolist() == [[1, 8], [14, 16]]  # 0.5 s are no pause, 0.7 s are; the last is a glimpse
    assert window_frames(np.arange(16) / 10, np.zeros(16, bool), SLIDE).shape == (0, 2)


def test_windows_without_a_hand_are_left_out() -> None:
    seen = np.array([0, 1, 0, 0, 0, 1, 1, 0], bool)
    windows, shown = frames_with_hand(np.array([[0, 3], [2, 5], [3, 8], [0, 0]]), seen)
    assert (windows.tolist(), shown.tolist()) == ([[0, 3], [3, 8]], [[1, 1], [5, 6]])


@given(seen=st.lists(st.booleans(), max_size=120), fps=st.sampled_from([5, 10, 30]))
def test_windows_hold_all_but_glimpses_and_are_no_longer_than_one(seen: list[bool], fps: int) -> None:
    clock, flags = np.arange(len(seen)) / fps, np.array(seen, bool)
    windows = window_frames(clock, flags, SLIDE)
    held = np.zeros(len(seen), bool)
    for first, end in windows.tolist():
        held[first:end] = True
        assert clock[end - 1] - clock[first] <= SLIDE.window_s + 1e-5
        assert (np.diff(clock[first:end][flags[first:end]]) <= PAUSE_S + 1e-5).all()
    lost = clock[flags & ~held]
    for glimpse in np.split(lost, np.flatnonzero(np.diff(lost) > PAUSE_S + 1e-5) + 1):
        assert not len(glimpse) or np.ptp(glimpse) < GLIMPSE_S


@pytest.mark.parametrize(("fps", "step"), [(15, 1), (29.97, 1), (30, 1), (31, 1), (60, 2), (120, 4), (240, 8)])
def test_fast_clips_are_thinned_evenly(fps: float, step: int) -> None:
    clock = 5 + np.arange(240) / fps
    kept = thinned(clock, 30)
    assert kept[0] == 0
    assert set(np.diff(kept[1:])) == {step}
    assert len(kept) == pytest.approx(240 / step, abs=1)
    jittered = clock + np.random.default_rng(0).uniform(0, 0.2 / fps, len(clock))
    assert len(thinned(jittered, 30)) == pytest.approx(len(kept), abs=2)


def test_looks_at_one_moment_and_short_clips_are_kept() -> None:
    for clock in (np.zeros(0), np.zeros(1), np.zeros(5)):
        assert thinned(clock, 30).tolist() == list(range(len(clock)))


@pytest.mark.parametrize("name", ["window_s", "stride_s", "max_fps"])
@pytest.mark.parametrize("value", [0, -1, np.nan, np.inf])
def test_wrong_options(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name}=") as caught:
        SlideOptions(**{name: value})
    assert caught.value.hint
