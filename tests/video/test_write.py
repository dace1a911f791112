"""What is written can be read back, and is there whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from signary.errors import InputError, ShapeError
from signary.video.decode import VideoDecoder
from signary.video.write import ENCODERS, write_video


def fading(count: int = 10, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """Return pictures that are red left and grow brighter, frame by frame, right."""
    images = np.zeros((count, height, width, 3), np.uint8)
    images[:, :, : width // 2, 0] = 250
    images[:, :, width // 2 :] = (np.arange(count) * 20)[:, None, None, None]
    return images


@pytest.mark.parametrize("ending", [".mp4", ".gif", ".MP4"])
def test_what_is_written_reads_back(tmp_path: Path, ending: str) -> None:
    path = write_video(tmp_path / f"clip{ending}", iter(fading()), fps=25)
    with VideoDecoder(path) as video:
        frames = list(video)
    assert video.fps == 25
    assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(10)], abs=0.006)
    written = np.stack([frame.image for frame in frames]).astype(int)
    assert np.abs(written[:, 24, 48] - fading()[:, 24, 48].astype(int)).max() <= 6
    assert np.abs(written[:, 24, 10] - [250, 0, 0]).max() <= 6
    assert video.warnings == []


def test_odd_sides_of_an_mp4_are_made_even_and_those_of_a_gif_kept(tmp_path: Path) -> None:
    images = fading(3, 31, 45)
    for ending, shape in {".mp4": (32, 46, 3), ".gif": (31, 45, 3)}.items():
        with VideoDecoder(write_video(tmp_path / f"odd{ending}", images, fps=30)) as video:
            image = next(iter(video)).image
        assert image.shape == shape
        assert image[-1, 2, 0] > 240


def test_an_mp4_is_yuv420p_with_its_index_in_front(tmp_path: Path) -> None:
    path = write_video(tmp_path / "clip.mp4", fading(), fps=29.97)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert stream.codec_context.name == ("h264" if "libx264" in av.codecs_available else "mpeg4")
        assert float(stream.average_rate or 0) == pytest.approx(29.97, abs=0.01)
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_without_h264_it_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(av, "codecs_available", {"mpeg4"})
    with av.open(str(write_video(tmp_path / "clip.mp4", fading(), fps=25))) as container:
        assert container.streams.video[0].codec_context.name == "mpeg4"


def test_a_gif_plays_for_ever_with_a_palette_a_frame(tmp_path: Path) -> None:
    hues = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    path = write_video(tmp_path / "hues.gif", hues, fps=10)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info["loop"], gif.info["duration"]) == (3, 0, 100)
    with VideoDecoder(path) as video:
        written = np.stack([frame.image for frame in video])
    assert np.abs(written.astype(int) - hues).max() <= 2


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    path.write_text("mine")
    with pytest.raises(InputError, match="exists already"):
        write_video(path, fading(), fps=25)
    assert path.read_text() == "mine"
    write_video(path, fading(), fps=25, force=True)
    assert path.read_bytes().startswith(b"GIF89a")


@pytest.mark.parametrize("ending", list(ENCODERS))
def test_nothing_is_left_where_the_pictures_break_off(tmp_path: Path, ending: str) -> None:
    def images() -> Iterator[NDArray[np.uint8]]:
        yield from fading()
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        write_video(tmp_path / f"clip{ending}", images(), fps=25)
    assert list(tmp_path.iterdir()) == []


def test_wrong_use_is_an_input_error_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no known video format") as caught:
        write_video(tmp_path / "clip.wmv", fading(), fps=25)
    assert caught.value.hint == "known: .mp4, .gif"
    with pytest.raises(InputError, match="no images"):
        write_video(tmp_path / "clip.mp4", [], fps=25)
    with pytest.raises(InputError, match="no such folder"):
        write_video(tmp_path / "absent" / "clip.mp4", fading(), fps=25)
    for fps in (0, -1, float("inf"), float("nan")):
        with pytest.raises(InputError, match="must be above 0"):
            write_video(tmp_path / "clip.mp4", fading(), fps=fps)
    with pytest.raises(ShapeError):
        write_video(tmp_path / "clip.mp4", [np.zeros((4, 4), np.uint8)], fps=25)
    with pytest.raises(ShapeError, match="as the first"):
        write_video(tmp_path / "clip.mp4", [fading(1)[0], fading(1, 32, 32)[0]], fps=25)
    assert list(tmp_path.iterdir()) == []
