"""Handshapes of characters, sampled from real people, and the strokes that the hand draws with them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signary.avatar.body import HAND_LENGTH
from signary.avatar.hand import HandBuild
from signary.avatar.handshapes import JOINTS, HandshapeBank, load_handshapes
from signary.avatar.keys import DRAWN_WITH, J_STROKE, TIME_OF, Z_STROKE
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.texts import FORMS
from signary.errors import InputError
from signary.text.characters import CHARACTERS

REST = len(CHARACTERS)  # the padding token: after a text the hand rests
KEYS = 6  # per slot, from reaching a shape to leaving it
# Kept for testing: two people who show all letters, are read neither best nor worst when left out of the training of
# the letters model, and are not the avatar's default for letters; and the last of five groups of people who show
# digits. All others are for training.
TEST_PEOPLE = ("borisgraudt", "meyyappan", "digits-4")
AT_REST, POINTING = "C", "1"

Way = tuple[tuple[tuple[float, float, float], float], ...]


def _flat(stroke: tuple[tuple[tuple[float, float], float], ...]) -> Way:
    return (((0.0, 0.0, 0.0), 0.12), *(((x, y, 0.0), 0.8 * share) for (x, y), share in stroke))


def _line(*places: tuple[float, float]) -> Way:
    return tuple(((x, y, 0.0), 0.0 if not number else 1 / len(places)) for number, (x, y) in enumerate(places))


_POKE: Way = (((0.0, 0.0, 0.0), 0.15), ((0.0, 0.1, -0.35), 0.45), ((0.0, 0.0, 0.0), 0.4))
# Strokes of a right hand as the viewer sees them: positions in hand lengths, and shares of time to get there. The first
# is where the shape is reached.
STROKES: Mapping[str, Way] = MappingProxyType(
    {
        "j": _flat(J_STROKE),
        "z": _flat(Z_STROKE),
        ".": _POKE,
        ",": _line((0.0, 0.0), (0.05, 0.15), (-0.1, 0.35)),
        ":": (((0.0, -0.1, 0.0), 0.1), ((0.0, -0.1, -0.35), 0.25), ((0.0, 0.1, 0.0), 0.3), ((0.0, 0.25, -0.35), 0.25)),
        "-": _line((0.25, 0.0), (-0.35, 0.0)),
        "_": _line((0.25, 0.45), (-0.35, 0.45)),
        "/": _line((-0.25, -0.35), (0.25, 0.35)),
        "'": _line((0.0, -0.3), (0.12, -0.1)),
        "+": _line((0.3, 0.0), (-0.3, 0.0), (0.0, -0.3), (0.0, 0.3)),
        "@": _line((-0.1, 0.0), (0.05, 0.15), (0.25, -0.1), (0.0, -0.3), (-0.25, 0.1), (0.05, 0.35)),
    }
)
LONGER = {letter.lower(): time for letter, time in TIME_OF.items()} | {" ": 1.1, "+": 1.5, "@": 1.8, ":": 1.3}
LEAN = 0.4  # radians that a hand leans forward to write marks


class Shapes:
    """Handshapes of some people, as tensors.

    Parameters
    ----------
    split : {"train", "test"}
        `TEST_PEOPLE`, or the others.
    options : SyntheticOptions
    device : torch.device or str
    bank : HandshapeBank, optional
        The package's own by default.

    Raises
    ------
    InputError
        If the split is unknown.
    """

    def __init__(
        self,
        split: str,
        options: SyntheticOptions,
        device: torch.device | str = "cpu",
        bank: HandshapeBank | None = None,
    ) -> None:
        if split not in ("train", "test"):
            raise InputError(f"split={split!r}, must be 'train' or 'test'")
        bank = bank or load_handshapes()
        self.options = options
        self.people = tuple(name for name in bank.people if (name in TEST_PEOPLE) == (split == "test"))
        rows = np.array([bank.person(name) for name in self.people])
        self._mean = torch.from_numpy(np.nan_to_num(bank.mean[rows])).to(device)
        self._shown = torch.from_numpy(np.isfinite(bank.mean[rows]).all(-1)).to(device)
        self._modes = torch.from_numpy(np.nan_to_num(bank.modes[rows])).to(device)
        self._differences = torch.from_numpy(bank.differences(rows)).to(device)
        build = bank.build_of(rows)
        self._build = [torch.from_numpy(np.array(part)).float().to(device) for part in vars(build).values()]
        tables = _tables(bank.shapes)
        self._shape, self._offset, self._share, self._mix, self._long, self._lean = (
            torch.from_numpy(table).to(device) for table in tables
        )

    def long(self, slots: Tensor) -> Tensor:
        """Return the relative duration of each character."""
        return self._long[slots]

    def shares(self, slots: Tensor) -> Tensor:
        """Return the times of the keys of slots (B, S), 0 at the first and 1 at the last, float32 (B, S, 6)."""
        return self._share[slots]

    def strokes(self, slots: Tensor, dice: Dice) -> Tensor:
        """Return the strokes of slots (B, S), float32 (B, S, 6, 3), shoulder widths."""
        size = HAND_LENGTH * dice.uniform(0.7, 1.2, len(slots), 1, 1, 1)
        return size * self._offset[slots] * dice.uniform(0.8, 1.2, *slots.shape, 1, 3)

    def drawn(self, poses: Tensor, slots: Tensor) -> Tensor:
        """Interpolate from the first to the last shape of each slot, (B, S, 2, 26) to (B, S, 6, 26)."""
        first, last = poses[:, :, :1], poses[:, :, 1:]
        sign = torch.where((first[..., JOINTS:] * last[..., JOINTS:]).sum(-1, keepdim=True) < 0, -1.0, 1.0)
        last = torch.cat([last[..., :JOINTS], sign * last[..., JOINTS:]], -1)
        return first + self._mix[slots][..., None] * (last - first)

    def builds(self, count: int, dice: Dice) -> HandBuild:
        """Draw hands of new people, interpolated between the known ones."""
        one, other = dice.whole(len(self.people), 2, count)
        share = self.options.bones * dice.uniform(0, 0.5, count)
        parts = []
        for part in self._build:
            mix = share.view(-1, *[1] * (part.ndim - 1))
            parts.append(torch.lerp(part[one], part[other], mix))
        scale = (0.05 * self.options.bones * dice.normal(count, 5, 3)).exp()
        return HandBuild(parts[0] * scale, parts[1] * scale, parts[2])

    def poses(self, slots: Tensor, twins: Tensor, dice: Dice) -> Tensor:
        """Draw the first and last shape of each slot.

        Parameters
        ----------
        slots : int64 (B, S)
            Tokens of characters, `REST` for none.
        twins : int64 (B, S)
            How many slots ago the shape was formed that is still held.
        dice : Dice

        Returns
        -------
        float32 (B, S, 2, 26)
            Angles and a quaternion, as `HandshapeBank.mean`.
        """
        batch, count = slots.shape
        shape = self._shape[slots]  # (B, S, 2)
        people = dice.uniform(0.1, 1, 2, batch, 1, 1, len(self.people)) * self._shown.T[shape]
        one, other = people.argmax(-1)  # one pair of people per clip, for all shapes that they show
        share = torch.where(dice.chance(0.4, batch), 0, self.options.blend * dice.uniform(0, 0.5, batch))
        pose = _blended(self._mean[one, shape], self._mean[other, shape], share[:, None, None, None])
        own = dice.normal(batch, self._mean.shape[1], self._modes.shape[2])[torch.arange(batch)[:, None, None], shape]
        draws = (0.7 * own + 0.7 * dice.normal(*own.shape)).clamp(-2, 2)
        draws = self.options.variation * dice.uniform(0.3, 1.2, batch, 1, 1, 1) * draws
        change = (draws[..., None] * self._modes[one, shape]).sum(-2)
        if self.options.strangers:
            change = change + self._strange(batch, dice)[torch.arange(batch)[:, None, None], shape]
        strange = 0.05 * dice.normal(batch, 1, 1, JOINTS) + 0.03 * dice.normal(batch, count, 1, JOINTS)
        angles = pose[..., :JOINTS] + change[..., :JOINTS] + self.options.variation * strange
        lean = torch.zeros_like(change[..., JOINTS:])
        lean[..., 0] = self._lean[slots][..., None]
        turn = quaternion_product(vector_quaternion(change[..., JOINTS:] + lean), pose[..., JOINTS:])
        first = torch.arange(count, device=slots.device) - twins
        return torch.cat([angles, turn], -1)[torch.arange(batch, device=slots.device)[:, None], first]

    def _strange(self, batch: int, dice: Dice) -> Tensor:
        """Draw the deviation of each clip's signer from the known people, for each shape: float32 (B, shapes, 25)."""
        draws = 0.5 * dice.normal(batch, 1, len(self._differences))
        draws = draws + 0.87 * dice.normal(batch, self._mean.shape[1], len(self._differences))
        return self.options.strangers * dice.uniform(0, 1, batch, 1, 1) * draws.clamp(-2, 2) @ self._differences.T


def _blended(one: Tensor, other: Tensor, share: Tensor) -> Tensor:
    sign = torch.where((one[..., JOINTS:] * other[..., JOINTS:]).sum(-1, keepdim=True) < 0, -1.0, 1.0)
    angles = torch.lerp(one[..., :JOINTS], other[..., :JOINTS], share)
    turn = torch.lerp(one[..., JOINTS:], sign * other[..., JOINTS:], share)
    return torch.cat([angles, turn / turn.norm(dim=-1, keepdim=True).clamp(min=1e-6)], -1)


def _tables(shapes: tuple[str, ...]) -> tuple[NDArray[Any], ...]:
    """Return the lookup tables of `Shapes` by character, with `REST` after the characters."""
    count = REST + 1
    shape = np.full((count, 2), shapes.index(AT_REST))
    offset, mix = np.zeros((count, KEYS, 3), np.float32), np.zeros((count, KEYS), np.float32)
    share = np.tile(np.linspace(0, 1, KEYS, dtype=np.float32), (count, 1))
    long, lean = np.ones(count, np.float32), np.zeros(count, np.float32)
    for number, character in enumerate(CHARACTERS):
        long[number] = LONGER.get(character, 1.0)
        if character.isalnum():
            shape[number] = shapes.index(DRAWN_WITH.get(character.upper(), character.upper()))
        elif FORMS.get(character) == "written in the air":
            shape[number], lean[number] = shapes.index(POINTING), LEAN
        if character in STROKES:
            offset[number], share[number] = _filled(STROKES[character])
        if character == "j":
            shape[number, 1], mix[number] = shapes.index("J"), np.array([0, 0, 0.4, 0.75, 1, 1])
    return shape, offset, share, mix, long, lean


def _filled(way: Way) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return positions (6, 3) and times (6,) of a stroke; the last position is held to the end."""
    places, steps = zip(*way, strict=True)
    times = np.cumsum(steps)
    if steps[0]:
        places, times = (places[0], *places), np.append(0, times)
    more = (0, KEYS - len(places))
    times = np.pad(times, more, constant_values=1)
    times[-1] = 1
    return np.pad(places, (more, (0, 0)), mode="edge"), times


def quaternion_product(first: Tensor, second: Tensor) -> Tensor:
    """Return the quaternions (..., 4), w first, of rotating by ``second``, then by ``first``."""
    (w, a), (v, b) = ((turn[..., :1], turn[..., 1:]) for turn in (first, second))
    return torch.cat([w * v - (a * b).sum(-1, keepdim=True), w * b + v * a + torch.linalg.cross(a, b)], -1)


def vector_quaternion(vector: Tensor) -> Tensor:
    """Return the quaternions (..., 4) of rotation vectors (..., 3), radians."""
    half = vector.norm(dim=-1, keepdim=True) / 2
    return torch.cat([half.cos(), vector * torch.sinc(half / torch.pi) / 2], -1)


def quaternion_turn(quaternion: Tensor) -> Tensor:
    """Return rotation matrices (..., 3, 3) of unit quaternions (..., 4), w first."""
    w, x, y, z = quaternion.unbind(-1)
    rows = [
        *(1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)),
        *(2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)),
        *(2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)),
    ]
    return torch.stack(rows, -1).view(*w.shape, 3, 3)
