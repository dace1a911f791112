"""Write pictures as a video: MP4 or GIF."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from signary.errors import InputError, ShapeError
from signary.output import check_free, whole_file
from signary.ranges import FPS, above_zero
from signary.video.frame import Frame, Picture

if TYPE_CHECKING:
    import av

H264_OPTIONS = {"crf": "20", "preset": "veryfast"}
MPEG4_BITS_A_PIXEL = 4  # a second; plenty, as the encoder is old


def write_video(path: str | Path, images: Iterable[Picture], fps: float, *, force: bool = False) -> Path:
    """Write pictures, one at a time, as ``.mp4`` (H.264, or MPEG-4 without that encoder) or ``.gif``.

    Parameters
    ----------
    path : str or Path
        Its ending is the format.
    images : iterable of uint8 (H, W, 3), RGB
        All of one size. An MP4 needs even sides: the last row or column of odd ones is repeated.
    fps : float
        Above 0; a GIF has a resolution of 0.01 s.
    force : bool
        Overwrite an existing file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the ending is unknown, the file exists, ``fps`` is not above 0 or there are no images.
    ShapeError
        If an image has another shape or dtype.
    """
    path = Path(path)
    encode = ENCODERS.get(path.suffix.lower())
    if encode is None:
        raise InputError(f"{path}: no known video format", hint=f"known: {', '.join(ENCODERS)}")
    above_zero(FPS, fps=fps)
    check_free(path, force=force)
    rest = iter(images)
    first = next(rest, None)
    if first is None:
        raise InputError(f"{path}: no images to write", hint="a video needs at least one frame")
    with whole_file(path, force=force) as draft:
        encode(draft, chain([first], rest), Fraction(fps).limit_denominator(1001))
    return path


def _write_mp4(draft: Path, images: Iterable[Picture], rate: Fraction) -> None:
    import av

    h264 = "libx264" in av.codecs_available
    codec, options = ("libx264", H264_OPTIONS) if h264 else ("mpeg4", {})

    def frame_of(image: Picture) -> av.VideoFrame:
        even = np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
        return av.VideoFrame.from_ndarray(even, format="rgb24")

    # index first, so that the file can be piped, and played while it loads
    with av.open(str(draft), "w", format="mp4", options={"movflags": "faststart"}) as container:
        _encode(container, images, frame_of, codec=codec, rate=rate, pix_fmt="yuv420p", options=options)


def _write_gif(draft: Path, images: Iterable[Picture], rate: Fraction) -> None:
    import av

    with av.open(str(draft), "w", format="gif") as container:
        _encode(container, images, _palette_frame, codec="gif", rate=rate, pix_fmt="pal8", options={})


def _palette_frame(image: Picture) -> av.VideoFrame:
    """Quantize a picture to its own palette of 256 colors."""
    import av
    from PIL import Image

    reduced = Image.fromarray(image).quantize(256)
    colors = np.array(reduced.getpalette("RGB"), np.uint8).reshape(-1, 3)
    palette = np.zeros((256, 4), np.uint8)  # alpha, red, green, blue
    palette[:, 0] = 255
    palette[: len(colors), 1:] = colors
    paletted: Any = np.asarray(reduced), palette
    return av.VideoFrame.from_ndarray(paletted, format="pal8")


def _encode(
    container: av.container.OutputContainer,
    images: Iterable[Picture],
    frame_of: Callable[[Picture], av.VideoFrame],
    *,
    codec: str,
    rate: Fraction,
    pix_fmt: str,
    options: dict[str, str],
) -> None:
    stream: Any = None
    shape: tuple[int, ...] = ()
    for image in images:
        picture = frame_of(Frame(image).image)
        if stream is None:
            stream = container.add_stream(codec, rate=rate, options=options)
            stream.width, stream.height, stream.pix_fmt = picture.width, picture.height, pix_fmt
            if codec == "mpeg4":
                stream.bit_rate = MPEG4_BITS_A_PIXEL * picture.width * picture.height
            shape = image.shape
        if image.shape != shape:
            raise ShapeError(f"image {image.shape}, must be {shape} as the first", hint="give images of one size")
        container.mux(stream.encode(picture))
    container.mux(stream.encode(None))


ENCODERS = {".mp4": _write_mp4, ".gif": _write_gif}
