"""Write a test set of spelling into a store: python scripts/store_spelling.py SET -o STORE.

SET is ``avatar``, ``avatar:PERSON``, ``synthetic`` or ``photos:PATH``: letter photos in a folder for each letter, or an
``.npz`` of their landmarks, which are joined to phrases. ``signary evaluate MODEL STORE`` then reads it with the times
of its letters, without making and detecting films of the avatar again.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from signary.cli.progress import progress
from signary.datasets.synthetic.sets import find_spelling_set, store_spelling
from signary.errors import SignaryError


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", metavar="SET")
    parser.add_argument("-o", "--output", required=True, type=Path, metavar="STORE")
    parser.add_argument("--limit", type=int, help="clips; 40 of the avatar, 500 of photos, 1000 synthetic")
    parser.add_argument("--engine", choices=("hands", "holistic"), default="hands", help="detector for the avatar")
    options = parser.parse_args()
    try:
        found = find_spelling_set(options.name, options.limit, engine=options.engine)
        print(store_spelling(found, options.output, track=lambda clips: progress(clips, "writing", len(clips))))
    except SignaryError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
