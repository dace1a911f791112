"""A recognizer for tests that ends its process where a name asks for that."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from signary.recognition.held.recognizer import HeldRecognizer
from signary.text.recognition import Recognition


class Fragile(HeldRecognizer):
    """Reads digits; a source whose name says so ends the process."""

    def recognize(self, source: Any, **options: Any) -> Recognition:
        """Read one source."""
        self._break(source)
        return super().recognize(source, **options)

    def rank(self, source: Any, **options: Any) -> list[tuple[str, float]]:
        """Read a source as one label."""
        self._break(source)
        return super().rank(source, **options)

    def _break(self, source: Any) -> None:
        if "kill" in Path(source).name:
            os.kill(os.getpid(), signal.SIGKILL)
