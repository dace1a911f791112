"""The fields of recipes, and their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from signary.errors import InputError
from signary.text.vocabulary import Vocabulary


def _as_labels(classes: Any) -> Any:
    """Split a word at commas, and take numbers for labels: 0,1."""
    if isinstance(classes, str) and classes != "all":
        classes = classes.split(",")
    return [str(label) for label in classes] if isinstance(classes, list | tuple) else classes


Classes = Annotated[Literal["all"] | list[str], BeforeValidator(_as_labels)]


class Part(BaseModel):
    """A part of a recipe: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid")


class Credit(Part):
    """The origin of data: name, licence, address."""

    name: str
    licence: str
    url: str = ""


class Source(Credit):
    """One data set below ``--data``.

    Parameters
    ----------
    path : str
        Below ``--data``.
    reader : {"photos", "hand-arrays", "pictures"}
        Hands found in photos, hands in arrays, or the photos themselves.
    weight : float
        How often its hands are drawn, relative to other sources.
    labels : dict of str to str, optional
        Labels to keep -> their names in the vocabulary; by default the vocabulary and its aliases.
    people : str
        The same for sources that show the same people; by default the source's name.
    pictures : str
        Folder below ``--data`` of the pictures in which the points were found, which count as training files.
    optional : bool
        May be missing.
    score : bool
        Is held out once when scoring by source.
    """

    path: str
    reader: Literal["photos", "hand-arrays", "pictures"]
    weight: float = Field(1.0, gt=0)
    labels: dict[str, str] | None = None
    people: str = ""
    pictures: str = ""
    optional: bool = False
    score: bool = True

    def find(self, data: Path, *, alone: bool) -> Path:
        """Return its path below ``data``, or ``data`` itself where it is the only source.

        Raises
        ------
        InputError
            If it is missing.
        """
        path = data / self.path
        if path.exists():
            return path
        if alone and data.is_dir():
            return data
        raise InputError(f"{path}: no such file or folder", hint=f"--data names the folder that holds {self.path}")


class Recipe(Part):
    """How a model is trained: the fields of every recipe.

    Parameters
    ----------
    parameters : int
        Number of the published model's trainable parameters.
    vocabulary, silent, aliases
        As in `signary.bundles.manifest.BundleManifest`.
    scores : list
        Earlier measurements with their commands, for the model card.
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
        """Labels of the classes, in the order of the logits."""
        return self.vocabulary

    @property
    def words(self) -> Vocabulary:
        """The labels, with those that are silent and their aliases."""
        known = set(self.labels)
        aliases = {name: label for name, label in self.aliases.items() if label in known}
        return Vocabulary(tuple(self.labels), tuple(label for label in self.silent if label in known), aliases)

    @property
    def classes(self) -> int:
        """The number of classes."""
        return len(self.labels)

    @property
    def needs(self) -> str:
        """What ``--data`` has to hold."""
        return "a prepared store"

    def member(self, number: int) -> Self:
        """Return the recipe of one of several networks, whose seed is ``number`` higher."""
        return self.model_copy(update={"seed": self.seed + number})


class FileRecipe(Recipe):
    """A recipe whose data are files of one or more sources."""

    sources: list[Source] = Field(min_length=1)

    @property
    def needs(self) -> str:
        """The folders of its sources."""
        return ", ".join(source.path for source in self.sources)
