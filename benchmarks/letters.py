"""Letters with each source left out once: accuracy on other people's hands in other rooms."""

from __future__ import annotations

import numpy as np

from harness import arguments, show
from shapes import hits, prepare, worst
from signary.datasets.split import leave_source_out
from signary.evaluation.metrics import wilson_interval

MOVING = ("J", "Z", "nothing")


def main() -> None:
    """Print a line for each source: accuracy on the 24 still letters, 95 % interval, worst letters."""
    options = arguments(__doc__)
    recipe, samples = prepare("letters", options.data, quick=options.quick)
    scored = {source.name for source in recipe.sources if source.score}
    together = {source.name: source.people for source in recipe.sources if source.people}
    rows = {}
    for source, train, test in leave_source_out(samples, together=together):
        if source not in scored:
            continue
        test &= ~np.isin(samples.label, MOVING)
        right, photos, guesses = hits(recipe, samples.select(train), samples.select(test))
        low, high = wilson_interval(int(right.sum()), len(right))
        rows[source] = {
            "accuracy": round(float(right.mean()), 4),
            "interval": [round(low, 4), round(high, 4)],
            "n": len(right),
            "worst": worst(photos, right, guesses),
        }
        if not options.json:
            show({source: rows[source]}, as_json=False)
    mean = float(np.mean([row["accuracy"] for row in rows.values()]))
    show({"mean": round(mean, 4), "sources": rows} if options.json else {"mean": mean}, as_json=options.json)


if __name__ == "__main__":
    main()
