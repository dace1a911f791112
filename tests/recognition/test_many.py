"""Many sources are read alike by one process and by several."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_fragile import Fragile

from signary.bundles.bundle import load_bundle
from signary.errors import InputError
from signary.jobs.worker import cores
from signary.landmarks.files import read_landmarks
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks
from signary.recognition.load import load
from signary.recognition.many import LANDMARK_FILES, PHOTOS, can_cross, default_workers
from signary.recognition.recognizer import Recognizer
from signary.text.recognition import Failure, Recognition
from signary.video.source import open_source


@pytest.fixture(scope="module")
def reader() -> Recognizer:
    return load("digits")


def write_hand(path: Path, seed: int = 0) -> Path:
    """Write landmarks of a made hand."""
    points = np.full((1, 543, 3), np.nan, np.float32)
    points[0, RIGHT_HAND] = 0.4 + 0.2 * np.random.default_rng(seed).random((21, 3), np.float32)
    return write_landmarks(path, LandmarkSequence(points, [0.0], aspect=1.0))


def timeless(results: Any) -> list[Recognition | Failure]:
    return [replace(one, elapsed_s=0.0) if isinstance(one, Recognition) else one for one in results]


def test_the_same_is_read_with_any_number_of_workers(reader: Recognizer, tmp_path: Path) -> None:
    sources: list[Any] = [write_hand(tmp_path / f"{seed}.npz", seed) for seed in range(20)]
    sources[3:3] = [tmp_path / "gone.npz", str(tmp_path / "gone.jpg")]
    sources += [np.full((48, 64, 3), 127, np.uint8), np.zeros((2, 2), np.int64)]
    alone = timeless(reader.recognize_many(sources, hand="right"))
    assert [one.source for one in alone] == [*map(str, sources[:22]), "array", "array"]
    assert [place for place, one in enumerate(alone) if isinstance(one, Failure)] == [3, 4, 23]
    assert any(one.text for one in alone if isinstance(one, Recognition))
    for workers in (2, 3):
        assert timeless(reader.recognize_many(iter(sources), workers=workers, hand="right")) == alone
    assert timeless(reader.recognize_many(sources, workers=None, hand="right")) == alone


def test_what_this_process_alone_has_is_read_in_its_turn(reader: Recognizer, tmp_path: Path) -> None:
    files = [write_hand(tmp_path / f"{seed}.npz", seed) for seed in range(3)]
    picture = np.full((48, 64, 3), 127, np.uint8)
    opened: list[str] = []

    def sources() -> Iterator[Any]:
        yield files[0]
        opened.append("sequence")
        yield read_landmarks(files[1])
        opened.append("source")
        with open_source(picture) as source:
            yield source
        yield files[2]

    results = list(reader.recognize_many(sources(), workers=2))
    assert [one.source for one in results] == [str(files[0]), "LandmarkSequence", "array", str(files[2])]
    assert opened == ["sequence", "source"]
    first, middle, _, last = timeless(results)
    assert [first, last] == timeless(reader.recognize_many([files[0], files[2]]))
    assert isinstance(middle, Recognition)
    assert middle.tokens == reader.recognize(files[1]).tokens


def test_a_killed_worker_costs_its_source_alone(tmp_path: Path) -> None:
    names = ["a", "kill", "b", "c", "kill-again", "d"]
    files = [write_hand(tmp_path / f"{name}.npz") for name in names]
    results = list(Fragile(load_bundle("digits")).recognize_many(files, workers=2))
    assert [one.source for one in results] == [str(file) for file in files]
    lost = [one for one in results if isinstance(one, Failure)]
    assert [Path(one.source).stem for one in lost] == ["kill", "kill-again"]
    assert {(one.type, one.message) for one in lost} == {("WorkerLost", "its worker was ended (SIGKILL)")}
    assert all("memory" in one.hint for one in lost)


def test_wrong_numbers_of_workers_are_refused_at_once(reader: Recognizer) -> None:
    with pytest.raises(InputError, match="workers=0, must be 1 or more"):
        reader.recognize_many(["a.jpg"], workers=0)


def test_what_another_process_can_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "7").touch()
    yes = ["a.jpg", Path("b.mp4"), "7", "gone/*.png", "x" * 5000, b"\x89PNG", np.zeros((2, 2, 3), np.uint8)]
    no = ["-", "0", 0, "pipe.jpg", "/dev/stdin", "/proc/self/fd/3", "rtsp://a/b", "https://a/b.jpg", [], iter(())]
    assert [can_cross(one) for one in yes] == [True] * len(yes)
    assert [can_cross(one) for one in no] == [False] * len(no)


def test_few_sources_are_read_by_this_process_alone() -> None:
    photo, clip, marks = "a.JPG", "a.mp4", "a.parquet"
    many = cores()
    for sources, expected in (
        ([], 1),
        ([photo] * (2 * PHOTOS - 1), 1),
        ([photo] * 2 * PHOTOS, 2),
        ([clip], 1),
        ([clip] * 2, 2),
        ([clip, *[photo] * PHOTOS], 2),
        ([marks] * LANDMARK_FILES, 1),
        ([marks] * 2 * LANDMARK_FILES, 2),
        ([np.zeros((2, 2, 3), np.uint8)] * 2 * PHOTOS, 2),
        (["-", "0", 0, "rtsp://a/b"] * 100, 1),
        ([clip] * 10_000, many),
    ):
        assert default_workers(sources) == min(expected, many)
