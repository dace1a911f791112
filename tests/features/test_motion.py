"""Differences between frames."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from signary.features.motion import difference  # noqa: E402


def test_differences_look_ahead_and_stop_at_what_was_not_seen() -> None:
    values = torch.tensor([1.0, 4.0, 0.0, 9.0, 11.0]).reshape(1, 5, 1, 1)
    seen = torch.tensor([True, True, False, True, True]).reshape(1, 5, 1)
    assert difference(values, seen).flatten().tolist() == [3, 0, 0, 2, 0]
    assert difference(values, seen, step=2).flatten().tolist() == [0, 5, 0, 0, 0]


def test_one_frame_does_not_move() -> None:
    values, seen = torch.rand(2, 1, 3, 2), torch.ones(2, 1, 3, dtype=torch.bool)
    assert (difference(values, seen, step=2) == torch.zeros(2, 1, 3, 2)).all()
