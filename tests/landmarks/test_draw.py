from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from signary.errors import ShapeError, SkeletonMismatch
from signary.landmarks.draw import BLUES, ORANGES, draw_label, draw_landmarks
from signary.landmarks.files import read_landmarks
from signary.landmarks.skeleton import HOLISTIC_543


def grey(height: int = 240, width: int = 320) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def open_hand() -> np.ndarray:
    """A flat hand float32 (21, 3) around the origin, fingers up, about one unit tall."""
    fingers = np.arange(20) // 4
    reach = 0.4 + 0.15 * (np.arange(20) % 4)
    angle = np.radians(40 - 20 * fingers)
    points = np.stack([-np.sin(angle) * reach, 0.5 - np.cos(angle) * reach, np.zeros(20)], axis=1)
    return np.concatenate([[[0, 0.5, 0]], points]).astype(np.float32)


def two_hands() -> np.ndarray:
    points = np.full((543, 3), np.nan, np.float32)
    points[468:489] = open_hand() * 0.4 + [0.75, 0.5, 0]
    points[522:543] = open_hand() * 0.4 + [0.25, 0.5, 0]
    return points


def has(image: np.ndarray, color: tuple[int, int, int]) -> bool:
    return bool((image == color).all(axis=-1).any())


def test_hands_in_their_colors_and_places():
    picture = grey()
    drawn = draw_landmarks(picture, two_hands())
    assert (picture == 128).all()
    assert drawn.shape == picture.shape and drawn.dtype == np.uint8
    left, right = drawn[:, 160:], drawn[:, :160]
    for blue, orange in zip(BLUES, ORANGES, strict=True):
        assert has(left, blue) and not has(right, blue)
        assert has(right, orange) and not has(left, orange)


def test_a_point_lies_in_the_middle_of_its_joint():
    points = np.full((21, 3), np.nan, np.float32)
    points[8] = [0.25, 0.5, 0]
    changed = np.argwhere((draw_landmarks(grey(200, 400), points, "HAND_21") != 128).any(axis=-1))
    np.testing.assert_allclose(changed.mean(axis=0) + 0.5, [100, 100], atol=0.3)


def luminance(color: tuple[int, int, int]) -> float:
    return float(np.dot([0.2126, 0.7152, 0.0722], (np.array(color) / 255) ** 2.2))


@pytest.mark.parametrize(
    "kind",
    [
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    ],
    ids=["protanopia", "deuteranopia", "tritanopia"],
)
def test_hands_differ_for_color_blind_people(kind):
    """Machado, Oliveira and Fernandes (2009), severity 1, in linear light."""
    seen = [((np.array(colors) / 255) ** 2.2) @ np.array(kind).T for colors in (BLUES, ORANGES)]
    blues, oranges = (np.clip(colors, 0, 1) ** (1 / 2.2) for colors in seen)
    assert np.linalg.norm(blues[:, None] - oranges[None], axis=-1).min() > 0.25


def test_fingers_run_from_dark_to_light():
    for colors in (BLUES, ORANGES):
        assert (np.diff([luminance(color) for color in colors]) > 0.02).all()


def test_missing_points_take_their_edges_with_them():
    points = open_hand() * 0.4 + np.float32([0.5, 0.5, 0])
    points[17:21] = np.nan
    drawn = draw_landmarks(grey(), points, "HAND_21")
    assert not has(drawn, ORANGES[4]) and has(drawn, ORANGES[0])
    nothing = np.full((543, 3), np.nan, np.float32)
    np.testing.assert_array_equal(draw_landmarks(grey(), nothing), grey())


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    arrays(np.float32, (21, 3), elements=st.floats(width=32)),
    st.none() | st.integers(1, 5),
)
def test_any_points_are_safe(height, width, points, thickness):
    drawn = draw_landmarks(grey(height, width), points, "HAND_21", thickness=thickness)
    assert drawn.shape == (height, width, 3)


def test_lines_to_points_outside_keep_their_direction():
    points = np.full((21, 3), np.nan, np.float32)
    points[5], points[6] = [0.5, 0.5, 0], [3.5, 3.5, 0]
    drawn = draw_landmarks(grey(200, 200), points, "HAND_21", thickness=1)
    assert (drawn[np.arange(110, 199), np.arange(110, 199)] != 128).any(axis=-1).all()


def test_lines_go_with_the_size_of_the_picture():
    counts = [(draw_landmarks(grey(size, size), two_hands()) != 128).any(axis=-1).mean() for size in (640, 1280, 1920)]
    assert max(counts) / min(counts) < 1.5
    thin, thick = (draw_landmarks(grey(), two_hands(), thickness=width) for width in (1, 6))
    assert (thick != 128).sum() > 2 * (thin != 128).sum()


def test_read_only_and_turned_pictures():
    picture = grey()[:, ::-1]
    picture.flags.writeable = False
    np.testing.assert_array_equal(draw_landmarks(picture, two_hands()), draw_landmarks(grey(), two_hands()))


@pytest.mark.parametrize(
    ("image", "points", "options", "message"),
    [
        (np.zeros((4, 4, 3)), np.zeros((543, 3)), {}, r"image float64 \(4, 4, 3\)"),
        (np.zeros((4, 4), np.uint8), np.zeros((543, 3)), {}, "must be uint8"),
        (np.zeros((0, 4, 3), np.uint8), np.zeros((543, 3)), {}, "one pixel or more"),
        (grey(), np.zeros((2, 543, 3)), {}, r"points.shape=\(2, 543, 3\), must be \(543, 3\)"),
        (grey(), np.zeros((543, 3)), {"thickness": 0}, "thickness=0"),
    ],
)
def test_refuses_other_shapes(image, points, options, message):
    with pytest.raises(ShapeError, match=message):
        draw_landmarks(image, points, **options)


def test_refuses_an_unknown_skeleton():
    with pytest.raises(SkeletonMismatch):
        draw_landmarks(grey(), np.zeros((17, 3)), "COCO_17")


def test_real_signer(shared_data):
    (path,) = (shared_data / "gislr-two-signs/kaggle/train_landmark_files/22343").glob("*.parquet")
    clip = read_landmarks(path)
    frame = int(np.flatnonzero(np.isfinite(clip.part("left_hand")).all(axis=(1, 2)))[0])
    drawn = draw_landmarks(grey(640, 480), clip.points[frame], HOLISTIC_543)
    assert all(has(drawn, color) for color in BLUES) and not has(drawn, ORANGES[2])


def test_label_is_readable_on_any_ground():
    for ground in (0, 128, 255):
        picture = np.full((240, 320, 3), ground, np.uint8)
        labeled = draw_label(picture, "HELLO")
        assert (picture == ground).all()
        band = labeled[-30:]
        assert band.max() == 255 and band.min() <= 64
        assert (labeled[:200] == ground).all()


def test_label_fits():
    short, long = (draw_label(grey(), text) for text in ("hi", "a caption\nmuch too long " * 8))
    for labeled in (short, long):
        edges = labeled[-30:, [0, 1, -2, -1]]
        assert (edges == 32).all()
    assert (long != draw_label(grey(), "x")).any()


def test_label_of_nothing_or_on_a_tiny_picture():
    np.testing.assert_array_equal(draw_label(grey(), " \n"), grey())
    assert draw_label(grey(1, 1), "HELLO").shape == (1, 1, 3)


def test_label_in_other_letters():
    np.testing.assert_array_equal(draw_label(grey(), "grün"), draw_label(grey(), "grun"))
    np.testing.assert_array_equal(draw_label(grey(), "手"), draw_label(grey(), "?"))


def test_label_refuses_other_shapes():
    with pytest.raises(ShapeError, match="must be uint8"):
        draw_label(np.zeros((4, 4, 4), np.uint8), "x")
