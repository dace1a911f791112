"""Trainings that start from the weights of a bundle."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnxscript")

from signary.bundles.bundle import load_bundle  # noqa: E402
from signary.bundles.weights import graph_weights  # noqa: E402
from signary.errors import ConfigError, ModelNotFound  # noqa: E402
from signary.export.spelling import export_ctc_graph  # noqa: E402
from signary.graph import Graph  # noqa: E402
from signary.models.hand_speller import HandSpeller  # noqa: E402
from signary.training.pack import with_credits  # noqa: E402
from signary.training.recipes.load import load_recipe  # noqa: E402
from signary.training.recipes.recipe import Credit  # noqa: E402
from signary.training.recipes.spelling import SpellingRecipe  # noqa: E402
from signary.training.spelling.start import first_network  # noqa: E402
from signary.training.train import train  # noqa: E402


def recipe(**fields: object) -> SpellingRecipe:
    found = load_recipe("spelling-hands", fields)
    assert isinstance(found, SpellingRecipe)
    return found


def test_a_graph_gives_back_the_weights_of_each_network(tmp_path: Path) -> None:
    torch.manual_seed(0)
    networks = [HandSpeller(6, width=8, inner=8, depth=1).eval() for _ in range(2)]
    for network in networks:
        for value in network.parameters():
            torch.nn.init.normal_(value, 0, 0.3)  # equal weights would be merged in the graph
    export_ctc_graph(networks, tmp_path / "model.onnx")
    weights = graph_weights(tmp_path / "model.onnx")
    for number, network in enumerate(networks):
        for name, value in network.state_dict().items():
            np.testing.assert_array_equal(weights[f"networks.{number}.{name}"], value.numpy(), err_msg=name)


def test_the_bundled_reader_is_a_network_again() -> None:
    network = first_network(recipe(init_from="spelling"), member=1).eval()
    points = torch.rand(40, 543, 3)
    graph = Graph(load_bundle("spelling").graph_path("model"))
    with torch.no_grad():
        expected = network(points)[0][0]
    found = torch.from_numpy(graph.run(points=points.numpy())["log_probabilities"])
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"init_from": "letters"}, r"letters: no weights for the layer stem\."),
        ({"init_from": "spelling", "width": 32}, r"spelling: layer stem\.\S+ has .* must have"),
        ({"init_from": "spelling", "network": "speller-ctc"}, "init_from=spelling: speller-ctc cannot go on"),
    ],
)
def test_another_network_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        first_network(recipe(**fields))
    assert caught.value.hint


def test_no_such_bundle_is_told() -> None:
    with pytest.raises(ModelNotFound, match="speling"):
        first_network(recipe(init_from="speling"))


def test_what_was_learned_before_is_credited_once() -> None:
    own = [Credit(name="mine", licence="CC0"), Credit(name="davidlee", licence="public domain")]
    names = [credit.name for credit in with_credits("spelling", own)]
    assert names[:2] == ["mine", "davidlee"]
    assert {"synthetic", "gislr"} < set(names)
    assert names.count("davidlee") == 1
    assert with_credits("", own) == own


@pytest.mark.slow
def test_a_run_is_learned_on_from(tmp_path: Path) -> None:
    tiny = {"steps": "1", "batch": "2", "width": "8", "inner": "8", "depth": "1"}
    train("spelling-hands", data=Path("synthetic"), output=tmp_path / "one", overrides=tiny)
    more = tiny | {"init_from": str(tmp_path / "one"), "learning_rate": "1e-9", "average": "0"}
    train("spelling-hands", data=Path("synthetic"), output=tmp_path / "two", overrides=more)
    one, two = (graph_weights(tmp_path / name / "bundle" / "model.onnx") for name in ("one", "two"))
    np.testing.assert_allclose(one["networks.0.head.weight"], two["networks.0.head.weight"], atol=1e-6)
    assert not np.allclose(one["networks.0.head.weight"], first_network(recipe(**tiny)).head.weight.detach().numpy())
