"""The figure that models are compared by."""

from __future__ import annotations

from typing import Any

import pytest
from bundle_maker import make_manifest

from signary.bundles.bundle import load_bundle
from signary.bundles.manifest import Score, main_score


def made_score(metrics: dict[str, float], data: str = "made up", n: int = 40, **more: Any) -> Score:
    return Score(data=data, split="left out", n=n, metrics=metrics, command="signary evaluate demo DATA", **more)


def test_models_are_compared_by_the_mean_over_what_was_left_out() -> None:
    easy, hard = ({"accuracy": share, "top5": 1.0} for share in (0.9, 0.4))
    scores = [
        made_score({"accuracy": 0.99}),
        made_score(easy, "one", 10, left_out=True),
        made_score(hard, "two", 30, left_out=True),
        made_score({"exact": 0.1}, "three", 5, left_out=True),
    ]
    assert main_score(make_manifest(scores=scores)) == {
        "metric": "accuracy", "value": 0.65, "worst": 0.4, "sources": 2,
        "data": "one; two", "split": "left out", "n": 40,
    }  # fmt: skip
    assert main_score(make_manifest(scores=[])) is None


def test_spelling_is_compared_by_one_less_its_errors() -> None:
    scores = [made_score({"cer": 0.06}, left_out=True), made_score({"score": 0.9, "cer": 0.1}, left_out=True)]
    said = main_score(make_manifest(task="spelling", scores=scores))
    assert said is not None
    assert (said["metric"], said["value"], said["worst"]) == ("score", 0.92, 0.9)
    first = main_score(make_manifest(task="spelling", scores=[made_score({"cer": 0.0585, "exact": 0.6})]))
    assert first is not None
    assert (first["metric"], first["value"], first["sources"]) == ("cer", 0.0585, 0)


@pytest.mark.parametrize(
    ("name", "value", "worst", "sources", "n"),
    [
        ("digits", 0.7289, 0.4607, 2, 2151),
        ("letters", 0.8194, 0.4476, 7, 38824),
        ("signs", 0.923, 0.8257, 10, 2448),
        ("spelling", 0.9328, 0.8681, 4, 2040),
    ],
)
def test_packaged_bundles_say_how_strangers_are_read(
    name: str, value: float, worst: float, sources: int, n: int
) -> None:
    bundle = load_bundle(name)
    said = main_score(bundle.manifest)
    assert said is not None
    assert said["value"] == pytest.approx(value, abs=1e-4)
    assert (said["worst"], said["sources"], said["n"]) == (worst, sources, n)
    card = (bundle.path / "README.md").read_text()
    rows = [f"| {score.data} | {score.split} | {score.n} |" for score in bundle.manifest.scores]
    assert [row for row in rows if card.count(row) != 1] == []
