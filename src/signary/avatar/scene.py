"""The upper body behind the hands: shirt, neck, head and sleeves, as flat outlines shaded to look round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from signary.avatar.hand import Floats
from signary.avatar.look import Image, Look
from signary.avatar.outline import Outline, Paint, both_sides, capsule, ellipse, fill, smooth, stroke
from signary.landmarks.face import (
    LEFT_EYE_LOWER,
    LEFT_EYE_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NOSE,
    RIGHT_EYE_LOWER,
    RIGHT_EYE_UPPER,
)
from signary.landmarks.sequence import LEFT, RIGHT
from signary.landmarks.skeleton import FACE, POSE, POSE_NAMES

CUFF_AT = 0.62  # of the way from the elbow to the wrist
SLEEVE_WIDTHS = (0.25, 0.2, 0.152)  # at shoulder, elbow and cuff, shoulder widths
COARSE = 4  # light on the body is soft, so it is computed on every fourth pixel
ROUNDNESS, RIM = 0.3, 0.16
_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149,
         150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)  # fmt: skip
_FOREHEAD, _CHIN, _JAW, _EARS = 10, 152, (172, 397), (234, 454)
_BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))


@dataclass(frozen=True, eq=False)
class Part:
    """A part of the body.

    Parameters
    ----------
    shape : float (N, 2)
        Outline, pixels.
    color : (float, float, float)
        RGB, 0 to 255.
    girth : float
        Pixels from the edge to full thickness; 0 = flat.
    details : sequence of (float (N, 2), (float, float, float), float)
        Details to paint on it: outlines to fill if the width is 0, else lines of that width.
    """

    shape: Outline
    color: Paint
    girth: float = 0.0
    details: Sequence[tuple[Outline, Paint, float]] = ()


def draw_body(backdrop: Image, points: Floats, look: Look) -> Floats:
    """Draw shirt, arms, neck and head in front of a background, where their points are known.

    Parameters
    ----------
    backdrop : uint8 (H, W, 3)
    points : float32 (543, 3)
        Pixels.
    look : Look

    Returns
    -------
    float32 (H, W, 3)
        0 to 255.
    """
    canvas = backdrop.copy()
    light = np.ones(backdrop.shape[:2], np.float32)
    for part in _parts(points, look):
        fill(canvas, part.shape, part.color)
        for line, color, width in part.details:
            if width:
                stroke(canvas, line, color, width)
            else:
                fill(canvas, line, color)
        if part.girth:
            _light(light, part, look)
    # in bytes: a picture of floats takes four times as long
    bright = cv2.merge([cv2.convertScaleAbs(light, alpha=128)] * 3)
    return np.asarray(cv2.multiply(canvas, bright, scale=1 / 128), np.float32)


def point_of(points: Floats, name: str) -> Floats:
    """Return a point (3,) of the pose, NaN where it was not seen."""
    return np.asarray(points[POSE.start + POSE_NAMES.index(name)])


def cuff_of(points: Floats, side: str) -> Floats:
    """Return the end of a sleeve (3,), NaN if the arm was not seen."""
    elbow, wrist = point_of(points, f"{side}_elbow"), point_of(points, f"{side}_wrist")
    return np.asarray(elbow + CUFF_AT * (wrist - elbow))


def shade_of(look: Look, factor: float) -> Paint:
    """Return the skin's color, RGB 0 to 255, times a factor of light."""
    red, green, blue = (255 * np.clip(look.tone * factor, 0, 1)).tolist()
    return red, green, blue


def _parts(points: Floats, look: Look) -> Iterator[Part]:
    """Yield the parts of the body from back to front."""
    left, right = point_of(points, "left_shoulder")[:2], point_of(points, "right_shoulder")[:2]
    face = points[FACE, :2]
    head = bool(np.isfinite(face).all())
    if head:
        yield _back_hair(face, look)
    if np.isfinite([left, right]).all() and np.linalg.norm(left - right) >= 1:
        if head:
            yield _neck(left, right, face, look)
        yield _shirt(left, right, look)
        for side in (LEFT, RIGHT):
            joints = [point_of(points, f"{side}_{joint}")[:2] for joint in ("shoulder", "elbow", "wrist")]
            if np.isfinite(joints).all():
                yield from _sleeve(joints, cuff_of(points, side)[:2], float(np.linalg.norm(left - right)), look)
    if head:
        yield from _head(face, look)


def _light(light: Floats, part: Part, look: Look) -> None:
    """Write a part's brightness into ``light``: its edges turn away from the viewer, to the light or away from it."""
    outline = part.shape
    room = np.array(light.shape[::-1])
    low = np.clip(np.floor(outline.min(0)) - 1, 0, room).astype(int)
    high = np.clip(np.ceil(outline.max(0)) + 1, 0, room).astype(int)
    if (high - low < 2).any():
        return
    window = light[low[1] : high[1], low[0] : high[0]]
    cover = np.zeros(window.shape, np.uint8)
    fill(cover, outline - low, (255,))
    margin = int(np.ceil(part.girth / COARSE)) + 1
    small = np.zeros(np.ceil((high - low) / COARSE).astype(int)[::-1] + 2 * margin, np.uint8)
    fill(small, (outline - low) / COARSE + margin, (1,))
    sigma = max(0.6 * part.girth / COARSE, 0.8)
    round_ = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma)
    x, y = (cv2.Sobel(round_, cv2.CV_32F, *along, scale=0.3 * sigma) for along in ((1, 0), (0, 1)))
    right, down = np.array(look.light[:2]) / max(float(np.linalg.norm(look.light)), 1e-6)
    bright = 1 - 2 * ROUNDNESS * (x * np.float32(right) + y * np.float32(down)) - RIM * cv2.magnitude(x, y)
    grow = np.array([[COARSE, 0, -COARSE * margin], [0, COARSE, -COARSE * margin]], np.float32)
    spread = cv2.warpAffine(np.minimum(np.maximum(bright, 0.5), 1.3), grow, window.shape[::-1])
    window += cv2.multiply(spread - window, cover, scale=1 / 255, dtype=cv2.CV_32F)


def _shirt(left: Floats, right: Floats, look: Look) -> Part:
    middle, side, down, width = _axes(left, right)
    unit = width * np.array([side, down])
    return Part(middle + _SHIRT @ unit, look.shirt, 0.16 * width, [(middle + _HEM @ unit, _times(look.shirt, 0.78), 0)])


def _sleeve(joints: list[Floats], cuff: Floats, width: float, look: Look) -> Iterator[Part]:
    shoulder, elbow, wrist = joints
    first, second, last = (0.5 * share * width for share in SLEEVE_WIDTHS)
    color = _times(look.shirt, 0.95)
    yield Part(capsule(shoulder + 0.14 * (elbow - shoulder), elbow, first, second), color, second)
    axis = (wrist - elbow) / max(float(np.linalg.norm(wrist - elbow)), 1e-6)
    across = np.array([-axis[1], axis[0]])
    opening = ellipse(cuff, 0.4 * last, 0.92 * last, across)
    rim = ellipse(cuff, 0.4 * last, last, across)
    ahead = rim[(rim - cuff) @ axis >= 0]
    ahead = ahead[np.argsort((ahead - cuff) @ across)]
    behind = capsule(elbow, cuff, second, last)[12:]
    sides = ahead if (ahead[-1] - behind[0]) @ across < (ahead[0] - behind[0]) @ across else ahead[::-1]
    yield Part(np.concatenate([behind, sides]), color, last, [(opening, _times(look.shirt, 0.45), 0)])


def _neck(left: Floats, right: Floats, face: Floats, look: Look) -> Part:
    middle, side, down, width = _axes(left, right)
    jaw = face[list(_JAW)]
    top = jaw.mean(0) + 0.66 * (jaw - jaw.mean(0))  # the signer's right first
    base = middle + 0.19 * width * np.array([-side, side])
    outline = np.array([*top, base[1], middle + 0.1 * width * down, base[0]])
    low = 0.45 * top + 0.55 * base
    shadow = np.array([*top, low[1], 0.5 * low.sum(0) + 0.05 * width * down, low[0]])
    return Part(outline, shade_of(look, 0.88), 0.1 * width, [(shadow, shade_of(look, 0.7), 0)])


def _back_hair(face: Floats, look: Look) -> Part:
    middle, up, size = _upright(face)
    return Part(ellipse(middle + 0.1 * size * up, 0.48 * size, 0.62 * size, up), look.hair)


def _head(face: Floats, look: Look) -> Iterator[Part]:
    middle, up, size = _upright(face)
    for ear in _EARS:
        yield Part(ellipse(face[ear] - 0.02 * size * up, 0.05 * size, 0.11 * size, up), shade_of(look, 0.8))
    oval = face[list(_OVAL)]
    hairline = oval[(oval - middle) @ up > 0.3 * size]
    details: list[tuple[Outline, Paint, float]] = [(middle + 1.03 * (hairline - middle), look.hair, 0)]
    details.extend((face[list(brow)], look.hair, 0.022 * size) for brow in _BROWS)
    for upper, lower in ((LEFT_EYE_UPPER, LEFT_EYE_LOWER), (RIGHT_EYE_UPPER, RIGHT_EYE_LOWER)):
        eye = face[[*upper, *lower[::-1]]]
        details.append((eye, (236, 233, 228), 0))
        details.append((ellipse(eye.mean(0), 0.027 * size, 0.027 * size, up), (52, 38, 32), 0))
        details.append((face[list(upper)], shade_of(look, 0.4), 0.012 * size))
    details.append((face[list(NOSE)], shade_of(look, 0.72), 0.014 * size))
    above, below = face[list(LIPS_OUTER_UPPER)], face[list(LIPS_OUTER_LOWER)]
    red, green, blue = shade_of(look, 0.85)
    details.append((np.concatenate([above, below[::-1]]), (red, 0.74 * green, 0.75 * blue), 0))
    details.append((0.5 * (above + below), shade_of(look, 0.45), 0.008 * size))
    yield Part(oval, shade_of(look, 1.0), 0.22 * size, [detail for detail in details if len(detail[0])])


def _axes(left: Floats, right: Floats) -> tuple[Floats, Floats, Floats, float]:
    """Return the middle of the shoulders, unit vectors to the left one and down, and the shoulder width."""
    width = float(np.linalg.norm(left - right))
    side = (left - right) / width
    return (left + right) / 2, side, np.array([-side[1], side[0]], np.float32), width


def _upright(face: Floats) -> tuple[Floats, Floats, float]:
    """Return a face's center, its unit vector up and its height."""
    size = max(float(np.linalg.norm(face[_FOREHEAD] - face[_CHIN])), 1e-3)
    return face[list(_OVAL)].mean(0), (face[_FOREHEAD] - face[_CHIN]) / size, size


def _times(color: Paint, factor: float) -> Paint:
    return tuple(factor * value for value in color)


# Shoulder widths sideways and down from the middle of the shoulders.
_SHIRT = smooth(both_sides((
    (0.0, 0.07), (0.13, -0.04), (0.17, -0.15), (0.27, -0.1), (0.42, -0.055), (0.53, 0.0), (0.59, 0.1), (0.56, 0.35),
    (0.5, 0.8), (0.5, 2.4),
)))  # fmt: skip
_HEM = both_sides(((0.0, 0.07), (0.13, -0.04), (0.17, -0.15), (0.2, -0.14), (0.155, -0.03), (0.0, 0.1)))
