"""The best decoding of a network of fingerspelling, and how far to trust it: fitted on unseen clips."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from signary.datasets.synthetic.spelling import SyntheticBatch
from signary.models.point_network import CTCNetwork
from signary.text.beam import BeamOptions, Candidate, prefix_beam
from signary.text.ctc import align, greedy
from signary.text.phrase_model import load_phrase_model
from signary.text.trust import EVIDENCE, evidence, fit_trust
from signary.text.twins import fold

WEIGHTS, INSERTIONS, BEAM, BEST = (0.0, 0.3, 0.45, 0.6, 0.8), (-0.3, 0.0, 0.3), 128, 32
HOPELESS = 0.7  # errors for each character
FEWEST = 8  # clips read right, and clips read wrong, to fit trust on

Table = NDArray[np.float32]


@torch.inference_mode()
def tables_of(networks: Sequence[CTCNetwork], batches: Iterable[SyntheticBatch]) -> tuple[list[Table], list[str]]:
    """Return the mean log probabilities of the frames of each clip, float32 (T, V + 1), and the texts."""
    tables: list[Table] = []
    texts: list[str] = []
    for batch in batches:
        encoded = [network.encode_selected(batch.points, batch.lengths) for network in networks]
        said = [network.score(memory) for network, (memory, _) in zip(networks, encoded, strict=True)]
        mean = torch.stack(said).mean(0).log_softmax(-1).numpy()
        tables += [rows[:length] for rows, length in zip(mean, batch.lengths.tolist(), strict=True)]
        texts += batch.texts
    return tables, texts


def tuned(tables: Sequence[Table], texts: Sequence[str], characters: str) -> dict[str, float]:
    """Choose the weights of language and length with the fewest errors, and fit the trust in what is read.

    Letters and digits of the same shape count as equal, since context tells them apart later.

    Parameters
    ----------
    tables : sequence of float (T, V + 1)
        Log probabilities of N clips.
    texts : sequence of str
        Spelled in them.
    characters : str

    Returns
    -------
    dict
        As in a bundle's thresholds, see `signary.recognition.spelling.graphs.SpellerGraphs`; without trust if nearly
        all or nearly no clips were read right, and empty if there are too many errors for any search.
    """
    quickly = ["".join(characters[number] for number in greedy(table, len(characters)).characters) for table in tables]
    if _errors(quickly, texts) > HOPELESS * sum(map(len, texts)):
        return {}
    fewest, chosen, kept = np.inf, dict[str, float](), list[list[Candidate]]()
    for weight, insertion in product(WEIGHTS, INSERTIONS):
        options = BeamOptions(beam=BEAM, best=BEST, weight=weight, insertion=insertion)
        language = load_phrase_model() if weight else None
        found = [
            prefix_beam(table, len(characters), language=language, characters=characters, options=options)
            for table in tables
        ]
        wrong = _errors([_text(readings[0], characters) for readings in found], texts)
        if wrong < fewest:
            fewest, kept = wrong, found
            chosen = {"beam": BEAM, "best": BEST, "weight": weight, "insertion": insertion}
    right = np.array([_text(one[0], characters) == fold(text) for one, text in zip(kept, texts, strict=True)])
    return chosen | _trust(tables, kept, right, len(characters))


def _errors(read: Sequence[str], texts: Sequence[str]) -> int:
    return sum(Levenshtein.distance(fold(one), fold(other)) for one, other in zip(read, texts, strict=True))


def _text(reading: Candidate, characters: str) -> str:
    return fold("".join(characters[number] for number in reading.characters.tolist()))


def _trust(
    tables: Sequence[Table], found: Sequence[list[Candidate]], right: NDArray[np.bool_], blank: int
) -> dict[str, float]:
    if min(right.sum(), (~right).sum()) < FEWEST:
        return {}
    rows = [
        evidence(readings, align(table, readings[0].characters, blank))
        for table, readings in zip(tables, found, strict=True)
    ]
    trust = fit_trust(np.stack(rows), right)
    named = {f"trust_{name}": weight for name, weight in zip(EVIDENCE, trust.weights, strict=True)}
    return {name: round(value, 5) for name, value in (named | {"trust_bias": trust.bias}).items()}
