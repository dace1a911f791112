"""Fit a language model of characters in spelled phrases: python scripts/fit_phrases.py.

It counts phrases made by `signary.datasets.synthetic.texts`, with the words and names of its own lists and, as often,
with the 137,000 of ``scripts/fit_language.py``, which says how to get them, drawn by their frequency.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from fit_language import SCOWL, common_names, common_words, weighted

from signary.datasets.synthetic.texts import PhraseMaker, is_held_out
from signary.text.phrase_model import ENGLISH, PhraseModel

PHRASES, LEAST = 1_000_000, 3  # rarer n-grams are left out
JUDGED = 20_000


class WiderPhrases(PhraseMaker):
    """Phrases of words of both lists, with or without test words."""

    def __init__(self, weights: Mapping[str, Mapping[str, float]], *, held_out: bool = True) -> None:
        super().__init__()
        if held_out:
            for title, words in PhraseMaker("test").lists.items():
                self.lists[title] += words
        self._wider = {title: _sums(listed, held_out) for title, listed in weights.items()}

    def word(self, title: str, random: np.random.Generator) -> str:
        """Return a word of either list."""
        if random.random() < 0.5:
            return super().word(title, random)
        words, sums = self._wider[title]
        return words[np.searchsorted(sums, random.random())]


def main() -> None:
    """Fit and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scowl", default=SCOWL, type=Path, help="folder of SCOWL's lists")
    parser.add_argument("-o", "--output", default=ENGLISH, type=Path)
    parser.add_argument("--without-test-words", action="store_true", help="to measure the effect of test words")
    options = parser.parse_args()
    words, names = weighted(common_words(options.scowl), {}), weighted({}, common_names())
    lists = {"words": words, "first": names, "family": names}
    maker = WiderPhrases(lists, held_out=not options.without_test_words)
    model = PhraseModel.fit(maker.draw(PHRASES, np.random.default_rng(0)), least=LEAST)
    model.save(options.output, force=True)
    for split in ("train", "test"):
        judged = PhraseMaker(split).draw(JUDGED, np.random.default_rng(1))
        bits = -sum(map(model.log_probability, judged)) / math.log(2) / sum(len(phrase) + 1 for phrase in judged)
        print(f"phrases of words for {split}: {bits:.3f} bits a character")
    print(f"{options.output}: {len(model.ngrams)} n-grams, {options.output.stat().st_size / 1e3:.0f} kB")


def _sums(weights: Mapping[str, float], held_out: bool) -> tuple[list[str], np.ndarray]:
    """Return words and the cumulative sums of their shares."""
    words = [word for word in weights if held_out or not is_held_out(word)]
    sums = np.cumsum([weights[word] for word in words])
    return words, sums / sums[-1]


if __name__ == "__main__":
    main()
