"""Kinds of spelled phrases, which are rarely sentences.

The phrases of Google's fingerspelling data are made-up names, addresses, phone numbers and web addresses
(https://www.kaggle.com/competitions/asl-fingerspelling). The data does not label them, so rules do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

PHRASE_KINDS = ("phone", "url", "address", "words")

_PHONE = re.compile(r"(?=.*\d)[\d+()-]+")
_URL = re.compile(r"https?:\S*|www\S*|(?=\S*\w)\S*[./]\S*")
_ADDRESS = re.compile(r"(?=.*\d)(?=.*[^\W\d_]).*")


def phrase_kind(phrase: str) -> str:
    """Return the kind of a phrase, one of `PHRASE_KINDS`, by the first rule that matches.

    ``phone``: digits, ``+``, ``-`` and brackets only. ``url``: no space, and a dot or slash in it, or it starts with
    ``http`` or ``www``. ``address``: digits and letters. ``words``: everything else, names above all.

    Examples
    --------
    >>> [phrase_kind(text) for text in ("+1-202-555-0143", "scales/kuhn", "3 creek lane", "federico o'hara")]
    ['phone', 'url', 'address', 'words']
    """
    rules = zip(PHRASE_KINDS, (_PHONE, _URL, _ADDRESS), strict=False)
    return next((kind for kind, rule in rules if rule.fullmatch(phrase)), "words")


def phrase_kinds(phrases: Iterable[str]) -> NDArray[np.str_]:
    """Return the kind of each of N phrases, str (N,)."""
    return np.array([phrase_kind(phrase) for phrase in phrases], np.str_)
