"""``signary spell``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from signary.cli.app import OK, STDIN_WORD, checked_flags
from signary.cli.progress import counter

Hand = Literal["right", "left"]
Background = Literal["plain", "wall", "room"]


def spell(
    text: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    speed: float = 2.0,
    hand: Hand = "right",
    skin: int = 4,
    background: Background = "wall",
    shapes_of: str | None = None,
    seed: int = 0,
    fps: float = 30.0,
    size: int = 480,
    skip_unknown: bool = False,
    force: bool = False,
) -> int:
    """Let the avatar fingerspell a text.

    Parameters
    ----------
    text
        Letters A to Z, digits and spaces; - reads it from stdin.
    output
        .mp4 or .gif: the clip. .png: a picture of every letter. .parquet or .npz: its landmarks.
    speed
        Letters a second; people spell 2 to 8.
    hand
        The signer's own.
    skin
        1 (light) to 10 (dark), of the Monk Skin Tone scale.
    background
        One color, a lit wall, or a blurred room.
    shapes_of
        Person of the handshape bank whose handshapes are used.
    seed
        Another seed changes the movement a little.
    fps
        Frames a second.
    size
        Width and height in pixels.
    skip_unknown
        Leave out characters that have no handshape.
    force
        Overwrite an existing file.
    """
    from signary.avatar.look import Look
    from signary.avatar.motion import SpellOptions
    from signary.avatar.spell import spell as spell_file

    with checked_flags():
        options = SpellOptions(speed=speed, hand=hand, shapes_of=shapes_of, seed=seed)
        look = Look(skin=skin, background=background, seed=seed)
    with counter("spelling") as tick:
        plan = spell_file(
            sys.stdin.read() if text == STDIN_WORD else text,
            output,
            options,
            fps=fps,
            look=look,
            size=(size, size),
            skip_unknown=skip_unknown,
            force=force,
            on_progress=tick,
        )
    sys.stdout.write(f"{output}: {_short(plan.texts[0])}, {plan.duration_s:.1f} s\n")
    return OK


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}..."
