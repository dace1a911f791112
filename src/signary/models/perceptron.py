"""Networks that read raw pixels: all at once, or row after row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

import torch
from torch import Tensor, nn

ACTIVATIONS = MappingProxyType(
    {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid, "elu": nn.ELU, "gelu": nn.GELU, "silu": nn.SiLU}
)


def _uniform(weight: Tensor) -> None:
    nn.init.uniform_(weight, -0.05, 0.05)


def _normal(weight: Tensor) -> None:
    nn.init.normal_(weight, std=0.1)


INITIALIZATIONS: MappingProxyType[str, Callable[[Tensor], object]] = MappingProxyType(
    {
        "uniform": _uniform,  # -0.05 to 0.05, Keras's "uniform"
        "normal": _normal,
        "glorot": nn.init.xavier_uniform_,
        "he": nn.init.kaiming_uniform_,
        "zeros": nn.init.zeros_,
    }
)


class Perceptron(nn.Module):
    """Fully connected layers over all pixels. Two classes share one logit, as in a logistic regression.

    Parameters
    ----------
    pixels : int
        C x H x W.
    classes : int
        V.
    hidden : sequence of int
        Units of each hidden layer; without any it is a logistic regression.
    activations : sequence of str
        Of each hidden layer, from `ACTIVATIONS`; a single one is used for all.
    initialization : str
        Of the weights, from `INITIALIZATIONS`; biases start at 0.
    dropout : float
        After each hidden layer, 0 to 1.
    """

    def __init__(
        self,
        pixels: int,
        classes: int,
        *,
        hidden: Sequence[int] = (8, 4),
        activations: Sequence[str] = ("relu",),
        initialization: str = "glorot",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        each = activations if len(activations) == len(hidden) else [activations[0]] * len(hidden)
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after, activation in zip([pixels, *hidden], hidden, each, strict=False):
            layers += [_linear(before, after, initialization), ACTIVATIONS[activation](), nn.Dropout(dropout)]
        layers.append(_linear([pixels, *hidden][-1], classes if classes > 2 else 1, initialization))
        self.layers = nn.Sequential(*layers)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (B, V) for pictures float32 (B, C, H, W)."""
        logits: Tensor = self.layers(pictures)
        return logits if logits.shape[1] > 1 else torch.cat([torch.zeros_like(logits), logits], 1)


class RowReader(nn.Module):
    """Gated recurrent units that read a picture row after row, downward and upward.

    Parameters
    ----------
    row : int
        Numbers in a row, C x W.
    classes : int
        V.
    width : int
        Units of each of the two layers, in each direction.
    dropout : float
        0 to 1.
    """

    def __init__(self, row: int, classes: int, *, width: int = 96, dropout: float = 0.3) -> None:
        super().__init__()
        self.rows = nn.GRU(row, width, num_layers=2, batch_first=True, bidirectional=True, dropout=dropout)
        self.head = nn.Sequential(nn.Dropout(dropout), nn.Linear(4 * width, classes))

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (B, V) for pictures float32 (B, C, H, W)."""
        states, _ = self.rows(pictures.transpose(1, 2).flatten(2))
        logits: Tensor = self.head(torch.cat([states.amax(1), states.mean(1)], -1))
        return logits


def _linear(before: int, after: int, initialization: str) -> nn.Linear:
    layer = nn.Linear(before, after)
    INITIALIZATIONS[initialization](layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
