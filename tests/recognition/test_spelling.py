"""Continuous fingerspelling from a bundle: the text that the network says, letters with times, nothing of no hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from bundle_maker import make_bundle  # noqa: E402

from signary.errors import ConfigError  # noqa: E402
from signary.export.spelling import export_ctc_graph, export_speller  # noqa: E402
from signary.landmarks.sequence import LandmarkSequence  # noqa: E402
from signary.models.speller import Speller, SpellerCTC, spell  # noqa: E402
from signary.recognition.load import load  # noqa: E402
from signary.recognition.spelling import SpellingRecognizer  # noqa: E402

LETTERS = list("abcdefgh")
SMALL: dict[str, Any] = {"points": ("left_hand", "right_hand"), "width": 16, "depth": 1, "heads": 2, "kernel": 5}


def reader_of(folder: Path, graphs: dict[str, str]) -> SpellingRecognizer:
    files = {name: (folder / name).read_bytes() for name in graphs.values()}
    more: dict[str, Any] = {"task": "spelling", "graphs": graphs, "thresholds": {"letters": 12}}
    reader = load(make_bundle(folder / "bundle", LETTERS, files, **more).path, threads=1)
    assert isinstance(reader, SpellingRecognizer)
    return reader


@pytest.fixture(scope="module")
def streaming(tmp_path_factory: pytest.TempPathFactory) -> tuple[SpellerCTC, SpellingRecognizer]:
    folder = tmp_path_factory.mktemp("ctc")
    torch.manual_seed(3)
    network = SpellerCTC(8, past=8, **SMALL).eval()
    torch.nn.init.normal_(network.head.weight, std=2.0)
    export_ctc_graph([network], folder / "model.onnx")
    return network, reader_of(folder, {"model": "model.onnx"})


def clip(frames: int = 40) -> LandmarkSequence:
    points = torch.rand(frames, 543, 3, generator=torch.Generator().manual_seed(0)).numpy()
    points[:5] = np.nan
    return LandmarkSequence(points, np.arange(frames) / 20, aspect=1.0)


def test_each_letter_has_the_frames_in_which_it_is_likeliest(streaming: Any) -> None:
    network, reader = streaming
    sequence = clip()
    with torch.no_grad():
        best = network(torch.from_numpy(sequence.points))[0][0].argmax(-1).numpy()
    starts = [place for place in range(len(best)) if best[place] < 8 and (place == 0 or best[place] != best[place - 1])]
    found = reader.recognize(sequence)
    assert found.text == "".join(LETTERS[best[place]] for place in starts)
    assert len(found.text) > 2
    assert [token.start_s for token in found.tokens] == pytest.approx(sequence.times_s[starts].tolist())
    for token in found.tokens:
        assert token.end_s >= token.start_s
        assert 0 < token.confidence <= 1
        assert len(token.alternatives) == 4
        assert token.text not in [other.text for other in token.alternatives]


def test_nothing_is_read_where_no_hand_is_seen(streaming: Any) -> None:
    _, reader = streaming
    nothing = LandmarkSequence(np.full((9, 543, 3), np.nan, np.float32), np.arange(9) / 20)
    found = reader.recognize(nothing)
    assert (found.text, found.tokens, found.hand_rate) == ("", (), 0.0)
    assert "no hand found" in found.warnings


def test_a_stream_is_refused(streaming: Any) -> None:
    _, reader = streaming
    with pytest.raises(ConfigError, match="whole clips"):
        list(reader.stream(np.zeros((2, 8, 8, 3), np.uint8)))


@pytest.mark.slow
def test_spellers_read_letter_by_letter_as_the_networks_do(tmp_path: Path) -> None:
    torch.manual_seed(0)
    spellers = [Speller(12, hidden=32, layers=1, **SMALL).eval() for _ in range(2)]
    for speller in spellers:
        for parameter in speller.decoder.parameters():
            if parameter.dim() > 1:
                torch.nn.init.normal_(parameter, std=0.4)
    export_speller(spellers, tmp_path)
    reader, sequence = reader_of(tmp_path, {"encoder": "encoder.onnx", "step": "step.onnx"}), clip()
    points = spellers[0].select(torch.from_numpy(sequence.points))[None]
    tokens, ended = spell(spellers, points, limit=13)
    spelled = reader.runtime.read(sequence.points)
    assert reader.runtime.text(spelled) == reader.runtime.characters.decode(tokens[0].numpy())
    assert spelled.ended == bool(ended[0])
    with torch.no_grad():
        sure = np.mean([float(one.trust(one.encode_selected(points)[0])) for one in spellers])
    assert spelled.confidence == pytest.approx(1 / (1 + np.exp(-sure)), abs=1e-4)
    found = reader.recognize(sequence)
    assert found.text == reader.runtime.text(spelled)
    starts = [token.start_s for token in found.tokens]
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(0.25)
    assert found.tokens[-1].end_s == pytest.approx(39 / 20)
