"""From videos to a store of features: each is decoded once, and some of its frames go through an image network."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from signary.datasets.readers.reader import Options, Piece, find_pieces, lacking
from signary.datasets.stores.draft import Refused
from signary.datasets.stores.features import COLUMNS, VERSION, FeatureDraft, Features, FeatureStore
from signary.digest import sha256_lines
from signary.errors import InputError
from signary.models.video import Backbone
from signary.training.videos.backbones import arrays_of
from signary.video.sample import CLIP_FRAMES, Fit, sample_clip

BATCH = 64  # pictures in one pass of the network


@dataclass(frozen=True, slots=True)
class Sampling:
    """Which frames of a clip are used; see `signary.video.sample.sample_clip`.

    Parameters
    ----------
    frames : int
    fit : {"pad", "crop"}
    draws : int
        Random samples beside the even one, for training.
    """

    frames: int = CLIP_FRAMES
    fit: Fit = "pad"
    draws: int = 0


@dataclass(frozen=True, slots=True)
class PreparedFeatures:
    """The store (None if no clip could be read), the number of clips done before, and the refused ones."""

    store: FeatureStore | None
    kept: int
    refused: list[Refused]


def prepare_features(
    reader: str,
    folder: str | Path,
    target: str | Path,
    backbone: Backbone,
    *,
    options: Options | None = None,
    sampling: Sampling | None = None,
    workers: int = 2,
    force: bool = False,
    track: Callable[[Iterable[None], int], Iterable[None]] = lambda done, _: done,
) -> PreparedFeatures:
    """Read a set of videos into a store of features; the rest as `signary.datasets.prepare.prepare`.

    A store of the same clips, network and options stays as it is, and the clips of an unfinished one are kept. Any
    other is made anew.

    Parameters
    ----------
    reader : str
        Of `signary.datasets.readers.reader.READERS`, one that finds videos.
    backbone : Backbone
    sampling : Sampling, optional
    workers : int
        Threads that decode.
    force : bool
        Make it anew in any case.
    """
    options, sampling, root = options or Options(), sampling or Sampling(), Path(folder)
    pieces = find_pieces(reader, root, options)
    network = backbone.sha256()
    keys = [_key(piece, options, sampling, network) for piece in pieces]
    state = sha256_lines(keys)
    draft = FeatureDraft(target)
    if draft.begin(state, force=force):
        return PreparedFeatures(FeatureStore(target), len(keys), [])
    left = [(key, piece) for key, piece in zip(keys, pieces, strict=True) if not draft.has(key)]
    refused: list[Refused] = []
    device = "cuda" if torch.cuda.is_available() else "cpu"
    backbone.to(device).eval()

    def read() -> Iterator[None]:
        clips = _decoded([piece for _, piece in left], backbone.side, sampling, workers, mirrored=options.mirrored)
        for (key, piece), clip in zip(left, clips, strict=True):
            if isinstance(clip, Refused):
                refused.append(clip)
            else:
                draft.add(key, seen(backbone, clip), _row(piece, root, options))
            yield

    for _ in track(read(), len(left)):
        pass
    backbone.to("cpu")
    if len(left) - len(refused) == 0 and len(left) == len(keys):
        return PreparedFeatures(None, 0, refused)
    about = {
        "state": state if not refused else "",  # refused clips are tried again
        "reader": reader,
        "frames": sampling.frames,
        "fit": sampling.fit,
        "backbone": {"name": backbone.name, "sha256": network, "side": backbone.side},
    }
    draft.finish(keys, about, arrays_of(backbone))
    store = FeatureStore(target)
    refused += lacking(store.column("label"), options.classes, root)
    return PreparedFeatures(store, len(keys) - len(left), refused)


def seen(backbone: Backbone, clip: NDArray[np.uint8]) -> Features:
    """Return the features float16 (..., D) of pictures uint8 (..., S, S, 3)."""
    pictures = torch.from_numpy(clip.reshape(-1, *clip.shape[-3:]))
    device = next(backbone.parameters()).device
    with torch.inference_mode():
        parts = [backbone(part.to(device)).cpu() for part in torch.split(pictures, BATCH)]
    features: Features = torch.cat(parts).numpy().reshape(*clip.shape[:-3], -1).astype(np.float16)
    return features


def _key(piece: Piece, options: Options, sampling: Sampling, network: str) -> str:
    about = (VERSION, piece.stamp(), sorted(piece.about.items()), options.mirrored, options.licence, sampling, network)
    return hashlib.sha256(repr(about).encode()).hexdigest()[:24]


def _row(piece: Piece, root: Path, options: Options) -> dict[str, str]:
    file = piece.path.relative_to(root).as_posix() if piece.path.is_relative_to(root) else str(piece.path)
    row = dict.fromkeys(COLUMNS, "") | {name: str(value) for name, value in piece.about.items() if name in COLUMNS}
    row |= {"file": file, "sha256": piece.sha256()}
    return row | {"licence": options.licence} if options.licence else row


def _decoded(
    pieces: Sequence[Piece], side: int, sampling: Sampling, workers: int, *, mirrored: bool
) -> Iterator[NDArray[np.uint8] | Refused]:
    """Yield the pictures of each clip, uint8 (1 + K, T, S, S, 3), and decode a few clips ahead."""
    ahead: deque[Future[NDArray[np.uint8] | Refused]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for piece in pieces:
            ahead.append(pool.submit(_decode, piece, side, sampling, mirrored=mirrored))
            if len(ahead) > 2 * workers:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _decode(piece: Piece, side: int, sampling: Sampling, *, mirrored: bool) -> NDArray[np.uint8] | Refused:
    try:
        if piece.fault:
            raise InputError(piece.fault)
        clip = sample_clip(piece.path, sampling.frames, side=side, fit=sampling.fit, draws=sampling.draws)
        clip = clip[..., ::-1, :] if mirrored else clip
        return np.ascontiguousarray(clip.reshape(-1, sampling.frames, *clip.shape[-3:]))
    except Exception as error:  # one bad file in 36,000 does not stop the others
        return Refused.of(piece.path, error)
