"""The part of ``signary data prepare`` that stores features of videos."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from signary.cli.app import WrongUse, check_extra

if TYPE_CHECKING:
    from signary.datasets.readers.reader import Options
    from signary.training.videos.features import PreparedFeatures


@dataclass(frozen=True, slots=True)
class Asked:
    """The flags for features; see `signary.cli.data.prepare`."""

    features: Literal["inception", "compact"] | None
    weights: str
    weights_sha256: str
    frames: int | None
    fit: Literal["pad", "crop"] | None
    draws: int

    def check(self) -> None:
        """Raise `WrongUse` for flags that do not fit together or are out of range."""
        more = {"weights": self.weights, "weights-sha256": self.weights_sha256, "frames": self.frames, "fit": self.fit}
        given = [f"--{name}" for name, value in (more | {"draws": self.draws}).items() if value]
        if given and not self.features:
            raise WrongUse(f"{', '.join(given)}: without --features", hint="--features inception or compact")
        if (self.frames is not None and self.frames < 1) or self.draws < 0:
            raise WrongUse(
                f"frames={self.frames}, draws={self.draws}: too few", hint="1 frame or more, 0 draws or more"
            )


def prepare_videos(
    reader: str,
    folder: Path,
    output: Path,
    asked: Asked,
    options: Options,
    *,
    workers: int,
    force: bool,
    track: Callable[[Iterable[None], int], Iterable[None]],
) -> PreparedFeatures:
    """Read videos into a store of features; parameters as `signary.training.videos.features.prepare_features`.

    Raises
    ------
    ExtraMissing
        If PyTorch is not installed.
    """
    check_extra(["torch", "lightning"], "PyTorch and Lightning")
    from signary.training.videos.backbones import open_backbone
    from signary.training.videos.features import Sampling, prepare_features
    from signary.video.sample import CLIP_FRAMES

    backbone = open_backbone(asked.features or "", asked.weights, sha256=asked.weights_sha256)
    sampling = Sampling(asked.frames or CLIP_FRAMES, asked.fit or "pad", asked.draws)
    threads = max(workers, os.cpu_count() or 1)
    return prepare_features(
        reader, folder, output, backbone, options=options, sampling=sampling, workers=threads, force=force, track=track
    )
