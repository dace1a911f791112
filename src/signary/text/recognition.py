"""What a recognizer says: text with times, confidence and alternatives."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another reading of a token and its probability (0 to 1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Token:
    """One letter, digit or word.

    Parameters
    ----------
    text : str
    start_s, end_s : float
        Seconds from the start of the source.
    confidence : float
        Calibrated probability that the token is right (0 to 1).
    alternatives : tuple of Alternative
        Other readings, likeliest first; the token itself is not among them.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """Everything read from one source.

    Parameters
    ----------
    source : str
        What was read, as the user named it.
    model : str
        Name of the bundle.
    task : str
        ``letters``, ``digits``, ``signs`` or ``spelling``.
    text : str
        The tokens joined as the task joins them; empty where nothing was signed.
    confidence : float
        Mean of the tokens' confidences; 0 without tokens.
    tokens : tuple of Token
    frames : int
        Frames read.
    fps : float
        Frames a second of the source; 0 for a still picture.
    hand_rate : float
        Share of frames in which a hand was seen (0 to 1).
    elapsed_s : float
        Wall-clock seconds that reading took.
    warnings : tuple of str
    """

    source: str
    model: str
    task: str
    text: str
    confidence: float
    tokens: tuple[Token, ...] = ()
    frames: int = 0
    fps: float = 0.0
    hand_rate: float = 0.0
    elapsed_s: float = 0.0
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failure:
    """A source that could not be read: the error's class name, message and hint."""

    source: str
    type: str
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """What a stream says at one moment.

    Parameters
    ----------
    text : str
        Partial: the text of the open segment, which may still change. Final: the text that was settled.
    final : bool
    tokens : tuple of Token
    start_s, end_s : float
        Seconds from the start of the stream.
    confidence : float
        0 to 1.
    """

    text: str
    final: bool
    tokens: tuple[Token, ...] = field(default=())
    start_s: float = 0.0
    end_s: float = 0.0
    confidence: float = 0.0
