"""``signary recipes``."""

from __future__ import annotations

import json as json_format
import sys


def recipes(*, json: bool = False) -> None:
    """List the recipes.

    Parameters
    ----------
    json
        Write one JSON array.
    """
    from signary.training.recipe import describe_recipes

    rows = describe_recipes()
    if json:
        sys.stdout.write(json_format.dumps(rows, indent=2) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for title, value in rows[0].items():
        table.add_column(title, no_wrap=True, justify="right" if isinstance(value, int) else "left")
    for row in rows:
        first, *more = row["needs"].split(", ")
        short = row | {"needs": first + (f" and {len(more)} more" if more else "")}
        table.add_row(*(f"{value:,}" if isinstance(value, int) else value for value in short.values()))
    Console().print(table)
