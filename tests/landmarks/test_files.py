from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signary.errors import InputError, SkeletonMismatch
from signary.landmarks.files import read_all_landmarks, read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import HAND_21, HOLISTIC_543
from signary.landmarks.write import write_landmark_parts, write_landmarks, write_wide

PARTS = {"face": 468, "left_hand": 21, "pose": 33, "right_hand": 21}


def made_points(frames: int, seed: int = 0, size: int = 543) -> np.ndarray:
    """Random points float32 (T, size, 3), some of them NaN."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0.5, 0.5, (frames, size, 3)).astype(np.float32)
    points[rng.random((frames, size)) < 0.1] = np.nan
    return points


def long_table(points: np.ndarray, frames: list[int]) -> pa.Table:
    """Kaggle's table of isolated signs, made the plain way: a row a point."""
    rows = []
    for frame, frame_points in zip(frames, points.tolist(), strict=True):
        place = 0
        for kind, size in PARTS.items():
            for index in range(size):
                x, y, z = (None if np.isnan(value) else value for value in frame_points[place])
                rows.append((frame, f"{frame}-{kind}-{index}", kind, index, x, y, z))
                place += 1
    names = ("frame", "row_id", "type", "landmark_index", "x", "y", "z")
    table = pa.table(dict(zip(names, map(list, zip(*rows, strict=True)), strict=True)))
    kinds = {"frame": pa.int16(), "landmark_index": pa.int16()}
    return table.cast(pa.schema([(field.name, kinds.get(field.name, field.type)) for field in table.schema]))


def wide_table(clips: dict[int, np.ndarray], frames: dict[int, list[int]] | None = None) -> pa.Table:
    """Kaggle's table of fingerspelling, made the plain way: a row a frame, 1,630 columns."""
    columns = {"frame": [frame for name, clip in clips.items() for frame in (frames or {}).get(name, range(len(clip)))]}
    whole = np.concatenate(list(clips.values()))
    for axis, letter in enumerate("xyz"):
        place = 0
        for kind, size in PARTS.items():
            for index in range(size):
                columns[f"{letter}_{kind}_{index}"] = whole[:, place, axis]
                place += 1
    columns["sequence_id"] = [name for name, clip in clips.items() for _ in clip]
    return pa.table(columns)


def save(table: pa.Table, path: Path) -> Path:
    pq.write_table(table, path)
    return path


def same(a: LandmarkSequence, b: LandmarkSequence) -> None:
    np.testing.assert_array_equal(a.points, b.points)
    np.testing.assert_array_equal(a.times_s, b.times_s)
    assert a.skeleton is b.skeleton and a.aspect == b.aspect


CLIPS = st.builds(
    lambda frames, seed, skeleton, aspect, steps: LandmarkSequence(
        made_points(frames, seed, len(skeleton)), np.cumsum(steps[:frames]), skeleton, aspect
    ),
    frames=st.integers(0, 4),
    seed=st.integers(0, 9),
    skeleton=st.sampled_from([HAND_21, HOLISTIC_543]),
    aspect=st.none() | st.floats(0.1, 10),
    steps=st.lists(st.floats(0, 1), min_size=4, max_size=4),
)


@pytest.mark.parametrize("ending", [".parquet", ".npz", ".PARQUET"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(clip=CLIPS)
def test_round_trip_is_exact(tmp_path, ending, clip):
    path = tmp_path / f"clip{ending}"
    assert write_landmarks(path, clip, force=True) == path
    same(read_landmarks(path, fps=7), clip)
    assert list(read_all_landmarks(path)) == ["clip"]


def test_our_parquet_is_kaggles_layout(tmp_path):
    points = made_points(3)
    path = write_landmarks(tmp_path / "clip.parquet", LandmarkSequence(points, [0, 0.1, 0.2]))
    ours, theirs = pq.read_table(path), long_table(points, [0, 1, 2])
    assert ours.column_names == theirs.column_names
    for name in ("frame", "row_id", "type", "landmark_index"):
        assert ours[name].to_pylist() == theirs[name].to_pylist()
    for axis in "xyz":
        np.testing.assert_array_equal(ours[axis].to_numpy(), theirs[axis].to_numpy().astype(np.float32))


def test_real_long_files(shared_data):
    files = sorted((shared_data / "gislr-two-signs/kaggle/train_landmark_files").glob("*/*.parquet"))
    assert len(files) == 15
    for file in files:
        table = pq.read_table(file)
        clip = read_landmarks(file)
        assert clip.skeleton is HOLISTIC_543 and clip.aspect is None
        # in these files every frame has its 543 rows in order
        expected = np.stack([table[axis].to_numpy() for axis in "xyz"], axis=1).reshape(-1, 543, 3)
        np.testing.assert_array_equal(clip.points, expected.astype(np.float32))
        numbers = table["frame"].to_numpy()[::543].astype(int)
        np.testing.assert_allclose(clip.times_s, (numbers - numbers[0]) / 30)


def test_real_long_file_agrees_with_its_other_copy(shared_data):
    folder = shared_data / "gislr-two-signs"
    with np.load(folder / "4718.npz") as arrays:
        copy, kept = arrays["thankyou__1339088376"], arrays["points"]
        frames = arrays["frames__1339088376"].astype(int)
    clip = read_landmarks(folder / "kaggle/train_landmark_files/4718/1339088376.parquet", fps=10)
    np.testing.assert_allclose(clip.points[:, kept], copy, atol=2e-3)
    np.testing.assert_allclose(clip.times_s, (frames - frames[0]) / 10)


def test_real_long_file_by_its_sequence_id(shared_data):
    path = shared_data / "gislr-two-signs/kaggle/train_landmark_files/4718/1339088376.parquet"
    assert len(read_landmarks(path, sequence_id=1339088376)) == 18
    with pytest.raises(InputError, match=r"sequence_id=5: not in .*it holds 1339088376"):
        read_landmarks(path, sequence_id=5)


def test_long_rows_in_any_order_and_missing(tmp_path):
    points, frames = made_points(3), [20, 22, 23]
    table = long_table(points, frames)
    order = np.random.default_rng(1).permutation(table.num_rows)
    kept = order[order != 543 + 470]  # frame 22, left hand, point 2
    clip = read_landmarks(save(table.take(kept), tmp_path / "a.parquet"), fps=20)
    points[1, 470] = np.nan
    np.testing.assert_array_equal(clip.points, points)
    np.testing.assert_allclose(clip.times_s, [0, 0.1, 0.15])


def test_long_file_without_a_whole_part(tmp_path):
    points = made_points(2)
    table = long_table(points, [0, 1])
    hands = np.flatnonzero(np.char.endswith(table["type"].to_numpy(zero_copy_only=False).astype(str), "hand"))
    clip = read_landmarks(save(table.take(hands), tmp_path / "a.parquet"))
    np.testing.assert_array_equal(clip.part("right_hand"), points[:, 522:])
    assert np.isnan(clip.part("face")).all() and np.isnan(clip.part("pose")).all()


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("frame", None, "numbers whole"),
        ("landmark_index", 40, "landmark_index 40 is beyond the points of right_hand"),
        ("landmark_index", -1, "landmark_index -1 is beyond"),
        ("landmark_index", 0, "occurs twice"),
        ("type", "tail", "column type holds .*tail"),
        ("type", None, "must be filled"),
        ("x", "wide", "cannot be read"),
    ],
)
def test_long_file_with_a_wrong_value(tmp_path, column, value, message):
    table = long_table(made_points(1), [0])
    values = [str(v) if isinstance(value, str) and v is not None else v for v in table[column].to_pylist()[:-1]]
    table = table.set_column(table.column_names.index(column), column, pa.array([*values, value]))
    with pytest.raises(InputError, match=message):
        read_landmarks(save(table, tmp_path / "a.parquet"))


def test_long_file_lacks_columns(tmp_path):
    table = long_table(made_points(1), [0]).drop_columns(["type", "z"])
    with pytest.raises(InputError, match=r"lacks columns type, z .it has frame, row_id, landmark_index, x, y"):
        read_landmarks(save(table, tmp_path / "a.parquet"))


def test_long_file_without_rows(tmp_path):
    table = long_table(made_points(1), [0]).slice(0, 0)
    with pytest.raises(InputError, match="no rows"):
        read_landmarks(save(table, tmp_path / "a.parquet"))


def test_wide_table_has_kaggles_columns(tmp_path):
    points = made_points(3)
    theirs = wide_table({7: points})
    assert theirs.num_columns == 1630 + 1
    ours = pq.read_table(write_wide(tmp_path / "a.parquet", {7: LandmarkSequence(points, range(3))}))
    assert ours.column_names == theirs.column_names
    for name in theirs.column_names:
        np.testing.assert_array_equal(ours[name].to_numpy(), theirs[name].to_numpy())


def test_wide_file_of_many(tmp_path):
    clips = {50: made_points(3, 1), 7: made_points(2, 2), 9: made_points(4, 3)}
    path = save(wide_table(clips, {7: [12, 15]}), tmp_path / "a.parquet")
    read = read_all_landmarks(path, fps=10)
    assert list(read) == [50, 7, 9]
    for name, points in clips.items():
        np.testing.assert_array_equal(read[name].points, points)
        same(read_landmarks(path, fps=10, sequence_id=name), read[name])
    np.testing.assert_allclose(read[7].times_s, [0, 0.3])
    np.testing.assert_allclose(read[9].times_s, [0, 0.1, 0.2, 0.3])


def test_wide_rows_in_any_order(tmp_path):
    clips = {1: made_points(30, 1), 2: made_points(20, 2)}
    table = wide_table(clips)
    path = save(table.take(np.random.default_rng(0).permutation(50)), tmp_path / "a.parquet")
    for name, points in clips.items():
        np.testing.assert_array_equal(read_landmarks(path, sequence_id=name).points, points)


def test_wide_file_larger_than_a_batch(tmp_path):
    points = made_points(5000, size=21)
    columns = {f"{axis}_left_hand_{i}": points[:, i, place] for i in range(21) for place, axis in enumerate("xyz")}
    columns |= {"frame": np.tile(np.arange(2500), 2), "sequence_id": np.repeat([3, 1], 2500)}
    read = read_all_landmarks(save(pa.table(columns), tmp_path / "a.parquet"))
    np.testing.assert_array_equal(read[3].part("left_hand"), points[:2500])
    np.testing.assert_array_equal(read[1].part("left_hand"), points[2500:])


def test_wide_file_with_some_columns(tmp_path):
    points = made_points(2)
    names = ["sequence_id", "x_right_hand_0", "y_right_hand_0", "z_right_hand_0", "x_face_3", "frame"]
    clip = read_landmarks(save(wide_table({1: points}).select(names), tmp_path / "a.parquet"))
    np.testing.assert_array_equal(clip.points[:, 522], points[:, 522])
    np.testing.assert_array_equal(clip.points[:, 3, 0], points[:, 3, 0])
    assert np.isfinite(clip.points).sum() == np.isfinite(points[:, 522]).sum() + np.isfinite(points[:, 3, 0]).sum()


def test_wide_round_trip_is_exact(tmp_path):
    clips = {
        900: LandmarkSequence(made_points(3, 1), [0.1, 0.13, 0.2], aspect=0.75),
        4: LandmarkSequence(made_points(1, 2), [5.0]),
    }
    path = write_wide(tmp_path / "a.parquet", clips)
    read = read_all_landmarks(path, fps=3)
    assert list(read) == [900, 4]
    for name, clip in clips.items():
        same(read[name], clip)
        same(read_landmarks(path, sequence_id=name), clip)


def test_wide_file_asked_for_the_wrong_clip(tmp_path):
    clips = {name: LandmarkSequence(made_points(1), [0]) for name in range(10, 30)}
    path = write_wide(tmp_path / "a.parquet", clips)
    with pytest.raises(InputError, match=r"holds 20 clips .name one with its sequence_id: 10, 11.* and 12 more"):
        read_landmarks(path)
    with pytest.raises(InputError, match="sequence_id=5: not in"):
        read_landmarks(path, sequence_id=5)


@pytest.mark.parametrize("missing", ["frame", "sequence_id"])
def test_wide_file_lacks_columns(tmp_path, missing):
    table = wide_table({1: made_points(1)}).drop_columns([missing])
    with pytest.raises(InputError, match=f"lacks columns {missing}"):
        read_landmarks(save(table, tmp_path / "a.parquet"))


def test_wide_file_with_a_frame_twice_or_no_rows(tmp_path):
    table = wide_table({1: made_points(2)}, {1: [3, 3]})
    with pytest.raises(InputError, match="a frame occurs twice"):
        read_landmarks(save(table, tmp_path / "a.parquet"))
    with pytest.raises(InputError, match="no rows"):
        read_landmarks(save(table.slice(0, 0), tmp_path / "b.parquet"))


def test_write_wide_refuses(tmp_path):
    hand = LandmarkSequence(made_points(2, size=21), [0, 1], "HAND_21")
    with pytest.raises(SkeletonMismatch, match="clip 1: HAND_21"):
        write_wide(tmp_path / "a.parquet", {1: hand})
    with pytest.raises(InputError, match="no clips"):
        write_wide(tmp_path / "a.parquet", {})
    with pytest.raises(InputError, match="no frames"):
        write_wide(tmp_path / "a.parquet", {1: hand[:0].as_holistic()})
    with pytest.raises(InputError, match=r"a\.npz: the wide layout is Parquet"):
        write_wide(tmp_path / "a.npz", {1: hand.as_holistic()})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [".parquet", ".npz"])
def test_keeps_a_file_unless_forced(tmp_path, ending):
    one, two = (LandmarkSequence(made_points(1, seed), [0]) for seed in (1, 2))
    path = write_landmarks(tmp_path / f"a{ending}", one)
    with pytest.raises(InputError, match="exists already"):
        write_landmarks(path, two)
    same(read_landmarks(path), one)
    write_landmarks(path, two, force=True)
    same(read_landmarks(path), two)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("ending", [".parquet", ".npz"])
@pytest.mark.parametrize("damage", ["nothing", "empty", "folder", "text", "half", "tail"])
def test_bad_files(tmp_path, ending, damage):
    path = tmp_path / f"a{ending}"
    whole = write_landmarks(tmp_path / f"b{ending}", LandmarkSequence(made_points(5), range(5))).read_bytes()
    contents = {"empty": b"", "text": b"frame,x,y\n", "half": whole[: len(whole) // 2], "tail": whole[-2000:]}
    if damage == "folder":
        path.mkdir()
    elif damage != "nothing":
        path.write_bytes(contents[damage])
    with pytest.raises(InputError) as caught:
        read_landmarks(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value) and caught.value.hint


def test_bytes_overwritten_in_the_middle(tmp_path):
    for ending in (".parquet", ".npz"):
        path = write_landmarks(tmp_path / f"a{ending}", LandmarkSequence(made_points(5), range(5)))
        data = bytearray(path.read_bytes())
        middle = len(data) * 2 // 3
        data[middle : middle + 2000] = bytes(2000)
        path.write_bytes(data)
        with pytest.raises(InputError, match="cannot be read"):
            read_landmarks(path)


def test_other_endings_and_rates(tmp_path):
    with pytest.raises(InputError, match=r"a\.csv: not a landmark file .known endings: \.parquet, \.npz"):
        read_landmarks(tmp_path / "a.csv")
    with pytest.raises(InputError, match=r"known endings"):
        write_landmarks(tmp_path / "a.csv", LandmarkSequence(made_points(1), [0]))
    path = save(long_table(made_points(1), [0]), tmp_path / "a.parquet")
    for fps in (0, -1, float("nan"), float("inf")):
        with pytest.raises(InputError, match=f"fps={fps}, must be above 0"):
            read_landmarks(path, fps=fps)


def test_parquet_of_something_else(tmp_path):
    path = save(pa.table({"label": ["A"]}), tmp_path / "a.parquet")
    with pytest.raises(InputError, match=r"lacks columns frame, type, landmark_index, x, y, z .it has label"):
        read_landmarks(path)


def test_npz_without_keys_with_objects_or_wrong_shapes(tmp_path, shared_data):
    with pytest.raises(InputError, match="lacks keys times_s, skeleton, aspect"):
        read_landmarks(shared_data / "gislr-two-signs/4718.npz")
    good = {"points": np.zeros((1, 21, 3)), "times_s": [0], "skeleton": "HAND_21", "aspect": np.nan}
    for key, value, message in (
        ("points", np.array([{}], object), "allow_pickle=False"),
        ("points", np.zeros((1, 22, 3)), r"points.shape=\(1, 22, 3\)"),
        ("skeleton", "COCO_17", "'COCO_17': no such skeleton"),
        ("aspect", [1, 2], "cannot be read as npz"),
    ):
        np.savez(tmp_path / "a.npz", **(good | {key: value}))
        with pytest.raises(InputError, match=message):
            read_landmarks(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        (b"{", "cannot be read"),
        (b"[1]", "cannot be read"),
        (b'{"version": 2}', "version 2"),
        (b'{"version": 1}', "cannot be read"),
        (json.dumps({"version": 1, "skeleton": "HOLISTIC_543", "times_s": [0]}).encode(), "beyond the times"),
        (json.dumps({"version": 1, "skeleton": "HAND_21", "times_s": [0, 1]}).encode(), "column type"),
    ],
)
def test_metadata_that_does_not_fit(tmp_path, metadata, message):
    table = long_table(made_points(2), [0, 1]).replace_schema_metadata({b"signary": metadata})
    with pytest.raises(InputError, match=message):
        read_landmarks(save(table, tmp_path / "a.parquet"))


def test_parts_are_written_as_the_whole(tmp_path):
    clip = LandmarkSequence(np.random.default_rng(0).random((20, 543, 3)), np.arange(20) / 25, aspect=1.5)
    whole = write_landmarks(tmp_path / "whole.parquet", clip)
    parts = write_landmark_parts(tmp_path / "parts.parquet", iter([clip[:7], clip[7:8], clip[8:]]))
    one, other = read_landmarks(whole), read_landmarks(parts)
    np.testing.assert_array_equal(one.points, clip.points)
    np.testing.assert_array_equal(other.points, clip.points)
    np.testing.assert_array_equal(other.times_s, clip.times_s)
    assert other.aspect == clip.aspect
