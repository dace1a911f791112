"""The hand-written readers: their slopes, their numbers by hand, and what they reach on the Sign Language Digits."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("sklearn")

from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.utils.estimator_checks import check_estimator

from signary.models.baselines import LogisticBaseline, TwoLayerBaseline, cost, sigmoid, softmax

BOTH = [LogisticBaseline, TwoLayerBaseline]


def _blobs(classes: int, rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Return rows (N, 4) of classes that overlap, and labels 0 to ``classes`` - 1; always the same."""
    chance, labels = np.random.default_rng(classes), np.arange(rows) % classes
    return 0.5 * chance.normal(size=(classes, 4))[labels] + chance.normal(size=(rows, 4)), labels


def _targets(labels: np.ndarray, classes: int) -> np.ndarray:
    return labels[:, None] * 1.0 if classes == 2 else np.eye(classes)[labels]


@pytest.mark.parametrize("kind", BOTH)
def test_is_a_scikit_learn_estimator(kind: type) -> None:
    done = check_estimator(kind(), on_skip=None)
    # these two want pandas, and a switch of SciPy's to be set before it is imported
    may_skip = {"check_array_api_input", "check_classifier_data_not_an_array"}
    assert {check["check_name"] for check in done if check["status"] != "passed"} <= may_skip
    assert len(done) > 50


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("kind", BOTH)
def test_slopes_are_those_of_the_cost(kind: type, classes: int) -> None:
    rows, labels = _blobs(classes, rows=7)
    targets, chance = _targets(labels, classes), np.random.default_rng(0)
    sizes = [4, *([3] if kind is TwoLayerBaseline else []), targets.shape[1]]
    layers = [(chance.normal(size=pair), chance.normal(size=pair[1])) for pair in pairwise(sizes)]

    def cost_with(array: np.ndarray, place: tuple[int, ...], nudge: float) -> float:
        kept, array[place] = array[place], array[place] + nudge
        found = cost(kind.forward(layers, rows)[-1], targets)
        array[place] = kept
        return found

    slopes = kind.backward(layers, kind.forward(layers, rows), targets)
    for array, slope in zip(sum(layers, ()), sum(slopes, ()), strict=True):
        assert slope.shape == array.shape
        for place in np.ndindex(array.shape):
            measured = (cost_with(array, place, 1e-6) - cost_with(array, place, -1e-6)) / 2e-6
            assert slope[place] == pytest.approx(measured, abs=1e-8)


def test_one_step_by_hand_with_two_classes() -> None:
    reader = LogisticBaseline(steps=1, learning_rate=1).fit([[0.0], [1.0]], ["A", "B"])
    # logits 0 and 0.01, so probabilities 0.5 and 0.5025 where 0 and 1 are true
    assert reader.cost_ == pytest.approx([(np.log(2) + np.log1p(np.exp(-0.01))) / 2])
    ((weight, bias),) = reader.layers()
    np.testing.assert_allclose(weight, [[0.01 + 0.4975 / 2]], atol=1e-7)
    np.testing.assert_allclose(bias, [-0.0025 / 2], atol=1e-7)


def test_one_step_by_hand_with_three_classes() -> None:
    reader = LogisticBaseline(steps=1, learning_rate=1).fit([[1.0], [0.0], [0.0]], [4, 5, 6])
    assert reader.cost_ == pytest.approx([np.log(3)])
    np.testing.assert_allclose(reader.coefs_[0], [[0.01 + 2 / 9, 0.01 - 1 / 9, 0.01 - 1 / 9]])
    np.testing.assert_allclose(reader.intercepts_[0], [0, 0, 0], atol=1e-15)


def test_network_starts_at_a_tenth_of_a_normal_draw() -> None:
    rows, labels = np.eye(5000)[:4], [0, 1, 2, 3]
    (first, first_bias), (last, last_bias) = (
        TwoLayerBaseline(hidden=40, steps=1, learning_rate=1e-300, random_state=0).fit(rows, labels).layers()
    )
    assert (first.shape, last.shape) == ((5000, 40), (40, 4))
    assert (first.std(), last.std()) == (pytest.approx(0.1, rel=0.01), pytest.approx(0.1, rel=0.1))
    assert abs(first_bias).max() < 1e-290 and abs(last_bias).max() < 1e-290


def test_settings_are_those_of_the_seed() -> None:
    assert LogisticBaseline().get_params() == {"steps": 150, "learning_rate": 0.01}
    network = {"hidden": 3, "steps": 2500, "learning_rate": 0.01, "random_state": None}
    assert TwoLayerBaseline().get_params() == network


def test_random_state_settles_where_it_starts() -> None:
    rows, labels = _blobs(3)
    one, same, other = (TwoLayerBaseline(steps=20, random_state=seed).fit(rows, labels) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.coefs_[0], same.coefs_[0])
    assert one.cost_[0] != other.cost_[0]


@pytest.mark.parametrize("classes", [2, 3])
def test_long_descent_ends_where_scikit_learn_does(classes: int) -> None:
    rows, labels = _blobs(classes)
    reader = LogisticBaseline(steps=5000, learning_rate=0.5).fit(rows, labels)
    peer = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000).fit(rows, labels)
    np.testing.assert_allclose(reader.predict_proba(rows), peer.predict_proba(rows), atol=1e-4)
    assert reader.cost_[-1] == pytest.approx(log_loss(labels, peer.predict_proba(rows)), abs=1e-6)
    assert (np.diff(reader.cost_) < 1e-12).all()


def test_network_learns_what_no_line_divides() -> None:
    rows = np.array([[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0], [1.0, -1.0]])
    labels = ["same", "same", "other", "other"]
    assert LogisticBaseline(steps=2000, learning_rate=0.5).fit(rows, labels).score(rows, labels) < 1
    network = TwoLayerBaseline(learning_rate=0.5, random_state=0).fit(rows, labels)
    assert network.score(rows, labels) == 1
    assert network.cost_[-1] < 0.05


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("kind", BOTH)
def test_layers_hold_all_that_is_needed_to_read(kind: type, classes: int) -> None:
    rows, places = _blobs(classes)
    names = np.array(["nine", "one", "two"])[:classes]
    reader = kind(steps=200, learning_rate=0.1).fit(rows, names[places])
    *hidden, (weight, bias) = reader.layers()
    inside = rows
    for into, shift in hidden:
        inside = np.tanh(inside @ into + shift)
    logits = inside @ weight + bias
    assert logits.shape == (60, 1 if classes == 2 else 3)
    assert {array.dtype for layer in reader.layers() for array in layer} == {np.dtype(np.float64)}
    likely = logits[:, 0] > 0 if classes == 2 else logits.argmax(axis=1)
    np.testing.assert_array_equal(reader.predict(rows), names[likely.astype(int)])
    np.testing.assert_array_equal(reader.decision_function(rows), logits[:, 0] if classes == 2 else logits)
    expected = np.hstack([1 - sigmoid(logits), sigmoid(logits)]) if classes == 2 else softmax(logits)
    np.testing.assert_allclose(reader.predict_proba(rows), expected, rtol=1e-12)


def test_far_logits_overflow_nowhere() -> None:
    far = np.array([[-1e300], [-800.0], [0.0], [800.0], [1e300]])
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        np.testing.assert_allclose(sigmoid(far)[:, 0], [0, 0, 0.5, 1, 1], atol=1e-300)
        np.testing.assert_allclose(softmax(np.array([[1e4, 0, -1e4], [-1e300, 0, 0]])), [[1, 0, 0], [0, 0.5, 0.5]])
        assert cost(np.array([[1e4], [-1e4]]), np.array([[0.0], [0.0]])) == 5000
        assert cost(np.array([[1e4], [-1e4]]), np.array([[1.0], [0.0]])) == 0
        assert cost(np.array([[1e4, 0, -1e4]]), np.array([[0.0, 0.0, 1.0]])) == 20000


def test_cost_is_the_log_loss() -> None:
    logits, labels = np.random.default_rng(0).normal(size=(20, 3)) * 3, np.arange(20) % 3
    assert cost(logits, np.eye(3)[labels]) == pytest.approx(log_loss(labels, softmax(logits)))
    column, yes = logits[:, :1], labels > 1
    assert cost(column, yes[:, None] * 1.0) == pytest.approx(log_loss(yes, sigmoid(column)[:, 0]))


@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        (LogisticBaseline, {"steps": 0}),
        (LogisticBaseline, {"learning_rate": np.nan}),
        (TwoLayerBaseline, {"hidden": 0}),
    ],
)
def test_settings_that_cannot_learn(kind: type, setting: dict[str, float]) -> None:
    ((name, value),) = setting.items()
    with pytest.raises(ValueError, match=f"{name}={value}, must be above 0"):
        kind(**setting).fit(*_blobs(2))


@pytest.mark.parametrize("kind", BOTH)
def test_one_class_or_no_fit(kind: type) -> None:
    with pytest.raises(ValueError, match="labels of 1 class"):
        kind().fit(np.eye(3), [7, 7, 7])
    with pytest.raises(NotFittedError):
        kind().layers()


class _Digits(NamedTuple):
    """The seed's own split of the zeros and ones: rows float64 (348, 4096) and (62, 4096), 0 to 1, and labels."""

    train: np.ndarray
    test: np.ndarray
    train_labels: np.ndarray
    test_labels: np.ndarray


def _grey(path: Path, stretch: bool) -> np.ndarray:
    """Return a photo as float64 (4096,), 0 to 1; ``stretch`` makes its darkest pixel 0 and its brightest 1."""
    with Image.open(path) as photo:
        grey = photo.convert("L")
    if stretch:  # as scipy.misc.imresize once did to arrays of floats, before it resized
        pixels = np.asarray(grey, np.float64)
        full = (pixels - pixels.min()) * (255 / np.ptp(pixels))
        grey = Image.fromarray((full + 0.5).astype(np.uint8))
    return np.asarray(grey.resize((64, 64), Image.Resampling.BILINEAR), np.float64).ravel() / 255


@pytest.fixture(scope="module", params=[True, False], ids=["stretched", "plain"])
def digits(request: pytest.FixtureRequest, shared_data: Path) -> _Digits:
    """Rebuild the zeros and ones of the seed's X.npy, whose classes stand in an order of their own."""
    folder = shared_data / "digits" / "images"
    if not folder.is_dir():
        pytest.skip(f"no photos of digits: {folder} is absent")
    photos = [
        path
        for digit in (9, 0, 7, 6, 1, 8, 4, 3, 2, 5)
        for path in sorted((folder / str(digit)).glob("IMG_*.JPG"), key=lambda path: int(path.stem[4:]))
    ]
    chosen = photos[204:409] + photos[822:1027]
    assert [path.parent.name for path in chosen] == ["0"] * 205 + ["1"] * 205
    rows, labels = np.stack([_grey(path, request.param) for path in chosen]), np.repeat([0, 1], 205)
    return _Digits(*train_test_split(rows, labels, test_size=0.15, random_state=42))


def test_logistic_regression_reads_the_digits_as_in_the_seed(digits: _Digits) -> None:
    reader = LogisticBaseline(steps=150, learning_rate=0.01).fit(digits.train, digits.train_labels)
    assert (reader.predict(digits.test) == digits.test_labels).sum() == 58
    assert len(digits.test) == 62 and len(reader.cost_) == 150


@pytest.mark.parametrize("digits", [True], indirect=True, ids=["stretched"])
def test_costs_fall_as_the_seed_printed_them(digits: _Digits) -> None:
    reader = LogisticBaseline().fit(digits.train, digits.train_labels)
    # the order of its photos within a class is not known, so some of its training rows were others
    printed = [14.014222, 2.544689, 2.577950, 2.397999, 2.185019, 1.968348, 1.754195]
    np.testing.assert_allclose(reader.cost_[:70:10], printed, rtol=0.015)
    assert reader.cost_[0] == pytest.approx(14.014222, abs=0.002)


def test_scikit_learn_reads_the_digits_better(digits: _Digits) -> None:
    peer = LogisticRegression(random_state=42, max_iter=150).fit(digits.train, digits.train_labels)
    assert (peer.predict(digits.test) == digits.test_labels).sum() >= 60


@pytest.mark.slow
@pytest.mark.parametrize("digits", [True], indirect=True, ids=["stretched"])
def test_two_layers_read_the_digits_better(digits: _Digits) -> None:
    readers = [TwoLayerBaseline(random_state=seed).fit(digits.train, digits.train_labels) for seed in range(3)]
    right = [(reader.predict(digits.test) == digits.test_labels).sum() for reader in readers]
    assert np.median(right) >= 58
