"""The initial network of a training of fingerspelling: untrained, or with the weights of a bundle."""

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
    """Return the initial network of a member of a recipe; those of ``init_from`` are used in turn.

    Raises
    ------
    ModelNotFound, BundleError
        If there is no such bundle, or it is broken.
    ConfigError
        If its weights do not fit, with the name of the layer; or if the graphs of the recipe's network do not hold the
        weights as trained.
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
    """Return the decoding thresholds of the bundle that a training starts from."""
    return load_bundle(recipe.init_from).manifest.thresholds if recipe.init_from else {}
