"""Sample a fixed number of square pictures, evenly spaced, from a clip of any length."""

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
KEPT = 16  # frames kept in memory for each sample, before every second one is dropped

Fit = Literal["pad", "crop"]


def sample_places(
    count: int, frames: int = CLIP_FRAMES, *, chance: np.random.Generator | None = None
) -> NDArray[np.int64]:
    """Return the indices of T frames, int64 (T,), rising: one from each of T segments of equal length.

    Parameters
    ----------
    count : int
        Frames of the clip, 1 or more; if fewer than T, some are repeated.
    frames : int
        T, 1 or more.
    chance : Generator, optional
        Draws the position in each segment; the middle by default.

    Raises
    ------
    InputError
        If one of the numbers is below 1.

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
    """Decode a clip once and sample its frames as upright squares.

    Frames are counted while decoding, as file headers may be wrong. Beyond 32 x T frames every second one is dropped,
    repeatedly, so that memory use is constant; a sampled frame then lies within a sixteenth of a segment of its place.

    Parameters
    ----------
    source : anything that `signary.video.source.open_source` takes
    frames : int
        T.
    side : int
        S in pixels.
    fit : {"pad", "crop"}
        Black bars beside the whole picture, or its middle only.
    chance : Generator, optional
        As for `sample_places`; with ``draws``, for those only.
    draws : int
        Random samples after the one from the middles.

    Returns
    -------
    uint8 (T, S, S, 3), or with draws (1 + draws, T, S, S, 3), RGB

    Raises
    ------
    InputError
        If the source cannot be read or has no frames.
    ConfigError
        If ``fit`` or ``side`` is invalid.
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
    """Return every ``step``-th frame as squares, the step, and the number of all frames."""
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
