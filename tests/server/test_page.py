"""The page in Chromium, with a film of the avatar as camera; skipped without Chromium, Playwright or axe."""

from __future__ import annotations

import importlib
import importlib.util
import json
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
from talking import Serving, serving, start

from signary.avatar.hand import hand_points, quaternion_turn
from signary.avatar.handshapes import JOINTS, load_handshapes
from signary.avatar.look import Look
from signary.avatar.motion import SpellOptions, plan_spelling
from signary.avatar.spell import spelled_frames
from signary.recognition.load import load
from signary.server.app import BROWSER

ROOT = Path(__file__).resolve().parents[2]
AXE = Path(os.environ.get("AXE", ROOT / "node_modules/axe-core/axe.min.js"))
FAKE = ("--no-sandbox", "--headless=new", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
WAIT_MS = 60_000
REST_FRAMES = 60  # without a hand, at 15 or 30 a second: a phrase ends after 1.6 s without one


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Film the avatar as it spells HI slowly and rests; the fake camera repeats it."""
    path = tmp_path_factory.mktemp("camera") / "hi.mjpeg"
    plan = plan_spelling("HI", SpellOptions(speed=1))
    with av.open(str(path), "w", format="mjpeg") as film:
        stream = film.add_stream("mjpeg", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuvj420p"
        images = [frame.image for frame in spelled_frames(plan, fps=15, look=Look(skin=6), size=(640, 480))]
        for image in [*images, *images[-1:] * REST_FRAMES]:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def browser(film: Path) -> Iterator[Any]:
    """Open Chromium with the film as camera."""
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
    """Open the page of a real server; an error in its console fails the test."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    opened, complaints = context.new_page(), []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    opened.goto(f"{serve().url}/")
    yield opened
    context.close()
    assert not complaints


def test_the_page_is_light_and_asks_nobody_else() -> None:
    files = [file for part in ("parts", "served") for file in sorted((BROWSER / part).iterdir())]
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
def test_what_is_spelled_to_the_camera_is_read(browser: Any) -> None:
    expect = importlib.import_module("playwright.sync_api").expect
    with serving({"spelling": load("spelling", threads=1)}) as running:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{running.url}/")
        page.click("#start")
        text = page.locator("#live-text .text.spelled")
        expect(text).to_contain_text(re.compile(r"h\W*i"), timeout=WAIT_MS)
        final = text.locator("button:not(.partial)")
        expect(final).to_contain_text(["h", "i"], timeout=WAIT_MS)
        page.click("#start")
        expect(page.locator("#start")).to_contain_text("Start", timeout=WAIT_MS)
        expect(final).to_contain_text(["h", "i"])
        context.close()


@pytest.mark.slow
def test_what_was_read_is_explained_and_saved(page: Any) -> None:
    page.click("#start")
    first = page.locator("#live-text .text button:not(.partial)").first
    first.hover(timeout=WAIT_MS)
    assert re.match(r"[HI], \d+ % sure(; or .+)?\. \d+\.\d to \d+\.\d s\.", page.inner_text("#live-text .detail"))
    with page.expect_download() as saved:
        page.click("#live-text [data-do=json]")
    said = json.loads(saved.value.path().read_text())
    assert (said["task"], {token["text"] for token in said["tokens"]} <= set("HI")) == ("letters", True)
    with page.expect_download() as saved:
        page.click("#live-text [data-do=srt]")
    assert re.match(r"1\n00:00:\d\d,\d{3} --> 00:00:\d\d,\d{3}\n[HI]\n", saved.value.path().read_text())


def practice(page: Any, text: str) -> None:
    """Start to practice a text."""
    page.click("#tab-practice")
    page.fill("#practice-text", text)
    page.press("#practice-text", "Enter")
    page.click("#start")


@pytest.mark.slow
def test_practice_marks_each_letter(page: Any) -> None:
    practice(page, "hit")
    page.wait_for_selector("#letters li:nth-child(2).right", timeout=WAIT_MS)
    page.wait_for_selector("#letters li:nth-child(3).wrong[aria-current=step]", timeout=WAIT_MS)
    assert page.get_attribute("#target-picture", "alt") == "Handshape of T"
    page.fill("#practice-text", "A1")
    page.press("#practice-text", "Enter")
    assert "not both" in page.inner_text("#practice-note")
    assert page.locator("#letters li").count() == 3


@pytest.mark.slow
def test_what_no_model_reads_is_said(page: Any) -> None:
    practice(page, "42")
    page.wait_for_selector("#trouble:not([hidden])", timeout=WAIT_MS)
    assert page.inner_text("#trouble-text") == "This server has no model that reads digits."
    page.click("#practice-another")  # a word: the server has a model for letters
    page.wait_for_selector("#letters li:nth-child(1)[aria-current=step]", timeout=WAIT_MS)
    page.wait_for_function(
        "document.getElementById('state').textContent.startsWith('Reading letters')", timeout=WAIT_MS
    )
    assert page.locator("#trouble").is_hidden()


@pytest.mark.slow
def test_no_camera_runs_behind_the_file_tab(page: Any) -> None:
    page.evaluate("document.getElementById('start').click(); document.getElementById('tab-file').click()")
    page.wait_for_timeout(1500)
    assert page.evaluate("document.getElementById('video').srcObject") is None
    page.click("#tab-live")
    assert page.inner_text("#start") == "Start camera"
    assert page.locator("#curtain").is_visible()


@pytest.mark.slow
def test_a_full_server_is_told_and_connected_to_again(browser: Any, serve: Serving) -> None:
    server = serve(limit=1)
    other = server.connect()
    start(other)
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{server.url}/")
    opened.click("#start")
    opened.wait_for_selector("#reconnect", timeout=WAIT_MS)
    assert opened.inner_text("#trouble-text").startswith("The server is full")
    other.close()
    while opened.evaluate("fetch('api/health').then(answer => answer.json())")["sessions"]:
        opened.wait_for_timeout(50)
    opened.click("#reconnect")
    importlib.import_module("playwright.sync_api").expect(opened.locator("#state")).to_have_text("Reading letters.")
    assert opened.is_hidden("#trouble")
    context.close()


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


@pytest.mark.slow
def test_the_page_fits_a_phone_and_is_used_by_keys(browser: Any, serve: Serving) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    opened = context.new_page()
    opened.goto(f"{serve().url}/")
    opened.focus("#tab-live")
    for tab in ("practice", "file", "live"):
        opened.keyboard.press("ArrowRight")
        assert opened.evaluate("document.activeElement.id") == f"tab-{tab}"
        assert opened.is_visible(f"#panel-{tab}")
        assert opened.evaluate("document.documentElement.scrollWidth") == 390
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.id") == "model"
    context.close()


@pytest.mark.slow
def test_hints_name_the_finger_that_differs(browser: Any, serve: Serving) -> None:
    bank = load_handshapes()
    poses = bank.poses(["B", "W", "V"], people="davidlee")
    build = bank.build_of(np.full(3, bank.person("davidlee")))
    b, w, v = hand_points(poses[:, :JOINTS], quaternion_turn(poses[:, JOINTS:]), build)[..., :2]
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{serve().url}/")

    def hints(hand: Any, letter: str, left: bool = False) -> list[str]:
        said = opened.evaluate(
            """async ([hand, letter, left]) => {
                const {compare} = await import("/static/parts/hints.js");
                const shapes = await (await fetch("/static/parts/handshapes.json")).json();
                return compare(hand, shapes[letter], left).map(hint => hint.text);
            }""",
            [hand.tolist(), letter, left],
        )
        return list(said)

    assert hints(w, "W") == hints(w * [-1, 1], "W", left=True) == []
    assert "Straighten the ring finger." in hints(v, "W")
    assert "Straighten the little finger." in hints(w, "B")
    assert "Bend the little finger." in hints(b, "W")
    assert hints(w * [1, -1], "W")[0].startswith("Turn the hand")
    context.close()


def test_hands_are_measured_here_as_there(browser: Any, serve: Serving) -> None:
    random = np.random.default_rng(0)
    hands = random.normal(0, 1, (5, 21, 2)).astype(np.float32)
    measured, up = _script("measure_handshapes").measures(hands)
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(f"{serve().url}/")
    said = opened.evaluate(
        "async hands => { const {measure} = await import('/static/parts/hints.js'); return hands.map(measure) }",
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
