"""Scores of phrases: overall, by signer, by kind of phrase, and which characters are confused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from signary.errors import ShapeError
from signary.evaluation.metrics import spelling_metrics
from signary.text.phrases import phrase_kinds


def spelling_report(
    references: Sequence[str], hypotheses: Sequence[str], signers: Sequence[str] | None = None, *, top: int = 20
) -> dict[str, Any]:
    """Score read phrases.

    Parameters
    ----------
    references, hypotheses : sequence of str (N,)
        What was spelled and what was read.
    signers : sequence of str (N,), optional
    top : int
        How many of the most frequent errors are listed.

    Returns
    -------
    dict
        ``n`` phrases, ``characters`` in them; ``score``, ``cer`` and ``exact`` as `spelling_metrics`; ``by``: the same
        for each ``kind`` of phrase and each ``signer``, without groups in which no character was spelled; ``errors``:
        how many characters were ``substituted``, ``deleted`` and ``inserted``; ``substitutions``: as `substitutions`.

    Raises
    ------
    InputError, ShapeError, ExtraMissing
        As `spelling_metrics`.
    """
    scores = _scores(references, hypotheses)
    groups = {"kind": phrase_kinds(references)}
    if signers is not None:
        if len(signers) != len(references):
            raise ShapeError(f"{len(signers)} signers for {len(references)} phrases", hint="give one a phrase")
        groups["signer"] = np.asarray(signers, np.str_)
    pairs = list(zip(references, hypotheses, strict=True))
    by = {name: grouped(references, hypotheses, values.tolist()) for name, values in groups.items()}
    edits = _edits(pairs)
    kinds = Counter[str]()
    for (spelled, read), count in edits.items():
        kinds["inserted" if not spelled else "substituted" if read else "deleted"] += count
    errors = {kind: kinds[kind] for kind in ("substituted", "deleted", "inserted")}
    return scores | {"by": by, "errors": errors, "substitutions": _table(edits, references, top)}


def substitutions(references: Sequence[str], hypotheses: Sequence[str], *, top: int = 20) -> list[dict[str, Any]]:
    """Count which character is read as which, along a shortest edit path from the spelled to the read text.

    Parameters
    ----------
    references, hypotheses : sequence of str (N,)
    top : int
        How many of the most frequent ones are returned.

    Returns
    -------
    list of dict
        ``spelled`` (``""`` = inserted), ``read`` (``""`` = deleted), ``count``, and ``share`` of all times that the
        character was spelled (None for insertions). If several paths are shortest, one of them is used.
    """
    return _table(_edits(list(zip(references, hypotheses, strict=True))), references, top)


def grouped(references: Sequence[str], hypotheses: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    """Score the phrases of each group, by name, as `spelling_report`; groups that spelled nothing are left out."""
    names, found = np.array(groups, np.str_), {}
    for name in np.unique(names).tolist():
        spelled, read = ([texts[row] for row in np.flatnonzero(names == name)] for texts in (references, hypotheses))
        if any(spelled):
            found[name] = _scores(spelled, read)
    return found


def _scores(references: Sequence[str], hypotheses: Sequence[str]) -> dict[str, Any]:
    counts = {"n": len(references), "characters": sum(map(len, references))}
    return counts | spelling_metrics(references, hypotheses)


def _edits(pairs: Sequence[tuple[str, str]]) -> Counter[tuple[str, str]]:
    from rapidfuzz.distance import Levenshtein

    edits = Counter[tuple[str, str]]()
    for spelled, read in pairs:
        for edit in Levenshtein.editops(spelled, read):
            here = "" if edit.tag == "insert" else spelled[edit.src_pos]
            edits[here, "" if edit.tag == "delete" else read[edit.dest_pos]] += 1
    return edits


def _table(edits: Counter[tuple[str, str]], references: Sequence[str], top: int) -> list[dict[str, Any]]:
    spelled = Counter("".join(references))
    often = sorted(edits.items(), key=lambda edit: (-edit[1], edit[0]))[:top]
    return [
        {"spelled": here, "read": there, "count": count, "share": count / spelled[here] if here else None}
        for (here, there), count in often
    ]
