"""Fit a language model of letters in English words and names: python scripts/fit_language.py.

The words are SCOWL's, Debian package scowl 2020.12.07-2 (``apt-get install scowl``; sizes 10 to 70, without
possessives, contractions and short abbreviations), free to use, copy, modify and distribute with its copyright notice.
The names are those of the US census of 1990, public domain, as PyPI package names 0.3.0 carries them (``pip install
names==0.3.0``).

In SCOWL the size of the smallest list with a word says how common it is. Common words count more, but far less than in
running text, since mostly rare words are fingerspelled.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from signary.datasets.synthetic.texts import is_held_out
from signary.errors import InputError
from signary.text.language import CharacterModel

MODEL = Path(__file__).parents[1] / "src/signary/text/language-en.npz"
SCOWL = Path("/usr/share/dict/scowl")
KINDS = [f"{english}-{kind}" for english in ("english", "american") for kind in ("words", "upper", "proper-names")]
NAME_LISTS = ("dist.all.last", "dist.female.first", "dist.male.first")
# How common words of each size are beside those of the largest, and the share in per cent from which on a name counts.
# Their powers and those of the names' shares were chosen by bits a letter on held-out words.
SIZES = {10: 64, 20: 32, 35: 12, 40: 6, 50: 4, 55: 2, 60: 2, 70: 1}
RARE_NAME, EVENNESS = 0.002, 0.3
ABBREVIATION = 6  # shorter words in capitals are abbreviations


def main() -> None:
    """Fit and write the model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scowl", default=SCOWL, type=Path, help="folder of SCOWL's lists")
    parser.add_argument("-o", "--output", default=MODEL, type=Path)
    options = parser.parse_args()
    words, names = common_words(options.scowl), common_names()
    weights = weighted(words, names)
    seen = {word: weight for word, weight in weights.items() if not is_held_out(word)}
    judged = CharacterModel.fit(list(seen), list(seen.values()))
    for title, listed in (("words", words), ("names", names)):
        bits = bits_a_letter(judged, [word for word in listed if word in weights and is_held_out(word)])
        print(f"{title} left out: {bits:.3f} bits a letter")
    model = CharacterModel.fit(list(weights), list(weights.values()))
    model.save(options.output, force=True)
    size_kb = options.output.stat().st_size / 1e3
    print(f"{options.output}: {len(weights)} words, {len(model.ngrams)} n-grams, {size_kb:.0f} kB")


def common_words(folder: Path = SCOWL) -> dict[str, float]:
    """Return words -> how common they are (1 to 64).

    Raises
    ------
    InputError
        If the lists are not there.
    """
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder", hint="apt-get install scowl, or name the folder of its lists")
    words: dict[str, float] = {}
    for size, common in SIZES.items():
        paths = (folder / f"{kind}.{size}" for kind in KINDS)
        for line in (line for path in paths if path.is_file() for line in path.read_text("latin-1").splitlines()):
            if is_word(line):
                words.setdefault(line.lower(), float(common))
    return words


def is_word(line: str) -> bool:
    """Return whether a line of a list is a word of a to z, and no abbreviation."""
    if len(line) == 1:
        return line in "aI"
    return line.isascii() and line.isalpha() and not (line.isupper() and len(line) < ABBREVIATION)


def common_names() -> dict[str, float]:
    """Return family and first names -> the per cent of people who have them.

    Raises
    ------
    InputError
        If the lists are not there.
    """
    if find_spec("names") is None:
        raise InputError("names: not installed", hint="pip install names==0.3.0")
    names: dict[str, float] = {}
    for name, share in (entry for title in NAME_LISTS for entry in _entries(title)):
        names[name] = max(share, names.get(name, 0.0))
    return names


def weighted(words: dict[str, float], names: dict[str, float]) -> dict[str, float]:
    """Return the weight of each word and each name that is not rare."""
    weights = {word: common**EVENNESS for word, common in words.items()}
    for name, share in names.items():
        if share >= RARE_NAME:
            weight = min(64.0, 2 + 16 * math.sqrt(share)) ** EVENNESS
            weights[name] = max(weight, weights.get(name, 0.0))
    return weights


def bits_a_letter(model: CharacterModel, words: list[str]) -> float:
    """Return the mean bits of a letter or an end of a word."""
    return -model.log_probability(" ".join(words)) / math.log(2) / sum(len(word) + 1 for word in words)


def _entries(title: str) -> Iterator[tuple[str, float]]:
    for line in files("names").joinpath(title).read_text().splitlines():
        name, share, *_ = line.split()
        yield name.lower(), float(share)


if __name__ == "__main__":
    main()
