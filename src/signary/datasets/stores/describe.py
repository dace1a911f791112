"""Statistics of stores."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.datasets.stores.features import FeatureStore
from signary.datasets.stores.landmarks import ClipStore
from signary.text.phrases import phrase_kinds


def describe_store(store: ClipStore) -> dict[str, Any]:
    """Return statistics of a store of landmarks.

    Returns
    -------
    dict
        ``store``, ``reader``, ``clips``, ``frames``, ``points``; ``labels``, ``signers``, ``sources``, ``licences``
        and ``splits`` with their numbers of clips (``""`` = unknown); ``frames_a_clip``: ``min``, ``p5``, ``median``,
        ``p95``, ``max``; ``missing``: share of frames without a left, a right and any hand, and the number of
        ``clips_without_hand``; ``fps``: rates with their numbers of clips. For spelled phrases, instead of ``labels``:
        ``phrases``, the number of different ones; ``characters_a_phrase``, as ``frames_a_clip``; ``characters`` with
        their counts; ``kinds`` with their numbers of clips.
    """
    lengths, frames = store.lengths, int(store.lengths.sum())
    seen = {name: store.column(f"{name}_frames") for name in ("left_hand", "right_hand", "hand")}
    labels = store.column("label")
    return {
        "store": str(store.path),
        "reader": store.about.get("reader", ""),
        "clips": len(store),
        "frames": frames,
        "points": len(store.points),
        **(_phrases(labels) if store.about.get("has_phrases") else {"labels": _counts(labels)}),
        **_origins(store),
        "frames_a_clip": _ranks(lengths),
        "missing": {name: round(1 - int(count.sum()) / frames, 4) for name, count in seen.items()}
        | {"clips_without_hand": int((seen["hand"] == 0).sum())},
        "fps": _counts(np.where(np.isnan(rates := store.column("fps")), "", np.round(rates, 2).astype(np.str_))),
    }


def _phrases(phrases: NDArray[np.str_]) -> dict[str, Any]:
    return {
        "phrases": len(np.unique(phrases)),
        "characters_a_phrase": _ranks(np.char.str_len(phrases)),
        "characters": _counts(np.array(list("".join(phrases.tolist())))),
        "kinds": _counts(phrase_kinds(phrases.tolist())),
    }


def _ranks(values: NDArray[np.int64]) -> dict[str, float]:
    ranks = np.percentile(values, (0, 5, 50, 95, 100)).round(1).tolist()
    return dict(zip(("min", "p5", "median", "p95", "max"), ranks, strict=True))


def _counts(values: Any) -> dict[str, int]:
    return dict(sorted(Counter(values.tolist()).items(), key=lambda pair: (-pair[1], pair[0])))


def describe_features(store: FeatureStore) -> dict[str, Any]:
    """Return statistics of a store of video features.

    Returns
    -------
    dict
        ``store``, ``clips``, ``frames_a_clip``; ``features`` (per frame), ``draws`` and ``backbone``; ``labels``,
        ``signers``, ``sources``, ``licences`` and ``splits`` with their numbers of clips.
    """
    return {
        "store": str(store.path),
        "clips": len(store),
        "frames_a_clip": store.frames,
        "features": store.width,
        "draws": store.draws.shape[1],
        "backbone": store.about["backbone"],
        "labels": _counts(store.column("label")),
        **_origins(store),
    }


def _origins(store: ClipStore | FeatureStore) -> dict[str, dict[str, int]]:
    """Return signers, sources, licences and splits with their numbers of clips."""
    return {f"{name}s": _counts(store.column(name)) for name in ("signer", "source", "licence", "split")}
