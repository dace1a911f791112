"""Plots of how phrases were read: letters, times, the hand's path; error rates of groups. Needs matplotlib."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError
from signary.evaluation.metrics import spelling_metrics
from signary.evaluation.readings import ReadPhrase, matched
from signary.evaluation.report.figure import GRID, INK, RIGHT, WRONG, draw_bars, drawn, shown_name, tidy
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import HAND_EDGES, LEFT_HAND, RIGHT_HAND

LONGEST_DRAWN = 24  # characters; more have no room
HANDS, SPELLED, READ = 3.1, 1.35, 0.35  # heights of the rows
ROW_IN, AXES_IN, HAND_IN = 2.5, 9.6, 0.36
NEAR_S = 0.1  # a hand seen within this time of a letter shows it
SPACE = "␣"

Points = NDArray[np.float32]


def chosen_readings(readings: Sequence[ReadPhrase]) -> list[int]:
    """Choose readings to show: one without errors, and of those with errors the best, a middling one and the worst.

    Phrases of more than `LONGEST_DRAWN` characters are chosen only if there are no others.
    """
    short = [place for place, one in enumerate(readings) if len(one.text) <= LONGEST_DRAWN]
    places = short or list(range(len(readings)))
    rates = {place: _rate(readings[place]) for place in places}
    right = [place for place in places if not rates[place]]
    wrong = sorted((place for place in places if rates[place]), key=lambda place: rates[place])
    some = [wrong[round(share * (len(wrong) - 1))] for share in (0, 0.5, 1)] if wrong else []
    return list(dict.fromkeys([*right[:1], *some]))


def plot_readings(readings: Sequence[ReadPhrase], clips: Sequence[LandmarkSequence], path: Path) -> None:
    """Draw how phrases were read, one row for each clip.

    On the left the path of the hand in the picture, with each letter where it was read. On the right the shape of the
    hand at each letter, when each letter was shown, if that is known, and when each was read; gray where no hand was
    seen.

    Parameters
    ----------
    readings : sequence of ReadPhrase (N,)
    clips : sequence of LandmarkSequence (N,)
        Their landmarks.
    path : Path
        PNG to write; for its errors see `drawn`.

    Raises
    ------
    InputError
        If there are none.
    """
    if not readings:
        raise InputError("0 readings: nothing to draw", hint="give at least one")
    with drawn(path, 13, ROW_IN * len(readings) + 0.3) as figure:
        grid = figure.subplots(len(readings), 2, squeeze=False, width_ratios=(1, 4.2))
        for (left, right), reading, clip in zip(grid, readings, clips, strict=True):
            hands = signing_hand(clip)
            _draw_path(left, reading, clip, hands)
            _draw_times(right, reading, clip, hands)
        grid[-1][1].set_xlabel("seconds")


def plot_error_rates(groups: Mapping[str, Mapping[str, Any]], path: Path) -> None:
    """Draw the character error rate of every group, in order, and the rate over all as a line.

    Parameters
    ----------
    groups : mapping of str to mapping
        Group -> its figures. ``n`` and ``cer`` are drawn.
    path : Path
        As of `signary.evaluation.report.plots.plot_groups`, and its errors.
    """
    if not groups:
        raise InputError("0 groups: nothing to draw", hint="score at least one phrase")
    names, rates = [SPACE if name == " " else name for name in groups], [group["cer"] for group in groups.values()]
    weights = [group.get("characters", group["n"]) for group in groups.values()]
    notes = [f" {group['cer']:.1%} of {group['n']:,.0f}" for group in groups.values()]
    whole, most = float(np.average(rates, weights=weights)), 1.25 * max(*rates, 0.01)
    draw_bars(path, names, rates, notes, axis="character error rate", most=most, notes_at=rates, whole=whole)


def signing_hand(clip: LandmarkSequence) -> Points:
    """Return the hand that was seen more, float32 (T, 21, 2), in picture widths; NaN where it was not seen."""
    points = clip.as_holistic().points
    left, right = points[:, LEFT_HAND, :2], points[:, RIGHT_HAND, :2]
    more = left if np.isfinite(left).sum() > np.isfinite(right).sum() else right
    return more / np.array([1, clip.aspect or 1], np.float32)


def _rate(reading: ReadPhrase) -> float:
    return spelling_metrics([reading.text], [reading.found.text])["cer"]


def _colors(reading: ReadPhrase) -> tuple[list[str], list[str]]:
    """Return the colors of the spelled and of the read characters."""
    spelled, read = [WRONG] * len(reading.text), [WRONG] * len(reading.found.text)
    for place, other in matched(reading.text, reading.found.text):
        spelled[place] = read[other] = RIGHT
    return spelled, read


def _draw_path(axes: Any, reading: ReadPhrase, clip: LandmarkSequence, hands: Points) -> None:
    middle = hands.mean(1)
    axes.plot(*middle.T, color="#b8b8b8", linewidth=0.8, zorder=1)
    axes.scatter(*middle.T, c=clip.times_s, cmap="viridis", s=4, zorder=2)
    seen = np.flatnonzero(np.isfinite(middle[:, 0]))
    for token, color in zip(reading.found.tokens, _colors(reading)[1], strict=False):
        if len(seen):
            frame = seen[np.abs(clip.times_s[seen] - (token.start_s + token.end_s) / 2).argmin()]
            shown = shown_name(token.text) if token.text.strip() else SPACE
            axes.annotate(shown, middle[frame], color=color, fontsize=9, zorder=3, parse_math=False)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")
    axes.invert_yaxis()
    axes.set_title("way of the hand, from dark to light", fontsize=8, loc="left")


def _draw_times(axes: Any, reading: ReadPhrase, clip: LandmarkSequence, hands: Points) -> None:
    spelled, read = _colors(reading)
    times, tokens = clip.times_s, reading.found.tokens
    unseen = np.isnan(hands[:, 0, 0])
    step = clip.duration_s / max(len(clip) - 1, 1)
    axes.bar(times[unseen], HANDS + 0.6, width=step, color=GRID, zorder=0)
    shown = [] if reading.letters_s is None else reading.letters_s.tolist()
    _spans(axes, SPELLED, reading.text, shown, spelled)
    _spans(axes, READ, [token.text for token in tokens], [(token.start_s, token.end_s) for token in tokens], read)
    known = [float(np.mean(span)) for span in (shown or [(token.start_s, token.end_s) for token in tokens])]
    _draw_hands(axes, clip, hands, np.array(known)[np.isfinite(known)])
    axes.set(xlim=(times[0], max(times[-1], times[0] + step)), ylim=(-0.1, HANDS + 0.6))
    axes.set_yticks([READ, SPELLED], ["read", "spelled"], fontsize=8)
    said = f"{reading.text}   read   {reading.found.text}   {reading.found.confidence:.0%} sure"
    axes.set_title(shown_name(said, 120), fontsize=9, loc="left", parse_math=False)
    tidy(axes)


def _spans(axes: Any, height: float, texts: Sequence[str], spans: Sequence[Sequence[float]], colors: list[str]) -> None:
    for text, (start, end), color in zip(texts, spans, colors, strict=False):
        if np.isfinite([start, end]).all():
            axes.barh(height, end - start, left=start, height=0.7, color=color, alpha=0.25, linewidth=0)
            shown = shown_name(text) if text.strip() else SPACE
            middle = (start + end) / 2
            look = {"ha": "center", "va": "center", "color": color, "fontsize": 9, "parse_math": False}
            axes.text(middle, height, shown, clip_on=True, **look).set_in_layout(False)  # it may lie beyond the end


def _draw_hands(axes: Any, clip: LandmarkSequence, hands: Points, middles: NDArray[np.float64]) -> None:
    """Draw the hand at some moments, all in one size, above the time of each."""
    seen = np.flatnonzero(np.isfinite(hands).all((1, 2)))
    if not len(seen) or not len(middles):
        return
    # seconds and rows for one inch
    across, up = clip.duration_s / AXES_IN, (HANDS + 0.7) / (ROW_IN - 0.55)
    room = np.floor(middles / max(2 * HAND_IN * across, 1e-6))
    middles = middles[np.append(True, np.diff(room) > 0)]
    away_s = np.abs(clip.times_s[seen] - middles[:, None])
    frames = seen[away_s.argmin(1)[away_s.min(1) <= NEAR_S]]
    if not len(frames):
        return
    chosen = hands[frames] - hands[frames].mean(1, keepdims=True)
    reach = np.maximum(np.abs(chosen).max((0, 1)), 1e-6)
    # if the aspect is not known, as high as wide
    size = HAND_IN / (reach.max() if clip.aspect else reach) * np.ones(2)
    x = clip.times_s[frames][:, None] + size[0] * across * chosen[..., 0]
    y = HANDS - 0.35 - size[1] * up * chosen[..., 1]
    for one, other in HAND_EDGES:
        axes.plot([x[:, one], x[:, other]], [y[:, one], y[:, other]], color=INK, linewidth=0.7)
