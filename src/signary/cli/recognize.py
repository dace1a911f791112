"""``signary recognize``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from signary.cli.app import OK, SOME_FAILED, WrongUse, checked_flags, given, show_failure
from signary.cli.live import AT_ONCE, Said, read_live, until_interrupt, writing
from signary.cli.progress import progress
from signary.errors import SignaryError
from signary.text.recognition import Event, Failure, Recognition
from signary.text.write import format_results, output_path, write_result
from signary.video.source import expand_sources, is_camera

if TYPE_CHECKING:
    from signary.landmarks.draw import Image
    from signary.landmarks.sequence import Points
    from signary.recognition.recognizer import Recognizer

Format = Literal["text", "json", "jsonl", "csv", "srt", "vtt", "eaf"]
Hand = Literal["auto", "left", "right"]
Context = Literal["none", "words"]


def recognize(
    sources: Annotated[list[str], Parameter(required=True)],
    /,
    *,
    model: str = "letters",
    format: Format = "text",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    hand: Hand = "auto",
    mirrored: bool = False,
    max_hands: int = 2,
    as_clip: bool = False,
    fps: float | None = None,
    context: Context = "none",
    force: bool = False,
    show: bool = False,
) -> int:
    """Read photos, videos, landmark files or a camera.

    Parameters
    ----------
    sources
        Files, folders, globs, a camera's number (until Ctrl+C), or - for stdin.
    model
        A bundled model's name, a bundle or a run folder.
    format
        How to write what was read.
    output
        Write one file a source into this folder instead of stdout.
    hand
        Which of the signer's hands to read.
    mirrored
        The pictures are mirror images.
    max_hands
        1 or 2: hands nearest the middle that are looked at.
    as_clip
        Read a folder of pictures as one clip.
    fps
        Frames a second of sources that do not say.
    context
        Read doubtful letters of clips as what makes English words and names; the model's sure letters stay.
    force
        Write over files that exist.
    show
        Show the camera's picture with skeleton and text in a window; Q or Escape ends.
    """
    from signary.recognition.load import load
    from signary.recognition.options import ReadOptions

    with checked_flags():
        how = ReadOptions(hand=hand, mirrored=mirrored, max_hands=max_hands, as_clip=as_clip, fps=fps, context=context)
    sources, reader = given(sources), load(model)
    names = [str(source) for source in sources] if as_clip else expand_sources(sources)
    reader.check_context(context, live=output is None and format in AT_ONCE and any(map(is_camera, names)))
    at_once = format if output is None and format in AT_ONCE else ""
    if show and not (at_once and any(map(is_camera, names))):
        raise WrongUse("--show: only for a camera that is read live", hint="signary recognize 0 --show")
    results = _read(reader, names, asdict(how), at_once, show=show)
    roots = sources if len(sources) == 1 else [None] * len(sources)
    failed = 0
    kept: list[Recognition | Failure] = []
    for result in progress(_saved(results, format, output, root=roots[0], force=force), "reading", len(names)):
        if isinstance(result, Failure):
            failed += 1
            show_failure(result)
        kept.append(result)
    if output is None and kept:
        sys.stdout.write(format_results(kept, format))
    return SOME_FAILED if failed else OK


def _read(
    reader: Recognizer, names: Sequence[str], how: dict[str, Any], at_once: str, *, show: bool
) -> Iterator[Recognition | Failure]:
    """Read sources; what a camera sees is written at once where there is a format for that."""
    for name in names:
        if not is_camera(name):
            yield from reader.recognize_many([name], **how)
            continue
        try:
            if result := _read_camera(reader, name, how, at_once, show=show):
                yield result
        except SignaryError as error:
            yield Failure(name, type(error).__name__, error.message, error.hint)


def _read_camera(reader: Recognizer, name: str, how: dict[str, Any], at_once: str, *, show: bool) -> Recognition | None:
    from signary.cli.window import PictureWindow, mirrored_view
    from signary.video.camera import Camera

    with ExitStack() as stack:
        window = stack.enter_context(PictureWindow()) if show else None
        camera = stack.enter_context(Camera(int(name)))
        stack.enter_context(until_interrupt(camera))
        if not at_once:
            return replace(reader.recognize(camera, **how), source=name)
        session = stack.enter_context(closing(reader.session(**how)))
        write, said = stack.enter_context(writing(reader, at_once, name)), Said(reader.task)

        def take(event: Event) -> None:
            write(event)
            said.take(event)

        def look(image: Image, points: Points) -> bool:
            return window is None or window.show(mirrored_view(image, points, said.text)) != "q"

        read_live(session, camera, take, look)
    return None


def _saved(
    results: Iterator[Recognition | Failure], format: str, output: Path | None, *, root: str | None, force: bool
) -> Iterator[Recognition | Failure]:
    """Write each result as it comes; one that cannot be written becomes a failure."""
    for result in results:
        if output is None or isinstance(result, Failure):
            yield result
            continue
        try:
            write_result(result, output_path(output, result.source, format, root), format, force=force)
            yield result
        except SignaryError as error:
            yield Failure(result.source, type(error).__name__, error.message, error.hint)
