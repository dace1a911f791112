"""The output formats, read back by parsers that are not ours."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.text.recognition import Alternative, Failure, Recognition, Token
from signary.text.write import FORMATS, format_results, output_paths, to_dict, write_result

CLIP = Recognition(
    source="a & b.mp4",
    model="letters",
    task="letters",
    text="K<",
    confidence=0.85,
    tokens=(
        Token("K", 0.4, 1.23456, 0.912345, (Alternative("V", 0.05), Alternative("P", 0.0123456))),
        Token("<", 1.5, 3725.5, 0.8),
    ),
    frames=60,
    fps=29.97003,
    hand_rate=2 / 3,
    elapsed_s=0.123456,
    warnings=("dark",),
)
PHOTO = Recognition("B/1.jpg", "letters", "letters", "B", 0.9, (Token("B", 0.0, 0.0, 0.9),), frames=1)
SILENT = Recognition("wall.mp4", "digits", "digits", "", 0.0, frames=10, fps=25.0)
FAILED = Failure("x.jpg", "InputError", "x.jpg: no picture", "save it again")
ALL = [CLIP, PHOTO, SILENT, FAILED]

SRT_CUE = re.compile(r"(\d+)\n(\d+:\d\d:\d\d,\d{3}) --> (\d+:\d\d:\d\d,\d{3})\n(.*)\n(?:\n|\Z)")
TOKENS = st.lists(
    st.builds(
        lambda text, start, length: Token(text, start, start + length, 0.5),
        st.text(min_size=1, max_size=4),
        st.floats(0, 4000),
        st.one_of(st.just(0.0), st.floats(0, 50)),
    ),
    max_size=12,
)


def seconds(clock: str) -> float:
    hours, minutes, rest = clock.replace(",", ".").split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def read_srt(text: str) -> list[tuple[float, float, str]]:
    cues = SRT_CUE.findall(text)
    assert [int(cue[0]) for cue in cues] == list(range(1, len(cues) + 1))
    assert SRT_CUE.sub("", text) == ""
    return [(seconds(start), seconds(end), said) for _, start, end, said in cues]


def with_tokens(*tokens: Token, fps: float = 25.0) -> Recognition:
    return Recognition("clip.mp4", "letters", "letters", "".join(token.text for token in tokens), 0.5, tokens, fps=fps)


def test_to_dict_has_exactly_the_documented_keys() -> None:
    assert to_dict(CLIP) == {
        "source": "a & b.mp4",
        "model": "letters",
        "task": "letters",
        "text": "K<",
        "confidence": 0.85,
        "tokens": [
            {
                "text": "K",
                "start_s": 0.4,
                "end_s": 1.235,
                "confidence": 0.9123,
                "alternatives": [{"text": "V", "confidence": 0.05}, {"text": "P", "confidence": 0.0123}],
            },
            {"text": "<", "start_s": 1.5, "end_s": 3725.5, "confidence": 0.8, "alternatives": []},
        ],
        "frames": 60,
        "fps": 29.97,
        "hand_rate": 0.6667,
        "elapsed_s": 0.123,
        "warnings": ["dark"],
    }
    error = {"type": "InputError", "message": "x.jpg: no picture", "hint": "save it again"}
    assert to_dict(FAILED) == {"source": "x.jpg", "error": error}


def test_json_is_an_object_for_one_and_an_array_for_several() -> None:
    assert json.loads(format_results([CLIP], "json")) == to_dict(CLIP)
    assert json.loads(format_results([FAILED], "json")) == to_dict(FAILED)
    assert json.loads(format_results(ALL, "json")) == [to_dict(result) for result in ALL]
    assert json.loads(format_results([], "json")) == []


def test_json_has_no_nan() -> None:
    broken = Recognition("a", "letters", "letters", "", math.nan, fps=math.inf)
    read = json.loads(format_results([broken], "json"), parse_constant=pytest.fail)
    assert (read["confidence"], read["fps"]) == (None, None)


def test_jsonl_is_one_object_a_line() -> None:
    text = format_results(ALL, "jsonl")
    assert [json.loads(line) for line in text.splitlines()] == [to_dict(result) for result in ALL]
    assert format_results([], "jsonl") == ""


def test_a_name_that_is_not_utf8_can_be_written_and_read_back() -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    failed = Failure(name, "InputError", f"{name}: no picture")
    for result in (failed, Recognition(name, "letters", "letters", "é", 0.0, (Token("é", 0, 1, 0.5),))):
        for format in FORMATS:
            assert format_results([result, result], format).encode("utf-8") is not None
        assert json.loads(format_results([result], "json"))["source"] == name


def test_text_alone_for_one_and_named_for_several() -> None:
    assert format_results([CLIP], "text") == "K<\n"
    assert format_results([SILENT], "text") == "\n"
    assert format_results(ALL, "text") == "a & b.mp4: K<\nB/1.jpg: B\nwall.mp4: \n"
    assert format_results([PHOTO, FAILED], "text") == "B/1.jpg: B\n"
    assert format_results([FAILED], "text") == ""


def test_csv_has_a_row_a_token_and_one_for_every_source_without() -> None:
    rows = list(csv.DictReader(io.StringIO(format_results(ALL, "csv"))))
    assert [row["source"] for row in rows] == ["a & b.mp4", "a & b.mp4", "B/1.jpg", "wall.mp4", "x.jpg"]
    assert rows[0] == {
        "source": "a & b.mp4",
        "text": "K",
        "start_s": "0.4",
        "end_s": "1.235",
        "confidence": "0.9123",
        "alternatives": "V=0.0500 P=0.0123",
        "task": "letters",
        "model": "letters",
        "error": "",
    }
    assert (rows[3]["text"], rows[3]["start_s"], rows[3]["task"]) == ("", "", "digits")
    assert rows[4]["error"] == "InputError: x.jpg: no picture"
    assert next(csv.reader(io.StringIO(format_results([], "csv"))))[:5] == [
        "source", "text", "start_s", "end_s", "confidence",
    ]  # fmt: skip


def test_csv_quotes_what_needs_it() -> None:
    odd = Recognition('a,"b"\n.mp4', "letters", "letters", ",", 0.5, (Token(",", 0, 1, 0.5),))
    (row,) = csv.DictReader(io.StringIO(format_results([odd], "csv")))
    assert (row["source"], row["text"]) == ('a,"b"\n.mp4', ",")


def test_srt_of_one_source() -> None:
    assert format_results([CLIP], "srt") == (
        "1\n00:00:00,400 --> 00:00:01,235\nK\n\n2\n00:00:01,500 --> 01:02:05,500\n<\n"
    )
    assert format_results([SILENT], "srt") == ""


def test_a_photo_is_shown_for_a_second() -> None:
    assert read_srt(format_results([PHOTO], "srt")) == [(0.0, 1.0, "B")]
    two_hands = with_tokens(Token("A", 0, 0, 0.9), Token("B", 0, 0, 0.9), fps=0.0)
    assert read_srt(format_results([two_hands], "srt")) == [(0.0, 1.0, "A"), (1.0, 2.0, "B")]


def test_cues_are_sorted_never_empty_and_never_overlap() -> None:
    mixed = with_tokens(Token("C", 2, 2, 0.9), Token("A", 0, 1.5, 0.9), Token("B", 1, 2.5, 0.9), Token("D", 2, 3, 0.9))
    assert read_srt(format_results([mixed], "srt")) == [
        (0.0, 1.0, "A"), (1.0, 2.0, "B"), (2.0, 2.001, "C"), (2.001, 3.0, "D"),
    ]  # fmt: skip


@given(TOKENS, st.sampled_from([0.0, 25.0]))
def test_srt_read_back(tokens: list[Token], fps: float) -> None:
    cues = read_srt(format_results([with_tokens(*tokens, fps=fps)], "srt"))
    assert len(cues) == sum(bool(token.text.strip()) for token in tokens)
    previous = 0.0
    for start, end, _ in cues:
        assert previous <= start < end
        previous = end


def test_srt_of_several_is_numbered_on_and_names_the_source() -> None:
    assert read_srt(format_results(ALL, "srt")) == [
        (0.4, 1.235, "a & b.mp4: K"), (1.5, 3725.5, "a & b.mp4: <"), (0.0, 1.0, "B/1.jpg: B"),
    ]  # fmt: skip


def test_vtt() -> None:
    assert format_results([CLIP], "vtt") == (
        "WEBVTT\n\n00:00:00.400 --> 00:00:01.235\nK\n\n00:00:01.500 --> 01:02:05.500\n&lt;\n"
    )
    assert format_results([SILENT], "vtt") == "WEBVTT\n"
    blocks = format_results([CLIP, PHOTO, SILENT], "vtt").split("\n\n")
    assert [block.strip() for block in blocks if block.startswith("NOTE")] == [
        "NOTE a & b.mp4", "NOTE B/1.jpg", "NOTE wall.mp4",
    ]  # fmt: skip


@given(st.text(), st.text(min_size=1))
def test_vtt_says_arrow_only_between_times(source: str, text: str) -> None:
    reading = Recognition(source + "-->", "letters", "letters", text, 0.5, (Token(text + "-->", 0, 1, 0.5),))
    lines = format_results([reading, reading], "vtt").split("\n")
    assert [line for line in lines if "-->" in line] == ["00:00:00.000 --> 00:00:01.000"] * 2


def read_eaf(text: str) -> ElementTree.Element:
    """Parse an EAF document and check it against the rules of EAFv3.0.xsd that it touches."""
    document = ElementTree.fromstring(text.encode("utf-8"))
    assert document.tag == "ANNOTATION_DOCUMENT"
    assert {"AUTHOR", "DATE", "VERSION"} <= set(document.keys())
    assert document.get("FORMAT") == "3.0"
    assert datetime.fromisoformat(document.get("DATE", "")).tzinfo
    order = ["HEADER", "TIME_ORDER", "TIER", "LINGUISTIC_TYPE"]
    tags = [child.tag for child in document]
    assert tags == sorted(tags, key=order.index)
    assert tags.count("HEADER") == tags.count("TIME_ORDER") == 1
    header = [child.tag for child in document[0]]
    assert header == sorted(header, key=["MEDIA_DESCRIPTOR", "PROPERTY"].index)
    assert all({"MEDIA_URL", "MIME_TYPE"} <= set(media.keys()) for media in document.iter("MEDIA_DESCRIPTOR"))
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "")) for slot in document.iter("TIME_SLOT")}
    assert len(slots) == len(list(document.iter("TIME_SLOT")))
    assert list(slots.values()) == sorted(slots.values())
    assert all(value >= 0 for value in slots.values())
    kinds = {kind.get("LINGUISTIC_TYPE_ID") for kind in document.iter("LINGUISTIC_TYPE")}
    names = [tier.get("TIER_ID") for tier in document.iter("TIER")]
    assert len(set(names)) == len(names)
    ids = [note.get("ANNOTATION_ID") for note in document.iter("ALIGNABLE_ANNOTATION")]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", name or "") for name in [*ids, *slots])
    for tier in document.iter("TIER"):
        assert tier.get("LINGUISTIC_TYPE_REF") in kinds
        last = 0
        for note in tier.iter("ALIGNABLE_ANNOTATION"):
            start, end = slots[note.get("TIME_SLOT_REF1")], slots[note.get("TIME_SLOT_REF2")]
            assert last <= start < end
            last = end
    return document


def values(document: ElementTree.Element) -> list[str | None]:
    return [value.text for value in document.iter("ANNOTATION_VALUE")]


def test_eaf_of_one_source() -> None:
    document = read_eaf(format_results([CLIP], "eaf"))
    assert [tier.get("TIER_ID") for tier in document.iter("TIER")] == ["letters"]
    assert values(document) == ["K", "<"]
    assert [slot.get("TIME_VALUE") for slot in document.iter("TIME_SLOT")] == ["400", "1235", "1500", "3725500"]
    (media,) = document.iter("MEDIA_DESCRIPTOR")
    assert unquote(urlsplit(media.get("MEDIA_URL", "")).path) == str(Path("a & b.mp4").absolute())
    assert media.get("MIME_TYPE") == "video/mp4"
    assert [item.text for item in document.iter("PROPERTY")] == ["a & b.mp4", "2"]


def test_eaf_of_several_has_a_tier_each() -> None:
    document = read_eaf(format_results([*ALL, CLIP], "eaf"))
    assert [tier.get("TIER_ID") for tier in document.iter("TIER")] == [
        "letters: a & b.mp4", "letters: B/1.jpg", "digits: wall.mp4", "letters: a & b.mp4 (2)",
    ]  # fmt: skip
    assert len(list(document.iter("MEDIA_DESCRIPTOR"))) == 3
    assert values(document) == ["K", "<", "B", "K", "<"]


def test_eaf_of_nothing_and_of_a_camera() -> None:
    assert values(read_eaf(format_results([SILENT], "eaf"))) == []
    read_eaf(format_results([], "eaf"))
    live = Recognition("camera 0", "letters", "letters", "A", 0.5, (Token("A", 0, 1, 0.5),))
    assert not list(read_eaf(format_results([live], "eaf")).iter("MEDIA_DESCRIPTOR"))


@given(st.text(), TOKENS)
def test_eaf_is_well_formed_whatever_is_said(source: str, tokens: list[Token]) -> None:
    reading = Recognition(source, "spelling", "spelling", "", 0.5, tuple(tokens), fps=25.0)
    document = read_eaf(format_results([reading, reading], "eaf"))
    assert len(values(document)) == 2 * sum(bool(token.text.strip()) for token in tokens)


@pytest.mark.parametrize(
    "call",
    [
        lambda: format_results([CLIP], "docx"),
        lambda: output_paths(Path("out"), ["a.mp4"], "docx"),
        lambda: write_result(CLIP, Path("never-written"), "docx"),
    ],
)
def test_an_unknown_format_lists_the_known(call: Callable[[], object]) -> None:
    with pytest.raises(InputError, match=r"'docx': no such format.*text, json, jsonl, csv, srt, vtt, eaf"):
        call()


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_said_ends_in_one_newline(format: str) -> None:
    text = format_results(ALL, format)
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "eaf"])
def test_a_file_holds_what_stdout_shows(tmp_path: Path, format: str) -> None:
    (path,) = output_paths(tmp_path / "out", ["B/1.mp4"], format)
    assert write_result(CLIP, path, format) == path
    assert path == tmp_path / "out" / "B" / f"1{FORMATS[format]}"
    assert path.read_bytes().decode("utf-8") == format_results([CLIP], format)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_an_existing_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("mine")
    with pytest.raises(InputError, match=r"exists already.*--force"):
        write_result(CLIP, path, "text")
    assert path.read_text() == "mine"
    write_result(CLIP, path, "text", force=True)
    assert path.read_text() == "K<\n"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        write_result(CLIP, tmp_path / "out" / "a.txt", "text")
    with pytest.raises(InputError, match="cannot be written"):
        write_result(CLIP, tmp_path / ("a" * 300), "text")
