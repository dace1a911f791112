"""Imports point one way, in no circle, and no file is a dumping ground."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "signary"
BASE = {"errors", "output", "jobs", "crew", "worker", "address", "digest", "graph", "lifetime", "privacy", "ranges"}
LANDMARKS = BASE | {"video", "landmarks"}
ALLOWED = {
    "errors": set(),
    "output": {"errors"},
    "worker": set(),
    "privacy": set(),
    "lifetime": set(),
    "digest": set(),
    "ranges": {"errors"},
    "graph": {"errors", "privacy", "worker"},
    "bundles": BASE | {"text"},
    "address": {"errors"},
    "crew": {"errors", "worker"},
    "jobs": {"errors", "crew", "worker"},
    "text": BASE,
    "video": BASE,
    "landmarks": LANDMARKS,
    "avatar": LANDMARKS,
    "features": BASE | {"landmarks"},
    "models": BASE | {"features"},
    "datasets": LANDMARKS | {"avatar", "text", "features"},
    "export": LANDMARKS | {"models", "features", "bundles"},
    "recognition": LANDMARKS | {"text", "bundles"},
    "evaluation": LANDMARKS | {"text", "datasets", "recognition", "bundles"},
    "training": LANDMARKS
    | {"text", "features", "models", "datasets", "bundles", "export", "recognition", "evaluation", ""},
}


def imports(path: Path) -> set[str]:
    """Return the dotted names inside the package that a file imports anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name == "signary" or name.startswith("signary.")}


def stage(name: str) -> str:
    """Return the first part of a dotted name below the package."""
    return [*name.split("."), ""][1]


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name not in ("__init__.py", "__main__.py")]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_one_way(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if own in ("cli", "server"):
        return
    reached = {stage(name) for name in imports(path)} - {own}
    assert reached <= ALLOWED[own]


def test_doors_are_used_by_nothing() -> None:
    users = [path for path in FILES if path.parts[len(PACKAGE.parts)] != "cli" and "signary.cli" in str(imports(path))]
    assert users == []


def test_files_are_short_and_named_by_a_noun() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, path
        assert not {"utils", "util", "common", "helpers", "core", "misc"} & {path.stem, path.parent.name}, path


def test_recognition_needs_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = None; sys.modules['lightning'] = None\n"
        "import signary.recognition.recognizer, signary.cli.recognize, signary.landmarks.detect"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
