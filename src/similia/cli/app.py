"""The program ``similia``: finds the command, runs it, and turns what went wrong into a sentence and an exit code."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from similia import __version__
from similia.cli import faults

# command -> (the module that has it as `app`, what it does in a few words). A module is imported when it is used.
SECTIONS: dict[str, dict[str, tuple[str, str]]] = {
    "Find": {
        "search": ("similia.cli.commands.search", "Find items by meaning, by words, or like another item"),
        "compare": ("similia.cli.commands.compare", "See in which senses two items are alike, how much and why"),
        "label": ("similia.cli.commands.label", "Assign each item to described classes, without training"),
        "judge": ("similia.cli.commands.judge", "Say how well items answer a query, and keep it"),
        "evaluate": ("similia.cli.commands.evaluate", "Measure how good searches are, and where they fail"),
        "duplicates": ("similia.cli.commands.duplicates", "List the pairs of items that are nearly the same"),
    },
    "Collect": {
        "add": ("similia.cli.commands.add", "Add items from files, folders or standard input"),
        "senses": ("similia.cli.commands.senses", "List, add or drop the ways in which items can be alike"),
        "delete": ("similia.cli.commands.delete", "Delete items by key or by filter"),
        "export": ("similia.cli.commands.export", "Write the items to Parquet, JSON lines or CSV"),
    },
    "Keep": {
        "index": ("similia.cli.commands.index", "Build, tune and measure what searches the vectors"),
        "correct": ("similia.cli.commands.correct", "Make items that are near to every query give way"),
        "info": ("similia.cli.commands.info", "Show fields, senses, counts and sizes"),
        "log": ("similia.cli.commands.log", "Show what changed, and when"),
        "undo": ("similia.cli.commands.undo", "Take back the last change"),
        "backup": ("similia.cli.commands.backup", "Copy a collection while it is in use, and verify the copy"),
        "restore": ("similia.cli.commands.restore", "Make a collection from a backup"),
        "check": ("similia.cli.commands.check", "Verify everything, and mend what can be mended"),
        "remove": ("similia.cli.commands.remove", "Remove a whole collection"),
    },
    "More": {
        "serve": ("similia.cli.commands.serve", "Open collections in a browser and over HTTP"),
        "demo": ("similia.demo.command", "See it work on the Python packages that you have installed"),
        "atlas": ("similia.cli.commands.atlas", "Run published systems on real data and judge their claims"),
    },
}
COMMANDS = {name: entry for section in SECTIONS.values() for name, entry in section.items()}

ABOUT = """Find what is alike, in the sense you mean.

\b
  similia add papers papers.jsonl --text title,abstract --key id
  similia search papers "asymmetric similarity for copy detection"
  similia demo"""


class Program(TyperGroup):
    """A group that imports a command when it is run or its own help is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """The names of all commands, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, imported now, or None."""
        if cmd_name not in COMMANDS:
            return None
        command = get_command(importlib.import_module(COMMANDS[cmd_name][0]).app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by section, from the table above: nothing is imported for it."""
        for title, commands in SECTIONS.items():
            with formatter.section(title):
                width = max(map(len, COMMANDS))
                formatter.write_dl([(name.ljust(width), about) for name, (_, about) in commands.items()])


app = typer.Typer(cls=Program, rich_markup_mode=None, help=ABOUT)


def _version(value: bool) -> None:
    if value:
        print(f"similia {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(False, "--version", help="Show the version.", is_eager=True, callback=_version),
) -> None:
    pass


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``similia`` with ``arguments`` (default: those of the process) and exit.

    Raises:
        SystemExit: always; 0 done, 2 wrong use or input, 1 refused by the machine, 130 interrupted, 141 nobody reads.
    """
    program = get_command(app)
    if "_SIMILIA_COMPLETE" in os.environ:  # a shell asks what could follow
        program.main(prog_name="similia")
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(_run(program, given or ["--help"]))


def _run(program: Any, arguments: list[str]) -> int:
    faults.make_streams_safe()
    try:
        faults.check_arguments(arguments)
        with program.make_context("similia", arguments) as context:
            program.invoke(context)
        sys.stdout.flush()
    except typer.Exit as done:
        return done.exit_code
    except typer.Abort:  # an answer was refused: the end of input, or Ctrl-C at a question
        return faults.interrupted()
    except KeyboardInterrupt:
        return faults.interrupted()
    except BrokenPipeError:
        return faults.nobody_reads()
    except Exception as error:  # noqa: BLE001 - the one place where everything becomes a sentence
        return faults.report(error, arguments)
    return 0
