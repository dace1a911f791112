"""DexNet: a network like AlexNet for the ASL alphabet, on pictures of 200 x 200.

Version 1 has 12,275,101 parameters at 29 classes (hidden layers of 512 and 256 units), version 2 has 5,854,621
(128 and 64). The layers are in the original's order, with two linear layers in a row and no ReLU between them.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

VERSION_1, VERSION_2 = (512, 256), (128, 64)
SIDE = 200
_MAPS = 256 * 8 * 8  # what the convolutions leave of 200 x 200


def _convolutions() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 96, 11, stride=4, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(96, 256, 5, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
        # padding 2 on 3 x 3 kernels: maps grow from 11 to 13, 15 and 17
        nn.Conv2d(256, 384, 3, padding=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 384, 3, padding=2),
        nn.ReLU(inplace=True),
        nn.Conv2d(384, 256, 3, padding=2),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, stride=2),
    )


class DexNet(nn.Module):
    """Normalized pictures to logits.

    Parameters
    ----------
    classes : int
        V.
    hidden : (int, int)
        `VERSION_1` or `VERSION_2`, or other widths of the two hidden layers.
    dropout : float
        0 to 1.
    """

    def __init__(self, classes: int = 29, *, hidden: Sequence[int] = VERSION_1, dropout: float = 0.5) -> None:
        super().__init__()
        first, second = hidden
        self.convolutions = _convolutions()
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(_MAPS, first),
            nn.ReLU(inplace=True),
            nn.Dropout(dropout),
            nn.Linear(first, second),
            nn.Dropout(dropout),
            nn.Linear(second, classes),
        )

    def forward(self, pictures: Tensor) -> Tensor:
        """Return logits float32 (B, V) for pictures float32 (B, 3, 200, 200)."""
        logits: Tensor = self.head(self.convolutions(pictures))
        return logits
