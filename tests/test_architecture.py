"""Imports point one way, in no circle, and every file is in the room of its noun; each rule is shown to bite."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

import house
from rooms import ALLOWED, DOORS, GROUND, ROOMS, Room, picture

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "src" / "signary"
GUIDE = ROOT / "docs" / "architecture.md"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An empty package."""
    (tmp_path / "signary").mkdir()
    return tmp_path / "signary"


def write(package: Path, made: Mapping[str, str]) -> Path:
    """Write files into a made package and return it."""
    for name, text in made.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package


def test_imports_point_one_way() -> None:
    assert house.against_the_table(PACKAGE, ALLOWED) == []


def test_an_import_against_the_table_is_found(package: Path) -> None:
    made = {"text/ctc.py": "def f():\n    from signary.video.frame import Frame\n", "video/frame.py": ""}
    found = house.against_the_table(write(package, made), ALLOWED)
    assert found and all("signary.text.ctc: imports signary.video" in line for line in found)


def test_a_room_without_a_row_is_found(package: Path) -> None:
    made = {"attic/box.py": "from signary.errors import InputError\n", "errors.py": ""}
    assert house.against_the_table(write(package, made), ALLOWED) != []


def test_every_room_has_a_row() -> None:
    there = {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in house.files(PACKAGE).values()}
    assert there == {*GROUND, *ROOMS}


def test_rooms_are_in_no_circle() -> None:
    assert house.rooms_in_a_circle(ALLOWED) == []


def test_a_circle_of_rooms_is_found() -> None:
    assert house.rooms_in_a_circle({**ALLOWED, "video": {"training"}}) != []


def test_files_are_in_no_circle() -> None:
    assert house.files_in_a_circle(PACKAGE) == []


def test_a_circle_of_files_below_type_checking_is_found(package: Path) -> None:
    hidden = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from signary.text.beam import Beam\n"
    made = {"text/beam.py": "from signary.text.ctc import decode\n", "text/ctc.py": hidden}
    assert house.files_in_a_circle(write(package, made)) != []


def test_doors_are_used_by_nothing() -> None:
    users = {name: ROOMS[name].uses & set(DOORS) for name in ROOMS}
    assert {name: used for name, used in users.items() if used} == {"cli": {"server"}}


@pytest.mark.parametrize(("library", "places"), [("torch", house.TORCH), ("matplotlib", house.MATPLOTLIB)])
def test_heavy_libraries_have_their_places(library: str, places: tuple[str, ...]) -> None:
    assert house.libraries_out_of_place(PACKAGE, library, places) == []


def test_a_heavy_library_out_of_place_is_found(package: Path) -> None:
    made = {"datasets/split.py": "def f():\n    from torch import nn\n", "datasets/augment/hands.py": "import torch\n"}
    assert house.libraries_out_of_place(write(package, made), "torch", house.TORCH) == [
        "signary.datasets.split: imports torch"
    ]


def test_flows_of_training_import_no_other() -> None:
    assert house.flows_that_import_another(PACKAGE) == []


def test_a_flow_that_imports_another_is_found(package: Path) -> None:
    made = {"training/videos/train.py": "from signary.training.signs import load\n", "training/signs.py": ""}
    assert house.flows_that_import_another(write(package, made)) != []


def test_files_are_short_and_named_by_a_noun() -> None:
    assert house.long_files(PACKAGE) == []


@pytest.mark.parametrize("made", [{"text/utils.py": ""}, {"common/a.py": ""}, {"text/a.py": "x = 1\n" * 401}])
def test_a_dumping_ground_is_found(package: Path, made: dict[str, str]) -> None:
    assert len(house.long_files(write(package, made))) == 1


def test_no_prefix_stands_three_times() -> None:
    assert house.repeated_prefixes(PACKAGE) == []


def test_a_prefix_three_times_is_found(package: Path) -> None:
    made = {"text/beam.py": "", "text/beam_search.py": "", "text/beam_options.py": "", "video/beam_x.py": ""}
    assert house.repeated_prefixes(write(package, made)) == ["text: beam_ 3 times"]


def test_what_docstrings_name_exists() -> None:
    assert house.unknown_names(PACKAGE) == []


@pytest.mark.parametrize(
    "name", ["signary.text.beam.Beam", "signary.text.lost", "signary.text.ctc.Path.nope", "OldName"]
)
def test_a_name_that_is_gone_is_found(package: Path, name: str) -> None:
    made = {"text/ctc.py": f'class Path:\n    """As `{name}`."""\n    steps = 1\n', "text/beam.py": ""}
    assert house.unknown_names(write(package, made)) == [f"signary.text.ctc: {name}"]


@pytest.mark.parametrize("name", ["signary.text.ctc.Path", "signary.text.ctc.Path.steps", "signary.text", "Path"])
def test_a_name_that_stands_is_let_through(package: Path, name: str) -> None:
    made = {"text/ctc.py": f'class Path:\n    """As `{name}`."""\n    steps = 1\n'}
    assert house.unknown_names(write(package, made)) == []


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *(f"docs/{path.name}" for path in GUIDE.parent.glob("*.md"))]
)
def test_what_pages_name_exists(page: str) -> None:
    named = re.findall(r"\bsignary(?:\.[A-Za-z_]\w*)+", (ROOT / page).read_text(encoding="utf-8"))
    assert [name for name in named if not house.exists(name, PACKAGE)] == []


def test_scripts_import_their_neighbours() -> None:
    assert list((PACKAGE / "browser").rglob("*.js"))
    assert house.scripts_out_of_place(PACKAGE / "browser") == []


@pytest.mark.parametrize(
    "line",
    [
        'import { a } from "../served/app.js";',
        'import { a } from "https://example.org/a.js";',
        'import "./../served/app.js";',
        'const a = await import("../served/app.js");',
        'export { a } from "three";',
        'import {\n  a,\n} from "../served/app.js";',
    ],
)
def test_a_script_that_reaches_out_is_found(tmp_path: Path, line: str) -> None:
    write(tmp_path, {"parts/a.js": line, "served/b.js": 'import { c } from "../parts/a.js";'})
    assert len(house.scripts_out_of_place(tmp_path)) == 1


@pytest.mark.parametrize(
    "module", ["recognition.recognizer", "cli.recognize", "landmarks.detect", "landmarks.mediapipe"]
)
def test_reading_needs_no_torch(module: str) -> None:
    _import_without_torch(module)


def test_recipes_need_no_torch() -> None:
    _import_without_torch("training.recipes.load")


def _import_without_torch(module: str) -> None:
    code = f"import sys; sys.modules['torch'] = None; sys.modules['lightning'] = None\nimport signary.{module}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_guide_shows_this_table() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert picture(ROOMS) in text, f"docs/architecture.md is stale, put this in:\n{picture(ROOMS)}"
    for name in (*ROOMS, *GROUND):
        assert f"`{name}`" in text


def test_the_guide_names_files_that_exist() -> None:
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]*(?:\.(?:py|js))?)`", GUIDE.read_text(encoding="utf-8"))
    there = [
        f"/{path.relative_to(ROOT)}" for folder in ("src", "tests", "recipes") for path in (ROOT / folder).rglob("*")
    ]
    there += [f"/{folder}" for folder in ("recipes", "tests")]
    assert named
    assert [name for name in named if not any(path.endswith(f"/{name.rstrip('/')}") for path in there)] == []


def test_the_picture_leaves_out_detours() -> None:
    rooms = {"a": Room("", set()), "b": Room("", {"a"}), "c": Room("", {"a", "b"})}
    assert [line.strip() for line in picture(rooms).splitlines() if "-->" in line] == ["a --> b", "b --> c"]
