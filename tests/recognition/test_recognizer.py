"""A recognizer on made points: clips, photos, sides, batches."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from bundle_maker import make_bundle
from made_reader import LABELS, make_points, make_reader

from signary.errors import BundleError, InputError, ModelNotFound
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.write import write_landmarks
from signary.recognition.load import load
from signary.recognition.options import ReadOptions
from signary.recognition.recognizer import Recognizer, source_name
from signary.text.recognition import Failure, Recognition


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    return make_reader(tmp_path_factory.mktemp("made") / "bundle")


def clip(labels: str, fps: float = 30) -> LandmarkSequence:
    return LandmarkSequence(make_points(labels), np.arange(len(labels)) / fps, aspect=1.0)


def test_a_clip_has_tokens_with_times(reader: Recognizer) -> None:
    said = reader.recognize(clip("-" * 15 + "A" * 15 + "B" * 15))
    assert (said.text, said.task, said.model, said.frames, round(said.fps)) == ("AB", "letters", "demo", 45, 30)
    assert said.hand_rate == pytest.approx(2 / 3)
    first, second = said.tokens
    assert (first.start_s, second.end_s) == pytest.approx((0.5, 45 / 30))
    assert first.end_s == second.start_s
    # logit 6 of 7 labels at temperature 1.5
    assert first.confidence == pytest.approx(np.exp(4) / (np.exp(4) + 6), abs=0.02)
    assert said.confidence == pytest.approx((first.confidence + second.confidence) / 2)
    assert said.warnings == ()


def test_looks_at_one_moment_are_one_photo(reader: Recognizer) -> None:
    looks = LandmarkSequence(make_points("AA-B"), np.zeros(4))
    said = reader.recognize(looks)
    assert (said.text, said.frames, said.fps, len(said.tokens)) == ("A", 1, 0, 1)
    ranking = reader.classify(looks)
    assert [text for text, _ in ranking[:2]] == ["A", "B"]
    assert sum(confidence for _, confidence in ranking) == pytest.approx(1)


def test_no_hand_and_no_frames(reader: Recognizer) -> None:
    for labels in ("-" * 9, ""):
        said = reader.recognize(clip(labels))
        assert (said.text, said.tokens, said.hand_rate, said.warnings) == ("", (), 0, ("no hand found",))
        assert reader.classify(clip(labels)) == []


def test_the_hand_can_be_chosen(reader: Recognizer) -> None:
    sequence = clip("A" * 15)
    assert reader.recognize(sequence, hand="right").text == "A"
    assert reader.recognize(sequence, hand="left").warnings == ("no hand found",)


def test_what_is_steady_weighs_most(reader: Recognizer) -> None:
    labels = "A" * 8 + "B" * 10
    centers = np.zeros((18, 2))
    centers[8:, 0] = np.arange(10) * 0.2  # two hand sizes a frame
    points = make_points(labels, centers)
    assert reader.classify(LandmarkSequence(points, np.arange(18) / 30))[0][0] == "A"


def test_a_hand_at_rest_before_and_after_a_sign_does_not_count(reader: Recognizer) -> None:
    rows = ["nothing"] * 60 + ["B"] * 20 + ["nothing"] * 60
    assert reader.classify(LandmarkSequence(make_points(rows), np.arange(140) / 30))[0][0] == "B"
    resting = LandmarkSequence(make_points(["nothing"] * 60), np.arange(60) / 30)
    assert reader.classify(resting)[0][0] == ""


def test_files_are_read_and_bad_ones_named(reader: Recognizer, tmp_path: Path) -> None:
    path = write_landmarks(tmp_path / "a.npz", clip("A" * 15))
    results = list(reader.recognize_many([path, tmp_path / "gone.npz", tmp_path / "gone.jpg", clip("B" * 15)]))
    read, *failed, last = results
    assert isinstance(read, Recognition)
    assert isinstance(last, Recognition)
    assert (read.source, read.text, last.source, last.text) == (str(path), "A", "LandmarkSequence", "B")
    for failure, name in zip(failed, ("gone.npz", "gone.jpg"), strict=True):
        assert isinstance(failure, Failure)
        assert (failure.source, failure.type) == (str(tmp_path / name), "InputError")
        assert failure.hint


@pytest.mark.parametrize(
    "options", [{"hand": "both"}, {"max_hands": 0}, {"max_hands": 7}, {"fps": 0.0}, {"fps": np.nan}, {"fps": np.inf}]
)
def test_wrong_options(reader: Recognizer, options: dict[str, object]) -> None:
    for ask in (ReadOptions, lambda **how: reader.recognize(clip("A"), **how)):
        with pytest.raises(InputError) as caught:
            ask(**options)
        assert next(iter(options)) in caught.value.message
        assert caught.value.hint


def test_models_that_are_not_there_or_not_read_here(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="did you mean 'letters'"):
        load("leters")
    bundle = make_bundle(tmp_path / "signs", task="signs")
    with pytest.raises(BundleError, match="task signs is not read here"):
        Recognizer(bundle)


def test_names_of_sources() -> None:
    assert [source_name(source) for source in ("a.jpg", Path("b"), 0)] == ["a.jpg", "b", "0"]
    assert source_name(np.zeros(3)) == "array"


def test_the_vocabulary_is_the_bundles(reader: Recognizer) -> None:
    assert reader.vocabulary == LABELS
    assert (reader.name, reader.task) == ("demo", "letters")
