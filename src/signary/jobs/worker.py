"""A worker process with its pipe; it ends when told to, or with its parent process."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any, NoReturn

GRACE_S = 3.0  # for the cleanup of a stopped job
# Read by libraries when they are loaded; OpenCV has its own name.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_each(workers: int) -> int:
    """Return the number of threads that each worker may use without sharing cores."""
    return max(1, cores() // workers)


class Worker:
    """A process that does one job at a time.

    Parameters
    ----------
    start : bytes
        Pickled function, called there once; it returns the function that does a job.
    threads : int
        For libraries there, unless the environment sets them.

    Attributes
    ----------
    is_ready : bool
        It has started.
    job : (int, bytes), optional
        Number of its current job, and the job, pickled.
    """

    def __init__(self, start: bytes, threads: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, there = context.Pipe()
        self.process = context.Process(target=_work, args=(there, start, threads), daemon=True)
        self.process.start()
        there.close()
        self.is_ready = False
        self.job: tuple[int, bytes] | None = None

    def give(self, job: tuple[int, bytes]) -> bool:
        """Give it a job, or return False if it has just ended by itself; no job is lost then."""
        try:
            self.pipe.send_bytes(job[1])
        except OSError:
            return False
        self.job = job
        return True

    def answer(self) -> tuple[bool, Any] | None:
        """Return (True, result) or (False, exception), or None if it has ended."""
        try:
            message = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None
        is_well, result = pickle.loads(message)
        return is_well, result

    def bury(self, grace_s: float = GRACE_S) -> int:
        """Wait until it has ended, kill it if that takes too long, and return its exit code."""
        self.process.join(grace_s)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        self.pipe.close()
        return code


@contextmanager
def held_interrupt() -> Iterator[None]:
    """Delay Ctrl+C until the block is done, so that no process is started without being known."""
    held: list[tuple[int, FrameType | None]] = []
    before = signal.getsignal(signal.SIGINT)
    is_heard = threading.current_thread() is threading.main_thread() and callable(before)
    with _masked():
        if is_heard:  # threads of libraries may still get the signal
            signal.signal(signal.SIGINT, lambda *said: held.append(said))
        try:
            yield
        finally:
            if is_heard:
                signal.signal(signal.SIGINT, before)
    if held and callable(before):
        before(*held[0])


@contextmanager
def _masked() -> Iterator[None]:
    """Block Ctrl+C in new processes until they ignore it themselves."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # starting it later would unblock the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def exit_name(code: int) -> str:
    """Return an exit code in words: ``SIGKILL`` for -9, ``exit code 3`` for 3."""
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"exit code {code}"


def _work(pipe: Connection, start: bytes, threads: int) -> NoReturn:
    """Be a worker."""
    _follow_parent()
    for name in THREADS:
        os.environ.setdefault(name, str(threads))
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)  # hide messages of native libraries
    code: object = 1
    try:
        _do_all(pipe, start)
    except SystemExit as stop:
        code = stop.code
    finally:
        os._exit(code if isinstance(code, int) else 1)  # skip the slow exit handlers of libraries


def _do_all(pipe: Connection, start: bytes) -> None:
    """Do jobs until the pipe is closed."""
    doing: list[Callable[[Any], Any]] = []
    with suppress(EOFError, OSError):
        pipe.send_bytes(attempt(lambda: doing.append(pickle.loads(start)())))
        while doing:
            job = pipe.recv_bytes()
            pipe.send_bytes(attempt(partial(_done, doing[0], job)))


def _done(do: Callable[[Any], Any], job: bytes) -> Any:
    return do(pickle.loads(job))


def attempt(do: Callable[[], Any]) -> bytes:
    """Return, pickled, (True, what a call returns) or (False, the exception that it raises)."""
    try:
        return pickle.dumps((True, do()))
    except Exception as error:
        error.add_note(f"In a worker:\n{traceback.format_exc()}")
        return _pickled(error)


def _pickled(error: Exception) -> bytes:
    """Return an exception as an answer; its text only, if it cannot be pickled."""
    try:
        message = pickle.dumps((False, error))
        pickle.loads(message)
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return message


def _follow_parent() -> None:
    """Leave Ctrl+C to the parent process; end when it says so or was killed."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})

    def watch() -> None:
        if parent := multiprocessing.parent_process():
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _leave(number: int, frame: object) -> NoReturn:
    """End with the cleanup of the job: drafts of files, temporary folders."""
    raise SystemExit(128 + number)
