"""Jobs for tests of what shares them out: numbers that are squared, wait, fail or end the process that has them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from signary.errors import InputError
from signary.jobs.run import run

Do = Callable[[int | str], object]


def do(job: int | str) -> object:
    """Square a number; or do what a word says."""
    if isinstance(job, int):
        return job * job
    name, _, value = job.partition(" ")
    if name == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "exit":
        sys.exit(int(value))
    if name == "fail":
        raise InputError(f"{value}: no such job", hint="take another")
    if name == "unlike":
        raise Unlike("two", "words")
    if name == "function":
        return lambda: value
    if name == "touch":
        Path(value).touch()
    if name == "wait":
        time.sleep(float(value))
    if name == "draft":
        draft(Path(value))
    return os.getpid() if name == "who" else os.environ.get(value) if name == "environ" else job


class Unlike(Exception):
    """Cannot be made again of what it says."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(f"{one} {other}")


def draft(path: Path) -> None:
    """Keep a file for as long as the job takes."""
    try:
        path.touch()
        time.sleep(60)
    finally:
        path.unlink(missing_ok=True)


def start() -> Do:
    """Return what does jobs."""
    return do


def start_and_die() -> Do:
    """End the process."""
    os._exit(3)


def start_and_fail() -> Do:
    """Fail."""
    raise InputError("model: gone", hint="fetch it again")


def say_hello(path: Path) -> Do:
    """Leave a sign of having been started."""
    (path / str(os.getpid())).touch()
    return do


def main(*jobs: str) -> NoReturn:
    """Do jobs given as words in two processes."""
    for result in run(start, [int(job) if job.isdigit() else job for job in jobs], 2):
        sys.stdout.write(f"{result}\n")
        sys.stdout.flush()
    sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
