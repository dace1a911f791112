"""Model cards agree with the manifest."""

from __future__ import annotations

import pytest

pytest.importorskip("onnx")

from bundle_maker import make_manifest

from signary.bundles.card import write_card
from signary.bundles.manifest import Calibration


def test_a_card_says_what_the_manifest_says() -> None:
    card = write_card(make_manifest(parameters=1234567))
    assert card.startswith("# demo 1.0\n\nReads letters (A, B) from landmarks")
    for said in ("1,234,567 parameters", "signary recognize PHOTO --model demo", "ase; United States"):
        assert said in card
    assert "| made up | left out | 40 | balanced_accuracy 0.8, accuracy 0.9 | `signary evaluate demo DATA` |" in card
    assert "| two | MIT | 1 |" in card
    assert "divided by 1.500, fitted on fold 0; the expected calibration error of what was held out is 0.01" in card
    heads = [line for line in card.splitlines() if line.startswith("## ")]
    assert heads == ["## Limits", "## Scores", "## Confidence", "## Training data"]


def test_limits_are_those_of_the_task() -> None:
    letters, digits = (write_card(make_manifest(task=task)) for task in ("letters", "digits"))
    assert "J and Z are movements" in letters
    assert "J and Z are movements" not in digits
    assert "meets the thumb" in digits
    for card in (letters, digits):
        assert "do not use it in place of an interpreter" in card


def test_an_unknown_error_is_called_so() -> None:
    card = write_card(make_manifest(calibration=Calibration(temperature=1.0, fitted_on="nothing", ece=None)))
    assert "of what was held out is not known." in card
    assert "None" not in card
