"""Clips of one or more stores: normalized labels, honest folds, padded batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_clips import made_signs, write_store

from signary.datasets.clips import fold_of, open_clips
from signary.datasets.stores.draft import Clip
from signary.errors import InputError


def other_store(path: Path, labels: list[str], *, source: str = "other", first: str = "x") -> None:
    points = np.full((5, 543, 3), 0.5, np.float32)
    names = {f"{first}{row}": label for row, label in enumerate(labels)}
    write_store(path, [Clip(key, points, label, source=source, file=key, sha256=key) for key, label in names.items()])


def test_stores_of_a_folder_are_one_set(tmp_path: Path) -> None:
    made_signs(tmp_path / "a", signers=2, each=2)
    other_store(tmp_path / "b", ["Across", "upward", "-"])
    clips = open_clips(tmp_path, aliases={"upward": "up", "-": "still"}, teams={"other": "team"})
    assert len(clips) == 15
    assert set(clips.label.tolist()) == {"across", "up", "still"}
    assert set(clips.source.tolist()) == {"made", "team"}
    assert clips.signer[-1] == "other/other"
    values, lengths = clips.padded([14, 0, 13], 6, [468, 500, 1])
    assert values.shape == (3, 6, 3, 3)
    assert lengths.tolist() == [5, 6, 5]
    assert np.isnan(values[0, 5]).all()
    np.testing.assert_array_equal(values[0, :5], np.float32(0.5))
    alone, _ = clips.padded([0], 6, [468, 500, 1])
    np.testing.assert_array_equal(values[1], alone[0])


def test_a_signer_is_named_within_the_source_once(tmp_path: Path) -> None:
    points = np.full((2, 543, 3), 0.5, np.float32)
    names = {"x": "set/ann", "y": "ann", "z": ""}
    clips = [Clip(key, points, "up", source="set", signer=name, file=key) for key, name in names.items()]
    write_store(tmp_path / "a", clips)
    assert open_clips(tmp_path / "a").signer.tolist() == ["set/ann", "set/ann", "set/set"]
    assert len(set(open_clips(tmp_path / "a").key.tolist())) == 3


def test_a_clip_in_two_stores_is_refused(tmp_path: Path) -> None:
    other_store(tmp_path / "a", ["up"])
    other_store(tmp_path / "b", ["up"])
    with pytest.raises(InputError, match="in another store"):
        open_clips(tmp_path)


def test_a_file_that_was_kept_twice_is_refused(tmp_path: Path) -> None:
    points = np.full((2, 543, 3), 0.5, np.float32)
    write_store(tmp_path / "a", [Clip(name, points, "up", file=f"{name}.mp4", sha256="0" * 64) for name in "xyz"])
    with pytest.raises(InputError, match="clips 0 and 1 are one file, kept twice"):
        open_clips(tmp_path / "a")


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no store of clips") as caught:
        open_clips(tmp_path)
    assert "signary data prepare" in str(caught.value.hint)


def test_no_signer_is_in_two_folds(tmp_path: Path) -> None:
    made_signs(tmp_path / "a")
    clips = open_clips(tmp_path / "a")
    number, names = fold_of(clips, "signer", 0)
    assert names == ["made/s0", "made/s1", "made/s2", "made/s3"]
    assert all(len(set(number[clips.signer == signer])) == 1 for signer in names)
    number, names = fold_of(clips, "signer", 2, seed=1)
    assert sorted(np.bincount(number).tolist()) == [24, 24]
    assert names == ["1 of 2 by signer", "2 of 2 by signer"]


def test_some_clips_keep_what_is_known_of_them(tmp_path: Path) -> None:
    made_signs(tmp_path / "a")
    clips = open_clips(tmp_path / "a")
    some = clips.select(clips.label == "up")
    assert len(some) == 16
    assert set(some.label.tolist()) == {"up"}
    assert len(set(clips.key.tolist())) == 48
