"""ChaLearn IsoGD and LedaSila, as fake folders of their layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from signary.datasets.prepare import prepare
from signary.datasets.readers.reader import Options, find_pieces
from signary.datasets.stores.landmarks import choose_points
from signary.errors import InputError
from signary.video.write import write_video


def write_clip(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return write_video(path, [np.full((48, 64, 3), shade, np.uint8) for shade in (10, 60, 110)], 25)


@pytest.fixture
def isogd(tmp_path: Path) -> Path:
    first, second = tmp_path / "isogd" / "IsoGD_phase_1", tmp_path / "isogd" / "IsoGD_phase_2"
    for name in ("train/001/M_00001", "train/001/M_00002", "valid/001/M_00001"):
        write_clip(first / f"{name}.mp4")
    second.mkdir()
    rows = [f"train/001/M_0000{n}.mp4 train/001/K_0000{n}.mp4 {label}" for n, label in ((1, 214), (2, 9), (3, 9))]
    (first / "train_list.txt").write_text("\n".join(rows) + "\n\n")
    (first / "valid_list.txt").write_text("valid\\001\\M_00001.mp4 valid\\001\\K_00001.mp4 9\n")
    (second / "test_list.txt").write_text("test/001/M_00001.mp4 test/001/K_00001.mp4\n")
    return tmp_path / "isogd"


def test_isogd_lists(isogd: Path) -> None:
    pieces = find_pieces("chalearn-isogd", isogd, Options())
    told = [(piece.about["id"], piece.about["label"], piece.about["split"], piece.about["group"]) for piece in pieces]
    assert told == [
        ("train/001/M_00001.mp4", "214", "train", "train/001"),
        ("train/001/M_00002.mp4", "9", "train", "train/001"),
        ("train/001/M_00003.mp4", "9", "train", "train/001"),
        ("valid/001/M_00001.mp4", "9", "valid", "valid/001"),
        ("test/001/M_00001.mp4", "", "test", "test/001"),
    ]
    nine = find_pieces("chalearn-isogd", isogd, Options(classes=("9",)))
    assert [piece.about["label"] for piece in nine] == ["9"] * 3
    assert pieces[0].path == isogd / "IsoGD_phase_1" / "train" / "001" / "M_00001.mp4"


def test_isogd_becomes_landmarks(isogd: Path, tmp_path: Path) -> None:
    how = Options(detector="hands")
    made = prepare("chalearn-isogd", isogd, tmp_path / "store", choose_points("hands"), how)
    assert made.store is not None
    assert made.store.column("label").tolist() == ["214", "9", "9"]
    assert made.store.lengths.tolist() == [3, 3, 3]
    assert sorted(Path(one.file).name for one in made.refused) == ["M_00001.mp4", "M_00003.mp4"]
    assert "gives no label" in made.refused[-1].message


def test_isogd_faults(isogd: Path, tmp_path: Path) -> None:
    (isogd / "IsoGD_phase_1" / "train_list.txt").write_text("train/001/M_00001.mp4\n")
    with pytest.raises(InputError, match="line 1"):
        find_pieces("chalearn-isogd", isogd, Options())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="_list"):
        find_pieces("chalearn-isogd", tmp_path / "empty", Options())


def test_ledasila_words_begin_the_names(tmp_path: Path) -> None:
    for name in ("a/Abend-12.mp4", "a/Abend-3.mp4", "h/Haus bauen-1.mp4"):
        write_clip(tmp_path / "leda" / name)
    pieces = find_pieces("ledasila", tmp_path / "leda", Options())
    assert [(piece.about["id"], piece.about["label"]) for piece in pieces] == [
        ("a/Abend-3.mp4", "Abend"),
        ("a/Abend-12.mp4", "Abend"),
        ("h/Haus bauen-1.mp4", "Haus bauen"),
    ]
    (tmp_path / "leda" / "manifest.csv").write_text("path,label,signer\na/Abend-3.mp4,Morgen,ann\n")
    (listed,) = find_pieces("ledasila", tmp_path / "leda", Options())
    assert (listed.about["label"], listed.about["signer"]) == ("Morgen", "ann")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no video"):
        find_pieces("ledasila", tmp_path / "empty", Options())
