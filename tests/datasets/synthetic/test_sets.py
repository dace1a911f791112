"""Test sets of spelling: reproducible, of test words, with the times of all characters."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from signary.avatar.handshapes import load_handshapes
from signary.datasets.hands import HandSamples
from signary.datasets.stores.landmarks import ClipStore
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.photos import StrungHands, sized_hands
from signary.datasets.synthetic.sets import (
    AVATAR,
    TIMES,
    SpelledClip,
    SpellingSet,
    _bank_of,
    find_spelling_set,
    is_spelling_set,
    phrases_of,
    store_spelling,
)
from signary.datasets.synthetic.texts import WORDS, is_held_out
from signary.errors import InputError
from signary.landmarks.sequence import LandmarkSequence
from signary.landmarks.skeleton import RIGHT_HAND

OFF = dict.fromkeys(("coarticulation", "asynchrony", "drift", "wrist", "camera", "noise", "gaps", "left"), 0.0)
CALM = SyntheticOptions.model_validate({"letter_frames": (20.0, 20.0, 20.0), **OFF})


def hands_of(letters: str, seed: int = 0) -> HandSamples:
    """Return one random hand per letter, in pixels; right and left hands alternate."""
    random, count = np.random.default_rng(seed), len(letters)
    points = (300 + 60 * random.normal(size=(count, 21, 3))).astype(np.float32)
    names = np.array([f"made/{row}" for row in range(count)])
    right = np.arange(count) % 2 == 0
    return HandSamples(points, right, np.array(list(letters)), np.full(count, "made"), names, names)


def test_names() -> None:
    assert all(map(is_spelling_set, ("synthetic", "avatar", "avatar:meyyappan", "photos:/x")))
    assert not any(map(is_spelling_set, ("signs", "synthetics", "synthetic.store")))
    for wrong in ("synthetic:2", "photos", "photos:"):
        with pytest.raises(InputError, match="no such set"):
            find_spelling_set(wrong)
    with pytest.raises(InputError, match="limit=0"):
        find_spelling_set("synthetic", 0)
    with pytest.raises(InputError, match="no such person"):
        find_spelling_set("avatar:nobody")


def test_a_folder_of_that_name_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("avatar").mkdir()
    assert not is_spelling_set("avatar")


def test_the_frozen_set_is_handed_on_as_it_is() -> None:
    found = find_spelling_set("synthetic", 3)
    assert found.about["clips"] == len(found.clips) == 3
    again = find_spelling_set("synthetic", 2)
    for one, other in zip(found.clips, again.clips, strict=False):
        assert (one.name, one.text, one.fps) == (other.name, other.text, other.fps)
        np.testing.assert_array_equal(one.sequence().points, other.sequence().points)
    clip = found.clips[0]
    assert clip.letters_s.shape == (len(clip.text), 2)
    assert (np.diff(clip.letters_s.ravel()) >= 0).all()
    assert 0 < clip.letters_s.min() < clip.letters_s.max() < clip.sequence().duration_s
    assert clip.sequence().fps == pytest.approx(clip.fps, rel=1e-4)


def test_phrases_are_of_test_words_and_some_characters() -> None:
    letters = "abcdefghijklmnopqrstuvwxyz"
    phrases = phrases_of(letters + " ", 50)
    assert phrases[:7] == phrases_of(letters + " ", 7)
    assert set("".join(phrases)) <= set(letters + " ")
    with np.load(WORDS) as lists:
        known = {word for name in lists.files for word in lists[name].tobytes().decode().split("\n")}
    assert all(is_held_out(word) for text in phrases for word in text.split() if word in known and len(word) > 1)
    with pytest.raises(InputError, match="too few"):
        phrases_of("xq", 5)


def test_hands_have_one_size_whatever_their_unit() -> None:
    points = hands_of("abc").points
    sized = sized_hands(points)
    np.testing.assert_array_equal(sized[:, 0], 0)
    np.testing.assert_allclose(sized_hands(points / 300 - 7), sized, atol=1e-4)
    flat = points.copy()
    flat[..., 2] = np.nan
    assert np.isfinite(sized_hands(flat)).all()


def test_each_letter_shows_its_photo() -> None:
    samples = hands_of("ABCX")
    strung = StrungHands(samples, CALM)
    assert strung.characters == "abcx "
    batch = strung.draw(["ab cc"])
    points, times = batch.points[0, :, 21:].numpy(), batch.letters_s[0].numpy()
    assert points.shape[1:] == (21, 3)
    assert np.isnan(batch.points[0, :, :21].numpy()).all()
    sized = sized_hands(samples.right_hands())
    for place, letter in enumerate("ab cc"):
        if letter == " ":
            continue
        frame = round(float(times[place].mean()) * 30)
        plane = points[frame, :, :2] - points[frame, 0, :2]
        photo = sized["abcx".index(letter), :, :2]
        scale = (plane * photo).sum() / (photo**2).sum()
        np.testing.assert_allclose(plane, scale * photo, atol=2e-3)
        assert scale > 0.02
    with pytest.raises(InputError, match="'z': not photographed"):
        strung.draw(["zab"])


def test_strung_hands_stray_as_detected_ones_do() -> None:
    strung = StrungHands(hands_of("ABCDEFGH"), seed=3)
    batch = strung.draw(["abcdefgh"] * 40)
    left, right = (np.isfinite(batch.points[:, :, part, 0].numpy()).all(-1) for part in (slice(21), slice(21, 42)))
    assert not (left & right).any()
    handed = left.any(1).mean()
    assert 0 < handed < 0.4
    inside = np.arange(left.shape[1]) < batch.lengths.numpy()[:, None]
    assert 0.5 < (left | right)[inside].mean() < 1
    frames = batch.letter_frames.numpy()
    assert frames.min() >= 3.4 and frames.max() <= 18.5
    again = StrungHands(hands_of("ABCDEFGH"), seed=3).draw(["abcdefgh"] * 40)
    np.testing.assert_array_equal(again.points.numpy(), batch.points.numpy())


def test_a_side_that_hardly_any_photo_has_is_a_mistake() -> None:
    samples = hands_of("ab" * 10)
    assert StrungHands(samples).draw(["abab"]).texts == ["abab"]
    samples.right[:] = True
    samples.right[1] = False
    with pytest.raises(InputError, match="'b': not photographed"):
        StrungHands(samples.select(np.r_[0, 1, 2:20:2])).draw(["ab"])


def test_photos_of_no_letter_are_refused() -> None:
    samples = hands_of("ABC")
    with pytest.raises(InputError, match="none of a character"):
        StrungHands(samples.relabel({"A": "Nothing"}))


def test_real_landmarks_are_strung(shared_data: Path) -> None:
    found = find_spelling_set(f"photos:{shared_data}/asl-letters-landmarks/meyyappan.npz", 4)
    assert found.about["kinds"] == {"words": 4}
    assert [clip.name for clip in found.clips] == [f"photos-000{number}" for number in range(4)]
    assert all(clip.sequence().hand_rate > 0.3 for clip in found.clips)
    again = find_spelling_set(found.name, 2)
    assert [clip.text for clip in again.clips] == [clip.text for clip in found.clips[:2]]
    np.testing.assert_array_equal(again.clips[1].sequence().points, found.clips[1].sequence().points)


def test_people_kept_for_testing_show_each_others_digits() -> None:
    bank, own = load_handshapes(), _bank_of("meyyappan")
    row, digit = bank.person("meyyappan"), bank.shapes.index("7")
    np.testing.assert_array_equal(own.mean[row, digit], bank.mean[bank.person("digits-4"), digit])
    np.testing.assert_array_equal(own.mean[row, bank.shapes.index("A")], bank.mean[row, bank.shapes.index("A")])
    assert _bank_of(None) is bank


def test_the_avatar_is_not_filmed_before_it_is_seen() -> None:
    found = find_spelling_set("avatar", 30)
    assert (len(found.clips), found.about) == (30, {})
    for clip in found.clips:
        spaces = np.array(list(clip.text)) == " "
        np.testing.assert_array_equal(np.isnan(clip.letters_s).all(1), spaces)
        shown = clip.letters_s[~spaces]
        middles = shown.mean(1)
        if not {*clip.text} & {*"jz "}:
            assert 2.9 < (len(shown) - 1) / (middles[-1] - middles[0]) < 5.1


@pytest.mark.slow
def test_the_avatar_is_filmed_and_seen() -> None:
    clip = find_spelling_set("avatar", 1, engine="hands").clips[0]
    sequence = clip.sequence()
    assert sequence is clip.sequence()
    assert sequence.hand_rate > 0.5
    assert np.nanmax(clip.letters_s) < sequence.duration_s


def test_a_set_is_stored_with_its_times(tmp_path: Path) -> None:
    points = np.full((6, 543, 3), np.nan, np.float32)
    points[:, RIGHT_HAND] = 0.5
    times = np.array([[0.1, 0.2], [np.nan, np.nan], [0.3, 0.4]], np.float32)
    clip = SpelledClip("one", "a b", times, lambda: LandmarkSequence(points, np.arange(6) / 15), 15.0)
    store = ClipStore(store_spelling(SpellingSet(AVATAR, [clip]), tmp_path / "store"))
    assert store.column("label").tolist() == ["a b"]
    assert store.sequence(0).fps == pytest.approx(15)
    np.testing.assert_array_equal(store.sequence(0).points, points)
    np.testing.assert_array_equal(np.array(store.about[TIMES]["one"], np.float32), times)
