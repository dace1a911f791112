"""The fields of ``bundle.json``, and the score to compare models by."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

FORMAT = 1
MANIFEST = "bundle.json"
HANDS = ("left_hand", "right_hand")

MODEL = "model"  # the graph of a bundle with one graph
# Of an autoregressive speller: its graphs, their files, and the tensors between them.
ENCODER, STEP = "encoder", "step"
SPELLER_FILES = {ENCODER: "encoder.onnx", STEP: "step.onnx"}
MEMORY = ("memory_keys", "memory_values")
PAST, AFTER = ("keys", "values"), ("keys_after", "values_after")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Calibration(_Part):
    """Calibration, ``softmax(logits / temperature)``, and the expected calibration error (0 to 1).

    ``reliability`` has, for each tenth of confidence that occurred, its mean confidence, accuracy, and number of
    readings.
    """

    temperature: float = Field(gt=0)
    fitted_on: str
    ece: float | None = None
    reliability: list[tuple[float, float, int]] = []


class Score(_Part):
    """A result on ``n`` clips or photos of a ``split`` of ``data``, and the command that measures it.

    ``left_out``: neither training nor model selection used this data or its people. Models are compared by the mean of
    such scores.
    """

    data: str
    split: str
    n: int = Field(ge=0)
    metrics: dict[str, float]
    command: str
    left_out: bool = False


class TrainingSource(_Part):
    """Training data: its number of files, and the sha256 of the whole."""

    name: str
    licence: str
    url: str = ""
    files: int = Field(ge=0)
    sha256: str


class BundleManifest(_Part):
    """The fields of ``bundle.json``.

    Parameters
    ----------
    skeleton : str, optional
        Of the graph; required for landmarks.
    graphs : dict of str to str
        Purpose of a graph -> its file: ``{"model": "model.onnx"}``.
    vocabulary, silent, aliases, trusted
        Labels in the order of the logits, those that are read but not written, other names of labels, and labels
        learned from enough sources to generalize to other people.
    sign_language, region : str
        ISO 639-3 (``ase`` is American Sign Language), and the signers' origin, if known.
    scores : list of Score
        See `main_score`.
    parameters : int
        Trainable ones.
    training_files : str, optional
        A file with the sha256 of every training file, one a line, sorted.
    recipe : dict
        The resolved training recipe.
    files : dict of str to str
        Every other file of the bundle -> its sha256; computed by `signary.bundles.write.write_bundle`.
    """

    format: Literal[1] = 1
    name: str = Field(min_length=1)
    version: str
    task: Literal["letters", "digits", "signs", "spelling"]
    input: Literal["landmarks", "image", "clip"]
    skeleton: str | None = None
    graphs: dict[str, str] = Field(min_length=1)
    vocabulary: list[str] = Field(min_length=1)
    silent: list[str] = []
    aliases: dict[str, str] = {}
    trusted: list[str] = []
    sign_language: str = Field(pattern="^[a-z]{3}$")
    region: str
    thresholds: dict[str, float] = {}
    calibration: Calibration
    scores: list[Score] = []
    parameters: int = Field(ge=0)
    training: list[TrainingSource] = []
    training_files: str | None = None
    recipe: dict[str, Any] = {}
    created_with: str
    files: dict[str, Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]] = {}

    @model_validator(mode="after")
    def _check_together(self) -> BundleManifest:
        if self.input == "landmarks" and not self.skeleton:
            raise ValueError("input 'landmarks' needs a skeleton")
        if len(set(self.vocabulary)) != len(self.vocabulary):
            raise ValueError("vocabulary holds a label twice")
        for said in ("silent", "trusted"):
            if strange := sorted(set(getattr(self, said)) - set(self.vocabulary)):
                raise ValueError(f"{said} {strange} not in the vocabulary")
        return self


def reads_hands_alone(manifest: BundleManifest) -> bool:
    """Tell whether a spelling network takes only points of hands, so that a faster detector suffices."""
    if manifest.task != "spelling":
        return False
    points = manifest.recipe.get("features", {}).get("points") or []
    return bool(points) and all(point.startswith(HANDS) for point in points)


def main_score(manifest: BundleManifest) -> dict[str, Any] | None:
    """Return the score to compare models by, or None without scores.

    Returns
    -------
    dict
        Over the ``left_out`` scores with equal weight; without any, of the first score, with ``sources`` 0 and
        ``worst`` None:

        ===========  ================================================================================================
        metric       ``accuracy``, or for spelling ``score``: 1 - errors / characters
        value        mean
        worst        lowest
        sources, n   number of scores, and of their clips or photos
        data, split  of these scores, joined
        ===========  ================================================================================================
    """
    return _left_out(manifest) or _first(manifest)


def _left_out(manifest: BundleManifest) -> dict[str, Any] | None:
    metric = _usual(manifest)
    told = [(score, _value(score, metric)) for score in manifest.scores if score.left_out]
    scores, values = [score for score, value in told if value is not None], [one for _, one in told if one is not None]
    if not values:
        return None
    return {
        "metric": metric,
        "value": round(sum(values) / len(values), 4),
        "worst": min(values),
        "sources": len(values),
        "data": "; ".join(score.data for score in scores),
        "split": "; ".join(dict.fromkeys(score.split for score in scores)),
        "n": sum(score.n for score in scores),
    }


def _first(manifest: BundleManifest) -> dict[str, Any] | None:
    if not manifest.scores or not (metrics := manifest.scores[0].metrics):
        return None
    first, usual = manifest.scores[0], _usual(manifest)
    metric = usual if usual in metrics else next(iter(metrics))
    told = {"metric": metric, "value": metrics[metric], "worst": None, "sources": 0}
    return told | {"data": first.data, "split": first.split, "n": first.n}


def _usual(manifest: BundleManifest) -> str:
    return "score" if manifest.task == "spelling" else "accuracy"


def _value(score: Score, metric: str) -> float | None:
    """Return a metric of a score; for spelling, also computed from the character error rate."""
    if metric == "score" and metric not in score.metrics and "cer" in score.metrics:
        return round(1 - score.metrics["cer"], 4)
    return score.metrics.get(metric)
