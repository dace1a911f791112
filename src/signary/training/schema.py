"""Recipes: one short YAML file a published model, holding only what differs from the defaults here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from signary.errors import ConfigError, ModelNotFound

_PACKAGED = Path(__file__).resolve().parents[1] / "recipes"
RECIPES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[3] / "recipes"
OTHER_NAMES = {"trainer.max_steps": "steps"}


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Augment(_Part):
    """Strengths of the random changes; see `signary.datasets.augment.HandAugment`.

    Parameters
    ----------
    roll_deg, tilt_deg : float
        Largest turn in the picture, and of the camera about the other two axes.
    bend_deg : float
        Standard deviation of a bone's turn.
    bone : float
        Standard deviation of the factor on bone and finger lengths.
    jitter : float
        Standard deviation of the noise on points, in hand sizes; twice that in depth.
    stretch : float
        Largest log factor between width and height, for pictures of unknown aspect.
    depth : float
        Largest relative change of depth.
    flip, flat : float
        Share of hands taken for the other side, and without depth.
    """

    roll_deg: float = Field(20.0, ge=0)
    tilt_deg: float = Field(25.0, ge=0)
    bend_deg: float = Field(6.0, ge=0)
    bone: float = Field(0.08, ge=0)
    jitter: float = Field(0.02, ge=0)
    stretch: float = Field(0.25, ge=0)
    depth: float = Field(0.5, ge=0, lt=1)
    flip: float = Field(0.2, ge=0, le=1)
    flat: float = Field(0.2, ge=0, le=1)


class Source(_Part):
    """One set of data, as it lies below ``--data``.

    Parameters
    ----------
    name : str
    path : str
        Below ``--data``.
    reader : {"photos", "hand-arrays"}
    licence, url : str
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

    name: str
    path: str
    reader: Literal["photos", "hand-arrays"]
    licence: str
    url: str = ""
    weight: float = Field(1.0, gt=0)
    labels: dict[str, str] | None = None
    people: str = ""
    pictures: str = ""
    optional: bool = False
    score: bool = True


class Recipe(_Part):
    """How one model is made.

    Parameters
    ----------
    vocabulary, silent, aliases
        As in `signary.export.bundle.BundleManifest`.
    rare : dict of str to float
        Factor on how often a label is drawn.
    sources : list of Source
    width, dropout, members : network
        See `signary.models.handshape.HandshapeReader`.
    steps, batch, learning_rate, weight_decay, label_smoothing : training
        AdamW with one cycle of the learning rate.
    validation : float
        Share of the groups held out to fit the temperature; they are learned from in the shipped model's second run.
    parameters : int
        Trainable ones of the published model.
    """

    name: str
    task: Literal["letters", "digits"]
    network: Literal["handshape"] = "handshape"
    parameters: int = 0
    vocabulary: list[str]
    silent: list[str] = []
    aliases: dict[str, str] = {}
    sign_language: str = "ase"
    region: str = ""
    rare: dict[str, float] = {}
    sources: list[Source]
    width: int = Field(384, ge=1)
    dropout: float = Field(0.5, ge=0, lt=1)
    members: int = Field(3, ge=1)
    steps: int = Field(1500, ge=1)
    batch: int = Field(512, ge=2)
    learning_rate: float = Field(4e-3, gt=0)
    weight_decay: float = Field(0.02, ge=0)
    label_smoothing: float = Field(0.1, ge=0, lt=1)
    augment: Augment = Augment()
    validation: float = Field(0.2, gt=0, lt=1)
    seed: int = 0
    scores: list[dict[str, Any]] = []


def recipe_names() -> list[str]:
    """Return the names of the recipes that come with the package."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load_recipe(name: str | Path, overrides: Mapping[str, Any] | None = None) -> Recipe:
    """Load a recipe.

    Parameters
    ----------
    name : str or Path
        A name, or a YAML file.
    overrides : mapping of str to value, optional
        Dotted field -> value, stronger than the file: ``{"augment.flip": "0.5", "sources.0.weight": "2"}``.

    Raises
    ------
    ModelNotFound
        If there is no such recipe; the names are listed.
    ConfigError
        If fields are wrong; all of them are listed.
    """
    path = Path(name)
    if path.suffix not in (".yaml", ".yml"):
        path = RECIPES / f"{name}.yaml"
    if not path.is_file():
        raise ModelNotFound.named(str(name), recipe_names(), kind="recipe")
    fields = _read_yaml(path)
    wrong = [said for field, value in (overrides or {}).items() if (said := _set(fields, field, value))]
    try:
        recipe = Recipe.model_validate(fields)
    except ValidationError as error:
        wrong += [f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False)]
    if wrong:
        raise ConfigError(f"{path.stem}: {'; '.join(wrong)}", hint="see 'signary recipes' and the reference")
    return recipe


def describe_recipes() -> list[dict[str, Any]]:
    """Return name, task, network, parameters, classes and needs of every recipe."""
    recipes = [load_recipe(name) for name in recipe_names()]
    return [
        {
            "name": recipe.name,
            "task": recipe.task,
            "network": recipe.network,
            "parameters": recipe.parameters,
            "classes": len(recipe.vocabulary),
            "needs": ", ".join(source.path for source in recipe.sources),
        }
        for recipe in recipes
    ]


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        fields = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: no readable YAML ({error})".replace("\n", " "), hint="see recipes/") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path}: holds no fields", hint="see recipes/")
    return fields


def _set(fields: dict[str, Any], dotted: str, value: Any) -> str:
    """Set a dotted field, in lists by number; return what is wrong with it, if anything."""
    place: Any = fields
    *parents, last = OTHER_NAMES.get(dotted, dotted).split(".")
    try:
        for parent in parents:
            place = place.setdefault(parent, {}) if isinstance(place, dict) else place[int(parent)]
        place[last if isinstance(place, dict) else int(last)] = _value(value)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return f"{dotted}: no such field"
    except yaml.YAMLError:
        return f"{dotted}: {value!r} is no value"
    return ""


def _value(value: Any) -> Any:
    return yaml.safe_load(value) if isinstance(value, str) else value
