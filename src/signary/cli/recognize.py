"""``signary recognize``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from cyclopts import Parameter

from signary.address import is_address, is_live_address
from signary.cli.app import OK, SOME_FAILED, WrongUse, checked_flags, given, show_failure
from signary.cli.live import AT_ONCE, Said, read_live, until_interrupt, writing
from signary.cli.progress import progress
from signary.errors import InputError, SignaryError
from signary.text.output_names import check_apart, output_paths
from signary.text.recognition import Event, Failure, Recognition
from signary.text.write import format_results, write_result
from signary.video.files import expand_sources
from signary.video.source import is_camera, open_source, source_name

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
    workers: int | None = None,
    force: bool = False,
    whole_names: bool = False,
    show: bool = False,
) -> int:
    """Read photos, videos, landmark files or a camera.

    Parameters
    ----------
    sources
        Files, folders, globs, addresses (http, https, rtsp), a camera's number (until Ctrl+C), or - for stdin.
    model
        A bundled model's name, a bundle or a run folder.
    format
        Output format.
    output
        Write one file per source into this folder instead of stdout, with the source's name without its ending:
        clip.srt for clip.mp4. If two sources would get one name, they keep their endings: clip.mp4.srt.
    hand
        Which of the signer's hands to read.
    mirrored
        The pictures are mirror images.
    max_hands
        1 or 2: number of hands to detect, those nearest the center.
    as_clip
        Read a folder of pictures as one clip.
    fps
        Frames a second of sources without a rate of their own.
    context
        Read uncertain letters of clips as what makes English words and names; letters the model is sure of stay.
    workers
        Processes that read files; all cores by default, 1 for few files.
    force
        Overwrite existing files.
    whole_names
        Keep the ending of every source in the name of its file.
    show
        Show the camera's picture with skeleton and text in a window; Q or Escape ends.
    """
    from signary.recognition.load import load
    from signary.recognition.many import check_workers, default_workers
    from signary.recognition.options import ReadOptions

    with checked_flags():
        check_workers(workers)
        how = ReadOptions(hand=hand, mirrored=mirrored, max_hands=max_hands, as_clip=as_clip, fps=fps, context=context)
    sources, reader = given(sources), load(model)
    names = [str(source) for source in sources] if as_clip else expand_sources(sources)
    reader.check_context(context, live=output is None and format in AT_ONCE and any(map(_is_live, names)))
    at_once = format if output is None and format in AT_ONCE else ""
    if show and not (at_once and any(map(_calls, names))):
        raise WrongUse("--show: only for a camera that is read live", hint="signary recognize 0 --show")
    workers = default_workers(names) if workers is None else workers
    results = _read(reader, names, asdict(how), at_once, workers=workers, show=show)
    root = sources[0] if len(sources) == 1 else None
    if output is not None:
        paths = output_paths(output, names, format, root, whole_names=whole_names)
        results = _saved(results, paths, format, force=force)
    failed = 0
    kept: list[Recognition | Failure] = []
    for result in progress(results, "reading", len(names)):
        if isinstance(result, Failure):
            failed += 1
            show_failure(result)
        kept.append(result)
    if output is None and kept:
        sys.stdout.write(format_results(kept, format))
    return SOME_FAILED if failed else OK


def _read(
    reader: Recognizer, names: Sequence[str], how: dict[str, Any], at_once: str, *, workers: int, show: bool
) -> Iterator[Recognition | Failure]:
    """Read sources; what a camera sees is written immediately if the format allows it."""
    for calls, group in groupby(names, _calls):
        found = list(group)
        if not calls:
            yield from reader.recognize_many(found, workers=min(workers, len(found)), **how)
            continue
        for name in found:
            try:
                if result := _read_called(reader, name, how, at_once, show=show):
                    yield result
            except SignaryError as error:
                yield Failure.of(source_name(name), error)


def _calls(name: str) -> bool:
    """Return whether a source may be live: a camera, or any address."""
    return is_camera(name) or is_address(name)


def _is_live(name: str) -> bool:
    return is_camera(name) or is_live_address(name)


def _read_called(reader: Recognizer, name: str, how: dict[str, Any], at_once: str, *, show: bool) -> Recognition | None:
    """Read a source that may be live; return None if its text was written immediately."""
    from signary.cli.window import PictureWindow, mirrored_view
    from signary.video.camera import Camera

    with ExitStack() as stack:
        window = stack.enter_context(PictureWindow()) if show else None
        frames = stack.enter_context(open_source(name))
        if isinstance(frames, Camera):
            stack.enter_context(until_interrupt(frames))
        if not frames.is_live or not at_once:
            return replace(reader.recognize(frames, **how), source=source_name(name))
        reader.check_context(how["context"], live=True)
        session = stack.enter_context(closing(reader.session(**how)))
        write, said = stack.enter_context(writing(reader, at_once, source_name(name))), Said(reader.task)

        def take(event: Event) -> None:
            write(event)
            said.take(event)

        def look(image: Image, points: Points) -> bool:
            return window is None or window.show(mirrored_view(image, points, said.text)) != "q"

        count = read_live(session, frames, take, look)
        for warning in frames.warnings:
            sys.stderr.write(f"warning: {warning}\n")
        if not count:
            raise InputError(f"{source_name(name)}: no pictures came", hint="is it on, and free?")
    return None


def _saved(
    results: Iterator[Recognition | Failure], paths: Sequence[Path], format: str, *, force: bool
) -> Iterator[Recognition | Failure]:
    """Write each result to its path as it comes; if it cannot be written, yield a failure."""
    for result, path in zip(results, paths, strict=True):
        if isinstance(result, Failure):
            yield result
            continue
        try:
            check_apart(path, result.source)
            write_result(result, path, format, force=force)
            yield result
        except SignaryError as error:
            yield Failure.of(result.source, error)
