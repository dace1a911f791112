"""Fit the avatar's handshapes to landmarks of real hands: python scripts/fit_handshapes.py --data DATA.

A 3-D hand (`signary.avatar.hand`) is fitted to every hand of every person: with bones of the person, angles and
rotation of the photo. Positions in the picture count fully, the detector's depth little: foreshortened bones show how
far they lean, and the depth only to which side. The file holds the mean and main variations of each person's
handshapes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from signary.avatar.hand import LIMITS, HandBuild, hand_points, quaternion_times, quaternion_vector
from signary.datasets.readers.hand_arrays import read_hand_arrays
from signary.datasets.readers.photos import find_photos, photo_groups
from signary.output import whole_file

BANK = Path(__file__).parents[1] / "src/signary/avatar/handshapes.npz"
DEFAULT_PALM = [(0.21, -0.12, -0.03), (0.12, -0.48, 0.0), (0.0, -0.5, 0.0), (-0.09, -0.46, 0.0), (-0.17, -0.4, 0.0)]
DEFAULT_BONES = [
    (0.24, 0.19, 0.15), (0.23, 0.14, 0.12), (0.25, 0.16, 0.13), (0.23, 0.15, 0.13), (0.18, 0.11, 0.11)
]  # fmt: skip
DEFAULT_TWIST = (0.1, 0.0, -0.1, -0.2)
A_LABEL, STEPS, MODES, DIGIT_FOLDS = 60, 700, 5, 5
DEPTH_WEIGHT = {"world": 0.3, "image": 0.12, "none": 0.0}
# Points that are nearer, and points that are farther, seen from the palm, by the descriptions of the handshapes, since
# the detector's depth does not show it.
THUMB_OVER = {shape: ((3, 4), farther) for shape, farther in {
    "S": (6, 7, 10, 11), "I": (6, 7, 10, 11), "J": (6, 7, 10, 11), "1": (10, 11), "Z": (10, 11), "D": (),
    "X": (10, 11), "U": (14, 15), "V": (14, 15), "R": (14, 15), "2": (14, 15), "H": (14, 15), "K": (14, 15),
    "Q": (10, 11), "G": (10, 11),
}.items()}  # fmt: skip
FINGERS_OVER = {
    "M": ((6, 7, 8, 10, 11, 12, 14, 15, 16), (3, 4)), "N": ((6, 7, 8, 10, 11, 12), (3, 4)), "T": ((6, 7), (3, 4)),
}  # fmt: skip
# Tips that touch.
TOUCHING = {
    "O": ((4, 8), (4, 12)), "0": ((4, 8), (4, 12)), "F": ((4, 8),), "9": ((4, 8),), "D": ((4, 12),),
    "8": ((4, 12),), "7": ((4, 16),), "6": ((4, 20),),
}  # fmt: skip
TOUCH = 0.09
ORDER, ORDER_GAP, FLESH = THUMB_OVER | FINGERS_OVER, 0.07, 0.085


@dataclass(frozen=True)
class Hands:
    """Right hands (N, 21, 3) in any unit, the weights of their depth, their labels and persons."""

    points: NDArray[np.float32]
    depth: NDArray[np.float32]
    label: NDArray[np.str_]
    person: NDArray[np.str_]

    def select(self, rows: NDArray[np.int64]) -> Hands:
        return Hands(self.points[rows], self.depth[rows], self.label[rows], self.person[rows])


def main() -> None:
    """Fit and write the bank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="../shared/data", type=Path)
    parser.add_argument("-o", "--output", default=BANK, type=Path)
    parser.add_argument("--cache", default=Path("runs/cache"), type=Path)
    options = parser.parse_args()
    hands = join([*array_hands(options.data / "asl-letters-landmarks"), *photo_hands(options.data, options.cache)])
    hands = some_of_each(hands)
    print(f"{len(hands.label)} hands of {len(set(hands.person))} people")
    write_bank(options.output, hands, *fit(hands))


def array_hands(folder: Path) -> Iterator[Hands]:
    """Yield the hands of each npz file."""
    for path in sorted(folder.glob("*.npz")):
        samples = read_hand_arrays(path)
        with np.load(path, allow_pickle=False) as arrays:
            world = arrays["world_m"] if "world_m" in arrays.files else None
        points = samples.points * np.array([1, 4 / 3 if path.stem == "davidlee" else 1, 1], np.float32)
        kind = "image"
        if world is not None:
            points, kind = with_depth(points, world), "world"
        elif np.isnan(points[..., 2]).all():
            kind = "none"
        turned = replace(samples, points=points).right_hands()
        main_side = samples.right if samples.right.mean() > 0.5 else ~samples.right
        kept = main_side | (path.stem == "davidlee")
        yield as_hands(turned[kept], kind, samples.label[kept], np.full(kept.sum(), path.stem))


def with_depth(points: NDArray[np.float32], world: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give picture points the depth of world points, in the picture's unit."""
    spread = [np.sqrt(array[..., :2].var(1).sum(-1)) for array in (points, world)]
    depth = world[..., 2] * (spread[0] / np.maximum(spread[1], 1e-6))[:, None]
    return np.concatenate([points[..., :2], depth[..., None]], -1)


def photo_hands(data: Path, cache: Path) -> Iterator[Hands]:
    """Yield the hands of photos without a landmark file: the digits, and the mirrored letters."""
    for name in ("digits/images", "asl-letters-photos-mirrored/photos"):
        stored = cache / f"world-{name.replace('/', '-')}.npz"
        photos = find_photos(data / name)
        if not stored.exists():
            chunks = [photos[start : start + 64] for start in range(0, len(photos), 64)]
            with ProcessPoolExecutor() as pool:
                found = np.concatenate(list(pool.map(look, chunks)))
            cache.mkdir(parents=True, exist_ok=True)
            with whole_file(stored) as draft:
                np.savez_compressed(draft, points=found)
        points = np.load(stored)["points"]
        seen = np.isfinite(points).all((1, 2))
        label = np.array([photo.parent.name for photo in photos])
        if name.startswith("digits"):
            person = np.array([f"digits-{int(group) % DIGIT_FOLDS}" for group in photo_groups(photos)])
        else:
            person = np.full(len(photos), "mirrored-photos")
        yield as_hands(points[seen], "world", label[seen], person[seen])


def look(photos: list[Path]) -> NDArray[np.float32]:
    """Find right hands with world depth in photos: float32 (N, 21, 3), NaN where there is none."""
    import cv2
    import mediapipe

    from signary.video.photo import read_photo

    found = np.full((len(photos), 21, 3), np.nan, np.float32)
    with mediapipe.solutions.hands.Hands(
        static_image_mode=True, max_num_hands=1, min_detection_confidence=0.3
    ) as detector:
        for row, path in enumerate(photos):
            image = cv2.resize(read_photo(path), (480, 480), interpolation=cv2.INTER_AREA)
            edge = [120] * 4
            result = detector.process(cv2.copyMakeBorder(image, *edge, cv2.BORDER_REPLICATE))
            if not result.multi_hand_landmarks:
                continue
            flat, world = (
                np.array([[point.x, point.y, point.z] for point in hands[0].landmark], np.float32)
                for hands in (result.multi_hand_landmarks, result.multi_hand_world_landmarks)
            )
            hand = with_depth(flat[None], world[None])[0]
            if result.multi_handedness[0].classification[0].label == "Right":  # the signer's left
                hand[:, 0] *= -1
            found[row] = hand
    return found


def as_hands(points: NDArray[np.float32], kind: str, label: NDArray[np.str_], person: NDArray[np.str_]) -> Hands:
    """Center and scale hands to a root mean square of 1 in the picture."""
    points = np.nan_to_num(points - points.mean(1, keepdims=True))
    size = np.sqrt((points[..., :2] ** 2).sum(-1).mean(-1))[:, None, None]
    return Hands(points / size, np.full(len(points), DEPTH_WEIGHT[kind], np.float32), label, person)


def join(parts: list[Hands]) -> Hands:
    """Concatenate hands."""
    fields = ("points", "depth", "label", "person")
    return Hands(*(np.concatenate([getattr(part, field) for part in parts]) for field in fields))


def some_of_each(hands: Hands, seed: int = 0) -> Hands:
    """Keep at most `A_LABEL` hands of a label of a person."""
    random = np.random.default_rng(seed)
    rows = []
    for person in np.unique(hands.person):
        for label in np.unique(hands.label[hands.person == person]):
            mine = np.flatnonzero((hands.person == person) & (hands.label == label))
            if len(str(label)) == 1:
                rows.append(random.permutation(mine)[:A_LABEL])
    return hands.select(np.concatenate(rows))


def fit(hands: Hands) -> tuple[NDArray[np.float32], NDArray[np.float32], HandBuild, NDArray[np.float32]]:
    """Return angles (N, 22), rotations (N, 3, 3), the builds of the people in order, and each hand's error."""
    torch.manual_seed(0)
    people, who = np.unique(hands.person, return_inverse=True)
    target, depth, owner = (torch.from_numpy(array) for array in (hands.points, hands.depth, who))
    low, high = torch.from_numpy(LIMITS).T
    raw = torch.logit(((start_angles(hands.points) - low) / (high - low)).clamp(0.03, 0.97)).requires_grad_()
    turn = start_turns(hands.points).requires_grad_()
    palm = torch.zeros(len(people), 5, 3, requires_grad=True)
    bones = torch.zeros(len(people), 5, 3, requires_grad=True)
    twist = torch.zeros(len(people), 4, requires_grad=True)
    stretch = torch.zeros(len(people), requires_grad=True)
    optimizer = torch.optim.Adam(
        [{"params": [raw, turn], "lr": 0.04}, {"params": [palm, bones, twist, stretch], "lr": 0.004}]
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [0.06, 0.006], total_steps=STEPS)

    def built(index: Tensor) -> HandBuild:
        build = HandBuild(
            torch.tensor(DEFAULT_PALM) + palm[index],
            torch.tensor(DEFAULT_BONES) * torch.exp(bones[index]),
            torch.tensor(DEFAULT_TWIST) + twist[index],
        )
        scale = 1 / build.length
        return HandBuild(build.palm * scale[:, None, None], build.bones * scale[:, None, None], build.twist)

    touching = {shape: torch.from_numpy(np.flatnonzero(hands.label == shape)) for shape in TOUCHING}
    ranks = {shape: torch.from_numpy(np.flatnonzero(hands.label == shape)) for shape in ORDER}
    for _ in range(STEPS):
        angles = low + (high - low) * torch.sigmoid(raw)
        hand = hand_points(angles, orthonormal(turn), built(owner), torch)
        error = misfit(hand, target, depth, stretch[owner])
        loss = error.mean() + 0.002 * unlikely(angles).mean()
        still = hand_points(angles, torch.eye(3), built(owner), torch)
        loss = loss + 2.0 * (disorder(still, ranks) + gaps(still, touching) + crowding(still).sum()) / len(still)
        loss = loss + 0.3 * (palm**2).mean() + 0.05 * (bones**2).mean() + 0.02 * (twist**2).mean()
        loss = loss + 0.05 * (stretch**2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    print(f"loss {loss.item():.4f}, median misfit {error.median().item():.4f}")
    with torch.no_grad():
        build = built(torch.arange(len(people)))
        angles = low + (high - low) * torch.sigmoid(raw)
        numbers = HandBuild(*(part.numpy() for part in (build.palm, build.bones, build.twist)))
        return angles.numpy(), orthonormal(turn).numpy(), numbers, error.detach().numpy()


def misfit(hand: Tensor, target: Tensor, depth: Tensor, stretch: Tensor) -> Tensor:
    """Return the robust distance (N,) of hands from the observed ones after the best alignment."""
    scale_y = torch.stack([torch.ones_like(stretch), torch.exp(stretch), torch.ones_like(stretch)], -1)[:, None]
    hand, target = hand - hand.mean(1, keepdim=True), target * scale_y
    flat, seen = hand[..., :2], target[..., :2]
    scale = ((flat * seen).sum((1, 2)) / (flat**2).sum((1, 2)).clamp(min=1e-6)).clamp(min=0.05)[:, None, None]
    away = torch.sqrt(((flat * scale - seen) ** 2).sum(-1) + 1e-4)
    deep = torch.sqrt((hand[..., 2] * scale[..., 0] - target[..., 2]) ** 2 + 1e-3)
    return (away + depth[:, None] * deep).mean(1)


def disorder(still: Tensor, ranks: dict[str, Tensor]) -> Tensor:
    """Return the sum of how far nearer points lie behind farther ones; the palms of ``still`` face the camera."""
    total = still.new_zeros(())
    for shape, rows in ranks.items():
        nearer, farther = (still[rows][:, list(points), 2] for points in ORDER[shape])
        total = total + torch.relu(nearer[:, :, None] - farther[:, None] + ORDER_GAP).sum() / max(
            1, len(ORDER[shape][1])
        )
    return total


def gaps(still: Tensor, touching: dict[str, Tensor]) -> Tensor:
    """Return the sum of the gaps between tips that touch."""
    total = still.new_zeros(())
    for shape, rows in touching.items():
        for first, second in TOUCHING[shape]:
            apart = (((still[rows, first] - still[rows, second]) ** 2).sum(-1) + 1e-6).sqrt()
            total = total + 2 * torch.relu(apart - TOUCH).sum()
    return total


def crowding(still: Tensor) -> Tensor:
    """Return how deep the thumb is in the fingers' flesh, (N,)."""
    thumb = torch.cat([still[:, 3:5], (still[:, 2:4] + still[:, 3:5]) / 2], 1)
    fingers = still[:, 5:].view(-1, 4, 4, 3)
    fingers = torch.cat([fingers[:, :, 1:], (fingers[:, :, 1:] + fingers[:, :, :-1]) / 2], 2).flatten(1, 2)
    apart = (((thumb[:, :, None] - fingers[:, None]) ** 2).sum(-1) + 1e-6).sqrt()
    return torch.relu(FLESH - apart).sum((1, 2))


def unlikely(angles: Tensor) -> Tensor:
    """Return how far angles are from a relaxed hand, (N,): end joints follow middle ones, fingers are together."""
    fingers = angles[:, 6:].view(-1, 4, 4)
    spread, mcp, pip, dip = fingers.unbind(-1)
    follows = (dip - 0.55 * pip) ** 2 + 0.5 * torch.relu(-mcp) ** 2 + 0.3 * torch.relu(-dip) ** 2
    thumb = angles[:, :6] - torch.tensor([0.5, 0.4, 1.1, 0.0, 0.4, 0.4])
    bent = torch.sigmoid(4 * (mcp - 0.9))
    return 4 * follows.sum(1) + 2 * ((0.3 + 2 * bent) * spread**2).sum(1) + (thumb**2).sum(1)


def start_angles(points: NDArray[np.float32]) -> Tensor:
    """Guess the bends from the angles between neighboring bones."""
    hand = torch.from_numpy(points)
    chains = torch.stack([torch.stack([hand[:, 0], *hand[:, 1 + 4 * f : 5 + 4 * f].unbind(1)], 1) for f in range(5)], 1)
    bones = torch.nn.functional.normalize(chains.diff(dim=2), dim=-1)
    bends = torch.acos((bones[:, :, 1:] * bones[:, :, :-1]).sum(-1).clamp(-0.99, 0.99))  # (N, 5, 3)
    angles = torch.zeros(len(hand), 22)
    angles[:, :6] = torch.tensor([0.5, 0.4, 1.1, 0.0, 0.3, 0.3])
    angles[:, 6:] = torch.cat([torch.zeros(len(hand), 4, 1), bends[:, 1:]], -1).flatten(1)
    return angles


def start_turns(points: NDArray[np.float32]) -> Tensor:
    """Guess the rotation from the palm: its first two axes, (N, 6)."""
    palm = torch.from_numpy(points)[:, [0, 5, 9, 13, 17]]
    model = torch.tensor([(0.0, 0.0, 0.0), *DEFAULT_PALM[1:]])
    palm, model = palm - palm.mean(1, keepdim=True), model - model.mean(0)
    left, _, right = torch.linalg.svd(torch.einsum("npi,pj->nij", palm, model))
    sign = torch.ones(len(palm), 3)
    sign[:, 2] = torch.det(left @ right).sign()
    turn = (left * sign[:, None]) @ right
    return turn[:, :, :2].transpose(1, 2).flatten(1).contiguous()


def orthonormal(axes: Tensor) -> Tensor:
    """Return rotations (N, 3, 3) of two axes (N, 6), by Gram and Schmidt."""
    first = torch.nn.functional.normalize(axes[:, :3], dim=-1)
    second = torch.nn.functional.normalize(axes[:, 3:] - (axes[:, 3:] * first).sum(-1, keepdim=True) * first, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], -1)


def turn_quaternion(turn: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return quaternions (N, 4) of rotations (N, 3, 3): the main axis of Bar-Itzhack's symmetric matrix."""
    m = turn
    k = np.zeros((len(m), 4, 4))
    k[:, 0, 0] = np.trace(m, axis1=1, axis2=2)
    k[:, 0, 1:] = k[:, 1:, 0] = np.stack(
        [m[:, 2, 1] - m[:, 1, 2], m[:, 0, 2] - m[:, 2, 0], m[:, 1, 0] - m[:, 0, 1]], -1
    )
    k[:, 1:, 1:] = m + m.transpose(0, 2, 1) - np.trace(m, axis1=1, axis2=2)[:, None, None] * np.eye(3)
    return np.linalg.eigh(k)[1][..., -1].astype(np.float32)


def write_bank(
    path: Path, hands: Hands, angles: NDArray[np.float32], turns: NDArray[np.float32], build: HandBuild,
    error: NDArray[np.float32],
) -> None:  # fmt: skip
    """Write mean and variations of each person's handshapes."""
    people, shapes = np.unique(hands.person), np.unique(hands.label)
    quaternions = turn_quaternion(turns)
    mean = np.full((len(people), len(shapes), 26), np.nan, np.float32)
    modes = np.zeros((len(people), len(shapes), MODES, 25), np.float32)
    for p, person in enumerate(people):
        for s, shape in enumerate(shapes):
            mine = (hands.person == person) & (hands.label == shape)
            if mine.sum() >= 4:
                good = mine & (error <= np.quantile(error[mine], 0.8))
                mean[p, s], modes[p, s] = summarize(angles[good], quaternions[good])
    with whole_file(path, force=True) as draft:
        np.savez_compressed(
            draft, people=people, shapes=shapes, mean=mean.astype(np.float16), modes=modes.astype(np.float16),
            palm=build.palm, bones=build.bones, twist=build.twist,
        )  # fmt: skip
    print(f"{path}: {len(people)} people, {len(shapes)} handshapes, {path.stat().st_size / 1e3:.0f} kB")


def summarize(
    angles: NDArray[np.float32], quaternions: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return mean (26,) and modes (K, 25) of the poses near the most central one, without outliers."""
    apart = np.abs(angles[:, None] - angles[None]).mean(-1) + np.arccos(
        np.clip(np.abs(quaternions @ quaternions.T), 0, 1)
    )
    center = np.argmin(np.sort(apart, 1)[:, : 1 + len(apart) // 2].sum(1))
    near = apart[center] <= np.quantile(apart[center], 0.7)
    angles, quaternions = angles[near], quaternions[near]
    middle = np.linalg.eigh(quaternions.T @ quaternions)[1][:, -1].astype(np.float32)
    conjugate = middle * np.array([1, -1, -1, -1], np.float32)
    turns = quaternion_vector(quaternion_times(quaternions, np.broadcast_to(conjugate, quaternions.shape)))
    changes = np.concatenate([angles - angles.mean(0), turns], 1)
    _, size, axes = np.linalg.svd(changes, full_matrices=False)
    modes = np.zeros((MODES, 25), np.float32)
    count = min(MODES, len(size))
    modes[:count] = axes[:count] * (size[:count, None] / np.sqrt(len(changes)))
    return np.concatenate([angles.mean(0), middle]), modes


if __name__ == "__main__":
    main()
