"""Networks of pictures: their sizes, shapes and what they stand."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

import torch

from made_points import count
from signary.features.picture import PictureFeatures, picture_statistics
from signary.models.compact import CompactNet
from signary.models.dexnet import VERSION_1, VERSION_2, DexNet
from signary.models.perceptron import ACTIVATIONS, INITIALIZATIONS, Perceptron, RowReader
from signary.models.picture import PictureReader


def test_dexnet_has_the_published_sizes() -> None:
    assert count(DexNet(hidden=VERSION_1)) == 12_275_101
    assert count(DexNet(hidden=VERSION_2)) == 5_854_621


def test_dexnets_maps_grow_as_published() -> None:
    maps, sides = torch.rand(1, 3, 200, 200), []
    for layer in DexNet().convolutions:
        maps = layer(maps)
        if not isinstance(layer, torch.nn.ReLU):
            sides.append(maps.shape[-1])
    assert sides == [49, 24, 24, 11, 13, 15, 17, 8]


def test_the_compact_network_is_a_twelfth_of_dexnet() -> None:
    network = CompactNet(3, 29)
    assert count(network) * 12 < count(DexNet())
    assert network(torch.rand(2, 3, 200, 200)).shape == (2, 29)
    assert network.features(torch.rand(2, 3, 131, 77)).shape == (2, network.width)


def test_blocks_start_as_the_identity() -> None:
    deep = CompactNet(1, 4, widths=(8, 16), depths=(1, 2)).eval()
    maps = deep.stages[0](torch.rand(2, 1, 16, 16))
    torch.testing.assert_close(deep.stages[1](maps), maps)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_perceptrons_take_any_activation_and_start(activation: str, initialization: str) -> None:
    network = Perceptron(12, 5, hidden=[7, 6], activations=[activation], initialization=initialization)
    assert network(torch.rand(3, 3, 2, 2)).shape == (3, 5)
    assert count(network) == 12 * 7 + 7 + 7 * 6 + 6 + 6 * 5 + 5


def test_two_classes_share_one_logit() -> None:
    network = Perceptron(4, 2, hidden=[])
    assert count(network) == 5
    logits = network(torch.rand(6, 1, 2, 2))
    assert logits.shape == (6, 2)
    assert (logits[:, 0] == 0).all()


def test_rows_are_read_in_both_directions() -> None:
    network = RowReader(8, 3, width=4).eval()
    pictures = torch.rand(2, 1, 8, 8)
    assert network(pictures).shape == (2, 3)
    assert not torch.allclose(network(pictures), network(pictures.flip(2)))


def test_features_are_normalized_inside() -> None:
    pictures = torch.randint(0, 256, (70, 6, 5, 3), dtype=torch.uint8)
    for grey, channels in ((False, 3), (True, 1)):
        mean, std = picture_statistics(pictures.split(32), grey=grey)
        values = PictureFeatures(mean, std)(pictures)
        assert values.shape == (70, channels, 6, 5)
        torch.testing.assert_close(values.mean((0, 2, 3)), torch.zeros(channels), atol=1e-4, rtol=0)
        torch.testing.assert_close(values.std((0, 2, 3), correction=0), torch.ones(channels), atol=1e-4, rtol=0)


def test_a_picture_alone_is_read_as_in_a_batch() -> None:
    network = PictureReader(CompactNet(3, 5), 32, torch.full((3,), 0.5), torch.ones(3)).eval()
    pictures = torch.randint(0, 256, (4, 32, 32, 3), dtype=torch.uint8)
    alone = torch.cat([network(picture[None]) for picture in pictures])
    torch.testing.assert_close(alone, network(pictures), atol=1e-5, rtol=1e-5)
