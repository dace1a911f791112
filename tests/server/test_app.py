"""The HTTP routes and the OpenAPI document."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as given_case
from PIL import Image
from starlette.testclient import TestClient
from talking import END, START, Serving, packet

import signary
from signary.landmarks.sequence import LandmarkSequence
from signary.recognition.recognizer import Recognizer
from signary.server.app import make_app
from signary.server.messages import Ready, parse_client
from signary.server.options import ServeOptions

HERE = "http://127.0.0.1:8000"


@pytest.fixture(scope="module")
def client(readers: dict[str, Recognizer]) -> Iterator[TestClient]:
    with TestClient(make_app(ServeOptions(), readers), base_url=HERE) as client:
        yield client


def test_health_and_models(client: TestClient) -> None:
    assert client.get("/api/health").json() == {
        "status": "ok",
        "version": signary.__version__,
        "sessions": 0,
        "limit": 8,
    }
    (model,) = client.get("/api/models").json()
    assert (model["name"], model["task"], model["labels"] > 20) == ("letters", "letters", True)
    assert model["score"].keys() == {"metric", "value", "worst", "sources", "data", "split", "n"}
    assert len(model["scores"]) > model["score"]["sources"] == 7


def test_all_models_of_the_package_are_served_letters_first() -> None:
    names = [model["name"] for model in TestClient(make_app(), base_url=HERE).get("/api/models").json()]
    assert names[0] == "letters"
    assert {"letters", "digits"} <= set(names)


def test_the_page_asks_nobody_else(client: TestClient) -> None:
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "http://" not in page.text and "https://" not in page.text and "//cdn" not in page.text


def test_metrics_count_sessions_and_frames(client: TestClient, clip: LandmarkSequence) -> None:
    with client.websocket_connect("ws://127.0.0.1:8000/api/live") as socket:
        socket.send_json(START)
        assert socket.receive_json()["type"] == "ready"
        assert "signary_sessions 1.0" in client.get("/metrics").text
        socket.send_bytes(packet(0, np.full_like(clip.points[0], np.nan)))
        assert socket.receive_json()["type"] == "frame"
        socket.send_json(END)
        assert socket.receive_json()["type"] == "closed"
    text = client.get("/metrics").text
    for line in (
        "signary_frames_received_total 1.0",
        "signary_frames_served_total 1.0",
        "signary_lag_seconds_count 1.0",
    ):
        assert line in text
    assert "signary_sessions 0.0" in text


def test_the_document_holds_every_route_and_message(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        *("/api/recognize", "/api/models", "/api/health", "/metrics", "/api/practice"),
        "/api/practice/letter/{letter}",
    }
    sides = document["x-websockets"]["/api/live"]
    names = [ref["$ref"].rpartition("/")[2] for ref in (*sides["client"], *sides["server"])]
    assert names == ["Start", "End", "Ready", "EventMessage", "FrameMessage", "ErrorMessage", "Closed"]
    assert set(names) <= set(document["components"]["schemas"])
    text = json.dumps(document)
    refs = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert refs <= set(document["components"]["schemas"])


def test_messages_carry_their_version() -> None:
    assert json.loads(Ready(model="m", task="letters", labels=[]).model_dump_json())["version"] == 1
    assert parse_client(json.dumps(START)).model == "letters"  # type: ignore[union-attr]


def test_the_avatar_shows_letters_and_words(client: TestClient) -> None:
    letter = client.get("/api/practice/letter/b?skin=9&hand=left")
    assert letter.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(letter.content)).format == "PNG"
    word = client.get("/api/practice?text=Hi")
    assert word.headers["content-type"] == "image/gif"
    assert Image.open(io.BytesIO(word.content)).n_frames > 10  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        *("/api/practice?text=", "/api/practice?text=%20", "/api/practice?text=%C3%89", "/api/practice"),
        *(f"/api/practice?text={'A' * 21}", "/api/practice?text=A&skin=11", "/api/practice?text=A&hand=both"),
        *("/api/practice/letter/AB", "/api/practice/letter/%2f", "/api/practice/letter/%F0%9F%91%8B"),
    ],
)
def test_what_the_avatar_cannot_show_is_refused(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code in (404, 422)
    assert answer.json()["error"]["message"]


ROUTES = [
    *("GET /api/health", "GET /api/models", "GET /metrics", "POST /api/recognize"),
    pytest.param("GET /api/practice", marks=pytest.mark.slow),
    "GET /api/practice/letter/{letter}",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("route", ROUTES)
def test_no_request_fails_inside(serve: Serving, route: str) -> None:
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    document = schemathesis.openapi.from_url(f"{serve().url}/openapi.json")
    method, path = route.split()
    operation = document[path][method]
    checks = [schemathesis.checks.not_a_server_error, schemathesis.checks.CHECKS.get_one("response_schema_conformance")]

    @settings(max_examples=15, derandomize=True, suppress_health_check=list(HealthCheck), database=None)
    @given_case(case=operation.as_strategy())
    def check(case) -> None:  # type: ignore[no-untyped-def]
        case.call_and_validate(checks=checks)

    check()
