"""The fields of recipes, and their defaults."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from signary.text.vocabulary import Vocabulary


class Part(BaseModel):
    """A part of a recipe: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Credit(Part):
    """Where data comes from: name, licence, address."""

    name: str
    licence: str
    url: str = ""


class Source(Credit):
    """One set of data, as it lies below ``--data``.

    Parameters
    ----------
    path : str
        Below ``--data``.
    reader : {"photos", "hand-arrays", "pictures"}
        Hands found in photos, hands in arrays, or the photos themselves.
    weight : float
        How often its hands are drawn, beside the others'.
    labels : dict of str to str, optional
        Labels to keep and their names in the vocabulary; by default, the vocabulary's own and its aliases.
    people : str
        Sources that show the same people name the same; the source itself by default.
    pictures : str
        Folder below ``--data`` with pictures that the points were found in, so that they count as learned from.
    optional : bool
        Go on without it where it is missing.
    score : bool
        Leave it out once when scoring by source.
    """

    path: str
    reader: Literal["photos", "hand-arrays", "pictures"]
    weight: float = Field(1.0, gt=0)
    labels: dict[str, str] | None = None
    people: str = ""
    pictures: str = ""
    optional: bool = False
    score: bool = True


class Recipe(Part):
    """How one model is made: what every recipe says.

    Parameters
    ----------
    parameters : int
        Trainable ones of the published model.
    vocabulary, silent, aliases
        As in `signary.bundles.manifest.BundleManifest`.
    scores : list
        Measured before, by the commands they name, for the model card.
    """

    name: str
    task: Literal["letters", "digits", "signs", "spelling"]
    network: str
    parameters: int = 0
    vocabulary: list[str]
    silent: list[str] = []
    aliases: dict[str, str] = {}
    sign_language: str = "ase"
    region: str = ""
    seed: int = Field(0, ge=0)
    scores: list[dict[str, Any]] = []

    @property
    def labels(self) -> list[str]:
        """Labels that are told apart, in the order of the logits."""
        return self.vocabulary

    @property
    def words(self) -> Vocabulary:
        """The labels with what is silent and what else they are called."""
        known = set(self.labels)
        aliases = {name: label for name, label in self.aliases.items() if label in known}
        return Vocabulary(tuple(self.labels), tuple(label for label in self.silent if label in known), aliases)

    @property
    def classes(self) -> int:
        """How many are told apart, whatever the data."""
        return len(self.labels)

    @property
    def needs(self) -> str:
        """What ``--data`` has to hold."""
        return ""


class FileRecipe(Recipe):
    """What is learned from files of one or more sources."""

    sources: list[Source] = Field(min_length=1)

    @property
    def needs(self) -> str:
        """The folders of its sources."""
        return ", ".join(source.path for source in self.sources)
