"""What was read wrong, and the pictures that show it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_report import write_photos
from PIL import Image

from signary.datasets.stores.draft import Clip, StoreDraft
from signary.datasets.stores.landmarks import ClipStore
from signary.evaluation.labeled import StoredClip
from signary.evaluation.report.examples import confused_pairs, skeleton_strip, thumbnail, worst_confusions
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import LEFT_HAND, RIGHT_HAND
from signary.video.write import write_video


def test_worst_confusions_are_sorted_by_number_then_name() -> None:
    pairs = [("B", "A"), ("A", "B"), ("A", "A"), ("C", "A"), ("C", "A")]
    assert worst_confusions(*zip(*pairs, strict=True)) == [("C", "A", 2), ("A", "B", 1), ("B", "A", 1)]


class TestConfusedPairs:
    """``confused_pairs`` and the pictures it shows."""

    def test_both_directions_are_one_pair(self) -> None:
        pairs = [("R", "U")] * 5 + [("U", "R")] * 14 + [("K", "V")] * 17 + [("A", "")] * 30 + [("U", "U")] * 6
        found = confused_pairs(*zip(*pairs, strict=True))
        said = [[(way.target, way.read, way.count, way.n) for way in ways] for ways in found]
        assert said == [[("U", "R", 14, 20), ("R", "U", 5, 5)], [("K", "V", 17, 17)]]

    def test_the_six_most_frequent(self) -> None:
        pairs = [(letter, "Z") for place, letter in enumerate("ABCDEFGH") for _ in range(place + 1)]
        found = confused_pairs(*zip(*pairs, strict=True))
        assert [ways[0].target for ways in found] == list("HGFEDC")

    def test_the_surest_are_shown_beside_what_was_read_right(self, tmp_path: Path) -> None:
        paths = write_photos(tmp_path, 7)
        found = confused_pairs(list("UUUUURR"), list("RRRRURU"), [0.1, 0.4, 0.3, 0.2, 0.9, 0.8, 0.7], paths)
        first, second = found[0]
        assert [one.name for one in first.wrong] == ["1.png", "2.png", "3.png"]
        assert [one.confidence for one in first.wrong] == [0.4, 0.3, 0.2]
        assert [one.name for one in first.right] == ["5.png"]
        assert [one.name for one in (*second.wrong, *second.right)] == ["6.png", "4.png"]
        assert first.wrong[0].image.max() == first.wrong[0].image.min() == 8

    def test_broken_pictures_make_room_for_the_next(self, tmp_path: Path) -> None:
        paths = write_photos(tmp_path, 5)
        paths[0].write_bytes(b"no picture")
        paths[1].unlink()
        ((mistake,),) = confused_pairs(["U"] * 5, ["R"] * 5, [0.9, 0.8, 0.7, 0.6, 0.5], paths)
        assert [one.name for one in mistake.wrong] == ["2.png", "3.png", "4.png"]
        assert mistake.right == ()


@pytest.mark.parametrize(("size", "width"), [((60, 40), 180), ((40, 400), 60), ((900, 30), 240), ((1, 1), 120)])
def test_thumbnails_are_120_high(tmp_path: Path, size: tuple[int, int], width: int) -> None:
    Image.new("RGB", size, (10, 200, 30)).save(tmp_path / "a.png")
    image = thumbnail(tmp_path / "a.png")
    assert image is not None
    assert (image.shape, image.dtype) == ((120, width, 3), np.uint8)
    assert (image == [10, 200, 30]).all()


def test_a_videos_first_frame_is_its_thumbnail(tmp_path: Path) -> None:
    frames = np.zeros((4, 64, 64, 3), np.uint8)
    frames[1:] = 255
    image = thumbnail(write_video(tmp_path / "a.mp4", frames, 25))
    assert image is not None
    assert (image.shape, image.max() < 40) == ((120, 120, 3), True)


def test_what_is_no_picture_has_no_thumbnail(tmp_path: Path) -> None:
    for name in ("a.npz", "broken.jpg", "broken.mp4", "gone.png", "a.txt"):
        if name != "gone.png":
            (tmp_path / name).write_bytes(b"nothing to see")
        assert thumbnail(tmp_path / name) is None
    (tmp_path / "folder.png").mkdir()
    assert thumbnail(tmp_path / "folder.png") is None


def hand_that_moves(part: slice = RIGHT_HAND) -> np.ndarray:
    """A small hand that goes from the left to the right, unseen at first and last: float32 (9, 543, 3)."""
    points = np.full((9, 543, 3), np.nan, np.float32)
    shape = np.random.default_rng(0).random((21, 3)) * 0.1
    points[2:7, part] = shape + np.linspace([0.1, 0.5, 0], [0.8, 0.5, 0], 5)[:, None]
    return points


def columns_drawn(panel: np.ndarray) -> np.ndarray:
    return np.flatnonzero((panel.max(axis=2).astype(int) - panel.min(axis=2) > 60).any(axis=0))


def test_a_strip_shows_the_first_the_middle_and_the_last_hand() -> None:
    strip = skeleton_strip(LandmarkSequence(hand_that_moves(), np.arange(9) / 30, aspect=1.0))
    assert strip is not None and (strip.shape, strip.dtype) == ((120, 240, 3), np.uint8)
    middles = [columns_drawn(panel).mean() for panel in np.split(strip, 3, axis=1)]
    assert middles[0] < 25 < 35 < middles[1] < 45 < 55 < middles[2]
    left = skeleton_strip(LandmarkSequence(hand_that_moves(LEFT_HAND), np.arange(9) / 30))
    assert left is not None and strip[..., 0].astype(int).sum() > left[..., 0].astype(int).sum()  # orange and blue


def test_a_stored_clip_is_shown_by_its_skeleton(tmp_path: Path) -> None:
    draft = StoreDraft(tmp_path / "store", np.arange(543))
    draft.begin()
    draft.add("0", [Clip("a", hand_that_moves()), Clip("b", np.full((2, 543, 3), np.nan, np.float32))])
    draft.finish()
    store = ClipStore(tmp_path / "store")
    seen = thumbnail(StoredClip(store, 0, "a", ""))
    assert seen is not None
    np.testing.assert_array_equal(seen, skeleton_strip(store.sequence(0)))
    assert thumbnail(StoredClip(store, 1, "b", "")) is None
