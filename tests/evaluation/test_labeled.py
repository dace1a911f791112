"""What is found to measure on."""

from __future__ import annotations

from pathlib import Path

import pytest

from signary.errors import InputError
from signary.evaluation.labeled import find_labeled


@pytest.mark.parametrize(
    ("content", "said", "hint"),
    [
        (b"file,label\na.jpg,A\n", "lacks columns path", "first line"),
        (b"", "lacks columns path, label", "first line"),
        (b"path,label\n", "lacks columns path, label", "first line"),
        (b"path,label\na.jpg\n", "line 2", "cell"),
        (b"path,label\na.jpg,A,B\n", "line 2", "cell"),
        (b"\xff\xfep,a", "no readable CSV", "UTF-8"),
        (b'path,label\n"a.jpg,A\n', "no readable CSV", "UTF-8"),
        (b"path,label\ngone.jpg,A\n", "none of its files", "gone.jpg"),
    ],
)
def test_bad_manifests(tmp_path: Path, content: bytes, said: str, hint: str) -> None:
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(InputError, match=said) as caught:
        find_labeled(tmp_path)
    assert "manifest.csv" in caught.value.message
    assert hint in caught.value.hint
