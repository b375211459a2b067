"""The two streams: data on standard output, everything else on standard error."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console


def out(*, markup: bool = False) -> Console:
    """The console for data that people read; plain where colours are not wanted (NO_COLOR, TERM=dumb, a pipe).

    Args:
        markup: whether text in square brackets is markup; only for text of our own, never for that of items.
    """
    return _console(sys.stdout, markup)


def err() -> Console:
    """The console for messages."""
    return _console(sys.stderr)


def _console(stream: TextIO, markup: bool = False) -> Console:
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not stream.isatty()
    # Without a colour system Rich writes no escape at all, neither colour nor bold. Item text is never markup.
    return Console(
        file=stream, markup=markup, emoji=False, highlight=False, color_system=None if plain else "auto", safe_box=True
    )


def confirm(question: str, *, yes: bool, instead: str = "--yes") -> bool:
    """Ask on the terminal; without one, refuse and name the option that answers.

    Raises:
        InputError: standard input is not a terminal and ``yes`` was not given.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        from similia.errors import InputError

        raise InputError(
            f"{question.rstrip('?')}: this needs a yes, and there is no terminal to ask on; give {instead}"
        )
    from similia.cli.text import clean

    print(f"{clean(question)} [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
