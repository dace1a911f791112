"""Switch off the telemetry of libraries before they are imported.

``import signary`` calls `silence`, so this covers the command line, Python, the server, and their processes.
``SIGNARY_TELEMETRY=onnxruntime`` (comma-separated names) allows it for a library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

ALLOW = "SIGNARY_TELEMETRY"
FONTS = "MPLCONFIGDIR"
CACHES = (FONTS, "TORCHINDUCTOR_CACHE_DIR")
_kept: list[Any] = []  # temporary folders, removed at exit
# Environment variables that switch telemetry off. `docs/explanation.md` says what each library would contact.
SWITCHES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "onnxruntime": {"ORT_DISABLE_TELEMETRY": "1"},
        "mlflow": {"MLFLOW_DISABLE_TELEMETRY": "true"},
        "ray": {"RAY_USAGE_STATS_ENABLED": "0"},
    }
)


def silence(environment: MutableMapping[str, str] = os.environ) -> None:
    """Switch telemetry off in the environment, which is changed in place, except for libraries in `ALLOW`."""
    for library in SWITCHES.keys() - allowed(environment):
        environment.update(SWITCHES[library])


def allowed(environment: Mapping[str, str] = os.environ) -> set[str]:
    """Return the libraries whose telemetry the user allows."""
    return {name.strip().lower() for name in environment.get(ALLOW, "").split(",")} - {""}


def import_onnxruntime() -> Any:
    """Return ONNX Runtime with telemetry off, even if it was imported or the environment changed before."""
    silence()
    module = import_module("onnxruntime")
    switch = getattr(module, "disable_telemetry_events", None)  # not in every version and build
    if switch is not None and "onnxruntime" not in allowed():
        switch()
    return module


@contextmanager
def without(*names: str) -> Iterator[None]:
    """Replace modules, unless already imported, by stand-ins that import the real module on first use."""
    stood_in = {name: _StandIn(name) for name in names if name not in sys.modules}
    for name, module in stood_in.items():
        above, _, own = name.rpartition(".")
        if above in stood_in:
            setattr(stood_in[above], own, module)
    sys.modules.update(stood_in)
    try:
        yield
    finally:
        for name, module in stood_in.items():
            if sys.modules.get(name) is module:
                del sys.modules[name]


def keep_caches_apart() -> None:
    """Keep matplotlib's font list and torch's compiled code in temporary folders of this process.

    Folders that the user has for fonts, or sets for either, are used instead.
    """
    fonts = "matplotlib" in sys.modules or any(folder.is_dir() for folder in _matplotlib_folders())
    for name in CACHES:
        if name in os.environ or (name == FONTS and fonts):
            continue
        from tempfile import TemporaryDirectory

        folder = TemporaryDirectory(prefix="signary-", ignore_cleanup_errors=True)
        _kept.append(folder)
        os.environ[name] = folder.name


def _matplotlib_folders() -> Iterator[Path]:
    from pathlib import Path

    home = Path(os.path.expanduser("~"))  # noqa: PTH111  # Path.home() raises where there is none
    yield home / ".matplotlib"
    for name, usual in (("XDG_CACHE_HOME", ".cache"), ("XDG_CONFIG_HOME", ".config")):
        yield Path(os.environ.get(name) or home / usual) / "matplotlib"


class _StandIn(ModuleType):
    """Placeholder of a module that imports it on first use."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or sys.modules.get(self.__name__) is self:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}", name=name)
        return getattr(import_module(self.__name__), name)


def left_behind() -> list[Path]:
    """Return existing folders of ONNX Runtime's device ID and unsent telemetry."""
    from pathlib import Path

    home = Path(os.path.expanduser("~"))  # noqa: PTH111
    roots = [Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache"), home / "Library" / "Caches"]
    roots += [Path(local)] if (local := os.environ.get("LOCALAPPDATA")) else []
    folders = (root / "Microsoft" / "DeveloperTools" / ".onnxruntime" for root in roots)
    return [folder for folder in folders if folder.is_dir()]


def report() -> list[tuple[str, str]]:
    """Return (library, state) pairs: ``off``, ``allowed by SIGNARY_TELEMETRY``, ``on: reason``, ``unknown to ...``."""
    strange = sorted(allowed() - SWITCHES.keys())
    return [(library, _state(library)) for library in SWITCHES] + [(name, f"unknown to {ALLOW}") for name in strange]


def _state(library: str) -> str:
    if library in allowed():
        return f"allowed by {ALLOW}"
    lacking = [name for name, value in SWITCHES[library].items() if os.environ.get(name) != value]
    return f"on: {', '.join(lacking)} was changed after the import of signary" if lacking else "off"
