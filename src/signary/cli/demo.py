"""``signary demo``: spell a text, read it back, show both."""

from __future__ import annotations

import json as json_text
import sys
import tempfile
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from cyclopts import Parameter

from signary.cli.app import OK, checked_flags
from signary.cli.progress import counter

if TYPE_CHECKING:
    from signary.avatar.keys import SpelledLetter
    from signary.landmarks.sequence import LandmarkSequence
    from signary.text.recognition import Recognition, Token

RIGHT, WRONG = "ok", "--"


def demo(
    text: str = "HELLO",
    /,
    *,
    model: str = "letters",
    speed: float = 2.0,
    skin: int = 4,
    seed: int = 0,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    show: Path | None = None,
    json: bool = False,
    force: bool = False,
) -> int:
    """Let the avatar spell a text, detect its hand in the pictures, read it, and show both texts.

    Parameters
    ----------
    text
        Letters A to Z, digits and spaces.
    model
        The model that reads: letters, digits, a bundle or a run folder.
    speed
        Letters a second.
    skin
        1 (light) to 10 (dark), of the Monk Skin Tone scale.
    seed
        Another seed changes the movement a little.
    output
        Write the clip, .mp4 or .gif, with the detected landmarks and the letters read.
    show
        Write a PNG of every letter with the detected landmarks.
    json
        Print one JSON object.
    force
        Overwrite existing files.
    """
    from signary.avatar.look import Look
    from signary.avatar.motion import SpellOptions
    from signary.avatar.spell import spell
    from signary.output import check_free
    from signary.recognition.load import load

    with checked_flags():
        options, look = SpellOptions(speed=speed, seed=seed), Look(skin=skin)
    for path in filter(None, (output, show)):
        check_free(path, force=force)
    reader = load(model)
    with tempfile.TemporaryDirectory() as folder:
        clip = Path(folder) / "spelled.mp4"
        with counter("spelling") as tick:
            plan = spell(text, clip, options, look=look, on_progress=tick)
        with counter("reading") as tick:
            points = reader.landmarks(clip, on_progress=tick)
        result = reader.recognize(points)
        if output:
            _write_clip(output, clip, points, result, force=force)
        if show:
            _write_sheet(show, clip, points, plan.letters[0], result, force=force)
    pairs = list(paired(plan.letters[0], result.tokens))
    sys.stdout.write(_as_json(plan.texts[0], result) if json else _as_table(plan.texts[0], result, pairs))
    return OK


def paired(
    letters: tuple[SpelledLetter, ...], tokens: tuple[Token, ...]
) -> Iterator[tuple[SpelledLetter | None, Token | None]]:
    """Align the letters read with those spelled: missed letters and extra letters are paired with None."""
    spelled, read = [letter.text for letter in letters], [token.text for token in tokens]
    for _, i, j, m, n in SequenceMatcher(None, spelled, read, autojunk=False).get_opcodes():
        for step in range(max(j - i, n - m)):
            yield (letters[i + step] if i + step < j else None, tokens[m + step] if m + step < n else None)


def _as_table(wrote: str, result: Recognition, pairs: list[tuple[SpelledLetter | None, Token | None]]) -> str:
    lines = [f"wrote  {wrote}", f"read   {result.text}", "", "spelled         read            confidence"]
    for letter, token in pairs:
        spelled = f"{letter.text} {letter.start_s:5.2f}-{letter.end_s:5.2f} s" if letter else "-"
        read = f"{token.text} {token.start_s:5.2f}-{token.end_s:5.2f} s" if token else "-"
        mark = RIGHT if letter and token and letter.text == token.text else WRONG
        lines.append(f"{spelled:15} {read:15} {f'{token.confidence:.2f}' if token else '-':>10}  {mark}")
    return "\n".join(lines) + "\n"


def _as_json(wrote: str, result: Recognition) -> str:
    return json_text.dumps({"wrote": wrote, "read": result.text, "tokens": result.to_dict()["tokens"]}) + "\n"


def _write_clip(path: Path, clip: Path, points: LandmarkSequence, result: Recognition, *, force: bool) -> None:
    from signary.landmarks.draw import draw_label, draw_landmarks
    from signary.video.source import open_source
    from signary.video.write import write_video

    small = path.suffix.lower() == ".gif"  # for web pages and READMEs
    step = 2 if small else 1

    def drawn() -> Iterator[Any]:
        with open_source(clip) as frames:
            for frame, here in islice(zip(frames, points.points, strict=False), 0, None, step):
                read = "".join(token.text for token in result.tokens if token.start_s <= frame.time_s)
                image = draw_label(draw_landmarks(frame.image, here), read)
                yield image[::2, ::2] if small else image

    write_video(path, drawn(), points.fps / step, force=force)


def _write_sheet(
    path: Path,
    clip: Path,
    points: LandmarkSequence,
    letters: tuple[SpelledLetter, ...],
    result: Recognition,
    *,
    force: bool,
) -> None:
    from signary.avatar.spell import write_picture
    from signary.landmarks.draw import contact_sheet, draw_label, draw_landmarks
    from signary.video.source import open_source

    middles = [(letter.start_s + letter.end_s) / 2 for letter in letters]
    wanted = {
        int(np.abs(points.times_s - middle).argmin()): letter for middle, letter in zip(middles, letters, strict=True)
    }
    pictures = []
    with open_source(clip) as frames:
        for index, frame in enumerate(frames):
            if index in wanted:
                read = [token.text for token in result.tokens if token.start_s <= frame.time_s < token.end_s]
                label = f"{wanted[index].text}: read {''.join(read) or 'nothing'}"
                pictures.append(draw_label(draw_landmarks(frame.image, points.points[index]), label))
    write_picture(path, contact_sheet(pictures, columns=min(6, len(pictures))), force=force)
