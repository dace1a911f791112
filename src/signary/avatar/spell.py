"""Spell a text into a file: a video, a picture of every letter, or landmarks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from signary.avatar.keys import SpelledLetter
from signary.avatar.look import Look
from signary.avatar.motion import SpellingPlan, SpellOptions, plan_spelling
from signary.avatar.render import Painter, render
from signary.errors import InputError
from signary.landmarks.draw import contact_sheet, draw_label
from signary.landmarks.sequence import RIGHT, LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.landmarks.write import write_landmark_parts
from signary.output import check_free, whole_file
from signary.video.frame import Frame
from signary.video.write import write_video

Image = NDArray[np.uint8]
Progress = Callable[[int, int | None], None]

VIDEO_ENDINGS, PICTURE_ENDINGS, LANDMARK_ENDINGS = (".mp4", ".gif"), (".png",), (".parquet", ".npz")
ENDINGS = (*VIDEO_ENDINGS, *PICTURE_ENDINGS, *LANDMARK_ENDINGS)
SIZE_PX = (480, 480)
MOST_PICTURES = 400
CLOSE_UP = 2.2
DRAWING_TIP, WAY_COLOR = {"J": 20, "Z": 8}, (200, 40, 40)


def spell(
    text: str,
    path: str | Path,
    options: SpellOptions | None = None,
    *,
    fps: float = 30.0,
    look: Look | None = None,
    size: tuple[int, int] = SIZE_PX,
    skip_unknown: bool = False,
    force: bool = False,
    on_progress: Progress | None = None,
) -> SpellingPlan:
    """Let the avatar spell a text into a file; long texts are written while they are drawn.

    Parameters
    ----------
    text : str
        Letters A to Z, digits 0 to 9, spaces.
    path : str or Path
        ``.mp4`` or ``.gif``: the clip; ``.png``: a picture of every letter; ``.parquet`` or ``.npz``: its landmarks.
    options : SpellOptions, optional
        Speed, hand, people, seed. The aspect is that of ``size``.
    fps : float
        Frames a second, above 0.
    look : Look, optional
        Skin, light, background and camera.
    size : (int, int)
        Width and height in pixels.
    skip_unknown : bool
        Leave out characters without a handshape.
    force : bool
        Write over a file that exists.
    on_progress : callable(frames done, total frames), optional

    Returns
    -------
    SpellingPlan
        The spelled text, with the time of every letter.

    Raises
    ------
    InputError
        If a character has no handshape, there is nothing to spell, the ending is unknown, or the file exists.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path}: no known ending", hint=f"known: {', '.join(ENDINGS)}")
    check_free(path, force=force)
    plan = plan_spelling(text, options, skip_unknown=skip_unknown)
    if ending in PICTURE_ENDINGS:
        write_picture(path, letters_sheet(plan, look=look, size=size), force=force)
    elif ending in LANDMARK_ENDINGS:
        write_landmark_parts(path, _parts(plan, fps, on_progress), force=force)
    else:
        frames = spelled_frames(plan, fps=fps, look=look, size=size, on_progress=on_progress)
        write_video(path, (frame.image for frame in frames), fps, force=force)
    return plan


def spelled_frames(
    plan: SpellingPlan,
    *,
    fps: float = 30.0,
    look: Look | None = None,
    size: tuple[int, int] = SIZE_PX,
    on_progress: Progress | None = None,
) -> Iterator[Frame]:
    """Yield the pictures of a plan's first text, a few seconds at a time in memory."""
    for part in _parts(plan, fps, on_progress):
        yield from render(part, size=size, look=look or Look())


def letters_sheet(
    plan: SpellingPlan, *, look: Look | None = None, size: tuple[int, int] = SIZE_PX, columns: int = 9
) -> Image:
    """Draw the hand of each letter of a plan's first text, with its name and the path of J and Z, into one picture.

    Raises
    ------
    InputError
        If there are more than `MOST_PICTURES`.
    """
    letters, alone = plan.letters[0], plan.only(0)
    if len(letters) > MOST_PICTURES:
        raise InputError(f"{len(letters)} letters, at most {MOST_PICTURES} fit one picture", hint="write a .mp4")
    look = look or Look()
    painter = Painter(size, replace(look, zoom=CLOSE_UP * look.zoom), plan.options.aspect)
    pictures = [draw_label(_close_up(painter, alone, letter), letter.text) for letter in letters]
    return contact_sheet(pictures, columns=min(columns, len(pictures)))


def _close_up(painter: Painter, plan: SpellingPlan, letter: SpelledLetter) -> Image:
    """Draw a hand in the middle of its letter; for J and Z, also the path of the fingertip."""
    shown = letter.start_s + 0.6 * (letter.end_s - letter.start_s)
    times = np.append(np.linspace(letter.start_s, letter.end_s, 60), shown)
    points = plan.points(times)[0]
    slot = RIGHT_HAND if plan.options.hand == RIGHT else LEFT_HAND
    points[..., :2] += 0.5 - points[:, slot, :2].mean((0, 1))
    image = painter.exposed(points[-1])
    if letter.text in DRAWING_TIP:
        tip = slot.start + DRAWING_TIP[letter.text]
        way = np.stack([painter.placed(row)[tip, :2] for row in points[:-1]]).round().astype(np.int32)
        cv2.polylines(image, [way], False, WAY_COLOR, 2, cv2.LINE_AA)
        cv2.arrowedLine(image, way[-4].tolist(), way[-1].tolist(), WAY_COLOR, 2, cv2.LINE_AA, tipLength=3.0)
    return image


def write_picture(path: Path, image: Image, *, force: bool = False) -> Path:
    """Write a picture as PNG, completely or not at all."""
    from PIL import Image as PillowImage

    with whole_file(path, force=force) as draft:
        PillowImage.fromarray(image).save(draft, format="PNG")
    return path


def _parts(plan: SpellingPlan, fps: float, on_progress: Progress | None) -> Iterator[LandmarkSequence]:
    total, done = plan.frame_count(fps), 0
    for times, points in plan.chunks(fps):
        yield LandmarkSequence(points, times, aspect=plan.options.aspect)
        done += len(times)
        if on_progress:
            on_progress(done, total)
