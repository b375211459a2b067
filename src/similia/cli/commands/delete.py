"""``similia delete``: delete items by key or by filter."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from similia.cli import console, options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted
from similia.errors import InputError

if TYPE_CHECKING:
    from similia.collection import Collection

app = new_app()

EXAMPLES = """\
similia delete papers p3 --yes
similia delete papers --where "year < 2015" --yes
echo p5 | similia delete papers - --yes"""


@app.command(cls=Command, epilog=EXAMPLES)
def delete(
    collection: options.CollectionName,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEYS", help="Keys; - reads them from standard input, one a line."),
    ] = None,
    where: options.Where = None,
    yes: options.Yes = False,
    wait: options.Wait = 30.0,
) -> None:
    """Delete items by key or by filter; similia undo brings them back."""
    from similia.collection import Collection

    chosen = list(dict.fromkeys(keys or []))
    if bool(chosen) == (where is not None):
        raise InputError("give the KEYS of the items to delete, or --where FILTER, and not both")
    if chosen == ["-"]:
        chosen = [line.rstrip("\n") for line in sys.stdin if line.strip()]
    with Collection.open(collection, wait=wait) as opened:
        count = len(chosen) if where is None else _passing(opened, where)
        if not count:
            say(f"Nothing to delete: no item passes {where}.")
            return
        if not console.confirm(f"Delete {count:,} of {counted(len(opened))} from {opened.name}?", yes=yes):
            say("Nothing was deleted.")
            raise typer.Exit(1)
        deleted = opened.delete(chosen) if where is None else opened.delete(where=where)
        say(f"Deleted {counted(deleted)}; {len(opened):,} left. Bring back with: similia undo {collection}")


def _passing(opened: Collection, where: str) -> int:
    """How many items a deletion would take: those that pass the filter."""
    return opened.search("x", mode="text", where=where, k=1).total or 0
