"""``signary doctor``."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from signary.errors import SignaryError

CORE = ("mediapipe", "numpy", "onnxruntime", "av", "pillow", "pillow-heif", "pyarrow", "pydantic", "cyclopts")
TRAINING = ("torch", "lightning", "onnx", "scikit-learn", "matplotlib")


def doctor(*, camera: bool = False) -> int:
    """Check what is installed and whether it works.

    Parameters
    ----------
    camera
        Also check camera 0: picture size, light, hands.
    """
    sys.stdout.write(f"[ok] Python {platform.python_version()} on {platform.platform()}\n")
    missing = [name for name in CORE if not _show_version(name, "missing")]
    for name in TRAINING:
        _show_version(name, "not installed (needed to train)")
    checks: list[tuple[str, Callable[[], str]]] = [("models", _models), ("detector", _detector), ("privacy", _privacy)]
    if camera:
        checks.append(("camera", _camera))
    failed = [name for name, check in checks if not _try(name, check)]
    return 1 if missing or failed else 0


def _show_version(name: str, otherwise: str) -> bool:
    try:
        sys.stdout.write(f"[ok] {name} {version(name)}\n")
    except PackageNotFoundError:
        sys.stdout.write(f"[--] {name}: {otherwise}\n")
        return False
    return True


def _try(name: str, check: Callable[[], str]) -> bool:
    try:
        sys.stdout.write(f"[ok] {name}: {check()}\n")
    except (SignaryError, ImportError) as error:
        sys.stdout.write(f"[--] {name}: {error}\n")
        return False
    return True


def _models() -> str:
    from signary.bundles.bundle import bundle_names, load_bundle

    return ", ".join(load_bundle(name).name for name in bundle_names()) or "none"


def _detector() -> str:
    from signary.landmarks.detect import open_detector
    from signary.video.frame import Frame

    with open_detector() as detector:
        points = detector.detect(Frame(np.zeros((240, 320, 3), np.uint8)))
    return f"runs, {int(np.isfinite(points).any(1).sum())} points in an empty picture"


def _privacy() -> str:
    from signary.privacy import left_behind, report

    said = [f"reports of {library} {state}" for library, state in report()]
    said += [f"{folder} was left by another program, or before, and may be removed" for folder in left_behind()]
    return "; ".join(said)


def _camera() -> str:
    from itertools import islice

    from signary.landmarks.detect import open_detector
    from signary.video.source import open_source

    with open_source(0) as source, open_detector() as detector:
        frames = list(islice(source, 30))
        points = np.stack([detector.detect(frame) for frame in frames])
    height, width = frames[0].image.shape[:2]
    light = float(np.mean([frame.image.mean() for frame in frames])) / 255
    rate = float(np.isfinite(points).any((1, 2)).mean())
    return f"{width}x{height}, light {light:.0%}, hand seen in {rate:.0%} of {len(frames)} frames"
