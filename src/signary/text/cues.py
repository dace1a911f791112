"""Subtitle cues: when each token of a reading is shown."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

STILL_MS = 1000

Reading = Mapping[str, Any]  # a result as a plain dict


class Cue(NamedTuple):
    """One line of a subtitle file: start, end and text."""

    start_ms: int
    end_ms: int
    text: str


def cues(reading: Reading) -> list[Cue]:
    """Return a cue for each token with a text: in order, none empty, none overlapping.

    Parameters
    ----------
    reading : mapping
        ``tokens`` and ``fps``, as in a `Recognition`; cues of a photo last a second.
    """
    tokens = sorted((token for token in reading["tokens"] if token["text"].strip()), key=lambda token: token["start_s"])
    still = not reading["fps"] and all(token["end_s"] <= token["start_s"] for token in tokens)
    least = STILL_MS if still else 1
    starts, free = [], 0
    for token in tokens:
        starts.append(max(round(token["start_s"] * 1000), free))
        free = starts[-1] + least
    ends = [max(round(token["end_s"] * 1000), start + least) for token, start in zip(tokens, starts, strict=True)]
    limits = [*starts, math.inf][1:]
    return [
        Cue(start, int(min(end, limit)), one_line(token["text"]))
        for token, start, end, limit in zip(tokens, starts, ends, limits, strict=True)
    ]


def clock(milliseconds: int, point: str) -> str:
    """Return a time in the notation of subtitle files, ``00:01:02,345`` with a comma as ``point``."""
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{point}{rest:03}"


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.splitlines())
