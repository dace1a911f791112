"""Write a folder in the layout of Kaggle's asl-fingerspelling, with random landmarks.

python scripts/make_fingerspelling.py OUT: to try pipelines without the data set of about 190 GB.
"""

from __future__ import annotations

import argparse
import sys

from signary.datasets.fake import make_fingerspelling
from signary.errors import SignaryError


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("folder", metavar="OUT")
    parser.add_argument("--files", type=int, default=3, help="of the training part")
    parser.add_argument("--sequences", type=int, default=20, help="phrases a file")
    parser.add_argument("--supplemental", type=int, default=1, help="files of the supplemental part")
    parser.add_argument("--frames-a-letter", type=int, default=6, help="on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--force", action="store_true", help="write over such a folder")
    try:
        make_fingerspelling(**vars(parser.parse_args()))
    except SignaryError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
