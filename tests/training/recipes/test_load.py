"""Recipes: overrides, and messages about wrong fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from signary.errors import ConfigError
from signary.training.recipes.load import load_recipe


def test_fields_of_parts_and_lists_are_overridden() -> None:
    overrides = {"augment.flip": "0.5", "sources.1.weight": "2", "trainer.max_steps": "7", "vocabulary": "[A, B]"}
    recipe = load_recipe("letters", overrides)
    assert (recipe.augment.flip, recipe.sources[1].weight, recipe.steps) == (0.5, 2, 7)
    assert recipe.vocabulary == ["A", "B"]
    assert recipe.sources[0] == load_recipe("letters").sources[0]


def test_all_wrong_fields_are_named_at_once() -> None:
    wrong = {
        "steps": "many",
        "batch": "[",
        "augment.flop": "1",
        "augment.flip.x": "1",
        "name.x": "1",
        "sources.99.weight": "1",
        "sources.first.weight": "1",
        "dropout": "",
    }
    with pytest.raises(ConfigError) as caught:
        load_recipe("letters", wrong)
    for field in wrong:
        assert field.removesuffix(".x") in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "\x00"])
def test_files_without_fields(tmp_path: Path, text: str) -> None:
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"bad\.yaml"):
        load_recipe(tmp_path / "bad.yaml")


def test_overrides_drop_the_scores_of_the_recipe() -> None:
    assert load_recipe("spelling-hands").scores
    assert not load_recipe("spelling-hands", {"steps": "2"}).scores
