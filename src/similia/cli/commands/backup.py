"""``similia backup``: copy a collection while it is in use, and verify the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from similia.cli import options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted

app = new_app()

EXAMPLES = "similia backup papers papers-backup"


@app.command(cls=Command, epilog=EXAMPLES)
def backup(
    collection: options.CollectionName,
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A folder that does not exist yet.")],
) -> None:
    """Copy a collection while it is in use, and verify the copy."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        opened.backup(target)
        count = len(opened)
    say(f"Backed up {counted(count)} to {target}, verified. Bring back with: similia restore {target} NAME")
