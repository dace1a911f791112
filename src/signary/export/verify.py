"""Is an exported graph the network that was trained?"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from signary.errors import BundleError
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.models.handshape import HandshapeReader
from signary.recognition.backend import Backend


def verify_graph(network: HandshapeReader, path: Path, *, atol: float = 1e-3) -> float:
    """Compare network and graph on random clips: both hands, one hand, frames without a hand, known and unknown aspect.

    Parameters
    ----------
    network : HandshapeReader
    path : Path
        ONNX graph.
    atol : float
        Largest difference of the probabilities.

    Returns
    -------
    float
        The largest difference found.

    Raises
    ------
    BundleError
        If it is above ``atol``.
    """
    random = np.random.default_rng(0)
    backend = Backend(path)
    worst = 0.0
    for frames, hidden, aspect in ((7, LEFT_HAND, 1.5), (1, RIGHT_HAND, 0.0), (12, slice(0), 0.75)):
        points = random.random((frames, 543, 3), np.float32)
        points[:, hidden] = np.nan
        points[: frames // 3] = np.nan
        with torch.no_grad():
            logits, _ = network.eval()(torch.from_numpy(points), torch.tensor(aspect))
        found = backend.run(points=points, aspect=np.asarray(aspect, np.float32))["logits"]
        worst = max(worst, float(np.abs(np.exp(found) - logits.exp().numpy()).max()))
    if worst > atol:
        raise BundleError(f"{path}: differs from the network by {worst:.2g}", hint="please report it")
    return worst
