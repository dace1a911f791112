"""``signary record``."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from signary.cli.app import OK, WrongUse, checked_flags

if TYPE_CHECKING:
    from signary.datasets.recordings.film import Watch
    from signary.datasets.recordings.folder import Recordings
    from signary.video.source import FrameSource

CLIP_S, CLIPS = 2.5, 10


def record(
    label: str = "",
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    camera: str = "0",
    seconds: float | None = None,
    count: int | None = None,
    rest: float = 1.5,
    signer: str = "me",
    consent: str = "",
    retake: bool = False,
    listed: Annotated[Path | None, Parameter(name="--list")] = None,
    remove_signer: str = "",
    show: bool = False,
) -> int:
    """Film your own labeled clips: a data set to train on.

    Parameters
    ----------
    label
        The word or letter that is signed.
    output
        The folder; clips are added to it.
    camera
        Its number, or a video file instead of a camera.
    seconds
        Length of a clip; 2.5 by default, for a file its whole length.
    count
        Number of clips, 10 by default; for a file one, or with --seconds all that fit.
    rest
        Seconds before each clip of a camera.
    signer
        Name of the person who signs.
    consent
        What the clips may be used for; asked once of each signer.
    retake
        Remove the signer's last clip of LABEL first; without --count one clip is filmed to replace it.
    listed
        List the clips of a folder, and film nothing.
    remove_signer
        Remove all clips of a person, and film nothing.
    show
        Show the camera in a window; R after a clip films it again.
    """
    from signary.cli.filming import watching
    from signary.datasets.recordings.folder import Recordings, check_name

    if listed is not None:
        return _list(Recordings(listed))
    if output is None:
        raise WrongUse("no folder", hint="signary record LABEL -o DIR")
    if remove_signer:
        return _remove(Recordings(output), remove_signer)
    with checked_flags():
        check_name(label, "LABEL")
        check_name(signer, "--signer")
    if (seconds is not None and not 0 < seconds <= 60) or (count is not None and count < 1) or not 0 <= rest <= 60:
        raise WrongUse(f"seconds={seconds}, count={count}, rest={rest}: out of range", hint="--seconds is 0 to 60")
    from signary.video.source import open_source

    recordings = Recordings(output)
    with open_source(camera) as source:
        if source.is_still:
            raise WrongUse(f"{camera}: a photo", hint="a camera's number or a video")
        said = consent or recordings.consent_of(signer) or _asked(signer, live=source.is_live)
        if show and not source.is_live:
            raise WrongUse("--show: only for a camera", hint="a file's clips are looked over without it")
        if source.is_live:
            seconds, count = seconds or CLIP_S, count or (1 if retake else CLIPS)
        count = count or (10_000 if seconds else 1)
        with watching(label, count, show=show) as watch:
            if retake and (gone := recordings.take_back(label, signer)):
                sys.stderr.write(f"removed {gone}\n")
            return _film(source, recordings, label, signer, said, seconds, count, rest, watch)


def _film(
    source: FrameSource,
    recordings: Recordings,
    label: str,
    signer: str,
    consent: str,
    seconds: float | None,
    count: int,
    rest: float,
    watch: Watch,
) -> int:
    from signary.datasets.recordings.film import Take, film, write_sheet
    from signary.datasets.recordings.folder import Person
    from signary.landmarks.detect import open_detector

    person = Person(signer, consent, f"{datetime.now():%Y-%m-%dT%H-%M-%S}")
    takes: list[Take] = []
    with open_detector("holistic") as detector:
        how = {"seconds": seconds, "count": count, "rest_s": rest, "watch": watch}
        for take in film(source, recordings, label, person, detector, **how):  # type: ignore[arg-type]
            takes.append(take)
            sys.stdout.write(f"{take.path}\n")
            for fault in take.faults:
                sys.stderr.write(f"warning: {take.path.name}: {fault} (--retake films it again)\n")
    sheet = write_sheet(recordings.sheet(label, person), takes)
    sys.stderr.write(f"{recordings.count(label, signer)} clips of {label!r} by {signer}; see {sheet}\n")
    return OK


def _asked(signer: str, *, live: bool) -> str:
    """Ask what a person's clips may be used for; without an answer, only clips of a file are kept, with a warning."""
    if sys.stdin.isatty():
        sys.stderr.write(f"What may the clips of {signer} be used for? (empty: nothing is recorded) ")
        sys.stderr.flush()
        if said := sys.stdin.readline().strip():
            return said
    elif not live:
        sys.stderr.write(f"warning: consent of {signer} is not stated (--consent TEXT)\n")
        return ""
    raise WrongUse(f"no consent of {signer}, so nothing is recorded", hint='--consent "may be used for ..."')


def _list(recordings: Recordings) -> int:
    kinds = Counter(
        (row["label"], row.get("signer", ""), row.get("consent", "") or "not stated") for row in recordings.rows()
    )
    for (label, signer, consent), number in sorted(kinds.items()):
        sys.stdout.write(f"{label:20} {signer or '(not known)':16} {number:4} clips   consent: {consent}\n")
    return OK


def _remove(recordings: Recordings, signer: str) -> int:
    number = recordings.remove_signer(signer)
    sys.stdout.write(f"{number} clips of {signer} removed from {recordings.folder}\n")
    sys.stderr.write("stores, caches and models made from them still hold them: prepare and train those again\n")
    return OK
