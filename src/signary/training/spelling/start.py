"""What a training of fingerspelling begins with: nothing, or what a bundle knows."""

from __future__ import annotations

from signary.bundles.bundle import load_bundle
from signary.bundles.weights import graph_weights
from signary.errors import ConfigError
from signary.models.point_network import SpellingNetwork
from signary.models.weights import cast_weights, load_weights
from signary.training.networks import spelling_network
from signary.training.recipes.spelling import SpellingRecipe

MODEL, KEPT = "model", "speller-hands"


def first_network(recipe: SpellingRecipe, member: int = 0) -> SpellingNetwork:
    """Return the network that a member of a recipe begins with, those of ``init_from`` one after the other.

    Raises
    ------
    ModelNotFound, BundleError
        If there is no such bundle, or a broken one.
    ConfigError
        If it is of another network, the layer is named; or the recipe's is one whose graphs do not hold its weights as
        they were learned.
    """
    network = spelling_network(recipe)
    if not recipe.init_from:
        return network
    if recipe.network != KEPT:
        raise ConfigError(f"init_from={recipe.init_from}: {recipe.network} cannot go on", hint=f"only {KEPT} can")
    bundle, names = load_bundle(recipe.init_from), network.state_dict().keys()
    weights = graph_weights(bundle.graph_path(MODEL)) if MODEL in bundle.manifest.graphs else {}
    members = sorted({name.split(".")[1] for name in weights if name.startswith("networks.")}, key=int) or [""]
    prefix = f"networks.{members[member % len(members)]}."
    own = {name: weights[prefix + name] for name in names if prefix + name in weights}
    load_weights(network, cast_weights(own), recipe.init_from)
    return network


def first_thresholds(recipe: SpellingRecipe) -> dict[str, float]:
    """Return how the bundle that a training begins with is decoded."""
    return load_bundle(recipe.init_from).manifest.thresholds if recipe.init_from else {}
