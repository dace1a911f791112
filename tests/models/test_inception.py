"""InceptionV3's trunk, and weights of torchvision's names in it."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from made_points import count
from signary.errors import ConfigError
from signary.models.inception import FEATURES, InceptionV3, trunk_weights
from signary.models.weights import load_weights

# some of the names and shapes that torchvision's file has
PUBLISHED = {
    "Conv2d_1a_3x3.conv.weight": (32, 3, 3, 3),
    "Conv2d_4a_3x3.bn.running_var": (192,),
    "Mixed_5b.branch5x5_2.conv.weight": (64, 48, 5, 5),
    "Mixed_5d.branch3x3dbl_3.conv.weight": (96, 96, 3, 3),
    "Mixed_6a.branch3x3.conv.weight": (384, 288, 3, 3),
    "Mixed_6b.branch7x7_2.conv.weight": (128, 128, 1, 7),
    "Mixed_6c.branch7x7dbl_2.conv.weight": (160, 160, 7, 1),
    "Mixed_6e.branch7x7dbl_5.conv.weight": (192, 192, 1, 7),
    "Mixed_7a.branch7x7x3_4.conv.weight": (192, 192, 3, 3),
    "Mixed_7b.branch3x3_2a.conv.weight": (384, 384, 1, 3),
    "Mixed_7b.branch_pool.bn.bias": (192,),
    "Mixed_7c.branch3x3dbl_1.conv.weight": (448, 2048, 1, 1),
    "Mixed_7c.branch3x3dbl_3b.conv.weight": (384, 384, 3, 1),
}


@pytest.fixture(scope="module")
def network() -> InceptionV3:
    torch.manual_seed(0)
    return InceptionV3().eval()


def made_file(network: InceptionV3) -> dict[str, torch.Tensor]:
    """Return weights as torchvision's file names them, with both of its heads."""
    torch.manual_seed(1)
    file = {name.removeprefix("trunk."): torch.rand_like(value.float()) for name, value in network.state_dict().items()}
    return file | {"fc.weight": torch.rand(1000, 2048), "AuxLogits.conv0.conv.weight": torch.rand(128, 768, 1, 1)}


def test_size_and_features(network: InceptionV3) -> None:
    assert count(network) == 21_785_568
    with torch.inference_mode():
        features = network.features(torch.rand(2, 3, 96, 80) * 2 - 1)
    assert features.shape == (2, FEATURES) and torch.isfinite(features).all() and (features >= 0).all()


def test_names_and_shapes_are_torchvisions(network: InceptionV3) -> None:
    own = {name.removeprefix("trunk."): tuple(value.shape) for name, value in network.state_dict().items()}
    assert {name: own[name] for name in PUBLISHED} == PUBLISHED
    assert sum(name.endswith("conv.weight") for name in own) == 94


def test_published_weights_are_taken_and_the_heads_left_out(network: InceptionV3) -> None:
    file = made_file(network)
    taken = InceptionV3()
    load_weights(taken, trunk_weights(file), "made.pth")
    for name in PUBLISHED:
        assert torch.equal(taken.state_dict()[f"trunk.{name}"], file[name])


def test_other_weights_are_refused_by_layer(network: InceptionV3) -> None:
    file = made_file(network)
    short = {name: value for name, value in file.items() if name != "Mixed_6a.branch3x3.bn.bias"}
    with pytest.raises(ConfigError, match=r"made\.pth: no weights for the layer trunk\.Mixed_6a\.branch3x3\.bn\.bias"):
        load_weights(InceptionV3(), trunk_weights(short), "made.pth")
    with pytest.raises(ConfigError, match=r"branch1x1\.conv\.weight has 3 x 3, must have 64 x 192 x 1 x 1"):
        wrong = file | {"Mixed_5b.branch1x1.conv.weight": torch.rand(3, 3)}
        load_weights(InceptionV3(), trunk_weights(wrong), "made.pth")
    with pytest.raises(ConfigError, match=r"layer trunk\.layer4\.0\.weight is not known"):
        load_weights(InceptionV3(), trunk_weights(file | {"layer4.0.weight": torch.rand(3)}), "made.pth")
