"""Model cards, written from a bundle's manifest."""

from __future__ import annotations

from collections.abc import Iterable

from signary.bundles.manifest import BundleManifest, Score, reads_hands_alone

_LIMITS = {
    "letters": (
        "J and Z are movements: from one photo they are guesses.",
        "Handshapes vary between signers and regions (G, M, N, P, T, X most); a form that no training signer used "
        "is often read wrong.",
    ),
    "digits": ("6, 7, 8 and 9 differ by which finger meets the thumb: turn the palm to the camera.",),
    "signs": (
        "One sign at a time, with a short pause; upper body and hands must be in the picture.",
        "Words are signed differently from region to region and person to person; a form that no training signer used "
        "is read as another word, often with confidence.",
        "Facial expression, mouth, grammar and sentences are not read.",
    ),
    "spelling": (
        "One person spells phrases with one hand; signs, mouth and grammar are not read.",
        "It guesses at letters that it cannot see by those around them: names and numbers come out wrong, not empty.",
        "2 and V, 6 and W, 9 and F, 0 and O are one shape each: what stands around them decides.",
    ),
}
SYNTHETIC = "synthetic"
_ONE_HAND = "One hand is read; facial expression, mouth, grammar and sentences are not."
_FROM = {"landmarks": "landmarks of one hand", "image": "whole pictures", "clip": "clips"}
_OF_TASK = {
    "signs": ("landmarks of hands and upper body", "CLIP"),
    "spelling": ("landmarks of hands, face and arms", "CLIP"),
}
_OF_INPUT = {
    "image": (
        "It sees the room as well as the hand: of people and rooms that it did not learn from, expect far less than "
        "the score below.",
    )
}
_MADE = (
    "It learned from made clips alone: handshapes of real people, joined by a model of movement. How people really "
    "spell was not among what it learned from or is measured on: expect more errors than below.",
)
_ALWAYS = (
    "It does not understand a sign language: do not use it in place of an interpreter.",
    "Skin tone, age and camera of the training signers are mostly unknown, so even results are not promised.",
)


def write_card(manifest: BundleManifest) -> str:
    """Return a model card in Markdown."""
    between = "" if manifest.task == "spelling" else ", "
    labels = between.join(label for label in manifest.vocabulary if label not in manifest.silent)
    origin, source = _OF_TASK.get(manifest.task, (_FROM[manifest.input], "PHOTO"))
    if reads_hands_alone(manifest):
        origin = "landmarks of hands"
    made = _MADE if SYNTHETIC in [one.name for one in manifest.training] else ()
    one_hand = () if manifest.task in _OF_TASK else (_ONE_HAND,)
    parts = [
        f"# {manifest.name} {manifest.version}",
        f"Reads {manifest.task} ({labels}) from {origin}. Sign language: {manifest.sign_language}; "
        f"{manifest.region}. {manifest.parameters:,} parameters.",
        f"```\nsignary recognize {source} --model {manifest.name}\n```",
        *_trust(manifest),
        "## Limits",
        _bullets((*_LIMITS.get(manifest.task, ()), *made, *_OF_INPUT.get(manifest.input, ()), *one_hand, *_ALWAYS)),
        "## Scores",
        _table(("data", "split", "n", "scores", "command"), (_score_row(score) for score in manifest.scores)),
        "## Confidence",
        *_confidence(manifest),
        "## Training data",
        _table(("source", "licence", "files"), ((s.name, s.licence, str(s.files)) for s in manifest.training)),
    ]
    return "\n\n".join(parts) + "\n"


def _trust(manifest: BundleManifest) -> list[str]:
    """Return the section on trusted words, and on those learned from too few people."""
    if not manifest.trusted:
        return []
    words = [label for label in manifest.vocabulary if label not in manifest.silent]
    tried = [label for label in words if label not in manifest.trusted]
    return [
        "## Words",
        f"Trusted, learned from several teams and measured on teams left out: **{', '.join(manifest.trusted)}**.",
        f"Tried, learned from one or two people, and read only where little speaks for a trusted one: "
        f"{', '.join(tried) or 'none'}.",
    ]


def _confidence(manifest: BundleManifest) -> list[str]:
    calibration = manifest.calibration
    if "trust_bias" in manifest.thresholds:
        said = "The probability that all of a text is right was learned from other made clips, read right and wrong."
        return [said]
    said = (
        f"Logits are divided by {calibration.temperature:.3f}, fitted on {calibration.fitted_on}; the expected "
        f"calibration error of what was held out is {_error(calibration.ece)}."
    )
    rows = map(_reliability_row, calibration.reliability)
    return [said, *([_table(("confidence", "read right", "readings"), rows)] if calibration.reliability else [])]


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
