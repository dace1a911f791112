"""Labeled hands: training data of the handshape networks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS = ("points", "right", "label", "source", "group", "photo")


@dataclass(frozen=True)
class HandSamples:
    """N labeled hands of one or more sources.

    Parameters
    ----------
    points : float32 (N, 21, 3)
        x, y, z in one unit of any size (corrected for a known aspect); NaN z = unknown; all NaN = no hand found.
    right : bool (N,)
        Whether it looks like the signer's right hand in an unmirrored picture.
    label, source, group : str (N,)
        A split keeps hands of one group (a person, a photo and its copies, a run of frames) together.
    photo : str (N,)
        Views of one photo share this name.
    files : mapping of str to sequence of str
        Source -> sha256 of each of its files.
    """

    points: NDArray[np.float32]
    right: NDArray[np.bool_]
    label: NDArray[np.str_]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    photo: NDArray[np.str_]
    files: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.points)

    @property
    def found(self) -> NDArray[np.bool_]:
        """Which hands were found, bool (N,)."""
        return np.asarray(np.isfinite(self.points[..., :2]).all((1, 2)))

    def select(self, rows: NDArray[Any]) -> HandSamples:
        """Return rows by mask or index."""
        return replace(self, **{name: getattr(self, name)[rows] for name in ROWS})

    def relabel(self, names: Mapping[str, str]) -> HandSamples:
        """Return the samples whose label is a key of ``names``, renamed."""
        kept = self.select(np.isin(self.label, list(names)))
        return replace(kept, label=np.array([names[label] for label in kept.label], dtype=np.str_))

    def right_hands(self) -> NDArray[np.float32]:
        """Return the points float32 (N, 21, 3) with left hands mirrored."""
        turn = np.ones((len(self), 1, 3), np.float32)
        turn[~self.right, :, 0] = -1
        return self.points * turn


def join_samples(parts: Sequence[HandSamples]) -> HandSamples:
    """Join samples of several sources."""
    arrays = {name: np.concatenate([getattr(part, name) for part in parts]) for name in ROWS}
    files = {name: sha256s for part in parts for name, sha256s in part.files.items()}
    return HandSamples(**arrays, files=files)
