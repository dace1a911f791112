"""Random texts to spell: names, words, phone numbers, street addresses and web addresses.

``words-en.npz`` next to this file is made by ``scripts/pick_words.py`` from SCOWL's most common words (Copyright
2000-2011 by Kevin Atkinson, free to use with its notice, see ``NOTICE``) and the names of the US census of 1990
(public domain). A tenth of each list is kept for testing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from types import MappingProxyType

import numpy as np

from signary.errors import InputError
from signary.text.characters import CHARACTERS

WORDS = Path(__file__).with_name("words-en.npz")
SPLITS = ("train", "test")
TEXT_KINDS = ("name", "words", "phone", "address", "url")

# Signers write marks in the air with the index finger. Which marks, and their strokes, is a convention of this package:
# no freely usable data shows them. The other characters have no one-handed form and are not spelled.
_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
WRITTEN = ".,:-_/'+@"
FORMS: Mapping[str, str] = MappingProxyType(
    dict.fromkeys(_LETTERS, "letter")
    | dict.fromkeys(_DIGITS, "digit")
    | dict.fromkeys("jz", "drawn letter")
    | {" ": "pause, dip or slide"}
    | dict.fromkeys(WRITTEN, "written in the air")
)
NOT_SPELLED = "".join(character for character in CHARACTERS if character not in FORMS)

_STREETS = ("street", "road", "avenue", "lane", "drive", "court", "way", "place", "boulevard", "circle", "trail")
_DIRECTIONS = ("north", "south", "east", "west")
_ENDINGS = ("com", "org", "net", "edu", "gov", "info", "co.uk", "de", "fr", "es", "it", "jp", "com.br", "io")


def check_spelled(texts: Iterable[str]) -> None:
    """Refuse texts that cannot be spelled.

    Raises
    ------
    InputError
        If a text is empty, has a leading, trailing or double space, or has a character without a form (which is named).
    """
    for text in texts:
        if unknown := "".join(dict.fromkeys(character for character in text if character not in FORMS)):
            spelled = "".join(character for character in CHARACTERS if character in FORMS)
            raise InputError(f"{text[:60]!r}: {unknown!r} cannot be spelled", hint=f"these can: {spelled!r}")
        if not text or text != " ".join(text.split()):
            raise InputError(f"{text[:60]!r}: nothing to spell, or spaces that are not", hint="one between two words")


def is_held_out(word: str) -> bool:
    """Return whether a word or name is kept for testing."""
    return zlib.crc32(word.encode()) % 10 == 0


class PhraseMaker:
    """Generate phrases of five kinds, of 3 to about 40 characters that have a form.

    Parameters
    ----------
    split : {"train", "test"}
        No word or name is in both.
    weights : mapping of str to float, optional
        Relative frequency of each of `TEXT_KINDS`; by default all equal.

    Attributes
    ----------
    lists : dict of str to list of str
        The ``words``, and ``first`` and ``family`` names, of which phrases are made.

    Raises
    ------
    InputError
        If a kind is unknown, or all weights are 0.
    """

    def __init__(self, split: str = "train", weights: Mapping[str, float] | None = None) -> None:
        self.lists = {
            title: [word for word in words if is_held_out(word) == (split == "test")]
            for title, words in _lists().items()
        }
        weights = dict.fromkeys(TEXT_KINDS, 1.0) if weights is None else weights
        shares = np.array([weights.get(kind, 0.0) for kind in TEXT_KINDS])
        if not set(weights) <= set(TEXT_KINDS) or shares.min() < 0 or not 0 < shares.sum() < np.inf:
            raise InputError(f"texts={dict(weights)}, must weigh kinds", hint=f"kinds: {', '.join(TEXT_KINDS)}")
        self._shares = shares / shares.sum()

    def draw(self, count: int, random: np.random.Generator) -> list[str]:
        """Return ``count`` random phrases."""
        kinds = random.choice(len(TEXT_KINDS), count, p=self._shares)
        makers = (self._name, self._sentence, self._phone, self._address, self._url)
        return [makers[kind](random) for kind in kinds.tolist()]

    def word(self, title: str, random: np.random.Generator) -> str:
        """Return a random entry of a list."""
        words = self.lists[title]
        return words[random.integers(len(words))]

    def _name(self, random: np.random.Generator) -> str:
        first, family, shape = self.word("first", random), self.word("family", random), random.random()
        if shape < 0.08:
            return f"{first} {_LETTERS[random.integers(26)]} {family}"
        if shape < 0.14:
            return f"{first} {family}-{self.word('family', random)}"
        if shape < 0.17:
            return f"{first} o'{family}"
        return family if shape < 0.22 else f"{first} {family}"

    def _sentence(self, random: np.random.Generator) -> str:
        return " ".join(self.word("words", random) for _ in range(random.integers(1, 5)))

    def _phone(self, random: np.random.Generator) -> str:
        shapes = ("000-000-0000", "+1-000-000-0000", "+00-00-0000-0000", "+000-000-000", "0000000000", "000-0000")
        shape = shapes[random.choice(len(shapes), p=(0.35, 0.2, 0.2, 0.1, 0.05, 0.1))]
        return "".join(_DIGITS[random.integers(10)] if place == "0" else place for place in shape)

    def _address(self, random: np.random.Generator) -> str:
        number = int(10 ** random.uniform(0, 4.7))
        title = ("family", "words", "first")[random.integers(3)]
        parts = [str(number), self.word(title, random), _pick(_STREETS, random)]
        if random.random() < 0.2:
            parts.insert(1, _pick(_DIRECTIONS, random))
        if random.random() < 0.15:
            parts += ["apt", str(random.integers(1, 1000))]
        return " ".join(parts)

    def _url(self, random: np.random.Generator) -> str:
        between = "-" if random.random() < 0.25 else ""
        title = "family" if random.random() < 0.3 else "words"
        site = between.join([self.word(title, random), *([self.word("words", random)] * (random.random() < 0.3))])
        start = ("", "www.", "https://", "https://www.")[random.choice(4, p=(0.5, 0.35, 0.1, 0.05))]
        path = ("/" + self.word("words", random)) * (random.random() < 0.4)
        path += ("_" + self.word("words", random)) * (path != "" and random.random() < 0.1)
        return f"{start}{site}.{_pick(_ENDINGS, random)}{path}"


def _pick(options: Sequence[str], random: np.random.Generator) -> str:
    return options[random.integers(len(options))]


@cache
def _lists() -> dict[str, list[str]]:
    with np.load(WORDS, allow_pickle=False) as arrays:
        return {title: arrays[title].tobytes().decode().split("\n") for title in arrays.files}
