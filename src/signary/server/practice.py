"""Small pictures and clips of the avatar for the practice page."""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from signary.avatar.look import Look
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.spell import letters_sheet, spell

FPS, SIZE_PX = 12.5, 240
SPEED = 1.5


@lru_cache(maxsize=64)
def spelled_clip(text: str, skin: int, hand: str) -> bytes:
    """Return an animated GIF of the avatar that spells a text; ``skin`` and ``hand`` as for `Look` and `SpellOptions`.

    Raises
    ------
    InputError
        If the text is empty or a character has no handshape.
    """
    with TemporaryDirectory(prefix="signary-") as folder:
        path = Path(folder) / "clip.gif"
        options = SpellOptions(speed=SPEED, hand=hand)
        spell(text, path, options, fps=FPS, look=_look(skin), size=(SIZE_PX, SIZE_PX))
        return path.read_bytes()


@lru_cache(maxsize=128)
def letter_picture(letter: str, skin: int, hand: str) -> bytes:
    """Return a PNG of one handshape; parameters as for `spelled_clip`."""
    from PIL import Image

    plan = plan_spelling(letter, SpellOptions(hand=hand))
    file = io.BytesIO()
    Image.fromarray(letters_sheet(plan, look=_look(skin), size=(SIZE_PX, SIZE_PX))).save(file, format="PNG")
    return file.getvalue()


def _look(skin: int) -> Look:
    return Look(skin=skin, background="plain")
