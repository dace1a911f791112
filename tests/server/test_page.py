"""The page, in a real browser whose camera is the avatar; skipped where Chromium, Playwright or axe is not there."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
from talking import Serving

from signary.avatar.look import Look
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.spell import spelled_frames
from signary.server import app

ROOT = Path(__file__).resolve().parents[2]
PAGE = Path(app.__file__).with_name("page")
AXE = Path(os.environ.get("AXE", ROOT / "node_modules/axe-core/axe.min.js"))
FAKE = ("--no-sandbox", "--headless=new", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
WAIT_MS = 60_000


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Draw the avatar spelling HI, slowly: what the camera shows, again and again."""
    path = tmp_path_factory.mktemp("camera") / "hi.mjpeg"
    plan = plan_spelling("HI", SpellOptions(speed=1))
    with av.open(str(path), "w", format="mjpeg") as film:
        stream = film.add_stream("mjpeg", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        for frame in spelled_frames(plan, fps=15, look=Look(skin=6), size=(640, 480)):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame.image, format="rgb24")))
        film.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Any]:
    """Open Chromium with the film for a camera."""
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as running:
        opened = running.chromium.launch(
            executable_path=chromium, args=[*FAKE, f"--use-file-for-fake-video-capture={film}"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, serve: Serving) -> Iterator[Any]:
    """Open the page of a real server; what its console complains of fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened, complaints = context.new_page(), []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.goto(f"{serve().url}/")
    yield opened
    context.close()
    assert not complaints


def test_the_page_is_light_and_asks_nobody_else() -> None:
    files = sorted(PAGE.iterdir())
    assert sum(file.stat().st_size for file in files) < 100_000
    for file in files:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://(?!127\.0\.0\.1|localhost)", text), file
        assert file.suffix != ".html" or not re.search(r"<style|style=|<script(?![^>]*src)|\son\w+=", text)


@pytest.mark.slow
def test_what_is_signed_to_the_camera_is_read(page: Any) -> None:
    expect = importlib.import_module("playwright.sync_api").expect
    page.click("#start")
    expect(page.locator("#live-text .text")).to_contain_text(re.compile(r"H\s*I"), timeout=WAIT_MS)
    assert page.inner_text("#lag").endswith("ms")
    assert float(page.inner_text("#fps")) > 0
    page.click("#start")
    expect(page.locator("#start")).to_contain_text("Start", timeout=WAIT_MS)
    expect(page.locator("#live-text .text")).to_contain_text(re.compile(r"H\s*I"))


@pytest.mark.slow
def test_a_refused_camera_is_told_in_words(browser: Any, serve: Serving) -> None:
    context = browser.new_context()
    opened = context.new_page()
    refuse = "navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))"
    opened.add_init_script(refuse)
    opened.goto(f"{serve().url}/")
    opened.click("#start")
    opened.wait_for_selector("#trouble:not([hidden])", timeout=WAIT_MS)
    assert "camera" in opened.inner_text("#trouble-text").lower()
    context.close()


@pytest.mark.slow
def test_a_file_is_read(page: Any, film: Path, tmp_path: Path) -> None:
    from signary import spell

    spell("HI", tmp_path / "hi.mp4", SpellOptions(speed=2))
    page.click("#tab-file")
    page.set_input_files("#file", str(tmp_path / "hi.mp4"))
    page.click("#panel-file .main")
    page.wait_for_selector("#file-result:not([hidden])", timeout=WAIT_MS)
    assert "HI" in page.inner_text("#file-text")


@pytest.mark.slow
@pytest.mark.parametrize("tab", ["#tab-live", "#tab-practice", "#tab-file"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_hurdle_is_found(browser: Any, serve: Serving, tab: str, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip(f"axe-core is not installed (npm install axe-core, or AXE=path/to/axe.min.js): {AXE}")
    context = browser.new_context(color_scheme=scheme, bypass_csp=True)
    opened = context.new_page()
    opened.goto(f"{serve().url}/")
    opened.click(tab)
    opened.add_script_tag(path=str(AXE))
    found = opened.evaluate("axe.run()")["violations"]
    context.close()
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []


def test_hands_are_measured_here_as_there(browser: Any, serve: Serving) -> None:
    random = np.random.default_rng(0)
    hands = random.normal(0, 1, (5, 21, 2)).astype(np.float32)
    measured, up = _script("measure_handshapes").measures(hands)
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{serve().url}/")
    said = opened.evaluate(
        "async hands => { const {measure} = await import('/static/hints.js'); return hands.map(measure) }",
        hands.tolist(),
    )
    context.close()
    names = ("thumb", "index", "middle", "ring", "pinky", "across", "spread")
    np.testing.assert_allclose([[hand[name] for name in names] for hand in said], measured, rtol=1e-3, atol=1e-3)
    turn = np.degrees(np.arctan2(up[:, 0], -up[:, 1]))
    np.testing.assert_allclose([hand["turn"] for hand in said], turn, atol=0.1)


def _script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"scripts/{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
