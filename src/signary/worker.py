"""One process that does jobs, the pipe to it, and how it ends: when it is told to, or with the process above it."""

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

GRACE_S = 3.0  # for what a job cleans up when it is stopped
# Read by libraries when they are loaded. OpenCV knows a name of its own.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def threads_each(workers: int) -> int:
    """Return how many threads each of some workers may use without taking another's core."""
    return max(1, cores() // workers)


class Worker:
    """A process that does one job at a time.

    Parameters
    ----------
    start : bytes
        Pickled: what is called there once, and returns what does a job.
    threads : int
        That libraries may use there, where the environment does not say.

    Attributes
    ----------
    is_ready : bool
        It has answered that it could start.
    job : (int, bytes), optional
        Number of the job that it has, and the job, pickled.
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
        """Give it a job, or return False where it has just ended by itself, and lost nothing."""
        try:
            self.pipe.send_bytes(job[1])
        except OSError:
            return False
        self.job = job
        return True

    def answer(self) -> tuple[bool, Any] | None:
        """Return whether it is well and a result, or else an exception; None where it is no more."""
        try:
            message = self.pipe.recv_bytes()
        except (EOFError, OSError):
            return None
        is_well, result = pickle.loads(message)
        return is_well, result

    def bury(self, grace_s: float = GRACE_S) -> int:
        """Wait until it is gone, and end it where that takes too long; return its exit code."""
        self.process.join(grace_s)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        self.process.close()
        self.pipe.close()
        return code


@contextmanager
def held_interrupt() -> Iterator[None]:
    """Let Ctrl+C wait until the block is done: a process is started, and known, or neither."""
    held: list[tuple[int, FrameType | None]] = []
    before = signal.getsignal(signal.SIGINT)
    is_heard = threading.current_thread() is threading.main_thread() and callable(before)
    with _masked():
        if is_heard:  # other threads, of libraries, may still be told
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
    """Let processes that are started begin deaf to Ctrl+C, before they can say that it is not for them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its own start would end this
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def exit_name(code: int) -> str:
    """Return what an exit code says: ``SIGKILL`` of -9, ``exit code 3`` of 3."""
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
    os.dup2(null, 2)  # native libraries write there; what a job has to say is its result
    code: object = 1
    try:
        _do_all(pipe, start)
    except SystemExit as stop:
        code = stop.code
    finally:
        os._exit(code if isinstance(code, int) else 1)  # without what libraries do at an end, which takes its time


def _do_all(pipe: Connection, start: bytes) -> None:
    """Do jobs until nobody hears of it."""
    doing: list[Callable[[Any], Any]] = []
    with suppress(EOFError, OSError):
        pipe.send_bytes(attempt(lambda: doing.append(pickle.loads(start)())))
        while doing:
            job = pipe.recv_bytes()
            pipe.send_bytes(attempt(partial(_done, doing[0], job)))


def _done(do: Callable[[Any], Any], job: bytes) -> Any:
    return do(pickle.loads(job))


def attempt(do: Callable[[], Any]) -> bytes:
    """Return, pickled, true and what a call returns, or false and the exception that it raises."""
    try:
        return pickle.dumps((True, do()))
    except Exception as error:
        error.add_note(f"In a worker:\n{traceback.format_exc()}")
        return _pickled(error)


def _pickled(error: Exception) -> bytes:
    """Return an exception as an answer, or what it says where it cannot cross."""
    try:
        message = pickle.dumps((False, error))
        pickle.loads(message)
    except Exception:
        return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))
    return message


def _follow_parent() -> None:
    """Leave Ctrl+C to the process above; end when that says so, and when it was killed."""
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
    """End by way of what a job cleans up: drafts of files, temporary folders."""
    raise SystemExit(128 + number)
