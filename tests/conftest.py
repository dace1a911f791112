"""What several test files need."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from hypothesis import settings

# a shared machine may stall for longer than any deadline that says something about the code
settings.register_profile("signary", deadline=None)
settings.load_profile("signary")

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # as a shell leaves it in the background: Ctrl+C is tested
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real data beside the repository; skip, saying so, where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no real data: {SHARED_DATA} is absent")
    return SHARED_DATA
