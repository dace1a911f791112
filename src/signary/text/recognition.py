"""Results of recognition: text with times, confidence and alternatives."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from signary.errors import SignaryError
from signary.text.formats import format_of, json_text, rounded, save_readings


class _Part:
    """What every part of a result can do."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return it as in ``--format json``.

        Times are rounded to milliseconds, confidences and rates to four digits; a number that is not finite is None.

        Returns
        -------
        dict
            Its fields by name, with lists for tuples; for a failure ``source`` and ``error`` (``type``, ``message``,
            ``hint``).
        """
        return rounded(asdict(cast(Any, self)))


class _Result(_Part):
    """What a whole result can do: a reading, an event or a failure."""

    __slots__ = ()

    def to_json(self, indent: int | None = 2) -> str:
        """Return `to_dict` as JSON.

        Parameters
        ----------
        indent : int, optional
            Spaces a level; None for one line.

        Returns
        -------
        str
            Without a newline at the end.
        """
        return json_text(self.to_dict(), indent)


class _Reading(_Result):
    """What a result with a text can do."""

    __slots__ = ()
    text: str

    def save(self, path: str | Path, *, force: bool = False) -> Path:
        """Write it into a file, whole or not at all; parent folders are made.

        Parameters
        ----------
        path : str or Path
            The ending decides the format: .txt, .json, .jsonl, .csv, .srt, .vtt or .eaf. A partial event is written
            only to JSON.
        force : bool
            Write over an existing file.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            If the ending is unknown (the known ones are listed), the file exists and ``force`` is false, or it
            cannot be written.
        """
        return save_readings([asdict(cast(Any, self))], Path(path), format_of(Path(path)), force=force)

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        """Return HTML for a notebook."""
        from signary.text.notebook import reading_html

        return reading_html(self.to_dict())


@dataclass(frozen=True, slots=True)
class Alternative(_Part):
    """Another reading of a token and its probability (0 to 1)."""

    text: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Token(_Part):
    """One letter, digit or word.

    Parameters
    ----------
    text : str
    start_s, end_s : float
        Seconds from the start of the source.
    confidence : float
        Calibrated probability that the token is right (0 to 1).
    alternatives : tuple of Alternative
        Likeliest first, without the token itself.
    """

    text: str
    start_s: float
    end_s: float
    confidence: float
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition(_Reading):
    """Everything read from one source. As a string it is its text.

    Parameters
    ----------
    source : str
        As the user named it.
    model : str
        Name of the bundle.
    task : str
        ``letters``, ``digits``, ``signs`` or ``spelling``.
    text : str
        The tokens, joined as the task requires; empty if nothing was signed.
    confidence : float
        Mean of the tokens' confidences; 0 without tokens.
    tokens : tuple of Token
    frames : int
        Frames read.
    fps : float
        Frames a second of the source; 0 for a photo.
    hand_rate : float
        Share of frames in which a hand was seen (0 to 1).
    elapsed_s : float
        Wall-clock seconds that reading took.
    warnings : tuple of str

    Examples
    --------
    >>> read = Recognition("hi.mp4", "letters", "letters", "HI", 0.9, fps=30.0)
    >>> print(read)
    HI
    >>> read.to_dict()["confidence"]
    0.9
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
class Failure(_Result):
    """A source that could not be read: the error's class name, message and hint."""

    source: str
    type: str
    message: str
    hint: str = ""

    @classmethod
    def of(cls, source: str, error: SignaryError) -> Failure:
        """Return what became of a source that raised an error."""
        return cls(source, type(error).__name__, error.message, error.hint)

    def to_dict(self) -> dict[str, Any]:
        """Return ``source`` and ``error``, which has ``type``, ``message`` and ``hint``."""
        return {"source": self.source, "error": {"type": self.type, "message": self.message, "hint": self.hint}}

    def __str__(self) -> str:
        said = self.message if self.source in self.message else f"{self.source}: {self.message}"
        return f"{said} ({self.hint})" if self.hint else said


@dataclass(frozen=True, slots=True)
class Event(_Reading):
    """A partial or final result of a stream. As a string it is its text.

    Parameters
    ----------
    text : str
        Partial: the text of the open segment, which may still change. Final: text that does not change any more.
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
