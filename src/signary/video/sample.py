"""Clips of any length to a fixed number of square pictures, spread evenly over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from signary.errors import ConfigError, InputError
from signary.video.source import FrameSource, opened
from signary.video.square import letterbox, square

CLIP_FRAMES = 20
SIDE_PX = 299
KEPT = 16  # frames held in memory for each that is asked for, before every second one is let go

Fit = Literal["pad", "crop"]


def sample_places(
    count: int, frames: int = CLIP_FRAMES, *, chance: np.random.Generator | None = None
) -> NDArray[np.int64]:
    """Return which frames of a clip are taken, int64 (T,), rising: one of each of T segments of equal length.

    Parameters
    ----------
    count : int
        Frames of the clip, 1 or more; of a clip shorter than T some are taken twice or more.
    frames : int
        T.
    chance : Generator, optional
        Where in its segment each frame lies; the middle by default.

    Raises
    ------
    InputError
        If there is no frame to take, or none is asked for.

    Examples
    --------
    >>> sample_places(100, 4).tolist(), sample_places(2, 4).tolist()
    ([12, 37, 62, 87], [0, 0, 1, 1])
    """
    if count < 1 or frames < 1:
        raise InputError(f"{frames} frames of {count}: cannot be taken", hint="1 or more of a clip of 1 or more")
    within = 0.5 if chance is None else chance.random(frames)
    places: NDArray[np.int64] = np.floor((np.arange(frames) + within) * count / frames).astype(np.int64)
    return places


def sample_clip(
    source: str | Path | int | NDArray[Any] | FrameSource,
    frames: int = CLIP_FRAMES,
    *,
    side: int = SIDE_PX,
    fit: Fit = "pad",
    chance: np.random.Generator | None = None,
    draws: int = 0,
) -> NDArray[np.uint8]:
    """Decode a clip once and take some of its frames, as upright squares.

    What the file says of its number of frames is not believed: frames are counted as they come. Of a clip of more
    than 16 x T frames every second one is let go while it is read, again and again, so that memory does not grow
    with its length; a frame taken then lies within a sixteenth of a segment of its place.

    Parameters
    ----------
    source : anything that `signary.video.source.open_source` takes
    frames : int
        T.
    side : int
        S in pixels.
    fit : {"pad", "crop"}
        How pictures that are not square keep their aspect: black beside the whole picture, or its middle.
    chance : Generator, optional
        Take each frame from anywhere in its segment, not from the middle. With ``draws``, only those are.
    draws : int
        Samples taken by chance behind the one from the middles.

    Returns
    -------
    uint8 (T, S, S, 3), or with draws (1 + draws, T, S, S, 3), RGB

    Raises
    ------
    InputError
        If the source cannot be read or has no frames.
    ConfigError
        If ``fit`` or ``side`` is none.
    """
    if fit not in FITS or side < 1:
        raise ConfigError(f"fit={fit!r}, side={side}: cannot be used", hint="pad or crop, 1 pixel or more")
    kept, step, count = _kept_frames(source, KEPT * frames, side, fit)
    if not draws:
        return kept[_nearest(sample_places(count, frames, chance=chance), step, len(kept))]
    chance = chance or np.random.default_rng(0)
    places = [sample_places(count, frames), *(sample_places(count, frames, chance=chance) for _ in range(draws))]
    return kept[_nearest(np.stack(places), step, len(kept))]


def _kept_frames(source: Any, most: int, side: int, fit: Fit) -> tuple[NDArray[np.uint8], int, int]:
    """Return every so many-th frame as squares, every how many-th, and how many there were in all."""
    kept: list[NDArray[np.uint8]] = []
    step, count, name = 1, 0, str(source) if isinstance(source, str | Path | int) else "clip"
    with opened(source) as frames:
        for frame in frames:
            if count % step == 0:
                if len(kept) == 2 * most:
                    kept, step = kept[::2], 2 * step
                if count % step == 0:
                    kept.append(FITS[fit](frame.image, side))
            count += 1
    if not kept:
        raise InputError(f"{name}: no frames", hint="give a video that a player can show")
    return np.stack(kept), step, count


def _nearest(places: NDArray[np.int64], step: int, kept: int) -> NDArray[np.int64]:
    return np.minimum((places + step // 2) // step, kept - 1)


FITS = {"pad": letterbox, "crop": square}
