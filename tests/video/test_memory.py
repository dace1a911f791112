"""Pictures in memory: clear ones are read, ambiguous ones refused with a hint, and nothing is closed."""

from __future__ import annotations

import array
import asyncio
import collections
import io
import itertools
import mmap
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from signary.errors import InputError, ShapeError
from signary.video.array import as_pictures
from signary.video.frame import Frame
from signary.video.memory import UNCERTAIN
from signary.video.source import FrameSource, open_source, opened, source_name
from signary.video.write import write_video

RAMP = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
GREY = RAMP[..., 0]
CLIP = np.stack([RAMP, RAMP + 1, RAMP + 2, RAMP + 3, RAMP + 4])


def images(source: Any, **options: Any) -> list[NDArray[np.uint8]]:
    with opened(source, **options) as frames:
        return [frame.image for frame in frames]


def encoded(format: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.fromarray(RAMP).save(file, format)
    return file.getvalue()


class TestArrays:
    @pytest.mark.parametrize(
        "given",
        [RAMP, RAMP.transpose(2, 0, 1), np.asfortranarray(RAMP), RAMP[::-1][::-1], np.ma.masked_array(RAMP)],
    )
    def test_one_picture(self, given: NDArray[Any]) -> None:
        (image,) = images(given)
        assert np.array_equal(image, RAMP)
        assert open_source(given).is_still

    @pytest.mark.parametrize("given", [GREY, GREY[..., None], GREY[None]])
    def test_grey(self, given: NDArray[Any]) -> None:
        (image,) = images(given)
        assert np.array_equal(image, np.stack([GREY] * 3, -1))

    def test_transparent_parts_are_white(self) -> None:
        rgba = np.dstack([RAMP, np.zeros((4, 6), np.uint8)])
        rgba[0, :, 3] = 255
        for given in (rgba, rgba.transpose(2, 0, 1)):
            (image,) = images(given)
            assert np.array_equal(image[0], RAMP[0])
            assert (image[1:] == 255).all()

    @pytest.mark.parametrize(
        "given", [CLIP, CLIP.transpose(0, 3, 1, 2), np.concatenate([CLIP, CLIP[..., :1] * 0 + 255], -1)]
    )
    def test_clips(self, given: NDArray[Any]) -> None:
        assert np.array_equal(np.stack(images(given)), CLIP)
        source = open_source(given, fps=10)
        assert (source.is_still, source.fps, source.frame_count) == (False, 10, 5)

    def test_grey_clips(self) -> None:
        grey = CLIP[..., 1]
        assert np.array_equal(np.stack(images(grey)), np.stack([grey] * 3, -1))
        # three grey pictures look like the channels of one, unless fps or times are given
        assert images(grey[:3])[0].shape == (4, 6, 3)
        assert len(images(grey[:3], fps=5)) == 3

    @hypothesis.given(
        st.integers(5, 9), st.integers(5, 9), st.integers(2, 4), st.sampled_from([1, 3, 4]), st.booleans()
    )
    def test_any_layout_gives_pictures(self, height: int, width: int, frames: int, channels: int, clip: bool) -> None:
        shape = (height, width, channels)
        last = np.zeros((frames, *shape) if clip else shape, np.uint8)
        for pictures in (last, np.moveaxis(last, -1, -3)):
            assert as_pictures(pictures).shape == (*((frames,) if clip else ()), height, width, 3)

    @pytest.mark.parametrize(
        "given, way",
        [
            (RAMP.astype(np.float32) / 255, "255 * array"),
            (RAMP.astype(np.float64), ".round()"),
            (RAMP.astype(np.uint16) * 257, "// 257"),
            (RAMP.astype(np.int64), "astype('uint8')"),
            (GREY > 3, "255 * array"),
            (RAMP.astype(object), "0 to 255"),
            (np.zeros((0, 6, 3), np.uint8), "empty"),
            (np.zeros((5, 6, 2), np.uint8)[None], "RGB"),
        ],
    )
    def test_what_is_not_certain_is_refused_with_the_way_out(self, given: NDArray[Any], way: str) -> None:
        with pytest.raises(ShapeError, match="must be uint8") as caught:
            open_source(given)
        assert str(given.dtype) in caught.value.message
        assert str(given.shape) in caught.value.message
        assert way in caught.value.hint

    def test_a_tensor_is_an_array(self) -> None:
        torch = pytest.importorskip("torch")
        assert np.array_equal(images(torch.from_numpy(RAMP.copy()).permute(2, 0, 1))[0], RAMP)
        with pytest.raises(InputError, match="Tensor"):
            open_source(torch.zeros(3, 4, 6, requires_grad=True))


class TestPillow:
    @pytest.mark.parametrize(
        "mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "HSV", "LA", "PA", "RGBX", "RGBa", "La"]
    )
    def test_every_mode(self, mode: str) -> None:
        white = Image.new("RGBA" if mode == "RGBa" else "LA" if mode == "La" else "RGB", (6, 4), "white").convert(mode)
        (image,) = images(white)
        assert image.shape == (4, 6, 3)
        assert (image > 250).all()

    @pytest.mark.parametrize(
        "mode, white", [("I", 65535), ("I;16", 65535), ("I;16B", 65535), ("F", 1.0), ("F", 255.0), ("I", 255)]
    )
    def test_deep_pictures_are_read_with_a_warning(self, mode: str, white: float) -> None:
        image = Image.new(mode, (6, 4), 0)
        image.paste(white, (0, 0, 3, 4))
        with opened(image) as source:
            (frame,) = source
        assert frame.image[:, :3].min() == 255
        assert frame.image[:, 3:].max() == 0
        assert source.warnings == [UNCERTAIN]

    def test_the_callers_image_stays_as_it_is_and_open(self, tmp_path: Path) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        large = Image.fromarray(np.zeros((2000, 3000, 3), np.uint8))
        large.save(tmp_path / "x.jpg", exif=exif)
        with Image.open(tmp_path / "x.jpg") as image:
            for _ in range(2):
                assert images(image)[0].shape == (1920, 1280, 3)
                assert (image.size, image.mode, image.getpixel((0, 0))) == ((3000, 2000), "RGB", (0, 0, 0))

    def test_it_is_called_by_its_file(self, tmp_path: Path) -> None:
        Image.fromarray(RAMP).save(tmp_path / "x.png")
        with Image.open(tmp_path / "x.png") as image:
            assert source_name(image) == open_source(image).name == str(tmp_path / "x.png")
        assert source_name(Image.fromarray(RAMP)) == "picture"

    def test_a_truncated_image(self) -> None:
        noise = io.BytesIO()
        Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)).save(noise, "PNG")
        with Image.open(io.BytesIO(noise.getvalue()[:2000])) as image, pytest.raises(InputError, match="damaged"):
            images(image)

    def test_a_huge_one_is_refused(self) -> None:
        with pytest.raises(InputError, match="megapixels"):
            images(Image.new("1", (11_000, 11_000)))


class TestBytes:
    @pytest.mark.parametrize(
        "wrap",
        [bytes, bytearray, memoryview, lambda data: array.array("B", data), lambda data: np.frombuffer(data, np.uint8)],
    )
    def test_a_photo(self, wrap: Any) -> None:
        given = wrap(encoded())
        assert np.array_equal(images(given)[0], RAMP)
        assert source_name(given) == "bytes"
        assert open_source(given).is_still

    def test_a_video(self, tmp_path: Path) -> None:
        path = write_video(tmp_path / "clip.mp4", np.full((10, 48, 64, 3), 100, np.uint8), fps=25)
        source = open_source(path.read_bytes())
        assert (source.name, source.fps, len(list(source))) == ("bytes", 25.0, 10)

    def test_files_are_read_from_where_they_stand_and_stay_open(self, tmp_path: Path) -> None:
        path = tmp_path / "x.bin"
        path.write_bytes(b"head" + encoded())
        with path.open("rb") as file:
            file.read(4)
            assert np.array_equal(images(file)[0], RAMP)
            assert not file.closed
            assert source_name(file) == str(path)
        clip = write_video(tmp_path / "clip.mp4", np.full((10, 48, 64, 3), 100, np.uint8), fps=25)
        with clip.open("rb", buffering=0) as file:
            with opened(file) as source:
                assert len(list(source)) == 10
            assert not file.closed
        memory = io.BytesIO(clip.read_bytes())
        assert len(images(memory)) == 10
        assert not memory.closed

    def test_what_reads_without_seeking(self, tmp_path: Path) -> None:
        archive = tmp_path / "x.zip"
        with zipfile.ZipFile(archive, "w") as target:
            target.writestr("x.png", encoded())
        with zipfile.ZipFile(archive) as source, source.open("x.png") as file:
            assert np.array_equal(images(file)[0], RAMP)
        assert np.array_equal(images(zipfile.Path(archive, "x.png"))[0], RAMP)
        assert source_name(zipfile.Path(archive, "x.png")) == "x.png"

    def test_a_memory_map(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_bytes(encoded())
        with (tmp_path / "x").open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            assert np.array_equal(images(mapped)[0], RAMP)

    def test_one_byte_at_a_time(self) -> None:
        class Drops(io.RawIOBase):
            def __init__(self) -> None:
                self.rest = encoded()

            def read(self, size: int = -1) -> bytes:
                part, self.rest = self.rest[:1], self.rest[1:]
                return part

        assert np.array_equal(images(Drops())[0], RAMP)

    @pytest.mark.parametrize(
        "given, message",
        [
            (b"", "empty"),
            (io.BytesIO(), "empty"),
            (io.StringIO("text"), "must give bytes"),
            (b"only text", "not a video"),
            (b"PAR1" + bytes(99), "holds landmarks"),
            (b"#EXTM3U\nhttp://example.org/x.ts\n", "names other files"),
            (b"ffconcat version 1.0\nfile /etc/passwd\n", "names other files"),
            (encoded()[:40], "not a photo"),
        ],
    )
    def test_bad_bytes(self, given: Any, message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            images(given)
        assert caught.value.hint

    def test_a_closed_file_and_one_at_its_end(self) -> None:
        file = io.BytesIO(encoded())
        file.seek(0, io.SEEK_END)
        with pytest.raises(InputError, match="empty") as caught:
            open_source(file)
        assert "seek(0)" in caught.value.hint
        file.close()
        with pytest.raises(InputError, match="cannot be read"):
            open_source(file)

    def test_a_file_that_is_awaited(self) -> None:
        class Awaited:
            async def read(self, size: int) -> bytes:
                return b""

        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(InputError, match="coroutine"):
                open_source(Awaited())


class TestFrames:
    @pytest.mark.parametrize(
        "wrap",
        [list, tuple, collections.deque, iter, lambda clip: (image for image in clip), lambda clip: map(np.copy, clip)],
    )
    def test_any_order_of_pictures_is_a_clip(self, wrap: Any) -> None:
        source = open_source(wrap(CLIP), fps=10)
        frames = list(source)
        assert np.array_equal(np.stack([frame.image for frame in frames]), CLIP)
        assert [frame.time_s for frame in frames] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4])
        assert (source.name, source.is_still, source.is_live, source.warnings) == ("frames", False, False, [])

    def test_all_kinds_of_pictures(self) -> None:
        mixed = [RAMP, Image.fromarray(RAMP), encoded(), RAMP.transpose(2, 0, 1), Frame(RAMP)]
        for image in images(mixed, fps=30):
            assert np.array_equal(image, RAMP)

    def test_times(self) -> None:
        times = [0.0, 0.5, 0.6, 2.0, 2.1]
        for given in (list(CLIP), iter(CLIP), CLIP):
            assert [frame.time_s for frame in open_source(given, times_s=times)] == times
        assert [frame.time_s for frame in open_source(iter(CLIP), times_s=itertools.count())] == [0, 1, 2, 3, 4]
        frames = [Frame(image, 0, time_s, 0.01) for image, time_s in zip(CLIP, times, strict=True)]
        assert [(frame.time_s, frame.shown_s) for frame in open_source(frames)] == [(time_s, 0.01) for time_s in times]
        assert [frame.time_s for frame in open_source(frames, fps=2)] == [0, 0.5, 1, 1.5, 2]

    @pytest.mark.parametrize(
        "given, options, message",
        [
            ([], {}, "empty or exhausted list"),
            ((), {}, "empty or exhausted tuple"),
            (iter(()), {}, "exhausted"),
            ({"a": RAMP}, {}, "no order"),
            ({1, 2}, {}, "no order"),
            ([1, 2], {}, "frames.0.: int, no picture"),
            ([RAMP, None], {}, "frames.1.: NoneType, no picture"),
            (["a.jpg", "b.jpg"], {}, "frames.0.: str, no picture"),
            ([Path("a.jpg")], {}, "no picture"),
            ([CLIP], {}, "must be one picture"),
            ([RAMP, RAMP[:2]], {}, "frame 1 is 6 x 2, the ones before 6 x 4"),
            ([RAMP.astype(np.float32)], {}, "must be uint8"),
            ([RAMP, RAMP], {"times_s": [0.0, 0.0]}, "must rise"),
            ([RAMP, RAMP], {"times_s": [0.0]}, "2 frames, but 1 times_s"),
            (iter([RAMP, RAMP]), {"times_s": [0.0]}, "fewer times than frames"),
            ([RAMP], {"times_s": ["soon"]}, "holds 'soon'"),
            ([RAMP], {"times_s": [float("nan")]}, "holds nan"),
            ([RAMP], {"times_s": [0.0], "fps": 3}, "only one of them"),
            ([Frame(RAMP), Frame(RAMP)], {}, "must rise"),
        ],
    )
    def test_bad_frames(self, given: Any, options: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError, match=message) as caught:
            images(given, **options)
        assert caught.value.hint

    def test_an_iterator_is_read_as_it_comes_and_not_closed(self) -> None:
        taken = []

        def frames() -> Iterator[NDArray[np.uint8]]:
            for image in CLIP:
                taken.append(image)
                yield image

        given = frames()
        with opened(given) as source:
            assert len(taken) == 1
            next(iter(source))
        assert len(taken) == 1
        assert len(list(given)) == 4

    def test_an_error_of_the_iterator_is_its_own(self) -> None:
        def frames() -> Iterator[NDArray[np.uint8]]:
            yield RAMP
            raise KeyError("mine")

        with pytest.raises(KeyError, match="mine"):
            images(frames())

    def test_paths_are_photos_of_a_clip_where_that_is_said(self, tmp_path: Path) -> None:
        paths = [tmp_path / f"{number}.png" for number in range(3)]
        for path in paths:
            Image.fromarray(RAMP).save(path)
        for given in (paths, list(map(str, paths))):
            with pytest.raises(InputError, match="no picture"):
                images(given)
            assert len(images(given, as_clip=True)) == 3


class TestNothingElse:
    @pytest.mark.parametrize(
        "given",
        [None, True, 1.5, 2j, object(), int, len, asyncio, Ellipsis, NotImplemented, range, type("X", (), {})()],
    )
    def test_other_types_are_named(self, given: Any) -> None:
        with pytest.raises(InputError, match="cannot be read as pictures") as caught:
            open_source(given)
        assert type(given).__name__ in caught.value.message
        assert "PIL image" in caught.value.hint
        assert isinstance(source_name(given), str)

    def test_what_the_caller_opened_stays_open(self) -> None:
        with open_source(CLIP) as mine:
            with opened(mine) as frames:
                assert frames is mine
                assert isinstance(mine, FrameSource)
                next(iter(frames))
            assert len(list(mine)) == 5
        with pytest.raises(InputError, match="no frames"):
            list(mine)

    @hypothesis.given(
        st.one_of(st.none(), st.floats(), st.complex_numbers(), st.dates(), st.fractions(), st.uuids(), st.booleans())
    )
    def test_whatever_the_standard_library_has(self, given: Any) -> None:
        with pytest.raises(InputError):
            images(given)

    @hypothesis.given(
        st.recursive(
            st.one_of(st.none(), st.integers(), st.text(max_size=3)), lambda inner: st.lists(inner, max_size=3)
        )
    )
    def test_lists_of_anything_are_an_input_error(self, given: Any) -> None:
        if isinstance(given, list):
            with pytest.raises(InputError):
                images(given)
