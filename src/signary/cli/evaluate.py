"""``signary evaluate``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from signary.cli.app import check_extra, checked_flags, show_json
from signary.cli.progress import progress


def evaluate(
    model: str,
    data: Path,
    /,
    *,
    by: str | None = None,
    limit: int | None = None,
    workers: int | None = None,
    json: bool = False,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    force: bool = False,
) -> None:
    """Measure a model on labeled data.

    Parameters
    ----------
    model
        A bundled model's name, a bundle or a run folder.
    data
        A prepared store, or a folder with one folder per label or a manifest.csv. For spelling also synthetic (1,000
        synthetic clips, always the same), avatar (its films, seen by the detector), avatar:PERSON, and photos:PATH
        (phrases from photos of letters, or from an .npz of their landmarks).
    by
        Column of the manifest to group by: signer, source, group, split, label or another text column.
    limit
        Read only this number of files or clips.
    workers
        Processes that read files; all cores by default, 1 for few files.
    json
        Write one JSON object.
    output
        Folder for a report: report.html with all plots in it.
    force
        Overwrite an existing report.
    """
    check_extra(["sklearn"], "scikit-learn")
    from signary.evaluation.evaluate import evaluate as measure
    from signary.evaluation.report.history import read_history, read_learning
    from signary.evaluation.report.write import write_report
    from signary.recognition.load import load
    from signary.recognition.many import check_workers

    with checked_flags():
        check_workers(workers)
    reader = load(model)
    evaluation = measure(
        reader, data, by=by, limit=limit, workers=workers, track=lambda files: progress(files, "reading", len(files))
    )
    summary = evaluation.summary
    if summary["trained_on"]:
        sys.stderr.write(f"warning: {_flattery(summary)}\n")
    for skipped in summary["skipped"]:
        sys.stderr.write(f"skipped: {skipped}\n")
    if output is not None:
        write_report(
            output,
            summary,
            evaluation.targets,
            evaluation.predictions,
            evaluation.confidence,
            sources=evaluation.sources,
            readings=evaluation.readings,
            history=read_history(reader.bundle.path),
            learning=read_learning(reader.bundle.path),
            force=force,
        )
    if json:
        show_json(summary)
    else:
        _show(summary)


def _flattery(summary: dict[str, Any]) -> str:
    said = f"{summary['trained_on']} of {summary['n']} {summary['unit']}s were trained on: the figures flatter"
    if rest := summary.get("held_out"):
        figures = ", ".join(f"{name} {value:.4f}" for name, value in rest["metrics"].items())
        said += f"; of the other {rest['n']}: {figures}"
    return said


def _show(summary: dict[str, Any]) -> None:
    sys.stdout.write(f"{summary['model']} on {summary['data']}: {summary['n']} {summary['unit']}s\n")
    for name, value in summary["metrics"].items():
        sys.stdout.write(f"  {name:20} {value:.4f}\n")
    speed = summary["speed"]
    sys.stdout.write(
        f"  {summary['unit'] + 's a second':20} {speed['files_per_s']:.4g} (median {speed['median_ms']:.3g} ms)\n"
    )
    for column, groups in summary["by"].items():
        for name, group in groups.items():
            shown = "space" if name == " " else name
            sys.stdout.write(f"  {column} {shown:13} {group.get('accuracy', group.get('score')):.4f} of {group['n']}\n")
    for name, value in summary.get("set", {}).items():
        sys.stdout.write(f"  set {name:16} {value}\n")
