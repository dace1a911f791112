"""Files that no reader takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from signary.errors import InputError


def check_refused(path: Path, data: bytes | None, read: Callable[[Path], object], message: str) -> None:
    """Write ``data``, if any, and check that reading it is an error that names the path and has a hint."""
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert caught.value.message.startswith(str(path))
    assert caught.value.hint
