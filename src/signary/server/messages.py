"""The messages of a live session, version 1, and the replies of the other routes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from signary.bundles.manifest import Score
from signary.errors import InputError, SignaryError
from signary.text.recognition import Event

NORMAL, WRONG_DATA, REFUSED, TOO_LARGE, FAILURE, WRONG_MESSAGE, IDLE = 1000, 1003, 1008, 1009, 1011, 4400, 4408

Hand = Literal["auto", "left", "right"]
Context = Literal["none", "words"]
Share = Annotated[float, Field(ge=0, le=1)]
Spot = tuple[float, float]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Message(_Strict):
    version: Literal[1] = 1


class Start(_Message):
    """From the client, first: the model and the kind of input."""

    version: Literal[1]
    type: Literal["start"]
    model: str
    input: Literal["jpeg", "landmarks"] = "jpeg"
    mirrored: bool = False
    hand: Hand = "auto"
    aspect: Annotated[float, Field(gt=0, lt=100, description="Width / height; landmarks only.")] | None = None


class End(_Message):
    """From the client, last: open text becomes final."""

    version: Literal[1]
    type: Literal["end"]


ClientMessage = Annotated[Start | End, Field(discriminator="type")]
_CLIENT: TypeAdapter[Start | End] = TypeAdapter(ClientMessage)


class AlternativeReply(_Strict):
    """Another reading of a token."""

    text: str
    confidence: Share | None


class TokenReply(_Strict):
    """One letter, digit or sign."""

    text: str
    start_s: float | None
    end_s: float | None
    confidence: Share | None
    alternatives: list[AlternativeReply] = []


class Ready(_Message):
    """From the server: frames may come."""

    type: Literal["ready"] = "ready"
    model: str
    task: str
    labels: list[str]


class EventMessage(_Message):
    """From the server: text. A partial event is all of the open text and replaces the last one; a final one stays."""

    type: Literal["event"] = "event"
    text: str
    final: bool
    start_s: float | None
    end_s: float | None
    confidence: Share | None
    tokens: list[TokenReply]


class FrameMessage(_Message):
    """From the server, after each frame that was read: where the hands are, and how far behind it is."""

    type: Literal["frame"] = "frame"
    time_s: float
    lag_ms: float
    hands: list[list[Spot]]
    body: list[Spot] | None
    received: int
    served: int
    dropped: int
    fps: float


class ErrorMessage(_Message):
    """From the server: something sent could not be used. Unless a close follows, the session goes on."""

    type: Literal["error"] = "error"
    error: str
    message: str
    hint: str = ""


class Closed(_Message):
    """From the server, last."""

    type: Literal["closed"] = "closed"
    reason: str


class RecognitionReply(_Strict):
    """What was read from one file, as ``signary recognize --format json`` has it."""

    source: str
    model: str
    task: str
    text: str
    confidence: Share | None
    tokens: list[TokenReply]
    frames: int
    fps: float | None
    hand_rate: Share | None
    elapsed_s: float | None
    warnings: list[str]


class ScoreReply(_Strict):
    """The figure to compare models by: the mean of the scores of sources that were left out, or the first score."""

    metric: str
    value: float
    worst: float | None
    sources: int
    data: str
    split: str
    n: int | None


class ModelReply(_Strict):
    """One model."""

    name: str
    version: str
    task: str
    labels: int
    parameters: int
    size_mb: float
    licence: str
    score: ScoreReply | None
    scores: list[Score]


class HealthReply(_Strict):
    """How the server is."""

    status: Literal["ok"] = "ok"
    version: str
    sessions: int
    limit: int


class ErrorDetail(_Strict):
    """Why a request was refused."""

    type: str
    message: str
    hint: str = ""


class ErrorReply(_Strict):
    """A request that was refused, or a file (``source``) that could not be read."""

    source: str | None = None
    error: ErrorDetail


SERVER_MESSAGES: tuple[type[BaseModel], ...] = (Ready, EventMessage, FrameMessage, ErrorMessage, Closed)


def parse_client(text: str) -> Start | End:
    """Parse a client's text message; raise `InputError` if it is not one of version 1."""
    try:
        return _CLIENT.validate_json(text)
    except ValidationError as error:
        raise InputError(f"message: {wrong_fields(error.errors())}", hint="see /openapi.json") from None


def wrong_fields(errors: Sequence[Any]) -> str:
    """Return one line with the wrong fields and the reasons."""
    return "; ".join(": ".join(filter(None, (".".join(map(str, error["loc"])), error["msg"]))) for error in errors)


def event_message(event: Event) -> EventMessage:
    """Return the message of an event."""
    return EventMessage(**event.to_dict())


def error_message(error: SignaryError) -> ErrorMessage:
    """Return the message of an error."""
    return ErrorMessage(error=type(error).__name__, message=error.message, hint=error.hint)
