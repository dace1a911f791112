"""``signary serve``."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest
from command import run


def test_it_says_where_it_listens_and_stops_on_ctrl_c() -> None:
    words = [sys.executable, "-m", "signary", "serve", "--port", "0", "--models", "digits", "--limit", "3"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:")
        with urlopen(f"{address}api/health", timeout=20) as answer:
            assert json.load(answer)["limit"] == 3
        with urlopen(f"{address}api/models", timeout=20) as answer:
            assert [model["name"] for model in json.load(answer)] == ["digits"]
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=20)
    assert (server.returncode, said) == (0, "stopped\n")


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--host", "0.0.0.0"], 2, "hint: give --token"),
        (["--models", "nosuch"], 2, "error: 'nosuch': no such model"),
        (["--limit", "0"], 2, "error: limit=0, must be above 0"),
        (["--port", "99999", "--models", "digits"], 1, "port=99999, must be 0 to 65535"),
        (["--host", "192.0.2.1", "--token", "s3cret", "--models", "digits"], 1, "192.0.2.1:8000: cannot listen"),
    ],
)
def test_what_cannot_be_served_is_said(
    capsys: pytest.CaptureFixture[str], words: list[str], status: int, said: str
) -> None:
    code, out, err = run(capsys, "serve", *words)
    assert (code, out) == (status, "")
    assert said in err
