"""Features of one hand: the dominant hand as a right hand, centered, scaled, as angles and distances."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND

PARENTS = (0, 0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11, 0, 13, 14, 15, 0, 17, 18, 19)
KNUCKLES = (5, 9, 13, 17)
EPSILON = 1e-6


class DominantHand(nn.Module):
    """Choose the signing hand of a clip and mirror it to a right hand.

    The signing hand is the one with the larger sum of sizes over the frames: seen more often, or nearer.
    """

    def forward(self, points: Tensor, aspect: Tensor) -> tuple[Tensor, Tensor]:
        """Return the hand and its position.

        Parameters
        ----------
        points : float32 (T, 543, 3)
            ``HOLISTIC_543``, image-normalized; NaN = not seen.
        aspect : float32 ()
            Width / height of the picture; 0 = not known (taken as square).

        Returns
        -------
        hand : float32 (T, 21, 3)
            x, y, z in picture widths, left hands mirrored; zeros where not seen.
        place : float32 (T, 4)
            Center x and y and size in picture widths, and 1 where the hand was seen, else 0.
        """
        height = torch.where(aspect > 0, 1 / aspect.clamp(min=EPSILON), torch.ones_like(aspect))
        unit = torch.stack([torch.ones_like(height), height, torch.ones_like(height)])
        hands = torch.stack([points[:, LEFT_HAND], points[:, RIGHT_HAND]])  # (2, T, 21, 3)
        seen = torch.isfinite(hands[..., :2]).flatten(2).all(-1).to(points.dtype)  # (2, T)
        hands = torch.nan_to_num(hands, nan=0.0, posinf=0.0, neginf=0.0) * unit
        center = hands[..., :2].mean(2)
        size = (hands[..., :2] - center[:, :, None]).square().sum(-1).mean(-1).sqrt() * seen
        left = (size[0].sum() > size[1].sum()).to(points.dtype)
        turn = torch.stack([1 - 2 * left, torch.ones_like(left), torch.ones_like(left)])
        hand = (left * hands[0] + (1 - left) * hands[1]) * turn
        pick = [left * pair[0] + (1 - left) * pair[1] for pair in (center[..., 0], center[..., 1], size, seen)]
        return hand, torch.stack(pick, dim=-1)


class HandFeatures(nn.Module):
    """Numbers that distinguish handshapes: positions, palm-frame positions, bones, distances, angles, cross products.

    Nothing depends on the hand's position or size. Some numbers depend on its rotation, since G, H, P and Q differ from
    other letters by it; others do not.
    """

    pairs: Tensor
    bones: Tensor
    parents: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pairs", torch.triu_indices(21, 21, 1), persistent=False)
        self.register_buffer("bones", torch.triu_indices(20, 20, 1), persistent=False)
        self.register_buffer("parents", torch.tensor(PARENTS), persistent=False)

    @property
    def width(self) -> int:
        """Number of features D."""
        return 21 * 3 + 21 * 2 + 20 * 2 + 20 * 3 + 2 * 210 + 2 * 190

    def forward(self, hand: Tensor) -> Tensor:
        """Describe right hands.

        Parameters
        ----------
        hand : float32 (B, 21, 3)
            In any unit and position; z may be NaN (not known).

        Returns
        -------
        float32 (B, D)
        """
        hand = torch.nan_to_num(hand)
        flat = hand[..., :2] - hand[..., :2].mean(1, keepdim=True)
        size = flat.square().sum(-1).mean(-1).sqrt().clamp(min=EPSILON)[:, None, None]
        places = torch.cat([flat, hand[..., 2:] - hand[:, :1, 2:]], -1) / size
        flat = places[..., :2]
        bones = (places - places[:, self.parents])[:, 1:]
        plane = functional.normalize(bones[..., :2], dim=-1, eps=1e-4)
        space = functional.normalize(bones, dim=-1, eps=1e-4)
        first, second = self.bones
        crossings = plane[:, first, 0] * plane[:, second, 1] - plane[:, first, 1] * plane[:, second, 0]
        return torch.cat(
            [
                places.flatten(1),
                _in_palm_frame(flat).flatten(1),
                plane.flatten(1),
                space.flatten(1),
                self._distances(flat),
                self._distances(places),
                (space[:, first] * space[:, second]).sum(-1),
                crossings,
            ],
            1,
        )

    def _distances(self, points: Tensor) -> Tensor:
        first, second = self.pairs
        return ((points[:, first] - points[:, second]).square().sum(-1) + EPSILON).sqrt()


def _in_palm_frame(flat: Tensor) -> Tensor:
    """Rotate points (B, 21, 2) so that the line from the wrist to the knuckles points up, with the wrist at 0."""
    origin = flat[:, :1]
    up = functional.normalize(flat[:, list(KNUCKLES)].mean(1) - origin[:, 0], dim=-1, eps=1e-4)[:, None]
    moved = flat - origin
    along = (moved * up).sum(-1)
    across = moved[..., 0] * up[..., 1] - moved[..., 1] * up[..., 0]
    return torch.stack([across, along], -1)
