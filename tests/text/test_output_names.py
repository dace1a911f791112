"""Names of output files: those of the sources, and no two alike."""

from __future__ import annotations

from pathlib import Path
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signary.errors import InputError
from signary.text.output_names import check_apart, output_paths

OUT = Path("out")
# few letters, so that names meet: with and without case, composed and decomposed; none is a camera or stdin
NAMES = st.text(st.sampled_from(["a", "A", "é", "e", "\u0301", ".", "-", "2", "ß"]), max_size=5)
SOURCES = st.lists(st.one_of(st.builds("a{}".format, NAMES), st.builds("{}/a{}".format, NAMES, NAMES)), max_size=8)


def named(*sources: str, root: str | None = None, whole_names: bool = False) -> list[str]:
    paths = output_paths(OUT, sources, "srt", root, whole_names=whole_names)
    return [path.relative_to(OUT).as_posix() for path in paths]


def one_file(path: Path) -> str:
    """Return what two paths share on a file system without case that composes characters."""
    return normalize("NFC", normalize("NFD", path.as_posix()).casefold())


@pytest.mark.parametrize(
    ("source", "root", "short", "whole"),
    [
        ("B/1.jpg", None, "B/1.srt", "B/1.jpg.srt"),
        ("./B//1.jpg", None, "B/1.srt", "B/1.jpg.srt"),
        ("/data/B/1.jpg", None, "data/B/1.srt", "data/B/1.jpg.srt"),
        ("../../B/1.jpg", None, "B/1.srt", "B/1.jpg.srt"),
        ("a/../../b.mp4", None, "b.srt", "b.mp4.srt"),
        ("../photos/B/1.jpg", "../photos", "B/1.srt", "B/1.jpg.srt"),
        ("../photos/B/1.jpg", "../photos/", "B/1.srt", "B/1.jpg.srt"),
        ("../photos/B/1.jpg", "../photos/*/*.jpg", "B/1.srt", "B/1.jpg.srt"),
        ("/data/B/1.jpg", "/data/B", "1.srt", "1.jpg.srt"),
        ("B/1.jpg", "B/1.jpg", "B/1.srt", "B/1.jpg.srt"),
        ("B/1.jpg", "C", "B/1.srt", "B/1.jpg.srt"),
        ("B/1.jpg", ".", "B/1.srt", "B/1.jpg.srt"),
        ("a.b.mp4", None, "a.b.srt", "a.b.mp4.srt"),
        ("archive.tar.gz", None, "archive.tar.srt", "archive.tar.gz.srt"),
        ("take.1/clip.MP4", None, "take.1/clip.srt", "take.1/clip.MP4.srt"),
        (".mp4", None, ".mp4.srt", ".mp4.srt"),
        ("..mp4", None, "..mp4.srt", "..mp4.srt"),
        (".hidden.mp4", None, ".hidden.srt", ".hidden.mp4.srt"),
        ("dot.", None, "dot..srt", "dot..srt"),
        ("no ending", None, "no ending.srt", "no ending.srt"),
        ("array", None, "array.srt", "array.srt"),
        ("-", None, "stdin.srt", "stdin.srt"),
        ("0", None, "camera-0.srt", "camera-0.srt"),
        ("camera 12", None, "camera-12.srt", "camera-12.srt"),
        ("http://host/a/clip.mp4?x=1", None, "host/a/clip.srt", "host/a/clip.mp4.srt"),
        ("http://host/a/clip.mp4?x=a/b.c#d", None, "host/a/clip.srt", "host/a/clip.mp4.srt"),
        ("rtsp://user:pw@cam:554/stream", None, "cam/stream.srt", "cam/stream.srt"),
        ("rtsp://user:p@w@Cam.Example/live.sdp", None, "cam.example/live.srt", "cam.example/live.sdp.srt"),
        ("https://cam.example.org", None, "cam.example.org.srt", "cam.example.org.srt"),
        ("https://cam.example.org:8443/?token=1", None, "cam.example.org.srt", "cam.example.org.srt"),
        ("http://[::1]:80/a.mp4", None, "__1/a.srt", "__1/a.mp4.srt"),
        ("http://host/../%2e%2e//./my%20clip%2Fof%3A2.mp4", None, "host/my clip_of_2.srt", "host/my clip_of_2.mp4.srt"),
        ("http://host/a\\b\x01.mp4", None, "host/a_b_.srt", "host/a_b_.mp4.srt"),
        ("http://", None, "address.srt", "address.srt"),
        ("http://[/a/x.mp4", None, "a/x.srt", "a/x.mp4.srt"),
    ],
)
def test_output_paths(source: str, root: str | None, short: str, whole: str) -> None:
    assert named(source, root=root) == [short]
    assert named(source, root=root, whole_names=True) == [whole]


def test_sources_that_would_meet_keep_their_whole_names() -> None:
    assert named("a.jpg", "a.png", "b.jpg") == ["a.jpg.srt", "a.png.srt", "b.srt"]
    assert named("x/a.jpg", "y/a.png") == ["x/a.srt", "y/a.srt"]
    assert named("a.jpg", "A.png") == ["a.jpg.srt", "A.png.srt"]
    assert named("B/1.jpg", "b/1.png") == ["B/1.jpg.srt", "b/1.png.srt"]
    assert named("caf\u00e9.mp4", "cafe\u0301.mov") == ["caf\u00e9.mp4.srt", "cafe\u0301.mov.srt"]
    assert named("-", "stdin.mp4", "0", "camera-0.mp4") == [
        "stdin.srt", "stdin.mp4.srt", "camera-0.srt", "camera-0.mp4.srt",
    ]  # fmt: skip


def test_whole_names_that_meet_another_name_make_that_whole_too() -> None:
    assert named("a.jpg", "a.png", "a.jpg.mp4") == ["a.jpg.srt", "a.png.srt", "a.jpg.mp4.srt"]
    assert named("a.jpg.mp4.mov", "a.jpg", "a.jpg.mp4", "a.png") == [
        "a.jpg.mp4.mov.srt", "a.jpg.srt", "a.jpg.mp4.srt", "a.png.srt",
    ]  # fmt: skip


def test_whole_names_that_are_alike_are_numbered() -> None:
    assert named("a.jpg", "A.jpg", "a.jpg-2.mp4") == ["a.jpg.srt", "A.jpg-2.srt", "a.jpg-2-2.srt"]
    assert named("x.mp4", "../x.mp4") == ["x.mp4.srt", "x.mp4-2.srt"]
    assert named("http://h/a.mp4?n=1", "http://h/a.mp4?n=2") == ["h/a.mp4.srt", "h/a.mp4-2.srt"]


def test_a_source_named_twice_is_one(tmp_path: Path) -> None:
    assert named("a.jpg", "./a.jpg", "a.jpg", "b/../a.jpg") == ["a.srt"] * 4
    assert named("-", "-") == ["stdin.srt"] * 2


def test_whole_names_are_kept_as_they_are() -> None:
    assert named("a.jpg", "A.jpg", "x.mp4", whole_names=True) == ["a.jpg.srt", "A.jpg.srt", "x.mp4.srt"]


def test_other_endings_than_those_of_formats() -> None:
    assert output_paths(OUT, ["a.b.mp4"], ".parquet") == [OUT / "a.b.parquet"]
    with pytest.raises(InputError, match="'parquet': no such format"):
        output_paths(OUT, ["a.b.mp4"], "parquet")


def test_a_file_named_like_a_camera_and_a_folder_named_by_a_dot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "0").touch()
    assert named("0", ".") == ["0.srt", f"{tmp_path.name}.srt"]


def test_a_folder_has_no_ending(tmp_path: Path) -> None:
    (tmp_path / "take.1").mkdir()
    assert named(str(tmp_path / "take.1"), root=str(tmp_path)) == ["take.1.srt"]


def test_a_folder_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    folder = tmp_path / "[2024] signs"
    folder.mkdir()
    assert named(str(folder / "a" / "b.mp4"), root=str(folder)) == ["a/b.srt"]


@given(SOURCES)
def test_no_two_sources_have_one_output(sources: list[str]) -> None:
    paths = output_paths(OUT, sources, "srt")
    places = {one_file(path) for path in paths}
    files = {Path.cwd().joinpath(source).resolve() for source in sources}
    assert len(places) == len(files)
    assert len(paths) == len(sources)


@given(SOURCES)
def test_names_are_short_where_nothing_meets(sources: list[str]) -> None:
    alone = [output_paths(OUT, [source], "srt")[0] for source in sources]
    if len({one_file(path) for path in alone}) == len(sources):
        assert output_paths(OUT, sources, "srt") == alone


@given(st.lists(st.text(), max_size=4), st.one_of(st.none(), st.text()), st.booleans())
def test_output_never_leaves_its_folder(sources: list[str], root: str | None, whole_names: bool) -> None:
    if "\0" in "".join(sources) + (root or ""):
        return
    for path in output_paths(OUT, [*sources, *(f"http://{source}" for source in sources)], "json", root):
        assert path.parts[0] == "out"
        assert ".." not in path.parts
        assert path.name.endswith(".json")


def test_an_output_never_takes_the_place_of_its_source(tmp_path: Path) -> None:
    source = tmp_path / "notes.json"
    source.touch()
    (tmp_path / "link.json").symlink_to(source)
    for path in (source, tmp_path / "link.json", tmp_path / "." / "notes.json"):
        with pytest.raises(InputError, match=r"notes\.json: its output would take its place.*-o"):
            check_apart(path, str(source))
    check_apart(tmp_path / "other.json", str(source))
    check_apart(source, str(tmp_path / "gone.json"))
