"""Sets of spelling, read through a recognizer, from the command line too."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from bundle_maker import make_bundle  # noqa: E402

from signary.cli.app import main  # noqa: E402
from signary.datasets.synthetic.sets import find_spelling_set, store_spelling  # noqa: E402
from signary.errors import InputError  # noqa: E402
from signary.evaluation.evaluate import evaluate  # noqa: E402
from signary.export.spelling import export_ctc_graph  # noqa: E402
from signary.models.speller import SpellerCTC  # noqa: E402
from signary.recognition.load import load  # noqa: E402
from signary.recognition.recognizer import Recognizer  # noqa: E402
from signary.text.characters import CHARACTERS  # noqa: E402

SMALL: dict[str, Any] = {"points": ("left_hand", "right_hand"), "width": 16, "depth": 1, "heads": 2, "kernel": 5}


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """Return one that has learned nothing."""
    folder = tmp_path_factory.mktemp("speller")
    torch.manual_seed(3)
    network = SpellerCTC(len(CHARACTERS), past=8, **SMALL).eval()
    torch.nn.init.normal_(network.head.weight, std=1.0)
    export_ctc_graph([network], folder / "model.onnx")
    files = {"model.onnx": (folder / "model.onnx").read_bytes()}
    graphs = {"model": "model.onnx"}
    return load(make_bundle(folder / "bundle", list(CHARACTERS), files, task="spelling", graphs=graphs).path, threads=1)


def test_a_store_reads_as_the_set_that_it_keeps(reader: Recognizer, tmp_path: Path) -> None:
    found = find_spelling_set("synthetic", 3)
    made = evaluate(reader, Path("synthetic"), limit=3)
    assert made.targets == [clip.text for clip in found.clips]
    assert (made.summary["n"], made.summary["unit"], made.summary["data"]) == (3, "clip", "synthetic")
    assert made.summary["set"]["clips"] == 3
    assert made.summary["trained_on"] == 0
    assert {"score", "cer", "cer_folded", "exact"} <= set(made.summary["metrics"])
    assert {"kind", "length", "letters a second", "hand seen", "character", "in sight"} == set(made.summary["by"])
    for one, clip in zip(made.readings, found.clips, strict=True):
        assert one.found.fps == pytest.approx(clip.fps, rel=1e-3)
        np.testing.assert_array_equal(one.letters_s, clip.letters_s)
    stored = evaluate(reader, store_spelling(found, tmp_path / "store"), limit=2)
    assert stored.targets == made.targets[:2]
    assert set(stored.summary["by"]) == {*made.summary["by"], "signer"}
    for one, other in zip(stored.readings, made.readings, strict=False):
        np.testing.assert_array_equal(one.letters_s, other.letters_s)


def test_wrong_asked(reader: Recognizer) -> None:
    with pytest.raises(InputError, match="by='signer': synthetic does not say"):
        evaluate(reader, Path("synthetic"), by="signer", limit=1)
    with pytest.raises(InputError, match="limit=0"):
        evaluate(reader, Path("synthetic"), limit=0)
    with pytest.raises(InputError, match="no such folder"):
        evaluate(load("digits"), Path("synthetic"))


def test_from_the_command_line(
    reader: Recognizer, tmp_path: Path, capsys: pytest.CaptureFixture[str], read_page: Callable[[str], Any]
) -> None:
    bundle, report = str(reader.bundle.path), tmp_path / "report"
    with pytest.raises(SystemExit) as stop:
        main(["evaluate", bundle, "synthetic", "--limit", "2", "--json", "-o", str(report)])
    assert not stop.value.code
    summary = json.loads(capsys.readouterr().out)
    assert summary == json.loads((report / "evaluation.json").read_text(encoding="utf-8"))
    assert {"readings.png", "by-0.png"} < {path.name for path in report.iterdir()}
    page = read_page((report / "report.html").read_text(encoding="utf-8"))
    assert "Some clips" in page.text and "letters a second" in page.text
    with pytest.raises(SystemExit):
        main(["evaluate", bundle, "synthetic", "--limit", "1"])
    out, _ = capsys.readouterr()
    assert "synthetic: 1 clips" in out and "cer_folded" in out and "letter_frames" in out
