"""Photos in folders named by label."""

from __future__ import annotations

from pathlib import Path

import pytest

from signary.datasets.readers.photos import find_photos
from signary.errors import InputError


def test_photos_are_found_and_links_to_nowhere_left_out(tmp_path: Path) -> None:
    (tmp_path / "A").mkdir()
    (tmp_path / "A" / "1.jpg").symlink_to(tmp_path / "gone.jpg")
    (tmp_path / "A" / "folder.jpg").mkdir()
    (tmp_path / "beside.jpg").touch()
    with pytest.raises(InputError, match="no photos"):
        find_photos(tmp_path)
    for name in ("10.png", "2.png"):
        (tmp_path / "A" / name).touch()
    assert [path.name for path in find_photos(tmp_path)] == ["2.png", "10.png"]
