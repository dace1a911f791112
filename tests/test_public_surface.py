"""The door of the package."""

from __future__ import annotations

import subprocess
import sys

import pytest

import signary


@pytest.mark.parametrize("name", signary.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(signary, name).__name__ == name


def test_all_is_what_the_homes_hold() -> None:
    assert sorted(signary._HOME_OF) == sorted(signary.__all__)
    assert set(signary.__all__) <= set(dir(signary))


def test_unknown_name() -> None:
    with pytest.raises(AttributeError, match="nothing_like_it"):
        _ = signary.nothing_like_it


def test_import_is_light() -> None:
    code = "import sys, signary; print([m for m in ('numpy', 'cv2', 'mediapipe', 'torch', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
