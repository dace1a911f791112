"""Checks that an exported graph computes the same as its network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from signary.bundles.manifest import AFTER, ENCODER, MEMORY, PAST, SPELLER_FILES, STEP
from signary.errors import BundleError
from signary.graph import Graph
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.models.handshape import HandshapeReader
from signary.models.picture import PictureReader
from signary.models.video import VideoReader

SHARE = 1e-3


def verify_landmark_graph(network: HandshapeReader, path: Path, *, atol: float = SHARE) -> float:
    """Compare network and graph on random clips: both hands, one hand, frames without a hand, known and unknown aspect.

    Parameters
    ----------
    network : HandshapeReader
    path : Path
        ONNX graph.
    atol : float
        Largest difference allowed between the probabilities, and between the positions of the hand.

    Returns
    -------
    float
        The largest difference found.

    Raises
    ------
    BundleError
        If it is above ``atol``.
    """
    random, graph, worst = np.random.default_rng(0), Graph(path), 0.0
    for frames, hidden, aspect in ((7, LEFT_HAND, 1.5), (1, RIGHT_HAND, 0.0), (12, slice(0), 0.75)):
        points = random.random((frames, 543, 3), np.float32)
        points[:, hidden] = np.nan
        points[: frames // 3] = np.nan
        with torch.no_grad():
            logits, place = network.eval()(torch.from_numpy(points), torch.tensor(aspect))
        found = graph.run(points=points, aspect=np.asarray(aspect, np.float32))
        worst = max(worst, _apart(np.exp(found["logits"]), logits.exp().numpy()), _apart(found["hand"], place.numpy()))
    return _checked(worst, atol, path)


def verify_picture_graph(network: PictureReader, path: Path, *, atol: float = SHARE) -> float:
    """Compare network and graph on random pictures; as `verify_landmark_graph`."""
    random, side = np.random.default_rng(0), network.side
    batches = ({"pictures": random.integers(0, 256, (count, side, side, 3), np.uint8)} for count in (1, 3))
    return _checked(_worst(network, path, batches), atol, path)


def verify_sign_graph(network: nn.Module, path: Path, *, atol: float = SHARE) -> float:
    """Compare network and graph on random clips of 1 to 400 frames: both hands, one, none; as `verify_landmark_graph`.

    Parameters
    ----------
    network : Module
        As for `signary.export.onnx.export_sign_graph`.
    path : Path
        ONNX graph.
    atol : float
        Largest difference allowed between the probabilities.
    """
    return _checked(_worst(network, path, ({"points": points} for points in _clips())), atol, path)


def verify_video_graph(network: VideoReader, path: Path, *, atol: float = SHARE) -> float:
    """Compare network and graph on a clip of random pictures; parameters as `verify_sign_graph`."""
    side = network.backbone.side
    pictures = np.random.default_rng(0).integers(0, 256, (network.frames, side, side, 3), np.uint8)
    return _checked(_worst(network, path, [{"pictures": pictures}]), atol, path)


def verify_ctc_graph(network: nn.Module, path: Path, *, atol: float = SHARE) -> float:
    """Compare network and graph on random clips; as `verify_sign_graph`, but with probabilities for each frame."""
    graph, worst = Graph(path), 0.0
    for points in _clips():
        with torch.no_grad():
            said = network.eval()(torch.from_numpy(points)).exp().numpy()
        found = graph.run(points=points)["log_probabilities"]
        worst = max(worst, _apart(np.exp(found), said))
    return _checked(worst, atol, path)


def verify_speller(encoder: nn.Module, step: nn.Module, folder: Path, *, symbols: int, atol: float = SHARE) -> float:
    """Compare networks and graphs on random clips, token by token; as `verify_sign_graph`.

    Parameters
    ----------
    encoder, step : Module
        As `signary.export.spelling.SpellerEncoder` and `signary.export.spelling.SpellerStep`.
    folder : Path
        With ``encoder.onnx`` and ``step.onnx``.
    symbols : int
        V.
    atol : float
        Largest difference allowed between the probabilities.
    """
    runs, worst = [Graph(folder / SPELLER_FILES[name]) for name in (ENCODER, STEP)], 0.0
    random = np.random.default_rng(1)
    for points in _clips():
        with torch.no_grad():
            keys, values, sure = encoder.eval()(torch.from_numpy(points))
            past = keys[..., :0, :], values[..., :0, :]
            found = runs[0].run(points=points)
            known = {name: found[name] for name in MEMORY}
            held = {name: array.numpy() for name, array in zip(PAST, past, strict=True)}
            worst = max(worst, _apart(_sigmoid(found["confidence"]), _sigmoid(sure.numpy())))
            for token in random.integers(0, symbols, (5, 1)):
                logits, *past, looked = step.eval()(torch.from_numpy(token), *past, keys, values)
                said = runs[1].run(token=token, **held, **known)
                held = {name: said[after] for name, after in zip(PAST, AFTER, strict=True)}
                probabilities = torch.softmax(torch.from_numpy(said["logits"]), -1).numpy()
                worst = max(worst, _apart(probabilities, torch.softmax(logits, -1).numpy()))
                worst = max(worst, _apart(said["looked"], looked.numpy()))
    return _checked(worst, atol, folder)


def _worst(network: nn.Module, path: Path, inputs: Iterable[dict[str, NDArray[Any]]]) -> float:
    """Return the largest difference between the softmax of a network's logits and of its graph's."""
    graph, worst = Graph(path), 0.0
    for given in inputs:
        with torch.no_grad():
            said = network.eval()(*map(torch.from_numpy, given.values())).softmax(-1)
        found = torch.from_numpy(graph.run(**given)["logits"]).softmax(-1)
        worst = max(worst, _apart(found.numpy(), said.numpy()))
    return worst


def _clips() -> Iterator[NDArray[np.float32]]:
    """Yield points (T, 543, 3) of 1 to 400 frames, with hands and whole frames missing."""
    random = np.random.default_rng(0)
    for frames, hidden in ((1, [LEFT_HAND]), (5, [LEFT_HAND, RIGHT_HAND]), (70, [RIGHT_HAND]), (400, [])):
        points = random.random((frames, 543, 3), np.float32)
        points[random.random(frames) < 0.2, LEFT_HAND] = np.nan
        points[: frames // 3] = np.nan
        for hand in hidden:
            points[:, hand] = np.nan
        yield points


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-logits)))


def _apart(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    return float(np.abs(np.nan_to_num(first) - np.nan_to_num(second)).max())


def _checked(worst: float, atol: float, path: Path) -> float:
    if not worst <= atol:
        raise BundleError(f"{path}: differs from the network by {worst:.2g}", hint="please report it")
    return worst
