"""Face and body of a synthetic signer, and the camera.

``body.npz`` next to this file is made by ``scripts/fit_body.py`` from clips of Google's Isolated Sign Language
Recognition data (CC BY 4.0): how signers differ, and how they move, in shoulder widths from the middle of the
shoulders.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signary.avatar.body import ELBOWS_OUT, FOREARM, UPPER_ARM
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.options import SyntheticOptions
from signary.features.select import PARTS
from signary.landmarks.skeleton import POSE, POSE_NAMES

BODY = Path(__file__).with_name("body.npz")
BODY_POINTS = tuple(sorted(point for part in ("lips", "nose", "right_eye", "left_eye", "upper_body")
                           for point in PARTS[part]))  # fmt: skip
# Pose points on the signing hand, and the hand points that they equal.
CARRIED = {16: 0, 18: 17, 20: 5, 22: 2}
ELBOW, SHOULDER = POSE_NAMES.index("right_elbow"), POSE_NAMES.index("right_shoulder")
SIGNING_ARM = tuple(POSE.start + point for point in (ELBOW, *CARRIED))
WAVES = 3
# Shoulder width as a share of the picture's shorter side, and the position of the shoulders' middle in the picture.
ZOOM, ZOOM_SPREAD, ZOOM_RANGE = 0.5, 0.28, (0.22, 0.8)
MIDDLE_X, MIDDLE_Y = (0.5, 0.06), (0.68, 0.08)
WRIST_IN = ((0.12, 0.35), (0.88, 0.92))
ASPECTS = (9 / 16, 3 / 4, 1.0, 4 / 3, 16 / 9)


@dataclass(frozen=True, eq=False)
class Camera:
    """B cameras: they map shoulder widths to picture widths and heights.

    Parameters
    ----------
    turn : float32 (B, 3, 3)
        Yaw and pitch, for points with depth.
    plane : float32 (B, 2, 2)
        Roll and scale: x, y in the picture = ``plane`` @ shoulder widths + ``middle``.
    middle : float32 (B, 2)
    depth : float32 (B,)
        Picture widths per shoulder width.
    """

    turn: Tensor
    plane: Tensor
    middle: Tensor
    depth: Tensor


def place_cameras(hands: Tensor, options: SyntheticOptions, dice: Dice) -> Camera:
    """Draw cameras placed so that a wrist (B, 3), in shoulder widths, is in the picture."""
    strength, count = options.camera, len(hands)
    yaw, pitch, roll = (
        strength * dice.normal(3, count).clamp(-2.5, 2.5) * torch.tensor([[0.2], [0.12], [0.06]], device=dice.device)
    )
    aspects = torch.tensor(ASPECTS, device=dice.device)
    aspect = aspects[dice.whole(len(ASPECTS), count)] if strength else torch.ones(count, device=dice.device)
    zoom = (ZOOM * (strength * ZOOM_SPREAD * dice.normal(count)).exp()).clamp(*ZOOM_RANGE) / aspect.clamp(min=1)
    scale = torch.stack([zoom, zoom * aspect], -1)
    plane = torch.stack([roll.cos(), -roll.sin(), roll.sin(), roll.cos()], -1).view(-1, 2, 2) * scale[..., None]
    spread = torch.tensor([MIDDLE_X[1], MIDDLE_Y[1]], device=dice.device)
    at = torch.tensor([MIDDLE_X[0], MIDDLE_Y[0]], device=dice.device)
    zero, one = torch.zeros_like(yaw), torch.ones_like(yaw)
    about_y = torch.stack([yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos()], -1)
    about_x = torch.stack([one, zero, zero, zero, pitch.cos(), -pitch.sin(), zero, pitch.sin(), pitch.cos()], -1)
    turn = about_x.view(-1, 3, 3) @ about_y.view(-1, 3, 3)
    at = at + strength * spread * dice.normal(count, 2)
    wrist = (plane @ (turn @ hands[..., None])[:, :2])[..., 0] + at
    low, high = torch.tensor(WRIST_IN, device=dice.device)
    return Camera(turn, plane, at + wrist.clamp(low, high) - wrist, zoom)


def swing(moments: Moments, pace_hz: Sequence[float], dice: Dice) -> Tensor:
    """Return D slow irregular movements float32 (N, D), of standard deviation 1 over time, given their frequencies."""
    shape = (WAVES, len(moments.lengths), len(pace_hz))
    pace = 2 * math.pi * torch.tensor(pace_hz, device=dice.device) * dice.uniform(0.3, 1.6, *shape)
    phase = dice.uniform(0, 2 * math.pi, *shape)
    total, time = torch.zeros((), device=dice.device), moments.times_s.float()[:, None]
    for wave in range(WAVES):
        total = total + torch.sin(time * pace[wave][moments.text] + phase[wave][moments.text])
    return total * math.sqrt(2 / WAVES)


class Bodies:
    """Faces and bodies of synthetic signers.

    Parameters
    ----------
    points : tuple of int
        Which of `BODY_POINTS`, by their numbers in ``HOLISTIC_543``; the signing arm and shoulder are always computed.
    options : SyntheticOptions
    device : torch.device or str
    """

    def __init__(self, points: tuple[int, ...], options: SyntheticOptions, device: torch.device | str = "cpu") -> None:
        self.points, self.options = points, options
        columns = [BODY_POINTS.index(point) for point in points]
        mean, looks, moves = (torch.from_numpy(part).to(device) for part in _learned()[:3])
        self._pace = _learned()[3].tolist()
        self._looks = len(looks)
        rows = torch.cat([mean[None], looks, moves])
        self._basis = rows[:, columns].permute(2, 0, 1).contiguous()  # (3, D, P)
        at = BODY_POINTS.index(POSE.start + SHOULDER)
        self._shoulder = rows[: 1 + len(looks), at]

    def draw(self, moments: Moments, sway: Tensor, camera: Camera, hand: Tensor, dice: Dice) -> Tensor:
        """Return bodies in pictures.

        Parameters
        ----------
        moments : Moments
        sway : float32 (N, 3)
            Shift of the whole signer, shoulder widths.
        camera : Camera
        hand : float32 (N, 21, 3)
            The signing right hand, in shoulder widths from the middle of the shoulders, rotated into the camera's view.
        dice : Dice

        Returns
        -------
        float32 (N, P, 3)
        """
        text = moments.text
        count = len(camera.depth)
        looks = self.options.looks * dice.normal(count, self._looks).clamp(-2, 2)
        looks = torch.cat([torch.ones(count, 1, device=dice.device), looks], 1)
        moves = self.options.body_motion * swing(moments, self._pace, dice)
        weights = torch.cat([looks[text], moves], 1)
        x, y, z = (weights @ basis for basis in self._basis)
        x, y = x + sway[:, :1], y + sway[:, 1:2]
        shoulder = (looks @ self._shoulder)[text] + sway
        for point, place in self._arm(shoulder, hand).items():
            x[:, point], y[:, point] = place[:, 0], place[:, 1]
        plane, middle = camera.plane[text], camera.middle[text]
        return torch.stack(
            [
                torch.addcmul(middle[:, :1] + plane[:, 0, :1] * x, plane[:, 0, 1:], y),
                torch.addcmul(middle[:, 1:] + plane[:, 1, :1] * x, plane[:, 1, 1:], y),
                camera.depth[text][:, None] * z,
            ],
            -1,
        )

    def _arm(self, shoulder: Tensor, hand: Tensor) -> dict[int, Tensor]:
        """Return the positions (N, 3) of the signing arm's points, by column."""
        places = {POSE.start + point: hand[:, carried] for point, carried in CARRIED.items()}
        places[POSE.start + ELBOW] = _elbow(shoulder * torch.tensor([1, 1, 0], device=hand.device), hand[:, 0])
        return {self.points.index(point): place for point, place in places.items() if point in self.points}


def _elbow(shoulder: Tensor, wrist: Tensor) -> Tensor:
    """Return the elbow, bent down and outward (two-bone inverse kinematics)."""
    reach = wrist - shoulder
    length = reach.norm(dim=-1, keepdim=True)
    axis = reach / length.clamp(min=1e-6)
    length = length.clamp(0.2, (UPPER_ARM + FOREARM) * 0.999)
    along = (length**2 + UPPER_ARM**2 - FOREARM**2) / (2 * length)
    out = torch.from_numpy(ELBOWS_OUT).to(axis.device)
    aside = out - (axis * out).sum(-1, keepdim=True) * axis
    aside = aside / aside.norm(dim=-1, keepdim=True).clamp(min=1e-6)
    elbow: Tensor = shoulder + along * axis + (UPPER_ARM**2 - along**2).clamp(min=0).sqrt() * aside
    return elbow


@cache
def _learned() -> tuple[NDArray[np.float32], ...]:
    with np.load(BODY, allow_pickle=False) as arrays:
        return tuple(arrays[name].astype(np.float32) for name in ("mean", "looks", "moves", "pace_hz"))
