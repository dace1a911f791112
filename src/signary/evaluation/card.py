"""Model cards, written from what a bundle says of itself."""

from __future__ import annotations

from collections.abc import Iterable

from signary.export.bundle import BundleManifest, Score

_LIMITS = {
    "letters": (
        "J and Z are movements: from one photo they are guesses.",
        "Handshapes vary between signers and regions (G, M, N, P, T, X most); a form that no training signer used "
        "is often read wrong.",
    ),
    "digits": ("6, 7, 8 and 9 differ by which finger meets the thumb: turn the palm to the camera.",),
}
_FROM = {"landmarks": "landmarks of one hand", "image": "whole pictures", "clip": "clips"}
_OF_INPUT = {
    "image": (
        "It sees the room as well as the hand: of people and rooms that it did not learn from, expect far less than "
        "the score below.",
    )
}
_ALWAYS = (
    "One hand is read; facial expression, mouth, grammar and sentences are not.",
    "It reads spelled handshapes, not a sign language: do not use it in place of an interpreter.",
    "Skin tone, age and camera of the training signers are mostly unknown, so even results are not promised.",
)


def write_card(manifest: BundleManifest) -> str:
    """Return a model card in Markdown.

    Parameters
    ----------
    manifest : BundleManifest
    """
    labels = ", ".join(label for label in manifest.vocabulary if label not in manifest.silent)
    calibration = manifest.calibration
    parts = [
        f"# {manifest.name} {manifest.version}",
        f"Reads {manifest.task} ({labels}) from {_FROM[manifest.input]}. Sign language: {manifest.sign_language}; "
        f"{manifest.region}. {manifest.parameters:,} parameters.",
        f"```\nsignary recognize PHOTO --model {manifest.name}\n```",
        "## Limits",
        _bullets((*_LIMITS.get(manifest.task, ()), *_OF_INPUT.get(manifest.input, ()), *_ALWAYS)),
        "## Scores",
        _table(("data", "split", "n", "scores", "command"), (_score_row(score) for score in manifest.scores)),
        "## Confidence",
        f"Logits are divided by {calibration.temperature:.3f}, fitted on {calibration.fitted_on}; the expected "
        f"calibration error of what was held out is {_error(calibration.ece)}.",
        *(
            [_table(("confidence", "read right", "readings"), map(_reliability_row, calibration.reliability))]
            if calibration.reliability
            else []
        ),
        "## Training data",
        _table(("source", "licence", "files"), ((s.name, s.licence, str(s.files)) for s in manifest.training)),
    ]
    return "\n\n".join(parts) + "\n"


def _error(ece: float | None) -> str:
    return "not known" if ece is None else f"{ece:.4f}"


def _score_row(score: Score) -> tuple[str, ...]:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in score.metrics.items())
    return score.data, score.split, str(score.n), metrics, f"`{score.command}`"


def _reliability_row(row: tuple[float, float, int]) -> tuple[str, ...]:
    confidence, right, count = row
    return f"{confidence:.2f}", f"{right:.2f} {'#' * round(20 * right)}", str(count)


def _bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
