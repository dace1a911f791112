"""The errors of Signary.

::

    SignaryError
    ├── InputError        a source, file or value given by the user cannot be used
    │   └── ShapeError    an array has the wrong shape or dtype
    ├── SkeletonMismatch  landmarks have another skeleton than needed
    ├── ConfigError       a recipe, flag or config file has wrong fields (all of them listed at once)
    ├── ModelNotFound     no bundle, run or recipe of that name (the known names are listed)
    ├── BundleError       a model bundle is incomplete, altered or of an unknown version
    └── ExtraMissing      an optional part of the package is not installed

A message is one line and starts with the wrong value; ``hint`` says what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class SignaryError(Exception):
    """Base of all errors."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} ({self.hint})" if self.hint else self.message


class InputError(SignaryError):
    """A source, file or value given by the user cannot be used."""


class ShapeError(InputError):
    """An array has the wrong shape or dtype."""


class SkeletonMismatch(SignaryError):
    """Landmarks have another skeleton than needed."""


class ConfigError(SignaryError):
    """A recipe, flag or config file has wrong fields; the message lists all of them."""


class ModelNotFound(SignaryError):
    """No bundle, run or recipe has that name."""

    @classmethod
    def named(cls, name: str, known: Iterable[str], *, kind: str = "model") -> ModelNotFound:
        """Return the error for an unknown ``name``, with the ``known`` ones and the nearest of them."""
        names = sorted(known)
        near = get_close_matches(name, names, n=1)
        guess = f"did you mean {near[0]!r}? " if near else ""
        return cls(f"{name!r}: no such {kind}", hint=f"{guess}known: {', '.join(names) or 'none'}")


class BundleError(SignaryError):
    """A model bundle is incomplete, altered or of an unknown version."""


class ExtraMissing(SignaryError):
    """An optional part of the package is not installed."""

    @classmethod
    def named(cls, extra: str, need: str) -> ExtraMissing:
        """Return the error for something (``need``) that the optional ``extra`` provides."""
        return cls(f"{need}: not installed", hint=f"pip install 'signary[{extra}]'")
