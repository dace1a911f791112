"""Exact depth of round cones along parallel rays, and their shading."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from signary.avatar.flesh import Cones, hand_length
from signary.avatar.hand import Floats
from signary.avatar.look import Look

FAR = np.float32(1e6)
PALM, NAIL_FROM = 0, 0.45


@dataclass(frozen=True, eq=False)
class Surface:
    """The visible surface in a window of the picture.

    Parameters
    ----------
    left, top : int
        Corner of the window in the picture, pixels.
    depth : float32 (h, w)
        Pixels behind the picture plane; `FAR` where there is nothing.
    back : float32 (h, w)
        -1 palm side to 1 back of the hand.
    nail, crease : float32 (h, w)
        0 to 1.
    """

    left: int
    top: int
    depth: Floats
    back: Floats
    nail: Floats
    crease: Floats


def surface_of(cones: Cones, size: float, width: int, height: int) -> Surface | None:
    """Return the nearest surface at every pixel of the window around the cones, or None if that is empty.

    Parameters
    ----------
    cones : Cones
    size : float
        Hand length in pixels.
    width, height : int
        Of the picture.
    """
    reach = np.maximum(cones.start_radius, cones.end_radius)[:, None] + 2
    low = (np.minimum(cones.start, cones.end)[:, :2] - reach).min(0)
    high = (np.maximum(cones.start, cones.end)[:, :2] + reach).max(0)
    left, top = np.maximum(np.floor(low), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high), (width, height)).astype(int)
    if right - left < 2 or bottom - top < 2:
        return None
    shape = (bottom - top, right - left)
    palm, rest = np.full(shape, FAR), np.full(shape, FAR)
    back, nail, crease = (np.zeros(shape, np.float32) for _ in range(3))
    fingers_back = np.zeros(shape, np.float32)
    for index in range(len(cones.part)):
        flesh = cones.part[index] == PALM
        buffers = (palm, back, None, None) if flesh else (rest, fingers_back, nail, crease)
        _draw_cone(cones, index, (left, top), *buffers)
    palm = _smoothed(palm, 0.03 * size)
    nearer = rest < palm
    gap = clipped((palm - rest) / (0.05 * size), 0, 1) * (rest < FAR)
    seam = np.where((palm < FAR) & nearer, 0, 1)
    return Surface(
        left, top,
        np.where(nearer, rest, palm), np.where(nearer, fingers_back, back),
        nail * nearer, crease * nearer * np.maximum(seam, gap),
    )  # fmt: skip


def _draw_cone(
    cones: Cones,
    index: int,
    corner: tuple[int, int],
    depth: Floats,
    back: Floats,
    nail: Floats | None,
    crease: Floats | None,
) -> None:
    """Write one cone into the buffers where it is nearest."""
    start, end = cones.start[index] - (*corner, 0), cones.end[index] - (*corner, 0)
    first, second = cones.start_radius[index], cones.end_radius[index]
    radius = max(first, second) + 1
    left, top = np.maximum(np.floor(np.minimum(start, end)[:2] - radius), 0).astype(int)
    right, bottom = np.ceil(np.maximum(start, end)[:2] + radius).astype(int) + 1
    window = (slice(top, max(bottom, 0)), slice(left, max(right, 0)))
    target = depth[window]
    if not target.size:
        return
    x = np.arange(left, left + target.shape[1], dtype=np.float32)[None] + 0.5
    y = np.arange(top, top + target.shape[0], dtype=np.float32)[:, None] + 0.5
    seen, share = _cone_depth(x - start[0], y - start[1], end - start, first, second)
    seen += start[2]
    nearer = seen < np.minimum(target, FAR / 2)
    if not nearer.any():
        return
    np.copyto(target, seen, where=nearer)
    axis, outward = end - start, cones.back[index]
    wide = first + (second - first) * share
    facing = (x - start[0]) * outward[0] + (y - start[1]) * outward[1] + (seen - start[2]) * outward[2]
    facing = clipped((facing - share * (axis @ outward)) / wide, -1, 1)
    np.copyto(back[window], facing, where=nearer)
    if nail is not None and crease is not None:
        marks = np.zeros_like(seen)
        if cones.last[index]:
            along = clipped((share - NAIL_FROM) / 0.08, 0, 1)
            marks = clipped((facing - 0.62) / 0.12, 0, 1) * along
        np.copyto(nail[window], marks, where=nearer)
        fold = np.exp(-np.square(share * np.linalg.norm(axis) / (0.22 * first))) * clipped(0.35 - facing, 0, 1)
        np.copyto(crease[window], fold, where=nearer)


def _cone_depth(x: Floats, y: Floats, axis: Floats, first: float, second: float) -> tuple[Floats, Floats]:
    """Return the depth (h, w) of a round cone from the origin along ``axis``, and the position on the axis, 0 to 1.

    The ray hits the side at the smaller root of a quadratic in depth; beyond the ends of the side, it hits the spheres.
    """
    slope = first - second
    length2 = float(axis @ axis)
    side2 = length2 - slope * slope
    if side2 <= 1e-6:  # one sphere contains the other
        middle, radius = (np.zeros(3), first) if slope > 0 else (axis, second)
        ball = _ball_depth(x - middle[0], y - middle[1], radius) + np.float32(middle[2])
        return ball, np.full(ball.shape, 0.0 if slope > 0 else 1.0, np.float32)
    flat = x * axis[0] + y * axis[1]  # (h, w)
    square = x * x + y * y
    a = side2 - axis[2] ** 2
    b = -flat * axis[2] + axis[2] * slope * first
    c = side2 * square - flat * flat + 2 * flat * slope * first - length2 * first * first
    inside = b * b - a * c
    met = (inside > 0) & (a > 1e-6)  # else the nearer sphere hides the side
    root = np.sqrt(np.where(met, inside, 0))
    depth = (-b - root) / max(a, 1e-6)
    along = flat + depth * axis[2] - first * slope
    side = met & (along > 0) & (along < side2)
    ends = np.minimum(_ball_depth(x, y, first), _ball_depth(x - axis[0], y - axis[1], second) + np.float32(axis[2]))
    share = clipped((flat + np.where(side, depth, 0) * axis[2]) / length2, 0, 1)
    return np.where(side, depth, ends).astype(np.float32), share.astype(np.float32)


def clipped(values: Floats, low: float, high: float) -> Floats:
    """Clip values to a range: two plain ufuncs take a third of the time of ``np.clip`` on small windows."""
    return np.asarray(np.minimum(np.maximum(values, low), high))


def _ball_depth(x: Floats, y: Floats, radius: float) -> Floats:
    inside = radius * radius - x * x - y * y
    return np.where(inside > 0, -np.sqrt(np.maximum(inside, 0)), FAR).astype(np.float32)


def _smoothed(depth: Floats, sigma: float) -> Floats:
    """Blur a depth map within its outline."""
    mask = (depth < FAR).astype(np.float32)
    blurred = cv2.GaussianBlur(np.where(mask > 0, depth, 0), (0, 0), sigma)
    weight = cv2.GaussianBlur(mask, (0, 0), sigma)
    return np.where(mask > 0, blurred / np.maximum(weight, 1e-3), FAR).astype(np.float32)


def shaded(surface: Surface, size: float, look: Look) -> tuple[Floats, Floats]:
    """Shade a surface.

    Parameters
    ----------
    surface : Surface
    size : float
        Hand length in pixels.
    look : Look

    Returns
    -------
    color : float32 (h, w, 3)
        0 to 255.
    cover : float32 (h, w)
        Coverage of each pixel by the hand, 0 to 1.
    """
    mask = (surface.depth < FAR).astype(np.float32)
    floor = float(surface.depth[mask > 0].max()) + 0.25 * size if mask.any() else 0.0
    depth = np.where(mask > 0, surface.depth, floor).astype(np.float32)
    # outside the hand, depth continues at that of its edge, so that normals at the edge turn away from the viewer
    normal = _normals(np.where(mask > 0, depth, cv2.dilate(np.where(mask > 0, depth, -FAR), np.ones((5, 5)))))
    light = np.array(look.light, np.float32)
    light /= np.linalg.norm(light)
    falling = normal @ light
    # subsurface scattering: red light reaches farthest into the shadow
    wrap = np.array([0.5, 0.36, 0.3], np.float32)
    diffuse = clipped((falling[..., None] + wrap) / (1 + wrap), 0, 1)
    hidden = _hidden(depth, size)[..., None]
    albedo = _albedo(surface, look)
    half = light + np.array([0, 0, -1], np.float32)
    gloss = clipped(normal @ (half / np.linalg.norm(half)), 0, 1) ** 14
    shine = (look.gloss + 0.22 * surface.nail)[..., None] * gloss[..., None]
    lit = look.ambient * hidden + (1.12 - look.ambient) * diffuse * (0.35 + 0.65 * hidden)
    color = 255 * clipped(albedo * lit * 0.96 + shine, 0, 1)
    cover = np.asarray(cv2.GaussianBlur(mask, (3, 3), 0.7), np.float32)
    # partly covered pixels outside the hand take the color of its edge
    edge = cv2.GaussianBlur(np.asarray(color * mask[..., None], np.float32), (3, 3), 0.7)
    edge = edge / np.maximum(cover, 1e-3)[..., None]
    return np.where(mask[..., None] > 0, color, edge).astype(np.float32), cover


def _normals(depth: Floats) -> Floats:
    """Return unit normals (h, w, 3), towards the camera."""
    across = cv2.Sobel(depth, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(depth, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    normal = np.stack([across, down, np.full_like(depth, -1)], -1)
    return np.asarray(normal / np.sqrt((normal * normal).sum(-1, keepdims=True)))


def _hidden(depth: Floats, size: float) -> Floats:
    """Return ambient openness of each pixel, 0 to 1: pixels deeper than their surroundings are in shade."""
    openness = np.ones_like(depth)
    for reach, strength in ((0.025, 5.0), (0.08, 2.2)):
        around = cv2.GaussianBlur(depth, (0, 0), reach * size)
        openness -= clipped((depth - around) * (strength / size), 0, 0.5)
    return clipped(openness, 0.15, 1)


def _albedo(surface: Surface, look: Look) -> Floats:
    """Return the color of the skin (h, w, 3), 0 to 1."""
    inner = clipped(0.5 - 1.4 * surface.back, 0, 1)[..., None]
    skin = look.tone + inner * (look.palm_tone - look.tone)
    nail = clipped(0.55 * look.palm_tone + np.array([0.4, 0.3, 0.29], np.float32), 0, 1)
    skin = skin + 0.75 * surface.nail[..., None] * (nail - skin)
    return np.asarray(skin * (1 - np.array([0.32, 0.42, 0.45], np.float32) * surface.crease[..., None]))


def shade(cones: Cones, hand: Floats, image: Floats, look: Look) -> None:
    """Draw a hand of cones into a picture float32 (H, W, 3), in place."""
    size = hand_length(hand)
    surface = surface_of(cones, size, image.shape[1], image.shape[0])
    if surface is None:
        return
    color, cover = shaded(surface, size, look)
    rows = slice(surface.top, surface.top + cover.shape[0])
    columns = slice(surface.left, surface.left + cover.shape[1])
    under = image[rows, columns]
    under += cover[..., None] * (color - under)
