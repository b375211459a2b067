"""What went wrong, as one sentence on standard error and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from similia.cli.text import clean, one_line
from similia.errors import InputError, SimiliaError

INTERRUPTED = 130
NOBODY_READS = 141  # what a shell reports for a program that SIGPIPE ended


def say(sentence: str) -> None:
    """Write a message to standard error, safe for a terminal."""
    print(clean(sentence), file=sys.stderr)


def make_streams_safe() -> None:
    """Let output never fail because a terminal cannot show a character: it is written as an escape instead."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(errors="backslashreplace")


def check_arguments(arguments: Iterable[str]) -> None:
    """Refuse bytes that are not text before they reach a database or a terminal.

    Raises:
        InputError: an argument that is not valid in the encoding of this terminal.
    """
    for place, argument in enumerate(arguments, 1):
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise InputError(f"argument {place} ({shown}) is not valid UTF-8; give it as UTF-8 text") from None


def interrupted() -> int:
    """Say that nothing is lost, and give the exit code for it."""
    say("\nInterrupted: what is finished is kept; run the same command again to go on.")
    return INTERRUPTED


def nobody_reads() -> int:
    """Stop writing without a word: what reads our output (``head``, a pager) has seen enough."""
    # Python flushes standard output once more on exit; it must not complain then.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return NOBODY_READS


def report(error: Exception, arguments: list[str]) -> int:
    """Say what went wrong in one sentence and return the exit code; re-raise where SIMILIA_DEBUG=1."""
    if os.environ.get("SIMILIA_DEBUG") == "1":
        raise error
    if isinstance(error, SimiliaError):
        say(one_line(f"similia: {error}"))
        return error.exit_code
    if hasattr(error, "format_message"):  # wrong use, as Typer found it
        say(_wrong_use(error))
        return 2
    if isinstance(error, MemoryError):
        say("similia: there is not enough memory for this; use fewer or smaller items at a time")
        return 1
    if isinstance(error, OSError):
        say(f"similia: {error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        return 1
    command = " ".join(argument for argument in arguments[:1] if not argument.startswith("-"))
    detail = str(error).partition("\n")[0][:200]
    say(
        f"similia {command}: an error that should not happen ({type(error).__name__}: {detail}); "
        "SIMILIA_DEBUG=1 shows where it comes from, please report it"
    )
    return 1


def _wrong_use(error: Any) -> str:
    from similia.collection.naming import listed, nearest

    context: Any = getattr(error, "ctx", None)
    path = getattr(context, "command_path", "") or "similia"
    path = " ".join(part for part in path.split() if part.islower())  # "senses COLLECTION add" without the COLLECTION
    kind = type(error).__name__
    options = [one for param in getattr(getattr(context, "command", None), "params", []) for one in param.opts]
    if kind == "NoSuchOption":
        sentence = f"there is no option {error.option_name}{nearest(error.option_name, [*options, '--help'])}"
    elif kind == "MissingParameter" and error.param is not None:
        sentence = f"{_named(error.param)} is missing"
    elif kind == "NoArgsIsHelpError":
        sentence = "a command is missing"
    elif error.format_message().startswith("No such command"):
        name = error.format_message().split("'")[1]
        known = context.command.list_commands(context)
        close = nearest(name, known)
        sentence = f"there is no command {name!r}{close or '; there are ' + listed(known, 20)}"
    elif "unexpected extra argument" in error.format_message():
        extra = error.format_message().rpartition("(")[2].rstrip(")")
        sentence = f"too much is given: {extra}; put quotes around an argument that has spaces"
    elif getattr(error, "param", None) is not None:
        sentence = f"{_named(error.param)}: {error.message[:1].lower()}{error.message[1:].rstrip('.')}"
    else:
        message = error.format_message()
        sentence = f"{message[:1].lower()}{message[1:].rstrip('.')}"
    return f"{path}: {' '.join(sentence.split())} (see {path} --help)"


def _named(param: Any) -> str:
    if param.param_type_name == "argument":
        return str(param.metavar or param.name.upper())
    return str(max(param.opts, key=len))
