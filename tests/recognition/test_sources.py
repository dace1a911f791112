"""Whatever people hand over is read alike by every method, or refused by name."""

from __future__ import annotations

import datetime
import decimal
import fractions
import io
import pathlib
import string
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_reader import make_points, make_reader
from PIL import Image

from signary.errors import InputError
from signary.landmarks.sequence import LandmarkSequence, Points
from signary.recognition.recognizer import Recognizer
from signary.text.recognition import Recognition
from signary.video.frame import Frame
from signary.video.source import open_source

PICTURE = np.full((48, 64, 3), 90, np.uint8)


class AlwaysA:
    """A detector that sees a hand which shows A in every frame."""

    def detect(self, frame: Frame) -> Points:
        """Return the hand."""
        return make_points("A")[0]

    def looks(self, frame: Frame) -> Points:
        """Return the hand, seen once."""
        return self.detect(frame)[None]

    def reset(self) -> None:
        """Remember nothing."""

    def close(self) -> None:
        """Hold nothing."""


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recognizer]:
    reader = make_reader(tmp_path_factory.mktemp("made") / "bundle")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("signary.recognition.detectors.open_detector", lambda *_, **__: AlwaysA())
        yield reader


def file_of(image: Image.Image, format: str = "PNG") -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, format)
    file.seek(0)
    return file


def methods(reader: Recognizer) -> dict[str, Callable[[Any], Any]]:
    return {
        "recognize": reader.recognize,
        "landmarks": reader.landmarks,
        "rank": reader.rank,
        "stream": lambda source: list(reader.stream(source)),
        "open_source": lambda source: list(open_source(source)),
    }


READ: dict[str, Callable[[], Any]] = {
    "array": lambda: PICTURE,
    "grey": lambda: PICTURE[..., 0],
    "rgba": lambda: np.dstack([PICTURE, PICTURE[..., 0]]),
    "channels first": lambda: PICTURE.transpose(2, 0, 1),
    "image": lambda: Image.fromarray(PICTURE),
    "palette image": lambda: Image.fromarray(PICTURE).convert("P"),
    "bytes": lambda: file_of(Image.fromarray(PICTURE)).getvalue(),
    "memoryview": lambda: memoryview(file_of(Image.fromarray(PICTURE)).getvalue()),
    "file": lambda: file_of(Image.fromarray(PICTURE)),
    "opened image": lambda: Image.open(file_of(Image.fromarray(PICTURE), "WEBP")),
    "frame": lambda: Frame(PICTURE),
    "list": lambda: [PICTURE] * 20,
    "generator": lambda: (PICTURE for _ in range(20)),
    "images": lambda: [Image.fromarray(PICTURE)] * 20,
    "clip": lambda: np.stack([PICTURE] * 20),
}

REFUSED: dict[str, Any] = {
    "None": None,
    "float": 1.5,
    "bool": True,
    "empty": [],
    "exhausted": iter([]),
    "dict": {"image": PICTURE},
    "set": {1},
    "text file": io.StringIO("x"),
    "floats": PICTURE / 255.0,
    "module": string,
    "class": Image.Image,
    "lock": threading.Lock(),
    "date": datetime.date(2026, 1, 1),
    "decimal": decimal.Decimal(1),
    "fraction": fractions.Fraction(1, 2),
    "scalar": np.float32(1),
    "no file": pathlib.PurePath("nothing/there.jpg"),
    "no address": "ftp://example.org/x.jpg",
}


@pytest.mark.parametrize("method", ["recognize", "landmarks", "rank", "stream", "open_source"])
class TestEveryMethod:
    @pytest.mark.parametrize("kind", READ)
    def test_what_is_read(self, reader: Recognizer, method: str, kind: str) -> None:
        found = methods(reader)[method](READ[kind]())
        if isinstance(found, Recognition):
            assert (found.text, found.hand_rate) == ("A", 1)
        if isinstance(found, LandmarkSequence):
            assert len(found) in (1, 20)
        if method == "rank":
            assert found[0][0] == "A"

    @pytest.mark.parametrize("kind", REFUSED)
    def test_what_is_refused(self, reader: Recognizer, method: str, kind: str) -> None:
        with pytest.raises(InputError) as caught:
            methods(reader)[method](REFUSED[kind])
        assert caught.value.hint

    @settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
    @given(
        st.recursive(
            st.none()
            | st.booleans()
            | st.floats()
            | st.complex_numbers()
            | st.binary(max_size=80)
            | st.text(max_size=9).map(lambda text: f"no such {text}")
            | st.datetimes()
            | st.uuids()
            | st.sampled_from([np.zeros(3), np.zeros((2, 2), int), np.array("x"), np.datetime64(0, "s"), object()]),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(st.text(max_size=2), inner, max_size=2)
                | st.lists(inner, max_size=2).map(tuple)
                | st.lists(inner, max_size=2).map(iter)
            ),
            max_leaves=5,
        )
    )
    def test_anything_else_is_an_input_error(self, reader: Recognizer, method: str, anything: Any) -> None:
        with pytest.raises(InputError):
            methods(reader)[method](anything)


def test_many_sources_of_all_kinds_and_none_stops_the_rest(reader: Recognizer) -> None:
    results = list(reader.recognize_many([*(make() for make in READ.values()), *REFUSED.values()]))
    assert [isinstance(result, Recognition) for result in results] == [True] * len(READ) + [False] * len(REFUSED)


def test_the_callers_image_can_still_be_used(reader: Recognizer) -> None:
    image = Image.open(file_of(Image.fromarray(PICTURE), "JPEG"))
    reader.recognize(image)
    assert image.getpixel((3, 3)) == pytest.approx((90, 90, 90), abs=2)
