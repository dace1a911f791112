"""Loading of recipes: a short YAML file for each published model, with what differs from the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError

from signary.errors import ConfigError, ModelNotFound
from signary.training.recipes.hands import HandRecipe
from signary.training.recipes.pictures import EstimatorRecipe, PictureRecipe
from signary.training.recipes.recipe import Recipe
from signary.training.recipes.signs import SignRecipe
from signary.training.recipes.spelling import SpellingRecipe
from signary.training.recipes.videos import VideoRecipe

_PACKAGED = Path(__file__).resolve().parents[2] / "recipes"
RECIPES = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).resolve().parents[4] / "recipes"
KINDS: tuple[type[Recipe], ...] = (HandRecipe, PictureRecipe, EstimatorRecipe, SignRecipe, SpellingRecipe, VideoRecipe)
OTHER_NAMES = {"trainer.max_steps": "steps", "trainer.max_epochs": "epochs"}


class _Loader(yaml.SafeLoader):
    """YAML in which yes and no are words, as in vocabularies."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, form) for tag, form in kinds if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, kinds in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
        Dotted field -> value, in place of the file's: ``{"augment.flip": "0.5", "sources.0.weight": "2"}``. The
        recipe's ``scores``, which are those of another model, are left out.

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
    if overrides:
        fields.pop("scores", None)
    wrong = [said for field, value in (overrides or {}).items() if (said := _set(fields, field, value))]
    kind = _recipe_class(network := fields.get("network", "handshape"))
    if kind is None:
        known = ", ".join(name for other in KINDS for name in _networks_of(other))
        raise ConfigError(f"{path.stem}: network={network!r}: no such network", hint=f"known: {known}")
    try:
        recipe = kind.model_validate(fields)
    except ValidationError as error:
        wrong += [_said(kind, item) for item in error.errors(include_url=False)]
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
            "classes": recipe.classes,
            "needs": recipe.needs,
        }
        for recipe in recipes
    ]


def _networks_of(kind: type[Recipe]) -> tuple[str, ...]:
    return get_args(kind.model_fields["network"].annotation)


def _recipe_class(network: object) -> type[Recipe] | None:
    return next((kind for kind in KINDS if network in _networks_of(kind)), None)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        fields = yaml.load(path.read_text(encoding="utf-8"), _Loader)
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{path}: no readable YAML ({error})".replace("\n", " "), hint="see recipes/") from error
    if not isinstance(fields, dict):
        raise ConfigError(f"{path}: holds no fields", hint="see recipes/")
    return fields


def _set(fields: dict[str, Any], dotted: str, value: Any) -> str:
    """Set a dotted field, in lists by number; return an error message, or nothing."""
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
    return yaml.load(value, _Loader) if isinstance(value, str) else value


def _said(kind: type[BaseModel], error: Any) -> str:
    """Return the error of a field, with a suggestion for an unknown one."""
    *parents, name = [str(place) for place in error["loc"]] or [""]
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        known = [field.rpartition(".")[2] for field in _fields(kind) if field.rpartition(".")[0] == ".".join(parents)]
        close = get_close_matches(name, known, 1)
        message = f"no such field{f', did you mean {close[0]}?' if close else ''}"
    return f"{'.'.join([*parents, name])}: {message}".removeprefix(": ")


def _fields(kind: type[BaseModel], before: str = "") -> Iterator[str]:
    """Yield the dotted fields of a class of settings."""
    for name, field in kind.model_fields.items():
        yield before + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, f"{before}{name}.")
