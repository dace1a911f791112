"""Decode videos with PyAV to upright 8-bit RGB pictures."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.lifetime import Lifetime
from signary.video.frame import DEFAULT_FPS, LIVE_SHOWN_S, Frame, Picture
from signary.video.kinds import HEAD_BYTES, LIST_SIGNATURE
from signary.video.photo import MAX_SIDE_PX, check_size, open_bytes

if TYPE_CHECKING:
    import av

PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273
REFERENCE_WHITE_NITS, PEAK_NITS = 203.0, 1000.0  # ITU-R BT.2408

# Self-contained formats. Playlists and descriptions (HLS, DASH, concat, SDP, image2) refer to other files and
# addresses, which FFmpeg would open.
CONTAINERS = (
    *("mov", "matroska", "avi", "gif", "apng", "mpeg", "mpegts", "mpegvideo", "asf", "flv", "ogg", "mxf", "gxf", "nut"),
    *("rm", "dv", "wtv", "nuv", "ivf", "yuv4mpegpipe", "mjpeg", "mjpeg_2000", "mpjpeg", "smjpeg"),
    *("m4v", "h261", "h263"),
    *("h264", "hevc", "vvc", "av1", "obu", "vc1", "dirac", "cavsvideo", "avs2", "avs3", "evc"),
)
ONLY_ITSELF = {"format_whitelist": ",".join(CONTAINERS), "protocol_whitelist": "file"}


class VideoDecoder(Lifetime):
    """Frames of a video in any container that FFmpeg reads; iterate once.

    The display matrix (rotation, mirroring) and the pixel aspect are applied, and 10-bit and HDR reduced to 8 bits.
    Times come from the file, also of a variable frame rate, and rise from 0. HLG and PQ get a tone curve; their wide
    gamut is not mapped, so colors are slightly pale.

    Parameters
    ----------
    source : str, Path or binary file
        A file or open stream, which need not be seekable.
    name : str
        In errors; the path by default.
    max_side : int
        Longest side of the frames in pixels; larger ones are shrunk.
    container : InputContainer, optional
        An open one instead of ``source``; closed with the decoder.
    is_live : bool
        Yield each frame at once. The frames of a file are delayed by one, to give the last one its own duration.

    Attributes
    ----------
    fps : float
        Average frames a second.
    frame_count : int or None
        Estimate; None if the container has none.
    warnings : list of str
        Filled while iterating: damaged or cut off.

    Raises
    ------
    InputError
        If it is missing, empty, no video, refers to other files or addresses, has no pictures, or (while iterating)
        none that can be decoded.
    """

    is_still = False

    def __init__(
        self,
        source: str | Path | BinaryIO,
        *,
        name: str = "",
        max_side: int = MAX_SIDE_PX,
        container: av.container.InputContainer | None = None,
        is_live: bool = False,
    ) -> None:
        self.name: str = name or (str(source) if isinstance(source, str | Path) else "video")
        self.is_live = is_live
        self.warnings: list[str] = []
        self._container = container or _open_container(source, self.name)
        self._stream = _video_stream(self._container, self.name)
        self._stream.thread_type = "AUTO"
        self.fps: float = float(self._stream.average_rate or self._stream.guessed_rate or DEFAULT_FPS)
        self._duration_s = _duration_s(self._container, self._stream)
        estimate = self._stream.frames or round((self._duration_s or 0) * self.fps)
        self.frame_count: int | None = estimate or None
        self._tones = _tone_curve(int(self._stream.codec_context.color_trc))
        self._max_side = max_side
        self._damaged = 0
        self._start_s = self._end_s = 0.0

    def __iter__(self) -> Iterator[Frame]:
        held = None
        for frame in self._frames():
            if self.is_live:
                yield replace(frame, shown_s=LIVE_SHOWN_S)
            elif held is not None:
                yield held
            held = frame
        self._warn_of_gaps()
        if held is None:
            raise InputError(f"{self.name}: not one frame could be decoded", hint="copy or record the video again")
        if not self.is_live:
            own_s = self._end_s - self._start_s - held.time_s
            yield replace(held, shown_s=own_s if own_s > 0 else None)

    def _frames(self) -> Iterator[Frame]:
        last_s = -math.inf
        for index, picture in enumerate(self._pictures()):
            raw_s = picture.time if picture.time is not None else index / self.fps
            self._start_s = self._start_s if index else raw_s
            time_s = raw_s - self._start_s
            last_s = time_s if time_s > last_s else last_s + 1 / self.fps
            yield Frame(self._image(picture), index, last_s)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        from av.error import FFmpegError

        try:
            for packet in self._container.demux(self._stream):
                try:
                    pictures = packet.decode()
                except FFmpegError:
                    self._damaged += 1
                    continue
                if packet.pts is not None and packet.time_base is not None:
                    self._end_s = max(self._end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                yield from pictures
        except FFmpegError:
            self._damaged += 1

    def _warn_of_gaps(self) -> None:
        if self._damaged:
            self.warnings.append(f"damaged: {self._damaged} parts of the video could not be decoded and were left out")
        if self._duration_s and self._end_s < self._duration_s - max(0.25, 3 / self.fps):
            self.warnings.append(f"cut off: {self._end_s:.1f} of {self._duration_s:.1f} s could be read")

    def _image(self, picture: av.VideoFrame) -> Picture:
        check_size(picture.width, picture.height, self.name)
        shape: dict[str, Any] = dict(zip(("width", "height"), self._fit(picture.width, picture.height), strict=True))
        depth = "rgb24" if self._tones is None else "rgb48le"
        values = picture.to_ndarray(format=depth, **shape)
        image = np.asarray(values if self._tones is None else self._tones[values], np.uint8)
        matrix: Any = picture.side_data.get("DISPLAYMATRIX")
        return image if matrix is None else _upright(image, np.frombuffer(matrix, np.int32))

    def _fit(self, width: int, height: int) -> tuple[int, int]:
        wide = width * float(self._stream.sample_aspect_ratio or 1)
        scale = min(1.0, self._max_side / max(wide, height))
        return max(1, round(wide * scale)), max(1, round(height * scale))

    def close(self) -> None:
        """Close the file."""
        self._container.close()


def _open_container(source: str | Path | BinaryIO, name: str) -> av.container.InputContainer:
    import av

    head = b""
    if isinstance(source, str | Path):
        with open_bytes(source, name) as file:
            head = file.read(HEAD_BYTES)
        # "a:b.mp4" is no protocol
        source = f"file:{source}"
    check_head(head, name)
    try:
        return av.open(source, "r", options=ONLY_ITSELF)
    except (av.error.FFmpegError, OSError, ValueError) as error:
        if head[4:8] == b"ftyp":
            hint = "it was cut off; copy or record it again"
            raise InputError(f"{name}: damaged video, its index is missing or broken", hint=hint) from None
        hint = "known: MP4, MOV, MKV, WebM, AVI, GIF and whatever else FFmpeg reads"
        if not isinstance(source, str):
            hint = "an MP4 with its index at the end cannot be piped: name the file, or write it with +faststart"
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{name}: not a video that can be read ({reason})", hint=hint) from None


def check_head(head: bytes, name: str) -> None:
    """Raise `InputError` if the first bytes are those of a playlist or page that names other files."""
    if LIST_SIGNATURE.match(head):
        hint = "give the video itself that it names"
        raise InputError(f"{name}: a playlist or page that names other files, no video", hint=hint)


def _video_stream(container: av.container.InputContainer, name: str) -> av.VideoStream:
    stream = container.streams.best("video")
    if stream is None:
        container.close()
        raise InputError(f"{name}: has no pictures, only other streams", hint="sound alone cannot be read")
    return stream  # type: ignore[return-value]


def _duration_s(container: av.container.InputContainer, stream: av.VideoStream) -> float | None:
    if stream.duration is not None and stream.time_base is not None:
        return float((stream.duration + (stream.start_time or 0)) * stream.time_base)
    alone = len(container.streams) == 1
    return container.duration / 1_000_000 if alone and container.duration else None


def _upright(image: Picture, matrix: NDArray[np.int32]) -> Picture:
    """Apply FFmpeg's display ``matrix`` int32 (9,), rounded to quarter turns."""
    a, b, c, d = (int(matrix[at]) for at in (0, 1, 3, 4))
    if abs(b) > abs(a):
        image, across, down = image.swapaxes(0, 1), c, b
    else:
        across, down = a, d
    return np.ascontiguousarray(image[:: -1 if down < 0 else 1, :: -1 if across < 0 else 1])


def _tone_curve(transfer: int) -> Picture | None:
    """Return the 8-bit value of each 16-bit value of HDR video, uint8 (65536,); None if it is not HDR.

    Signal to light by ITU-R BT.2100; light above reference white compressed by Reinhard et al. 2002, "Photographic tone
    reproduction for digital images", equation 4; gamma 2.2.
    """
    signal = np.linspace(0, 1, 65536)
    if transfer == PQ:
        root = signal ** (32 / 2523)
        nits = 10_000 * (np.maximum(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (16384 / 2610)
    elif transfer == HLG:
        bright = (np.exp((signal - 0.55991073) / 0.17883277) + 0.28466892) / 12
        nits = PEAK_NITS * np.where(signal <= 0.5, signal**2 / 3, bright) ** 1.2
    else:
        return None
    light, peak = nits / REFERENCE_WHITE_NITS, PEAK_NITS / REFERENCE_WHITE_NITS
    toned = np.clip(light * (1 + light / peak**2) / (1 + light), 0, 1)
    curve: Picture = np.rint(255 * toned ** (1 / 2.2)).astype(np.uint8)
    return curve
