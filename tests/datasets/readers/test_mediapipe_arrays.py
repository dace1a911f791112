"""Arrays recorded with MediaPipe into a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_clips import opened

from signary.datasets.prepare import Prepared, prepare
from signary.datasets.readers.mediapipe_arrays import points_of_frames
from signary.datasets.readers.reader import Options
from signary.datasets.stores.describe import describe_store
from signary.datasets.stores.landmarks import ClipStore, choose_points
from signary.errors import ShapeError
from signary.landmarks.skeleton import FACE, LEFT_HAND, POSE, RIGHT_HAND


def made_frames(frames: int, size: int = 258, seed: int = 0) -> np.ndarray:
    """Make rows of positive numbers, float64 (T, size)."""
    return 0.1 + np.random.default_rng(seed).random((frames, size))


def run(folder: Path, target: Path, options: Options | None = None, points: str = "all", **more: int) -> Prepared:
    return prepare("mediapipe-arrays", folder, target, choose_points(points), options or Options(), **more)


def whole(prepared: Prepared) -> ClipStore:
    """Return a store, and check that nothing was refused."""
    assert prepared.refused == []
    return opened(prepared)


@pytest.mark.parametrize("size", [258, 1662])
def test_numbers_go_to_their_points(size: int) -> None:
    frames = made_frames(3, size)
    points = points_of_frames(frames)
    np.testing.assert_allclose(points[:, POSE], frames[:, :132].reshape(3, 33, 4)[..., :3], rtol=1e-6)
    np.testing.assert_allclose(points[:, LEFT_HAND].reshape(3, -1), frames[:, -126:-63], rtol=1e-6)
    np.testing.assert_allclose(points[:, RIGHT_HAND].reshape(3, -1), frames[:, -63:], rtol=1e-6)
    if size == 258:
        assert np.isnan(points[:, FACE]).all()
    else:
        np.testing.assert_allclose(points[:, FACE].reshape(3, -1), frames[:, 132:-126], rtol=1e-6)


def test_zeros_were_not_seen() -> None:
    frames = made_frames(2)
    frames[0, -63:] = 0
    frames[1, 4 * 25 : 132] = 0
    points = points_of_frames(frames)
    assert np.isnan(points[0, RIGHT_HAND]).all() and np.isfinite(points[1, RIGHT_HAND]).all()
    assert np.isnan(points[1, POSE][25:]).all() and np.isfinite(points[1, POSE][:25]).all()
    for shape in ((2, 257), (258,), (2, 1, 258)):
        with pytest.raises(ShapeError, match="258"):
            points_of_frames(np.zeros(shape))


def test_npz_of_rows(tmp_path: Path) -> None:
    clips = np.stack([made_frames(5, seed=seed) for seed in range(4)]).astype(np.float16)
    labels = {"label": list("ABAB"), "gloss": ["a", "b", "a", "b"]}
    np.savez(tmp_path / "one.npz", X=clips, session=["s1", "s1", "s2", "s2"], **labels)
    np.savez(tmp_path / "two.npz", X=clips, label=labels["label"], signer=list("PQPQ"))
    store = whole(run(tmp_path, tmp_path / "store", Options(fps=12.5, licence="MIT")))
    assert store.column("id").tolist() == [f"{name}/{row}" for name in ("one", "two") for row in range(4)]
    assert store.column("label").tolist() == [*"abab", *"ABAB"]
    assert store.column("signer").tolist() == ["", "", "", "", *(f"two/{name}" for name in "PQPQ")]
    assert store.column("group").tolist() == [f"one/s{1 + row // 2}" for row in range(4)] + ["two/P", "two/Q"] * 2
    assert set(store.column("fps")) == {12.5} and set(store.column("licence")) == {"MIT"}
    assert len(set(store.column("sha256"))) == 2
    for row in range(4):
        np.testing.assert_array_equal(store.clip(row), points_of_frames(clips[row]))


def test_folders_of_frames_and_of_clips(tmp_path: Path) -> None:
    frames = made_frames(12, 1662)
    for place, frame in enumerate(frames):
        path = tmp_path / "set" / "MP_Data" / "hello" / "3" / f"{place}.npy"
        path.parent.mkdir(parents=True, exist_ok=True)
        np.save(path, frame)
    (tmp_path / "set" / "bye").mkdir()
    np.save(tmp_path / "set" / "bye" / "0.npy", made_frames(4))
    store = whole(run(tmp_path / "set", tmp_path / "store"))
    order = store.column("id").tolist()
    assert sorted(order) == ["MP_Data/hello/3", "bye/0"]
    row = order.index("MP_Data/hello/3")
    assert store.column("label")[row] == "hello" and store.column("source")[row] == "set"
    np.testing.assert_allclose(store.clip(row), points_of_frames(frames), atol=2**-11)  # 10 after 9
    assert store.lengths.tolist()[1 - row] == 4
    assert np.isnan(store.column("fps")).all()


def test_npz_of_some_points_a_sign(tmp_path: Path) -> None:
    chosen = np.array([0, 468, 522], np.int16)
    clips = {f"hello__{number}": np.random.default_rng(number).random((number, 3, 3), np.float32) for number in (2, 3)}
    np.savez(tmp_path / "77.npz", points=chosen, frames__2=np.arange(2), **clips)
    store = whole(run(tmp_path, tmp_path / "store"))
    assert [store.column(name)[1] for name in ("id", "label", "signer", "source")] == ["3", "hello", "77", "gislr"]
    np.testing.assert_allclose(store.clip(1)[:, chosen], clips["hello__3"], atol=2**-11)
    assert np.isnan(np.delete(store.clip(1), chosen, axis=1)).all()


def test_every_bad_array_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    folder.mkdir()
    clips = np.stack([made_frames(3)] * 2)
    np.savez(folder / "good.npz", X=clips, label=["a", "b"])
    np.savez(folder / "keys.npz", Y=clips)
    np.savez(folder / "width.npz", X=clips[..., :-1], label=["a", "b"])
    np.savez(folder / "few.npz", X=clips, label=["a"])
    np.savez(folder / "none.npz", X=clips[:0], label=[])
    np.savez(folder / "pickled.npz", X=np.array([None, 1], object), label=["a", "b"], allow_pickle=True)
    (folder / "cut.npz").write_bytes((folder / "good.npz").read_bytes()[:700])
    (folder / "empty.npz").touch()
    np.savez(folder / "beyond.npz", points=np.array([543]), a__1=np.zeros((2, 1, 3)))
    np.savez(folder / "unfit.npz", points=np.array([5]), a__1=np.zeros((2, 2, 3)))
    np.savez(folder / "still.npz", points=np.array([5]), a__1=np.zeros((0, 1, 3)))
    (folder / "a" / "1").mkdir(parents=True)
    for place, size in enumerate((258, 1662)):
        np.save(folder / "a" / "1" / f"{place}.npy", np.ones(size))
    (folder / "a" / "2").mkdir()
    (folder / "a" / "2" / "0.npy").write_bytes(b"not an array")
    np.save(folder / "stray.npy", made_frames(3))
    prepared = run(folder, tmp_path / "store", workers=2)
    assert prepared.store is not None
    assert prepared.store.column("file").tolist() == ["good.npz"] * 2
    said = {str(Path(one.file).relative_to(folder)): one.message for one in prepared.refused}
    for name, message in {
        "keys.npz": "needs X and label",
        "width.npz": "X (2, 3, 257), must be (N, T, 258)",
        "few.npz": "2 clips, 1 labels",
        "none.npz": "X (0, 3, 258)",
        "pickled.npz": "no readable array",
        "cut.npz": "no readable array",
        "empty.npz": "no readable array",
        "beyond.npz": "points 543 to 543, must be 0 to 542",
        "unfit.npz": "a__1 (2, 2, 3), must be (T, 1, 3)",
        "still.npz": "clip 1 has no frames",
        "a/1": "frames of several sizes",
        "a/2": "no readable array",
        "stray.npy": "lies in no folder of a label",
    }.items():
        assert message in said.pop(name), name
    assert said == {}
    assert all(one.hint and one.message.startswith(str(folder)) for one in prepared.refused)


def test_real_arrays(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "signs-landmarks" / "traduttore_feb2022_10signs_3signers.npz"
    store = whole(run(path, tmp_path / "store", points="hands,upper_body"))
    with np.load(path) as arrays:
        clips, labels, signers = arrays["X"], arrays["label"], arrays["signer"]
    assert store.column("label").tolist() == labels.tolist()
    assert store.column("signer").tolist() == [f"{path.stem}/{signer}" for signer in signers]
    for row in (0, 450, 899):
        np.testing.assert_array_equal(store.clip(row), points_of_frames(clips[row])[:, store.points])
    unseen = (clips[..., -63:] == 0).all(-1).mean()
    assert describe_store(store)["missing"]["right_hand"] == pytest.approx(unseen, abs=1e-3)


def test_real_participants(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gislr-two-signs"
    options = Options(classes=("hello",))
    store = whole(run(folder / "4718.npz", tmp_path / "store", options, "lips,nose,eyes,hands,upper_body"))
    with np.load(folder / "4718.npz") as arrays:
        names = [name for name in arrays.files if name.startswith("hello__")]
        columns = np.searchsorted(arrays["points"], store.points)
        assert store.column("id").tolist() == [name.removeprefix("hello__") for name in names]
        for row, name in enumerate(names):
            np.testing.assert_array_equal(store.clip(row), arrays[name][:, columns].astype(np.float32))
