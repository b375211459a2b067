"""``similia undo``: take back the last change."""

from __future__ import annotations

from similia.cli import changes, options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted

app = new_app()

EXAMPLES = "similia undo papers"


@app.command(cls=Command, epilog=EXAMPLES)
def undo(collection: options.CollectionName, wait: options.Wait = 30.0) -> None:
    """Take back the last change; the one before it cannot be taken back."""
    from similia.collection import Collection

    with Collection.open(collection, wait=wait) as opened:
        row = opened.undo()
        left = len(opened)
    say(f"Took back change {row.number} ({changes.in_words(row)}); {opened.name} has {counted(left)} now.")
