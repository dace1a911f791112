"""Folders of recorded clips: adding, taking back, withdrawing."""

from __future__ import annotations

from pathlib import Path

import pytest

from signary.datasets.recordings.folder import Person, Recordings
from signary.errors import InputError

ANN, BOB = Person("ann", "research", "m1"), Person("bob", "", "m2")


def written(path: Path) -> None:
    path.write_bytes(b"clip")


def test_clips_are_kept_with_what_is_known(tmp_path: Path) -> None:
    mine = Recordings(tmp_path / "mine")
    paths = [mine.add("hello", person, written) for person in (ANN, ANN, BOB)]
    assert [path.relative_to(mine.folder).as_posix() for path in paths] == [
        "ann/hello/m1-001.mp4",
        "ann/hello/m1-002.mp4",
        "bob/hello/m2-001.mp4",
    ]
    assert (mine.count("hello", "ann"), mine.consent_of("ann"), mine.consent_of("bob")) == (2, "research", "")
    assert mine.take_back("hello", "ann") == paths[1] and not paths[1].exists()
    assert [row["path"] for row in mine.rows()] == ["ann/hello/m1-001.mp4", "bob/hello/m2-001.mp4"]
    assert mine.take_back("bye", "ann") is None


def test_a_clip_that_fails_leaves_the_others(tmp_path: Path) -> None:
    mine = Recordings(tmp_path / "mine")
    mine.add("hello", ANN, written)
    with pytest.raises(OSError, match="killed"):
        mine.add("hello", ANN, lambda path: (_ for _ in ()).throw(OSError("killed")))
    assert len(Recordings(tmp_path / "mine").rows()) == 1


def test_a_person_withdraws(tmp_path: Path) -> None:
    mine = Recordings(tmp_path / "mine")
    for person in (ANN, BOB, ANN):
        mine.add("hello", person, written)
    mine.sheet("hello", ANN).write_bytes(b"faces")
    (mine.folder / "ann/hello/.m1-003.x.mp4").write_bytes(b"half")
    with pytest.raises(InputError, match="no clip of 'eve'"):
        mine.remove_signer("eve")
    assert mine.remove_signer("ann") == 2
    assert not (mine.folder / "ann").exists()
    assert [row["signer"] for row in mine.rows()] == ["bob"]


@pytest.mark.parametrize("name", ["", "..", "a/b", " a"])
def test_names_that_are_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be used"):
        Recordings(tmp_path).add(name, ANN, written)
