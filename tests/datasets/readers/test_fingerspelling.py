"""Kaggle's fingerspelling data into a store: fake folders of its layout, and all possible faults."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_clips import interrupted, opened, refuses_file

from signary.datasets.fake import make_fingerspelling
from signary.datasets.prepare import Prepared, prepare
from signary.datasets.readers.reader import Options
from signary.datasets.stores.describe import describe_store
from signary.datasets.stores.landmarks import choose_points
from signary.errors import InputError
from signary.landmarks.files import read_all_landmarks
from signary.text.characters import CHARACTERS
from signary.text.phrases import phrase_kind

NAMED = """0,61,185,40,39,37,267,269,270,409,291,146,91,181,84,17,314,405,321,375,78,191,80,81,82,13,312,311,310,415,
95,88,178,87,14,317,402,318,324,308,1,2,98,327,33,7,163,144,145,153,154,155,133,246,161,160,159,158,157,173,
263,249,390,373,374,380,381,382,362,466,388,387,386,385,384,398"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fake set of two files of five phrases, and a supplemental one of five sentences."""
    path = tmp_path_factory.mktemp("made") / "set"
    make_fingerspelling(path, files=2, sequences=5, frames_a_letter=3, seed=1)
    return path


def run(folder: Path, target: Path, points: str = "lips,nose,eyes,hands,upper_body", **more: object) -> Prepared:
    options = replace(Options(), **{name: more.pop(name) for name in ("fps", "classes") if name in more})  # type: ignore[arg-type]
    return prepare("fingerspelling", folder, target, choose_points(points), options, **more)  # type: ignore[arg-type]


def rows_of(folder: Path) -> list[dict[str, str]]:
    tables = (folder / "train.csv", folder / "supplemental_metadata.csv")
    return [row for table in tables if table.is_file() for row in csv.DictReader(table.open(newline=""))]


def small(folder: Path) -> tuple[Path, Path, list[str]]:
    """Write a set of one file; return the folder, the file and its sequences."""
    make_fingerspelling(folder, files=1, sequences=4, supplemental=0, frames_a_letter=1)
    (file,) = (folder / "train_landmarks").iterdir()
    return folder, file, [row["sequence_id"] for row in rows_of(folder)]


def test_a_made_set_has_kaggles_layout(folder: Path) -> None:
    assert json.loads((folder / "character_to_prediction_index.json").read_text())["~"] == 58
    rows = rows_of(folder)
    assert list(rows[0]) == ["path", "file_id", "sequence_id", "participant_id", "phrase"]
    assert (len(rows), len({row["sequence_id"] for row in rows})) == (15, 15)
    assert set("".join(row["phrase"] for row in rows)) <= set(CHARACTERS)
    assert len({phrase_kind(row["phrase"]) for row in rows}) >= 3
    file = pq.ParquetFile(folder / rows[0]["path"])
    names = file.schema_arrow.names
    assert (len(names), names[:2], names[1629:]) == (1631, ["frame", "x_face_0"], ["z_right_hand_20", "sequence_id"])
    hands = [file.read(columns=[f"x_{side}_hand_0"]).column(0).null_count for side in ("left", "right")]
    assert min(hands) > 0 and sum(hands) > file.metadata.num_rows
    assert file.read(columns=["x_pose_0"]).column(0).null_count == 0


def test_made_sets_are_the_same_by_seed_and_never_written_over(folder: Path, tmp_path: Path) -> None:
    make_fingerspelling(tmp_path / "set", files=2, sequences=5, frames_a_letter=3, seed=1)
    assert rows_of(tmp_path / "set") == rows_of(folder)
    with pytest.raises(InputError, match="exists already"):
        make_fingerspelling(tmp_path / "set")
    with pytest.raises(InputError, match="files=0"):
        make_fingerspelling(tmp_path / "other", files=0)


def test_a_made_set_is_read(folder: Path, tmp_path: Path) -> None:
    prepared = run(folder, tmp_path / "store", workers=2)
    store, rows = opened(prepared), rows_of(folder)
    assert prepared.refused == []
    assert store.column("id").tolist() == [f"{row['file_id']}/{row['sequence_id']}" for row in rows]
    assert store.column("label").tolist() == [row["phrase"] for row in rows]
    assert store.column("signer").tolist() == store.column("group").tolist() == [row["participant_id"] for row in rows]
    assert store.column("split").tolist() == ["train"] * 10 + ["supplemental"] * 5
    assert set(store.column("licence")) == {"CC BY 4.0"} and set(store.column("fps")) == {30.0}
    for row, told in enumerate(rows):
        clip = read_all_landmarks(folder / told["path"])[int(told["sequence_id"])]
        np.testing.assert_allclose(store.clip(row), clip.points[:, store.points], atol=2**-11)
        assert store.column("hand_frames")[row] == round(clip.hand_rate * len(clip))


def test_the_points_of_the_network_are_kept_by_default() -> None:
    chosen = set(choose_points().tolist())
    named = [int(point) for point in NAMED.split(",")]
    needed = {*named, *range(468, 489), *range(522, 543), *range(489 + 11, 489 + 23)}
    assert len(needed) == 130 and needed <= chosen


def test_hands_are_counted_though_they_are_not_kept(folder: Path, tmp_path: Path) -> None:
    stores = [opened(run(folder, tmp_path / points, points)) for points in ("nose", "all")]
    assert stores[0].column("right_hand_frames").tolist() == stores[1].column("right_hand_frames").tolist()
    np.testing.assert_array_equal(stores[0].clip(3), stores[1].clip(3)[:, [1, 2, 98, 327]])


def test_info_of_phrases(folder: Path, tmp_path: Path) -> None:
    told = describe_store(opened(run(folder, tmp_path / "store")))
    phrases = [row["phrase"] for row in rows_of(folder)]
    assert "labels" not in told
    assert told["phrases"] == len(set(phrases))
    lengths = list(map(len, phrases))
    assert (told["characters_a_phrase"]["min"], told["characters_a_phrase"]["max"]) == (min(lengths), max(lengths))
    assert told["characters"]["e"] == "".join(phrases).count("e") and sum(told["characters"].values()) == sum(lengths)
    assert sum(told["kinds"].values()) == 15 and told["splits"] == {"train": 10, "supplemental": 5}


def test_what_is_wrong_with_a_sequence_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    folder, file, names = small(tmp_path / "set")
    table = folder / "train.csv"
    lines = table.read_text().splitlines()
    cells = [line.split(",") for line in lines]
    cells[2][4], cells[3][2] = "naïve €", "77"
    cells += [[*cells[1][:4], "again"], [*cells[1][:2], "78", "0", ""]]
    table.write_text("\n".join(map(",".join, cells)) + "\n")
    prepared = run(folder, tmp_path / "store")
    assert opened(prepared).column("id").tolist() == [f"{file.stem}/{names[3]}"]
    assert opened(prepared).column("label").tolist() == [cells[4][4]]
    assert [one.message.removeprefix(f"{file}: sequence ") for one in prepared.refused] == [
        f"{names[2]} is not in train.csv",
        f"{names[0]} of train.csv is named 2 times",
        f"{names[1]} of train.csv: phrase 'naïve €' has 'ï€'",
        "77 of train.csv has no frames in it",
        "78 of train.csv has no frames in it",
    ]
    assert all(one.hint for one in prepared.refused)


def test_an_empty_phrase(tmp_path: Path) -> None:
    folder, file, names = small(tmp_path / "set")
    text = (folder / "train.csv").read_text()
    (folder / "train.csv").write_text(text.replace(text.splitlines()[1].rpartition(",")[2], "", 1))
    assert [one.message for one in run(folder, tmp_path / "store").refused] == [
        f"{file}: sequence {names[0]} of train.csv: its phrase is empty"
    ]


def test_rows_out_of_order(tmp_path: Path) -> None:
    folder, file, names = small(tmp_path / "set")
    whole = pq.read_table(file)
    expected = opened(run(folder, tmp_path / "expected"))
    places = np.split(np.arange(whole.num_rows), np.cumsum(expected.lengths)[:-1])
    backwards, twice, apart = places[0][::-1], np.concatenate([places[1][:1], places[1]]), places[2]
    order = np.concatenate([apart[:2], backwards, twice, apart[2:], places[3]])
    pq.write_table(whole.take(order), file)
    prepared = run(folder, tmp_path / "store")
    store = opened(prepared)
    assert store.column("id").tolist() == [f"{file.stem}/{names[0]}", f"{file.stem}/{names[3]}"]
    np.testing.assert_array_equal(store.clip(0), expected.clip(0))
    np.testing.assert_array_equal(store.clip(1), expected.clip(3))
    assert [one.message for one in prepared.refused] == [
        f"{file}: sequence {names[2]} of train.csv is in 2 places",
        f"{file}: sequence {names[1]} has a frame twice",
    ]


DAMAGES: dict[str, tuple[Callable[[Path, pa.Table], object], str]] = {
    "short": (lambda file, _: file.write_bytes(file.read_bytes()[:5000]), "4 sequences were expected"),
    "empty": (lambda file, _: file.write_bytes(b""), "4 sequences were expected"),
    "columns": (lambda file, table: pq.write_table(table.drop_columns(["y_pose_3"]), file), "lacks columns y_pose_3"),
    "long": (lambda file, table: pq.write_table(table.select(["frame"]), file), "x_face_2 and 1626 more"),
    "text": (
        lambda file, table: pq.write_table(table.set_column(1, "x_face_0", pa.array(["a"] * table.num_rows)), file),
        "could not convert string",
    ),
    "unnamed": (
        lambda file, table: pq.write_table(
            table.set_column(1630, "sequence_id", pa.nulls(table.num_rows, pa.int64())), file
        ),
        "sequence_id is lacking in",
    ),
    "absent": (lambda file, _: file.unlink(), "no such file"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_named(folder: Path, tmp_path: Path, name: str) -> None:
    damaged, file, _ = small(tmp_path / "set")
    damage, message = DAMAGES[name]
    damage(file, pq.read_table(file))
    prepared = run(damaged, tmp_path / "store", "all")
    assert prepared.store is None and len(prepared.refused) == 1
    assert prepared.refused[0].message.startswith(f"{file}: ") and message in prepared.refused[0].message


def test_zero_frames(tmp_path: Path) -> None:
    folder, file, names = small(tmp_path / "set")
    pq.write_table(pq.read_table(file).slice(0, 0), file)
    prepared = run(folder, tmp_path / "store")
    assert prepared.store is None
    assert [one.message.split(": ")[1] for one in prepared.refused] == [
        f"sequence {name} of train.csv has no frames in it" for name in names
    ]


def test_phrases_can_be_chosen(folder: Path, tmp_path: Path) -> None:
    phrase = rows_of(folder)[0]["phrase"]
    assert set(opened(run(folder, tmp_path / "one", classes=(phrase,))).column("label")) == {phrase}


def test_an_interrupted_run_is_gone_on_with(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(folder, tmp_path / "store", track=interrupted)
    prepared = run(folder, tmp_path / "store", resume=True)
    assert (prepared.kept, len(opened(prepared))) == (1, 15)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.csv", None, "train.csv: no such file"),
        ("train.csv", "path,phrase\na,b\n", "lacks columns file_id, sequence_id, participant_id"),
        ("supplemental_metadata.csv", "", "lacks columns path"),
        ("character_to_prediction_index.json", "[1", "no readable map"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    refuses_file(run, small(tmp_path / "set")[0], name, content, message)
