"""Confused classes, and thumbnails of examples."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.errors import SignaryError
from signary.evaluation.labeled import Source
from signary.evaluation.report.pairs import Example, Mistake
from signary.landmarks.draw import draw_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, POSE, RIGHT_HAND
from signary.video.kinds import PHOTO_ENDINGS, VIDEO_ENDINGS
from signary.video.source import open_source

MOST_PAIRS = 6
MOST_EXAMPLES = 3
THUMBNAIL_PX = 120
THUMBNAIL_ASPECT = 0.5, 2.0
STRIP_FRAMES = 3
STRIP_MARGIN = 0.08
STRIP_PAPER, STRIP_GAP_PX = 244, 3
LIKELY_ASPECT = 4 / 3  # of a clip that does not say

Confidence = NDArray[np.float64]


def worst_confusions(targets: Sequence[str], predictions: Sequence[str]) -> list[tuple[str, str, int]]:
    """Return the confusions (expected, read, count), the most frequent first, then by name."""
    wrong = Counter(pair for pair in zip(targets, predictions, strict=True) if pair[0] != pair[1])
    return sorted(((*pair, count) for pair, count in wrong.items()), key=lambda row: (-row[2], row[:2]))


def confused_pairs(
    targets: Sequence[str],
    predictions: Sequence[str],
    confidence: Sequence[float] | Confidence = (),
    sources: Sequence[Source] = (),
) -> list[tuple[Mistake, ...]]:
    """Find the pairs of classes that are confused most, both directions together.

    Parameters
    ----------
    targets, predictions : sequence of str (N,)
        A prediction of ``""``, no answer, is not a confusion.
    confidence : (N,), optional
        The most confident predictions are shown; without it the first ones.
    sources : sequence of Path or StoredClip (N,), optional
        Without it there are no pictures.

    Returns
    -------
    list of tuples of Mistake
        Most frequent pair first. Each holds one or two directions, the more frequent first.
    """
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, pair in enumerate(zip(targets, predictions, strict=True)):
        places[pair].append(place)
    totals, merged = Counter(targets), Counter[tuple[str, ...]]()
    for target, read, count in worst_confusions(targets, predictions):
        if read:
            merged[tuple(sorted((target, read)))] += count

    def mistake(target: str, read: str) -> Mistake:
        wrong, right = (_examples(places.get(pair, ()), confidence, sources) for pair in ((target, read), (read, read)))
        return Mistake(target, read, len(places[target, read]), totals[target], wrong, right)

    most = sorted(merged, key=lambda pair: (-merged[pair], pair))[:MOST_PAIRS]
    both = ([way for way in ((a, b), (b, a)) if way in places] for a, b in most)
    return [tuple(mistake(*way) for way in sorted(ways, key=lambda way: -len(places[way]))) for ways in both]


def thumbnail(source: Source) -> NDArray[np.uint8] | None:
    """Return a small picture, uint8 (120, W, 3) RGB, 60 <= W <= 240.

    It is a photo or the first frame of a video, cropped; for a stored clip it is the skeleton at several moments. None
    for what cannot be shown: a landmark file, a broken picture, a clip without hands.
    """
    return _photo(source) if isinstance(source, Path) else skeleton_strip(source.sequence())


def skeleton_strip(clip: LandmarkSequence) -> NDArray[np.uint8] | None:
    """Draw the skeleton at three moments of a clip, from its first hand to its last: uint8 (120, 240, 3) RGB.

    Parameters
    ----------
    clip : LandmarkSequence

    Returns
    -------
    picture or None
        None if no hand was seen.
    """
    points = clip.as_holistic().points.copy()
    shown = np.flatnonzero(np.isfinite(points[:, np.r_[LEFT_HAND, RIGHT_HAND], 0]).any(axis=1))
    if not len(shown):
        return None
    moments = points[shown[np.linspace(0, len(shown) - 1, STRIP_FRAMES).round().astype(int)]]
    # the head and the shoulders show where the hands are
    core = moments[:, np.r_[POSE.start : POSE.start + 13, LEFT_HAND, RIGHT_HAND], :2]
    low, high = np.nanmin(core, axis=(0, 1)), np.nanmax(core, axis=(0, 1))
    scale = np.array([clip.aspect or LIKELY_ASPECT, 1.0])
    panel = np.array([THUMBNAIL_PX * THUMBNAIL_ASPECT[1] / STRIP_FRAMES, THUMBNAIL_PX])
    # pixels for a picture's height, so that everything fits in
    fit = (panel * (1 - 2 * STRIP_MARGIN) / np.maximum((high - low) * scale, 1e-3)).min()
    moments[..., :2] = (moments[..., :2] - (low + high) / 2) * scale * fit / panel + 0.5
    blank = np.full((THUMBNAIL_PX, int(panel[0]), 3), STRIP_PAPER, np.uint8)
    strip = np.stack([draw_landmarks(blank, moment, thickness=1) for moment in moments], axis=1)
    strip[:, :, -STRIP_GAP_PX:] = 255
    return strip.reshape(THUMBNAIL_PX, -1, 3)


def _photo(path: Path) -> NDArray[np.uint8] | None:
    from PIL import Image, ImageOps

    if path.suffix.lower() not in (*PHOTO_ENDINGS, *VIDEO_ENDINGS):
        return None
    try:
        with open_source(path) as frames:
            frame = next(iter(frames), None)
    except (SignaryError, OSError):
        return None
    if frame is None:
        return None
    width = round(THUMBNAIL_PX * float(np.clip(frame.aspect, *THUMBNAIL_ASPECT)))
    return np.asarray(ImageOps.fit(Image.fromarray(frame.image), (width, THUMBNAIL_PX)))


def _examples(
    places: Iterable[int], confidence: Sequence[float] | Confidence, sources: Sequence[Source]
) -> tuple[Example, ...]:
    found: list[Example] = []
    for place in sorted(places, key=lambda place: -confidence[place] if len(confidence) else 0) if sources else ():
        if (image := thumbnail(sources[place])) is not None:
            found.append(Example(image, sources[place].name, confidence[place] if len(confidence) else None))
        if len(found) == MOST_EXAMPLES:
            break
    return tuple(found)
