"""A signer who stands still."""

from __future__ import annotations

import numpy as np

from signary.avatar.motion import SpellOptions, plan_spelling

STILL = SpellOptions(variation=0, drift=0)


def held(text: str = "B") -> np.ndarray:
    """Return the points (543, 3) of a letter in the middle of its hold."""
    plan = plan_spelling(text, STILL)
    letter = plan.letters[0][0]
    return plan.points(np.array([(letter.start_s + letter.end_s) / 2]))[0, 0]
