"""Write bundles."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from signary.bundles.bundle import Bundle, check_names, load_bundle
from signary.bundles.manifest import MANIFEST, BundleManifest
from signary.digest import sha256_file
from signary.errors import InputError
from signary.output import whole_folder


def write_bundle(
    folder: str | Path,
    manifest: BundleManifest,
    files: Mapping[str, Path | bytes | str],
    *,
    force: bool = False,
) -> Bundle:
    """Write a bundle, completely or not at all.

    Parameters
    ----------
    folder : str or Path
        New, in an existing folder.
    manifest : BundleManifest
        Its ``files`` are computed anew.
    files : mapping of str to Path, bytes or str
        Name in the bundle (``model.onnx``, ``README.md``, ...) -> a file to copy, its bytes, or its text.
    force : bool
        Replace an existing bundle.

    Raises
    ------
    InputError
        If ``folder`` exists and ``force`` is false, if it exists and is no bundle, or a file to copy cannot be read.
    BundleError
        If a graph or the list of training files is not among ``files``, or a name leads out of the folder.
    """
    target = Path(folder)
    if target.exists() and not (target / MANIFEST).is_file() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{target}: exists and is no bundle, kept", hint="name another path")
    complete = manifest.model_copy(update={"files": {name: _sha256(files[name]) for name in sorted(files)}})
    check_names(target / MANIFEST, complete)
    with whole_folder(target, force=force) as draft:
        for name, content in files.items():
            _place(draft / name, content)
        (draft / MANIFEST).write_text(complete.model_dump_json(indent=2) + "\n", encoding="utf-8")
        written = load_bundle(draft).manifest
    return Bundle(target, written)


def _sha256(content: Path | bytes | str) -> str:
    if isinstance(content, Path):
        try:
            return sha256_file(content)
        except OSError as error:
            raise InputError(f"{content}: {error.strerror or error}", hint="name a file that can be read") from error
    return hashlib.sha256(content.encode() if isinstance(content, str) else content).hexdigest()


def _place(path: Path, content: Path | bytes | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, Path):
        shutil.copyfile(content, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
