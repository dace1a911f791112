"""The encoder of fingerspelling: sizes as published, each part against a slow reference, padding."""

from __future__ import annotations

import math

import pytest

torch = pytest.importorskip("torch")

from made_points import count  # noqa: E402
from signary.features.spelling import SpellingPoints, normalize_part  # noqa: E402
from signary.models.attention import RelativeAttention, RotaryAttention, distance_places, rotary_places  # noqa: E402
from signary.models.blocks import FrameNorm  # noqa: E402
from signary.models.squeezeformer import ConvModule, PostNorm, SqueezeBlock, Squeezeformer  # noqa: E402
from signary.models.stem import Branch, Stem  # noqa: E402

CPU = torch.device("cpu")


def valid(*lengths: int) -> torch.Tensor:
    return torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]


def test_stems_have_the_published_sizes() -> None:
    assert count(Stem(130, width=144)) == 300_736
    stem = Stem(130, width=208, parts=SpellingPoints().groups)
    assert count(stem.all) == 433_984
    assert {part: count(branch) for part, branch in stem.parts.items()} == {
        "left_hand": 19_336,
        "right_hand": 19_336,
        "face": 64_264,
        "pose": 11_016,
    }


@pytest.mark.parametrize(("width", "attention", "size"), [(144, "relative", 260_640), (208, "rotary", 491_712)])
def test_blocks_have_the_published_sizes(width: int, attention: str, size: int) -> None:
    block = SqueezeBlock(width, heads=4, kernel=51, attention=attention, ahead=25)
    attend = 5 * width**2 + 6 * width if attention == "relative" else 4 * width**2
    assert count(block) == size and count(block.attention.branch) == attend
    assert count(block.first.branch) == count(block.second.branch) == 2 * (width**2 + width)
    assert count(block.conv.branch) == 3 * width**2 + 3 * width + 51 * width + 2 * width


def test_a_branch_convolves_over_frames_and_points() -> None:
    torch.manual_seed(0)
    branch, values = Branch(7, 3, 5), torch.randn(2, 6, 7, 3)
    found = branch(values, None)
    image = torch.nn.functional.conv2d(values.permute(0, 3, 1, 2), branch.conv.weight, stride=(1, 2), padding=1)
    image = torch.nn.functional.silu(torch.nn.BatchNorm2d(32)(image))
    flat = image.permute(0, 2, 3, 1).reshape(12, 4 * 32) @ branch.project.weight.T
    torch.testing.assert_close(found.reshape(12, 5), torch.nn.BatchNorm1d(5)(flat), atol=1e-4, rtol=1e-4)


def test_a_stem_adds_the_parts_side_by_side() -> None:
    torch.manual_seed(0)
    stem = Stem(6, width=5, parts={"left": [0, 2], "right": [1, 3, 5]}).eval()
    values = torch.randn(1, 4, 6, 3)
    parts = [stem.parts[part](normalize_part(values[:, :, stem.places[part]]), None) for part in ("left", "right")]
    assert [part.shape[-1] for part in parts] == [2, 3]
    torch.testing.assert_close(stem(values, None), stem.all(values, None) + torch.cat(parts, -1))


def test_normalization_takes_pictures_as_well_as_frames() -> None:
    torch.manual_seed(0)
    frames, kept = torch.randn(3, 6, 4, 8), torch.rand(3, 6) < 0.6
    norm, plain = FrameNorm(8, eps=1e-5, momentum=0.1), torch.nn.BatchNorm1d(8)
    found = norm(torch.where(kept[..., None, None], frames, 1e4), kept)
    torch.testing.assert_close(found[kept].flatten(0, 1), plain(frames[kept].flatten(0, 1)))
    assert (found[~kept] == 0).all()
    torch.testing.assert_close(norm.running_mean, plain.running_mean)
    torch.testing.assert_close(norm.running_var, plain.running_var)
    before = norm.running_mean.clone()
    assert torch.isfinite(FrameNorm(8)(frames[:1, :1, 0])).all() and torch.equal(before, norm.running_mean)


def test_rotary_attention_turns_features_by_their_place() -> None:
    torch.manual_seed(0)
    attention, frames, kept = RotaryAttention(16, 2), torch.randn(2, 5, 16), valid(5, 3)
    found = attention(frames, rotary_places(5, 8, CPU), kept[:, None, None])
    query, key, value = attention.qkv(frames).reshape(2, 5, 3, 2, 8).permute(2, 0, 3, 1, 4)
    turn = torch.polar(torch.ones(5, 4), torch.outer(torch.arange(5.0), 10000.0 ** (-torch.arange(4) / 4)))
    query, key = (torch.complex(*part.chunk(2, -1)) * turn for part in (query, key))
    scores = (query @ key.conj().transpose(-1, -2)).real / math.sqrt(8)
    shares = scores.masked_fill(~kept[:, None, None], -torch.inf).softmax(-1)
    torch.testing.assert_close(found, attention.mix((shares @ value).transpose(1, 2).flatten(2)))


def test_relative_attention_weighs_distances() -> None:
    torch.manual_seed(0)
    attention, frames, kept = RelativeAttention(8, 2).eval(), torch.randn(2, 5, 8), valid(5, 3)
    found = attention(frames, distance_places(5, 8, CPU), kept[:, None, None])
    query, key, value = attention.qkv(frames).reshape(2, 5, 3, 2, 4).permute(2, 0, 3, 1, 4)
    scores = torch.zeros(2, 2, 5, 5)
    for i in range(5):
        for j in range(5):
            rates = [10000 ** (-2 * pair / 8) for pair in range(4)]
            wave = torch.tensor([f((i - j) * rate) for rate in rates for f in (math.sin, math.cos)])
            place = attention.distances(wave).reshape(2, 4)
            content = ((query[:, :, i] + attention.content_bias) * key[:, :, j]).sum(-1)
            scores[:, :, i, j] = content + ((query[:, :, i] + attention.distance_bias) * place).sum(-1)
    shares = (scores / 2).masked_fill(~kept[:, None, None], -torch.inf).softmax(-1)
    expected = attention.mix((shares @ value).transpose(1, 2).flatten(2))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_the_convolution_gates_and_normalizes() -> None:
    torch.manual_seed(0)
    module, frames = ConvModule(6, 5, ahead=2, dropout=0.0), torch.randn(2, 9, 6)
    gate, opened = module.widen(frames).chunk(2, -1)
    hidden = torch.nn.functional.conv1d(
        (gate * opened.sigmoid()).transpose(1, 2), module.around.weight, padding=2, groups=6
    )
    hidden = torch.nn.BatchNorm1d(6)(hidden).transpose(1, 2)
    torch.testing.assert_close(module(frames, None), module.narrow(torch.nn.functional.silu(hidden)))


def test_branches_are_scaled_added_and_normalized() -> None:
    torch.manual_seed(0)
    post, frames = PostNorm(4, torch.nn.Linear(4, 4)), torch.randn(2, 3, 4)
    torch.nn.init.normal_(post.scale)
    torch.nn.init.normal_(post.bias)
    summed = frames + post.branch(frames * post.scale + post.bias)
    torch.testing.assert_close(post(frames), torch.nn.functional.layer_norm(summed, (4,)))


@pytest.mark.parametrize("options", [{"attention": "rotary"}, {"attention": "relative"}, {"past": 8, "ahead": 2}])
def test_padding_does_not_leak_in_training_and_reading(options: dict[str, object]) -> None:
    torch.manual_seed(0)
    encoder = Squeezeformer(16, depth=2, heads=2, kernel=9, dropout=0.0, **options)
    for name, parameter in encoder.named_parameters():
        if name.endswith(("scale", "bias")):  # as if trained: the leak would come through the biases
            torch.nn.init.normal_(parameter)
    lengths = (20, 12, 1)
    frames = torch.randn(3, 20, 16)
    longer = torch.cat([frames, torch.randn(3, 30, 16) * 100], 1)
    later = torch.nn.functional.pad(valid(*lengths), (0, 30))
    short = encoder(frames, valid(*lengths))
    torch.testing.assert_close(encoder(longer, later)[:, :20], short, atol=1e-5, rtol=0)
    encoder.eval()
    together = encoder(longer, later)
    for row, frame_count in zip(range(3), lengths, strict=True):
        alone = encoder(frames[row : row + 1, :frame_count])[0]
        torch.testing.assert_close(together[row, :frame_count], alone, atol=1e-5, rtol=0)
    assert (together[~later] == 0).all()


def test_looking_ahead_is_limited_where_asked_for() -> None:
    torch.manual_seed(0)
    encoder = Squeezeformer(16, depth=3, heads=2, kernel=9, past=8, ahead=2).eval()
    for block in encoder.blocks:
        torch.nn.init.normal_(block.conv.branch.around.weight)
    frames = torch.randn(1, 40, 16)
    changed = frames.clone()
    changed[:, 26:] = 9 * torch.randn(1, 14, 16)
    before, after = encoder(frames), encoder(changed)
    torch.testing.assert_close(before[:, :20], after[:, :20], atol=1e-6, rtol=0)
    assert (before[:, 20] - after[:, 20]).abs().max() > 1e-5
