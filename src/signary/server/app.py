"""The FastAPI app: its routes and error handlers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from inspect import signature
from pathlib import Path
from typing import Annotated, Any, Literal, cast

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, File, HTTPException, Query, Request, UploadFile, WebSocket
from fastapi import Path as InPath
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from pydantic.json_schema import models_json_schema
from starlette.exceptions import HTTPException as AnyHTTPException

import signary
from signary.bundles.bundle import bundle_names, describe_bundle
from signary.errors import ModelNotFound, SignaryError
from signary.recognition.load import load
from signary.recognition.recognizer import Recognizer
from signary.server import practice
from signary.server.guard import Guard, refusal
from signary.server.messages import (
    SERVER_MESSAGES,
    Context,
    End,
    ErrorReply,
    Hand,
    HealthReply,
    ModelReply,
    RecognitionReply,
    Start,
    wrong_fields,
)
from signary.server.metrics import Metrics
from signary.server.options import ServeOptions
from signary.server.sessions import Sessions
from signary.server.uploads import Busy, Uploads, client_name

BROWSER = Path(signary.__file__).with_name("browser")
REFS = "#/components/schemas/{model}"
UNREADABLE = {
    400: {"model": ErrorReply, "description": "The request is no form"},
    413: {"model": ErrorReply, "description": "Too large"},
    422: {"model": ErrorReply, "description": "A value is wrong, or the file cannot be read"},
}
WRONG_VALUE: dict[int | str, dict[str, Any]] = {422: {"model": ErrorReply, "description": "A value is wrong"}}

Skin = Annotated[int, Query(ge=1, le=10, description="Of the Monk Skin Tone scale.")]
Side = Literal["right", "left"]
SHORT = r"^[A-Za-z0-9]([A-Za-z0-9 ]{0,18}[A-Za-z0-9])?$"


def make_app(options: ServeOptions | None = None, readers: Mapping[str, Recognizer] | None = None) -> FastAPI:
    """Make the server's app.

    Parameters
    ----------
    options : ServeOptions, optional
    readers : mapping of name to Recognizer, optional
        Models, the default first; by default ``options.models`` are loaded.

    Raises
    ------
    ModelNotFound, BundleError
        If a model cannot be loaded.
    """
    options = options or ServeOptions()
    readers = readers or _load(options.models)
    metrics, uploads = Metrics(), Uploads(options)
    sessions = Sessions(readers, options, metrics)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        uploads.close()
        sessions.close()
        for reader in readers.values():
            reader.close()

    refused = {403: {"model": ErrorReply, "description": "Not from here, or without the token"}}
    app = FastAPI(
        title="Signary",
        version=signary.__version__,
        summary="Reads sign language, on this machine only.",
        lifespan=lifespan,
        docs_url=None,  # loads scripts from another site
        redoc_url=None,
        responses=cast(dict[int | str, dict[str, Any]], refused),
        **_untold(),
    )
    app.add_middleware(Guard, options=options)
    _add_errors(app)
    _add_live(app, sessions, metrics)
    _add_recognize(app, readers, uploads, metrics)
    _add_practice(app)
    _add_page(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _untold() -> dict[str, Any]:
    """Return options that stop newer versions of FastAPI from sending telemetry."""
    return {"telemetry": {"auto_configure": False}} if "telemetry" in signature(FastAPI).parameters else {}


def _load(models: tuple[str, ...]) -> dict[str, Recognizer]:
    names = models or tuple(sorted(bundle_names(), key=lambda name: (name != "letters", name)))
    found = (load(name, threads=1) for name in names)  # the cores are shared by the sessions
    return {reader.name: reader for reader in found}


def _add_live(app: FastAPI, sessions: Sessions, metrics: Metrics) -> None:
    models = [describe_bundle(reader.bundle) for reader in sessions.readers.values()]

    @app.websocket("/api/live")
    async def live(socket: WebSocket) -> None:
        await sessions.serve(socket)

    @app.get("/api/models", response_model=list[ModelReply], summary="The models that can be asked for")
    async def list_models() -> Any:
        return models

    @app.get("/api/health", summary="Whether the server works")
    async def health() -> HealthReply:
        return HealthReply(version=signary.__version__, sessions=sessions.open, limit=sessions.options.limit)

    text = {200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus' text format"}}

    @app.get("/metrics", response_class=Response, responses=cast(Any, text), summary="Counters")
    async def show_metrics() -> Response:
        return Response(metrics.text(), media_type=metrics.content_type)


def _add_recognize(app: FastAPI, readers: Mapping[str, Recognizer], uploads: Uploads, metrics: Metrics) -> None:
    more = {
        404: {"model": ErrorReply, "description": "No such model"},
        503: {"model": ErrorReply, "description": "Busy"},
    }

    @app.post(
        "/api/recognize",
        response_model=RecognitionReply,
        responses=cast(Any, UNREADABLE | more),
        summary="Read a photo, a video or a landmark file",
    )
    async def recognize(
        request: Request,
        file: Annotated[UploadFile, File()],
        model: str = next(iter(readers)),
        mirrored: bool = False,
        hand: Hand = "auto",
        context: Context = "none",
        fps: Annotated[float | None, Query(gt=0, le=1000, description="Of landmark files that do not say.")] = None,
    ) -> Any:
        name, how = client_name(file.filename), {"mirrored": mirrored, "hand": hand, "context": context, "fps": fps}
        try:
            if model not in readers:
                raise ModelNotFound.named(model, readers)
            result = await uploads.read(readers[model], file.file, name, request.is_disconnected, **how)
        except SignaryError as error:
            kind = type(error).__name__
            metrics.errors.labels(kind).inc()
            status = 404 if isinstance(error, ModelNotFound) else 503 if isinstance(error, Busy) else 422
            return JSONResponse(refusal(error.message, error.hint, type=kind, source=name), status)
        metrics.uploads.inc()
        return result.to_dict()


def _add_practice(app: FastAPI) -> None:
    one_at_a_time = CapacityLimiter(1)

    def shows(media: str) -> Any:
        schema = {"schema": {"type": "string", "format": "binary"}}
        return {200: {"content": {media: schema}, "description": "The picture"}} | WRONG_VALUE

    @app.get("/api/practice", response_class=Response, responses=shows("image/gif"), summary="The avatar spells")
    async def spelled(
        text: Annotated[str, Query(pattern=SHORT, max_length=20)], skin: Skin = 6, hand: Side = "right"
    ) -> Response:
        work = practice.spelled_clip
        picture = await to_thread.run_sync(work, text.upper(), skin, hand, limiter=one_at_a_time)
        return Response(picture, media_type="image/gif")

    @app.get(
        "/api/practice/letter/{letter}",
        response_class=Response,
        responses=shows("image/png"),
        summary="The avatar shows a handshape",
    )
    async def shown(
        letter: Annotated[str, InPath(pattern="^[A-Za-z0-9]$")], skin: Skin = 6, hand: Side = "right"
    ) -> Response:
        work = practice.letter_picture
        picture = await to_thread.run_sync(work, letter.upper(), skin, hand, limiter=one_at_a_time)
        return Response(picture, media_type="image/png")


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(BROWSER / "served" / "index.html")

    for folder in ("parts", "served"):
        app.mount(f"/static/{folder}", StaticFiles(directory=BROWSER / folder), name=folder)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def wrong(_: Request, error: RequestValidationError) -> Response:
        return JSONResponse(refusal(wrong_fields(error.errors()), "see /openapi.json", type="InputError"), 422)

    @app.exception_handler(AnyHTTPException)
    async def refused(_: Request, error: HTTPException) -> Response:
        return JSONResponse(refusal(str(error.detail)), error.status_code, error.headers)

    @app.exception_handler(SignaryError)
    async def unfit(_: Request, error: SignaryError) -> Response:
        return JSONResponse(refusal(error.message, error.hint, type=type(error).__name__), 422)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document, with the live messages under ``x-websockets``."""
    if app.openapi_schema is None:
        document = get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes)
        client = (Start, End)
        sides = [(model, "validation") for model in client] + [(model, "serialization") for model in SERVER_MESSAGES]
        _, found = models_json_schema(cast(Any, sides), ref_template=REFS)
        document["components"]["schemas"] |= found["$defs"]
        document["x-websockets"] = {
            "/api/live": {
                "client": [{"$ref": REFS.format(model=model.__name__)} for model in client],
                "clientBinary": "float64 seconds, little-endian; then a JPEG or float32 (543, 3), little-endian",
                "server": [{"$ref": REFS.format(model=model.__name__)} for model in SERVER_MESSAGES],
            }
        }
        app.openapi_schema = document
    return app.openapi_schema
