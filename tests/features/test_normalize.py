"""Place, size and the training data's statistics."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from signary.features.normalize import NormalizeClip, Standardize, part_shape  # noqa: E402


def made(seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(seed)
    seen = torch.rand(2, 9, 7, generator=random) > 0.3
    return torch.rand(2, 9, 7, 2, generator=random) * seen[..., None], seen


def test_clips_are_centered_and_scaled_as_the_text_says() -> None:
    values, seen = made()
    found = NormalizeClip([3])(values, seen)
    for clip in range(2):
        points = np.where(seen[clip, ..., None].numpy(), values[clip].numpy(), np.nan)
        away = points - np.nanmean(points[:, 3], axis=0)
        expected = np.nan_to_num(away / np.sqrt(np.nanmean(away**2, axis=(0, 1))))
        np.testing.assert_allclose(found[clip].numpy(), expected, atol=1e-5)


def test_the_middle_stands_in_for_a_center_not_seen() -> None:
    values, seen = made()
    seen[:, :, 3] = False
    values = values * seen[..., None]
    away = (values - 0.5) * seen[..., None]
    scale = (away.square().sum((1, 2)) / seen.sum((1, 2))[:, None]).sqrt()
    torch.testing.assert_close(NormalizeClip([3])(values, seen), away / scale[:, None, None])


def test_place_and_size_do_not_matter() -> None:
    values, seen = made()
    moved = (values * torch.tensor([3.0, 0.5]) + 2) * seen[..., None]
    normalize = NormalizeClip([0, 1])
    torch.testing.assert_close(normalize(values, seen), normalize(moved, seen), atol=1e-4, rtol=1e-4)


def test_nothing_seen_and_points_in_one_place_are_zeros() -> None:
    values, seen = made()
    nothing = NormalizeClip([0])(values * 0, seen & False)
    same = NormalizeClip([0])(torch.full_like(values, 0.3) * seen[..., None], seen)
    assert (nothing == 0).all()
    torch.testing.assert_close(same, torch.zeros_like(same), atol=1e-5, rtol=0)


def test_a_parts_shape_has_no_place_and_size() -> None:
    values, seen = made()
    shape = part_shape(values, seen)
    moved = (values * 4 - 1) * seen[..., None]
    torch.testing.assert_close(shape, part_shape(moved, seen), atol=1e-3, rtol=1e-3)
    count = seen.sum(2)
    torch.testing.assert_close(shape.sum(2), torch.zeros(2, 9, 2), atol=1e-5, rtol=0)
    several = count > 1
    distance = shape.square().sum((2, 3))[several] / count[several]
    torch.testing.assert_close(distance, torch.ones_like(distance), atol=1e-3, rtol=0)
    assert (part_shape(values * 0, seen & False) == 0).all()


def test_statistics_are_of_what_was_seen() -> None:
    values, seen = made()
    seen[..., 6] = False
    values = values * seen[..., None]
    standardize = Standardize(7)
    standardize.measure([(values[:1], seen[:1]), (values[1:], seen[1:])])
    points = np.where(seen[..., None].numpy(), values.numpy(), np.nan).reshape(-1, 7, 2)[:, :6]
    np.testing.assert_allclose(standardize.mean[:6].numpy(), np.nanmean(points, 0), atol=1e-6)
    np.testing.assert_allclose(standardize.std[:6].numpy(), np.nanstd(points, 0), atol=1e-6)
    assert standardize.mean[6].tolist() == [0, 0] and standardize.std[6].tolist() == [1, 1]
    expected = np.nan_to_num((points - np.nanmean(points, 0)) / np.nanstd(points, 0))
    np.testing.assert_allclose(standardize(values, seen).numpy().reshape(-1, 7, 2)[:, :6], expected, atol=1e-5)
    assert not dict(standardize.named_parameters())
