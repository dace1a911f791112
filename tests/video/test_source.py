"""Every kind of source can be opened; folders and globs expand in natural order."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from refused_files import check_refused

from signary.errors import InputError, ShapeError
from signary.video import camera
from signary.video.files import expand_sources, natural_key
from signary.video.source import FrameSource, open_source
from signary.video.write import write_video


def save_photo(path: Path, value: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 48), (value, value, value)).save(path)
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    return save_photo(tmp_path / "photo.png")


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", np.full((10, 48, 64, 3), 100, np.uint8), fps=25)


def read_all(source: Any, **options: Any) -> tuple[FrameSource, list[Any]]:
    with open_source(source, **options) as opened:
        assert isinstance(opened, FrameSource)
        return opened, list(opened)


class TestOpenSource:
    @pytest.mark.parametrize("kind", [str, Path])
    def test_a_photo_is_a_still(self, photo: Path, kind: type) -> None:
        source, frames = read_all(kind(photo))
        assert (source.name, source.is_still, source.is_live) == (str(photo), True, False)
        assert (source.fps, source.frame_count, source.warnings) == (0.0, 1, [])
        assert [(frame.index, frame.time_s) for frame in frames] == [(0, 0.0)]
        assert (frames[0].image == 100).all()

    def test_a_photo_without_an_ending_is_known_by_its_first_bytes(self, photo: Path, tmp_path: Path) -> None:
        source, frames = read_all(photo.rename(tmp_path / "upload"))
        assert source.is_still
        assert frames[0].image.shape == (48, 64, 3)

    def test_a_video_is_a_clip(self, clip: Path) -> None:
        source, frames = read_all(clip)
        assert (source.name, source.is_still, source.is_live) == (str(clip), False, False)
        assert (source.fps, source.frame_count, len(frames)) == (25.0, 10, 10)

    def test_a_gif_is_a_clip(self, tmp_path: Path) -> None:
        source, frames = read_all(write_video(tmp_path / "clip.gif", np.zeros((3, 8, 8, 3), np.uint8), fps=10))
        assert (source.is_still, len(frames)) == (False, 3)

    def test_arrays(self) -> None:
        still, frames = read_all(np.full((4, 6, 3), 7, np.uint8))
        assert (still.is_still, still.fps, len(frames)) == (True, 0.0, 1)
        clip, frames = read_all(np.arange(3, dtype=np.uint8).repeat(72).reshape(3, 4, 6, 3))
        assert (clip.is_still, clip.fps, clip.frame_count) == (False, 30.0, 3)
        assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 1, 2]
        assert [frame.time_s for frame in read_all(np.zeros((3, 4, 6, 3), np.uint8), fps=10)[1]] == [0, 0.1, 0.2]

    @pytest.mark.parametrize(
        "array",
        [
            np.zeros((2, 5, 6, 2), np.uint8),
            np.zeros((1, 2, 4, 6, 3), np.uint8),
            np.zeros((4, 6, 3)),
            np.zeros((4, 6, 3), np.uint16),
            np.zeros((4, 6, 3), np.int64),
            np.zeros((4, 6), np.bool_),
            np.zeros((4, 6, 3), object),
            np.zeros((0, 4, 6, 3), np.uint8),
        ],
    )
    def test_other_arrays_are_refused(self, array: NDArray[Any]) -> None:
        with pytest.raises(ShapeError, match="must be uint8"):
            open_source(array)

    def test_a_folder_as_a_clip_goes_in_natural_order(self, tmp_path: Path) -> None:
        for number in (10, 9, 1, 100):
            save_photo(tmp_path / "frames" / f"{number}.png", number)
        (tmp_path / "frames" / "notes.txt").write_text("no picture")
        save_photo(tmp_path / "frames" / ".hidden.png")
        for name in (tmp_path / "frames", f"{tmp_path}/frames/*.png"):
            source, frames = read_all(name, as_clip=True, fps=5)
            assert (source.is_still, source.fps, source.frame_count) == (False, 5, 4)
            assert [int(frame.image[0, 0, 0]) for frame in frames] == [1, 9, 10, 100]
            assert [frame.time_s for frame in frames] == pytest.approx([0, 0.2, 0.4, 0.6])

    def test_a_folder_alone_is_refused_with_the_way_out(self, photo: Path) -> None:
        for name in (photo.parent, f"{photo.parent}/*.png"):
            with pytest.raises(InputError, match="not one source") as caught:
                open_source(name)
            assert "--as-clip" in caught.value.hint

    def test_a_folder_without_photos_is_no_clip(self, clip: Path) -> None:
        with pytest.raises(InputError, match="no photos to make a clip of"):
            open_source(clip.parent, as_clip=True)

    def test_what_is_open_is_handed_back(self, photo: Path) -> None:
        source = open_source(photo)
        assert open_source(source) is source

    def test_numbers_are_cameras_unless_a_file_has_that_name(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        pictures = np.full((2, 4, 6, 3), 9, np.uint8)
        monkeypatch.setattr(camera, "OpenCVCapture", lambda number, *size: camera.ArrayCapture(pictures, fps=100))
        for number in (7, "7"):
            source, frames = read_all(number)
            assert (source.name, source.is_live, source.frame_count) == ("camera 7", True, None)
            assert (frames[0].image == 9).all()
        save_photo(tmp_path / "7.png").rename(tmp_path / "7")
        assert read_all("7")[0].is_still

    def test_an_absent_camera(self) -> None:
        with pytest.raises(InputError, match="camera 97"):
            open_source("97")

    @pytest.mark.parametrize(
        "name, data, message",
        [
            ("gone.jpg", None, "no such file"),
            ("gone.mp4", None, "no such file"),
            ("gone-*.mp4", None, "no file matches"),
            ("x" * 300, None, "no such file"),
            ("nul\0.jpg", None, "no such file"),
            ("9" * 30, None, "no such file"),
            ("empty.jpg", b"", "empty file"),
            ("empty.mp4", b"", "empty file"),
            ("text.jpg", b"only text", "not a photo"),
            ("text.mp4", b"only text", "not a video"),
            ("text", b"only text", "not a video"),
            ("phone.heic", b"\0\0\0\x18ftypheic" + bytes(99), "not a photo"),
            ("points.parquet", b"PAR1", "holds landmarks"),
        ],
    )
    def test_bad_files(self, tmp_path: Path, name: str, data: bytes | None, message: str) -> None:
        check_refused(tmp_path / name, data, read_all, message)

    @pytest.mark.parametrize("fps", [0, -5, float("nan")])
    def test_fps_must_be_above_zero(self, photo: Path, fps: float) -> None:
        with pytest.raises(InputError, match="must be above 0"):
            open_source(photo, fps=fps)

    def test_memory_stays_flat_over_a_long_clip(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "long.mp4", np.zeros((80, 240, 320, 3), np.uint8), fps=25)
        tracemalloc.start()
        with open_source(path) as source:
            count = sum(frame.image.any() >= 0 for frame in source)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 80
        assert peak < 5 * 240 * 320 * 3

    @pytest.mark.parametrize("number", [-1, 12345])
    def test_numbers_that_no_camera_has(self, number: int) -> None:
        with pytest.raises(InputError, match="no such file"):
            open_source(number)


class TestStdin:
    """``-`` reads a redirected file, a pipe, a photo or a video."""

    def open_bytes(self, data: bytes, monkeypatch: pytest.MonkeyPatch, *, piped: bool) -> tuple[FrameSource, list[Any]]:
        stream: Any = io.BytesIO(data)
        if piped:
            end, start = os.pipe()
            os.write(start, data)
            os.close(start)
            stream = os.fdopen(end, "rb")
        with stream:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
            return read_all("-")

    @pytest.mark.parametrize("piped", [True, False])
    def test_photo_and_video(self, photo: Path, clip: Path, monkeypatch: pytest.MonkeyPatch, piped: bool) -> None:
        source, frames = self.open_bytes(photo.read_bytes(), monkeypatch, piped=piped)
        assert (source.name, source.is_still) == ("-", True)
        assert (frames[0].image == 100).all()
        source, frames = self.open_bytes(clip.read_bytes(), monkeypatch, piped=piped)
        assert (source.name, source.is_still, len(frames)) == ("-", False, 10)
        assert source.warnings == []

    @pytest.mark.parametrize("piped", [True, False])
    def test_an_mp4_with_its_index_at_either_end(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piped: bool
    ) -> None:
        # noise fills more than FFmpeg's buffer, within which even a pipe can go back
        noise = np.random.default_rng(0).integers(0, 256, (12, 128, 128, 3), dtype=np.uint8)
        for flags in ({}, {"movflags": "faststart"}):
            path = tmp_path / f"{len(flags)}.mp4"
            with av.open(str(path), "w", options=flags) as container:
                stream = container.add_stream("mpeg4", rate=10, options={"qscale": "1", "flags": "qscale"})
                stream.width = stream.height = 128
                packets = [stream.encode(av.VideoFrame.from_ndarray(image)) for image in noise]
                container.mux([packet for some in [*packets, stream.encode()] for packet in some])
            data = path.read_bytes()
            assert (data.index(b"moov") > data.index(b"mdat")) == (not flags)
            assert len(data) > 70_000
            with path.open("rb") as file, subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as cat:
                stdin: Any = cat.stdout if piped else file
                monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stdin))
                source, frames = read_all("-")
            assert len(frames) == 12
            assert source.warnings == []

    @pytest.mark.parametrize("data, message", [(b"", "nothing came in"), (b"only text", "-: not a video")])
    def test_bad_bytes(self, data: bytes, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(InputError, match=message) as caught:
            self.open_bytes(data, monkeypatch, piped=True)
        assert caught.value.hint

    def test_a_named_pipe(self, tmp_path: Path, clip: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        with subprocess.Popen(["cp", str(clip), str(pipe)]):
            source, frames = read_all(pipe)
        assert (source.name, len(frames)) == (str(pipe), 10)

    def test_a_real_pipe(self, clip: Path) -> None:
        program = "from signary.video.source import open_source; print(sum(1 for _ in open_source('-')))"
        with subprocess.Popen(["cat", str(clip)], stdout=subprocess.PIPE) as cat:
            result = subprocess.run([sys.executable, "-c", program], stdin=cat.stdout, capture_output=True, check=True)
        assert result.stdout.strip() == b"10"
        assert result.stderr == b""


class TestExpandSources:
    def test_folders_and_globs_give_their_files_in_natural_order(self, tmp_path: Path) -> None:
        names = ["b/10.JPG", "b/2.jpg", "a/clip.mp4", "a/points.parquet", "a10/x.npz", "a2/x.png"]
        for name in [*names, "a/notes.txt", ".hidden/1.jpg", "b/.3.jpg"]:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).touch()
        ordered = ["a/clip.mp4", "a/points.parquet", "a2/x.png", "a10/x.npz", "b/2.jpg", "b/10.JPG"]
        assert expand_sources([tmp_path]) == [str(tmp_path / name) for name in ordered]
        assert expand_sources([f"{tmp_path}/b/*"]) == [str(tmp_path / "b/2.jpg"), str(tmp_path / "b/10.JPG")]
        assert expand_sources([f"{tmp_path}/a?"]) == [str(tmp_path / "a2/x.png")]
        assert expand_sources([f"{tmp_path}/**/x.*"]) == [str(tmp_path / "a2/x.png"), str(tmp_path / "a10/x.npz")]

    def test_relative_names_stay_relative(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        save_photo(tmp_path / "B" / "1.png")
        assert expand_sources(["B", "B/*.png"]) == ["B/1.png", "B/1.png"]

    def test_files_stdin_cameras_and_missing_files_stay(self, photo: Path) -> None:
        sources = ["-", "0", str(photo), "gone.jpg"]
        assert expand_sources(sources) == sources

    def test_a_file_whose_name_looks_like_a_glob_is_that_file(self, tmp_path: Path) -> None:
        odd = save_photo(tmp_path / "clip[1].png")
        assert expand_sources([odd]) == [str(odd)]
        assert read_all(odd)[0].is_still

    def test_a_folder_named_like_a_camera_is_a_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        save_photo(tmp_path / "0" / "1.png")
        assert expand_sources(["0"]) == ["0/1.png"]

    def test_what_gives_nothing_stays_in_and_fails_when_opened(self, tmp_path: Path) -> None:
        (tmp_path / "notes.txt").touch()
        empty, pattern = str(tmp_path), f"{tmp_path}/*.jpg"
        assert expand_sources([empty, pattern]) == [empty, pattern]
        with pytest.raises(InputError, match="no photo, video or landmark file"):
            open_source(empty)
        with pytest.raises(InputError, match="no file matches") as caught:
            open_source(pattern)
        assert caught.value.hint

    @given(st.lists(st.integers(0, 10**6), max_size=20))
    def test_numbered_names_sort_by_number(self, numbers: list[int]) -> None:
        paths = [Path(f"Photos/B{number}.jpg") for number in numbers]
        assert sorted(paths, key=natural_key) == [Path(f"Photos/B{number}.jpg") for number in sorted(numbers)]

    @given(st.lists(st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1)))
    def test_any_names_can_be_sorted(self, names: list[str]) -> None:
        assert len(sorted(map(Path, names), key=natural_key)) == len(names)


def test_the_door_is_cheap_to_import() -> None:
    heavy = "{'av', 'cv2', 'PIL', 'mediapipe', 'torch'}"
    program = f"import sys, signary.video.source; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", program]).strip() == b"[]"
