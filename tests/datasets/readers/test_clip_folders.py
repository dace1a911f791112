"""Folders of videos and landmark files into a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_clips import opened

from signary.datasets.prepare import Prepared, prepare
from signary.datasets.readers.reader import Options
from signary.datasets.stores.landmarks import choose_points
from signary.errors import InputError
from signary.landmarks.detect import open_detector
from signary.landmarks.extract import extract
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks
from signary.video.source import open_source
from signary.video.write import write_video

HANDS = Options(detector="hands")


def write_points(path: Path, frames: int, fps: float = 25, skeleton: str = "HOLISTIC_543") -> np.ndarray:
    points = np.random.default_rng(frames).random((frames, 543 if "543" in skeleton else 21, 3), np.float32)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_landmarks(path, LandmarkSequence(points, np.arange(frames) / fps, skeleton, 1.5))
    return points


def run(folder: Path, target: Path, options: Options = HANDS, **more: bool) -> Prepared:
    return prepare("clips", folder, target, choose_points(), options, **more)


def test_folders_of_labels(tmp_path: Path) -> None:
    folder = tmp_path / "words"
    points = write_points(folder / "deep" / "hello" / "2.npz", 6)
    write_points(folder / "deep" / "hello" / "10.parquet", 3)
    hand = write_points(folder / "bye" / "1.npz", 4, skeleton="HAND_21")
    write_points(folder / "beside.npz", 2)
    store = opened(run(folder, tmp_path / "store"))
    assert store.column("id").tolist() == ["bye/1.npz", "deep/hello/2.npz", "deep/hello/10.parquet"]
    assert store.column("label").tolist() == ["bye", "hello", "hello"]
    assert set(store.column("source")) == {"words"} and len(set(store.column("sha256"))) == 3
    np.testing.assert_allclose(store.column("fps"), 25)
    assert store.column("aspect").tolist() == [1.5] * 3
    np.testing.assert_allclose(store.clip(1), points[:, store.points], atol=2**-11)
    placed = store.sequence(0)
    np.testing.assert_allclose(placed.points[:, RIGHT_HAND], hand, atol=2**-11)
    assert placed.aspect == 1.5 and np.isnan(placed.part("pose")).all()


def test_videos_go_through_the_detector(tmp_path: Path) -> None:
    (tmp_path / "set" / "still").mkdir(parents=True)
    frames = [np.full((96, 128, 3), shade, np.uint8) for shade in range(0, 100, 20)]
    write_video(tmp_path / "set" / "still" / "a.mp4", frames, 10)
    (tmp_path / "set" / "still" / "cut.mp4").write_bytes(b"\0" * 100)
    (tmp_path / "set" / "still" / "empty.npz").touch()
    prepared = run(tmp_path / "set", tmp_path / "store")
    store = opened(prepared)
    assert (len(store), store.lengths.tolist()) == (1, [5])
    assert store.column("fps")[0] == pytest.approx(10) and store.column("aspect")[0] == pytest.approx(128 / 96)
    assert np.isnan(store.clip(0)).all() and store.column("hand_frames").tolist() == [0]
    assert [Path(one.file).name for one in prepared.refused] == ["cut.mp4", "empty.npz"]
    assert all(one.message.startswith(one.file) and one.hint for one in prepared.refused)


def test_a_manifest_says_what_is_known(tmp_path: Path) -> None:
    folder = tmp_path / "set"
    for name in ("a/1.npz", "a/2.npz", "b/1.npz"):
        write_points(folder / name, 3)
    rows = ["path,label,signer,session,split,take", "a/1.npz,hello,ann,m1,train,1", "a/2.npz,bye,bob,,test,2"]
    (folder / "manifest.csv").write_text("\n".join([*rows, "c/9.npz,bye,bob,,test,3", "a/1.npz,hello,ann,m1,train,4"]))
    prepared = run(folder, tmp_path / "store")
    store = opened(prepared)
    assert [store.column(name).tolist() for name in ("label", "signer", "group", "split")] == [
        ["hello", "bye"],
        ["ann", "bob"],
        ["m1", "bob"],
        ["train", "test"],
    ]
    assert [one.message for one in prepared.refused] == [
        f"{folder / 'c/9.npz'}: no such file",
        "a/1.npz: clip a/1.npz is there already",
    ]
    (folder / "manifest.csv").write_text("path,gloss\na/1.npz,hello\n")
    with pytest.raises(InputError, match=r"manifest\.csv: lacks columns label"):
        run(folder, tmp_path / "other")


def test_nothing_to_read(tmp_path: Path) -> None:
    write_points(tmp_path / "one.npz", 2)
    with pytest.raises(InputError, match=r"nothing for the reader clips .it expects videos"):
        run(tmp_path, tmp_path / "store")
    with pytest.raises(InputError, match="is no folder"):
        run(tmp_path / "one.npz", tmp_path / "store")
    with pytest.raises(InputError, match="no such folder"):
        run(tmp_path / "none", tmp_path / "store")


@pytest.mark.slow
def test_a_real_video(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "gesture-videos" / "signer1" / "Num6_2.mp4"
    (tmp_path / "set" / "six").mkdir(parents=True)
    (tmp_path / "set" / "six" / "clip.mp4").symlink_to(source)
    store = opened(run(tmp_path / "set", tmp_path / "store"))
    with open_source(source) as frames, open_detector("hands") as detector:
        expected = extract(frames, detector)
    assert store.lengths.tolist() == [91] and store.column("hand_frames")[0] > 45
    np.testing.assert_allclose(store.clip(0), expected.points[:, store.points], atol=2**-11)
