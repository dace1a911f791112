"""``signary models``."""

from __future__ import annotations

from typing import Any

from signary.cli.app import show_json

MEASURED = {"accuracy": "accuracy", "score": "1 - errors"}
CAPTION = (
    "score: mean over sources and people not trained on (the worst of them); "
    "accuracy: share read correctly; errors: of characters"
)


def models(*, json: bool = False) -> None:
    """List the models that come with the package, with their mean scores on people not trained on.

    Parameters
    ----------
    json
        Write one JSON array, with all scores.
    """
    from signary.bundles.bundle import describe_bundles

    rows = describe_bundles()
    if json:
        show_json(rows)
        return
    from rich.console import Console
    from rich.table import Column, Table

    shown = Column("score", no_wrap=True)
    table = Table("name", "task", "labels", "parameters", "MB", shown, "measured", caption=CAPTION)
    for row in rows:
        told = (row["name"], row["task"], str(row["labels"]), f"{row['parameters']:,}", str(row["size_mb"]))
        table.add_row(*told, *_said(row["score"]))
    Console().print(table)


def _said(score: dict[str, Any] | None) -> tuple[str, str]:
    """Return a score, and its measure with the number of sources."""
    if score is None:
        return "", ""
    measured = MEASURED.get(score["metric"], score["metric"])
    if not (sources := score["sources"]):
        return f"{score['value']:.3f}", f"{measured}: {score['data']}, {score['split']}"
    return f"{score['value']:.3f} ({score['worst']:.3f})", f"{measured}, {sources} source{'s' * (sources > 1)}"
