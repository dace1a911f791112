"""The store of clips: round trips, padded batches, unfinished and damaged stores."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_clips import made_points, write_store

from signary.datasets.stores.draft import Clip, Refused, StoreDraft
from signary.datasets.stores.landmarks import POINT_SETS, ClipStore, choose_points
from signary.errors import InputError, ShapeError, SkeletonMismatch
from signary.landmarks.face import LIPS_INNER_LOWER, LIPS_OUTER_UPPER
from signary.landmarks.sequence import scattered
from signary.landmarks.skeleton import HOLISTIC_543, LEFT_HAND

LENGTHS = (3, 1, 40, 7, 7, 12)


def made_clips(lengths: tuple[int, ...] = LENGTHS) -> list[Clip]:
    return [
        Clip(f"c{row}", made_points(length, row), label="AB"[row % 2], fps=25.0 if row else None, file=f"{row}.x")
        for row, length in enumerate(lengths)
    ]


@pytest.fixture
def store(tmp_path: Path) -> ClipStore:
    return write_store(tmp_path / "store", made_clips(), batch=2)


def test_clips_come_back_to_the_precision_of_halves(store: ClipStore) -> None:
    assert len(store) == len(LENGTHS)
    assert store.lengths.tolist() == list(LENGTHS)
    for row, clip in enumerate(made_clips()):
        kept, read = clip.points[:, store.points], store.clip(row)
        assert read.dtype == np.float32
        np.testing.assert_array_equal(np.isnan(read), np.isnan(kept))
        np.testing.assert_array_equal(read, kept.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(read, kept, rtol=2**-11, atol=1e-7)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.integers(0, len(LENGTHS) - 1), max_size=8),
    frames=st.none() | st.integers(1, 50),
    part=st.sampled_from([None, "left_hand", "lips,hands", "hands,lips", "upper_body"]),
)
def test_padded_equals_clip_by_clip(store: ClipStore, rows: list[int], frames: int | None, part: str | None) -> None:
    chosen = store.points if part is None else np.concatenate([POINT_SETS[name] for name in part.split(",")])
    batch, lengths = store.padded(rows, frames, None if part is None else chosen)
    longest = frames or max([LENGTHS[row] for row in rows], default=1)
    assert (batch.shape, batch.dtype) == ((len(rows), longest, len(chosen), 3), np.float32)
    assert (lengths.shape, lengths.dtype) == ((len(rows),), np.int64)
    for clip, length, row in zip(batch, lengths, rows, strict=True):
        alone = store.clip(row)[:longest, np.searchsorted(store.points, chosen)]
        assert length == len(alone)
        np.testing.assert_array_equal(clip[:length], alone)
        assert np.isnan(clip[length:]).all()


def test_rows_by_mask_and_wrong_rows(store: ClipStore) -> None:
    mask = store.column("label") == "B"
    np.testing.assert_array_equal(store.padded(mask)[0], store.padded([1, 3, 5])[0])
    for rows, message in (([6], "row 6 to 6: outside"), ([-1], "outside"), ([0.5], "whole numbers"), ([[1]], "whole")):
        with pytest.raises(InputError, match=message):
            store.padded(rows)
    with pytest.raises(InputError, match="frames=0"):
        store.padded([0], frames=0)


def test_points_that_are_not_stored(store: ClipStore) -> None:
    for points in ([5, 468], [543], [-1]):
        with pytest.raises(SkeletonMismatch, match="are not stored"):
            store.padded([0], points=points)


def test_a_batch_is_scattered_back(store: ClipStore) -> None:
    batch, _ = store.padded([2, 3], points=POINT_SETS["left_hand"])
    placed = scattered(batch, POINT_SETS["left_hand"])
    assert placed.shape == (2, 40, 543, 3)
    np.testing.assert_array_equal(placed[:, :, LEFT_HAND], batch)
    assert np.isnan(np.delete(placed, np.r_[LEFT_HAND], axis=2)).all()
    sequence = store.sequence(3)
    assert sequence.skeleton is HOLISTIC_543 and sequence.fps == pytest.approx(25)
    np.testing.assert_array_equal(sequence.points[:, store.points], store.clip(3))
    assert store.sequence(0).fps == pytest.approx(30) and store.sequence(0).aspect is None


def test_the_manifest_and_its_counts(tmp_path: Path) -> None:
    points = np.full((4, 543, 3), np.nan, np.float32)
    points[:2, LEFT_HAND] = 0.5
    known = {"label": "hello", "signer": "s", "group": "g", "split": "test", "source": "d", "licence": "MIT"}
    clip = Clip("a/1", points, **known, fps=30, aspect=1.5, file="a/1.x", sha256="f" * 64)
    store = write_store(tmp_path / "store", [clip, Clip("b", points[:3])])
    for name, value in (known | {"id": "a/1", "file": "a/1.x", "sha256": "f" * 64}).items():
        assert store.column(name)[0] == value
    assert store.column("label").tolist() == ["hello", ""]
    np.testing.assert_array_equal(store.column("aspect"), [1.5, np.nan])
    counts = {"frames": [4, 3], "left_hand_frames": [2, 2], "right_hand_frames": [0, 0], "hand_frames": [2, 2]}
    assert {name: store.column(name).tolist() for name in counts} == counts
    with pytest.raises(InputError, match=r"'gloss': no such column .known: id, label"):
        store.column("gloss")


def test_a_clip_is_known_again_by_its_file_or_by_its_place_in_it(tmp_path: Path) -> None:
    def clip(name: str, file: str, sha256: str) -> Clip:
        return Clip(name, made_points(2), file=file, sha256=sha256)

    one, many, copied = "1" * 64, "2" * 64, "3" * 64
    clips = [clip("film", "film.mp4", one), clip("m/0", "m.npz", many), clip("m/1", "m.npz", many)]
    clips += [clip("x", "x.mp4", copied), clip("y", "copy of x.mp4", copied), clip("z", "", "")]
    inside = [hashlib.sha256(f"{many}/m/{number}".encode()).hexdigest() for number in (0, 1)]
    assert write_store(tmp_path / "a", clips).keys() == [one, *inside, copied, copied, ""]
    assert write_store(tmp_path / "b", clips[2::-1]).keys() == [*inside[::-1], one]


def test_values_beyond_halves_are_not_seen(tmp_path: Path) -> None:
    points = np.zeros((1, 543, 3), np.float32)
    points[0, 468:471, 0] = [np.inf, 1e6, -65504]
    assert np.isnan(write_store(tmp_path / "s", [Clip("a", points)]).clip(0)[0, :, 0]).sum() == 2


def test_a_store_travels_to_other_processes_by_its_path(store: ClipStore) -> None:
    packed = pickle.dumps(store)
    assert len(packed) < 500
    np.testing.assert_array_equal(pickle.loads(packed).clip(2), store.clip(2))


def test_one_frame_and_five_thousand(tmp_path: Path) -> None:
    store = write_store(tmp_path / "s", [Clip("a", made_points(1)), Clip("b", made_points(5000))], "hands")
    batch, lengths = store.padded([0, 1], frames=384)
    assert (batch.shape, lengths.tolist()) == ((2, 384, 42, 3), [1, 384])


def test_points_by_name_and_number() -> None:
    sizes = {name: len(points) for name, points in POINT_SETS.items()}
    assert {name: sizes[name] for name in ("lips", "nose", "eyes", "hands", "upper_body", "all")} == {
        **{"lips": 40, "nose": 4, "eyes": 32, "hands": 42, "upper_body": 25, "all": 543}
    }
    assert {*LIPS_OUTER_UPPER, *LIPS_INNER_LOWER} <= set(POINT_SETS["lips"])
    assert len(choose_points()) == 143
    assert choose_points("542, 3-5,left-hand").tolist() == [3, 4, 5, *range(468, 489), 542]
    for text in ("tail", "543", "5-3", "", "lips,,nose", "1-2-3"):
        with pytest.raises(InputError, match="no such points"):
            choose_points(text)


def test_the_default_is_all_that_networks_read() -> None:
    pytest.importorskip("torch")
    select = pytest.importorskip("signary.features.select")
    shared = POINT_SETS.keys() & select.PARTS.keys()
    assert {"lips", "nose", "left_eye", "right_eye", "upper_body"} <= shared
    for name in shared:
        assert set(POINT_SETS[name]) == set(select.PARTS[name]), name
    read = {point for name, points in select.PARTS.items() if name != "pose" for point in points}
    assert read <= set(choose_points().tolist())


def test_real_participants_hold_the_points_of_every_recipe(shared_data: Path) -> None:
    with np.load(shared_data / "gislr-two-signs" / "4718.npz") as arrays:
        assert set(choose_points().tolist()) <= set(arrays["points"].tolist())


def test_a_half_written_store_is_refused_or_gone_on_with(tmp_path: Path) -> None:
    target, clips = tmp_path / "store", made_clips()
    draft = StoreDraft(target, choose_points("hands"))
    draft.begin()
    draft.add("0", clips[:3])
    for path in (target, draft.folder):
        with pytest.raises(InputError, match=r"half written, 1 batches done .prepare it with --resume"):
            ClipStore(path)
    with pytest.raises(InputError, match=r"store\.partial: 1 batches of a store half written .--resume goes on"):
        StoreDraft(target, draft.points).begin()
    again = StoreDraft(target, draft.points)
    again.begin(resume=True)
    assert again.keys() == ["0"]
    again.add("1", clips[3:])
    assert again.finish() == [] and again.is_stored
    assert ClipStore(target).column("id").tolist() == [clip.id for clip in clips]
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_a_batch_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    def broken() -> Iterator[Clip]:
        yield made_clips()[0]
        raise KeyboardInterrupt

    draft = StoreDraft(tmp_path / "store", choose_points("hands"))
    draft.begin()
    with pytest.raises(KeyboardInterrupt):
        draft.add("0", broken())
    assert draft.keys() == [] and [path.name for path in draft.folder.iterdir()] == ["draft.json"]
    draft.begin(force=True)
    for shape in ((0, 543, 3), (2, 542, 3), (543, 3)):
        with pytest.raises(ShapeError, match=r"x\.npz: points\.shape=.*must be \(T, 543, 3\)"):
            draft.add("0", [Clip("a", np.zeros(shape, np.float32), file="x.npz")])


def test_of_two_clips_with_one_id_the_first_is_kept(tmp_path: Path) -> None:
    one, two, three = made_clips()[:3]
    draft = StoreDraft(tmp_path / "store", choose_points("hands"))
    draft.begin()
    draft.add("0", [one, Clip("c0", made_points(5), file="twin.x")], [Refused("bad.x", "bad.x: bad", "hint")])
    draft.add("1", [two, Clip("c1", made_points(5), file="late.x"), three])
    draft.add("2", [])
    refused = draft.finish()
    assert [(each.file, each.message) for each in refused] == [
        ("bad.x", "bad.x: bad"),
        ("twin.x", "twin.x: clip c0 is there already"),
        ("late.x", "late.x: clip c1 is there already"),
    ]
    assert "0.x" in refused[1].hint
    store = ClipStore(tmp_path / "store")
    assert store.column("id").tolist() == ["c0", "c1", "c2"]
    for row, clip in enumerate((one, two, three)):
        np.testing.assert_array_equal(store.clip(row), clip.points[:, store.points].astype(np.float16))


def test_without_a_clip_there_is_no_store(tmp_path: Path) -> None:
    draft = StoreDraft(tmp_path / "store", choose_points("hands"))
    draft.begin()
    draft.add("0", [], [Refused("a", "a: bad")])
    assert draft.finish() == [Refused("a", "a: bad")] and not draft.is_stored
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    target = write_store(tmp_path / "store", made_clips()).path
    draft = StoreDraft(target, choose_points("hands"))
    with pytest.raises(InputError, match="exists already"):
        draft.begin()
    draft.begin(force=True)
    draft.add("0", made_clips()[:1])
    draft.finish(force=True)
    assert len(ClipStore(target)) == 1
    for folder in ("mine", "other.partial"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "work.txt").touch()
    (tmp_path / "file").touch()
    for name in ("mine", "file"):
        with pytest.raises(InputError, match=f"{name}: is no store, so it stays"):
            StoreDraft(tmp_path / name, [0]).begin(force=True)
    with pytest.raises(InputError, match=r"other\.partial: is no draft"):
        StoreDraft(tmp_path / "other", [0]).begin(force=True)


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("points.npy", "cut", "damaged store"),
        ("points.npy", "gone", "damaged store"),
        ("offsets.npy", "cut", "damaged store"),
        ("manifest.parquet", "gone", "manifest.parquet is lacking"),
        ("store.json", "cut", "store.json: not readable"),
        ("store.json", "gone", "no store of clips"),
    ],
)
def test_damaged_stores(store: ClipStore, name: str, damage: str, message: str) -> None:
    path = store.path / name
    content = path.read_bytes()
    path.unlink()
    if damage == "cut":
        path.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=message) as caught:
        ClipStore(store.path)
    assert str(store.path) in str(caught.value) and caught.value.hint


def test_a_damaged_manifest_and_other_versions(store: ClipStore) -> None:
    (store.path / "manifest.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match=r"manifest\.parquet: not readable"):
        store.column("label")
    about = json.loads((store.path / "store.json").read_text())
    (store.path / "store.json").write_text(json.dumps(about | {"version": 9}))
    with pytest.raises(InputError, match="store of version 9"):
        ClipStore(store.path)
    with pytest.raises(InputError, match="no such store"):
        ClipStore(store.path / "none")
