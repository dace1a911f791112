"""Work shared out among processes, which never outlive this one, or among the machines of a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from typing import Any, ClassVar, Generic, Literal, TypeVar

from signary.errors import ExtraMissing, InputError
from signary.jobs.crew import IMPORTING, Crew, outcome
from signary.jobs.worker import attempt, exit_name

Job = TypeVar("Job")
Result = TypeVar("Result")
Start = Callable[[], Callable[[Any], Result]]
Engine = Literal["local", "ray"]

AHEAD = 16  # results for each worker that may wait for a slow job before them


@dataclass(frozen=True, slots=True)
class Lost:
    """The result of a job whose worker was ended: number of the job (from 0) and exit code (-9 = signal 9)."""

    number: int
    code: int
    type: ClassVar[str] = "WorkerLost"
    hint: ClassVar[str] = "memory may be short: try it alone, or with fewer --workers"

    @property
    def message(self) -> str:
        """What happened, to write after a name."""
        return f"its worker was ended ({exit_name(self.code)})"


@dataclass(frozen=True, slots=True)
class Here(Generic[Result]):
    """A job that no other process can do: ``do`` is called in this one, in its turn."""

    do: Callable[[], Result]


def run(start: Start[Result], jobs: Iterable[Any], workers: int, engine: Engine = "local") -> Iterator[Result | Lost]:
    """Do jobs in processes of this machine, or as tasks of Ray Data.

    Parameters
    ----------
    start : callable
        Runs once in each worker and returns what does a job. It is pickled, and so are jobs and results.
    jobs : iterable
        Consumed as needed, a few ahead; with Ray, all at once. `Here` is done in this process.
    workers : int
        Processes, at most the number of jobs; 1 does all jobs in this process. Each imports the program's main file
        again, so a script must guard its code with ``if __name__ == "__main__":``. With Ray, tasks at a time.
    engine : {"local", "ray"}

    Returns
    -------
    iterator of Result or Lost
        In the order of the jobs. Closing it ends the workers. Ray retries jobs of lost workers, and gives no `Lost`.

    Raises
    ------
    InputError
        If ``workers`` is below 1; while iterating, if workers end repeatedly and no job gets done.
    ExtraMissing
        If Ray is requested and not installed.
    Exception
        While iterating: the exception of a job, in its turn, or of ``start``.
    """
    if workers < 1:
        raise InputError(f"workers={workers}, must be 1 or more", hint="a process each")
    if engine == "ray":
        if find_spec("ray") is None:
            raise ExtraMissing.named("ray", "Ray")
        return _on_ray(start, list(jobs), workers)
    if workers == 1:
        return _alone(start, jobs)
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        os._exit(IMPORTING)  # this is a worker that imports a script without the guard; the script reports it
    return _shared(start, jobs, workers)


def _alone(start: Start[Result], jobs: Iterable[Any]) -> Iterator[Result]:
    do: Callable[[Any], Result] | None = None
    for job in jobs:
        if isinstance(job, Here):
            yield job.do()
        else:
            do = do or start()
            yield do(job)


def _shared(start: Start[Result], jobs: Iterable[Any], workers: int) -> Iterator[Result | Lost]:
    crew, numbered, drawn, turn = Crew(pickle.dumps(start), workers, Lost), enumerate(jobs), 0, 0
    try:
        while True:
            while crew.has_room() and drawn - turn < AHEAD * workers:
                if (item := next(numbered, None)) is None:
                    crew.has_all = True
                    break
                number, job = item
                if isinstance(job, Here):
                    crew.done[number] = job.do
                else:
                    crew.take(number, job)
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


def _on_ray(start: Start[Result], jobs: list[Any], workers: int) -> Iterator[Result]:
    """Do jobs as tasks, which finish in any order; results are put back in order."""
    import ray.data

    rows = [{"number": n, "job": pickle.dumps(job)} for n, job in enumerate(jobs) if not isinstance(job, Here)]
    done: dict[int, bytes] = {}
    if rows:
        tasks = ray.data.from_items(rows, override_num_blocks=len(rows))
        answers = iter(tasks.map(partial(_answered, pickle.dumps(start)), concurrency=workers).iter_rows())
    for number, job in enumerate(jobs):
        if isinstance(job, Here):
            yield job.do()
            continue
        while number not in done:
            row = next(answers)
            done[row["number"]] = row["answer"]
        yield outcome(*pickle.loads(done.pop(number)))


def _answered(start: bytes, row: dict[str, Any]) -> dict[str, Any]:
    """Do the job of a row in a task of Ray."""
    return {"number": row["number"], "answer": attempt(lambda: _started(start)(pickle.loads(row["job"])))}


@cache
def _started(start: bytes) -> Callable[[Any], Any]:
    do: Callable[[Any], Any] = pickle.loads(start)()
    return do
