"""The command line from the user's view."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import yaml
from command import run
from made_files import write_photo
from PIL import Image

import signary
from signary.video.write import write_video


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """Write a photo without a hand."""
    return write_photo(tmp_path / "grey.png")


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, signary.__version__ + "\n", "")


@pytest.mark.parametrize(
    "verb", ["recognize", "landmarks", "train", "evaluate", "recipes", "models", "bench", "doctor"]
)
def test_every_verb_has_help(capsys: pytest.CaptureFixture[str], verb: str) -> None:
    status, out, _ = run(capsys, verb, "--help")
    assert status == 0
    assert verb in out


def test_wrong_use_ends_with_2(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    assert run(capsys, "recognise")[0] == 2
    assert run(capsys, "recognize", str(photo), "--format", "pdf")[0] == 2
    status, _, err = run(capsys, "recognize", str(photo), "--model", "leters")
    assert status == 2
    assert "did you mean 'letters'" in err
    assert "digits" in err


def test_a_photo_without_a_hand(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    status, out, _ = run(capsys, "recognize", str(photo), "--format", "json")
    said = json.loads(out)
    assert status == 0
    assert (said["text"], said["tokens"], said["hand_rate"], said["task"]) == ("", [], 0.0, "letters")
    assert said["warnings"] == ["no hand found"]


def test_a_bad_file_does_not_stop_the_batch(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("not a picture")
    (tmp_path / "empty.mp4").touch()
    names = [str(tmp_path / name) for name in ("text.jpg", "grey.png", "empty.mp4", "missing.png")]
    status, out, err = run(capsys, "recognize", *names, "--format", "json")
    said = json.loads(out)
    assert status == 1
    assert ["error" in one for one in said] == [True, False, True, True]
    assert all(one["error"]["hint"] for one in said if "error" in one)
    assert err.count("error:") == 3
    assert "Traceback" not in err


def test_output_files_keep_the_relative_path(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "B"
    folder.mkdir(parents=True)
    photo.rename(folder / "1.png")
    words = ("recognize", str(tmp_path / "in"), "--format", "srt", "-o", str(tmp_path / "out"))
    assert run(capsys, *words)[0] == 0
    assert (tmp_path / "out" / "B" / "1.srt").exists()
    status, _, err = run(capsys, *words)
    assert status == 1
    assert "--force" in err
    assert run(capsys, *words, "--force")[0] == 0


def test_landmarks_are_kept_and_read_again(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    words = ("landmarks", str(photo), "-o", str(tmp_path / "out"), "--detector", "hands", "--draw")
    status, out, _ = run(capsys, *words)
    assert (status, out.split()[0]) == (0, "1")
    (kept,) = (tmp_path / "out").rglob("*.parquet")
    assert signary.read_landmarks(kept).points.shape == (1, 543, 3)
    assert list((tmp_path / "out").rglob("*.png"))
    assert "kept" in run(capsys, *words)[2]


def test_a_bundle_with_a_wrong_sha256(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    import shutil

    from signary.bundles.bundle import BUNDLES

    bundle = tmp_path / "altered"
    shutil.copytree(BUNDLES / "letters", bundle)
    (bundle / "README.md").write_text("altered")
    status, _, err = run(capsys, "recognize", str(photo), "--model", str(bundle))
    assert status == 1
    assert "sha256" in err
    (bundle / "model.onnx").unlink()
    assert "lacks model.onnx" in run(capsys, "recognize", str(photo), "--model", str(bundle))[2]


def test_models_and_recipes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    models = json.loads(run(capsys, "models", "--json")[1])
    assert [model["name"] for model in models] == ["digits", "letters", "signs", "spelling"]
    assert [model["score"]["sources"] for model in models] == [2, 7, 10, 4]
    assert [model["scores"][-1]["left_out"] for model in models] == [False] * 4
    recipes = json.loads(run(capsys, "recipes", "--json")[1])
    assert {"digits", "letters"} <= {recipe["name"] for recipe in recipes}


def test_bench_times_every_step(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "bench", "digits", "--runs", "1", "--json")
    said = json.loads(out)
    assert (status, said["model"], said["runs"]) == (0, "digits", 1)
    steps = said["ms_a_frame"]
    assert list(steps) == ["detector", "features and network", "decoding"]
    assert all(0 < took_ms < 10_000 for took_ms in steps.values())
    assert run(capsys, "bench", "--runs", "0")[0] == run(capsys, "bench", "none")[0] == 2


def test_help_is_quick_to_import() -> None:
    code = "import sys, signary.cli.app; print([m for m in ('cv2', 'mediapipe', 'torch', 'av') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_photo_from_stdin(photo: Path) -> None:
    command = [sys.executable, "-m", "signary", "recognize", "-", "--format", "json"]
    done = subprocess.run(command, input=photo.read_bytes(), capture_output=True, check=True)
    assert json.loads(done.stdout)["source"] == "-"


def test_stdin_is_no_folder(capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    for words in (
        ("recognize", str(photo), "-o", "-"),
        ("landmarks", str(photo), "-o", "-"),
        ("evaluate", "letters", "-"),
    ):
        status, _, err = run(capsys, *words)
        assert status == 1
        assert "stdin" in err
        assert "--debug" not in err


@pytest.mark.parametrize("kind", [".png", ".mp4"])
def test_landmarks_of_stdin(photo: Path, tmp_path: Path, kind: str) -> None:
    piped = photo if kind == ".png" else write_video(tmp_path / "clip.mp4", np.zeros((3, 48, 64, 3), np.uint8), 25)
    command = [sys.executable, "-m", "signary", "landmarks", "-", "--detector", "hands", "--draw", "-o", "out"]
    subprocess.run(command, input=piped.read_bytes(), cwd=tmp_path, check=True, capture_output=True)
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"stdin.parquet", f"stdin.drawn{kind}"}


def test_bad_sources_do_not_stop_landmarks(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    names = (str(tmp_path / "none*.jpg"), str(photo), str(tmp_path / "missing.mp4"))
    status, out, err = run(capsys, "landmarks", *names, "--detector", "hands", "-o", str(tmp_path / "out"))
    assert (status, out.split()[0]) == (1, "1")
    assert [err.count(said) for said in ("error:", "hint:", names[0], names[2])] == [2, 2, 1, 1]
    status, _, err = run(capsys, "landmarks", str(photo), "--detector", "hands", "-o", str(photo))
    assert status == 1
    assert "cannot be written" in err


@pytest.mark.parametrize(
    ("flags", "said"), [(("--max-hands", "7"), "7"), (("--workers", "0"), "workers=0"), (("--format", "txt"), "txt")]
)
def test_wrong_flags_of_landmarks(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path, flags: tuple[str, str], said: str
) -> None:
    status, out, err = run(capsys, "landmarks", str(photo), "-o", str(tmp_path / "out"), *flags)
    assert (status, out) == (2, "")
    assert said in err
    status, _, err = run(capsys, "landmarks", "0", "--draw", "-o", str(tmp_path / "out"))
    assert status == 2
    assert "camera" in err


def test_landmarks_on_ray_need_ray(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    if find_spec("ray") is not None:
        pytest.skip("ray is installed")
    status, out, err = run(capsys, "landmarks", str(photo), "-o", str(tmp_path / "out"), "--engine", "ray")
    assert (status, out) == (1, "")
    assert "pip install 'signary[ray]'" in err
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_does_not_stop_the_batch(
    capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    status, out, err = run(
        capsys, "recognize", str(tmp_path / "empty"), str(tmp_path / "*.jpg"), str(photo), "--format", "json"
    )
    failed, unmatched, read = json.loads(out)
    assert status == 1
    assert (failed["error"]["type"], unmatched["error"]["type"], read["frames"]) == ("InputError", "InputError", 1)
    assert all(said["error"]["hint"] for said in (failed, unmatched))
    assert "no photo, video or landmark file" in err


@pytest.mark.parametrize("flags", [("--max-hands", "7"), ("--fps", "0"), ("--hand", "both")])
def test_wrong_flags_are_wrong_use(capsys: pytest.CaptureFixture[str], photo: Path, flags: tuple[str, str]) -> None:
    status, out, err = run(capsys, "recognize", str(photo), *flags)
    assert (status, out) == (2, "")
    assert flags[1] in err


def test_recipe_fields_are_flags(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    flags = ("--augment.flip", "7", "--dropuot=0.1", "--trainer.max_steps", "5", "-o", str(tmp_path / "run"))
    status, _, err = run(capsys, "train", "digits", "--data", str(tmp_path), *flags)
    assert status == 2
    assert "augment.flip" in err
    assert "dropuot" in err
    assert "steps" not in err


def test_flags_without_a_value_are_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, _, err = run(capsys, "train", "digits", "--dropout", "--steps", "0", "--data", str(tmp_path))
    assert status == 2
    assert "dropout" in err
    assert "steps" in err
    for flags in (("--trainer.max_epochs", "0"), ("--fold", "7"), ("--fold", "x")):
        assert run(capsys, "train", "digits", *flags, "--data", str(tmp_path))[0] == 2


@pytest.mark.slow
def test_training_for_some_epochs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    names = np.array(["A", "B"])[np.arange(64) % 2]
    np.savez(tmp_path / "made.npz", image_px=random.random((64, 21, 3), np.float32), label=names, hand=["Left"] * 64)
    recipe = tmp_path / "tiny.yaml"
    source = "{name: made, path: made.npz, reader: hand-arrays, licence: none}"
    recipe.write_text(f"name: tiny\ntask: letters\nvocabulary: [A, B]\nwidth: 8\nmembers: 1\nsources: [{source}]\n")
    flags = ("--batch", "16", "--trainer.max_epochs", "2", "--fold", "4", "--augment.flip=0.5")
    words = ("train", str(recipe), "--data", str(tmp_path), "-o", str(tmp_path / "run"), *flags)
    status, out, err = run(capsys, *words)
    accuracy, bundle = out.splitlines()
    assert (status, bundle) == (0, f"{tmp_path}/run/bundle"), err
    assert re.fullmatch(r"validation accuracy \d+\.\d\d% \(\d+ of \d+\)", accuracy)
    kept = yaml.safe_load((tmp_path / "run" / "config.yaml").read_text())
    assert (kept["steps"], kept["batch"], kept["augment"]["flip"]) == (8, 16, 0.5)


def test_drawings_are_added_to_landmarks_kept(capsys: pytest.CaptureFixture[str], photo: Path, tmp_path: Path) -> None:
    words = ("landmarks", str(photo), "--detector", "hands", "-o", str(tmp_path / "out"))
    assert run(capsys, *words)[0] == 0
    (kept,) = (tmp_path / "out").rglob("*.parquet")
    before = kept.stat().st_mtime_ns
    status, out, err = run(capsys, *words, "--draw")
    assert (status, out.split()[0], err) == (0, "1", "")
    assert {path.suffix for path in kept.parent.iterdir()} == {".parquet", ".png"}
    assert kept.stat().st_mtime_ns == before
    kept.with_suffix(".drawn.png").unlink()
    kept.unlink()
    assert run(capsys, *words, "--draw")[0] == 0
    assert {path.suffix for path in kept.parent.iterdir()} == {".parquet", ".png"}


def test_a_broken_manifest_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    manifest = tmp_path / "manifest.csv"
    for text, said in ((b"path,label\nb.jpg\n", "line 2"), (b"file,label\nb.jpg,B\n", "path"), (b"\xff\xfe,", "CSV")):
        manifest.write_bytes(text)
        status, _, err = run(capsys, "evaluate", "letters", str(tmp_path))
        assert status == 1
        assert "manifest.csv" in err
        assert said in err


class TestSpell:
    """``signary spell``."""

    @pytest.mark.parametrize("ending", [".mp4", ".gif", ".png", ".parquet", ".npz"])
    def test_every_ending(self, capsys: pytest.CaptureFixture[str], tmp_path: Path, ending: str) -> None:
        path = tmp_path / f"a{ending}"
        status, out, _ = run(capsys, "spell", "a", "-o", str(path), "--size", "96", "--fps", "10")
        assert status == 0
        assert "A" in out
        assert path.stat().st_size > 1000

    @pytest.mark.parametrize(
        ("words", "status", "said"),
        [
            (("",), 1, "nothing to spell"),
            (("h\u00e9 \u00df!",), 1, "'\u00c9!'"),
            (("a", "--speed", "0"), 2, "speed=0"),
            (("a", "--speed", "-1"), 2, "speed=-1"),
            (("a", "--skin", "11"), 2, "skin=11"),
            (("a", "--shapes-of", "nobody"), 1, "keptsecret"),
        ],
    )
    def test_bad_words(
        self, capsys: pytest.CaptureFixture[str], tmp_path: Path, words: tuple[str, ...], status: int, said: str
    ) -> None:
        ended, out, err = run(capsys, "spell", *words, "-o", str(tmp_path / "clip.mp4"))
        assert (ended, out) == (status, "")
        assert said in err
        assert "hint:" in err
        assert not list(tmp_path.iterdir())

    def test_bad_paths(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        status, _, err = run(capsys, "spell", "a", "-o", str(tmp_path / "clip.avi"))
        assert status == 1
        assert ".mp4, .gif, .png, .parquet, .npz" in err
        status, _, err = run(capsys, "spell", "a", "-o", str(tmp_path / "none/clip.mp4"))
        assert status == 1
        assert "no such folder" in err

    def test_unknown_characters_can_be_skipped(self, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
        path = str(tmp_path / "clip.npz")
        status, out, _ = run(capsys, "spell", "a-b \u00e9", "-o", path, "--skip-unknown", "--fps", "5")
        assert status == 0
        assert ": AB," in out


def test_demo_shows_what_was_read(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    clip, sheet = tmp_path / "demo.gif", tmp_path / "demo.png"
    status, out, _ = run(capsys, "demo", "low", "-o", str(clip), "--show", str(sheet), "--json")
    said = json.loads(out)
    assert status == 0
    assert said["wrote"] == "LOW"
    assert said["read"] == "".join(token["text"] for token in said["tokens"]) == "LOW"
    with Image.open(sheet) as picture, Image.open(clip) as film:
        assert picture.width == 3 * picture.height
        assert film.n_frames > 20
