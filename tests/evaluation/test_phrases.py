"""Reading of phrases, scored against jiwer and by hand."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signary.errors import InputError, ShapeError
from signary.evaluation.phrases import spelling_report, substitutions

SPELLED = ["www.oak.com", "911", "hugo", "hugo"]
READ = ["www.oak.con", "91", "huggo", "hugo"]
PAIRS = st.lists(st.tuples(st.text("abc ", min_size=1, max_size=9), st.text("abcd ", max_size=9)), min_size=1)


def test_by_hand() -> None:
    told = spelling_report(SPELLED, READ, ["1", "1", "2", "2"])
    assert (told["n"], told["characters"], told["exact"]) == (4, 22, 0.25)
    assert told["cer"] == pytest.approx(3 / 22) and told["score"] == pytest.approx(19 / 22)
    assert told["errors"] == {"substituted": 1, "deleted": 1, "inserted": 1}
    assert told["substitutions"] == [
        {"spelled": "", "read": "g", "count": 1, "share": None},
        {"spelled": "1", "read": "", "count": 1, "share": 1 / 2},
        {"spelled": "m", "read": "n", "count": 1, "share": 1.0},
    ]
    by = told["by"]
    assert set(by["signer"]) == {"1", "2"} and set(by["kind"]) == {"phone", "url", "words"}
    assert by["signer"]["1"]["cer"] == pytest.approx(2 / 14) and by["signer"]["2"]["cer"] == pytest.approx(1 / 8)
    assert (by["kind"]["words"]["n"], by["kind"]["words"]["exact"]) == (2, 0.5)
    assert "signer" not in spelling_report(SPELLED, READ)["by"]


@settings(max_examples=50)
@given(PAIRS)
def test_equal_to_jiwer(pairs: list[tuple[str, str]]) -> None:
    jiwer = pytest.importorskip("jiwer")
    spelled, read = ([pair[side] for pair in pairs] for side in (0, 1))
    plain = jiwer.Compose([jiwer.ReduceToListOfListOfChars()])
    outside = jiwer.process_characters(spelled, read, reference_transform=plain, hypothesis_transform=plain)
    told = spelling_report(spelled, read)
    assert told["cer"] == pytest.approx(outside.cer)
    assert told["errors"] == {
        "substituted": outside.substitutions,
        "deleted": outside.deletions,
        "inserted": outside.insertions,
    }


@given(PAIRS)
def test_groups_and_errors_add_up(pairs: list[tuple[str, str]]) -> None:
    spelled, read = ([pair[side] for pair in pairs] for side in (0, 1))
    told = spelling_report(spelled, read, [text[0] for text in spelled], top=10**6)
    wrong = told["cer"] * told["characters"]
    assert sum(row["count"] for row in told["substitutions"]) == sum(told["errors"].values()) == pytest.approx(wrong)
    for groups in told["by"].values():
        assert sum(group["n"] for group in groups.values()) == len(pairs)
        assert sum(group["cer"] * group["characters"] for group in groups.values()) == pytest.approx(wrong)


def test_only_the_most_frequent_are_listed() -> None:
    table = substitutions(["uuv", "u"], ["rrv", "r"], top=1)
    assert table == [{"spelled": "u", "read": "r", "count": 3, "share": 1.0}]
    assert substitutions(["a"], ["a"]) == []


def test_nobody_spelled() -> None:
    told = spelling_report(["", "ab"], ["c", "ab"], ["1", "2"])
    assert list(told["by"]["signer"]) == ["2"] and told["cer"] == 1 / 2
    for wrong, error in (((["a"], []), ShapeError), ((["a"], ["a"], []), ShapeError), (([""], ["a"]), InputError)):
        with pytest.raises(error):
            spelling_report(*wrong)
