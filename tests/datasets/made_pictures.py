"""Pictures of one pixel."""

from __future__ import annotations

import numpy as np

from signary.datasets.pictures import Pictures


def made_pictures(labels: list[str], groups: list[str] | None = None, places: list[int] | None = None) -> Pictures:
    """Make a picture for each label."""
    count = len(labels)
    return Pictures(
        images=np.arange(count, dtype=np.uint8)[:, None, None, None].repeat(3, 3),
        row=np.arange(count),
        label=np.array(labels),
        source=np.full(count, "made"),
        group=np.array(groups or labels),
        place=np.array(places or range(count)),
        sha256=np.array([str(row) for row in range(count)]),
    )
