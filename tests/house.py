"""The rules of the house: each is given a tree of code and returns what breaks it, a line a finding."""

from __future__ import annotations

import ast
import builtins
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

LONGEST = 400
DUMPING_GROUNDS = {"utils", "util", "common", "helpers", "core", "misc"}
TORCH = ("features", "models", "export", "training", "datasets/augment", "datasets/synthetic")
MATPLOTLIB = ("evaluation/report",)
FLOWS = ("hands", "pictures", "signs", "spelling", "videos")  # of training: none imports another
SCRIPT_IMPORT = re.compile(
    r"""^\s*(?:import|export)\s(?:[\w$*{},\s]*\sfrom\s)?\s*['"](.+?)['"]"""  # import { a } from "./b.js"
    r"""|\bimport\(\s*['"](.+?)['"]""",  # await import("./b.js")
    re.MULTILINE,
)
NAMED = re.compile(r"(?<!`)`(?:(signary(?:\.\w+)+)|([A-Z]\w*[a-z]\w*))`(?!`)")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def files(package: Path) -> dict[str, Path]:
    """Return the files of a package by dotted name, without those that only name a folder."""
    paths = (path for path in sorted(package.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py"))
    return {".".join((package.name, *path.relative_to(package).with_suffix("").parts)): path for path in paths}


def imports(path: Path) -> set[str]:
    """Return all dotted names that a file imports anywhere, also below TYPE_CHECKING and in functions."""
    found = set()
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{name.name}" for name in node.names)}
    return found


def _room(name: str) -> str:
    return [*name.split("."), ""][1]


def against_the_table(package: Path, allowed: dict[str, set[str]]) -> list[str]:
    """Rooms import what the table allows alone."""
    known = files(package)
    return [
        f"{name}: imports {other}"
        for name, path in known.items()
        for other in sorted(imports(path) & known.keys())
        if _room(other) not in {_room(name), *allowed.get(_room(name), ())}
    ]


def rooms_in_a_circle(allowed: dict[str, set[str]]) -> list[str]:
    """The table has no circle."""
    try:
        TopologicalSorter(allowed).prepare()
    except CycleError as error:
        return [" -> ".join(error.args[1])]
    return []


def files_in_a_circle(package: Path) -> list[str]:
    """No file is imported by what it imports."""
    known = files(package)
    return rooms_in_a_circle({name: (imports(path) & known.keys()) - {name} for name, path in known.items()})


def libraries_out_of_place(package: Path, library: str, places: tuple[str, ...]) -> list[str]:
    """A library is imported below some folders alone."""
    return [
        f"{name}: imports {library}"
        for name, path in files(package).items()
        if any(other.split(".")[0] == library for other in imports(path))
        and not any(path.is_relative_to(package / place) for place in places)
    ]


def flows_that_import_another(package: Path) -> list[str]:
    """What is learned is learned apart: files of training that two flows need are neither's."""
    training = f"{package.name}.training"

    def flow(name: str) -> str:
        part = name.removeprefix(f"{training}.").split(".")[0] if name.startswith(f"{training}.") else ""
        return part if part in FLOWS else ""

    return [
        f"{name}: imports {other}"
        for name, path in files(package).items()
        for other in sorted(imports(path))
        if flow(name) and flow(other) and flow(other) != flow(name)
    ]


def long_files(package: Path) -> list[str]:
    """A file has one noun, which is no dumping ground, and few lines."""
    return [
        f"{path.relative_to(package)}"
        for path in sorted(package.rglob("*.py"))
        if len(path.read_text(encoding="utf-8").splitlines()) > LONGEST
        or DUMPING_GROUNDS & {path.stem, path.parent.name}
    ]


def repeated_prefixes(package: Path) -> list[str]:
    """Three files with one prefix are a folder."""
    found = []
    for folder in (package, *(path for path in sorted(package.rglob("*")) if path.is_dir())):
        prefixes = Counter(path.stem.split("_")[0] for path in folder.glob("*.py") if not path.stem.startswith("_"))
        found += [
            f"{folder.relative_to(package)}: {name}_ {count} times" for name, count in prefixes.items() if count > 2
        ]
    return found


def unknown_names(package: Path) -> list[str]:
    """Modules and classes that docstrings name exist."""
    known = files(package)
    classes = {node.name for path in known.values() for node in ast.walk(_tree(path)) if isinstance(node, ast.ClassDef)}
    found = []
    for name, path in known.items():
        here = {part for other in imports(path) for part in other.split(".")} | _used(path) | set(dir(builtins))
        for doc in _docstrings(path):
            for dotted, alone in NAMED.findall(doc):
                if (dotted and not exists(dotted, package)) or (alone and alone not in classes | here):
                    found.append(f"{name}: {dotted or alone}")
    return found


def _docstrings(path: Path) -> Iterator[str]:
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


def _used(path: Path) -> set[str]:
    """Return the names that a file uses: its own, and those of libraries."""
    nodes = list(ast.walk(_tree(path)))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return names | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def exists(dotted: str, package: Path) -> bool:
    """Say whether a dotted name is a folder or file of the package, or something in one."""
    place, parts = package, dotted.split(".")[1:]
    while parts and (place / parts[0]).is_dir():
        place = place / parts.pop(0)
    if not parts:
        return True
    path = place / f"{parts.pop(0)}.py"
    if not path.is_file():
        return place == package and len(parts) == 0 and path.stem in _public(package)
    body: list[ast.stmt] = _tree(path).body
    for part in parts:
        inner = next((node for node in body if part in _names(node)), None)
        if inner is None:
            return False
        body = inner.body if isinstance(inner, ast.ClassDef) else []
    return True


def _public(package: Path) -> set[str]:
    """Return the strings in the package's own file: the names that it hands on."""
    init = package / "__init__.py"
    return {node.value for node in ast.walk(_tree(init)) if isinstance(node, ast.Constant)} if init.is_file() else set()


def _names(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        return {part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)}
    return set()


def scripts_out_of_place(browser: Path) -> list[str]:
    """Parts of the page import their neighbours alone, and what is served imports those and the parts."""
    found = []
    for path in sorted(browser.rglob("*.js")):
        shared = path.parent.name in ("parts", "decode")
        starts = ("./",) if shared else ("./", "../parts/", "../decode/")
        for pair in SCRIPT_IMPORT.findall(path.read_text(encoding="utf-8")):
            name = pair[0] or pair[1]
            if not name.startswith(starts) or (shared and ".." in name):
                found.append(f"{path.relative_to(browser)}: imports {name}")
    return found
