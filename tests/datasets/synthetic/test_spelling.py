"""Properties of synthetic spelling."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import torch

from signary.avatar.hand import HandBuild, hand_points
from signary.avatar.hand import quaternion_times as numpy_product
from signary.avatar.hand import quaternion_turn as numpy_turn
from signary.avatar.hand import vector_quaternion as numpy_vector
from signary.avatar.handshapes import load_handshapes
from signary.datasets.synthetic.dice import Dice
from signary.datasets.synthetic.frozen import describe, frozen_test
from signary.datasets.synthetic.moments import Moments
from signary.datasets.synthetic.movement import FPS, Spelling, moved, spell
from signary.datasets.synthetic.noise import ENDS, missed
from signary.datasets.synthetic.options import SyntheticOptions
from signary.datasets.synthetic.shapes import (
    KEYS,
    TEST_PEOPLE,
    Shapes,
    quaternion_product,
    quaternion_turn,
    vector_quaternion,
)
from signary.datasets.synthetic.spelling import SyntheticBatch, SyntheticSpelling
from signary.datasets.synthetic.texts import FORMS, NOT_SPELLED, TEXT_KINDS, PhraseMaker, check_spelled
from signary.errors import ConfigError, InputError
from signary.features.select import SelectPoints
from signary.features.spelling import SPELLING_POINTS
from signary.text.characters import CHARACTERS, CharacterVocabulary
from signary.text.twins import TWINS, fold

HANDS = SelectPoints(["left_hand", "right_hand"])
PLAIN = SyntheticOptions(gaps=0, noise=0, flips=0, left=0, other_hand=0, camera=0, drift=0, wrist=0, false_starts=0)


@cache
def some(count: int = 200) -> SyntheticBatch:
    return SyntheticSpelling(HANDS, seed=5).draw(count)


def plain(text: str, **changes: object) -> SyntheticBatch:
    return SyntheticSpelling(HANDS, PLAIN.model_copy(update=changes), seed=1).draw(1, texts=[text])


def laid_out(*texts: str, seed: int = 4, **changes: object) -> Spelling:
    """Return the key poses of texts."""
    options = PLAIN.model_copy(update=changes)
    numbers, lengths = (torch.from_numpy(part) for part in CharacterVocabulary().encode_many(texts))
    return spell(numbers, lengths, options, Shapes("train", options), Dice(seed))


def test_every_character_has_a_form_or_is_listed() -> None:
    assert set(FORMS) | set(NOT_SPELLED) == set(CHARACTERS)
    assert not set(FORMS) & set(NOT_SPELLED)
    assert NOT_SPELLED == "!#$%&()*;=?[~"


def test_folding_joins_what_looks_alike() -> None:
    assert fold("2022 9f 60") == "vovv ff wo"
    assert all(FORMS[digit] == "digit" and FORMS[letter] == "letter" for digit, letter in TWINS.items())


@pytest.mark.parametrize("text", ["50% off", "Anna", "", " a", "a  b"])
def test_what_cannot_be_spelled_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="spell"):
        SyntheticSpelling(HANDS).draw(1, texts=[text])


def test_refusal_names_the_characters() -> None:
    with pytest.raises(InputError, match=r"'#\('"):
        check_spelled(["fine", "no #1 (a"])


def test_phrases_are_of_their_kind_and_can_be_spelled() -> None:
    random = np.random.default_rng(0)
    for kind in TEXT_KINDS:
        phrases = PhraseMaker("train", {kind: 1.0}).draw(100, random)
        check_spelled(phrases)
        assert len(set(phrases)) > 60
        assert all(3 <= len(phrase) <= 60 for phrase in phrases if kind != "words")
    assert all(set(phrase) <= set("0123456789-+") for phrase in PhraseMaker("train", {"phone": 1}).draw(50, random))
    with pytest.raises(InputError, match="songs"):
        PhraseMaker("train", {"songs": 1.0})


def test_words_and_people_of_tests_are_in_no_training() -> None:
    random = np.random.default_rng(0)
    words = [
        {word for phrase in PhraseMaker(split, {"words": 1.0}).draw(500, random) for word in phrase.split()}
        for split in ("train", "test")
    ]
    assert not words[0] & words[1]
    train, test = (Shapes(split, SyntheticOptions()) for split in ("train", "test"))
    assert set(test.people) == set(TEST_PEOPLE) and not set(train.people) & set(TEST_PEOPLE)
    bank = load_handshapes()
    for shapes in (train, test):
        shown = {shape for name in shapes.people for shape in np.array(bank.shapes)[_shown(name)]}
        assert shown >= set(bank.shapes) - {"Z"}


def _shown(name: str) -> np.ndarray:
    bank = load_handshapes()
    return np.isfinite(bank.mean[bank.person(name)]).all(-1)


def test_torch_moves_hands_as_numpy_does() -> None:
    bank, random = load_handshapes(), np.random.default_rng(3)
    poses = bank.poses(["A", "W", "8"], variation=1.0, random=random)
    build = bank.build_of(np.array([0, 1, 2]))
    expected = hand_points(poses[:, :22], numpy_turn(poses[:, 22:]), build)
    tensors = [torch.from_numpy(part).float() for part in (build.palm, build.bones, build.twist)]
    turn = quaternion_turn(torch.from_numpy(poses[:, 22:]))
    found = hand_points(torch.from_numpy(poses[:, :22]), turn, HandBuild(*tensors), torch)
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-6)
    vectors = random.normal(size=(2, 3, 3)).astype(np.float32)
    one, other = (numpy_vector(vector) for vector in vectors)
    np.testing.assert_allclose(vector_quaternion(torch.from_numpy(vectors[0])), one, atol=1e-6)
    product = quaternion_product(torch.from_numpy(one), torch.from_numpy(other))
    np.testing.assert_allclose(product, numpy_product(one, other), atol=1e-6)


def test_the_same_seed_gives_the_same_batches() -> None:
    one, other = (SyntheticSpelling(HANDS, seed=9) for _ in range(2))
    first, second = one.draw(3), one.draw(3)
    assert first.texts != second.texts
    again = other.draw(3, number=1)
    assert again.texts == second.texts
    torch.testing.assert_close(again.points, second.points, equal_nan=True)
    torch.testing.assert_close(again.letters_s, second.letters_s, equal_nan=True)


def test_which_points_are_asked_for_changes_nothing_of_them() -> None:
    ten = SelectPoints([f"right_hand_{joint}" for joint in ("thumb_tip", "index_mcp", "index_tip")])
    whole = SelectPoints(SPELLING_POINTS)
    few, all_of_them = (SyntheticSpelling(points, seed=2).draw(4).points for points in (ten, whole))
    places = [whole.names.index(name) for name in ten.names]
    torch.testing.assert_close(few, all_of_them[:, :, places], equal_nan=True)
    with pytest.raises(ConfigError, match="face_10"):
        SyntheticSpelling(SelectPoints(["face_10"]))


def test_clips_are_padded_behind_their_ends() -> None:
    batch = some()
    frames = torch.arange(batch.points.shape[1])
    behind = frames >= batch.lengths[:, None]
    assert batch.points.shape == (200, int(batch.lengths.max()), 42, 3) and batch.points.dtype == torch.float32
    assert batch.points[behind].isnan().all()
    seen = batch.points[~behind].isfinite().all(-1)
    assert seen.view(-1, 2, 21).all(-1).eq(seen.view(-1, 2, 21).any(-1)).all()  # hands are complete or absent


def test_times_of_characters_follow_one_another_within_the_clip() -> None:
    batch = some()
    count = torch.tensor([len(text) for text in batch.texts])
    given = torch.arange(batch.letters_s.shape[1]) < count[:, None]
    assert batch.letters_s[~given].isnan().all() and batch.letters_s[given].isfinite().all()
    start, end = batch.letters_s.unbind(-1)
    assert (end[given] > start[given]).all()
    assert (start[:, 1:] > end[:, :-1])[given[:, 1:]].all()
    last = (batch.lengths - 1) / batch.fps
    assert (start[:, 0] >= 0).all()
    assert (torch.where(given, end, 0).amax(1) <= last + 1 / batch.fps + 1e-4).all()


def test_speeds_rates_and_shares_on_the_way_are_in_range() -> None:
    batch = some()
    assert batch.letter_frames.min() >= 3.49 and batch.letter_frames.max() <= 18.5
    assert 8.5 < batch.letter_frames.median() < 10.5
    assert batch.fps.min() >= 10 and batch.fps.max() <= 60
    assert (batch.letter_frames / FPS * batch.fps >= 2.49).all()
    start, end = batch.letters_s[:, :5].unbind(-1)
    way, hold = start[:, 1:] - end[:, :-1], (end - start)[:, 1:]
    share = (way / (way + hold)).nan_to_num(0.5)
    assert share.min() > 0.34 and share.max() < 0.76


def test_gaps_are_as_long_as_those_of_real_clips() -> None:
    found = describe([some(), SyntheticSpelling(HANDS, seed=6).draw(200)], HANDS)
    gaps, seen = np.array(found["gap_frames"]), np.array(found["hand_seen"])
    assert 2 <= gaps[3] <= 4 and 15 < gaps[5] < 30
    assert 0.85 < seen[3] < 1 and 0.4 < seen[1] < 0.75
    assert found["hand_outside"] < 0.05 and found["clips"] == 400


def test_a_twentieth_of_the_points_is_outside_the_picture() -> None:
    points = SelectPoints(SPELLING_POINTS)
    found = describe([SyntheticSpelling(points, seed=1).draw(100)], points)
    assert 0.03 < found["outside"] < 0.08


def test_nothing_is_missed_where_no_gaps_are_asked_for() -> None:
    moments = Moments.of(torch.tensor([2.0, 5.0]), torch.tensor([30.0, 25.0]))
    assert moments.lengths.tolist() == [61, 126] and len(moments) == 187
    assert not missed(moments, 0.0, Dice(0)).any()
    many = Moments.of(torch.full((200,), 20.0), torch.full((200,), 30.0))
    assert missed(many, 0.4, Dice(0)).float().mean() == pytest.approx(0.4 * (1.02**2 + 0.02 * 0.98) / 3, abs=0.03)


def test_detectors_that_give_few_points_give_the_same_ones_all_the_time() -> None:
    whole = SyntheticSpelling(HANDS, SyntheticOptions(sparse=0), seed=4).draw(64, number=0)
    some = SyntheticSpelling(HANDS, SyntheticOptions(sparse=1), seed=4).draw(64, number=0)
    seen = torch.isfinite(whole.points).view(*whole.points.shape[:2], 2, 21, 3)
    given = torch.isfinite(some.points).view(seen.shape)
    assert (given <= seen).all()
    ever = given.any(1).any(1)  # (B, 21, 3), of either hand
    assert (given == seen & ever[:, None, None]).all()
    assert ever[..., 0].equal(ever[..., 1])
    depth = ever[..., 2].any(1).float().mean()
    ten = torch.zeros(21, dtype=torch.bool).index_fill(0, torch.tensor(ENDS), True)
    ends = (ever[..., 0] == ten).all(1).float().mean()
    assert abs(depth - 0.5) < 0.2
    assert abs(ends - 0.5) < 0.2
    assert some.points.view(given.shape)[given].equal(whole.points.view(given.shape)[given])


def test_left_hands_are_mirror_images() -> None:
    right = plain("hello", left=0.0)
    left = plain("hello", left=1.0)
    assert right.points[..., :21, :].isnan().all() and left.points[..., 21:, :].isnan().all()
    image = right.points[..., 21:, :].clone()
    image[..., 0] = 1 - image[..., 0]
    torch.testing.assert_close(left.points[..., :21, :], image, equal_nan=True)


def test_body_is_there_and_the_arm_follows_the_hand() -> None:
    points = SelectPoints(["right_hand", "right_arm", "nose", "left_arm"])
    batch = SyntheticSpelling(points, PLAIN, seed=1).draw(3)
    seen = batch.points[..., 0, 0].isfinite()
    wrist = batch.points[..., points.names.index("pose_right_wrist"), :2]
    distance = (wrist - batch.points[..., 0, :2]).norm(dim=-1)[seen]
    assert distance.max() < 0.02
    nose, shoulder = (batch.points[..., points.names.index(name), 1] for name in ("face_1", "pose_right_shoulder"))
    valid = nose.isfinite()
    assert (nose < shoulder)[valid].all()


def _places(text: str, **changes: object) -> torch.Tensor:
    """Return the wrist positions at the keys of each character, (L, 6, 3)."""
    spelling = laid_out(text, **{"asynchrony": 0.0, "coarticulation": 0.0} | changes)
    return spelling.keys[0, 2 * KEYS : -KEYS, -3:].view(-1, KEYS, 3)


def test_j_and_z_are_drawn_and_others_are_held() -> None:
    a, j, z = _places("ajz")
    assert (a == a[0]).all()
    hook = j - j[0]
    assert hook[:, 1].max() > 0.15 and hook[-1, 0] > 0.15  # down, then to the viewer's right
    turns = torch.diff(z[1:5, 0]).sign()
    assert turns.tolist() == [-1, 1, -1]


def test_doubles_keep_their_shape() -> None:
    spelling = laid_out("wwwa", coarticulation=0.0)
    angles = spelling.keys[0, 2 * KEYS :, :22].view(-1, KEYS, 22)
    torch.testing.assert_close(angles[0], angles[1])
    torch.testing.assert_close(angles[0], angles[2])
    assert (angles[3] - angles[0]).abs().max() > 0.5


def test_strangers_show_a_letter_in_a_way_of_their_own() -> None:
    """A letter always has the same shape, and it differs from those of all known people."""
    numbers, _ = (torch.from_numpy(part) for part in CharacterVocabulary().encode_many(["aba"] * 40))
    bank = load_handshapes()
    known = torch.from_numpy(bank.mean[:, bank.shapes.index("A"), :22])
    away = []
    for strangers in (0.0, 1.0):
        options = PLAIN.model_copy(update={"strangers": strangers, "variation": 0.0, "blend": 0.0})
        shown = Shapes("train", options).poses(numbers, 0 * numbers, Dice(4))[:, :, 0]
        torch.testing.assert_close(shown[:, 0], shown[:, 2])
        away.append(torch.cdist(shown[:, 0, :22], known[torch.isfinite(known).all(1)]).amin(1))
    assert away[0].max() < 0.01
    assert away[1].median() > 0.15


def test_fast_spelling_does_not_reach_its_shapes() -> None:
    reach = []
    for frames in (18.0, 4.0):
        spelling = laid_out("sws" * 8, letter_frames=(frames,) * 3, variation=0.0)
        bends = spelling.keys[0, 2 * KEYS : -KEYS : KEYS, 7]  # at the index finger's first joint
        reach.append(float(bends.view(-1, 3)[:, 0].mean() - bends.view(-1, 3)[:, 1].mean()))
    assert 0.2 < reach[1] < 0.9 * reach[0]


def test_hands_move_without_jumps() -> None:
    spelling = laid_out("jazz band", "3/4", seed=0, letter_frames=(9.5,) * 3)
    moments = Moments.of(spelling.durations_s, torch.full((2,), 1000.0))
    values, still = moved(spelling, moments)
    steps = values.diff(dim=0)[moments.text.diff() == 0]
    assert steps.abs().max() < 0.06
    assert 0.2 < still.mean() < 0.9
    torch.testing.assert_close(values[:, 22:26].norm(dim=1), torch.ones(len(values)))


def test_no_rest_begins_and_ends_with_spelling() -> None:
    batch = plain("ab", rests=0.0)
    assert batch.letters_s[0, 0, 0] == 0
    assert float(batch.letters_s[0, 1, 1] * batch.fps[0]) - float(batch.lengths[0]) < 1


def test_one_text_a_clip() -> None:
    with pytest.raises(InputError, match="count=2 for 1 texts"):
        SyntheticSpelling(HANDS).draw(2, texts=["a"])
    with pytest.raises(InputError, match="split='validation'"):
        SyntheticSpelling(HANDS, split="validation")


def test_the_frozen_set_stays_as_it_is() -> None:
    batch = next(frozen_test(HANDS))
    assert batch.texts[:3] == ["www.featurewater.io/disciplinary", "bertram hackney", "elisabeth r brownlee"]
    assert batch.letter_frames[:3].tolist() == pytest.approx([14.249, 15.414, 13.339], abs=1e-3)
    assert batch.lengths[:3].tolist() == [522, 142, 496]
    assert float(batch.points.nanmean()) == pytest.approx(0.3365, abs=1e-3)
