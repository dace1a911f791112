"""Pick the words and names for phrases to spell: python scripts/pick_words.py.

The lists are those of ``scripts/fit_language.py``, which says how to get them: SCOWL's words up to size 20, and the
most common names of the US census of 1990.
"""

from __future__ import annotations

import argparse
from importlib.resources import files
from pathlib import Path

import numpy as np
from fit_language import NAME_LISTS, SCOWL, common_words

from signary.output import whole_file

WORDS = Path(__file__).parents[1] / "src/signary/datasets/synthetic/words-en.npz"
COMMON, LONGEST = 32.0, 12
FAMILY_NAMES, FIRST_NAMES = 5000, 1500


def main() -> None:
    """Pick and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scowl", default=SCOWL, type=Path, help="folder of SCOWL's lists")
    parser.add_argument("-o", "--output", default=WORDS, type=Path)
    options = parser.parse_args()
    words = [word for word, common in common_words(options.scowl).items() if common >= COMMON]
    lists = {
        "words": sorted(word for word in words if len(word) <= LONGEST),
        "first": sorted({name for title in NAME_LISTS[1:] for name in commonest(title, FIRST_NAMES)}),
        "family": sorted(commonest(NAME_LISTS[0], FAMILY_NAMES)),
    }
    with whole_file(options.output, force=True) as draft:
        bytes_of = {title: np.frombuffer("\n".join(listed).encode(), np.uint8) for title, listed in lists.items()}
        np.savez_compressed(draft, **bytes_of)
    counts = ", ".join(f"{len(listed)} {title}" for title, listed in lists.items())
    print(f"{options.output}: {counts}, {options.output.stat().st_size / 1e3:.0f} kB")


def commonest(title: str, count: int) -> list[str]:
    """Return the first names of a list, which is sorted by frequency."""
    lines = files("names").joinpath(title).read_text().splitlines()
    return [line.split()[0].lower() for line in lines][:count]


if __name__ == "__main__":
    main()
