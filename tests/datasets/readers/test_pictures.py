"""Pictures with labels: reading, skipping, caching."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from made_pictures import made_pictures
from PIL import Image

pytest.importorskip("sklearn")
pytest.importorskip("torch")


from signary.datasets.pictures import Pictures
from signary.datasets.readers.pictures import ARRAY_ORDER, in_array_order, join_pictures, read_pictures
from signary.errors import InputError, ShapeError
from signary.video.square import square


def write_photo(path: Path, value: int = 0, size: tuple[int, int] = (20, 20)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (value, 255 - value, 7)).save(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write two labels of four photos, doubly nested."""
    root = tmp_path / "set"
    for place, label in enumerate("AB"):
        for number in (1, 2, 10, 11):
            write_photo(root / "train" / "train" / label / f"{label}{number}.png", 100 * place + number)
    return root


def test_nested_folders_are_read_in_natural_order(folder: Path) -> None:
    pictures = read_pictures(folder, side=8)
    assert pictures.label.tolist() == list("AAAABBBB")
    assert pictures.place.tolist() == [1, 2, 10, 11] * 2
    assert pictures.load().shape == (8, 8, 8, 3)
    assert pictures.load([6])[0, 0, 0].tolist() == [110, 145, 7]
    assert len(set(pictures.sha256)) == 8


def test_pictures_are_decoded_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = read_pictures(folder, side=8, cache=tmp_path / "cache")
    monkeypatch.setattr("signary.datasets.readers.pictures.read_photo", None)
    again = read_pictures(folder, side=8, cache=tmp_path / "cache")
    np.testing.assert_array_equal(first.load(), again.load())


def test_unreadable_photos_are_named_and_skipped(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "train" / "A" / "A3.png").write_text("no photo")
    for _ in range(2):  # read, then from the cache
        pictures = read_pictures(folder, side=8, cache=tmp_path / "cache")
        assert len(pictures) == 8
        assert len(pictures.skipped) == 1
        assert "A3.png" in pictures.skipped[0]


def test_what_is_missing_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "train" / "train" / "C").mkdir()
    with pytest.raises(InputError, match="no photo of C"):
        read_pictures(folder, side=8)
    (folder / "train" / "train" / "C" / "1.png").write_text("no photo")
    with pytest.raises(InputError, match=r"no photo of C can be read .*1\.png"):
        read_pictures(folder, side=8)
    with pytest.raises(InputError, match="no photos in folders"):
        read_pictures(tmp_path / "nothing", side=8)
    with pytest.raises(InputError, match="D: no picture"):
        made_pictures(["A", "B"]).of_labels(["A", "D"])
    with pytest.raises(InputError, match="1 class"):
        made_pictures(["A", "A"]).of_labels(["A"])
    with pytest.raises(ShapeError, match="3 pictures, 2 of label"):
        Pictures(**{**vars(made_pictures(["A", "B", "C"])), "label": np.array(["A", "B"])})


def test_a_label_lies_in_one_folder(folder: Path) -> None:
    write_photo(folder / "test" / "A" / "1.png")
    with pytest.raises(InputError, match=r"^A: in .*test/A and in .*train/A"):
        read_pictures(folder, side=8)


def test_copies_of_a_photo_keep_its_place(tmp_path: Path) -> None:
    for name in ("12345678901234567890123", "none", "x3_jpg.rf.0a77", "x3_jpg.rf.9912"):
        write_photo(tmp_path / "A" / f"{name}.png")
    write_photo(tmp_path / "B" / "1.png")
    places = read_pictures(tmp_path, side=8).place.tolist()
    assert sorted(places) == sorted([678901234567890123, 1, 3, 3, 1])


def test_a_full_disk_is_found_before_decoding(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=100))
    with pytest.raises(InputError, match="are free, decoded pictures take"):
        read_pictures(folder, side=8, cache=tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []


def test_arrays_are_read_in_their_own_order(tmp_path: Path) -> None:
    columns = np.repeat(np.arange(10), 2)
    np.save(tmp_path / "X.npy", np.linspace(0, 1, 20)[:, None, None] * np.ones((20, 4, 4)))
    np.save(tmp_path / "Y.npy", np.eye(10)[columns])
    pictures = read_pictures(tmp_path, side=4)
    assert pictures.label.tolist() == [ARRAY_ORDER[column] for column in columns]
    assert pictures.load()[-1, 0, 0].tolist() == [255] * 3
    shuffled = pictures.select(np.random.default_rng(0).permutation(20))
    assert in_array_order(shuffled).label.tolist() == pictures.label.tolist()
    np.save(tmp_path / "Y.npy", np.eye(10)[columns][:5])
    with pytest.raises(ShapeError, match="20 pictures, 5 labels"):
        read_pictures(tmp_path, side=4)
    (tmp_path / "Y.npy").write_text("no array")
    with pytest.raises(InputError, match="no readable array"):
        read_pictures(tmp_path, side=4)


def test_joined_pictures_keep_their_rows() -> None:
    both = join_pictures([made_pictures(["A", "B", "C"]).select(np.array([2, 0])), made_pictures(["D", "E"])])
    assert both.label.tolist() == ["C", "A", "D", "E"]
    assert both.load()[:, 0, 0, 0].tolist() == [2, 0, 0, 1]


def test_squares_are_cut_from_the_middle() -> None:
    image = np.zeros((10, 30, 3), np.uint8)
    image[:, 10:20] = 200
    assert (square(image, 10) == 200).all()
    assert square(image, 5).shape == (5, 5, 3)
    np.testing.assert_array_equal(square(image[:, :10], 10), image[:, :10])
