"""Photos and videos of every kind come out upright, 8-bit, RGB; broken ones as an InputError with a hint."""

from __future__ import annotations

import io
import math
import tracemalloc
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from refused_files import check_refused

from signary.errors import InputError
from signary.video.decode import HLG, PQ, VideoDecoder, _tone_curve
from signary.video.photo import read_photo

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def corners_image(width: int = 64, height: int = 48) -> NDArray[np.uint8]:
    """Red top left, green top right, blue bottom left, white bottom right."""
    image = np.zeros((height, width, 3), np.uint8)
    half_h, half_w = height // 2, width // 2
    image[:half_h, :half_w], image[:half_h, half_w:] = RED, GREEN
    image[half_h:, :half_w], image[half_h:, half_w:] = BLUE, WHITE
    return image


def corners(image: NDArray[np.uint8]) -> list[tuple[int, ...]]:
    """Return the colors of the four quarters in reading order, rounded to 0 or 255 a channel."""
    h, w = image.shape[:2]
    places = [(h // 4, w // 4), (h // 4, 3 * w // 4), (3 * h // 4, w // 4), (3 * h // 4, 3 * w // 4)]
    return [tuple(255 * int(value > 127) for value in image[place]) for place in places]


def write_frames(
    path: Path,
    images: Sequence[NDArray[Any]],
    *,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    ticks: Sequence[int] | None = None,
    rotation: tuple[Any, ...] | None = None,
    faststart: bool = False,
    image_format: str = "rgb24",
    **codec_fields: Any,
) -> Path:
    """Encode pictures; ``ticks`` are times in milliseconds."""
    options = {"movflags": "faststart"} if faststart else {}
    with av.open(str(path), "w", options=options) as container:
        stream: Any = container.add_stream(codec, rate=1000 if ticks else 25)
        stream.height, stream.width = images[0].shape[:2]
        stream.pix_fmt = pix_fmt
        for field, value in codec_fields.items():
            setattr(stream.codec_context, field, value)
        if rotation:
            stream.set_display_rotation(*rotation)
        for index, image in enumerate(images):
            picture = av.VideoFrame.from_ndarray(image, format=image_format)
            if ticks:
                picture.pts = ticks[index]
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return path


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip.mp4", [corners_image()] * 10)


class TestReadPhoto:
    @pytest.mark.parametrize("ending", [".jpg", ".png", ".webp", ".bmp", ".tif", ".ppm"])
    def test_formats(self, tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"photo{ending}"
        Image.fromarray(corners_image()).save(path)
        image = read_photo(path)
        assert (image.dtype, image.shape) == (np.uint8, (48, 64, 3))
        assert corners(image) == [RED, GREEN, BLUE, WHITE]
        assert np.array_equal(read_photo(path.read_bytes()), image)

    @pytest.mark.parametrize("orientation", range(1, 9))
    def test_every_exif_orientation_comes_out_upright(self, tmp_path: Path, orientation: int) -> None:
        turns = {
            **{2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM},
            **{5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE},
            **{8: Image.Transpose.ROTATE_270},
        }
        stored = Image.fromarray(corners_image())
        if orientation in turns:
            stored = stored.transpose(turns[orientation])
        exif = Image.Exif()
        exif[0x0112] = orientation
        stored.save(tmp_path / "turned.jpg", exif=exif, quality=95)
        image = read_photo(tmp_path / "turned.jpg")
        assert image.shape == (48, 64, 3)
        assert corners(image) == [RED, GREEN, BLUE, WHITE]

    def test_sixteen_bit_grey_keeps_its_brightness(self, tmp_path: Path) -> None:
        grey = np.repeat(np.array([[0, 128 * 257, 65535]], np.uint16), 2, axis=0)
        Image.fromarray(grey).save(tmp_path / "deep.png")
        assert read_photo(tmp_path / "deep.png")[0, :, 1].tolist() == [0, 128, 255]

    @pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
    def test_other_modes_become_rgb(self, tmp_path: Path, mode: str) -> None:
        path = tmp_path / "photo.tif"
        Image.fromarray(np.full((3, 4, 3), 255, np.uint8)).convert(mode).save(path)
        assert read_photo(path).tolist() == np.full((3, 4, 3), 255).tolist()

    @pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
    def test_transparent_parts_are_white(self, tmp_path: Path, mode: str) -> None:
        image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
        image.paste((0, 0, 0, 255), (0, 0, 2, 4))
        image.convert(mode).save(tmp_path / "cut.png")
        assert read_photo(tmp_path / "cut.png")[0].tolist() == [[0, 0, 0], [0, 0, 0], [255] * 3, [255] * 3]

    def test_a_large_photo_is_shrunk_and_keeps_its_aspect(self, tmp_path: Path) -> None:
        Image.fromarray(corners_image(4000, 3000)).save(tmp_path / "large.jpg")
        image = read_photo(tmp_path / "large.jpg")
        assert image.shape == (1440, 1920, 3)
        assert corners(image) == [RED, GREEN, BLUE, WHITE]
        assert read_photo(tmp_path / "large.jpg", max_side=400).shape == (300, 400, 3)

    def test_one_pixel(self, tmp_path: Path) -> None:
        Image.new("RGB", (1, 1), RED).save(tmp_path / "dot.png")
        assert read_photo(tmp_path / "dot.png").tolist() == [[list(RED)]]

    @pytest.mark.parametrize("side, size", [(20_000, "400 megapixels"), (11_000, "11000 x 11000 pixels")])
    def test_a_huge_photo_is_refused_without_decoding(self, tmp_path: Path, side: int, size: str) -> None:
        path = tmp_path / "huge.png"
        # Only the head counts: a real picture of that size would take seconds to write.
        Image.new("1", (1, 1)).save(path)
        data = bytearray(path.read_bytes())
        data[16:24] = side.to_bytes(4, "big") * 2
        data[29:33] = _crc(bytes(data[12:29]))
        path.write_bytes(data)
        tracemalloc.start()
        with warnings.catch_warnings(), pytest.raises(InputError, match=size) as caught:
            warnings.simplefilter("error")
            read_photo(path)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < 2_000_000
        assert "at most 100 megapixels" in caught.value.message
        assert caught.value.hint

    @pytest.mark.parametrize(
        "data, message", [(b"", "empty file"), (b"hello, this is text\n" * 9, "not a photo"), (None, "no such file")]
    )
    def test_bad_files(self, tmp_path: Path, data: bytes | None, message: str) -> None:
        check_refused(tmp_path / "bad.jpg", data, read_photo, message)

    @pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
    def test_half_a_photo_is_damaged(self, tmp_path: Path, ending: str) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(noise).save(buffer, format={"jpg": "jpeg"}.get(ending, ending))
        data = buffer.getvalue()
        with pytest.raises(InputError, match="half"):
            read_photo(data[: len(data) // 2], name="half")

    def test_a_folder_is_not_a_photo(self, tmp_path: Path) -> None:
        with pytest.raises(InputError):
            read_photo(tmp_path)


def _crc(chunk: bytes) -> bytes:
    import zlib

    return zlib.crc32(chunk).to_bytes(4, "big")


class TestVideoDecoder:
    def test_frames_come_in_order_with_their_times(self, clip: Path) -> None:
        with VideoDecoder(clip) as video:
            frames = list(video)
        assert (video.name, video.fps, video.frame_count) == (str(clip), 25.0, 10)
        assert [frame.index for frame in frames] == list(range(10))
        assert [frame.time_s for frame in frames] == pytest.approx([index / 25 for index in range(10)])
        assert corners(frames[4].image) == [RED, GREEN, BLUE, WHITE]
        assert video.warnings == []

    @pytest.mark.parametrize(
        "name, codec, pix_fmt",
        [
            ("clip.mkv", "ffv1", "yuv444p"),
            ("clip.avi", "mpeg4", "yuv420p"),
            ("clip.webm", "libvpx", "yuv420p"),
            ("clip.mov", "mpeg4", "yuv420p"),
            ("clip.ts", "mpeg4", "yuv420p"),
        ],
    )
    def test_containers(self, tmp_path: Path, name: str, codec: str, pix_fmt: str) -> None:
        _needs(codec)
        path = write_frames(tmp_path / name, [corners_image()] * 5, codec=codec, pix_fmt=pix_fmt)
        with VideoDecoder(path) as video:
            frames = list(video)
        assert len(frames) == 5
        assert frames[0].time_s == 0
        assert corners(frames[2].image) == [RED, GREEN, BLUE, WHITE]
        assert video.warnings == []

    @pytest.mark.parametrize(
        "rotation, expected, shape",
        [
            ((90,), [GREEN, WHITE, RED, BLUE], (64, 48, 3)),
            ((-90,), [BLUE, RED, WHITE, GREEN], (64, 48, 3)),
            ((180,), [WHITE, BLUE, GREEN, RED], (48, 64, 3)),
            ((0, True), [GREEN, RED, WHITE, BLUE], (48, 64, 3)),
            ((0, False, True), [BLUE, WHITE, RED, GREEN], (48, 64, 3)),
            ((90, True), [WHITE, GREEN, BLUE, RED], (64, 48, 3)),
        ],
    )
    def test_the_rotation_flag_turns_and_mirrors(
        self, tmp_path: Path, rotation: tuple[Any, ...], expected: list[tuple[int, ...]], shape: tuple[int, ...]
    ) -> None:
        if not hasattr(av.VideoStream, "set_display_rotation"):
            pytest.skip("this PyAV cannot write a rotation flag")
        path = write_frames(tmp_path / "turned.mp4", [corners_image()] * 2, rotation=rotation)
        with VideoDecoder(path) as video:
            image = next(iter(video)).image
        assert image.shape == shape
        assert corners(image) == expected
        assert image.flags.c_contiguous

    def test_a_variable_frame_rate_keeps_its_times(self, tmp_path: Path) -> None:
        ticks = [500, 540, 700, 1000, 1010, 1900]
        path = write_frames(tmp_path / "vfr.mkv", [corners_image()] * 6, ticks=ticks, codec="mpeg4")
        with VideoDecoder(path) as video:
            times_s = [frame.time_s for frame in video]
        assert times_s == pytest.approx([(tick - 500) / 1000 for tick in ticks], abs=0.0011)
        assert video.warnings == []

    def test_ten_bits_become_eight(self, tmp_path: Path) -> None:
        _needs("libx264", "yuv420p10le")
        ramp = np.repeat(np.linspace(0, 65535, 64).astype(np.uint16)[None, :, None], 48, axis=0).repeat(3, axis=2)
        path = write_frames(tmp_path / "deep.mp4", [ramp] * 2, pix_fmt="yuv420p10le", image_format="rgb48le")
        with VideoDecoder(path) as video:
            image = next(iter(video)).image
        assert image.dtype == np.uint8
        assert np.abs(image[20, :, 1].astype(float) - np.linspace(0, 255, 64)).max() < 6

    @pytest.mark.parametrize("transfer", [PQ, HLG])
    def test_hdr_goes_through_the_tone_curve(self, tmp_path: Path, transfer: int) -> None:
        _needs("libx264", "yuv420p10le")
        grey = np.full((48, 64, 3), 38_000, np.uint16)
        path = write_frames(
            tmp_path / "hdr.mp4", [grey], pix_fmt="yuv420p10le", image_format="rgb48le", color_trc=transfer
        )
        with VideoDecoder(path) as video:
            image = next(iter(video)).image
        curve = _tone_curve(transfer)
        assert curve is not None
        assert abs(int(image[20, 30, 1]) - int(curve[38_000])) <= 4

    @pytest.mark.parametrize("transfer", [PQ, HLG])
    def test_tone_curves_rise_from_black_to_white(self, transfer: int) -> None:
        curve = _tone_curve(transfer)
        assert curve is not None
        assert curve[0] == 0
        assert curve[-1] == 255
        assert (np.diff(curve.astype(int)) >= 0).all()

    def test_reference_white_is_alike_in_both_tone_curves(self) -> None:
        pq, hlg = _tone_curve(PQ), _tone_curve(HLG)
        assert pq is not None
        assert hlg is not None
        # ITU-R BT.2408: reference white is 58 % PQ and 75 % HLG.
        assert abs(int(pq[round(0.58 * 65535)]) - int(hlg[round(0.75 * 65535)])) <= 3
        assert 170 < int(pq[round(0.58 * 65535)]) < 210

    def test_large_frames_are_shrunk(self, clip: Path) -> None:
        with VideoDecoder(clip, max_side=32) as video:
            assert next(iter(video)).image.shape == (24, 32, 3)

    def test_pixels_come_out_square(self, tmp_path: Path) -> None:
        path = write_frames(tmp_path / "wide.mp4", [corners_image()] * 2, sample_aspect_ratio=2)
        with VideoDecoder(path) as video:
            assert next(iter(video)).image.shape == (48, 128, 3)

    def test_an_unseekable_stream(self, tmp_path: Path) -> None:
        path = write_frames(tmp_path / "clip.mkv", [corners_image()] * 10, codec="mpeg4")

        class Pipe:
            def __init__(self) -> None:
                self._file = io.BytesIO(path.read_bytes())

            def read(self, size: int) -> bytes:
                return self._file.read(min(size, 100))

        with VideoDecoder(Pipe(), name="-") as video:  # type: ignore[arg-type]
            assert len(list(video)) == 10

    def test_a_video_cut_in_the_middle_gives_what_there_is_and_says_so(self, tmp_path: Path) -> None:
        noise = np.random.default_rng(0).integers(0, 256, (100, 48, 64, 3), dtype=np.uint8)
        whole = write_frames(tmp_path / "whole.mp4", list(noise), faststart=True)
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
        with VideoDecoder(cut) as video:
            count = sum(1 for _ in video)
        assert 20 < count < 80
        assert any("cut off" in warning and "of 4.0 s" in warning for warning in video.warnings)

    def test_a_video_without_its_index_is_refused(self, tmp_path: Path, clip: Path) -> None:
        cut = tmp_path / "cut.mp4"
        cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
        with pytest.raises(InputError, match="index is missing") as caught:
            VideoDecoder(cut)
        assert "cut off" in caught.value.hint

    @pytest.mark.parametrize(
        "data, message",
        [(None, "no such file"), (b"", "empty file"), (b"hello, this is text\n" * 9, "not a video that can be read")],
    )
    def test_bad_files(self, tmp_path: Path, data: bytes | None, message: str) -> None:
        check_refused(tmp_path / "bad.mp4", data, VideoDecoder, message)

    def test_a_video_without_frames_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "none.mp4"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
            container.start_encoding()
        assert path.stat().st_size > 0
        with pytest.raises(InputError) as caught, VideoDecoder(path) as video:
            list(video)
        assert caught.value.hint

    def test_sound_alone_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "sound.mp4"
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream("aac", rate=44_100)
            sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
            sound.rate = 44_100
            container.mux(stream.encode(sound))
            container.mux(stream.encode(None))
        with pytest.raises(InputError, match="no pictures") as caught:
            VideoDecoder(path)
        assert caught.value.hint

    def test_real_clips_have_rising_times(self, shared_data: Path) -> None:
        clip = shared_data / "gesture-videos" / "signer1" / "Num1_1.mp4"
        with VideoDecoder(clip) as video:
            times_s = [frame.time_s for frame in video]
        assert times_s[0] == 0
        assert (np.diff(times_s) > 0).all()
        assert video.frame_count is not None
        assert math.isclose(len(times_s), video.frame_count, abs_tol=2)
        assert video.warnings == []


def _needs(codec: str, pix_fmt: str | None = None) -> None:
    if codec not in av.codecs_available:
        pytest.skip(f"this PyAV has no {codec}")
    formats = {known.name for known in av.codec.Codec(codec, "w").video_formats or []}
    if pix_fmt and pix_fmt not in formats:
        pytest.skip(f"{codec} has no {pix_fmt}")
