"""``signary``: its verbs, and how errors are shown."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from cyclopts import App

import signary
from signary.cli.fields import gather_fields
from signary.errors import ConfigError, ExtraMissing, InputError, ModelNotFound, SignaryError

if TYPE_CHECKING:
    from signary.text.recognition import Failure

STDIN = "-"
OK, SOME_FAILED, WRONG_USE, STOPPED = 0, 1, 2, 130
VERBS = {
    "demo": "Spell a text with the avatar, read it back, show both.",
    "recognize": "Read photos, videos, landmark files or a camera.",
    "serve": "Serve the web page: camera or file to live text, on this machine only.",
    "spell": "Let the avatar fingerspell a text into a clip, a picture or landmarks.",
    "landmarks": "Find the landmarks of hands, body and face, and save them as files.",
    "record": "Film your own labeled clips: a data set to train on.",
    "data": "List, describe and prepare data sets to train on.",
    "train": "Train a recipe.",
    "evaluate": "Measure a model on labeled data.",
    "recipes": "List the recipes.",
    "models": "List the models that come with the package.",
    "bench": "Measure how long a model takes on this machine.",
    "doctor": "Check what is installed and whether it works.",
}

STDIN_WORD = "/dev/stdin"  # stands for -, which cyclopts takes for a flag

app = App(name="signary", version=signary.__version__, help="Reads sign language.", result_action="return_value")
for _verb, _help in VERBS.items():
    app.command(f"signary.cli.{_verb}:{_verb}", name=_verb, help=_help)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit: 0 success, 1 some inputs failed, 2 wrong use.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process. ``--debug`` anywhere shows tracebacks.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    sys.exit(_run([STDIN_WORD if word == STDIN else word for word in words if word != "--debug"], debug=debug))


class WrongUse(InputError):
    """A flag has an invalid value."""


@contextmanager
def checked_flags() -> Iterator[None]:
    """Turn `InputError` into `WrongUse`, in a block that only checks flags."""
    try:
        yield
    except InputError as error:
        raise WrongUse(error.message, hint=error.hint) from error


def given(sources: Sequence[str]) -> list[str]:
    """Return the sources as the user gave them, with ``-`` for stdin."""
    return [STDIN if source == STDIN_WORD else source for source in sources]


def check_extra(modules: Sequence[str], needs: str) -> None:
    """Raise `ExtraMissing` if a module of the extra ``train`` is not installed; ``needs`` names it for people."""
    if any(find_spec(module) is None for module in modules):
        raise ExtraMissing.named("train", needs)


def show_json(value: object, indent: int | None = 2) -> None:
    """Write a value to stdout as JSON."""
    sys.stdout.write(json.dumps(value, indent=indent) + "\n")


def show_error(error: SignaryError) -> None:
    """Write an error and its hint to stderr."""
    sys.stderr.write(f"error: {error.message}\n" + (f"hint: {error.hint}\n" if error.hint else ""))


def show_failure(failure: Failure) -> None:
    """Write to stderr which source failed and why, with a hint."""
    named = failure.source in failure.message
    message = failure.message if named else f"{failure.source}: {failure.message}"
    show_error(SignaryError(message, hint=failure.hint))


def _run(words: list[str], *, debug: bool) -> int:
    try:
        status = app(gather_fields(words), exit_on_error=True)
        return status if isinstance(status, int) else OK
    except SystemExit as stop:
        # cyclopts exits with 1 on wrong use
        return STOPPED if stop.code == STOPPED else WRONG_USE if stop.code else OK
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except KeyboardInterrupt:
        sys.stderr.write("stopped\n")
        return STOPPED
    except SignaryError as error:
        if debug:
            raise
        show_error(error)
        return WRONG_USE if isinstance(error, ModelNotFound | ConfigError | WrongUse) else SOME_FAILED
    except Exception as error:
        if debug:
            raise
        sys.stderr.write(f"error: {type(error).__name__}: {error}\nhint: run again with --debug and report it\n")
        return SOME_FAILED
