"""Labeled pictures: training data of the picture networks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError, ShapeError

ROWS = ("label", "source", "group", "place", "sha256")


@dataclass(frozen=True)
class Pictures:
    """N labeled pictures of one size.

    Parameters
    ----------
    images : uint8 (M, S, S, 3), RGB
        May be a memory map, and hold more pictures than are used.
    row : int64 (N,)
        Index of each picture in ``images``.
    label, source, group : str (N,)
        An honest split keeps pictures of one group (a person, a photo and its copies) together.
    place : int64 (N,)
        Position in the film or series of a picture; neighbors are near copies.
    sha256 : str (N,)
        Of the files.
    skipped : sequence of str
        What could not be read, and why.

    Raises
    ------
    ShapeError
        If a column and ``row`` differ in length.
    """

    images: NDArray[np.uint8]
    row: NDArray[np.int64]
    label: NDArray[np.str_]
    source: NDArray[np.str_]
    group: NDArray[np.str_]
    place: NDArray[np.int64]
    sha256: NDArray[np.str_]
    skipped: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in ROWS:
            if len(getattr(self, name)) != len(self.row):
                said = f"{len(self.row)} pictures, {len(getattr(self, name))} of {name}"
                raise ShapeError(f"{said}: not of one length", hint="give one of each a picture")

    def __len__(self) -> int:
        return len(self.row)

    @property
    def side(self) -> int:
        """S in pixels."""
        return int(self.images.shape[1])

    def load(self, rows: NDArray[Any] | slice = slice(None)) -> NDArray[np.uint8]:
        """Return pictures, uint8 (K, S, S, 3), by index or mask into the N."""
        return np.asarray(self.images[self.row[rows]])

    def batches(self, size: int) -> Iterator[NDArray[np.uint8]]:
        """Yield all pictures in order, uint8 (B, S, S, 3), ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.load(slice(start, start + size))

    def select(self, rows: NDArray[Any]) -> Pictures:
        """Return rows by mask or index; the images are not copied."""
        return replace(self, row=self.row[rows], **{name: getattr(self, name)[rows] for name in ROWS})

    def of_labels(self, labels: Collection[str]) -> Pictures:
        """Return the pictures of some labels.

        Raises
        ------
        InputError
            If a label has no picture, or there is only one label.
        """
        kept = self.select(np.isin(self.label, list(labels)))
        if empty := sorted(set(labels) - set(kept.label.tolist())):
            named = ", ".join(empty)
            raise InputError(f"{named}: no picture", hint=f"labels here: {', '.join(sorted(set(self.label.tolist())))}")
        if len(set(labels)) < 2:
            raise InputError(f"{len(set(labels))} class: nothing to tell apart", hint="give at least two")
        return kept
