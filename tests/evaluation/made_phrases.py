"""Made readings of phrases."""

from __future__ import annotations

import numpy as np

from signary.evaluation.readings import ReadPhrase
from signary.text.recognition import Recognition, Token


def reading(
    text: str, read: str, *, late_s: float = 0.0, sure: float = 0.9, seen: float = 1.0, timed: bool = True
) -> ReadPhrase:
    """Spell a character each quarter of a second, shown for its first half; read each so much later."""
    tokens = tuple(
        Token(character, place / 4 + late_s, place / 4 + 0.125 + late_s, sure) for place, character in enumerate(read)
    )
    found = Recognition("clip", "made", "spelling", read, sure, tokens, 10 * len(text), 20.0, seen)
    starts = np.arange(len(text), dtype=np.float32) / 4
    return ReadPhrase(text, found, np.stack([starts, starts + 0.125], -1) if timed else None)
