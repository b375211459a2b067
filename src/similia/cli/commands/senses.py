"""``similia senses``: list, add or drop the ways in which items can be alike."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from similia.cli import describe, options, output
from similia.cli.faults import say
from similia.cli.help import Command, Group, new_app
from similia.cli.options import Precision

EXAMPLES = """\
similia senses papers
similia senses papers add method --text abstract --about "the method"
similia senses papers drop method"""

app = new_app(cls=Group, epilog=EXAMPLES, invoke_without_command=True, subcommand_metavar="[list|add|drop] [ARGS]...")


@app.callback()
def senses(context: typer.Context, collection: options.CollectionName) -> None:
    """List, add or drop the senses of a collection: the ways in which its items can be alike."""
    context.obj = collection
    if context.invoked_subcommand is None:
        _list(collection, None)


@app.command("list", cls=Command, epilog="similia senses papers list --format json")
def listing(context: typer.Context, form: options.Output = None) -> None:
    """List the senses."""
    _list(context.obj, form)


@app.command("add", cls=Command, epilog="similia senses papers add short --text title --encoder hashing")
def adding(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What to call the sense.", show_default=False)],
    text: Annotated[
        str | None, typer.Option("--text", metavar="FIELDS", help="The fields it reads. [default: all text fields]")
    ] = None,
    about: Annotated[
        str | None, typer.Option("--about", metavar="TEXT", help='The aspect that counts, as in "the method used".')
    ] = None,
    encoder: options.Encoder = None,
    precision: Annotated[Precision, typer.Option("--precision", help="How vectors are stored.")] = Precision.FLOAT32,
    wait: options.Wait = 30.0,
) -> None:
    """Add a sense; the others stay as they are."""
    from similia.collection import Collection

    with Collection.open(context.obj, wait=wait) as opened:
        sense = opened.senses.add(name, text=text, about=about, encoder=encoder, precision=precision.value)
        say(f"Added the sense {name} ({sense.encoder}, {sense.dimension} dimensions) over {', '.join(sense.fields)}.")


@app.command("drop", cls=Command, epilog="similia senses papers drop short")
def dropping(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sense to drop.", show_default=False)],
    wait: options.Wait = 30.0,
) -> None:
    """Drop a sense and its vectors; the items and the other senses stay."""
    from similia.collection import Collection

    with Collection.open(context.obj, wait=wait) as opened:
        opened.senses.drop(name)
    say(f"Dropped the sense {name}. Bring back with: similia undo {context.obj}")


def _list(collection: Path, form: options.Format | None) -> None:
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        found = list(opened.senses.values())
    rows = [sense.to_dict() for sense in found]
    if not output.write(rows, rows, form):
        describe.show_senses(found)
