"""Kinds of phrases, by examples of each rule and of its edge."""

from __future__ import annotations

import pytest

from signary.text.phrases import PHRASE_KINDS, phrase_kind, phrase_kinds

EXAMPLES = {
    "phone": ["+1-202-555-0143", "242-197-6202", "(415)555-2671", "911"],
    "url": ["www.example.com", "https://a.is/b", "stones/caviar", "hub-cap.co.uk/~x_9/", "12.5", "www24"],
    "address": ["3 creek lane", "6920 northeast 661st road", "apt. 5", "b52"],
    "words": ["federico o'hara", "mr. smith", "wwf", "--", "", "/", "jean-luc"],
}


@pytest.mark.parametrize("kind", PHRASE_KINDS)
def test_each_kind(kind: str) -> None:
    assert [(phrase, phrase_kind(phrase)) for phrase in EXAMPLES[kind]] == [(phrase, kind) for phrase in EXAMPLES[kind]]


def test_many() -> None:
    assert phrase_kinds(["911", "see you"]).tolist() == ["phone", "words"]
    assert phrase_kinds([]).shape == (0,)
