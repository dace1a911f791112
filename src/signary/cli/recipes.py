"""``signary recipes``."""

from __future__ import annotations

from signary.cli.app import show_json


def recipes(*, json: bool = False) -> None:
    """List the recipes.

    Parameters
    ----------
    json
        Write one JSON array.
    """
    from signary.training.recipes.load import describe_recipes

    rows = describe_recipes()
    if json:
        show_json(rows)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None)
    for title, value in rows[0].items():
        number = isinstance(value, int)
        # in a narrow terminal, names and counts are not cut
        least = max(len(_shown(row[title])) for row in rows) if number or title == "name" else None
        table.add_column(title, no_wrap=True, min_width=least, justify="right" if number else "left")
    for row in rows:
        first, *more = row["needs"].split(", ")
        short = row | {"needs": first + (f" and {len(more)} more" if more else "")}
        table.add_row(*map(_shown, short.values()))
    Console().print(table)


def _shown(value: int | str) -> str:
    return f"{value:,}" if isinstance(value, int) else value
