"""Decode photos with Pillow to upright 8-bit RGB pictures."""

from __future__ import annotations

import io
import math
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.video.frame import Picture

if TYPE_CHECKING:
    from PIL import Image

MAX_SIDE_PX = 1920
MAX_PIXELS = 100_000_000

# Formats of Pillow's default plug-ins first; none of them starts another program.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "PPM", "WEBP", "TIFF", "AVIF", "JPEG2000")
HEIF = "HEIF"
HEIF_SIGNATURE = re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
TRANSPARENT = ("RGBA", "LA", "PA", "RGBa")
KNOWN = "JPEG, PNG, WebP, GIF, BMP, TIFF, HEIC, AVIF, JPEG 2000"


def read_photo(
    photo: str | Path | bytes, *, name: str = "", max_side: int = MAX_SIDE_PX, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Decode a photo, upright by its EXIF orientation.

    16-bit, palette, grey and CMYK pictures become 8-bit RGB; transparent ones get a white background. An animation
    gives its first picture, a HEIC file its primary one.

    Parameters
    ----------
    photo : str, Path or bytes
        A file or its bytes.
    name : str
        In errors; the path by default.
    max_side : int
        Longest side of the result in pixels; larger photos are shrunk (JPEG while decoding).
    max_pixels : int

    Returns
    -------
    uint8 (H, W, 3), RGB

    Raises
    ------
    InputError
        If it is missing, empty, not a picture, cut off, or above ``max_pixels`` (checked before decoding).
    """
    name = name or ("picture" if isinstance(photo, bytes) else str(photo))
    with open_bytes(photo, name) as data, open_image(data, name, max_pixels) as image:
        scale = min(1.0, max_side / max(image.size))
        image.draft(None, (math.ceil(image.width * scale), math.ceil(image.height * scale)))
        return image_pixels(image, name, max_side=max_side)


def open_bytes(photo: str | Path | bytes, name: str) -> BinaryIO:
    """Open a file or its bytes; raise `InputError` if it is missing, empty or unreadable."""
    if isinstance(photo, bytes):
        return io.BytesIO(photo)
    path = Path(photo)
    try:
        if path.stat().st_size:
            return path.open("rb")
    except FileNotFoundError:
        raise InputError(f"{name}: no such file", hint="check the path") from None
    except OSError as error:
        raise InputError(f"{name}: {error.strerror}", hint="check what it is and its permissions") from None
    raise InputError(f"{name}: empty file", hint="copy or record it again")


def open_image(data: BinaryIO, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Read the header of a photo; raise `InputError` if it is no photo or has more than ``max_pixels``."""
    from PIL import Image, UnidentifiedImageError

    head = data.read(16)
    data.seek(0)
    is_heif = HEIF_SIGNATURE.match(head) is not None
    if is_heif:
        teach_pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(data, formats=(HEIF,) if is_heif else FORMATS)
    except Image.DecompressionBombError as error:  # raised by Pillow before the size is known
        pixels = re.search(r"\d+", str(error))
        raise _too_large(name, f"{int(pixels[0]) / 1e6:.0f} megapixels" if pixels else "huge picture") from None
    except UnidentifiedImageError:
        raise InputError(f"{name}: not a photo that can be read", hint=f"known: {KNOWN}") from None
    except InputError as error:
        raise InputError(f"{name}: {error.message}", hint=error.hint) from None
    except Exception as error:  # Pillow raises nearly any error for damaged files
        raise _damaged(name, error) from error
    check_size(image.width, image.height, name, max_pixels)
    return image


def image_pixels(image: Image.Image, name: str, *, max_side: int = MAX_SIDE_PX) -> Picture:
    """Decode a Pillow image of any mode, which is not changed; parameters, result and errors as for `read_photo`."""
    from PIL import ImageOps

    try:
        rgb = _as_rgb(ImageOps.exif_transpose(image))
        rgb.thumbnail((max_side, max_side))
        return np.array(rgb)
    except Exception as error:  # as above
        raise _damaged(name, error) from error


def check_size(width: int, height: int, name: str, max_pixels: int = MAX_PIXELS) -> None:
    """Raise `InputError` for a picture of more than ``max_pixels``."""
    if width * height > max_pixels:
        raise _too_large(name, f"{width} x {height} pixels", max_pixels)


def teach_pillow() -> None:
    """Register HEIC with Pillow; its decoder is imported with the first such photo."""
    from PIL import Image

    if HEIF not in Image.OPEN:
        Image.register_open(HEIF, _open_heif, lambda head: HEIF_SIGNATURE.match(head) is not None)


def _open_heif(file: Any, name: str | bytes) -> Any:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        hint = "pip install pillow-heif, or save it as JPEG"
        raise InputError("HEIC cannot be read by this installation", hint=hint) from None
    return cast(Any, HeifImageFile)(file, name)


def _damaged(name: str, error: Exception) -> InputError:
    return InputError(f"{name}: damaged photo ({error})", hint="copy it again, or save it anew")


def _too_large(name: str, size: str, max_pixels: int = MAX_PIXELS) -> InputError:
    return InputError(
        f"{name}: {size}, must be at most {max_pixels // 1_000_000} megapixels",
        hint=f"shrink it first; {MAX_SIDE_PX} pixels a side are enough",
    )


def _as_rgb(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith("I") or image.mode == "F":
        return Image.fromarray(_as_grey(np.asarray(image))).convert("RGB")
    if image.mode == "La":  # premultiplied grey, which Pillow converts to LA only
        image = image.convert("LA")
    if image.mode in TRANSPARENT or "transparency" in image.info:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _as_grey(values: NDArray[Any]) -> Picture:
    """Return 8-bit grey of 16-bit, 32-bit or float values; their maximum decides if white is 1, 255 or 65535."""
    finite = np.nan_to_num(values.astype(np.float64))
    white = next((white for white in (1, 255, 65535) if finite.max(initial=0) <= white), finite.max(initial=1))
    white = 255 if white == 1 and values.dtype.kind != "f" else white
    return np.asarray(np.clip(finite * 255 // white, 0, 255), np.uint8)
