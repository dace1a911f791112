"""What is told of readings of phrases, by hand and against scikit-learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_phrases import reading

from signary.errors import InputError
from signary.evaluation.readings import (
    ReadPhrase,
    binned,
    character_scores,
    confidence_area,
    in_sight,
    matched,
    reading_report,
    time_errors,
)
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND
from signary.text.recognition import Recognition, Token


def test_by_hand() -> None:
    readings = [
        reading("oak 20", "oak vo", late_s=0.05, sure=0.4),
        reading("anna", "anna", late_s=-0.1, sure=0.8),
        reading("hugo", "hug", sure=0.8, seen=0.7),
        reading("grace hopper", "grace hopper", sure=0.9),
    ]
    told = reading_report(readings)
    assert (told["n"], told["characters"], told["exact"]) == (4, 26, 0.5)
    assert told["cer"] == pytest.approx(3 / 26)
    assert told["cer_folded"] == pytest.approx(1 / 26)
    # exact ones 0.8 and 0.9 against 0.4 and 0.8: surer in three of four pairs, as sure in one
    assert told["confidence_auc"] == pytest.approx(3.5 / 4)
    # of 23 characters read right 4 are off by 0.05, 4 by 0.1, the rest by nothing
    assert told["time_median_s"] == 0
    assert told["time_p90_s"] == pytest.approx(0.1)
    by = told["by"]
    assert list(by["length"]) == ["under 5", "5 to 10", "10 to 15"]
    assert by["length"]["under 5"] | {"exact": 0} == {"n": 2, "characters": 8, "score": 7 / 8, "cer": 1 / 8, "exact": 0}
    assert list(by["hand seen"]) == ["0.66 to 0.8", "0.95 and more"]
    assert sum(group["n"] for group in by["letters a second"].values()) == 4
    assert by["character"]["o"] == {"n": 3, "score": 2 / 3, "cer": pytest.approx(1 / 3)}
    assert by["character"]["2"]["score"] == 0
    assert set(by) == {"kind", "length", "letters a second", "hand seen", "character"}
    assert set(reading_report(readings, ["1", "1", "2", "2"])["by"]["signer"]) == {"1", "2"}


def test_where_times_are_not_known_none_are_told() -> None:
    told = reading_report([reading("anna", "anna", timed=False)])
    assert not {"time_median_s", "time_p90_s", "confidence_auc"} & set(told)
    assert list(told["by"]["letters a second"]) == ["2 to 3"]  # 4 characters in 40 frames, 20 a second
    still = ReadPhrase("a", Recognition("", "", "spelling", "a", 1.0, (Token("a", 0, 0, 1.0),), 1, 0.0, 1.0))
    assert list(reading_report([still])["by"]["letters a second"]) == ["not known"]
    with pytest.raises(InputError):
        reading_report([])


def test_times_are_those_of_matched_characters() -> None:
    one = reading("abcd", "bcd")  # each read a quarter of a second early
    np.testing.assert_allclose(time_errors(one), 0.25)
    assert one.letters_s is not None
    one.letters_s[1] = np.nan
    np.testing.assert_allclose(time_errors(one), [0.25, 0.25])
    assert time_errors(reading("abcd", "")).shape == (0,)
    assert list(matched("abcd", "xbd")) == [(1, 1), (3, 2)]


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.booleans()), min_size=2, max_size=30))
def test_area_is_scikit_learns(rows: list[tuple[float, bool]]) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    sure, exact = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    area = confidence_area(sure, exact)
    if exact.all() or not exact.any():
        assert area is None
    else:
        assert area == pytest.approx(metrics.roc_auc_score(exact, sure))


def test_characters_are_counted_where_they_were_spelled() -> None:
    readings = [reading("aab", "ab"), reading("b", "bbb")]
    told = character_scores(readings, ["aab", "b"])
    assert told == {"a": {"n": 2, "score": 0.5, "cer": 0.5}, "b": {"n": 2, "score": 1.0, "cer": 0.0}}


def test_characters_of_a_gap_are_told_apart() -> None:
    points = np.full((20, 543, 3), np.nan, np.float32)
    points[:6, RIGHT_HAND] = 0.5  # up to 0.25 s, and then at 0.6 s
    points[12, RIGHT_HAND] = 0.5
    clip = LandmarkSequence(points, np.arange(20) / 20)
    spans = np.array([[0.1, 0.2], [0.27, 0.3], [0.3, 0.5], [0.59, 0.595], [np.nan, np.nan]], np.float32)
    np.testing.assert_array_equal(in_sight(spans, clip), [True, True, False, True, True])
    seen = replace(reading("abc", "ab"), in_sight=np.array([True, True, False]))
    told = reading_report([seen, reading("c", "c")])["by"]["in sight"]
    assert told == {"hand not seen": {"n": 1, "score": 0, "cer": 1}, "hand seen": {"n": 2, "score": 1, "cer": 0}}


def test_groups_are_named_in_order() -> None:
    names, of = binned(np.array([0.5, 2.0, 7.9, 8.0, np.nan]), (2, 8))
    assert names == ["under 2", "2 to 8", "8 and more", "not known"]
    assert of == ["under 2", "2 to 8", "2 to 8", "8 and more", "not known"]
