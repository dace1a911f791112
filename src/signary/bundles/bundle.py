"""Load bundles: a trained model as a folder of graphs, weights, a model card and ``bundle.json``.

``bundle.json`` lists every other file with its sha256, so that an incomplete or altered bundle is detected when it is
loaded. Nothing in a bundle is unpickled.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PureWindowsPath
from typing import Any

from pydantic import ValidationError

from signary.bundles.manifest import FORMAT, MANIFEST, MODEL, BundleManifest, main_score
from signary.digest import sha256_file
from signary.errors import BundleError, ModelNotFound, SignaryError
from signary.text.vocabulary import Vocabulary

BUNDLES = Path(__file__).resolve().parent

AGAIN = "fetch or export the bundle again"


@dataclass(frozen=True, eq=False)
class Bundle:
    """A bundle in the folder ``path``, made by `load_bundle` and `write_bundle`."""

    path: Path
    manifest: BundleManifest

    @property
    def name(self) -> str:
        """Name of the model."""
        return self.manifest.name

    @property
    def task(self) -> str:
        """``letters``, ``digits``, ``signs`` or ``spelling``."""
        return self.manifest.task

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """Labels, silent labels and aliases."""
        manifest = self.manifest
        try:
            return Vocabulary(tuple(manifest.vocabulary), tuple(manifest.silent), dict(manifest.aliases))
        except SignaryError as error:
            raise BundleError(f"{self.path / MANIFEST}: {error.message}", hint=error.hint or AGAIN) from error

    def graph_path(self, name: str = MODEL) -> Path:
        """Return the file of one graph; raise `BundleError`, with the known names, if there is none."""
        if name not in self.manifest.graphs:
            known = ", ".join(self.manifest.graphs)
            raise BundleError(f"{name!r}: no such graph in {self.path}", hint=f"known: {known}")
        return self.path / self.manifest.graphs[name]

    def trained_on(self, sha256s: Iterable[str]) -> set[str]:
        """Return the ``sha256s`` (hex, of whole files) among the training files.

        Empty too if the bundle does not list them: ``manifest.training_files`` is None.
        """
        return set(sha256s) & self._training_files

    @cached_property
    def _training_files(self) -> frozenset[str]:
        if self.manifest.training_files is None:
            return frozenset()
        return frozenset((self.path / self.manifest.training_files).read_text("ascii", errors="replace").split())


def load_bundle(name_or_path: str | Path, *, verify: bool = True) -> Bundle:
    """Load a bundle by path or by name.

    Parameters
    ----------
    name_or_path : str or Path
        A bundle folder (or its ``bundle.json``), a run folder with ``bundle/``, or the name of a bundle that comes with
        the package. A path takes precedence, unless it is a folder without a bundle (pictures of ``digits``).
    verify : bool
        Check the sha256 of every file, not only their presence.

    Raises
    ------
    ModelNotFound
        If there is neither such a path nor such a name; the names are listed.
    BundleError
        If the bundle is incomplete, altered or of an unknown version, or ``bundle.json`` has wrong fields (all are
        listed) or names files outside the folder.

    Examples
    --------
    >>> load_bundle("letters").vocabulary.labels[:3]  # doctest: +SKIP
    ('A', 'B', 'C')
    """
    try:
        folder = _find_folder(str(name_or_path))
        manifest = _read_manifest(folder / MANIFEST)
        check_names(folder / MANIFEST, manifest)
        _check_files(folder, manifest, verify=verify)
    except OSError as error:
        hint = "name a folder that can be read"
        raise BundleError(f"{str(name_or_path)!r}: {error.strerror or error}", hint=hint) from error
    (bundle := Bundle(folder, manifest)).vocabulary  # noqa: B018  # raises now, not at the first sign
    return bundle


def bundle_names() -> list[str]:
    """Return the names of the bundles that come with the package, sorted."""
    return sorted(path.parent.name for path in BUNDLES.glob(f"*/{MANIFEST}"))


def describe_bundles() -> list[dict[str, Any]]:
    """Describe the bundles that come with the package.

    Returns
    -------
    list of dict
        ``name``, ``version``, ``task``, ``labels`` (count), ``parameters``, ``size_mb`` (10^6 bytes), ``licence`` (of
        the training data, each once), ``score`` (`main_score`) and ``scores`` (as in ``bundle.json``).
    """
    return [describe_bundle(load_bundle(BUNDLES / name, verify=False)) for name in bundle_names()]


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Describe one bundle, as `describe_bundles`."""
    manifest = bundle.manifest
    size = sum((bundle.path / file).stat().st_size for file in (MANIFEST, *manifest.files))
    return {
        "name": bundle.name,
        "version": manifest.version,
        "task": manifest.task,
        "labels": len(manifest.vocabulary),
        "parameters": manifest.parameters,
        "size_mb": round(size / 1e6, 2),
        "licence": ", ".join(sorted({source.licence for source in manifest.training})),
        "score": main_score(manifest),
        "scores": [score.model_dump() for score in manifest.scores],
    }


def _find_folder(asked: str) -> Path:
    path, names = Path(asked), bundle_names()
    if path.name == MANIFEST and path.is_file():
        return path.parent
    for folder in (path, path / "bundle") if asked else ():
        if (folder / MANIFEST).is_file():
            return folder
    if asked in names:
        return BUNDLES / asked
    if asked and path.exists():
        known = ", ".join(names) or "none"
        hint = f"name a bundle, a run folder with bundle/ in it, or one of: {known}"
        raise BundleError(f"{asked}: holds no {MANIFEST}", hint=hint)
    raise ModelNotFound.named(asked, names)


def _read_manifest(file: Path) -> BundleManifest:
    try:
        fields = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file}: no valid JSON ({error})", hint=AGAIN) from error
    if not isinstance(fields, dict):
        raise BundleError(f"{file}: a JSON {type(fields).__name__}, must be an object", hint=AGAIN)
    if fields.get("format") != FORMAT:
        hint = "a newer Signary may read it: pip install -U signary"
        raise BundleError(f"{file}: format {fields.get('format')!r} is not known here, must be {FORMAT}", hint=hint)
    try:
        return BundleManifest.model_validate(fields)
    except ValidationError as error:
        raise BundleError(f"{file}: {_wrong_fields(error)}", hint=AGAIN) from error


def _wrong_fields(error: ValidationError) -> str:
    wrong = []
    for item in error.errors(include_url=False, include_context=False):
        place = ".".join(map(str, item["loc"]))
        given = "" if item["type"] == "missing" or not place else f"={_short(item['input'])}"
        wrong.append(f"{place}{given}: {item['msg']}" if place else item["msg"])
    return f"{len(wrong)} wrong field{'s' * (len(wrong) > 1)}: {'; '.join(wrong)}"


def _short(value: object, limit: int = 40) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}..."


def check_names(file: Path, manifest: BundleManifest) -> None:
    """Raise `BundleError` for file names that lead out of the folder, and for graphs that are not listed as files."""
    if strange := [name for name in manifest.files if not _is_inside(name)]:
        raise BundleError(f"{file}: names {strange!r}", hint="files of a bundle lie inside its folder")
    needed = {*manifest.graphs.values(), *filter(None, [manifest.training_files])}
    if absent := sorted(needed - manifest.files.keys()):
        raise BundleError(f"{file}: needs {absent!r}, which its files do not list", hint="add them to the files")


def _is_inside(name: str) -> bool:
    path = PureWindowsPath(name)  # knows both slashes and drives, for any system
    return bool(path.parts) and not path.anchor and ".." not in path.parts and "\\" not in name and name != MANIFEST


def _check_files(folder: Path, manifest: BundleManifest, *, verify: bool) -> None:
    if missing := [name for name in manifest.files if not (folder / name).is_file()]:
        raise BundleError(f"{folder}: lacks {', '.join(missing)}", hint=AGAIN)
    if not verify:
        return
    if altered := [name for name, expected in manifest.files.items() if sha256_file(folder / name) != expected]:
        raise BundleError(f"{folder}: wrong sha256 of {', '.join(altered)}", hint=f"altered or damaged: {AGAIN}")
