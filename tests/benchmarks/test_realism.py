"""What the benchmark of made spelling leaves out, and what it keeps."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytest.importorskip("lightning")
sys.path.append(str(Path(__file__).resolve().parents[2] / "benchmarks"))

import torch

from realism import ALL, PLAIN, TEN, TEN_POINTS, WITHOUT, error_rate, kept, plot, recipe_without
from signary.training.networks import spelling_network


def test_each_kind_is_in_the_recipe_and_can_be_left_out() -> None:
    whole = recipe_without({}, 5).synthetic
    for without in WITHOUT.values():
        less = recipe_without(without, 5).synthetic
        assert all(getattr(less, name) != getattr(whole, name) for name in without)


def test_ten_points_are_ends_of_fingers() -> None:
    network = spelling_network(recipe_without({}, 5, ten=True))
    assert len(TEN) == len(set(TEN)) == 20
    assert set(network.select.names) == set(TEN)
    assert network.features.coordinates == 2


def test_what_is_kept_is_made_once(tmp_path: Path) -> None:
    made = [torch.ones(1), torch.zeros(1)]
    assert kept(tmp_path / "a.pt", made.pop).tolist() == kept(tmp_path / "a.pt", made.pop).tolist() == [0]
    assert len(made) == 1


def test_a_network_that_says_nothing_misses_all() -> None:
    recipe = recipe_without(PLAIN, 5)
    network = spelling_network(recipe).eval()
    with torch.no_grad():
        network.head.bias[network.blank] = 100
    clips = [("ab", torch.rand(12, 42, 3)), ("a", torch.rand(7, 42, 3))]
    assert error_rate(network, recipe, clips) == 1


def test_plot_is_drawn(tmp_path: Path) -> None:
    plot({ALL: {"made": 0.2, "avatar": 0.1}, TEN_POINTS: {"made": 0.3, "avatar": 0.2}}, tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 1000
