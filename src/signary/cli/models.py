"""``signary models``."""

from __future__ import annotations

import json as json_format
import sys


def models(*, json: bool = False) -> None:
    """List the models that come with the package.

    Parameters
    ----------
    json
        Write one JSON array.
    """
    from signary.export.bundle import describe_bundles

    rows = describe_bundles()
    if json:
        sys.stdout.write(json_format.dumps(rows, indent=2) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "task", "labels", "parameters", "MB", "score")
    for row in rows:
        score = row["score"]
        said = f"{score['metric']} {score['value']:.3f}: {score['data']}, {score['split']}" if score else ""
        table.add_row(row["name"], row["task"], str(row["labels"]), f"{row['parameters']:,}", str(row["size_mb"]), said)
    Console().print(table)
