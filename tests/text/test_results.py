"""What results can do by themselves, and results and streams written into one file."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

import signary
from signary.errors import InputError
from signary.text.recognition import Alternative, Event, Failure, Recognition, Token
from signary.text.write import FORMATS, Result, format_results, write_results

K = Token("K", 0.4, 1.23456, 0.912345, (Alternative("V", 0.05), Alternative("P", 0.0123456)))
CLIP = Recognition("a.mp4", "letters", "letters", "K", 0.85, (K,), 60, 29.97003, 2 / 3, 0.123456, ("dark <b>",))
EMPTY = Recognition("wall.jpg", "letters", "letters", "", 0.0, frames=1)
FAILED = Failure("x.jpg", "InputError", "x.jpg: no picture", "save it again")
FIRST, SECOND = Token("H", 0.0, 0.5, 0.9), Token("I", 1.0, 1.5, 0.8)
PARTIAL = Event("HX", False, (FIRST, Token("X", 0.6, 0.9, 0.4)), 0.0, 0.9, 0.65)
STREAM = [PARTIAL, Event("H", True, (FIRST,), 0.0, 0.5, 0.9), PARTIAL, Event("I", True, (SECOND,), 1.0, 1.5, 0.8)]
ENDINGS = tuple(FORMATS.values())


def stream() -> Iterator[Event]:
    yield from STREAM


def tiers(path: Path) -> list[tuple[str, list[str]]]:
    document = ElementTree.parse(path).getroot()
    values = "ANNOTATION/ALIGNABLE_ANNOTATION/ANNOTATION_VALUE"
    return [
        (tier.get("TIER_ID", ""), [value.text or "" for value in tier.findall(values)])
        for tier in document.iter("TIER")
    ]


class Page(HTMLParser):
    """Text, titles and tags of HTML, and what is left open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.titles, self.tags, self.open = "", [], set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.titles += [value for name, value in attrs if name == "title"]
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_an_event_as_a_dict() -> None:
    said = STREAM[1].to_dict()
    assert said == {
        "text": "H",
        "final": True,
        "start_s": 0.0,
        "end_s": 0.5,
        "confidence": 0.9,
        "tokens": [{"text": "H", "start_s": 0.0, "end_s": 0.5, "confidence": 0.9, "alternatives": []}],
    }
    assert list(said) == ["text", "final", "start_s", "end_s", "confidence", "tokens"]


def test_parts_as_dicts() -> None:
    alternatives = [{"text": "V", "confidence": 0.05}, {"text": "P", "confidence": 0.0123}]
    assert K.to_dict() == {
        "text": "K", "start_s": 0.4, "end_s": 1.235, "confidence": 0.9123, "alternatives": alternatives,
    }  # fmt: skip
    assert K.alternatives[1].to_dict() == alternatives[1]
    assert CLIP.to_dict()["tokens"] == [K.to_dict()]
    error = {"type": "InputError", "message": "x.jpg: no picture", "hint": "save it again"}
    assert FAILED.to_dict() == {"source": "x.jpg", "error": error}


@pytest.mark.parametrize("result", [CLIP, EMPTY, FAILED, *STREAM])
def test_json_is_the_dict(result: Result) -> None:
    assert json.loads(result.to_json()) == result.to_dict()
    assert result.to_json() + "\n" == format_results([result], "json")
    assert result.to_json(indent=None) + "\n" == format_results([result], "jsonl")
    assert result.to_json(4).splitlines()[1].startswith('    "')


def test_a_result_is_its_text() -> None:
    assert [str(result) for result in (CLIP, EMPTY, PARTIAL)] == ["K", "", "HX"]
    assert str(FAILED) == "x.jpg: no picture (save it again)"
    assert str(Failure("a.mp4", "BundleError", "no model")) == "a.mp4: no model"


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("result", [CLIP, EMPTY, STREAM[1]])
def test_saved_by_its_ending(tmp_path: Path, result: Recognition | Event, ending: str) -> None:
    path = tmp_path / "new" / "folders" / f"read{ending.upper()}"
    assert result.save(str(path)) == path
    format = {ending: name for name, ending in FORMATS.items()}[ending]
    if format != "eaf":  # it holds the time at which it was written
        assert path.read_bytes().decode() == format_results([result], format)
    with pytest.raises(InputError, match="exists already"):
        result.save(path)
    assert result.save(path, force=True) == path
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["read.docx", "read", "srt", "read.srt.gz"])
def test_an_unknown_ending_lists_the_known(tmp_path: Path, name: str) -> None:
    for call in (lambda path: CLIP.save(path), lambda path: write_results([CLIP], path)):
        with pytest.raises(InputError, match=r"\.txt, \.json, \.jsonl, \.csv, \.srt, \.vtt, \.eaf"):
            call(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_stream_is_one_subtitle_track(tmp_path: Path) -> None:
    assert signary.write_results(stream(), tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:00,500\nH\n\n2\n00:00:01,000 --> 00:00:01,500\nI\n"
    )
    assert write_results(stream(), tmp_path / "a.vtt").read_text() == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nH\n\n00:00:01.000 --> 00:00:01.500\nI\n"
    )
    assert tiers(write_results(stream(), tmp_path / "a.eaf")) == [("stream", ["H", "I"])]


def test_partial_events_are_in_json_alone(tmp_path: Path) -> None:
    assert json.loads(write_results(stream(), tmp_path / "a.json").read_text()) == [one.to_dict() for one in STREAM]
    lines = write_results(stream(), tmp_path / "a.jsonl").read_text().splitlines()
    assert [json.loads(line)["final"] for line in lines] == [False, True, False, True]
    assert write_results(stream(), tmp_path / "a.txt").read_text() == "H\nI\n"
    with write_results(stream(), tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["source"], row["text"], row["start_s"], row["model"]) for row in rows] == [
        ("", "H", "0.0", ""), ("", "I", "1.0", ""),
    ]  # fmt: skip
    assert [PARTIAL.save(tmp_path / f"p{ending}").read_text() for ending in (".txt", ".srt")] == ["", ""]


def test_readings_between_events_are_named_and_part_them(tmp_path: Path) -> None:
    mixed = [*STREAM[:2], CLIP, FAILED, *STREAM[2:]]
    assert format_results(mixed, "text") == "H\na.mp4: K\nI\n"
    assert [line for line in format_results(mixed, "srt").splitlines() if line and line[0] not in "0123"] == [
        "H", "a.mp4: K", "I",
    ]  # fmt: skip
    assert format_results(mixed, "vtt").count("NOTE") == 1
    assert tiers(write_results(mixed, tmp_path / "a.eaf")) == [
        ("stream", ["H"]), ("letters: a.mp4", ["K"]), ("stream (2)", ["I"]),
    ]  # fmt: skip


def test_an_event_without_tokens_is_its_own() -> None:
    bare = [Event("hello", True, (), 0.5, 1.0, 0.7), Event("you", True, (), 2.0, 2.5, 0.9)]
    assert format_results(bare, "srt") == (
        "1\n00:00:00,500 --> 00:00:01,000\nhello\n\n2\n00:00:02,000 --> 00:00:02,500\nyou\n"
    )
    assert format_results(bare, "csv").splitlines()[1] == ",hello,0.5,1.0,0.7,,,,"


TOKENS = st.lists(st.builds(lambda text, start: Token(text, start, start + 1, 0.5), st.text(), st.floats(0, 99)))


@given(TOKENS)
@pytest.mark.parametrize("format", ["srt", "vtt"])
def test_a_stream_has_the_cues_of_the_whole(format: str, tokens: list[Token]) -> None:
    whole = Recognition("a.mp4", "letters", "letters", "", 0.5, tuple(tokens), fps=25.0)
    events = [Event(token.text, True, (token,), token.start_s, token.end_s, 0.5) for token in tokens]
    assert format_results(events, format) == format_results([whole], format)


def test_one_result_and_none(tmp_path: Path) -> None:
    assert write_results(CLIP, tmp_path / "one.txt").read_text() == "K\n"
    assert json.loads(write_results(FAILED, tmp_path / "one.json").read_text()) == FAILED.to_dict()
    assert write_results(STREAM[1], tmp_path / "event.txt").read_text() == "H\n"
    assert write_results([], tmp_path / "none.vtt").read_text() == "WEBVTT\n"
    assert json.loads(write_results(iter(()), tmp_path / "none.json").read_text()) == []


def test_the_format_may_be_given(tmp_path: Path) -> None:
    assert write_results((CLIP, EMPTY), tmp_path / "read", format="jsonl").read_text().count("\n") == 2
    assert write_results([CLIP], tmp_path / "read.json", format="text").read_text() == "K\n"
    with pytest.raises(InputError, match="'docx': no such format"):
        write_results([CLIP], tmp_path / "read.srt", format="docx")


@pytest.mark.parametrize(
    ("results", "type"),
    [([CLIP, "K"], "str"), ("K", "str"), (None, "NoneType"), ([CLIP.to_dict()], "dict"), (K, "Token")],
)
@pytest.mark.parametrize("ending", ENDINGS)
def test_anything_else_is_refused_by_its_type(tmp_path: Path, results: object, type: str, ending: str) -> None:
    with pytest.raises(InputError, match=f"^{type}: is no Recognition, Failure or Event"):
        write_results(results, tmp_path / "sub" / f"read{ending}")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_stream_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[Event]:
        yield STREAM[1]
        raise ConnectionError("gone")

    with pytest.raises(ConnectionError, match="gone"):
        write_results(broken(), tmp_path / "a.srt")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_read_for_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "a.srt").write_text("mine")
    read = stream()
    for path in (tmp_path / "a.srt", tmp_path / "a.docx", tmp_path):
        with pytest.raises(InputError):
            write_results(read, path)
    assert next(read) is PARTIAL
    assert (tmp_path / "a.srt").read_text() == "mine"


def test_eaf_names_an_address_without_its_password(tmp_path: Path) -> None:
    live = Recognition("rtsp://ann:pw@cam:554/a.mp4", "letters", "letters", "K", 0.9, (K,), fps=25.0)
    web = Recognition("http://host/a/clip.webm?x=1", "letters", "letters", "K", 0.9, (K,), fps=25.0)
    path = write_results([live, web], tmp_path / "a.eaf")
    assert "pw" not in path.read_text()
    media = list(ElementTree.parse(path).getroot().iter("MEDIA_DESCRIPTOR"))
    assert [(one.get("MEDIA_URL"), one.get("MIME_TYPE")) for one in media] == [
        ("rtsp://ann:***@cam:554/a.mp4", "video/mp4"), ("http://host/a/clip.webm?x=1", "video/webm"),
    ]  # fmt: skip
    assert [name for name, _ in tiers(path)] == [
        "letters: rtsp://ann:***@cam:554/a.mp4", "letters: http://host/a/clip.webm?x=1",
    ]  # fmt: skip


def test_a_notebook_shows_text_times_confidence_and_warnings() -> None:
    page = Page(CLIP._repr_html_())
    assert page.text.startswith("KK0.40-1.24 s91%")
    assert page.titles == ["or V 5%, P 1%"]
    assert page.text.endswith("a.mp4 · letters · confidence 85% · 60 frames, 29.97 a second · hand seen in 67%"
                              "Warning: dark <b>")  # fmt: skip
    assert "Nothing was read." in Page(EMPTY._repr_html_()).text
    assert "partial" in Page(PARTIAL._repr_html_()).text
    assert "partial" not in Page(STREAM[1]._repr_html_()).text


@given(st.text(min_size=1), st.text(), st.floats(allow_nan=True))
def test_what_a_notebook_shows_is_escaped(text: str, source: str, number: float) -> None:
    token = Token(text, number, number, number, (Alternative(text, number),))
    for result in (
        Recognition(source, text, source, text, number, (token,), 3, abs(number), 0.5, warnings=(source, text)),
        Event(text, True, (token,), number, number, number),
    ):
        html = result._repr_html_()
        page = Page(html)
        assert page.open == []
        assert page.tags <= {"div", "br"}
        assert html.encode("utf-8")
        assert "http" not in html.replace(source, "").replace(text, "")
