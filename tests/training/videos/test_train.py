"""Video recipes: from a store of features to a bundle that reads clips, and transfer to other signs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch

from signary.bundles.bundle import load_bundle
from signary.datasets.clips import Clips
from signary.datasets.stores.features import BACKBONE, FeatureDraft, FeatureStore
from signary.errors import BundleError, ConfigError, InputError
from signary.models.video import Backbone
from signary.recognition.load import load
from signary.training.networks import trainable_parameters, video_network
from signary.training.recipes.load import load_recipe
from signary.training.recipes.videos import VideoRecipe
from signary.training.train import read_metrics, train
from signary.training.videos.backbones import arrays_of, random_backbone
from signary.training.videos.batches import load_videos
from signary.training.videos.start import carried
from signary.training.videos.train import fit_videos, predict_videos

SIDE, FRAMES = 32, 5
MORE = {"width": "16", "dense": "[]", "epochs": "15", "batch": "8", "precision": "'32'", "learning_rate": "0.02"}


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return random_backbone("compact", side=SIDE)


def make_store(path: Path, labels: str, backbone: Backbone, *, seed: int = 0, signers: int = 3) -> Path:
    """Write features of four clips for each signer and label; in each label other features rise."""
    random = np.random.default_rng(seed)
    draft = FeatureDraft(path)
    draft.begin(path.name)
    keys = []
    for place, label in enumerate(labels):
        for number in range(4 * signers):
            features = random.normal(0, 0.3, (2, FRAMES, backbone.width))
            features[..., 5 * place : 5 * place + 5] += np.linspace(0, 3, FRAMES)[:, None]
            name = f"{label}{number}"
            row = {"id": name, "label": label, "signer": f"s{number % signers}", "source": "made", "file": name}
            draft.add(
                name, features.astype(np.float16), row | {"sha256": f"{seed}{place:02d}{number:02d}".ljust(64, "0")}
            )
            keys.append(name)
    about = {"backbone": {"name": "compact", "sha256": backbone.sha256(), "side": SIDE}, "fit": "pad", "frames": FRAMES}
    draft.finish(keys, {"state": path.name, **about}, arrays_of(backbone))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, backbone: Backbone) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make_store(folder / "abc", "abc", backbone)
    make_store(folder / "cdef", "cdef", backbone, seed=1)
    return folder


@pytest.fixture(scope="module")
def run(made: Path) -> Path:
    train("video-lstm", data=made / "abc", output=made / "run", overrides=MORE, fold=1)
    return made / "run"


def recipe(made: Path, store: str = "abc", **more: str) -> tuple[VideoRecipe, Clips]:
    loaded = load_recipe("video-lstm", MORE | more)
    assert isinstance(loaded, VideoRecipe)
    return load_videos(loaded, made / store)[:2]


@pytest.mark.parametrize(
    ("name", "parameters"), [("video-lstm-seed", 21_234_937), ("video-lstm", 127_097), ("video-transformer", 107_001)]
)
def test_published_sizes(name: str, parameters: int) -> None:
    loaded = load_recipe(name)
    assert loaded.parameters == parameters == trainable_parameters(loaded)
    assert (loaded.classes, loaded.needs) == (249, "a store of video features")


@pytest.mark.slow
def test_a_run_reads_a_signer_it_never_saw(run: Path, backbone: Backbone) -> None:
    metrics = read_metrics(run)
    assert (metrics["train"]["n"], metrics["validation"]["n"], metrics["held_out"]) == (24, 12, "made/s1")
    assert metrics["validation"]["accuracy"] > 0.9
    bundle = load_bundle(run)
    assert (bundle.manifest.input, bundle.manifest.vocabulary) == ("clip", ["a", "b", "c"])
    assert bundle.manifest.recipe["backbone"] == backbone.sha256()
    assert bundle.manifest.training[0].files == 24


@pytest.mark.slow
def test_a_bundle_reads_clips(run: Path) -> None:
    reader = load(run)
    clip = np.random.default_rng(0).integers(0, 256, (30, 48, 64, 3), np.uint8)
    ranked = reader.rank(clip)
    assert sorted(text for text, _ in ranked) == ["a", "b", "c"]
    assert abs(sum(sure for _, sure in ranked) - 1) < 1e-5
    read = reader.recognize(clip)
    assert (read.task, read.frames) == ("signs", 30)
    assert reader.recognize(clip[:1]).frames == 1
    with pytest.raises(ConfigError, match="landmarks"):
        reader.recognize("points.parquet")


@pytest.mark.slow
@pytest.mark.parametrize("freeze", ["none", "backbone", "lstm1", "all"])
def test_transfer(made: Path, run: Path, freeze: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = {"init_from": str(run), "freeze": freeze, "body_rate": "0.001", "epochs": "8"}
    plan, clips = recipe(made, "cdef", **more)
    start = carried(plan)
    assert "3 labels are replaced by 4, 1 of them the same" in capsys.readouterr().err
    network = fit_videos(plan, clips, start=start)
    assert network.head.out_features == 4
    kept = torch.equal(network.state_dict()["layers.lstm1.weight_ih_l0"], start["layers.lstm1.weight_ih_l0"])
    assert kept == (freeze in ("lstm1", "all"))
    assert torch.equal(network.mean, start["mean"])
    assert (predict_videos(network, clips).argmax(1) == np.repeat(np.arange(4), 12)).mean() > 0.5


@pytest.mark.slow
def test_weights_that_do_not_fit(made: Path, run: Path, tmp_path: Path) -> None:
    plan, clips = recipe(made, "cdef", init_from=str(run), width="24")
    with pytest.raises(ConfigError, match=r"layers\.lstm1\.weight_ih_l0 has 64 x 352, must have 96 x 352"):
        fit_videos(plan, clips, start=carried(plan))
    plan, clips = recipe(made, "cdef", init_from=str(run), network="video-gru")
    with pytest.raises(ConfigError, match=r"no weights for the layer layers\.gru1"):
        fit_videos(plan, clips, start=carried(plan))
    with pytest.raises(ConfigError, match="layer backbone"):
        carried(plan.model_copy(update={"backbone": "0" * 64}))
    with pytest.raises(BundleError, match=r"weights\.npz"):
        carried(plan.model_copy(update={"init_from": "letters"}))


def test_separate_learning_rates(made: Path) -> None:
    plan, clips = recipe(made, body_rate="0.000001", epochs="1")
    before = video_network(plan, 3, features=176, frames=FRAMES)
    network = fit_videos(plan, clips, start=before.state_dict())
    moved = {name: (value - before.state_dict()[name]).abs().max() for name, value in network.state_dict().items()}
    assert 0 < moved["layers.lstm1.weight_ih_l0"] < 1e-4


def test_odd_data(made: Path, tmp_path: Path, backbone: Backbone) -> None:
    plan = load_recipe("video-lstm", MORE)
    assert isinstance(plan, VideoRecipe)
    with pytest.raises(InputError, match="no store of video features"):
        load_videos(plan, tmp_path)
    (tmp_path / "two").mkdir()
    make_store(tmp_path / "two" / "abc", "abc", backbone)
    make_store(tmp_path / "two" / "de", "de", random_backbone("compact", 1, side=SIDE), seed=2)
    with pytest.raises(InputError, match="2 networks"):
        load_videos(plan, tmp_path / "two")
    (made_alone := tmp_path / "alone").mkdir()
    store = FeatureStore(make_store(made_alone / "abc", "abc", backbone))
    (store.path / "features.npy").write_bytes(b"short")
    with pytest.raises(InputError, match="damaged"):
        FeatureStore(store.path)
    assert json.loads((store.path / "features.json").read_text())["clips"] == 36
    assert (store.path / BACKBONE).is_file()


def test_clips_of_one_signer(tmp_path: Path, backbone: Backbone) -> None:
    make_store(tmp_path / "few", "ab", backbone, signers=1)
    train("video-lstm", data=tmp_path / "few", output=tmp_path / "run", overrides=MORE | {"epochs": "1"})
    assert "only signer" in read_metrics(tmp_path / "run")["held_out"]
