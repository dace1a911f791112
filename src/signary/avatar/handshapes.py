"""The avatar's handshapes: mean and main variations of letters and digits, for each person.

``handshapes.npz`` next to this file is made by ``scripts/fit_handshapes.py`` from landmarks of real hands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from signary.avatar.hand import Floats, HandBuild, clip_angles, quaternion_times, quaternion_vector, vector_quaternion
from signary.errors import InputError

BANK = Path(__file__).with_name("handshapes.npz")
JOINTS = 22
# Default people: one for letters and one for digits, and others for letters whose detected points are then clearly
# nearer to the avatar's own.
LETTERS_OF, DIGITS_OF = "davidlee", "digits-0"
BETTER_OF = {"E": "meyyappan", "K": "keptsecret", "O": "keptsecret", "Q": "keptsecret", "S": "meyyappan"}


@dataclass(frozen=True, eq=False)
class HandshapeBank:
    """Handshapes of H people and S signs.

    Parameters
    ----------
    people, shapes : tuple of str
        Names of the people (their source) and of the handshapes, A to Z and 0 to 9.
    mean : float32 (H, S, 26)
        Angles of the 22 joints (`signary.avatar.hand.ANGLES`), then the rotation as a quaternion; NaN where that person
        did not show the handshape.
    modes : float32 (H, S, K, 25)
        Principal components of angles and rotation (a rotation vector), each one standard deviation long.
    build : HandBuild
        Of each person.
    """

    people: tuple[str, ...]
    shapes: tuple[str, ...]
    mean: Floats
    modes: Floats
    build: HandBuild

    def person(self, name: str) -> int:
        """Return the index of a person.

        Raises
        ------
        InputError
            If there is none of that name; the known ones are listed.
        """
        if name not in self.people:
            raise InputError(f"{name!r}: no such person", hint=f"known: {', '.join(self.people)}")
        return self.people.index(name)

    def shown_by(self, shape: str) -> list[str]:
        """Return the people who show a handshape."""
        column = self.shapes.index(shape)
        return [name for name, mean in zip(self.people, self.mean[:, column], strict=True) if np.isfinite(mean).all()]

    def build_of(self, people: NDArray[np.int64]) -> HandBuild:
        """Return the builds of people, given by index."""
        return HandBuild(self.build.palm[people], self.build.bones[people], self.build.twist[people])

    def differences(self, people: NDArray[np.int64]) -> Floats:
        """Return how people, given by index, differ in the same letter: float32 (25, 25), L of a covariance L L'.

        It is the covariance of angles and rotation (a rotation vector) about each letter's mean, over letters shown by
        two people or more. Digits are left out: a person who shows only digits is the mean of many.
        """
        letters = [column for column, shape in enumerate(self.shapes) if shape.isalpha()]
        rows = []
        for mean in self.mean[people][:, letters].swapaxes(0, 1).astype(np.float64):
            shown = mean[np.isfinite(mean).all(1)]
            if len(shown) < 2:
                continue
            turns = shown[:, JOINTS:]
            middle = np.linalg.eigh(turns.T @ turns)[1][:, -1] * (1, -1, -1, -1)  # the mean turn's inverse
            away = quaternion_vector(quaternion_times(turns, np.broadcast_to(middle, turns.shape)))
            apart = np.concatenate([shown[:, :JOINTS] - shown[:, :JOINTS].mean(0), away], 1)
            rows.append(apart * np.sqrt(len(shown) / (len(shown) - 1)))
        if not rows:
            return np.zeros((JOINTS + 3, JOINTS + 3), np.float32)
        apart = np.concatenate(rows)
        sizes, ways = np.linalg.eigh(apart.T @ apart / len(apart))
        return np.asarray(ways * np.sqrt(sizes.clip(0)), np.float32)

    def default_person(self, shape: str) -> str:
        """Return the default person of a handshape."""
        return DIGITS_OF if shape.isdigit() else BETTER_OF.get(shape, LETTERS_OF)

    def poses(
        self,
        shapes: Sequence[str],
        *,
        people: str | Sequence[str] | None = None,
        variation: float = 0.0,
        random: np.random.Generator | None = None,
    ) -> Floats:
        """Return poses of handshapes.

        Parameters
        ----------
        shapes : sequence of str
            N names.
        people : str or N str, optional
            Whose handshapes; by default, and where that person does not show one, the default person's.
        variation : float
            Standard deviations of the random variation, 0 = the mean.
        random : numpy.random.Generator, optional
            Source of the variation.

        Returns
        -------
        float32 (N, 26)
            Angles in radians, within the range of each joint, and a unit quaternion.
        """
        asked = [people] * len(shapes) if people is None or isinstance(people, str) else list(people)
        rows = np.array([self._shower(shape, person) for shape, person in zip(shapes, asked, strict=True)], int)
        columns = np.array([self.shapes.index(shape) for shape in shapes], int)
        mean = np.asarray(self.mean[rows, columns])
        if not variation:
            return mean
        random = random or np.random.default_rng()
        modes = self.modes[rows, columns]
        draws = np.clip(random.standard_normal(modes.shape[:2], np.float32), -2, 2) * variation
        change = np.einsum("nk,nkd->nd", draws, modes)
        turn = quaternion_times(vector_quaternion(change[:, JOINTS:]), mean[:, JOINTS:])
        return np.concatenate([clip_angles(mean[:, :JOINTS] + change[:, :JOINTS]), turn], 1).astype(np.float32)

    def _shower(self, shape: str, person: str | None) -> int:
        if person is not None and np.isfinite(self.mean[self.person(person), self.shapes.index(shape)]).all():
            return self.person(person)
        return self.person(self.default_person(shape))


@cache
def load_handshapes(path: Path = BANK) -> HandshapeBank:
    """Load the bank that comes with the package, or another made by ``scripts/fit_handshapes.py``."""
    with np.load(path, allow_pickle=False) as arrays:
        mean = arrays["mean"].astype(np.float32)
        mean[..., JOINTS:] /= np.linalg.norm(mean[..., JOINTS:], axis=-1, keepdims=True)
        return HandshapeBank(
            people=tuple(arrays["people"].tolist()),
            shapes=tuple(arrays["shapes"].tolist()),
            mean=mean,
            modes=arrays["modes"].astype(np.float32),
            build=HandBuild(arrays["palm"], arrays["bones"], arrays["twist"]),
        )


def spellable(text: str, *, skip_unknown: bool = False) -> str:
    """Return a text as the avatar spells it: capitals, digits and single spaces.

    Parameters
    ----------
    text : str
    skip_unknown : bool
        Leave out characters that have no handshape.

    Raises
    ------
    InputError
        If there is nothing to spell, or a character has no handshape; those are named.
    """
    shapes = set(load_handshapes().shapes) | {" "}
    written = " ".join(text.upper().split())
    unknown = _in_order(character for character in written if character not in shapes)
    if unknown and not skip_unknown:
        raise InputError(
            f"{''.join(unknown)!r}: no handshape for {'it' if len(unknown) == 1 else 'these'}",
            hint="A to Z, 0 to 9 and spaces can be spelled; --skip-unknown leaves the rest out",
        )
    kept = " ".join("".join(character for character in written if character in shapes).split())
    if not kept:
        raise InputError(f"{text[:40]!r}: nothing to spell", hint="give letters A to Z or digits 0 to 9")
    return kept


def _in_order(characters: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(characters))
