"""``similia remove``: remove a whole collection."""

from __future__ import annotations

import typer

from similia.cli import console, options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted

app = new_app()

EXAMPLES = "similia remove papers-again --yes"


@app.command(cls=Command, epilog=EXAMPLES)
def remove(collection: options.CollectionName, yes: options.Yes = False) -> None:
    """Remove a whole collection; only a backup brings it back."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        count, name = len(opened), opened.name
    if not console.confirm(f"Remove {name} with its {counted(count)} for good?", yes=yes):
        say("Nothing was removed.")
        raise typer.Exit(1)
    Collection.remove(collection)
    say(f"Removed {name}.")
