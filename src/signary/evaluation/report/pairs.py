"""Pairs of classes that were confused, as HTML with thumbnails."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from signary.evaluation.report.markup import data_uri, shown
from signary.evaluation.wording import counted

THUMBNAIL_QUALITY = 82


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """A picture that was classified.

    Parameters
    ----------
    image : uint8 (H, W, 3), RGB
    name : str
        Its file.
    confidence : float, optional
        Of the prediction, 0 to 1.
    """

    image: NDArray[np.uint8]
    name: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """One class read as another, ``count`` times of its ``n``.

    Parameters
    ----------
    target, read : str
    count, n : int
    wrong : tuple of Example
        Pictures of ``target`` that were read as ``read``.
    right : tuple of Example
        Pictures of ``read`` that were read right, for comparison.
    """

    target: str
    read: str
    count: int
    n: int
    wrong: tuple[Example, ...] = ()
    right: tuple[Example, ...] = ()


def pairs(confused: Sequence[Sequence[Mistake]]) -> str:
    """Return a card for each pair of confused classes: pictures read wrong beside pictures read right.

    Parameters
    ----------
    confused : sequence of sequences of Mistake
        The one or two directions of each pair, the more frequent first.
    """
    cards = [
        f'<article class="pair"><h3>{shown(ways[0].target)} and {shown(ways[0].read)}</h3>\n'
        f"{''.join(map(_direction, ways))}</article>"
        for ways in confused
    ]
    pictured = any(way.wrong for ways in confused for way in ways)
    return f'<div class="{"pairs pictured" if pictured else "pairs"}">\n{"".join(cards)}</div>'


def _direction(mistake: Mistake) -> str:
    target, read = shown(mistake.target), shown(mistake.read)
    times = f"<strong>{counted(mistake.count, 'time')}</strong> of {mistake.n:,} ({mistake.count / mistake.n:.0%})"
    said = f"<p>{target} read as {read} {times}</p>\n"
    if not mistake.wrong:
        return said
    strips = _strip(f"{target}, read as {read}", mistake.wrong, "strip wrong")
    if mistake.right:
        strips += _strip(f"{read}, read right", mistake.right, "strip")
    return f'{said}<div class="strips">{strips}</div>\n'


def _strip(caption: str, examples: Iterable[Example], kind: str) -> str:
    items = "".join(_thumbnail(caption, example) for example in examples)
    return f'<figure class="{kind}"><figcaption>{caption}</figcaption><ul>{items}</ul></figure>\n'


def _thumbnail(caption: str, example: Example) -> str:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(example.image).save(stream, "JPEG", quality=THUMBNAIL_QUALITY)
    height, width, _ = example.image.shape
    picture = (
        f'<img src="{data_uri(stream.getvalue(), "jpeg")}" width="{width}" height="{height}" loading="lazy" '
        f'alt="{caption}: {shown(example.name)}" title="{shown(example.name)}">'
    )
    sure = "" if example.confidence is None else f"<span>{example.confidence:.0%} sure</span>"
    return f"<li>{picture}{sure}</li>"
