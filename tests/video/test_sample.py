"""Clips of any length and shape become a fixed number of upright squares."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from signary.errors import ConfigError, InputError
from signary.video.memory import Pictures
from signary.video.sample import KEPT, sample_clip, sample_places

RED, BLUE = (200, 30, 30), (30, 30, 200)


def counting(frames: int, side: int = 8) -> np.ndarray:
    """Return a clip whose pictures tell their numbers: high byte in red, low byte in green."""
    clip = np.zeros((frames, side, side, 3), np.uint8)
    clip[..., 0], clip[..., 1] = (part[:, None, None] for part in np.divmod(np.arange(frames), 256))
    return clip


def numbers(pictures: np.ndarray) -> list[Any]:
    return (pictures[..., 0, 0, 0].astype(int) * 256 + pictures[..., 0, 0, 1]).tolist()


def write(path: Path, frames: int, *, size: tuple[int, int] = (64, 48), fps: int = 30, turn: int = 0) -> Path:
    """Write a clip that is red in its upper half and blue in its lower one, as stored."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        if turn:
            stream.set_display_rotation(turn)
        picture = np.zeros((size[1], size[0], 3), np.uint8)
        picture[: size[1] // 2], picture[size[1] // 2 :] = RED, BLUE
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("count", [20, 21, 39, 100, 3571])
def test_one_frame_of_the_middle_of_each_segment(count: int) -> None:
    places = sample_places(count)
    assert len(places) == 20 and places[0] >= 0 and places[-1] < count
    assert (np.abs(places - ((np.arange(20) + 0.5) * count / 20 - 0.5)) <= 0.5).all()


def test_short_clips_repeat() -> None:
    assert sample_places(1).tolist() == [0] * 20
    assert sample_places(3, 6).tolist() == [0, 0, 1, 1, 2, 2]
    assert numbers(sample_clip(counting(1), 4, side=8)) == [0] * 4


def test_chance_stays_within_its_segment_and_varies() -> None:
    drawn = np.stack([sample_places(200, 20, chance=np.random.default_rng(seed)) for seed in range(50)])
    assert (drawn // 10 == np.arange(20)).all()
    assert set(drawn[:, 3].tolist()) == set(range(30, 40))


def test_frames_are_those_of_their_places() -> None:
    assert numbers(sample_clip(counting(90), side=8)) == sample_places(90).tolist()
    both = sample_clip(counting(90), side=8, draws=2, chance=np.random.default_rng(3))
    chance = np.random.default_rng(3)
    assert numbers(both)[0] == sample_places(90).tolist()
    assert numbers(both)[1:] == [sample_places(90, chance=chance).tolist() for _ in range(2)]


def test_long_clips_keep_their_places_closely() -> None:
    count = 2 * KEPT * 4 * 5 + 7  # longer than is held for four frames
    taken = np.array(numbers(sample_clip(counting(count, 1), 4, side=1)))
    assert np.abs(taken - sample_places(count, 4)).max() <= count / 4 / 16


def test_the_header_is_not_believed() -> None:
    class Boasting(Pictures):
        """Says that it has a thousand frames."""

        def __init__(self) -> None:
            super().__init__("boast", list(counting(40)), 30.0)
            self.frame_count = 1000

    assert numbers(sample_clip(Boasting(), 4, side=8)) == [5, 15, 25, 35]


def test_no_frames() -> None:
    with pytest.raises(InputError, match="no frames"):
        sample_clip(Pictures("nothing", [], 30.0))
    with pytest.raises(InputError, match="0"):
        sample_places(0)


@pytest.mark.parametrize(("size", "bars"), [((96, 48), "rows"), ((48, 96), "columns")])
def test_aspect_is_kept(tmp_path: Path, size: tuple[int, int], bars: str) -> None:
    path = write(tmp_path / "clip.mp4", 5, size=size, fps=120)
    whole = sample_clip(path, 3, side=40)[1].astype(int)
    beside = whole[:9] if bars == "rows" else whole[:, :9]
    assert beside.max() < 20
    middle = whole[:, 20] if bars == "columns" else whole[10:30, 20]
    assert middle[len(middle) // 4, 0] > 150 and middle[-len(middle) // 4, 2] > 150
    cropped = sample_clip(path, 3, side=40, fit="crop")[1].astype(int)
    assert cropped[2, 2, 0] > 150 and cropped[-3, -3, 2] > 150


def test_turned_clips_are_upright(tmp_path: Path) -> None:
    picture = sample_clip(write(tmp_path / "turned.mp4", 4, size=(64, 64), turn=180), 2, side=16)[0].astype(int)
    assert picture[3, 8, 2] > 150 and picture[12, 8, 0] > 150


def test_default_size_and_color() -> None:
    clip = np.full((3, 20, 30, 3), (10, 120, 250), np.uint8)
    pictures = sample_clip(clip)
    assert pictures.shape == (20, 299, 299, 3) and pictures.dtype == np.uint8
    assert pictures[0, 150, 150].tolist() == [10, 120, 250]


def test_strange_options() -> None:
    with pytest.raises(ConfigError, match="stretch"):
        sample_clip(counting(2), fit="stretch")  # type: ignore[arg-type]
