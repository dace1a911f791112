"""Animated pictures are clips whose frames last as long as their file says; phones' photos are read."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, features
from test_decode import BLUE, GREEN, RED, WHITE, corners, corners_image, write_frames

from signary.errors import InputError
from signary.landmarks.sequence import shown_until
from signary.video.decode import VideoDecoder
from signary.video.frame import Frame
from signary.video.photo import read_photo
from signary.video.source import open_source, opened

pillow_heif = pytest.importorskip("pillow_heif")
needs_avif = pytest.mark.skipif(not features.check("avif"), reason="this Pillow has no AVIF")


def picture(value: int) -> Image.Image:
    return Image.fromarray(np.full((32, 48, 3), value, np.uint8))


def save_animation(path: Path, values: list[int], ms: list[int], **options: Any) -> Path:
    first, *rest = map(picture, values)
    lossless = {"lossless": True} if path.suffix == ".webp" else {}
    first.save(path, save_all=True, append_images=rest, duration=ms, loop=0, **lossless, **options)
    return path


def frames_of(source: Any) -> list[Frame]:
    with opened(source) as frames:
        return list(frames)


ANIMATIONS = ["x.gif", "x.png", "x.apng", "x.webp", pytest.param("x.avif", marks=needs_avif)]


class TestAnimation:
    @pytest.mark.parametrize("name", ANIMATIONS)
    def test_each_frame_has_its_own_duration(self, tmp_path: Path, name: str) -> None:
        path = save_animation(tmp_path / name, [0, 100, 200], [50, 300, 950])
        for given in (path, path.read_bytes(), path.open("rb"), Image.open(path)):
            source = open_source(given)
            frames = list(source)
            assert (source.is_still, source.is_live, source.frame_count) == (False, False, 3)
            assert [frame.time_s for frame in frames] == pytest.approx([0, 0.05, 0.35])
            assert [frame.shown_s for frame in frames] == pytest.approx([0.05, 0.3, 0.95])
            assert [int(frame.image.mean()) for frame in frames] == pytest.approx([0, 100, 200], abs=3)
            assert source.fps == pytest.approx(3 / 1.3)
            assert source.warnings == []
            source.close()

    @pytest.mark.parametrize("name", ANIMATIONS)
    def test_one_picture_is_a_still(self, tmp_path: Path, name: str) -> None:
        picture(90).save(tmp_path / name)
        source = open_source(tmp_path / name)
        assert source.is_still
        assert [int(frame.image.mean()) for frame in source] == pytest.approx([90], abs=2)

    def test_a_delay_too_short_to_be_meant_is_what_browsers_make_of_it(self, tmp_path: Path) -> None:
        path = save_animation(tmp_path / "x.gif", [0, 100], [0, 10])
        assert [frame.shown_s for frame in frames_of(path)] == [0.1, 0.1]

    def test_a_picture_for_programs_without_animations_is_left_out(self, tmp_path: Path) -> None:
        path = save_animation(tmp_path / "x.png", [0, 100, 200], [100, 100], default_image=True)
        assert [int(frame.image.mean()) for frame in frames_of(path)] == [100, 200]

    def test_the_callers_image_stays_where_it_is(self, tmp_path: Path) -> None:
        path = save_animation(tmp_path / "x.gif", [0, 100, 200], [100] * 3)
        with Image.open(path) as image:
            image.seek(1)
            assert len(frames_of(image)) == 3
            assert image.tell() == 1
            assert int(np.asarray(image.convert("L")).mean()) == 100
            assert len(frames_of([image])) == 1

    @pytest.mark.parametrize("name", ["x.gif", "x.png", "x.webp"])
    def test_cut_in_the_middle(self, tmp_path: Path, name: str) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (8, 32, 48, 3), np.uint8)
        first, *rest = map(Image.fromarray, noise)
        first.save(tmp_path / name, save_all=True, append_images=rest, duration=100)
        data = (tmp_path / name).read_bytes()
        source = open_source(data[: len(data) // 2])
        try:
            frames = list(source)
        except InputError as error:
            assert error.hint
        else:
            assert 1 <= len(frames) < 8
            assert len(frames) == source.frame_count or any("damaged" in warning for warning in source.warnings)

    def test_frames_of_a_file_are_closed_with_it(self, tmp_path: Path) -> None:
        path = save_animation(tmp_path / "x.gif", [0, 100], [100, 100])
        with open_source(path) as source:
            next(iter(source))
        path.unlink()


class TestPhones:
    @pytest.mark.parametrize("ending", [".heic", ".heif"])
    def test_heic(self, tmp_path: Path, ending: str) -> None:
        pillow_heif.register_heif_opener()
        path = tmp_path / f"x{ending}"
        Image.fromarray(corners_image()).save(path, "HEIF", quality=95)
        for given in (path, path.read_bytes(), Image.open(path)):
            (frame,) = frames_of(given)
            assert frame.image.shape == (48, 64, 3)
            assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]
        assert open_source(path.rename(tmp_path / "upload")).is_still

    def test_whoever_loads_a_reader_can_open_heic_with_pillow(self, tmp_path: Path) -> None:
        pillow_heif.register_heif_opener()
        Image.fromarray(corners_image()).save(tmp_path / "x.heic", quality=95)
        code = (
            "import signary, sys; from PIL import Image; reader = signary.load(); print('pillow_heif' in sys.modules)\n"
            f"print(reader.recognize(Image.open({str(tmp_path / 'x.heic')!r})).to_json())"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.startswith("False\n{")

    def test_of_several_pictures_the_primary_one(self, tmp_path: Path) -> None:
        several = pillow_heif.HeifFile()
        for value in (10, 120, 230):
            several.add_from_pillow(picture(value))
        several.save(tmp_path / "x.heic", quality=95, primary_index=1)
        source = open_source(tmp_path / "x.heic")
        (frame,) = source
        assert source.is_still
        assert frame.image.mean() == pytest.approx(120, abs=3)

    def test_a_turned_one_comes_upright(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        turned = Image.fromarray(corners_image()).transpose(Image.Transpose.ROTATE_90)
        turned.save(tmp_path / "x.heic", "HEIF", quality=95, exif=exif.tobytes())
        assert corners(read_photo(tmp_path / "x.heic")) == [RED, GREEN, BLUE, WHITE]

    @needs_avif
    def test_avif(self, tmp_path: Path) -> None:
        Image.fromarray(corners_image()).save(tmp_path / "x.avif", quality=95)
        (frame,) = frames_of(tmp_path / "x.avif")
        assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]

    @pytest.mark.skipif(not features.check("jpg_2000"), reason="this Pillow has no JPEG 2000")
    @pytest.mark.parametrize("ending", [".jp2", ".j2k", ".jpx"])
    def test_jpeg_2000(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"x{ending}"
        Image.fromarray(corners_image()).save(path, "JPEG2000", no_jp2=ending == ".j2k")
        (frame,) = frames_of(path)
        assert corners(frame.image) == [RED, GREEN, BLUE, WHITE]
        assert frames_of(path.rename(tmp_path / "upload"))[0].image.shape == (48, 64, 3)

    @pytest.mark.parametrize("name", ["x.heic", "x.avif", "x.jp2"])
    def test_damaged(self, tmp_path: Path, name: str) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / name, {"x.heic": "HEIF"}.get(name))
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(InputError) as caught:
            frames_of(tmp_path / name)
        assert str(tmp_path / name) in caught.value.message
        assert caught.value.hint

    def test_without_the_reader_of_heic(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "pillow_heif", None)
        monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
        with pytest.raises(InputError, match="HEIC cannot be read") as caught:
            read_photo(b"\0\0\0\x18ftypheic" + bytes(99), name="x.heic")
        assert "pillow-heif" in caught.value.hint


class TestVariableRates:
    def clip(self, path: Path, ms: list[int]) -> Path:
        images: list[NDArray[np.uint8]] = [np.full((48, 64, 3), 40 * k, np.uint8) for k in range(len(ms))]
        return write_frames(path, images, ticks=[0, *np.cumsum(ms)[:-1].tolist()], codec="mpeg4")

    def test_the_last_frame_lasts_as_long_as_its_file_says(self, tmp_path: Path) -> None:
        with VideoDecoder(self.clip(tmp_path / "x.mp4", [40, 40, 500, 40])) as video:
            frames = list(video)
        assert [frame.time_s for frame in frames] == pytest.approx([0, 0.04, 0.08, 0.58], abs=0.002)
        assert [frame.shown_s for frame in frames[:-1]] == [None] * 3
        assert frames[-1].shown_s is not None
        assert frames[-1].shown_s > 0

    def test_until_when_frames_stand(self) -> None:
        assert shown_until([0.0, 0.1, 0.2]).tolist() == pytest.approx([0.1, 0.2, 0.3])
        assert shown_until([0.0, 0.1, 0.5], [None, None, 0.95]).tolist() == pytest.approx([0.1, 0.5, 1.45])
        assert shown_until([0.0, 2.0], [0.1, 0.1]).tolist() == pytest.approx([0.1, 2.1])
        assert shown_until([1.0]).tolist() == [1.0]
        assert shown_until([1.0], [0.4]).tolist() == [1.4]
        assert shown_until([]).tolist() == []


def test_bytes_of_a_text_are_no_photo() -> None:
    with pytest.raises(InputError, match="not a photo"):
        read_photo(io.BytesIO(b"text" * 9).getvalue())
