"""Work shared out among processes: each does one job at a time, and none of them outlives this one."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import wait
from typing import Any, ClassVar, Generic, TypeVar

from signary.errors import InputError
from signary.worker import GRACE_S, Worker, exit_name, held_interrupt, threads_each

Job = TypeVar("Job")
Result = TypeVar("Result")

AHEAD = 16  # results a worker that may wait for a slow job before them
DEATHS = 8  # in a row without a job done, and one a worker: with more, it is not the jobs that are at fault
IMPORTING = 79  # exit code of a worker that was about to start workers


@dataclass(frozen=True, slots=True)
class Lost:
    """What stands for a result: number of the job (from 0), exit code of the worker that was ended (-9 = signal 9)."""

    number: int
    code: int
    type: ClassVar[str] = "WorkerLost"
    hint: ClassVar[str] = "memory may be short: try it alone, or with fewer --workers"

    @property
    def message(self) -> str:
        """What happened, to follow a name."""
        return f"its worker was ended ({exit_name(self.code)})"


@dataclass(frozen=True, slots=True)
class Here(Generic[Result]):
    """A job that cannot go to another process: ``do`` is called in this one, in its turn."""

    do: Callable[[], Result]


def run(start: Callable[[], Callable[[Any], Result]], jobs: Iterable[Any], workers: int) -> Iterator[Result | Lost]:
    """Do jobs in processes.

    Parameters
    ----------
    start : callable
        Runs once in each worker and returns what does a job. It is pickled, and so are jobs and results.
    jobs : iterable
        Drawn as they are needed, a few ahead. `Here` is done in this process.
    workers : int
        Processes, never more than there are jobs; 1 does all jobs in this one. Each imports the program's main file
        anew: what a script does has to stand under ``if __name__ == "__main__":``.

    Returns
    -------
    iterator of Result or Lost
        In the order of the jobs. Closing it ends the workers.

    Raises
    ------
    InputError
        If ``workers`` is below 1; while iterating, if workers end again and again and nothing gets done.
    Exception
        While iterating: what a job raised, in its turn, or a start.
    """
    if workers < 1:
        raise InputError(f"workers={workers}, must be 1 or more", hint="a process each")
    if workers == 1:
        return _alone(start, jobs)
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(IMPORTING)  # a worker imports a script without that line; the script itself says so
    return _shared(start, jobs, workers)


def _alone(start: Callable[[], Callable[[Any], Result]], jobs: Iterable[Any]) -> Iterator[Result]:
    do: Callable[[Any], Result] | None = None
    for job in jobs:
        if isinstance(job, Here):
            yield job.do()
        else:
            do = do or start()
            yield do(job)


def _shared(start: Callable[[], Callable[[Any], Result]], jobs: Iterable[Any], workers: int) -> Iterator[Result | Lost]:
    crew, numbered, drawn, turn = _Crew(pickle.dumps(start), workers), enumerate(jobs), 0, 0
    try:
        while True:
            while crew.has_room() and drawn - turn < AHEAD * workers:
                if (job := next(numbered, None)) is None:
                    crew.has_all = True
                else:
                    crew.take(*job)
                    drawn += 1
            crew.hand_out()
            if turn in crew.done:
                yield crew.done.pop(turn)()
                turn += 1
                crew.listen(0)
            elif turn == drawn and crew.has_all:
                return
            else:
                crew.check()
                crew.listen()
    finally:
        crew.end()


class _Crew:
    """The workers, what they have to do, and what was done."""

    def __init__(self, start: bytes, size: int) -> None:
        self.start, self.size, self.threads = start, size, threads_each(size)
        self.workers: list[Worker] = []
        self.todo: deque[tuple[int, bytes]] = deque()
        self.done: dict[int, Callable[[], Any]] = {}
        self.has_all = False
        self.deaths, self.code = 0, 0

    def has_room(self) -> bool:
        """Whether there may be another job, and somebody to do it."""
        busy = sum(worker.job is not None for worker in self.workers)
        return not self.has_all and busy + len(self.todo) < self.size

    def take(self, number: int, job: Any) -> None:
        """Take a job, to be done."""
        if isinstance(job, Here):
            self.done[number] = job.do
        else:
            self.todo.append((number, pickle.dumps(job)))

    def hand_out(self) -> None:
        """Give jobs to workers without one, and start workers for the others."""
        free = [worker for worker in self.workers if worker.job is None]
        starting = sum(not worker.is_ready for worker in free)
        for worker in free:
            if worker.is_ready and self.todo and worker.give(self.todo[0]):
                self.todo.popleft()
        for _ in range(min(len(self.todo) - starting, self.size - len(self.workers))):
            with held_interrupt():
                self.workers.append(Worker(self.start, self.threads))

    def listen(self, timeout_s: float | None = None) -> None:
        """Hear from workers: that one is ready, did a job, or is no more."""
        said = wait([worker.pipe for worker in self.workers], timeout_s) if self.workers else []
        for worker in [worker for worker in self.workers if worker.pipe in said]:
            if (answer := worker.answer()) is None:
                self._bury(worker)
            else:
                self._hear(worker, *answer)

    def _hear(self, worker: Worker, is_well: bool, result: Any) -> None:
        if worker.job is not None:
            self.done[worker.job[0]] = partial(_given, result, is_well=is_well)
            worker.job, self.deaths = None, 0
        elif not is_well:
            raise result
        worker.is_ready = True

    def _bury(self, worker: Worker) -> None:
        """Note who is no more. Another takes its place if it was at a job; else it would end there, too."""
        self.workers.remove(worker)
        self.code = worker.bury()
        if worker.job is None:
            self.size -= 1
            return
        self.deaths += 1
        self.done[worker.job[0]] = partial(Lost, worker.job[0], self.code)

    def check(self) -> None:
        """Refuse to go on where nothing comes of it."""
        if self.code == IMPORTING:
            hint = 'put what it does under: if __name__ == "__main__":'
            raise InputError("workers: each imports this script, which starts workers again", hint=hint)
        if self.size < 1 or self.deaths > DEATHS + self.size:
            said = f"workers: one after the other was ended ({exit_name(self.code)}), and nothing gets done"
            raise InputError(said, hint="memory may be short: use --workers 1")

    def end(self) -> None:
        """End the workers, and wait until they are gone."""
        with held_interrupt():
            for worker in self.workers:
                worker.process.terminate()
            until_s = time.monotonic() + GRACE_S
            while self.workers:
                self.workers.pop().bury(max(0.0, until_s - time.monotonic()))


def _given(result: Any, *, is_well: bool) -> Any:
    if not is_well:
        raise result
    return result
