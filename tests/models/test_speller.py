"""The networks of fingerspelling: sizes as published, decoding with and without memory, padding, graphs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from made_points import (  # noqa: E402
    FRAMES,
    check_gradients,
    count,
    padded,
    session,
    unseen,
    without_what_is_not_read,
)
from made_points import made as made_points  # noqa: E402
from signary.landmarks.skeleton import LEFT_HAND  # noqa: E402
from signary.models.blocks import FrameNorm  # noqa: E402
from signary.models.decoder import Decoder, DecoderState  # noqa: E402
from signary.models.speller import Speller, SpellerCTC, reversed_targets, spell  # noqa: E402

PAD, START, END = 8, 9, 10  # of a small network with 8 characters
SMALL: dict[str, Any] = {
    "points": ("left_hand", "right_hand", "left_arm", "right_arm"),
    "width": 16,
    "depth": 2,
    "heads": 2,
    "kernel": 9,
}
VARIANTS: list[dict[str, Any]] = [{}, {"attention": "relative", "parts": False}, {"coordinates": 2, "unseen": True}]


made = partial(made_points, hands=(LEFT_HAND,))


def used(network: torch.nn.Module) -> Any:
    """Return a network that differs from a new one, as if trained, ready to read."""
    torch.manual_seed(1)
    for name, parameter in network.named_parameters():
        if name.endswith("bias") or "norm" in name or name.endswith("scale"):
            torch.nn.init.normal_(parameter, 1.0 if parameter.mean() > 0.5 else 0.0, 0.3)
    with torch.no_grad():
        network.train()
        for seed in range(4):
            network.encode(*padded([made(30, seed), made(12, seed + 9)]))
    return network.eval()


def small(**options: Any) -> Speller:
    torch.manual_seed(0)
    speller = used(Speller(12, hidden=32, **(SMALL | options)))
    for parameter in speller.decoder.parameters():  # at its start the clip hardly counts
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.4)
    return speller


def ctc(**options: Any) -> SpellerCTC:
    torch.manual_seed(0)
    return used(SpellerCTC(8, **(SMALL | {"past": 8} | options)))


def statistics(module: torch.nn.Module) -> int:
    norms = [layer for layer in module.modules() if isinstance(layer, FrameNorm)]
    return sum(buffer.numel() for norm in norms for buffer in norm.buffers())


def test_the_networks_have_the_published_sizes() -> None:
    speller = Speller()
    assert (count(speller), speller.inference_parameters) == (9_736_305, 8_584_209)
    assert count(speller.stem) == 433_984 + 2 * 19_336 + 64_264 + 11_016
    assert (count(speller.encoder), statistics(speller)) == (6_883_968, 7_000)
    assert (count(speller.decoder), count(speller.reversed), count(speller.confidence)) == (1_152_096, 1_152_096, 209)
    first = Speller.small()
    assert (count(first), first.inference_parameters, statistics(first)) == (2_515_040, 2_515_040, 2_088)
    assert (count(first.stem), count(first.encoder), count(first.decoder)) == (300_736, 1_563_840, 650_464)
    assert first.reversed is None and first.confidence is None
    assert all(parameter.requires_grad for network in (speller, first) for parameter in network.parameters())


def test_the_streaming_network_is_small_and_looks_ahead_a_little() -> None:
    reader = SpellerCTC()
    assert count(reader) == 1_388_764 < 2_000_000
    assert (reader.look_ahead, reader.blank, reader.head.out_features) == (13, 59, 60)


def test_shapes_of_a_batch() -> None:
    speller = Speller(points=("left_hand", "right_hand"), depth=1).eval()
    points, lengths = padded([made(400), made(9)])
    tokens = torch.randint(0, 59, (2, 33))
    memory, valid = speller.encode(points, lengths)
    found = speller(points, lengths, tokens, tokens[:, :20])
    assert memory.shape == (2, 384, 208) and valid.sum(1).tolist() == [384, 9]
    assert found.logits.shape == (2, 33, 63) and found.reversed_logits.shape == (2, 20, 63)
    assert found.confidence.shape == (2,)
    torch.testing.assert_close(speller.encode_selected(speller.select(points), lengths)[0], memory)
    torch.testing.assert_close(speller.encode(made(9))[0][0], memory[1, :9], atol=1e-5, rtol=0)


@pytest.mark.parametrize("options", VARIANTS)
@pytest.mark.parametrize("rest", [-100.0, float("nan")])
def test_a_clip_alone_is_read_as_in_a_padded_batch(options: dict[str, Any], rest: float) -> None:
    speller, tokens = small(**options), torch.tensor([[START, 1, 2, 3]])
    clips = [made(frames, seed=frames) for frames in (1, 15, 90, 200, 383, 384, 500)]
    clips.append(unseen(5))
    with torch.no_grad():
        together = speller(*padded(clips, rest), tokens.expand(len(clips), -1))
        order = list(range(len(clips)))[::-1]
        turned = speller(*padded([clips[row] for row in order], rest), tokens.expand(len(clips), -1))
        for row, clip in enumerate(clips):
            alone = speller(clip, None, tokens)
            torch.testing.assert_close(together.logits[row], alone.logits[0], atol=1e-5, rtol=0)
            torch.testing.assert_close(together.confidence[row], alone.confidence[0], atol=1e-5, rtol=0)
    torch.testing.assert_close(turned.logits[order], together.logits, atol=1e-5, rtol=0)
    assert together.logits.std(0).max() > 1e-3


def test_a_clip_alone_is_read_as_in_a_padded_batch_by_the_streaming_network() -> None:
    reader = ctc()
    clips = [made(frames, seed=frames) for frames in (1, 15, 90, 500)]
    with torch.no_grad():
        together, valid = reader(*padded(clips, torch.nan))
        for row, clip in enumerate(clips):
            torch.testing.assert_close(together[row, : len(clip)], reader(clip)[0][0], atol=1e-5, rtol=0)
    assert valid.sum(1).tolist() == [1, 15, 90, 500]
    torch.testing.assert_close(together.exp().sum(-1), torch.ones(4, 500))


def test_what_the_streaming_network_said_stands() -> None:
    reader, points = ctc(), made(80)
    with torch.no_grad():
        whole = reader(points)[0][0]
        for frames in (20, 41):
            sure = frames - reader.look_ahead
            begun = reader(points[:frames])[0][0]
            torch.testing.assert_close(begun[:sure], whole[:sure], atol=1e-5, rtol=0)
            assert (begun[sure:] - whole[sure:frames]).abs().max() > 1e-3


@pytest.mark.parametrize("options", VARIANTS)
def test_decoding_with_memory_says_the_same_at_every_place(options: dict[str, Any]) -> None:
    speller = small(**options)
    points, lengths = padded([made(40), made(7, 1)])
    tokens = torch.cat([torch.full((2, 1), START), torch.randint(0, 12, (2, 32))], 1)
    with torch.no_grad():
        whole = speller(points, lengths, tokens).logits
        state = speller.start(*speller.encode(points, lengths))
        for place in range(33):
            logits, state = speller.step(tokens[:, place], state)
            torch.testing.assert_close(logits, whole[:, place], atol=1e-5, rtol=0)
    assert state.keys.shape == (2, 2, 2, 33, 8) and state.memory_keys.shape == (2, 2, 2, 40, 8)


def test_the_decoder_is_a_transformer_decoder() -> None:
    torch.manual_seed(0)
    decoder = Decoder(12, 16, heads=2, hidden=32).eval()
    memory, tokens = torch.randn(3, 6, 16), torch.randint(0, 8, (3, 5))
    valid = torch.arange(6) < torch.tensor([6, 4, 1])[:, None]
    rates = torch.exp(torch.arange(8) * (-np.log(10000) / 7))
    angles = (PAD + 1 + torch.arange(5))[:, None] * rates
    frames = decoder.embed(tokens) * 4 + torch.cat([angles.sin(), angles.cos()], 1)
    keys, values = decoder.memory.weight.chunk(2)
    for number, layer in enumerate(decoder.layers):
        plain = torch.nn.TransformerDecoderLayer(16, 2, 32, batch_first=True, norm_first=True).eval()
        clip = torch.cat([layer.query.weight, keys.chunk(2)[number], values.chunk(2)[number]])
        pairs = [(plain.self_attn.in_proj_weight, layer.qkv.weight), (plain.multihead_attn.in_proj_weight, clip)]
        for own, other in [
            (plain.self_attn.out_proj, layer.mix),
            (plain.multihead_attn.out_proj, layer.mix_memory),
            (plain.linear1, layer.expand),
            (plain.linear2, layer.shrink),
        ]:
            pairs += [(own.weight, other.weight), (own.bias, other.bias)]
        with torch.no_grad():
            for own, weights in pairs:
                own.copy_(weights)
            future = torch.nn.Transformer.generate_square_subsequent_mask(5)
            frames = plain(frames, memory, tgt_mask=future, memory_key_padding_mask=~valid)
    expected = torch.nn.functional.layer_norm(frames, (16,)) @ decoder.head.weight.T
    torch.testing.assert_close(decoder(tokens, decoder.start(memory, valid))[0], expected, atol=1e-5, rtol=1e-5)


def test_padding_is_no_token_and_is_not_learned() -> None:
    decoder = Decoder(12, 16)
    assert (decoder.embed.weight[PAD] == 0).all() and abs(decoder.embed.weight[:PAD].std().item() - 0.02) < 0.005
    state = decoder.start(torch.randn(1, 4, 16), torch.ones(1, 4, dtype=torch.bool))
    decoder(torch.tensor([[START, 3, PAD, PAD]]), state)[0].sum().backward()
    gradient = decoder.embed.weight.grad
    assert (gradient[PAD] == 0).all() and (gradient[3] != 0).any()


def learned(text: Sequence[int]) -> Speller:
    """Return a network that says one text, whatever the clip: its tokens follow one another."""
    speller = small()
    decoder = speller.decoder
    with torch.no_grad():
        for layer in decoder.layers:
            for last in (layer.mix, layer.mix_memory, layer.shrink):
                last.weight.zero_(), last.bias.zero_()
        decoder.norm.weight.fill_(1), decoder.norm.bias.zero_(), decoder.head.weight.zero_()
        decoder.embed.weight.copy_(torch.eye(12, 16) * 50)
        for before, after in zip([START, *text], text, strict=False):
            decoder.head.weight[after, before] = 9.0
    return speller


def test_spelling_stops_behind_the_end_and_says_so() -> None:
    speller = learned([3, 1, 2, END])
    points = speller.select(padded([made(9), made(5)])[0])
    tokens, ended = spell([speller], points, torch.tensor([9, 5]))
    assert tokens.tolist() == [[3, 1, 2, END]] * 2 and ended.all()
    tokens, ended = spell([speller], points, limit=3)
    assert tokens.tolist() == [[3, 1, 2]] * 2 and not ended.any()
    tokens, ended = spell([learned([4, 5, 4])], points[:1])
    assert tokens.shape == (1, 33) and not ended.any() and END not in tokens


def test_texts_of_clips_are_learned_and_padded_where_others_go_on() -> None:
    torch.manual_seed(0)
    speller = Speller(12, hidden=32, **SMALL, dropout=0.0, attention_dropout=0.0).train()
    points, lengths = padded([speller.select(made(20, seed)) for seed in range(3)])
    targets = torch.tensor([[2, END, PAD, PAD], [3, 4, 3, END], [5, 1, END, PAD]])
    tokens = torch.cat([torch.full((3, 1), START), targets[:, :-1]], 1)
    optimizer = torch.optim.AdamW(speller.parameters(), 3e-3)
    for _ in range(150):
        memory, valid = speller.encode_selected(points, lengths)
        logits = speller.teach(memory, valid, tokens).logits
        loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    found, ended = spell([speller.eval()], points, lengths)
    assert torch.equal(found, targets) and ended.all()


def test_several_networks_are_averaged_at_each_token() -> None:
    weak, strong = learned([1, 2, END]), learned([3, 4, END])
    with torch.no_grad():
        strong.decoder.head.weight.mul_(2)
    points = weak.select(made(6))[None]
    assert spell([weak, strong], points)[0].tolist() == [[3, 4, END]]
    assert spell([weak, weak], points)[0].tolist() == [[1, 2, END]]


def test_texts_are_turned_around_before_their_end() -> None:
    targets = torch.tensor([[0, 1, 2, END, PAD, PAD], [5, END, PAD, PAD, PAD, PAD], [END, PAD, PAD, PAD, PAD, PAD]])
    turned = reversed_targets(targets, pad=PAD)
    assert turned[0].tolist() == [2, 1, 0, END, PAD, PAD] and torch.equal(turned[1:], targets[1:])
    assert torch.equal(reversed_targets(turned, pad=PAD), targets)


@pytest.mark.parametrize("options", VARIANTS)
def test_results_are_finite_whatever_is_missing(options: dict[str, Any]) -> None:
    readers = (small(**options), ctc(coordinates=options.get("coordinates", 3)))
    tokens = torch.tensor([[START, 1]])
    still, nothing = made(1).expand(9, -1, -1), unseen(3)
    with torch.no_grad():
        for points in (made(1), nothing, still, torch.full((4, 543, 3), 0.4), made(5000)):
            assert all(torch.isfinite(part).all() for part in readers[0](points, None, tokens, tokens))
            assert torch.isfinite(readers[1](points)[0]).all()
        training = readers[0].train()(torch.stack([nothing, nothing]), torch.tensor([0, 3]), tokens.expand(2, -1))
        assert torch.isfinite(training.logits).all()


def test_points_that_are_not_read_do_not_matter() -> None:
    for reader in (small(coordinates=2), ctc(coordinates=2)):
        points = made(30)
        others = without_what_is_not_read(points, reader)
        torch.testing.assert_close(reader.encode(points), reader.encode(others), atol=0, rtol=0)


@pytest.mark.parametrize("options", VARIANTS)
def test_gradients_reach_every_parameter(options: dict[str, Any]) -> None:
    speller, reader = small(**options).train(), ctc(parts=True).train()
    batch, lengths = padded([made(30, 0), made(8, 1), made(20, 2), made(1, 3)])
    tokens = torch.arange(12).reshape(1, 12).repeat(4, 1)
    found = speller(batch, lengths, tokens, tokens)
    targets = tokens.flatten()
    loss = sum(torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets) for logits in found[:2])
    (loss + found.confidence.square().mean()).backward()
    log_probabilities = reader(batch, lengths)[0].transpose(0, 1)
    texts = torch.tensor([[1, 2], [3, 3], [0, 7], [4, 5]])
    torch.nn.functional.ctc_loss(
        log_probabilities, texts, lengths, torch.tensor([2, 1, 2, 1]), blank=reader.blank
    ).backward()
    for network in (speller, reader):
        check_gradients(network)


@pytest.mark.parametrize("network", [small, ctc])
def test_half_precision_reads_alike(network: Any) -> None:
    reader = network()
    points, lengths = padded([made(40), made(7, 1)])
    with torch.no_grad():
        exact = reader.encode(points, lengths)[0]
        with torch.autocast("cpu", dtype=torch.bfloat16):
            rough = reader.encode(points, lengths)[0]
            reader.train().encode(points, lengths)
    assert (rough.float() - exact).abs().mean() < 0.05 * exact.abs().mean()


class EncoderGraph(torch.nn.Module):
    """A clip to what decoding starts with."""

    def __init__(self, speller: Speller) -> None:
        super().__init__()
        self.speller = speller

    def forward(self, points: torch.Tensor) -> tuple[torch.Tensor, ...]:
        memory, valid = self.speller.encode(points)
        return *self.speller.start(memory, valid)[2:], self.speller.trust(memory)


class StepGraph(torch.nn.Module):
    """A token and what is remembered to the next token's logits."""

    def __init__(self, speller: Speller) -> None:
        super().__init__()
        self.speller = speller

    def forward(self, token: torch.Tensor, *state: torch.Tensor) -> tuple[torch.Tensor, ...]:
        logits, after = self.speller.step(token, DecoderState(*state))
        return logits, after.keys, after.values


CLIPS = [*(made(frames, seed=frames) for frames in (1, 2, 7, 100, 384, 385, 1500)), unseen(4)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("options", VARIANTS[:2])
def test_the_graphs_say_what_the_network_says(options: dict[str, Any]) -> None:
    speller = small(depth=1, **options)
    dim = torch.export.Dim
    encoder = session(EncoderGraph(speller), (made(9),), ("points",), (FRAMES,))
    state = speller.start(*speller.encode(made(9)))
    for _ in range(3):
        _, state = speller.step(torch.tensor([1]), state)
    past, frames = dim("past", min=0), dim("frames", min=1)
    axes = ({}, ({3: past}, {3: past}, {3: frames}, {3: frames}, {1: frames}))
    names = ("token", *DecoderState._fields)
    step = session(StepGraph(speller), (torch.tensor([2]), *state), names, axes)
    tokens = [START, *range(8)]
    for points in CLIPS:
        with torch.no_grad():
            expected = speller(points, None, torch.tensor([tokens]))
        *clip, confidence = encoder.run(None, {"points": points.numpy()})
        np.testing.assert_allclose(confidence, expected.confidence.numpy(), atol=1e-4)
        past_keys = past_values = np.zeros((2, 1, 2, 0, 8), np.float32)
        for place, token in enumerate(tokens):
            given = dict(zip(names, (np.array([token]), past_keys, past_values, *clip), strict=True))
            logits, past_keys, past_values = step.run(None, given)
            np.testing.assert_allclose(logits[0], expected.logits[0, place].numpy(), atol=1e-4)


@pytest.mark.filterwarnings("ignore")
def test_the_graph_of_the_streaming_network_says_what_it_says() -> None:
    reader = ctc(depth=1, parts=True)
    graph = session(reader, (made(9),), ("points",), (FRAMES,))
    for points in CLIPS:
        found, _ = graph.run(None, {"points": points.numpy()})
        np.testing.assert_allclose(found, reader(points)[0].detach().numpy(), atol=1e-4)
