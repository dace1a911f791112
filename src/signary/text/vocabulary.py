"""The labels of a model, which of them are silent, and their other names in data sets."""

from __future__ import annotations

import operator
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from signary.errors import InputError

_SEPARATORS = re.compile(r"[\s_-]+")


def canonical(label: str) -> str:
    """Return the form in which labels are compared: lower-case, words joined by hyphens.

    A label of separators alone is a symbol (a spelled space, hyphen or underscore) and is not changed.

    Examples
    --------
    >>> canonical("Thank You"), canonical("thank_you"), canonical("_")
    ('thank-you', 'thank-you', '_')
    """
    lower = unicodedata.normalize("NFC", label.lower())
    return _SEPARATORS.sub("-", lower).strip("-") or lower


@dataclass(frozen=True)
class Vocabulary:
    """The labels of a model, in the order of its logits.

    Parameters
    ----------
    labels : tuple of str
        As written in results: ``"A"``, ``"7"``, ``"thank-you"``.
    silent : tuple of str
        Labels that are recognized but not written (``"nothing"``).
    aliases : mapping of str to str
        Other names of labels: ``{"Num0": "0", "Del": "nothing"}``.

    Raises
    ------
    InputError
        If two labels compare as equal, or ``silent`` or ``aliases`` name an unknown label.

    Examples
    --------
    >>> vocabulary = Vocabulary(("A", "B", "nothing"), silent=("nothing",), aliases={"Del": "nothing"})
    >>> vocabulary.index("b"), vocabulary.expected_text("del"), vocabulary.expected_text("7")
    (1, '', None)
    """

    labels: tuple[str, ...]
    silent: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        seen: dict[str, str] = {}
        for label in self.labels:
            if (form := canonical(label)) in seen:
                hint = "labels compare lower-case and hyphenated: keep one of the two"
                raise InputError(f"labels {seen[form]!r} and {label!r} are one", hint=hint)
            seen[form] = label
        if strange := [label for label in self.silent if canonical(label) not in seen]:
            raise InputError(f"silent {strange}: not among the labels", hint="name labels of the vocabulary")
        for name, label in self.aliases.items():
            if canonical(label) not in seen:
                raise InputError(f"alias {name!r}: {label!r} is not among the labels", hint="name a label")
            if canonical(name) in seen and canonical(name) != canonical(label):
                hint = f"leave the alias to {label!r} out"
                raise InputError(f"alias {name!r}: is a label itself", hint=hint)

    def __len__(self) -> int:
        return len(self.labels)

    @cached_property
    def _indices(self) -> dict[str, int]:
        indices = {canonical(label): index for index, label in enumerate(self.labels)}
        return indices | {canonical(name): indices[canonical(label)] for name, label in self.aliases.items()}

    @cached_property
    def _texts(self) -> tuple[str, ...]:
        silent = {canonical(label) for label in self.silent}
        return tuple("" if canonical(label) in silent else label for label in self.labels)

    def index(self, label: str) -> int | None:
        """Return the index of a label or alias, in any spelling; None if it is outside the vocabulary."""
        return self._indices.get(canonical(label))

    def places(self, labels: NDArray[np.str_]) -> NDArray[np.int64]:
        """Return the place of each label or alias, str (N,) to int64 (N,); -1 where it is outside the vocabulary."""
        kinds, kind = np.unique(labels, return_inverse=True)
        found = [self.index(str(name)) for name in kinds]
        return np.array([-1 if place is None else place for place in found], np.int64)[kind]

    def text(self, index: int) -> str:
        """Return the text for logit ``index``: the label, or ``""`` if it is silent.

        Raises
        ------
        InputError
            If ``index`` is not 0 to ``len(self) - 1``.
        """
        place = operator.index(index)
        if not 0 <= place < len(self):
            raise InputError(f"index={place}, must be 0 to {len(self) - 1}", hint=f"{len(self)} labels")
        return self._texts[place]

    def expected_text(self, label: str) -> str | None:
        """Return the text for a data set's label; None if it is outside the vocabulary."""
        place = self.index(label)
        return None if place is None else self._texts[place]
