"""Recipes that read continuous fingerspelling: their fields and defaults."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from signary.datasets.augment.strengths import SpellingStrengths
from signary.datasets.synthetic.options import SyntheticOptions
from signary.text.characters import CHARACTERS, CharacterVocabulary
from signary.training.recipes.recipe import Credit, Part, Recipe

LONGEST = 32


class SpellingFeatures(Part):
    """Input of the network.

    Parameters
    ----------
    points : list of str
        Names, see `signary.features.select.SelectPoints`. Empty: the 130 published ones.
    coordinates : {2, 3}
        x and y, or z as well.
    """

    points: list[str] = []
    coordinates: Literal[2, 3] = 3


class SpellingData(Part):
    """Choice and split of the clips, and how they are drawn.

    Parameters
    ----------
    folds : int
        Parts of the signers, of which ``--fold`` is held out.
    supplemental : bool
        Train also on one clip of each supplemental phrase in each epoch.
    buckets : bool
        Batches of clips of similar length, with little padding.
    together : int
        Clips of similar length that are padded, and normalized in the network, together: the parts of a batch.
    shortest : int
        Frames of the shortest clip to train on.
    max_frames : int
        Longer clips are resized; networks with CTC read all frames.
    letters : int
        Characters of the longest phrase; longer ones are skipped.
    """

    folds: int = Field(4, ge=2)
    supplemental: bool = True
    buckets: bool = True
    together: int = Field(64, ge=1)
    shortest: int = Field(1, ge=1)
    max_frames: int = Field(384, ge=1)
    letters: int = Field(LONGEST, ge=1)


class SpellingLosses(Part):
    """Weights of the losses of a speller.

    Parameters
    ----------
    forward, backward : float
        Of the decoder, and of the decoder of reversed phrases.
    confidence : float
        Share of the total, for clips with a known score.
    padding : bool
        Count also the padding after the end, as the published code does.
    """

    forward: float = Field(0.6, gt=0)
    backward: float = Field(0.4, ge=0)
    confidence: float = Field(0.02, ge=0, lt=1)
    padding: bool = False


class SpellingRecipe(Recipe):
    """A reader of continuous fingerspelling from landmarks.

    Parameters
    ----------
    model : str
        Name of the bundle; by default the recipe's.
    vocabulary : list of str
        Characters.
    sources : list of Credit
        Of the data, if the store does not name them.
    network : {"speller-small", "speller", "speller-ctc", "speller-hands"}
        The published first and final network, and one that reads frame by frame, see `signary.models.speller`; and
        one that reads hands only, see `signary.models.hand_speller`.
    width, inner, depth, heads, kernel, layers, hidden : int, optional
        Of the network, by default its own; ``inner`` is for `HandSpeller`, the last two are for the decoders.
    dropout : float, optional
        By default the network's own.
    init_from : str
        A run or bundle of ``speller-hands``, of the same sizes and points, whose weights are the initial ones.
    unseen : bool
        Include missing points when parts of the body are normalized, as the published network does.
    members : int
        Networks of different seeds that read together.
    epochs, steps, batch, optimizer, learning_rate, weight_decay, schedule, average, precision, mlflow : training
        As in `PictureRecipe`.
    measure_every : int
        Epochs between validations.
    warm_up : int
        The learning rate rises over this part of the steps: 40 is a fortieth.
    label_smoothing : float
        Of the decoders.
    clip_norm : float
        Largest norm of a step's gradients; 0: any.
    synthetic : SyntheticOptions
        Realism of the clips of ``--data synthetic``.
    """

    task: Literal["spelling"] = "spelling"
    network: Literal["speller-small", "speller", "speller-ctc", "speller-hands"]
    model: str = ""
    vocabulary: list[Annotated[str, Field(min_length=1, max_length=1)]] = list(CHARACTERS)
    sources: list[Credit] = []
    features: SpellingFeatures = SpellingFeatures()
    data: SpellingData = SpellingData()
    losses: SpellingLosses = SpellingLosses()
    width: int | None = Field(None, ge=1)
    inner: int | None = Field(None, ge=1)
    depth: int | None = Field(None, ge=1)
    heads: int | None = Field(None, ge=1)
    kernel: int | None = Field(None, ge=1)
    layers: int | None = Field(None, ge=1)
    hidden: int | None = Field(None, ge=1)
    dropout: float | None = Field(None, ge=0, lt=1)
    init_from: str = ""
    unseen: bool = False
    members: int = Field(1, ge=1)
    epochs: int = Field(400, ge=1)
    steps: int | None = Field(None, ge=1)
    batch: int = Field(512, ge=1)
    measure_every: int = Field(10, ge=1)
    optimizer: Literal["adamw", "radam"] = "adamw"
    learning_rate: float = Field(4.5e-3, gt=0)
    weight_decay: float = Field(0.08, ge=0)
    schedule: Literal["constant", "cosine"] = "cosine"
    warm_up: int = Field(40, ge=1)
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    average: float = Field(0.0, ge=0, lt=1)
    clip_norm: float = Field(4.0, ge=0)
    precision: Literal["auto", "32", "bf16"] = "auto"
    augment: SpellingStrengths = SpellingStrengths()
    synthetic: SyntheticOptions = SyntheticOptions()
    mlflow: bool = False

    @property
    def classes(self) -> int:
        """The number of characters and marks."""
        return len(self.characters)

    @property
    def by_frame(self) -> bool:
        """Whether the network labels each frame with a character or none, instead of generating a text."""
        return self.network in ("speller-ctc", "speller-hands")

    @property
    def characters(self) -> CharacterVocabulary:
        """The symbols of the vocabulary, with the marks."""
        return CharacterVocabulary("".join(self.vocabulary))

    @model_validator(mode="after")
    def _check_characters(self) -> Self:
        if len(set(self.vocabulary)) != len(self.vocabulary) or not self.vocabulary:
            raise ValueError("vocabulary: each character once, and at least one")
        return self
