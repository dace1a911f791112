"""How every plot looks, and how it becomes a file. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from signary.errors import ExtraMissing
from signary.evaluation.wording import NOTHING
from signary.output import whole_file
from signary.privacy import keep_caches_apart

DPI = 120
LONGEST_NAME = 28  # a longer one would leave the plot no room
RIGHT, WRONG, INK, GRID = "#2f6f9f", "#c8553d", "#333333", "#e6e6e6"


@contextmanager
def drawn(path: Path, width: float, height: float, *, force: bool = False) -> Iterator[Any]:
    """Yield an empty figure (inches), then write it as a PNG, whole or not at all.

    It is drawn by Agg, whatever windows the caller has open.

    Raises
    ------
    InputError
        If the file exists and ``force`` is false, or it cannot be written.
    ExtraMissing
        If matplotlib is not installed.
    """
    keep_caches_apart()
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExtraMissing.named("train", "matplotlib") from error
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    with whole_file(path, force=force) as draft:
        yield figure
        figure.savefig(draft, format="png", facecolor="white")


def draw_bars(
    path: Path,
    names: Sequence[str],
    lengths: Sequence[float],
    notes: Sequence[str],
    *,
    axis: str,
    most: float = 1.0,
    notes_at: ArrayLike = 1.01,
    reach: ArrayLike | None = None,
    whole: float | None = None,
) -> None:
    """Draw horizontal bars from the top down, with a note each; errors are those of `drawn`.

    Parameters
    ----------
    path : Path
        PNG to write.
    names, notes : sequence of str (N,)
    lengths : sequence of float (N,)
    axis : str
        What the lengths are.
    most : float
        End of the axis, which starts at 0.
    notes_at : float or (N,)
        Where the notes start, in lengths.
    reach : float (2, N), optional
        How far each error bar reaches down and up.
    whole : float, optional
        The value of all together, drawn as a line.
    """
    places = np.arange(len(names))
    with drawn(path, 6.5, float(np.clip(1.1 + 0.24 * len(names), 2, 60))) as figure:
        axes = figure.add_subplot()
        axes.barh(places, lengths, xerr=reach, color=RIGHT, height=0.72, ecolor=INK, capsize=2)
        for place, at, note in zip(places, np.broadcast_to(notes_at, places.shape), notes, strict=True):
            axes.text(at, place, note, va="center", fontsize=7, color=INK)
        axes.set_yticks(places, [shown_name(name) for name in names], fontsize=8, parse_math=False)
        axes.set(xlim=(0, most), ylim=(len(names) - 0.4, -0.6), xlabel=axis)
        if whole is not None:
            axes.axvline(whole, color=WRONG, linewidth=1, linestyle="--", label=f"all: {whole:.1%}")
            axes.legend(loc="lower right", bbox_to_anchor=(1, 1), frameon=False, fontsize=8)
        tidy(axes)


def shown_name(label: str, longest: int = LONGEST_NAME) -> str:
    """Return a label as plots show it: cut off if it is too long, ``(nothing)`` if it is empty."""
    text = label if label.strip() else NOTHING if not label else repr(label)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tidy(*axes: Any) -> None:
    """Remove the top and right lines of the frame."""
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
