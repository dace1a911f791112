"""Flags for fields of a recipe: ``--augment.flip 0.5`` becomes ``--field augment.flip=0.5``."""

from __future__ import annotations

from collections.abc import Sequence

VERB = "train"
OWN = ("--data", "--output", "--resume", "--no-resume", "--force", "--no-force", "--fold", "--oof", "--field", "--help")


def gather_fields(words: Sequence[str]) -> list[str]:
    """Return the words of a command line with each field of a recipe turned into ``--field``.

    >>> gather_fields(["train", "letters", "--steps", "5", "--augment.flip=0.5", "-o", "run"])
    ['train', 'letters', '--field', 'steps=5', '--field', 'augment.flip=0.5', '-o', 'run']
    """
    if not words or words[0] != VERB:
        return list(words)
    gathered, rest = [], list(words)
    while rest:
        word = rest.pop(0)
        name, equals, value = word.partition("=")
        if not name.startswith("--") or name in OWN or name == "--":
            gathered.append(word)
            continue
        if not equals and rest and not rest[0].startswith("--"):
            value = rest.pop(0)
        gathered += ["--field", f"{name[2:].replace('-', '_')}={value}"]
    return gathered


def split_fields(fields: Sequence[str]) -> dict[str, str]:
    """Return a dict of ``field=value`` words."""
    return dict(word.partition("=")[::2] for word in fields)
