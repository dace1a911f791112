"""Videos into a store of features: once, continued, and made anew for another network."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("lightning")

import torch

from signary.datasets.readers.reader import Options
from signary.datasets.stores.describe import describe_features
from signary.datasets.stores.features import FeatureStore
from signary.errors import ConfigError, InputError, ModelNotFound
from signary.models.inception import InceptionV3
from signary.models.video import Backbone
from signary.training.videos.backbones import arrays_of, backbone_of, open_backbone, random_backbone
from signary.training.videos.features import Sampling, prepare_features, seen
from signary.training.videos.weights import check_sha256
from signary.video.sample import sample_clip
from signary.video.write import write_video

SIDE = 32
SMALL = Sampling(frames=4)


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    return random_backbone("compact", side=SIDE)


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Write five clips: one of a single frame, one of 120 frames a second, and a file that is no video."""
    folder = tmp_path / "set"
    random = np.random.default_rng(0)
    for name, frames, fps in (("a/1", 9, 25), ("a/2", 1, 25), ("b/1", 30, 120), ("b/2", 12, 25), ("c/1", 8, 25)):
        path = folder / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, random.integers(0, 256, (frames, 48, 80, 3), np.uint8), fps)
    (folder / "c" / "2.mp4").write_bytes(b"no video")
    return folder


def opened(store: FeatureStore | None) -> FeatureStore:
    assert store is not None
    return store


def test_features_are_those_of_the_frames(videos: Path, tmp_path: Path, backbone: Backbone) -> None:
    made = prepare_features("clips", videos, tmp_path / "store", backbone, sampling=Sampling(4, "crop", draws=2))
    store = opened(made.store)
    assert (len(store), store.frames, store.width, made.kept) == (5, 4, 176, 0)
    assert np.load(tmp_path / "store" / "features.npy", mmap_mode="r").dtype == np.float16
    assert store.column("label").tolist() == ["a", "a", "b", "b", "c"]
    (refused,) = made.refused
    assert "2.mp4" in refused.message and refused.hint
    clip = sample_clip(videos / "b" / "1.mp4", 4, side=SIDE, fit="crop", draws=2)
    np.testing.assert_allclose(store.load([2])[0], seen(backbone, clip)[0], atol=2e-3)
    np.testing.assert_allclose(store.load([2, 2], [2, 0])[0], seen(backbone, clip)[2], atol=2e-3)
    assert not np.array_equal(store.load([2], [1]), store.load([2]))
    assert describe_features(store)["labels"] == {"a": 2, "b": 2, "c": 1}
    again = backbone_of("compact", store.weights(), side=store.about["backbone"]["side"])
    assert again.sha256() == backbone.sha256() == store.about["backbone"]["sha256"]


def test_a_finished_store_stays_and_another_network_makes_all_anew(
    videos: Path, tmp_path: Path, backbone: Backbone
) -> None:
    (videos / "c" / "2.mp4").unlink()
    target = tmp_path / "store"
    first = opened(prepare_features("clips", videos, target, backbone, sampling=SMALL).store)
    written = (target / "features.npy").stat().st_mtime_ns
    assert prepare_features("clips", videos, target, backbone, sampling=SMALL).kept == 5
    assert (target / "features.npy").stat().st_mtime_ns == written
    before = first.load([0])
    other = random_backbone("compact", 1, side=SIDE)
    made = prepare_features("clips", videos, target, other, sampling=SMALL)
    assert made.kept == 0
    assert not np.allclose(opened(made.store).load([0]), before)
    assert prepare_features("clips", videos, target, other, sampling=Sampling(5)).kept == 0


def test_a_stopped_run_continues(videos: Path, tmp_path: Path, backbone: Backbone) -> None:
    (videos / "c" / "2.mp4").unlink()
    target = tmp_path / "store"

    def stopped(done: Iterable[None], _: int) -> Iterator[None]:
        for count, one in enumerate(done):
            if count == 3:
                raise KeyboardInterrupt
            yield one

    with pytest.raises(KeyboardInterrupt):
        prepare_features("clips", videos, target, backbone, sampling=SMALL, track=stopped)
    assert not target.exists()
    made = prepare_features("clips", videos, target, backbone, sampling=SMALL)
    assert made.kept == 4
    assert len(opened(made.store)) == 5
    assert not target.with_name("store.partial").exists()


def test_other_folders_stay(videos: Path, tmp_path: Path, backbone: Backbone) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    (target / "photo.txt").write_text("mine")
    for force in (False, True):
        with pytest.raises(InputError, match="mine"):
            prepare_features("clips", videos, target, backbone, sampling=SMALL, force=force)
    assert (target / "photo.txt").read_text() == "mine"
    with pytest.raises(InputError, match="no store of video features"):
        FeatureStore(target)


def test_nothing_to_read(tmp_path: Path, backbone: Backbone) -> None:
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "a" / "1.mp4").write_bytes(b"")
    made = prepare_features("clips", tmp_path / "set", tmp_path / "store", backbone, sampling=SMALL)
    assert made.store is None and "empty" in made.refused[0].message
    with pytest.raises(InputError, match="of d"):
        prepare_features("clips", tmp_path / "set", tmp_path / "s", backbone, options=Options(classes=("d",)))


def test_mirrored_videos(videos: Path, tmp_path: Path, backbone: Backbone) -> None:
    how = Options(mirrored=True, licence="mine", classes=("b",))
    store = opened(prepare_features("clips", videos, tmp_path / "store", backbone, options=how, sampling=SMALL).store)
    clip = sample_clip(videos / "b" / "2.mp4", 4, side=SIDE)[:, :, ::-1]
    np.testing.assert_allclose(store.load([1])[0], seen(backbone, np.ascontiguousarray(clip)), atol=2e-3)
    assert store.column("licence").tolist() == ["mine", "mine"]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a file like torchvision's, under a name without its sha256."""
    torch.manual_seed(0)
    state = {name.removeprefix("trunk."): value for name, value in InceptionV3().state_dict().items()}
    path = tmp_path_factory.mktemp("weights") / "inception.pth"
    torch.save(state | {"fc.weight": torch.rand(10, 2048), "fc.bias": torch.rand(10)}, path)
    return path


class TestWeights:
    def test_a_file_is_taken(self, published: Path) -> None:
        backbone = open_backbone("inception", str(published))
        state = torch.load(published, weights_only=True)
        name = "Mixed_7c.branch_pool.conv.weight"
        assert torch.equal(backbone.state_dict()[f"trunk.trunk.{name}"], state[name])
        features = backbone(torch.full((1, 96, 96, 3), 255, dtype=torch.uint8))
        expected = InceptionV3().eval()
        expected.load_state_dict({f"trunk.{key}": value for key, value in state.items() if "fc." not in key})
        torch.testing.assert_close(features, expected(torch.ones(1, 3, 96, 96)))

    def test_the_sha256_is_checked(self, published: Path, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"sha256 is .*, must be 0cc3c7bd"):
            open_backbone("inception", str(published), sha256="0cc3c7bd")
        named = tmp_path / "inception_v3_google-0cc3c7bd.pth"
        named.write_bytes(b"damaged")
        with pytest.raises(InputError, match="must be 0cc3c7bd"):
            check_sha256(named)
        check_sha256(named.rename(tmp_path / "other.pth"))  # a name without a sha256

    def test_weights_that_cannot_be_fetched_or_read(self, tmp_path: Path) -> None:
        (tmp_path / "text.pth").write_text("text")
        torch.save([1, 2], tmp_path / "list.pth")
        for name, match in (("text", "no readable"), ("list", "no weights by name"), ("none", "no such file")):
            with pytest.raises(InputError, match=match):
                open_backbone("inception", str(tmp_path / f"{name}.pth"))
        with pytest.raises(InputError, match="no weights given"):
            open_backbone("inception")
        with pytest.raises(ModelNotFound, match="resnet"):
            open_backbone("resnet")
        with pytest.raises(InputError, match="no run"):
            open_backbone("compact", str(tmp_path))

    def test_weights_of_another_network(self, tmp_path: Path) -> None:
        torch.save({"layer1.weight": torch.rand(3)}, tmp_path / "resnet.pth")
        with pytest.raises(ConfigError, match=r"layer trunk\.Conv2d_1a_3x3"):
            open_backbone("inception", str(tmp_path / "resnet.pth"))
        with pytest.raises(ConfigError, match="weights of compact"):
            backbone_of("compact", arrays_of(InceptionV3()))

    def test_an_address_is_fetched_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        with pytest.raises(InputError, match="cannot be fetched"):
            open_backbone("inception", "http://127.0.0.1:9/inception-0cc3c7bd.pth")
        assert not list((tmp_path / "cache" / "signary").iterdir())
