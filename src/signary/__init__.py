"""Signary reads sign language: photos, videos and cameras to letters and words with times and confidence.

>>> import signary
>>> reader = signary.load("letters")  # a bundled name or a path
>>> reader.recognize("photo.jpg").text  # doctest: +SKIP
'B'
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from signary.privacy import silence

if TYPE_CHECKING:
    from signary.avatar.look import Look
    from signary.avatar.motion import SpellingPlan, SpellOptions, plan_spelling
    from signary.avatar.render import render
    from signary.avatar.spell import spell
    from signary.errors import (
        BundleError,
        ConfigError,
        ExtraMissing,
        InputError,
        ModelNotFound,
        ShapeError,
        SignaryError,
        SkeletonMismatch,
    )
    from signary.landmarks.detect import open_detector
    from signary.landmarks.detector import Detector
    from signary.landmarks.files import read_landmarks
    from signary.landmarks.sequence import LandmarkSequence
    from signary.landmarks.write import write_landmarks
    from signary.recognition.load import load
    from signary.recognition.recognizer import Recognizer
    from signary.text.recognition import Alternative, Event, Failure, Recognition, Token
    from signary.text.write import write_results
    from signary.video.frame import Frame
    from signary.video.source import open_source

__version__ = "0.1.0"

silence()  # before anything that reports to its maker can be imported

_HOMES = {
    "signary.avatar.look": ("Look",),
    "signary.avatar.motion": ("SpellOptions", "SpellingPlan", "plan_spelling"),
    "signary.avatar.render": ("render",),
    "signary.avatar.spell": ("spell",),
    "signary.errors": (
        "BundleError",
        "ConfigError",
        "ExtraMissing",
        "InputError",
        "ModelNotFound",
        "ShapeError",
        "SignaryError",
        "SkeletonMismatch",
    ),
    "signary.landmarks.detect": ("open_detector",),
    "signary.landmarks.detector": ("Detector",),
    "signary.landmarks.files": ("read_landmarks",),
    "signary.landmarks.sequence": ("LandmarkSequence",),
    "signary.landmarks.write": ("write_landmarks",),
    "signary.recognition.load": ("load",),
    "signary.recognition.recognizer": ("Recognizer",),
    "signary.text.recognition": ("Alternative", "Event", "Failure", "Recognition", "Token"),
    "signary.text.write": ("write_results",),
    "signary.video.frame": ("Frame",),
    "signary.video.source": ("open_source",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Alternative",
    "BundleError",
    "ConfigError",
    "Detector",
    "Event",
    "ExtraMissing",
    "Failure",
    "Frame",
    "InputError",
    "LandmarkSequence",
    "Look",
    "ModelNotFound",
    "Recognition",
    "Recognizer",
    "ShapeError",
    "SignaryError",
    "SkeletonMismatch",
    "SpellOptions",
    "SpellingPlan",
    "Token",
    "load",
    "open_detector",
    "open_source",
    "plan_spelling",
    "read_landmarks",
    "render",
    "spell",
    "write_landmarks",
    "write_results",
]


def __getattr__(name: str) -> Any:
    """Import a public name from its home on first use, so that ``import signary`` stays quick."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'signary' has no attribute {name!r}")
    value = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
