"""``signary evaluate``."""

from __future__ import annotations

import json as json_format
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from signary.cli.progress import progress
from signary.errors import ExtraMissing


def evaluate(
    model: str,
    data: Path,
    /,
    *,
    by: str | None = None,
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
        Folder with one folder a label, or with a manifest.csv.
    by
        Column of the manifest to group by, such as signer.
    json
        Write one JSON object.
    output
        Folder for a report: report.html with all plots in it.
    force
        Write over a report that exists.
    """
    if find_spec("sklearn") is None:
        raise ExtraMissing.named("train", "scikit-learn")
    from signary.evaluation.evaluate import evaluate as measure
    from signary.evaluation.report import read_history, write_report
    from signary.recognition.load import load

    reader = load(model)
    evaluation = measure(reader, data, by=by, track=lambda files: progress(files, "reading", len(files)))
    summary = evaluation.summary
    if summary["trained_on"]:
        said = f"{summary['trained_on']} of {summary['n']} files were trained on: the figures flatter"
        sys.stderr.write(f"warning: {said}\n")
    for skipped in summary["skipped"]:
        sys.stderr.write(f"skipped: {skipped}\n")
    if output is not None:
        write_report(
            output,
            summary,
            evaluation.targets,
            evaluation.predictions,
            evaluation.confidence,
            paths=evaluation.paths,
            history=read_history(reader.bundle.path),
            force=force,
        )
    if json:
        sys.stdout.write(json_format.dumps(summary, indent=2) + "\n")
    else:
        _show(summary)


def _show(summary: dict) -> None:  # type: ignore[type-arg]
    sys.stdout.write(f"{summary['model']} on {summary['data']}: {summary['n']} files\n")
    for name, value in summary["metrics"].items():
        sys.stdout.write(f"  {name:20} {value:.4f}\n")
    speed = summary["speed"]
    sys.stdout.write(f"  {'files a second':20} {speed['files_per_s']:.4g} (median {speed['median_ms']:.0f} ms)\n")
    for column, groups in summary["by"].items():
        for name, group in groups.items():
            sys.stdout.write(f"  {column} {name:13} {group['accuracy']:.4f} of {group['n']}\n")
