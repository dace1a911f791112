"""Bundles: written whole, found by path or name, and refused when anything in them is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bundle_maker import TRAINED_ON, make_bundle, make_graph, make_manifest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from signary.bundles import bundle as module
from signary.bundles.bundle import bundle_names, describe_bundles, load_bundle
from signary.bundles.write import write_bundle
from signary.digest import sha256_file
from signary.errors import BundleError, InputError, ModelNotFound, SignaryError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_bundle(tmp_path / "demo").path


@pytest.fixture
def bundled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand two bundles in for those that come with the package."""
    home = tmp_path / "bundles"
    home.mkdir()
    make_bundle(home / "letters", name="letters")
    make_bundle(home / "spelling", name="spelling", task="spelling", scores=[], training=[])
    (home / "unfinished").mkdir()
    monkeypatch.setattr(module, "BUNDLES", home)
    return home


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the fields of a ``bundle.json``."""
    file = folder / "bundle.json"
    fields = json.loads(file.read_text())
    change(fields)
    file.write_text(json.dumps(fields))


def refused(path: str | Path) -> BundleError:
    with pytest.raises(BundleError) as caught:
        load_bundle(path)
    error = caught.value
    assert error.hint
    assert "\n" not in error.message
    return error


def test_written_bundle_loads_as_it_was_given(folder: Path) -> None:
    bundle = load_bundle(folder)
    expected = make_manifest()
    assert bundle.path == folder
    assert (bundle.name, bundle.task) == ("demo", "letters")
    assert bundle.manifest.model_copy(update={"files": {}}) == expected
    assert bundle.vocabulary.labels == ("A", "B", "nothing")
    assert bundle.vocabulary.silent == ("nothing",)
    assert bundle.graph_path() == folder / "model.onnx"
    assert bundle.graph_path().read_bytes() == make_graph()
    assert (folder / "README.md").read_text("utf-8") == "# Demo\n\nReads nothing of use; für Tests.\n"


def test_files_lists_the_sha256_of_every_other_file(folder: Path) -> None:
    files = load_bundle(folder).manifest.files
    assert files.keys() == {path.name for path in folder.iterdir()} - {"bundle.json"}
    for name, sha256 in files.items():
        assert sha256 == hashlib.sha256((folder / name).read_bytes()).hexdigest()


def test_sha256_file(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_file(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_copy_is_the_same_bundle(folder: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(folder, tmp_path / "elsewhere" / "copy")
    shutil.rmtree(folder)
    assert load_bundle(copy).manifest.model_copy(update={"files": {}}) == make_manifest()


def test_files_in_folders_and_from_paths(tmp_path: Path) -> None:
    source = tmp_path / "weights.bin"
    source.write_bytes(b"\x00\x01\r\n")
    bundle = make_bundle(tmp_path / "demo", files={"data/weights.bin": source})
    assert (bundle.path / "data" / "weights.bin").read_bytes() == b"\x00\x01\r\n"
    assert load_bundle(bundle.path).manifest.files["data/weights.bin"] == sha256_file(source)


def test_unknown_graph_lists_the_known_ones(folder: Path) -> None:
    with pytest.raises(BundleError, match="'encoder'") as caught:
        load_bundle(folder).graph_path("encoder")
    assert caught.value.hint == "known: model"


def test_trained_on_counts_training_files_only(folder: Path) -> None:
    assert load_bundle(folder).trained_on(iter([TRAINED_ON[1], "b" * 64, TRAINED_ON[1]])) == {TRAINED_ON[1]}
    assert load_bundle(folder).trained_on([]) == set()


def test_trained_on_reads_its_list_once_and_only_when_asked(folder: Path) -> None:
    bundle = load_bundle(folder)
    (folder / "training_files.txt").write_text("b" * 64)
    assert bundle.trained_on([TRAINED_ON[0], "b" * 64]) == {"b" * 64}
    (folder / "training_files.txt").unlink()
    assert bundle.trained_on(["b" * 64]) == {"b" * 64}


def test_trained_on_is_empty_without_a_list(tmp_path: Path) -> None:
    assert make_bundle(tmp_path / "demo", training_files=None).trained_on(TRAINED_ON) == set()


# Finding one


def test_run_folder_and_manifest_are_paths_too(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    make_bundle(tmp_path / "run" / "bundle")
    for path in ("run", "run/bundle", "run/bundle/bundle.json"):
        assert load_bundle(tmp_path / path).path == tmp_path / "run" / "bundle"
        assert load_bundle(str(tmp_path / path)).name == "demo"


def test_name_finds_a_bundled_one(bundled: Path) -> None:
    assert bundle_names() == ["letters", "spelling"]
    assert load_bundle("letters").path == bundled / "letters"


def test_a_path_that_exists_wins(bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_bundle(tmp_path / "letters", name="mine")
    assert load_bundle("letters").name == "mine"


def test_a_folder_without_a_bundle_does_not_hide_a_name(
    bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "letters").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_bundle("letters").path == bundled / "letters"
    assert "bundle.json" in refused("./letters").message


@pytest.mark.parametrize("name", ["leters", "", "no/such/path"])
def test_unknown_name_lists_the_known_ones(bundled: Path, name: str) -> None:
    with pytest.raises(ModelNotFound) as caught:
        load_bundle(name)
    assert caught.value.message == f"{name!r}: no such model"
    assert "known: letters, spelling" in caught.value.hint
    assert ("did you mean 'letters'?" in caught.value.hint) == (name == "leters")


def test_a_path_without_a_bundle_is_named(bundled: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "model.onnx").write_bytes(make_graph())
    for name in ("photos", "model.onnx"):
        error = refused(tmp_path / name)
        assert error.message == f"{tmp_path / name}: holds no bundle.json"
        assert "letters, spelling" in error.hint


def test_an_impossible_path_is_an_error_with_a_hint() -> None:
    assert "too long" in refused("x" * 5000).message


# What can be wrong


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b"{'name': 1}", b"[" * 100_000], ids=range(5))
def test_invalid_json(folder: Path, content: bytes) -> None:
    (folder / "bundle.json").write_bytes(content)
    assert f"{folder / 'bundle.json'}: no valid JSON" in refused(folder).message


def test_json_that_is_no_object(folder: Path) -> None:
    (folder / "bundle.json").write_text("[1]")
    assert "must be an object" in refused(folder).message


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_unknown_format_version(folder: Path, version: object) -> None:
    edit(folder, lambda fields: fields.update(format=version, a_later_field=1))
    error = refused(folder)
    assert f"format {version!r} is not known here, must be 1" in error.message
    assert "pip install -U signary" in error.hint


def test_format_is_needed_in_the_file(folder: Path) -> None:
    edit(folder, lambda fields: fields.pop("format"))
    assert "format None" in refused(folder).message


def test_all_wrong_fields_are_named_at_once(folder: Path) -> None:
    def spoil(fields: dict[str, Any]) -> None:
        fields["task"] = "words"
        fields["calibration"]["temperature"] = 0
        fields["scores"][0]["shift"] = 1
        fields["files"]["model.onnx"] = "0" * 63
        del fields["region"]

    edit(folder, spoil)
    message = refused(folder).message
    assert "5 wrong fields" in message
    for part in ("task='words'", "calibration.temperature=0", "scores.0.shift=1", "files.model.onnx='000", "region: "):
        assert part in message


@pytest.mark.parametrize(
    ("field", "value", "part"),
    [
        ("colour", 1, "colour"),
        ("skeleton", None, "needs a skeleton"),
        ("vocabulary", ["A", "A", "nothing"], "a label twice"),
        ("vocabulary", [], "vocabulary"),
        ("silent", ["rest"], "'rest'"),
        ("sign_language", "ASL", "sign_language"),
        ("graphs", {}, "graphs"),
        ("thresholds", {"confidence": float("nan")}, "thresholds.confidence"),
    ],
)
def test_one_wrong_field(folder: Path, field: str, value: object, part: str) -> None:
    edit(folder, lambda fields: fields.update({field: value}))
    message = refused(folder).message
    assert "1 wrong field: " in message
    assert part in message


def test_a_wrong_manifest_cannot_be_made() -> None:
    with pytest.raises(ValidationError, match="temperature"):
        make_manifest(calibration={"temperature": -1, "fitted_on": "x", "ece": None})


@pytest.mark.parametrize("name", ["model.onnx", "README.md", "training_files.txt"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    assert refused(folder).message == f"{folder}: lacks {name}"
    with pytest.raises(BundleError, match=name):
        load_bundle(folder, verify=False)


@pytest.mark.parametrize("name", ["model.onnx", "README.md", "training_files.txt"])
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_one_flipped_bit_of_any_file_is_found(folder: Path, name: str, data: st.DataObject) -> None:
    file = folder / name
    whole = file.read_bytes()
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
    try:
        assert refused(folder).message == f"{folder}: wrong sha256 of {name}"
        assert load_bundle(folder, verify=False).name == "demo"
    finally:
        file.write_bytes(whole)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_flipped_bit_of_the_manifest_never_ends_in_a_traceback(folder: Path, data: st.DataObject) -> None:
    file = folder / "bundle.json"
    whole = file.read_bytes()
    at, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    file.write_bytes(whole[:at] + bytes([whole[at] ^ (1 << bit)]) + whole[at + 1 :])
    try:
        load_bundle(folder)
    except SignaryError as error:
        assert error.hint
    finally:
        file.write_bytes(whole)


def test_cut_short_file_is_found(folder: Path) -> None:
    os.truncate(folder / "model.onnx", 10)
    assert "wrong sha256 of model.onnx" in refused(folder).message


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "a/../../b", "C:/x", "..\\x", "a\\b", "", ".", "\\x"])
def test_a_name_that_leads_out_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_bytes(b"")
    edit(folder, lambda fields: fields["files"].update({name: hashlib.sha256(b"").hexdigest()}))
    error = refused(folder)
    assert repr(name) in error.message
    assert "inside" in error.hint
    with pytest.raises(BundleError, match="names"):
        make_bundle(tmp_path / "other", files={name: b""})
    assert not (tmp_path / "other").exists()


def test_graphs_and_training_list_must_be_among_the_files(folder: Path, tmp_path: Path) -> None:
    edit(folder, lambda fields: fields["graphs"].update(model="../model.onnx"))
    assert "needs ['../model.onnx']" in refused(folder).message
    with pytest.raises(BundleError, match=r"needs \['model.onnx', 'training_files.txt'\]"):
        write_bundle(tmp_path / "other", make_manifest(), {"README.md": "# Demo"})


def test_a_folder_in_the_place_of_a_file_is_missing(folder: Path) -> None:
    (folder / "README.md").unlink()
    (folder / "README.md").mkdir()
    assert "lacks README.md" in refused(folder).message


@pytest.mark.skipif(os.name == "nt" or getattr(os, "geteuid", lambda: 0)() == 0, reason="needs a user without rights")
def test_unreadable_manifest(folder: Path) -> None:
    (folder / "bundle.json").chmod(0)
    assert "denied" in refused(folder).message


# Writing


def test_an_existing_bundle_is_kept_unless_forced(folder: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        make_bundle(folder, version="2.0")
    assert load_bundle(folder).manifest.version == "1.0"
    make_bundle(folder, version="2.0", force=True)
    assert load_bundle(folder).manifest.version == "2.0"


def test_a_folder_that_is_no_bundle_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("years of work")
    (tmp_path / "file").write_text("also")
    for name in ("thesis", "file"):
        with pytest.raises(InputError, match="is no bundle, kept"):
            make_bundle(tmp_path / name, force=True)
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "years of work"
    assert (tmp_path / "file").read_text() == "also"


def test_nothing_is_left_where_writing_fails(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.bin: No such file"):
        make_bundle(tmp_path / "demo", files={"weights": tmp_path / "gone.bin"})
    assert list(tmp_path.iterdir()) == []


def test_no_folder_to_write_into(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        make_bundle(tmp_path / "a" / "b")


# The bundles that come with the package


def test_describe_bundles(bundled: Path) -> None:
    letters, spelling = describe_bundles()
    size = sum(path.stat().st_size for path in (bundled / "letters").iterdir())
    assert letters == {
        "name": "letters",
        "version": "1.0",
        "task": "letters",
        "labels": 3,
        "parameters": 9,
        "size_mb": round(size / 1e6, 2),
        "licence": "CC0-1.0, MIT",
        "score": {
            "metric": "accuracy", "value": 0.9, "worst": None, "sources": 0,
            "data": "made up", "split": "left out", "n": 40,
        },
        "scores": [
            {
                "data": "made up", "split": "left out", "n": 40,
                "metrics": {"balanced_accuracy": 0.8, "accuracy": 0.9},
                "command": "signary evaluate demo DATA", "left_out": False,
            }
        ],
    }  # fmt: skip
    assert (spelling["task"], spelling["score"], spelling["licence"]) == ("spelling", None, "")


def test_no_bundles_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUNDLES", tmp_path / "absent")
    assert describe_bundles() == []
    with pytest.raises(ModelNotFound, match="known: none"):
        load_bundle("letters")


@pytest.mark.parametrize("name", bundle_names())
def test_packaged_bundles_are_whole(name: str) -> None:
    assert load_bundle(name).manifest.name == name


def test_import_is_light() -> None:
    program = "import sys, signary.bundles.bundle; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "onnx", "onnxruntime", "cv2", "av", "mediapipe", "pyarrow"} & set(loaded)
