"""The paper that plots are drawn on. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signary.errors import ExtraMissing
from signary.evaluation.wording import NOTHING
from signary.output import whole_file
from signary.privacy import keep_caches_apart

DPI = 120
LONGEST_NAME = 28  # a longer one would leave the plot no room
RIGHT, WRONG, INK = "#2f6f9f", "#c8553d", "#333333"


def open_figure(width: float, height: float) -> Any:
    """Return a figure (inches) that draws with Agg, whatever windows the caller has open."""
    keep_caches_apart()
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ExtraMissing.named("train", "matplotlib") from error
    figure = Figure(figsize=(width, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path, *, force: bool) -> None:
    """Write a PNG, whole or not at all."""
    with whole_file(path, force=force) as draft:
        figure.savefig(draft, format="png", facecolor="white")


def shown_name(label: str, longest: int = LONGEST_NAME) -> str:
    """Return a name as it is drawn: cut where it is long, and said where there is none."""
    text = label if label.strip() else NOTHING if not label else repr(label)
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def tidy(*axes: Any) -> None:
    """Leave the upper and the right line of the frame out."""
    for ax in axes:
        ax.spines[["top", "right"]].set_visible(False)
