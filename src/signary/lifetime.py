"""Context managers that close themselves."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class Lifetime:
    """A context manager that calls `close` at its end."""

    def close(self) -> None:
        """Free the resources."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
