"""A reading as HTML for notebooks: on light and dark backgrounds, without scripts or style sheets."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from signary.text.cues import Reading

# half-transparent grey and the notebook's own text color are visible on any background
_BOX = "font-family:sans-serif;line-height:1.4;color:inherit;max-width:60em"
_TEXT = "font-size:1.4em;overflow-wrap:anywhere;white-space:pre-wrap"
_SMALL = "font-size:.8em;opacity:.75"
_TOKENS = "display:flex;flex-wrap:wrap;gap:.35em;margin:.5em 0"
_TOKEN = "border:1px solid rgba(128,128,128,.5);border-radius:.3em;padding:.1em .5em;text-align:center"
_WARNING = "border-left:.25em solid #d97706;padding-left:.6em;margin:.3em 0"

SPACE = "\N{OPEN BOX}"  # shows a token that is a space


def reading_html(reading: Reading) -> str:
    """Return a reading as HTML: its text, each token with its times and confidence, and the warnings.

    Parameters
    ----------
    reading : mapping
        ``to_dict`` of a `Recognition` or an `Event`. The alternatives of a token are its title.
    """
    tokens = "".join(map(_token, reading["tokens"]))
    warnings = "".join(f'<div style="{_WARNING}">Warning: {_safe(said)}</div>' for said in reading.get("warnings", ()))
    parts = (
        _line(reading),
        f'<div style="{_TOKENS}">{tokens}</div>' if tokens else "",
        f'<div style="{_SMALL}">{_safe(" · ".join(_facts(reading)))}</div>',
        warnings,
    )
    return f'<div style="{_BOX}">{"".join(parts)}</div>'


def _line(reading: Reading) -> str:
    if reading["text"].strip():
        return f'<div style="{_TEXT}">{_safe(reading["text"])}</div>'
    return f'<div style="{_TEXT};opacity:.75;font-style:italic">Nothing was read.</div>'


def _token(token: Reading) -> str:
    others = ", ".join(f"{other['text']} {_share(other['confidence'])}" for other in token["alternatives"])
    title = f' title="{_safe(f"or {others}")}"' if others else ""
    mark = ";cursor:help;border-bottom-style:dashed" if others else ""
    text = f'<div style="font-size:1.2em;white-space:pre">{_safe(token["text"].replace(" ", SPACE))}</div>'
    small = f"{_span(token)}<br>{_share(token['confidence'])}"
    return f'<div style="{_TOKEN}{mark}"{title}>{text}<div style="{_SMALL}">{small}</div></div>'


def _facts(reading: Reading) -> Sequence[str]:
    """Return the facts beside the text: times for an event, otherwise the source and more."""
    sure = f"confidence {_share(reading['confidence'])}" if reading["tokens"] else "no tokens"
    if "final" in reading:
        return "final" if reading["final"] else "partial: it may still change", _span(reading), sure
    model, task = reading["model"], reading["task"]
    frames = f"{reading['frames']} frame{'s' * (reading['frames'] != 1)}"
    rate = f"{frames}, {reading['fps']:g} a second" if reading["fps"] else frames
    hand = f"hand seen in {_share(reading['hand_rate'])}"
    return reading["source"], model if model == task else f"{model} ({task})", sure, rate, hand


def _span(reading: Reading) -> str:
    start_s, end_s = reading["start_s"], reading["end_s"]
    return f"{_seconds(start_s)}-{_seconds(end_s)} s"


def _seconds(time_s: float | None) -> str:
    return "?" if time_s is None else f"{time_s:.2f}"


def _share(share: float | None) -> str:
    return "?" if share is None else f"{share:.0%}"


def _safe(text: str) -> str:
    return escape(text.encode("utf-8", "backslashreplace").decode("utf-8"))
