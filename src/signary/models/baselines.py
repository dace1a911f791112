"""Two classifiers written out by hand, for teaching and as baselines: forward, cost, backward, gradient step.

Both take rows of numbers (a flattened picture, the features of a hand) and learn by full-batch gradient descent in
float64. N rows of D features, H hidden units, K logits. Two classes share one logit (a sigmoid gives the probability of
the second); more classes have one each (a softmax gives their probabilities).

The defaults are those of Nikhil Sharma's notebook "Sign Language Prediction with Deep Learning Models" (2023), which
separates the zeros from the ones of the Sign Language Digits.

Wrong settings and labels raise ``ValueError`` instead of an error of Signary's, because scikit-learn's searches and
pipelines expect that.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]
Layers = list[tuple[Floats, Floats]]


def sigmoid(logits: Floats) -> Floats:
    """Turn logits float64 (any shape) into probabilities of the same shape, 0 to 1.

    It is 1 / (1 + exp(-z)), computed through its logarithm so that no exponential overflows.
    """
    return np.asarray(np.exp(-np.logaddexp(0, -logits)))


def softmax(logits: Floats) -> Floats:
    """Turn logits float64 (N, K) into probabilities float64 (N, K), 0 to 1, sum 1 a row."""
    return np.asarray(np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)))


def cost(logits: Floats, targets: Floats) -> float:
    """Return the mean cross-entropy of logits.

    Parameters
    ----------
    logits : float64 (N, K)
    targets : float64 (N, K)
        1 for the true class, else 0; with K = 1, 1 for the second class.

    Returns
    -------
    float
        0 (certain and right) or more, in nats.
    """
    if logits.shape[1] == 1:
        # log of sigmoid(z) where the target is 1, of sigmoid(-z) where it is 0; never the log of a rounded 0
        return float(np.logaddexp(0, (1 - 2 * targets) * logits).mean())
    return float((np.logaddexp.reduce(logits, axis=1) - (targets * logits).sum(axis=1)).mean())


def logits_gradient(logits: Floats, targets: Floats) -> Floats:
    """Return the gradient of `cost` by each logit, float64 (N, K): the same for a sigmoid and for a softmax."""
    probabilities = sigmoid(logits) if logits.shape[1] == 1 else softmax(logits)
    return np.asarray((probabilities - targets) / len(logits))


def descend(layers: Layers, gradients: Layers, learning_rate: float) -> Layers:
    """Return the layers after one gradient step; ``gradients`` have their shapes."""
    return [
        (weight - learning_rate * by_weight, bias - learning_rate * by_bias)
        for (weight, bias), (by_weight, by_bias) in zip(layers, gradients, strict=True)
    ]


class _Descent(ClassifierMixin, BaseEstimator, ABC):  # type: ignore[misc]
    """What both classifiers share: checks, the loop of gradient steps, and prediction by logits."""

    steps: int
    learning_rate: float

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:  # noqa: N803 (scikit-learn's name)
        """Learn from labeled rows, starting anew each time.

        Parameters
        ----------
        X : (N, D)
            Finite.
        y : (N,)
            Labels: whole numbers or strings, two kinds or more.

        Raises
        ------
        ValueError
            If the arrays do not fit together, a value is not finite, there is only one kind of label, or a setting is
            not above 0 and finite.
        """
        self._check_settings()
        rows, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        self.classes_, places = np.unique(labels, return_inverse=True)
        if len(self.classes_) == 1:
            raise ValueError("labels of 1 class, must be of 2 or more (add rows of another class)")
        targets = np.eye(len(self.classes_))[places]
        self._learn(rows, targets[:, 1:] if len(self.classes_) == 2 else targets)
        return self

    def _check_settings(self) -> None:
        for name, value in self.get_params().items():
            if name in ("hidden", "steps", "learning_rate") and not 0 < value < np.inf:
                raise ValueError(f"{name}={value}, must be above 0 and finite")

    def _learn(self, rows: Floats, targets: Floats) -> None:
        layers = self._start(rows.shape[1], targets.shape[1])
        self.cost_ = np.empty(self.steps)
        for step in range(self.steps):
            activations = self.forward(layers, rows)
            self.cost_[step] = cost(activations[-1], targets)
            layers = descend(layers, self.backward(layers, activations, targets), self.learning_rate)
        self.coefs_ = [weight for weight, _ in layers]
        self.intercepts_ = [bias for _, bias in layers]

    def decision_function(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return logits of rows (N, D): float64 (N,) for two classes, above 0 = the second, else (N, K)."""
        check_is_fitted(self)
        rows = validate_data(self, X, dtype=np.float64, reset=False)
        logits = self.forward(self.layers(), rows)[-1]
        return logits[:, 0] if len(self.classes_) == 2 else logits

    def predict_proba(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return probabilities float64 (N, classes), 0 to 1, in the order of ``classes_``, of rows (N, D)."""
        logits = self.decision_function(X)
        return np.column_stack([sigmoid(-logits), sigmoid(logits)]) if logits.ndim == 1 else softmax(logits)

    def predict(self, X: ArrayLike) -> NDArray[Any]:  # noqa: N803
        """Return the likeliest label of each row: (N,) of the labels' own dtype, for rows (N, D)."""
        logits = self.decision_function(X)
        return np.asarray(self.classes_[(logits > 0).astype(int) if logits.ndim == 1 else logits.argmax(axis=1)])

    def layers(self) -> Layers:
        """Return (weight float64 (in, out), bias float64 (out,)) in the order applied.

        Between two layers is a tanh; the last layer gives the logits.
        """
        check_is_fitted(self)
        return list(zip(self.coefs_, self.intercepts_, strict=True))

    @staticmethod
    @abstractmethod
    def forward(layers: Layers, rows: Floats) -> list[Floats]:
        """Return the input of each layer, then the logits."""

    @staticmethod
    @abstractmethod
    def backward(layers: Layers, activations: list[Floats], targets: Floats) -> Layers:
        """Return the gradient of the cost by every weight and bias, in the shapes of ``layers``."""

    @abstractmethod
    def _start(self, features: int, logits: int) -> Layers:
        """Return the initial layers for rows of ``features`` numbers."""


class LogisticBaseline(_Descent):
    """Logistic regression: one weight for each feature and class, and no hidden layer.

    Every weight starts at 0.01 and every bias at 0; nothing is random. Two classes share one sigmoid; more use a
    softmax.

    Parameters
    ----------
    steps : int
        Passes over all rows, 1 or more.
    learning_rate : float
        Above 0.

    Attributes
    ----------
    coefs_ : list of one float64 (D, K)
    intercepts_ : list of one float64 (K,)
    cost_ : float64 (steps,)
        Mean cross-entropy before each step.
    classes_ : (classes,)
        The labels, sorted.

    Examples
    --------
    >>> LogisticBaseline().fit([[-1.0], [-2.0], [1.0], [2.0]], ["A", "A", "B", "B"]).predict([[3.0]])
    array(['B'], dtype='<U1')
    """

    def __init__(self, *, steps: int = 150, learning_rate: float = 0.01) -> None:
        self.steps = steps
        self.learning_rate = learning_rate

    @staticmethod
    def forward(layers: Layers, rows: Floats) -> list[Floats]:
        """Return rows float64 (N, D) and their logits float64 (N, K)."""
        ((weight, bias),) = layers
        return [rows, rows @ weight + bias]

    @staticmethod
    def backward(layers: Layers, activations: list[Floats], targets: Floats) -> Layers:
        """Return the gradient by the weight (D, K) and the bias (K,), from what `forward` returned."""
        rows, logits = activations
        error = logits_gradient(logits, targets)
        return [(rows.T @ error, error.sum(axis=0))]

    def _start(self, features: int, logits: int) -> Layers:
        return [(np.full((features, logits), 0.01), np.zeros(logits))]


class TwoLayerBaseline(_Descent):
    """A network of one tanh layer and one layer of logits.

    Weights start at a tenth of a normal draw: equal ones would give all hidden units the same gradient, so that they
    stay alike. With thousands of features even these may saturate every tanh, and nothing is learned (in one of ten
    starts on 64x64 pictures). ``cost_`` shows it; another ``random_state`` helps.

    Parameters
    ----------
    hidden : int
        H, 1 or more.
    steps : int
        Passes over all rows, 1 or more.
    learning_rate : float
        Above 0.
    random_state : int, RandomState or None
        Seed of the initial weights; None = others each time.

    Attributes
    ----------
    coefs_ : list of float64 (D, H), (H, K)
    intercepts_ : list of float64 (H,), (K,)
    cost_ : float64 (steps,)
        Mean cross-entropy before each step.
    classes_ : (classes,)
        The labels, sorted.
    """

    def __init__(
        self,
        *,
        hidden: int = 3,
        steps: int = 2500,
        learning_rate: float = 0.01,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.hidden = hidden
        self.steps = steps
        self.learning_rate = learning_rate
        self.random_state = random_state

    @staticmethod
    def forward(layers: Layers, rows: Floats) -> list[Floats]:
        """Return rows float64 (N, D), hidden units float64 (N, H), -1 to 1, and logits float64 (N, K)."""
        (hidden_weight, hidden_bias), (weight, bias) = layers
        hidden = np.tanh(rows @ hidden_weight + hidden_bias)
        return [rows, hidden, hidden @ weight + bias]

    @staticmethod
    def backward(layers: Layers, activations: list[Floats], targets: Floats) -> Layers:
        """Return the gradients in the shapes of ``layers``, from what `forward` returned."""
        rows, hidden, logits = activations
        error = logits_gradient(logits, targets)
        weight = layers[1][0]
        hidden_error = error @ weight.T * (1 - hidden**2)  # 1 - tanh² is the derivative of tanh
        return [(rows.T @ hidden_error, hidden_error.sum(axis=0)), (hidden.T @ error, error.sum(axis=0))]

    def _start(self, features: int, logits: int) -> Layers:
        chance = check_random_state(self.random_state)
        hidden_weight = chance.normal(size=(features, self.hidden)) * 0.1
        weight = chance.normal(size=(self.hidden, logits)) * 0.1
        return [(hidden_weight, np.zeros(self.hidden)), (weight, np.zeros(logits))]
