"""Kaggle's isolated signs into a store: fake folders of its layout, real files, and all possible faults."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_clips import interrupted, made_points, opened, refuses_file

from signary.datasets.prepare import Prepared, prepare
from signary.datasets.readers.reader import Options, find_reader
from signary.datasets.stores.describe import describe_store
from signary.datasets.stores.landmarks import choose_points
from signary.errors import InputError, ModelNotFound
from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.landmarks.write import write_landmarks

SIGNS = ("hello", "thankyou", "blow")


def write_clip(path: Path, points: np.ndarray) -> pa.Table:
    """Write a file in Kaggle's long layout, without our metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_landmarks(path, LandmarkSequence(points, np.arange(len(points)) / 30), force=True)
    table = pq.read_table(path).replace_schema_metadata(None)
    pq.write_table(table, path)
    return table


def write_set(folder: Path, lengths: Iterable[int], rows: Iterable[tuple[str, ...]] = ()) -> Path:
    """Write a folder in Kaggle's layout; clip n has sequence_id n and signer n % 2."""
    table = [("path", "participant_id", "sequence_id", "sign")]
    for number, length in enumerate(lengths):
        path = f"train_landmark_files/{number % 2}/{number}.parquet"
        write_clip(folder / path, made_points(length, number))
        table.append((path, str(number % 2), str(number), SIGNS[number % len(SIGNS)]))
    folder.mkdir(exist_ok=True)
    with (folder / "train.csv").open("w", newline="") as file:
        csv.writer(file).writerows([*table, *rows])
    known = {sign: place for place, sign in enumerate(SIGNS)}
    (folder / "sign_to_prediction_index_map.json").write_text(json.dumps(known))
    return folder


def run(folder: Path, target: Path, classes: tuple[str, ...] = (), **more: object) -> Prepared:
    return prepare("gislr", folder, target, choose_points(), Options(classes=classes), **more)  # type: ignore[arg-type]


def test_a_made_set(tmp_path: Path) -> None:
    prepared = run(write_set(tmp_path / "set", (4, 1, 9)), tmp_path / "store")
    store = opened(prepared)
    assert prepared.refused == []
    assert store.column("label").tolist() == list(SIGNS)
    assert store.column("id").tolist() == ["0", "1", "2"]
    assert store.column("signer").tolist() == store.column("group").tolist() == ["0", "1", "0"]
    assert set(store.column("licence")) == {"CC BY 4.0"} and set(store.column("fps")) == {30.0}
    assert store.column("file")[2] == "train_landmark_files/0/2.parquet"
    for row, length in enumerate((4, 1, 9)):
        expected = made_points(length, row)[:, store.points]
        np.testing.assert_allclose(store.clip(row), expected, atol=2**-12)


def test_real_files(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gislr-two-signs" / "kaggle"
    store = opened(run(folder, tmp_path / "store", workers=2))
    told = describe_store(store)
    assert (told["clips"], told["labels"], len(told["signers"])) == (15, {"hello": 8, "thankyou": 7}, 15)
    for row, file in enumerate(store.column("file").tolist()):
        clip = read_landmarks(folder / file)
        assert file.split("/")[1] == store.column("signer")[row]
        np.testing.assert_allclose(store.clip(row), clip.points[:, store.points], rtol=2**-11, atol=1e-6)
        assert store.column("hand_frames")[row] == round(clip.hand_rate * len(clip))


def test_classes_are_chosen_and_lacking_ones_named(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", (2, 2, 2, 2))
    prepared = run(folder, tmp_path / "store", ("Hello", "yes"))
    assert opened(prepared).column("id").tolist() == ["0", "3"]
    assert [one.message for one in prepared.refused] == [f"{folder}: no clip of class 'yes'"]
    with pytest.raises(InputError, match="nothing for the reader gislr of no"):
        run(folder, tmp_path / "other", ("no",))


def test_every_bad_file_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    extra = [
        ("short.parquet", "7", "100", "hello"),
        ("columns.parquet", "7", "101", "hello"),
        ("points.parquet", "7", "102", "hello"),
        ("rows.parquet", "7", "103", "hello"),
        ("absent.parquet", "7", "104", "hello"),
        ("train_landmark_files/0/0.parquet", "7", "105", "sneeze"),
        ("train_landmark_files/1/1.parquet", "7", "0", "hello"),
    ]
    folder = write_set(tmp_path / "set", (3, 3), extra)
    table = write_clip(folder / "short.parquet", made_points(3))
    (folder / "short.parquet").write_bytes((folder / "short.parquet").read_bytes()[:5000])
    pq.write_table(table.drop_columns(["type"]), folder / "columns.parquet")
    pq.write_table(table.slice(0, 0), folder / "rows.parquet")
    kept = np.flatnonzero(np.arange(table.num_rows) % 543 != 480)
    pq.write_table(table.take(kept), folder / "points.parquet")
    prepared = run(folder, tmp_path / "store")
    assert opened(prepared).column("id").tolist() == ["0", "1"]
    said = {Path(one.file).name: one.message for one in prepared.refused[:-1]}
    assert [one.message.startswith(str(folder)) for one in prepared.refused[:-1]] == [True] * 6
    assert "cannot be read as Parquet" in said["short.parquet"]
    assert "lacks columns type" in said["columns.parquet"]
    assert "542 points a frame, must be 543" in said["points.parquet"]
    assert "long layout" in said["rows.parquet"]
    assert "no such file" in said["absent.parquet"]
    assert "sign 'sneeze' is not in sign_to_prediction" in said["0.parquet"]
    assert prepared.refused[-1].message == "train_landmark_files/1/1.parquet: clip 0 is there already"
    assert all(one.hint for one in prepared.refused)


def test_odd_clips_are_kept_and_counted(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", (1, 6, 5000))
    points = np.nan_to_num(made_points(6))
    write_clip(folder / "train_landmark_files" / "0" / "0.parquet", points[:1])
    points[:, LEFT_HAND] = points[:, RIGHT_HAND] = np.nan
    write_clip(folder / "train_landmark_files" / "1" / "1.parquet", points)
    write_clip(folder / "train_landmark_files" / "0" / "2.parquet", np.nan_to_num(made_points(5000)))
    told = describe_store(opened(run(folder, tmp_path / "store")))
    assert (told["frames_a_clip"]["min"], told["frames_a_clip"]["max"]) == (1, 5000)
    missing = round(6 / 5007, 4)
    assert told["missing"] == {**dict.fromkeys(("left_hand", "right_hand", "hand"), missing), "clips_without_hand": 1}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("train.csv", None, "train.csv: no such file"),
        ("train.csv", "path,sign\na,b\n", "lacks columns participant_id, sequence_id"),
        ("train.csv", "", "lacks columns path"),
        ("train.csv", "path,participant_id,sequence_id,sign\na,1\n", "line 2 has not as many cells"),
        ("sign_to_prediction_index_map.json", "[1", "no readable map"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    refuses_file(run, write_set(tmp_path / "set", (2,)), name, content, message)


def test_without_the_map_any_sign_will_do(tmp_path: Path) -> None:
    folder = write_set(tmp_path / "set", (2, 2))
    (folder / "sign_to_prediction_index_map.json").unlink()
    assert len(opened(run(folder, tmp_path / "store"))) == 2


def test_no_clip_at_all(tmp_path: Path) -> None:
    prepared = run(write_set(tmp_path / "set", (), [("a.parquet", "1", "2", "hello")]), tmp_path / "store")
    assert prepared.store is None and len(prepared.refused) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_a_stopped_run_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, target = write_set(tmp_path / "set", [2] * 150), tmp_path / "store"
    with pytest.raises(KeyboardInterrupt):
        run(folder, target, track=interrupted)
    first = next((tmp_path / "store.partial").glob("*.npy"))
    written = first.stat().st_mtime_ns
    with pytest.raises(InputError, match="1 batches of a store half written"):
        run(folder, target)
    write_clip(folder / "train_landmark_files" / "1" / "149.parquet", made_points(7))  # not done before

    def looked_at(batches: Iterable[None], total: int) -> Iterator[None]:
        assert total == 2
        yield from batches
        assert first.stat().st_mtime_ns == written

    prepared = run(folder, target, resume=True, track=looked_at)
    store = opened(prepared)
    assert prepared.kept == 1 and len(store) == 150 and store.lengths[149] == 7
    whole = opened(run(folder, tmp_path / "whole"))
    np.testing.assert_array_equal(store.padded(np.arange(150))[0], whole.padded(np.arange(150))[0])
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["set", "store", "whole"]


def test_what_changed_is_done_again(tmp_path: Path) -> None:
    folder, target = write_set(tmp_path / "set", [2] * 70), tmp_path / "store"

    def stopped(batches: Iterable[None], total: int) -> Iterator[None]:
        yield from batches
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, target, track=stopped)
    write_clip(folder / "train_landmark_files" / "1" / "1.parquet", made_points(5))
    prepared = run(folder, target, resume=True)
    assert prepared.kept == 1
    assert opened(prepared).lengths[:3].tolist() == [2, 5, 2]


def test_readers_by_name() -> None:
    assert find_reader("gislr").name == "gislr"
    with pytest.raises(ModelNotFound, match=r"'gislrr': no such reader .did you mean 'gislr'"):
        find_reader("gislrr")
