"""Digests that identify files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def sha256_file(path: str | Path) -> str:
    """Return the sha256 of a file, 64 hexadecimal digits."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sha256_lines(lines: Iterable[str]) -> str:
    """Return the sha256 of lines in order, 64 hexadecimal digits."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
