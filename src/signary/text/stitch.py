"""Long clips in overlapping windows, and joining the results of the windows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from signary.errors import InputError, ShapeError

NEARNESS = 4  # power of the distance to a window's edge; high, as two windows may name a shape a frame apart
# Most characters that two windows share: this factor times as many as if all took the same time, plus some.
FASTER, SLACK = 1.5, 3

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def windows(frames: int, *, size: int = 384, overlap: int = 128) -> Integers:
    """Return evenly spaced spans of frames that cover a clip.

    Parameters
    ----------
    frames : int
        Of the clip, 0 or more.
    size : int
        Frames of a window.
    overlap : int
        Smallest number of frames that neighbors share, below ``size``.

    Returns
    -------
    int64 (W, 2)
        First frame of each window, and the first one after it; one window if the clip is not longer.

    Raises
    ------
    InputError
        If the numbers do not fit together.

    Examples
    --------
    >>> windows(10, size=6, overlap=2).tolist()
    [[0, 6], [4, 10]]
    """
    if frames < 0 or not 0 <= overlap < size:
        raise InputError(f"{frames} frames, windows of {size}, overlap {overlap}", hint="overlap below size")
    if frames <= size:
        return np.array([[0, frames]], np.int64)
    count = -(-(frames - overlap) // (size - overlap))
    starts = np.linspace(0, frames - size, count).astype(np.int64)
    return np.stack([starts, starts + size], 1)


def stitch_frames(pieces: Sequence[ArrayLike], starts: ArrayLike) -> Floats:
    """Join log-probabilities of overlapping windows; the window whose middle is nearer counts more.

    Parameters
    ----------
    pieces : sequence of float (N, V)
        Logarithms of probabilities; W windows.
    starts : int (W,)
        First frame of each.

    Returns
    -------
    float64 (T, V)
        Logarithms of probabilities.

    Raises
    ------
    ShapeError
        If the windows do not fit together, or there are none.
    InputError
        If a frame is in no window.
    """
    tables, first = [np.asarray(piece, np.float64) for piece in pieces], np.asarray(starts)
    shapes = [table.shape for table in tables]
    if not tables or len({shape[1:] for shape in shapes}) != 1 or len(shapes[0]) != 2:
        raise ShapeError(f"pieces {shapes}, must be (N, V)", hint="a row a frame, the same classes in all")
    if first.shape != (len(tables),) or not np.issubdtype(first.dtype, np.integer) or first.min() < 0:
        raise ShapeError(f"starts {first.dtype} {first.shape}, must be int ({len(tables)},)", hint="a frame a window")
    frames = max(int(start) + len(table) for start, table in zip(first, tables, strict=True))
    total, weight = np.zeros((frames, shapes[0][1])), np.zeros((frames, 1))
    for start, table in zip(first.tolist(), tables, strict=True):
        place, here = np.arange(len(table)), slice(start, start + len(table))
        near = (np.minimum(place + 1, place[::-1] + 1) / (len(table) + 1))[:, None] ** NEARNESS
        total[here] += near * np.exp(table)
        weight[here] += near
    if not weight.all():
        raise InputError(f"frame {int(weight.argmin())}: in no window", hint="windows must cover the clip")
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(total / weight))


def stitch_texts(texts: Sequence[str], *, share: float = 1 / 3) -> str:
    """Join the texts of overlapping windows.

    The end of a text and the start of the next are aligned so that most characters agree, with gaps where one has more,
    and joined at the middle one of these: results are least reliable at the edges. Texts without a character in common
    are appended.

    Parameters
    ----------
    texts : sequence of str
        In order of time.
    share : float
        Share of a window's frames that the next one has, too (0 to 1).

    Returns
    -------
    str

    Raises
    ------
    InputError
        If the share is not 0 to 1.

    Examples
    --------
    >>> stitch_texts(["forty two main sq", "ain street", "streetside"], share=0.5)
    'forty two main streetside'
    """
    if not 0 <= share <= 1:
        raise InputError(f"share={share}, must be 0 to 1", hint="overlap / size of the windows")
    whole, before = "", ""
    for text in texts:
        most = int(FASTER * share * (len(before) + len(text)) / 2) + SLACK if share else 0
        tail, head = whole[max(len(whole) - most, 0) :], text[:most]
        end, start = _join(tail, head)
        whole, before = whole[: len(whole) - len(tail) + end] + text[start:], text
    return whole


def _join(tail: str, head: str) -> tuple[int, int]:
    """Return where to cut the end of a text and the start of the next one."""
    score, same = _overlaps(tail, head)
    one, other = len(tail), int(score[-1].argmax())
    if score[one, other] <= 0:
        return len(tail), 0
    pairs = []
    while one and other:
        if score[one, other] == score[one - 1, other - 1] + same[one - 1, other - 1]:
            one, other = one - 1, other - 1
            if same[one, other] > 0:
                pairs.append((one, other))
        elif score[one, other] == score[one - 1, other] - 1:
            one -= 1
        else:
            other -= 1
    return pairs[len(pairs) // 2]


def _overlaps(tail: str, head: str) -> tuple[Integers, Integers]:
    """Score how well the last characters of one text align with the first of another.

    Returns the scores (M + 1, N + 1) of the best alignments of any end of ``tail[:m]`` with ``head[:n]``, and 1 or -1
    (M, N) for each two characters that agree or do not; a gap costs 1.
    """
    codes = [np.frombuffer(text.encode("utf-32-le"), np.uint32) for text in (tail, head)]
    same = np.where(codes[0][:, None] == codes[1], 1, -1)
    place = np.arange(len(head) + 1)
    score = np.zeros((len(tail) + 1, len(head) + 1), np.int64)
    score[0] = -place
    for row, agree in enumerate(same, 1):
        score[row, 1:] = np.maximum(score[row - 1, :-1] + agree, score[row - 1, 1:] - 1)
        score[row] = np.maximum.accumulate(score[row] + place) - place
    return score, same
