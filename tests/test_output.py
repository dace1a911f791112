"""Output is whole or absent, and nothing that was there is lost."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from signary.errors import InputError
from signary.output import make_folder, whole_file, whole_folder


def write(path: Path, text: str = "new", *, force: bool = False) -> None:
    with whole_file(path, force=force) as draft:
        draft.write_text(text)


def write_bundle(path: Path, *, force: bool = True) -> None:
    with whole_folder(path, force=force, marks=("bundle.json",)) as draft:
        (draft / "bundle.json").write_text("new")
        (draft / "README.md").touch()


def test_a_file_is_whole_or_absent(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(RuntimeError), whole_file(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []
    write(path, "old")
    with pytest.raises(InputError, match="exists already"):
        write(path)
    assert path.read_text() == "old"
    write(path, force=True)
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o644


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    wrong = ("none/a.txt", "file/a.txt", "file/below/a.txt", "folder", "n" * 300 + ".txt")
    for name in wrong:
        with pytest.raises(InputError) as caught:
            write(tmp_path / name, force=True)
        assert caught.value.hint
        assert "\n" not in caught.value.message
        if name != "folder":
            with pytest.raises(InputError):
                write_bundle(tmp_path / name)
    with pytest.raises(InputError, match="cannot be written"):
        make_folder(tmp_path / "file" / "below")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no folder that refuses even root")
def test_a_folder_that_may_not_be_written_to() -> None:
    for make in (write, write_bundle):
        with pytest.raises(InputError, match=r"/proc/self/a: cannot be written") as caught:
            make(Path("/proc/self/a"))
        assert "disk" in caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.txt: cannot be written \(No space left"), whole_file(tmp_path / "a.txt"):
        Path("/dev/full").write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_errors_of_other_files_are_their_own(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), whole_file(tmp_path / "a.txt"):
        (tmp_path / "source").read_text()
    with pytest.raises(InputError, match="cannot be written"), whole_folder(tmp_path / "a") as draft:
        (draft / "none" / "below").touch()
    with pytest.raises(PermissionError), whole_file(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "source")


def test_a_folder_takes_the_place_of_its_like_only(tmp_path: Path) -> None:
    bundle, pictures, empty = (tmp_path / name for name in ("bundle", "pictures", "empty"))
    write_bundle(bundle)
    (bundle / "old").touch()
    with pytest.raises(InputError, match="exists already"):
        write_bundle(bundle, force=False)
    write_bundle(bundle)
    assert sorted(path.name for path in bundle.iterdir()) == ["README.md", "bundle.json"]
    pictures.mkdir()
    (pictures / "README.md").write_text("mine")
    (tmp_path / "link").symlink_to(bundle)
    for kept in (pictures, tmp_path / "link"):
        with pytest.raises(InputError, match="stays") as caught:
            write_bundle(kept)
        assert "bundle.json" in caught.value.hint
    assert (pictures / "README.md").read_text() == "mine"
    empty.mkdir()
    write_bundle(empty)
    assert (empty / "bundle.json").read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle", "empty", "link", "pictures"]
