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
from signary.landmarks.repair import repair  # noqa: E402
from signary.landmarks.sequence import LandmarkSequence  # noqa: E402
from signary.models.speller import Speller, SpellerCTC, spell  # noqa: E402
from signary.recognition.load import load  # noqa: E402
from signary.recognition.spelling.live import SpellingWindow  # noqa: E402
from signary.recognition.spelling.recognizer import DOUBTFUL, SpellingRecognizer  # noqa: E402
from signary.text.beam import BeamOptions  # noqa: E402
from signary.text.spelled import spelled_text  # noqa: E402

LETTERS = list("abcdefgh")
SMALL: dict[str, Any] = {"points": ("left_hand", "right_hand"), "width": 16, "depth": 1, "heads": 2, "kernel": 5}


def reader_of(folder: Path, graphs: dict[str, str]) -> SpellingRecognizer:
    files = {name: (folder / name).read_bytes() for name in graphs.values()}
    more: dict[str, Any] = {"task": "spelling", "graphs": graphs, "thresholds": {"letters": 12, "letter_beam": 1}}
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


def test_a_phrase_is_what_the_network_says_of_the_frames_with_a_hand(streaming: Any) -> None:
    network, reader = streaming
    sequence = clip()
    with torch.no_grad():
        table = network(torch.from_numpy(sequence.points[5:]))[0][0].numpy()
    expected = spelled_text(table, "".join(LETTERS), options=BeamOptions(weight=0.0))
    found = reader.recognize(sequence)
    assert found.text == expected.text
    assert len(found.text) > 2
    assert found.confidence == pytest.approx(expected.confidence, abs=1e-3)
    assert [token.start_s for token in found.tokens] == pytest.approx(sequence.times_s[5 + expected.first].tolist())
    assert [token.end_s for token in found.tokens] == pytest.approx(sequence.times_s[5 + expected.last].tolist())
    for token in found.tokens:
        assert 0 < token.confidence <= 1
        assert len(token.alternatives) == 4
        assert token.text not in [other.text for other in token.alternatives]
    assert (DOUBTFUL in found.warnings) == (found.confidence < 0.5)


def test_hands_that_are_gone_divide_phrases(streaming: Any) -> None:
    _, reader = streaming
    one, pause = clip(), np.full((30, 543, 3), np.nan, np.float32)
    points = np.concatenate([one.points, pause, one.points])
    found = reader.recognize(LandmarkSequence(points, np.arange(len(points)) / 20, aspect=1.0))
    alone = reader.recognize(one).text
    assert found.text == f"{alone} {alone}"
    space = found.tokens[len(alone)]
    assert (space.start_s, space.end_s) == (found.tokens[len(alone) - 1].end_s, found.tokens[len(alone) + 1].start_s)


def test_long_phrases_are_read_in_windows_that_overlap(streaming: Any) -> None:
    _, reader = streaming
    points = clip(900).points
    whole = reader.reader.graphs.table(points)
    assert whole.shape == (900, 9)
    assert np.exp(whole).sum(1) == pytest.approx(1, abs=1e-5)
    assert whole[:200] == pytest.approx(reader.reader.graphs.table(points[:384])[:200], abs=0.2)


@pytest.mark.parametrize("pauses", [0, 1])
def test_a_stream_says_what_the_whole_clip_says(streaming: Any, pauses: int) -> None:
    _, reader = streaming
    parts = [clip().points, *[np.full((30, 543, 3), np.nan, np.float32), clip().points] * pauses]
    points = np.concatenate(parts)
    sequence = LandmarkSequence(points, np.arange(len(points)) / 20, aspect=1.0)
    window = reader._window("auto")
    final, shown = [], []
    for frame, time_s in zip(points, sequence.times_s.tolist(), strict=True):
        window.push(frame, time_s, 1.0)
        settled, still_open = window.tokens()
        final += settled
        shown.append(len(still_open))
    assert max(shown) > 2
    assert bool(final) == bool(pauses)
    final += window.end()
    assert "".join(token.text for token in final) == reader.recognize(repair(sequence)).text
    assert len(window.kept) == 0


def test_nothing_is_read_where_no_hand_is_seen(streaming: Any) -> None:
    _, reader = streaming
    nothing = LandmarkSequence(np.full((9, 543, 3), np.nan, np.float32), np.arange(9) / 20)
    found = reader.recognize(nothing)
    assert (found.text, found.tokens, found.hand_rate) == ("", (), 0.0)
    assert "no hand found" in found.warnings


@pytest.mark.parametrize("method", ["classify", "rank"])
def test_a_phrase_is_no_label(streaming: Any, method: str) -> None:
    with pytest.raises(ConfigError, match="reads phrases, no label") as caught:
        getattr(streaming[1], method)(clip())
    assert caught.value.hint == "use recognize"


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
    tokens, _ = spell(spellers, points, limit=12)
    spelled = reader.reader.graphs.read(sequence.points)
    assert spelled.text == reader.reader.graphs.characters.decode(tokens[0].numpy())
    with torch.no_grad():
        sure = np.mean([float(one.trust(one.encode_selected(points)[0])) for one in spellers])
    assert spelled.confidence == pytest.approx(1 / (1 + np.exp(-sure)), abs=1e-4)
    found = reader.recognize(sequence)
    assert found.text == spelled.text
    starts = [token.start_s for token in found.tokens]
    assert starts == sorted(starts)
    assert starts[0] == pytest.approx(0.25)
    assert found.tokens[-1].end_s == pytest.approx(39 / 20)


def spelled_twice(gone: int, place: float) -> LandmarkSequence:
    """Return a hand, frames without one, and a hand, 20 a second; it went down before by so many of its heights."""
    points = np.full((60, 543, 3), np.nan, np.float32)
    points[:, 522:543] = torch.rand(60, 21, 3, generator=torch.Generator().manual_seed(1)).numpy() * 0.1
    points[27:30, 522:543, 1] += 0.1 * place
    gap = np.full((gone, 543, 3), np.nan, np.float32)
    both = np.concatenate([points[:30], gap, points[30:]])
    return LandmarkSequence(both, np.arange(len(both)) / 20, aspect=1.0)


@pytest.mark.parametrize(("gone", "place", "phrases"), [(15, 2, 1), (25, 0, 1), (25, 2, 2), (35, 0, 2)])
def test_a_lowered_hand_ends_a_phrase_before_a_lost_one_does(
    streaming: Any, gone: int, place: float, phrases: int
) -> None:
    _, reader = streaming
    sequence = spelled_twice(gone, place)
    assert len(reader.read_landmarks(sequence).phrases) == phrases
    window = SpellingWindow(reader.reader, "auto")
    ended = 0
    for points, time_s in zip(sequence.points, sequence.times_s, strict=True):
        window.push(points, time_s, 1.0)
        window.tokens()
        ended += not len(window.kept)
    assert bool(ended) == (phrases == 2)
