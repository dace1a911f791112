"""Metrics against scikit-learn's own functions, values worked out by hand and a textbook edit distance."""

from __future__ import annotations

import sys
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as outside

from signary.errors import ExtraMissing, InputError, ShapeError
from signary.evaluation.metrics import classification_metrics, per_class, spelling_metrics, wilson_interval

TARGETS = ["A", "A", "A", "A", "B", "B", "C", ""]
READ = ["A", "A", "B", "", "B", "B", "A", ""]
PAIRS = st.lists(st.tuples(st.sampled_from(["A", "B", "C"]), st.sampled_from(["A", "B", "C", "D", ""])), min_size=1)
TEXTS = st.lists(st.tuples(st.text("abc ", max_size=6), st.text("abc ", max_size=6)), min_size=1, max_size=5)


def edit_distance(left: str, right: str) -> int:
    """Levenshtein's distance by its recursion."""
    row = list(range(len(right) + 1))
    for above, letter in enumerate(left, 1):
        diagonal, row[0] = row[0], above
        for place, other in enumerate(right, 1):
            diagonal, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, diagonal + (letter != other))
    return row[-1]


def test_by_hand() -> None:
    scores = classification_metrics(TARGETS, READ, [[word] for word in READ])
    assert scores["accuracy"] == 5 / 8
    assert scores["balanced_accuracy"] == pytest.approx((2 / 4 + 1 + 0 + 1) / 4)
    assert scores["recall_weighted"] == pytest.approx(5 / 8)
    assert scores["precision_weighted"] == pytest.approx((4 * 2 / 3 + 2 * 2 / 3 + 0 + 1 / 2) / 8)
    assert scores["f1_weighted"] == pytest.approx((4 * 4 / 7 + 2 * 4 / 5 + 0 + 2 / 3) / 8)


@pytest.mark.filterwarnings("ignore:y_pred contains classes not in y_true")
@pytest.mark.filterwarnings("ignore:A single label was found")
@settings(max_examples=30, deadline=None)
@given(PAIRS)
def test_equal_to_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    targets, read = ([pair[side] for pair in pairs] for side in (0, 1))
    scores = classification_metrics(targets, read, [[word] for word in read])
    weighted = {"average": "weighted", "zero_division": 0}
    macro = {"average": "macro", "zero_division": 0, "labels": sorted(set(targets))}
    assert scores == {
        "accuracy": pytest.approx(outside.accuracy_score(targets, read)),
        "top5": scores["accuracy"],
        "top10": scores["accuracy"],
        "f1_weighted": pytest.approx(outside.f1_score(targets, read, **weighted)),
        "precision_weighted": pytest.approx(outside.precision_score(targets, read, **weighted)),
        "recall_weighted": pytest.approx(outside.recall_score(targets, read, **weighted)),
        "f1_macro": pytest.approx(outside.f1_score(targets, read, **macro)),
        "precision_macro": pytest.approx(outside.precision_score(targets, read, **macro)),
        "recall_macro": pytest.approx(outside.recall_score(targets, read, **macro)),
        "balanced_accuracy": pytest.approx(outside.balanced_accuracy_score(targets, read)),
    }


def test_top5_counts_the_first_five() -> None:
    ranked = [list("ABCDEF"), list("BCDEAF"), list("BCDEFA"), []]
    scores = classification_metrics(["A"] * 4, ["A", "B", "B", ""], ranked)
    assert (scores["accuracy"], scores["top5"]) == (0.25, 0.5)


def test_top10_counts_the_first_ten() -> None:
    ranked = [list("BCDEFGHIJA"), list("BCDEFGHIJKA"), list("BCDEA")]
    scores = classification_metrics(["A"] * 3, ["B"] * 3, ranked)
    assert (scores["accuracy"], scores["top5"], scores["top10"]) == (0, pytest.approx(1 / 3), pytest.approx(2 / 3))


def test_no_hand_is_wrong_but_where_nothing_was_expected() -> None:
    scores = classification_metrics(["A", "B", ""], ["", "", ""], [[], [], []])
    assert (scores["accuracy"], scores["top5"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_no_top5_without_rankings() -> None:
    assert not {"top5", "top10"} & classification_metrics(["A"], ["A"], None).keys()


@settings(max_examples=30, deadline=None)
@given(PAIRS)
def test_per_class_equals_scikit_learns_report(pairs: list[tuple[str, str]]) -> None:
    targets, read = ([pair[side] for pair in pairs] for side in (0, 1))
    report = outside.classification_report(targets, read, output_dict=True, zero_division=0)
    scores = per_class(targets, read)
    assert list(scores) == sorted(set(targets))
    for label, score in scores.items():
        expected = report[label]
        assert score["n"] == expected["support"] == targets.count(label)
        assert score["correct"] == sum(pair == (label, label) for pair in pairs)
        assert score["accuracy"] == score["recall"] == pytest.approx(expected["recall"])
        assert score["precision"] == pytest.approx(expected["precision"])
        assert score["f1"] == pytest.approx(expected["f1-score"])


def test_per_class_by_hand() -> None:
    scores = per_class(TARGETS, READ)
    assert scores["C"] == {"n": 1, "correct": 0, "accuracy": 0, "precision": 0, "recall": 0, "f1": 0}
    assert scores["A"] == {
        "n": 4,
        "correct": 2,
        "accuracy": 0.5,
        "precision": pytest.approx(2 / 3),
        "recall": 0.5,
        "f1": pytest.approx(4 / 7),
    }


def test_spelling_by_hand() -> None:
    scores = spelling_metrics(["kitten", "flaw", "hello"], ["sitting", "lawn", "hello"])
    assert scores == {"score": pytest.approx(1 - 5 / 15), "cer": pytest.approx(5 / 15), "exact": pytest.approx(1 / 3)}


def test_a_swap_counts_twice_and_much_too_much_is_below_zero() -> None:
    assert spelling_metrics(["ab"], ["ba"])["cer"] == 1.0
    assert spelling_metrics(["a"], ["xyz"])["score"] == -2.0


@given(TEXTS)
def test_spelling_equals_the_textbook(pairs: list[tuple[str, str]]) -> None:
    spelled, read = ([pair[side] for pair in pairs] for side in (0, 1))
    if not (length := sum(map(len, spelled))):
        return
    scores = spelling_metrics(spelled, read)
    assert scores["cer"] == pytest.approx(sum(edit_distance(*pair) for pair in pairs) / length)
    assert scores["score"] + scores["cer"] == pytest.approx(1)
    assert scores["exact"] == pytest.approx(sum(left == right for left, right in pairs) / len(pairs))


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(95, 100, 0.8882, 0.9785), (5, 10, 0.2366, 0.7634), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (0, 0, 0, 1)],
)
def test_wilson_interval_of_known_values(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_wilson_ends_are_where_the_score_test_just_holds(counts: tuple[int, int], level: float) -> None:
    correct, n = counts
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = correct / n
    for end in wilson_interval(correct, n, z):
        assert 0 <= end <= 1
        assert (share - end) ** 2 == pytest.approx(z * z * end * (1 - end) / n, abs=1e-9)


@pytest.mark.parametrize(("correct", "n"), [(-1, 5), (6, 5)])
def test_wilson_refuses_impossible_counts(correct: int, n: int) -> None:
    with pytest.raises(InputError, match=f"correct={correct}, must be 0 to n=5"):
        wilson_interval(correct, n)


@pytest.mark.parametrize("score", [classification_metrics, per_class, spelling_metrics])
def test_refuses_nothing_and_uneven(score: object) -> None:
    assert callable(score)
    with pytest.raises(InputError, match="0 clips"):
        score([], [])
    with pytest.raises(ShapeError, match="2 targets, 1 predictions"):
        score(["A", "B"], ["A"])


def test_refuses_uneven_rankings_and_nothing_spelled() -> None:
    with pytest.raises(ShapeError, match="1 rankings for 2 targets"):
        classification_metrics(["A", "B"], ["A", "B"], [["A"]])
    with pytest.raises(InputError, match="nothing was spelled"):
        spelling_metrics(["", ""], ["a", ""])


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sklearn.metrics", "rapidfuzz.distance"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ExtraMissing, match=r"scikit-learn: not installed .*signary\[train\]"):
        classification_metrics(["A"], ["A"], None)
    with pytest.raises(ExtraMissing, match=r"scikit-learn: not installed"):
        per_class(["A"], ["A"])
    with pytest.raises(ExtraMissing, match=r"rapidfuzz: not installed .*signary\[train\]"):
        spelling_metrics(["a"], ["a"])
