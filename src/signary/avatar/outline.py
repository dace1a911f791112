"""Outlines in a picture: construction, filling and drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from signary.avatar.hand import Floats
from signary.avatar.look import Image

Outline = NDArray[np.floating[Any]]
Paint = tuple[float, ...]

_SHIFT = 4
_HALF_ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 12)
_HALF_CIRCLE = np.stack([np.cos(_HALF_ANGLES), np.sin(_HALF_ANGLES)], 1)
_FARTHEST = 8192.0


def fill(canvas: Image, outline: Outline, color: Paint) -> None:
    """Fill an outline (N, 2), anti-aliased."""
    cv2.fillPoly(canvas, [_fixed(outline)], color, cv2.LINE_AA, _SHIFT)


def stroke(canvas: Image, line: Outline, color: Paint, width: float) -> None:
    """Draw a line (N, 2), at least one pixel wide."""
    cv2.polylines(canvas, [_fixed(line)], False, color, max(1, round(width)), cv2.LINE_AA, _SHIFT)


def _fixed(points: Outline) -> NDArray[np.int32]:
    return np.asarray(np.rint(np.minimum(np.maximum(points, -_FARTHEST), _FARTHEST) * 2**_SHIFT), np.int32)


def ellipse(middle: Floats, half_width: float, half_height: float, up: Floats) -> Outline:
    """Return the outline (40, 2) of an ellipse whose height is along the unit vector ``up``."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)[:, None]
    return np.asarray(
        middle + half_width * np.cos(angle) * np.array([up[1], -up[0]]) + half_height * np.sin(angle) * up
    )


def capsule(start: Floats, end: Floats, first: float, last: float) -> Outline:
    """Return the outline (24, 2) of a limb: two half circles of radius ``first`` and ``last``, connected."""
    axis = (end - start) / max(float(np.linalg.norm(end - start)), 1e-6)
    across = np.array([-axis[1], axis[0]])
    cap = _HALF_CIRCLE @ np.array([axis, across])
    return np.concatenate([end + last * cap, start - first * cap])


def smooth(corners: Outline, steps: int = 4) -> Outline:
    """Return a closed curve (N * steps, 2) through corners (N, 2): Catmull and Rom's spline."""
    before, after, further = (np.roll(corners, shift, 0) for shift in (1, -1, -2))
    share = np.linspace(0, 1, steps, endpoint=False)[:, None, None]
    curve = 0.5 * (
        2 * corners
        + (after - before) * share
        + (2 * before - 5 * corners + 4 * after - further) * share**2
        + (3 * corners - before - 3 * after + further) * share**3
    )
    return np.asarray(curve.swapaxes(0, 1).reshape(-1, 2))


def both_sides(half: Sequence[tuple[float, float]]) -> Outline:
    """Return a symmetric outline, given its left half from top to bottom."""
    return np.concatenate([np.array(half), (np.array(half) * (-1, 1))[::-1]])
