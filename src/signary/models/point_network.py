"""What the networks that read raw points share."""

from __future__ import annotations

from torch import Tensor, nn

from signary.features.select import SelectPoints
from signary.features.sign import ClipFeatures
from signary.features.spelling import SpellingPoints


class PointNetwork(nn.Module):
    """A network that reads raw points of one clip, or of a padded batch of clips.

    Wherever a method takes raw points, they are

    points : float32 (T, 543, 3) or (B, T, 543, 3)
        ``HOLISTIC_543``, image-normalized; NaN = not seen. T is 1 or more.
    lengths : int64 (B,), optional
        Frames of each clip of a batch; the rest is padding and may hold anything. None = all T.

    Attributes
    ----------
    features : Module
        From points to what the first layer reads.
    """

    features: ClipFeatures | SpellingPoints

    @property
    def select(self) -> SelectPoints:
        """The points that it reads. Training data may be stored in this form."""
        return self.features.select

    def chosen(self, points: Tensor) -> Tensor:
        """Return the points that it reads, (B, T, P, C), of raw points; B is 1 for one clip."""
        points = self.select(points)
        return points[None] if points.dim() == 3 else points


class SignNetwork(PointNetwork):
    """A network that reads one isolated sign in each clip."""

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits float32 (V,) of one clip or (B, V) of a batch; parameters as of `PointNetwork`."""
        logits = self.selected(self.chosen(points), lengths)
        return logits[0] if points.dim() == 3 else logits

    def selected(self, points: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return logits float32 (B, V) for points (B, T, P, C), those of ``select`` alone; C is 2 or 3."""
        raise NotImplementedError


class SpellingNetwork(PointNetwork):
    """A network that reads fingerspelling: its encoder turns clips into frames of features.

    Attributes
    ----------
    features : SpellingPoints
        From points to normalized points.
    stem, encoder : Module
        From these to frames.
    """

    features: SpellingPoints

    def __init__(self, features: SpellingPoints, stem: nn.Module, encoder: nn.Module) -> None:
        super().__init__()
        self.features, self.stem, self.encoder = features, stem, encoder

    def encode(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read clips; parameters as of `PointNetwork`.

        Returns
        -------
        memory : float32 (B, S, D)
            S = min(T, max_frames); B is 1 for one clip. 0 in padding.
        valid : bool (B, S)
            False = padding.
        """
        return self.encode_selected(self.chosen(points), lengths)

    def encode_selected(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return memory and valid for points (B, T, P, C), those of ``select`` alone."""
        return self.encode_normal(self.features.normalize(points, lengths), lengths)

    def encode_normal(self, values: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return memory and valid for points from ``features.normalize``, augmented or not."""
        values, valid = self.features.fit(values, lengths)
        padded = None if lengths is None else valid
        return self.encoder(self.stem(values, padded), padded), valid


class CTCNetwork(SpellingNetwork):
    """A network that names a character, or none, for each frame (CTC, Graves et al., 2006).

    Attributes
    ----------
    blank : int
        The class of no character, the last.
    look_ahead : int
        How many later frames the output of a frame depends on, apart from statistics of the whole clip.
    """

    look_ahead: int

    def __init__(
        self, features: SpellingPoints, stem: nn.Module, encoder: nn.Module, *, characters: int, width: int
    ) -> None:
        super().__init__(features, stem, encoder)
        self.blank = characters
        self.head = nn.Linear(width, characters + 1)

    def forward(self, points: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Read clips; parameters as of `PointNetwork`.

        Returns
        -------
        log_probabilities : float32 (B, T, V)
        valid : bool (B, T)
            False = padding.
        """
        memory, valid = self.encode(points, lengths)
        return self.score(memory), valid

    def score(self, memory: Tensor) -> Tensor:
        """Return log probabilities float32 (B, T, V) of encoded clips."""
        logits: Tensor = self.head(memory)
        return logits.float().log_softmax(-1)
