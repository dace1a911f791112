"""The worker processes: their jobs, their results, and how they end."""

from __future__ import annotations

import pickle
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import wait
from typing import Any

from signary.errors import InputError
from signary.jobs.worker import GRACE_S, Worker, exit_name, held_interrupt, threads_each

DEATHS = 8  # in a row without a finished job, plus one for each worker; more than that is not the fault of the jobs
IMPORTING = 79  # exit code of a worker that was about to start workers


class Crew:
    """The workers, their open jobs and the results.

    Parameters
    ----------
    start : bytes
        As for a `Worker`.
    size : int
        Most workers.
    lost : callable(number, exit code)
        Returns the result of a job whose worker was ended.
    """

    def __init__(self, start: bytes, size: int, lost: Callable[[int, int], Any]) -> None:
        self.start, self.size, self.threads, self.lost = start, size, threads_each(size), lost
        self.workers: list[Worker] = []
        self.todo: deque[tuple[int, bytes]] = deque()
        self.done: dict[int, Callable[[], Any]] = {}
        self.has_all = False
        self.deaths, self.code = 0, 0

    def has_room(self) -> bool:
        """Whether there is a free worker for another job."""
        busy = sum(worker.job is not None for worker in self.workers)
        return not self.has_all and busy + len(self.todo) < self.size

    def take(self, number: int, job: Any) -> None:
        """Add a job."""
        self.todo.append((number, pickle.dumps(job)))

    def hand_out(self) -> None:
        """Give jobs to free workers, and start workers for the other jobs."""
        free = [worker for worker in self.workers if worker.job is None]
        starting = sum(not worker.is_ready for worker in free)
        for worker in free:
            if worker.is_ready and self.todo and worker.give(self.todo[0]):
                self.todo.popleft()
        for _ in range(min(len(self.todo) - starting, self.size - len(self.workers))):
            with held_interrupt():
                self.workers.append(Worker(self.start, self.threads))

    def listen(self, timeout_s: float | None = None) -> None:
        """Handle messages of workers: one is ready, has done a job, or has ended."""
        said = wait([worker.pipe for worker in self.workers], timeout_s) if self.workers else []
        for worker in [worker for worker in self.workers if worker.pipe in said]:
            if (answer := worker.answer()) is None:
                self._bury(worker)
            else:
                self._hear(worker, *answer)

    def _hear(self, worker: Worker, is_well: bool, result: Any) -> None:
        if worker.job is not None:
            self.done[worker.job[0]] = partial(outcome, is_well, result)
            worker.job, self.deaths = None, 0
        elif not is_well:
            raise result
        worker.is_ready = True

    def _bury(self, worker: Worker) -> None:
        """Remove an ended worker. If it had a job, another may replace it; if not, a new one would end, too."""
        self.workers.remove(worker)
        self.code = worker.bury()
        if worker.job is None:
            self.size -= 1
            return
        self.deaths += 1
        self.done[worker.job[0]] = partial(self.lost, worker.job[0], self.code)

    def check(self) -> None:
        """Stop if no job can get done.

        Raises
        ------
        InputError
        """
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


def outcome(is_well: bool, result: Any) -> Any:
    """Return the result of a job, or raise its exception."""
    if not is_well:
        raise result
    return result
