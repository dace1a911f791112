"""Appearance of the avatar: skin, light, camera and background."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.ranges import above_zero

Image = NDArray[np.uint8]
Color = tuple[int, int, int]

# The ten tones of the Monk Skin Tone scale (Ellis Monk and Google, CC BY 4.0), light to dark.
SKIN_TONES: tuple[Color, ...] = (
    (246, 237, 228), (243, 231, 219), (247, 234, 208), (234, 218, 186), (215, 189, 150),
    (160, 126, 86), (130, 92, 67), (96, 65, 52), (58, 49, 42), (41, 36, 32),
)  # fmt: skip
EXPOSURE = (0.58, 0.014)  # gamma on the chart's colors, and its decrease: a camera exposes longer for darker skin
HAIR: tuple[Color, ...] = ((30, 24, 22), (58, 40, 30), (92, 62, 40), (150, 112, 70), (120, 118, 116))
BACKGROUNDS = ("plain", "wall", "room")


@dataclass(frozen=True, slots=True)
class Look:
    """Appearance of pictures.

    Parameters
    ----------
    skin : int
        1 (light) to 10 (dark), a tone of the Monk scale.
    background : {"plain", "wall", "room"}
        One color; a lit wall; blurred objects behind the signer.
    backdrop, shirt, hair : (int, int, int)
        RGB.
    light : (float, float, float)
        Direction of the light source: right, down, away from the camera; any length but 0.
    ambient : float
        Share of ambient light, 0 to 1.
    yaw_deg, pitch_deg, roll_deg : float
        Rotation of the camera about the picture's center: from the right, from above, clockwise.
    zoom : float
        Above 0; 2 shows everything twice as large.
    shutter : float
        Exposure time as a share of the time between frames; 0 = no motion blur.
    noise : float
        Standard deviation of sensor noise, grey levels.
    seed : int
        Of background and noise.
    """

    skin: int = 4
    background: str = "wall"
    backdrop: Color = (148, 163, 172)
    shirt: Color = (58, 74, 98)
    hair: Color = (52, 40, 34)
    light: tuple[float, float, float] = (-0.45, -0.7, -1.0)
    ambient: float = 0.45
    yaw_deg: float = 0.0
    pitch_deg: float = 0.0
    roll_deg: float = 0.0
    zoom: float = 1.0
    shutter: float = 0.0
    noise: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.skin not in range(1, len(SKIN_TONES) + 1):
            raise InputError(f"skin={self.skin}, must be 1 to {len(SKIN_TONES)}", hint="1 is light, 10 is dark")
        if self.background not in BACKGROUNDS:
            raise InputError(f"background={self.background!r}: unknown", hint=f"known: {', '.join(BACKGROUNDS)}")
        above_zero("1 shows the upper body", zoom=self.zoom)

    @classmethod
    def random(cls, random: np.random.Generator, **fields: Any) -> Look:
        """Draw a random look: skin, light, colors, camera; ``fields`` are kept as given."""
        drawn: dict[str, Any] = {
            "skin": int(random.integers(1, 11)),
            "background": str(random.choice(BACKGROUNDS)),
            "backdrop": _wall_color(random),
            "shirt": _color(random, 20, 220),
            "hair": HAIR[random.integers(len(HAIR))],
            "light": (float(random.uniform(-0.9, 0.9)), float(random.uniform(-1.0, -0.1)), -1.0),
            "ambient": float(random.uniform(0.35, 0.65)),
            "yaw_deg": float(random.uniform(-12, 12)),
            "pitch_deg": float(random.uniform(-8, 8)),
            "roll_deg": float(random.uniform(-6, 6)),
            "zoom": float(random.uniform(0.85, 1.15)),
            "noise": float(random.uniform(0, 6)),
            "seed": int(random.integers(1 << 31)),
        }
        return cls(**(drawn | fields))

    @property
    def tone(self) -> NDArray[np.float32]:
        """Color of the back of the hand, float32 (3,), 0 to 1."""
        return _exposed(self.skin)

    @property
    def gloss(self) -> float:
        """Share of specular light on the skin; it is more visible on dark skin."""
        return 0.04 + 0.022 * self.skin

    @property
    def palm_tone(self) -> NDArray[np.float32]:
        """Color of the palm, float32 (3,): lighter and redder than the back, more so on darker skin."""
        pale = np.array([0.86, 0.66, 0.56], np.float32)
        share = 0.12 + 0.36 * (self.skin - 1) / 9
        return np.asarray((1 - share) * self.tone + share * pale, np.float32)

    def turn(self) -> NDArray[np.float32]:
        """Return the rotation matrix (3, 3) of the scene for the camera's rotation."""
        yaw, pitch, roll = np.radians([self.yaw_deg, -self.pitch_deg, self.roll_deg])
        about_y = [[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]]
        about_x = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
        about_z = [[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]]
        return np.asarray(np.array(about_z) @ about_x @ about_y, np.float32)

    def backdrop_image(self, size: tuple[int, int]) -> Image:
        """Draw the background, uint8 (H, W, 3)."""
        width, height = size
        image = np.full((height, width, 3), self.backdrop, np.float32)
        if self.background == "plain":
            return image.astype(np.uint8)
        random = np.random.default_rng(self.seed)
        if self.background == "room":
            for _ in range(14):
                corner = random.uniform(-0.2, 1.0, 2) * size
                far = corner + random.uniform(0.08, 0.5, 2) * size
                shade = np.clip(np.array(self.backdrop) * random.uniform(0.5, 1.4) + random.normal(0, 18, 3), 0, 255)
                cv2.rectangle(image, tuple(map(int, corner)), tuple(map(int, far)), shade.tolist(), -1)
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), width / 70), np.float32)
        fall = np.linspace(1.08, 0.86, height, dtype=np.float32)[:, None, None]
        side = np.linspace(1.0 - 0.08 * self.light[0], 1.0 + 0.08 * self.light[0], width, dtype=np.float32)[:, None]
        grain = random.normal(0, 1.5, (height, width, 1)).astype(np.float32)
        return np.asarray(np.clip(image * fall * side + grain, 0, 255), np.uint8)


@cache
def _exposed(skin: int) -> NDArray[np.float32]:
    chart = np.array(SKIN_TONES[skin - 1], np.float32) / 255
    return np.asarray(chart ** (EXPOSURE[0] - EXPOSURE[1] * skin) * np.array([1.0, 0.9, 0.84], np.float32), np.float32)


def _wall_color(random: np.random.Generator) -> Color:
    """Draw a typical wall color: grey with a slight tint."""
    red, green, blue = (int(value) for value in np.clip(random.uniform(60, 215) + random.normal(0, 14, 3), 0, 255))
    return red, green, blue


def _color(random: np.random.Generator, low: int, high: int) -> Color:
    red, green, blue = (int(value) for value in random.integers(low, high, 3))
    return red, green, blue
