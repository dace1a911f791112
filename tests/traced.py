"""Run a program in an empty home of its own, and tell what it wrote and whom it called."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

STRACE = shutil.which("strace")
KEPT = ("PATH", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
CALLS = "%network,openat,open,creat,mkdir,mkdirat,rename,renameat,renameat2"
WRITES = re.compile(r'^\d+ +(?:\w+)\((?:AT_FDCWD, )?"([^"]+)"(.*)')
ADDRESS = re.compile(r'inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"')
HARMLESS = ("/dev/", "/proc/")


@dataclass(frozen=True)
class Traced:
    """What a program did.

    Parameters
    ----------
    left : list of str
        What lies in its home, cache and temporary folders afterwards.
    written : list of str
        Files and folders that it made or opened to write, or moved something to; None where nothing can tell.
    called : list of str
        Addresses that it called or listened on; None where nothing can tell.
    """

    output: str
    left: list[str]
    written: list[str] | None
    called: list[str] | None


def run_traced(
    folder: Path, words: Sequence[str], use: Callable[[subprocess.Popen[str]], None] | None = None
) -> Traced:
    """Run ``python WORDS`` with ``folder/asked`` as working folder and nothing of the user's.

    Parameters
    ----------
    folder : Path
    words : sequence of str
    use : callable(process), optional
        Talks to it, and ends it.
    """
    home, asked, log = folder / "home", folder / "asked", folder / "trace"
    for name in ("home", "asked"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    places = {name: str(home / name.lower()) for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    places |= {"HOME": str(home), "LOCALAPPDATA": str(home / "local"), "TMPDIR": str(home / "temporary")}
    (home / "temporary").mkdir(exist_ok=True)
    environment = {name: os.environ[name] for name in KEPT if name in os.environ}
    environment |= places | {"PYTHONDONTWRITEBYTECODE": "1"}  # Python's own caches lie beside its files
    watch = [STRACE, "-f", "--seccomp-bpf", "-qq", "-e", f"trace={CALLS}", "-o", str(log)] if STRACE else []
    command = [*watch, sys.executable, *words]
    with subprocess.Popen(
        command, cwd=asked, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        if use is not None:
            use(process)
        output = process.communicate(timeout=300)[0]
    assert process.returncode == 0, output
    lines = log.read_text(errors="replace").splitlines() if STRACE else None
    left = sorted(str(path.relative_to(home)) for path in home.rglob("*") if path != home / "temporary")
    if lines is None:
        return Traced(output, left, None, None)
    return Traced(output, left, written(lines, asked), called(lines))


def written(lines: Sequence[str], folder: Path) -> list[str]:
    """Return what the calls of a trace made or opened to write; paths are relative to ``folder`` unless absolute."""
    found = set()
    for line in lines:
        call = WRITES.match(line)
        if call is None or " = -1 " in line or (" open" in line and not re.search(r"O_(CREAT|WRONLY|RDWR)", call[2])):
            continue
        moved = re.findall(r'"([^"]+)"', call[2]) if " rename" in line else []
        found |= {str(Path(os.path.normpath(folder / path))) for path in (call[1], *moved)}
    return sorted(path for path in found if not path.startswith(HARMLESS))


def called(lines: Sequence[str]) -> list[str]:
    """Return the addresses in a trace's calls that are no loopback."""
    found = {found[1] or found[2] for line in lines for found in ADDRESS.finditer(line)}
    return sorted(address for address in found if not is_own(address))


def is_own(address: str) -> bool:
    """Say whether an address is this machine's own."""
    parsed = ip_address(address)
    mapped = getattr(parsed, "ipv4_mapped", None)
    return parsed.is_loopback or (mapped is not None and mapped.is_loopback)
