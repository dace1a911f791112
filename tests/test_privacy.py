"""Nothing leaves the machine, and no command leaves files except its output."""

from __future__ import annotations

import ast
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from signary import privacy
from signary.server.practice import letter_picture
from traced import STRACE, Traced, called, run_traced, written

PACKAGE = Path(privacy.__file__).parent
SIGNARY = ("-m", "signary")


class TestSwitches:
    def test_whatever_the_environment_says_reports_are_off(self) -> None:
        environment = {"ORT_DISABLE_TELEMETRY": "0", "RAY_USAGE_STATS_ENABLED": "1", "OTHER": "kept"}
        privacy.silence(environment)
        assert environment == {
            "ORT_DISABLE_TELEMETRY": "1",
            "RAY_USAGE_STATS_ENABLED": "0",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "OTHER": "kept",
        }

    @pytest.mark.parametrize("said", ["onnxruntime", " ONNXRuntime , ray"])
    def test_only_an_explicit_word_lets_a_library_report(self, said: str) -> None:
        environment = {"SIGNARY_TELEMETRY": said}
        privacy.silence(environment)
        assert "ORT_DISABLE_TELEMETRY" not in environment
        assert environment["MLFLOW_DISABLE_TELEMETRY"] == "true"
        assert ("RAY_USAGE_STATS_ENABLED" in environment) == ("ray" not in said)

    @pytest.mark.parametrize("module", ["signary", "signary.graph", "signary.cli.app", "signary.text.write"])
    def test_every_import_switches_them_off_first(self, module: str) -> None:
        code = f"import os, sys, {module}; print(os.environ['ORT_DISABLE_TELEMETRY'], 'onnxruntime' in sys.modules)"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={})
        assert done.stdout.split() == ["1", "False"]

    def test_the_runtime_is_told_too(self, monkeypatch: pytest.MonkeyPatch) -> None:
        told = []
        runtime: Any = ModuleType("onnxruntime")
        runtime.disable_telemetry_events = lambda: told.append("off")
        monkeypatch.setitem(sys.modules, "onnxruntime", runtime)
        monkeypatch.delenv(privacy.ALLOW, raising=False)
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
        assert privacy.import_onnxruntime() is runtime
        assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
        monkeypatch.setenv(privacy.ALLOW, "onnxruntime")
        privacy.import_onnxruntime()
        assert told == ["off"]

    def test_no_file_imports_it_past_that(self) -> None:
        def imported(path: Path) -> set[str]:
            nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
            names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
            return names | {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}

        folders = (PACKAGE, *(PACKAGE.parents[1] / name for name in ("benchmarks", "scripts")))
        files = [path for folder in folders for path in folder.rglob("*.py")]
        assert [path for path in files if any(name.startswith("onnxruntime") for name in imported(path))] == []

    def test_doctor_says_what_is_off(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.delenv(privacy.ALLOW, raising=False)
        privacy.silence()
        assert privacy.report() == [("onnxruntime", "off"), ("mlflow", "off"), ("ray", "off")]
        monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
        assert privacy.report()[0][1].startswith("on: ORT_DISABLE_TELEMETRY was changed")
        monkeypatch.setenv(privacy.ALLOW, "onnxruntime")
        assert privacy.report()[0][1] == "allowed by SIGNARY_TELEMETRY"
        monkeypatch.setenv(privacy.ALLOW, "onxruntime")
        assert privacy.report()[-1] == ("onxruntime", "unknown to SIGNARY_TELEMETRY")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
        monkeypatch.setenv("HOME", str(tmp_path))
        assert privacy.left_behind() == []
        (tmp_path / "Microsoft/DeveloperTools/.onnxruntime").mkdir(parents=True)
        assert privacy.left_behind() == [tmp_path / "Microsoft/DeveloperTools/.onnxruntime"]


class TestStandIns:
    def test_a_module_is_kept_out_and_comes_when_it_is_used(self) -> None:
        code = (
            "import sys; from signary.privacy import without\n"
            "with without('xml.dom', 'xml.dom.minidom', 'json'):\n"
            "    import xml.dom.minidom as stood_in\n"
            "    import json\n"
            "print('xml.dom.minidom' in sys.modules, 'json' in sys.modules, stood_in.parseString.__module__)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["False", "False", "xml.dom.minidom"]

    def test_what_is_there_stays(self) -> None:
        with privacy.without("ast"):
            assert sys.modules["ast"] is ast
        assert sys.modules["ast"] is ast


class TestCaches:
    """matplotlib's list of fonts lies in the user's folder only where there is one already."""

    @pytest.mark.parametrize("theirs", ["", ".cache/matplotlib", ".config/matplotlib", ".matplotlib"])
    def test_where_it_lies(self, tmp_path: Path, theirs: str) -> None:
        (tmp_path / theirs).mkdir(parents=True, exist_ok=True)
        code = (
            "import os; from signary.privacy import *; keep_caches_apart(); print(os.environ.get('MPLCONFIGDIR', '-'))"
        )
        environment = {"HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
        said = done.stdout.strip()
        assert (said == "-") == bool(theirs)
        assert theirs or (Path(said).parent == tmp_path and not Path(said).exists())


def test_a_trace_tells_what_was_written_and_called() -> None:
    lines = [
        '12 openat(AT_FDCWD, "/etc/hosts", O_RDONLY|O_CLOEXEC) = 3',
        '12 openat(AT_FDCWD, "x.json", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0666) = 3',
        '12 openat(AT_FDCWD, "/home/ann/.cache/id", O_RDWR|O_CREAT, 0600 <unfinished ...>',
        '12 openat(AT_FDCWD, "/home/ann/.cache/no", O_RDWR|O_CREAT, 0600) = -1 EACCES (Permission denied)',
        '12 openat(AT_FDCWD, "/dev/null", O_WRONLY) = 3',
        '12 mkdir("/home/ann/.cache", 0777) = 0',
        '12 rename("/tmp/a", "/home/ann/b") = 0',
        '12 connect(3, {sa_family=AF_INET, sin_port=htons(53), sin_addr=inet_addr("192.0.2.7")}, 16) = 0',
        '12 connect(3, {sa_family=AF_INET, sin_port=htons(80), sin_addr=inet_addr("127.0.0.1")}, 16) = 0',
        '12 connect(3, {sa_family=AF_INET6, inet_pton(AF_INET6, "2001:db8::1", &sin6_addr)}, 28) = -1 ENETUNREACH',
        '12 connect(3, {sa_family=AF_UNIX, sun_path="/var/run/nscd/socket"}, 110) = -1 ENOENT',
    ]
    home = ["/home/ann/.cache", "/home/ann/.cache/id", "/home/ann/b"]
    assert written(lines, Path("/asked")) == ["/asked/x.json", *home, "/tmp/a"]
    assert called(lines) == ["192.0.2.7", "2001:db8::1"]


def _photos(folder: Path, labels: str) -> None:
    for label in labels:
        (folder / label).mkdir(parents=True)
        (folder / label / "1.png").write_bytes(letter_picture(label, 6, "right"))


def _noise(folder: Path) -> None:
    random = np.random.default_rng(0)
    for label in "0123456789":
        (folder / label).mkdir(parents=True)
        for number in range(8):
            Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / label / f"{number}.png")


def _upload(process: subprocess.Popen[str]) -> None:
    """Send a photo to the server as a page does, then end it as Ctrl+C does."""
    assert process.stdout is not None
    address = next(word for line in process.stdout for word in line.split() if word.startswith("http://"))
    photo = Path(f"/proc/{process.pid}/cwd").resolve() / "photos" / "B" / "1.png"
    body = b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.png"\r\n\r\n'
    body += photo.read_bytes() + b"\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    url = f"{address.rstrip('/')}/api/recognize?model=letters"
    with urllib.request.urlopen(urllib.request.Request(url, body, kind), timeout=60) as reply:
        assert b'"text":"B"' in reply.read()
    time.sleep(0.5)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for number in children or [str(process.pid)]:  # below strace
        subprocess.run(["kill", f"-{signal.SIGINT.value}", number], check=True)


DOORS: dict[str, tuple[tuple[str, ...], Callable[[subprocess.Popen[str]], None] | None]] = {
    "photo": (("recognize", "photos/B/1.png"), None),
    "spell": (("spell", "AB", "-o", "ab.mp4"), None),
    "video": (("recognize", "clip.mp4"), None),
    "signs": (("recognize", "clip.mp4", "--model", "signs", "--format", "srt", "-o", "out"), None),
    "photos": (("recognize", "photos", "--workers", "2", "--format", "json"), None),
    "serve": (("serve", "--port", "0", "--models", "letters"), _upload),
    "evaluate": (("evaluate", "letters", "photos", "-o", "report"), None),
    "landmarks": (("landmarks", "photos", "-o", "points", "--detector", "hands", "--workers", "2"), None),
    "train": (("train", "digits-cnn", "--data", "noise", "-o", "run", "--data.split", "random", "--epochs", "1"), None),
    "doctor": (("doctor",), None),
}


@pytest.fixture(scope="module")
def passed(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Traced, Path]]:
    """Return a runner that runs an entry point once and reports what it did, and where."""
    known: dict[str, tuple[Traced, Path]] = {}
    made = tmp_path_factory.mktemp("made")
    subprocess.run([sys.executable, *SIGNARY, "spell", "BL", "-o", made / "clip.mp4"], check=True, capture_output=True)

    def run(door: str) -> tuple[Traced, Path]:
        if door not in known:
            folder = tmp_path_factory.mktemp(door)
            _photos(folder / "asked" / "photos", "BL")
            _noise(folder / "asked" / "noise")
            (folder / "asked" / "clip.mp4").write_bytes((made / "clip.mp4").read_bytes())
            words, use = DOORS[door]
            known[door] = run_traced(folder, (*SIGNARY, *words), use), folder
        return known[door]

    return run


@pytest.mark.slow
@pytest.mark.parametrize("door", DOORS)
class TestDoors:
    def test_no_file_is_left_but_those_asked_for(self, door: str, passed: Callable[[str], tuple[Traced, Path]]) -> None:
        traced, folder = passed(door)
        assert traced.left == []
        if traced.written is not None:
            allowed = (str(folder / "asked"), str(folder / "home" / "temporary"))
            assert [path for path in traced.written if not path.startswith(allowed)] == []

    def test_nobody_is_called(self, door: str, passed: Callable[[str], tuple[Traced, Path]]) -> None:
        if STRACE is None:
            pytest.skip("strace is not there to see calls: apt-get install strace")
        assert passed(door)[0].called == []
