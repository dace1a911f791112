"""Results are in order, a killed process loses only its job, and no process outlives the program."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import made_jobs
import pytest

from signary.errors import ExtraMissing, InputError
from signary.jobs.crew import DEATHS
from signary.jobs.run import AHEAD, Here, Lost, run
from signary.jobs.worker import cores, exit_name, threads_each

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
PATIENCE_S = 30.0


def children(of: int | str = "self") -> list[int]:
    """Return the child processes of a process, without the resource tracker."""
    listed = Path(f"/proc/{of}/task").glob("*/children")
    found = [int(word) for path in listed for word in path.read_text().split()]
    return [number for number in found if "resource_tracker" not in command_of(number)]


def command_of(number: int) -> str:
    try:
        return Path(f"/proc/{number}/cmdline").read_text()
    except OSError:
        return ""


def is_there(number: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_until_gone(numbers: list[int]) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while any(map(is_there, numbers)):
        assert time.monotonic() < until_s, f"{numbers} still run"
        time.sleep(0.02)


def wait_for(path: Path) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < until_s, f"{path} does not come"
        time.sleep(0.02)


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    yield
    assert multiprocessing.active_children() == []
    if sys.platform == "linux":
        assert children() == []


@pytest.fixture
def program(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run two endless jobs in two processes of a program, and wait until both work."""
    marks = [tmp_path / "a", tmp_path / "b"]
    words = [sys.executable, made_jobs.__file__, "7", *(f"draft {mark}" for mark in marks)]
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        for mark in marks:
            wait_for(mark)
        yield process
        process.kill()
    wait_until_gone([process.pid])


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_results_come_in_the_order_of_the_jobs(workers: int) -> None:
    jobs = ["wait 0.2", *range(40), "wait 0.1", 7]
    assert list(run(made_jobs.start, jobs, workers)) == [made_jobs.do(job) for job in jobs]
    assert list(run(made_jobs.start, [], workers)) == []


def test_one_worker_is_this_process() -> None:
    assert list(run(made_jobs.start, ["who"], 1)) == [os.getpid()]
    assert list(run(partial(made_jobs.say_hello, Path("/nowhere")), [], 1)) == []
    others = set(run(made_jobs.start, ["who"] * 8, 2))
    assert os.getpid() not in others and len(others) in (1, 2)


def test_no_more_workers_start_than_there_are_jobs(tmp_path: Path) -> None:
    start = partial(made_jobs.say_hello, tmp_path)
    assert list(run(start, [3], 4)) == [9]
    assert len(list(tmp_path.iterdir())) == 1
    assert list(run(start, [Here(lambda: 1), Here(lambda: 2)], 4)) == [1, 2]
    assert len(list(tmp_path.iterdir())) == 1


def test_jobs_are_drawn_as_they_are_needed() -> None:
    drawn = []

    def numbers() -> Iterator[int | str]:
        for number in count():
            drawn.append(number)
            yield number if number else "wait 1"

    with closing(run(made_jobs.start, numbers(), 2)) as results:
        assert drawn == []
        assert next(results) == "wait 1"
        assert 2 <= len(drawn) <= 2 * AHEAD
        assert [next(results) for _ in range(100)] == [number * number for number in range(1, 101)]
        assert len(drawn) <= 101 + 2 * AHEAD


def test_some_jobs_are_done_here_in_their_turn() -> None:
    told = []

    def here(name: str) -> int:
        told.append(name)
        return os.getpid()

    jobs = [Here(partial(here, "a")), "who", Here(partial(here, "b")), "who"]
    with closing(run(made_jobs.start, jobs, 2)) as results:
        assert next(results) == os.getpid()
        assert told == ["a"]
        assert next(results) != os.getpid()
        assert told == ["a"]
        assert next(results) == os.getpid()
        assert told == ["a", "b"]
    assert list(run(made_jobs.start, [Here(lambda: 5), 2], 1)) == [5, 4]


@pytest.mark.parametrize("workers", [1, 2])
def test_an_exception_comes_in_its_turn(workers: int) -> None:
    with closing(run(made_jobs.start, ["wait 0.2", 3, "fail x", 4], workers)) as results:
        assert [next(results), next(results)] == ["wait 0.2", 9]
        with pytest.raises(InputError, match="x: no such job") as caught:
            next(results)
        assert (caught.value.message, caught.value.hint) == ("x: no such job", "take another")
        assert workers == 1 or "made_jobs.py" in caught.value.__notes__[0]
        assert list(results) == []


def test_what_cannot_cross_is_said() -> None:
    with pytest.raises(RuntimeError, match="Unlike: two words"):
        list(run(made_jobs.start, ["unlike"], 2))
    with pytest.raises(Exception, match="pickle"):
        list(run(made_jobs.start, ["function x"], 2))
    with pytest.raises(Exception, match="pickle"):
        list(run(made_jobs.start, [lambda: None], 2))


def test_a_killed_worker_costs_its_job_alone() -> None:
    jobs = [1, 2, "kill", 4, 5, 6, "kill", "kill", "exit 7", 10, 11]
    found = list(run(made_jobs.start, jobs, 2))
    lost = {2: -9, 6: -9, 7: -9, 8: 7}
    assert found == [Lost(place, lost[place]) if place in lost else job * job for place, job in enumerate(jobs)]
    assert found[2].message == "its worker was ended (SIGKILL)"
    assert found[8].message == "its worker was ended (exit code 7)"
    assert "memory" in found[2].hint


def test_large_jobs_and_results_cross() -> None:
    large = "x" * 5_000_000
    assert list(run(made_jobs.start, [large] * 4, 2)) == [large] * 4


def test_workers_that_cannot_start_end_in_an_error() -> None:
    with pytest.raises(InputError, match="exit code 3") as caught:
        list(run(made_jobs.start_and_die, range(1000), 3))
    assert "memory" in caught.value.hint and "--workers 1" in caught.value.hint
    with pytest.raises(InputError, match="model: gone"):
        list(run(made_jobs.start_and_fail, range(1000), 2))


def test_workers_that_never_do_anything_end_in_an_error() -> None:
    found = []
    with pytest.raises(InputError, match=r"SIGKILL.*nothing gets done"):
        found.extend(run(made_jobs.start, ["kill"] * 1000, 2))  # results before the error are kept
    assert 0 < len(found) <= DEATHS + 5
    assert all(isinstance(one, Lost) for one in found)


def test_a_few_bad_jobs_among_good_ones_are_no_error() -> None:
    jobs = [7, *["kill"] * DEATHS, 7]
    assert [isinstance(one, Lost) for one in run(made_jobs.start, jobs, 2)] == [job == "kill" for job in jobs]


def test_wrong_numbers_of_workers() -> None:
    for workers in (0, -1):
        with pytest.raises(InputError, match=f"workers={workers}, must be 1 or more"):
            run(made_jobs.start, [1], workers)


@pytest.fixture(params=["made", "real"])
def ray(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run jobs on Ray, or on a stand-in whose tasks end in reverse order."""
    if request.param == "real":
        real = pytest.importorskip("ray")
        yield
        real.shutdown()
        return

    def tasks(do: Callable[..., object], rows: list[object]) -> SimpleNamespace:
        return SimpleNamespace(iter_rows=lambda: [pickle.loads(pickle.dumps(do))(row) for row in rows[::-1]])

    def from_items(rows: list[object], override_num_blocks: int) -> SimpleNamespace:
        return SimpleNamespace(map=lambda do, concurrency: tasks(do, rows))

    data = SimpleNamespace(from_items=from_items)
    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(data=data, __spec__=ModuleSpec("ray", None)))
    monkeypatch.setitem(sys.modules, "ray.data", data)
    yield


def test_ray_does_the_same(ray: None) -> None:
    jobs = [3, Here(lambda: 5), *range(6), "fail x", 4]
    with closing(run(made_jobs.start, jobs, 2, "ray")) as results:
        assert [next(results) for _ in range(8)] == [9, 5, 0, 1, 4, 9, 16, 25]
        with pytest.raises(InputError, match="x: no such job") as caught:
            next(results)
        assert caught.value.hint == "take another" and "made_jobs.py" in caught.value.__notes__[0]
    assert list(run(made_jobs.start, [], 2, "ray")) == []


def test_ray_may_be_lacking() -> None:
    if find_spec("ray") is not None:
        pytest.skip("ray is installed")
    with pytest.raises(ExtraMissing, match=r"signary\[ray\]"):
        run(made_jobs.start, [1], 2, "ray")


def test_threads_are_shared_out() -> None:
    assert threads_each(1) == cores() >= 1
    assert threads_each(cores()) == threads_each(cores() + 1) == 1
    assert list(run(made_jobs.start, ["environ OPENCV_FOR_THREADS_NUM"] * 2, 2)) == [str(threads_each(2))] * 2


def test_names_of_exit_codes() -> None:
    assert [exit_name(code) for code in (-9, -11, 0, 3)] == ["SIGKILL", "SIGSEGV", "exit code 0", "exit code 3"]


@LINUX
def test_closing_early_ends_the_workers(tmp_path: Path) -> None:
    mark = tmp_path / "draft"
    with closing(run(made_jobs.start, [1, 2, f"draft {mark}", f"draft {mark}2"], 2)) as results:
        assert [next(results), next(results)] == [1, 4]
        workers = children()
        assert len(workers) == 2
    assert children() == []
    assert not any(map(is_there, workers))
    assert list(tmp_path.iterdir()) == []  # jobs have cleaned up


@LINUX
def test_an_error_of_who_takes_results_ends_the_workers() -> None:
    with pytest.raises(ZeroDivisionError):
        for _ in run(made_jobs.start, [1, 2, "wait 60", "wait 60"], 2):
            assert len(children()) == 2
            1 / 0  # noqa: B018


@LINUX
def test_ctrl_c_ends_all(program: subprocess.Popen[str], tmp_path: Path) -> None:
    workers = children(program.pid)
    assert len(workers) == 2
    os.killpg(program.pid, signal.SIGINT)  # as a terminal does: to all of them
    out, err = program.communicate(timeout=PATIENCE_S)
    assert out == "49\n"
    assert err.count("Traceback") == 1 and err.rstrip().endswith("KeyboardInterrupt")
    assert program.returncode == -signal.SIGINT
    assert not any(map(is_there, workers))
    assert list(tmp_path.iterdir()) == []


@LINUX
def test_a_killed_program_takes_its_workers_with_it(program: subprocess.Popen[str]) -> None:
    workers = children(program.pid)
    assert len(workers) == 2
    program.kill()
    program.wait()
    wait_until_gone(workers)


def test_a_script_without_main_is_told(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "import made_jobs\nfrom signary.jobs.run import run\nprint(list(run(made_jobs.start, [1, 2], 2)))\n"
    )
    path = os.pathsep.join([str(Path(made_jobs.__file__).parent), os.environ.get("PYTHONPATH", "")])
    words = [sys.executable, str(script)]
    told = subprocess.run(words, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr.count("Traceback") == 1
    assert told.stderr.rstrip().endswith('(put what it does under: if __name__ == "__main__":)')
