"""The live server: lag and frames served for one camera and for eight, and memory over many short sessions.

Clients play an avatar clip as 640x480 JPEGs at 30 fps in real time, each against the same server process; the lag is
the client's, from sending a frame to the message that it was read.
"""

from __future__ import annotations

import asyncio
import io
import json
import re
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
from PIL import Image
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from harness import arguments, matrix_rate, show
from signary.avatar.motion import plan_spelling
from signary.avatar.render import render
from signary.landmarks.detect import open_detector
from signary.video.frame import Frame
from signary.video.photo import read_photo

FPS, SIZE, WORD = 30, (640, 480), "HELLO"
ENGINES = {"hands": "letters", "holistic": "signs"}
MIB, SETTLE_S = 2**20, 1.0


@dataclass
class Play:
    """Measurements of one client."""

    lags_s: list[float] = field(default_factory=list)
    sent: int = 0
    served: int = 0
    final: str = ""
    closed: bool = False


def main() -> None:
    """Print one session's lag and share, eight sessions' fairness, and the server's memory."""
    options = arguments(__doc__)
    seconds, together_s, rounds = (8, 8, 20) if options.quick else (60, 600, 200)
    pictures = camera()
    result: dict[str, Any] = {"matrix_gflops": round(matrix_rate(), 1)}
    result |= {f"two_{name}_detectors_fps": round(two_detectors(name, pictures), 1) for name in ENGINES}
    with server() as (process, address):
        served = [model["name"] for model in get_json(f"{address}/api/models")]
        for engine, model in ENGINES.items():
            if model in served:
                (play,) = run(address, model, pictures, clients=1, seconds=seconds)
                result |= {f"one_{engine}_{name}": value for name, value in lag_and_share([play]).items()}
        result |= eight(process, address, pictures, together_s)
        # the machine may be slower by now
        alone_fps = (result["two_hands_detectors_fps"] + two_detectors("hands", pictures)) / 2
        result["eight_to_two_detectors"] = round(result["eight_fps"] / alone_fps, 3)
        result |= reconnecting(process, address, pictures, rounds)
    show(result, as_json=options.json)


def camera() -> list[bytes]:
    """Return the clip as JPEGs."""
    clip = plan_spelling(WORD).sequence(FPS)
    return [encoded(frame.image) for frame in render(clip, size=SIZE)]


def encoded(image: np.ndarray[Any, Any]) -> bytes:
    """Return a JPEG like a browser's."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=80)
    return file.getvalue()


def two_detectors(name: str, pictures: list[bytes]) -> float:
    """Return the frames a second of two detectors in parallel, without a server."""
    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(detector_rate, [name] * 2, [pictures] * 2))


def detector_rate(name: str, pictures: list[bytes]) -> float:
    """Return the frames a second of a detector, without a server."""
    frames = [Frame(read_photo(picture), 0, 0.0) for picture in pictures[:75]]
    with open_detector(name) as detector:
        detector.detect(frames[0])
        start = time.perf_counter()
        for frame in frames:
            detector.detect(frame)
        return len(frames) / (time.perf_counter() - start)


@contextmanager
def server() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run ``signary serve`` on a free port."""
    words = [sys.executable, "-m", "signary", "serve", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline().strip().rstrip("/")
        finally:
            process.terminate()


def get_json(address: str) -> Any:
    """Return what an address answers."""
    with urlopen(address) as answer:
        return json.load(answer)


def run(address: str, model: str, pictures: list[bytes], *, clients: int, seconds: float) -> list[Play]:
    """Let clients play in real time, after their detectors have started."""

    async def all_of_them() -> list[Play]:
        plays = (play(address, model, pictures, seconds, phase=k / clients / FPS) for k in range(clients))
        return await asyncio.gather(*plays)

    return asyncio.run(all_of_them())


async def play(address: str, model: str, pictures: list[bytes], seconds: float, phase: float = 0.0) -> Play:
    """Play one camera: a frame every 1/30 s, independent of the server."""
    seen, sent_at = Play(), dict[float, float]()
    async with connect(f"{address.replace('http', 'ws')}/api/live", compression=None, ping_interval=None) as socket:
        await socket.send(json.dumps({"version": 1, "type": "start", "model": model, "input": "jpeg"}))
        await socket.recv()
        await socket.send(struct.pack("<d", -1.0) + pictures[len(pictures) // 2])
        while json.loads(await socket.recv())["type"] != "frame":
            pass
        listening = asyncio.create_task(listen(socket, seen, sent_at))
        start = time.perf_counter() + phase
        for number in range(round(seconds * FPS)):
            time_s = number / FPS
            await asyncio.sleep(max(0.0, start + time_s - time.perf_counter()))
            sent_at[time_s] = time.perf_counter()
            await socket.send(struct.pack("<d", time_s) + pictures[number % len(pictures)])
            seen.sent += 1
        await socket.send(json.dumps({"version": 1, "type": "end"}))
        await listening
    return seen


async def listen(socket: Any, seen: Play, sent_at: dict[float, float]) -> None:
    """Record every message until the last."""
    async for text in socket:
        message = json.loads(text)
        if message["type"] == "frame":
            seen.served += 1
            seen.lags_s.append(time.perf_counter() - sent_at[message["time_s"]])
        elif message["type"] == "event" and message["final"]:
            seen.final += message["text"] + " " * (len(message["text"]) > 1)
        elif message["type"] == "closed":
            seen.closed = True


def lag_and_share(plays: list[Play]) -> dict[str, Any]:
    """Summarize the measurements of clients."""
    lags = sorted(lag for seen in plays for lag in seen.lags_s)
    return {
        "lag_p50_ms": round(1000 * statistics.median(lags), 1),
        "lag_p95_ms": round(1000 * lags[int(0.95 * (len(lags) - 1))], 1),
        "served_share": round(sum(seen.served for seen in plays) / sum(seen.sent for seen in plays), 3),
        "read": plays[0].final.strip()[:40],
    }


def eight(process: subprocess.Popen[str], address: str, pictures: list[bytes], seconds: float) -> dict[str, Any]:
    """Let eight play at once and a ninth connect; measure the server's memory in the first and the last fifth."""
    memory: list[float] = []

    async def together() -> tuple[list[Play], str]:
        plays = asyncio.gather(*(play(address, "letters", pictures, seconds, k / 8 / FPS) for k in range(8)))
        await asyncio.sleep(seconds / 5)
        memory.append(memory_mib(process.pid))
        refusal = await knock(address)
        await asyncio.sleep(seconds * 3 / 5)
        memory.append(memory_mib(process.pid))
        return await plays, refusal

    plays, refusal = asyncio.run(together())
    served = [seen.served for seen in plays]
    seen = lag_and_share(plays)
    return {
        "eight_fps": round(sum(served) / seconds, 1),
        "eight_least_to_mean": round(min(served) / statistics.mean(served), 3),
        "eight_lag_p95_ms": seen["lag_p95_ms"],
        "eight_lag_max_ms": round(1000 * max(max(seen.lags_s) for seen in plays), 1),
        "eight_ended": sum(seen.closed for seen in plays),
        "eight_memory_ratio": round(memory[1] / memory[0], 3),
        "ninth": refusal,
    }


async def knock(address: str) -> str:
    """Open one session too many, and return the close code and reason."""
    async with connect(f"{address.replace('http', 'ws')}/api/live", compression=None) as socket:
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    return f"{socket.close_code} {socket.close_reason}"


def reconnecting(process: subprocess.Popen[str], address: str, pictures: list[bytes], rounds: int) -> dict[str, Any]:
    """Connect, stream and disconnect repeatedly; measure the server's memory without clients."""
    memory = []
    for count in (1, rounds):
        for _ in range(count):
            run(address, "letters", pictures, clients=1, seconds=0.2)
        time.sleep(SETTLE_S)
        memory.append(memory_mib(process.pid))
    return {
        "rounds": rounds,
        "rounds_memory_mib": round(memory[-1]),
        "rounds_memory_ratio": round(memory[-1] / memory[0], 3),
    }


def memory_mib(process: int) -> float:
    """Return the resident memory of a process (Linux)."""
    with Path(f"/proc/{process}/status").open(encoding="ascii") as file:
        found = re.search(r"VmRSS:\s+(\d+) kB", file.read())
    return int(found[1]) * 1024 / MIB if found else float("nan")


if __name__ == "__main__":
    main()
