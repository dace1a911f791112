"""One process and several say the same of files, and of films of the avatar."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_fragile import Fragile

from signary.bundles.bundle import load_bundle
from signary.datasets.stores.draft import Clip, StoreDraft
from signary.errors import InputError
from signary.evaluation.answers import useful_workers
from signary.evaluation.evaluate import Evaluation, evaluate
from signary.evaluation.labeled import Labeled, find_labeled
from signary.jobs.worker import cores
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.landmarks.write import write_landmarks
from signary.recognition.load import load


def hand(seed: int) -> LandmarkSequence:
    points = np.full((1, 543, 3), np.nan, np.float32)
    points[0, RIGHT_HAND] = 0.4 + 0.2 * np.random.default_rng(seed).random((21, 3), np.float32)
    return LandmarkSequence(points, [0.0], aspect=1.0)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Write a folder of hands, one that cannot be read, and one of another label."""
    for seed in range(12):
        path = tmp_path / str(seed % 4) / f"{seed}.npz"
        path.parent.mkdir(exist_ok=True)
        write_landmarks(path, hand(seed))
    (tmp_path / "1" / "broken.npz").write_text("broken")
    (tmp_path / "else").mkdir()
    write_landmarks(tmp_path / "else" / "a.npz", hand(0))
    return tmp_path


def untimed(evaluation: Evaluation) -> tuple[str, Any]:
    summary = {name: value for name, value in evaluation.summary.items() if name != "speed"}
    rest = (evaluation.targets, evaluation.predictions, evaluation.confidence, evaluation.sources, evaluation.ranked)
    return json.dumps(summary), rest


def test_the_same_is_said_with_any_number_of_workers(data: Path) -> None:
    reader = load("digits")
    alone, shared = (evaluate(reader, data, workers=workers) for workers in (1, 3))
    assert untimed(alone) == untimed(shared)
    assert (alone.summary["n"], alone.summary["n_skipped"]) == (12, 2)
    assert list(alone.summary["speed"]) == list(shared.summary["speed"])
    assert all(value > 0 for value in shared.summary["speed"].values())
    assert untimed(evaluate(reader, data, workers=None)) == untimed(alone)
    assert untimed(evaluate(reader, data, workers=2, limit=5)) == untimed(evaluate(reader, data, limit=5))


def test_a_killed_worker_costs_its_file_alone(data: Path) -> None:
    for name in ("0/kill.npz", "2/kill.npz"):
        write_landmarks(data / name, hand(0))
    evaluation = evaluate(Fragile(load_bundle("digits")), data, workers=2)
    assert evaluation.summary["n"] == 12
    skipped = evaluation.summary["skipped"]
    lost = [one for one in skipped if "/kill" in one]
    assert lost == [f"{name}: its worker was ended (SIGKILL)" for name in ("0/kill.npz", "2/kill.npz")]
    assert len(skipped) == 4


def test_wrong_numbers_of_workers(data: Path) -> None:
    with pytest.raises(InputError, match="workers=0, must be 1 or more"):
        evaluate(load("digits"), data, workers=0)


def test_no_more_workers_than_files_to_share(data: Path, tmp_path: Path) -> None:
    files = find_labeled(data)
    assert useful_workers(files, 100) == len(files)
    assert useful_workers(files, 3) == 3
    assert useful_workers(files, None) == 1  # few, and of landmarks
    assert useful_workers([Labeled(Path(f"{number}.mp4"), "A") for number in range(1000)], None) == cores()
    draft = StoreDraft(tmp_path / "store", np.arange(543))
    draft.begin()
    draft.add("0", [Clip(str(seed), hand(seed).points, str(seed % 4), aspect=1.0) for seed in range(8)])
    draft.finish()
    clips = find_labeled(tmp_path / "store")
    assert (len(clips), useful_workers(clips, 4), useful_workers([], 4)) == (8, 1, 1)
    reader = load("digits")
    assert (
        untimed(evaluate(reader, tmp_path / "store", workers=4))[0] == untimed(evaluate(reader, tmp_path / "store"))[0]
    )


@pytest.mark.slow
def test_films_of_the_avatar_are_shared_out() -> None:
    reader = load("spelling")
    alone, shared = (evaluate(reader, Path("avatar"), limit=2, workers=workers) for workers in (1, 2))
    assert json.dumps(alone.summary | {"speed": 0}) == json.dumps(shared.summary | {"speed": 0})
    for one, other in zip(alone.readings, shared.readings, strict=True):
        assert (one.text, one.found.text, one.found.tokens) == (other.text, other.found.text, other.found.tokens)
    for source in shared.sources:
        assert not isinstance(source, Path)
        assert source.sequence() is source.sequence()  # a report has nothing filmed again
