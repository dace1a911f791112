"""What a with block closes."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Lifetime:
    """A context manager that ends with `close`."""

    def close(self) -> None:
        """Free what it holds."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
