"""``similia restore``: make a collection from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from similia.cli import options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted

app = new_app()

EXAMPLES = "similia restore papers-backup papers-again"


@app.command(cls=Command, epilog=EXAMPLES)
def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="The folder that similia backup made.")],
    collection: options.CollectionName,
) -> None:
    """Make a collection from a backup, which is verified first."""
    from similia.collection import Collection

    Collection.restore(backup, collection)
    with Collection.open(collection) as opened:
        say(f"Restored {counted(len(opened))} to {collection}.")
