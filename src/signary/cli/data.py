"""``signary data``: list readers of data sets, describe stores, prepare stores."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import App, Parameter

from signary.cli.app import OK, SOME_FAILED, WrongUse, checked_flags, show_error, show_json
from signary.cli.progress import progress
from signary.errors import ModelNotFound, SignaryError

data = App(name="data", help="List, describe and prepare data sets to train on.", result_action="return_value")


@data.command(name="list")
def list_readers(*, json: bool = False) -> None:
    """List the readers and the layouts that they expect.

    Parameters
    ----------
    json
        Write one JSON array.
    """
    from signary.datasets.readers.reader import READERS, find_reader

    rows = [{"name": name, "layout": find_reader(name).layout} for name in READERS]
    if json:
        show_json(rows)
        return
    for row in rows:
        sys.stdout.write(f"{row['name']}\n    {row['layout']}\n")


@data.command
def info(store: str, /, *, json: bool = False) -> None:
    """Show statistics of a store: labels or phrases, lengths, missing hands, signers, sources, licences.

    Parameters
    ----------
    store
        A prepared store, or the name of a reader, to see the layout that it expects.
    json
        Write one JSON object.
    """
    from signary.datasets.readers.reader import READERS, find_reader
    from signary.datasets.stores.describe import describe_features, describe_store
    from signary.datasets.stores.features import FeatureStore, is_features
    from signary.datasets.stores.landmarks import ClipStore

    path = Path(store)
    if store in READERS and not path.exists():
        told: dict[str, Any] = {"name": store, "layout": find_reader(store).layout}
    elif is_features(path):
        told = describe_features(FeatureStore(path))
    elif path.exists() or path.with_name(f"{path.name}.partial").exists() or len(path.parts) > 1:
        told = describe_store(ClipStore(path))
    else:
        raise ModelNotFound.named(store, READERS, kind="store or reader")
    if json:
        show_json(told)
    else:
        _show(told)


@data.command
def prepare(
    reader: str,
    folder: Path,
    /,
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    points: str = "",
    classes: str = "",
    workers: int = 1,
    fps: float | None = None,
    licence: str = "",
    detector: Literal["holistic", "hands"] = "holistic",
    mirrored: bool = False,
    features: Literal["inception", "compact"] | None = None,
    weights: str = "",
    weights_sha256: str = "",
    frames: int | None = None,
    fit: Literal["pad", "crop"] | None = None,
    draws: int = 0,
    resume: bool = False,
    force: bool = False,
) -> int:
    """Read a data set into a store to train on.

    Parameters
    ----------
    reader
        See signary data list.
    folder
        The data set.
    output
        The store. An existing one is kept, unless --force.
    points
        Which of the 543 to keep: lips, nose, eyes, face, left_hand, right_hand, hands, pose, upper_body, all, and
        numbers such as 468-488, separated by commas. By default all that any recipe uses.
    classes
        Labels to keep, separated by commas; all by default.
    workers
        Processes.
    fps
        Frames a second of clips without a rate of their own; 30 for Kaggle's.
    licence
        Of the data; replaces the one that the reader knows.
    detector
        For videos: hands, body and face, or hands only.
    mirrored
        Videos are mirror images.
    features
        Store the output of a picture network for some frames of each video, instead of landmarks. A stopped run is
        resumed; with another network, everything is made again.
    weights
        Of that network. inception: torchvision's file of ImageNet weights, its path or address. compact: a run of
        letters-cnn-modern; by default the weights that come with Signary.
    weights_sha256
        First digits of the sha256 of that file; by default those at the end of its name.
    frames
        Number of frames taken of each video; 20 by default.
    fit
        How to make pictures square: pad them (the default), or crop the center.
    draws
        Random samples besides the even one, so that training epochs differ.
    resume
        Continue a half-written store.
    force
        Overwrite an existing store.
    """
    from signary.cli.features import Asked, prepare_videos
    from signary.datasets.prepare import prepare as prepare_store
    from signary.datasets.readers.reader import Options, find_reader
    from signary.datasets.stores.landmarks import RECIPE_POINTS, choose_points
    from signary.output import make_folder

    if workers < 1:
        raise WrongUse(f"workers={workers}, must be 1 or more", hint="a process each; 1 is the default")
    if fps is not None and not 0 < fps < 1000:
        raise WrongUse(f"fps={fps}, must be above 0", hint="frames a second, for example 30")
    asked = Asked(features, weights, weights_sha256, frames, fit, draws)
    asked.check()
    with checked_flags():
        chosen = choose_points(points or RECIPE_POINTS)
    wanted = tuple(name.strip() for name in classes.split(",") if name.strip())
    options = Options(fps, licence, wanted, detector, mirrored)
    make_folder(output.parent)
    if features:
        made = prepare_videos(reader, folder, output, asked, options, workers=workers, force=force, track=_track)
        return _tell(made, output, "clips")
    prepared = prepare_store(
        reader, folder, output, chosen, options, workers=workers, resume=resume, force=force, track=_track
    )
    if fps is None and (supposed := find_reader(reader).fps):
        sys.stderr.write(f"fps: {supposed:g} supposed, the data does not say (--fps)\n")
    return _tell(prepared, output)


def _track(batches: Iterable[None], total: int) -> Iterable[None]:
    return progress(batches, "reading", total)


def _tell(prepared: Any, output: Path, unit: str = "batches") -> int:
    """Report the result and the failures, and return the exit status."""
    if prepared.kept:
        sys.stderr.write(f"{prepared.kept} {unit} done before and kept\n")
    for one in prepared.refused:
        show_error(SignaryError(one.message, hint=one.hint))
    if prepared.refused:
        sys.stderr.write(f"{len(prepared.refused)} failed\n")
    if prepared.store is None:
        sys.stderr.write(f"error: {output}: not written, no clip could be read\n")
        return SOME_FAILED
    labels = len(set(prepared.store.column("label").tolist()))
    kind = "phrases" if prepared.store.about.get("has_phrases") else "labels"
    sys.stdout.write(f"{len(prepared.store)} clips of {labels} {kind} written to {output}\n")
    return SOME_FAILED if prepared.refused else OK


def _show(told: dict[str, Any]) -> None:
    for name, value in told.items():
        if isinstance(value, dict):
            sys.stdout.write(f"{name}: {len(value)}\n" if name in ("labels", "signers") else f"{name}\n")
            for key, count in value.items():
                shown = "(space)" if key == " " else key or "(not known)"
                sys.stdout.write(f"  {shown:24} {count}\n")
        else:
            sys.stdout.write(f"{name:26} {value}\n")
