"""Fit how faces and bodies of signers look and move: python scripts/fit_body.py STORE.

The store is one of Google's Isolated Sign Language Recognition clips (CC BY 4.0), made by ``signary data prepare``.
Every clip is mirrored so that its right hand signs, and scaled to shoulder widths from the middle of the shoulders;
the unknown aspect of the pictures is estimated from the face. The file holds the mean of all clips, the main
differences between clips, and the main movements within them with their pace. The script also prints how hands appear
and vanish in these clips; the figures of `signary.datasets.synthetic.noise` come from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.avatar.body import SIGNER
from signary.datasets.stores.landmarks import ClipStore
from signary.datasets.synthetic.body import BODY, BODY_POINTS, SIGNING_ARM
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, POSE, RIGHT_HAND
from signary.output import whole_file

SHOULDERS = (POSE.start + 11, POSE.start + 12)
EYES, MOUTH = (33, 263), (61, 291)
LOOKS, FACE_MOVES, POSE_MOVES = 14, 8, 4
LEAST_FRAMES, FPS, DEPTH = 6, 30.0, 0.3  # the weight of depth, which is imprecise, in the search for variations
LEAST_SPAN = 8  # frames from a hand's first to its last, to count gaps

Floats = NDArray[np.float32]


def main() -> None:
    """Fit, write and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", type=Path)
    parser.add_argument("-o", "--output", default=BODY, type=Path)
    options = parser.parse_args()
    store = ClipStore(options.store)
    clips = [right_signing(store.sequence(row)) for row in np.flatnonzero(store.lengths >= LEAST_FRAMES)]
    bodies = [centered(clip) for clip in clips]
    bodies = [body for body in bodies if len(body)]
    still = np.stack([np.median(body, 0) for body in bodies])
    mean = still.mean(0)
    moves = [body - np.median(body, 0) for body in bodies]
    arrays = {"mean": mean, "looks": main_modes(still - mean, LOOKS)[0]}
    face = np.array(BODY_POINTS) < POSE.start
    own = ~face & ~np.isin(BODY_POINTS, SIGNING_ARM)
    parts = [main_modes(np.concatenate(moves) * part[:, None], count, moves)
             for part, count in ((face, FACE_MOVES), (own, POSE_MOVES))]  # fmt: skip
    arrays["moves"] = np.concatenate([modes for modes, _ in parts])
    arrays["pace_hz"] = np.concatenate([pace for _, pace in parts])
    with whole_file(options.output, force=True) as draft:
        np.savez_compressed(draft, **{name: values.astype(np.float16) for name, values in arrays.items()})
    print(f"{options.output}: {len(bodies)} clips, {options.output.stat().st_size / 1e3:.0f} kB")
    print("pace of moves, Hz:", arrays["pace_hz"].round(2))
    report(clips)


def right_signing(clip: LandmarkSequence) -> LandmarkSequence:
    """Return a clip, mirrored if its left hand is seen more often."""
    seen = [np.isfinite(clip.points[:, hand, 0]).sum() for hand in (LEFT_HAND, RIGHT_HAND)]
    return clip.mirrored() if seen[0] > seen[1] else clip


def centered(clip: LandmarkSequence) -> Floats:
    """Return the body's points float32 (T, P, 3) of the complete frames, in the clip's shoulder widths."""
    points = clip.points[np.isfinite(clip.points[:, list(BODY_POINTS)]).all((1, 2))]
    if len(points) < LEAST_FRAMES:
        return points[:0, : len(BODY_POINTS)]
    middle = np.median(points, 0)
    points = points * [1, face_ratio(middle) / true_ratio(), 1]
    middle = np.median(points[:, list(SHOULDERS)], 0)
    width = np.linalg.norm((middle[0] - middle[1])[:2])
    body = points[:, list(BODY_POINTS)]
    face = np.array(BODY_POINTS) < POSE.start
    body = (body - middle.mean(0) * [1, 1, 0]) / width
    body[:, ~face, 2] -= np.median(body[:, ~face, 2])
    return np.asarray(body, np.float32)


def face_ratio(points: Floats) -> float:
    """Return the breadth from eye to eye over the height from eyes to mouth."""
    eyes, mouth = points[list(EYES)], points[list(MOUTH)]
    return float(np.ptp(eyes[:, 0]) / (mouth[:, 1].mean() - eyes[:, 1].mean()))


def true_ratio() -> float:
    """Return the ratio of the avatar's face, whose aspect is known."""
    with np.load(SIGNER, allow_pickle=False) as arrays:
        return face_ratio(arrays["face"].astype(np.float32))


def main_modes(rows: Floats, count: int, clips: list[Floats] | None = None) -> tuple[Floats, Floats]:
    """Return the main variations (count, P, 3) of rows (N, P, 3), a standard deviation long, and their pace in Hz.

    The pace is that of an oscillation with the same root mean square speed as the variation within clips.
    """
    weight = np.array([1, 1, DEPTH], np.float32)
    flat = (rows * weight).reshape(len(rows), -1)
    _, _, axes = np.linalg.svd(flat[:: max(1, len(flat) // 6000)], full_matrices=False)
    scores = flat @ axes[:count].T
    modes = (axes[:count] * scores.std(0)[:, None]).reshape(count, *rows.shape[1:]) / weight
    if clips is None:
        return modes, np.zeros(count, np.float32)
    ends = np.cumsum([len(clip) for clip in clips])[:-1]
    steps = np.concatenate([np.diff(part, axis=0) for part in np.split(scores, ends)])
    return modes, FPS * np.sqrt((steps**2).mean(0)) / scores.std(0) / (2 * np.pi)


def report(clips: list[LandmarkSequence]) -> None:
    """Print how the signing hand appears and vanishes, and how much points tremble."""
    gaps: list[int] = []
    rates, trembles = [], []
    for clip in clips:
        hand = clip.points[:, RIGHT_HAND]
        seen = np.flatnonzero(np.isfinite(hand[:, 0, 0]))
        if len(seen) < LEAST_SPAN:
            continue
        missed = np.diff(seen) - 1
        gaps += missed[missed > 0].tolist()
        rates.append(len(seen) / (seen[-1] - seen[0] + 1))
        relative = hand - hand[:, :1]
        size = np.nanmedian(np.linalg.norm(relative[:, 9, :2], axis=-1))
        second = relative[2:] - 2 * relative[1:-1] + relative[:-2]
        trembles.append(np.nanmedian(np.abs(second), axis=(0, 1)) / size / 0.6745 / np.sqrt(6))
    print("gaps, frames, at 25, 50, 75, 90, 95 %:", np.quantile(gaps, [0.25, 0.5, 0.75, 0.9, 0.95]))
    print("hand seen between first and last, at 5, 25, 50, 75 %:", np.quantile(rates, [0.05, 0.25, 0.5, 0.75]).round(2))
    print("tremble x, y, z in palms, at 10, 50 %:", np.nanquantile(trembles, [0.1, 0.5], axis=0).round(4).tolist())


if __name__ == "__main__":
    main()
