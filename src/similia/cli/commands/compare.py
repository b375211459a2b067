"""``similia compare``: in which senses two items are alike, how much, and why."""

from __future__ import annotations

from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia compare papers p1 p2
similia compare papers p1 p2 --format json"""


@app.command(cls=Command, epilog=EXAMPLES)
def compare(
    collection: options.CollectionName,
    left: Annotated[str, typer.Argument(metavar="KEY", help="The key of one item.", show_default=False)],
    right: Annotated[str, typer.Argument(metavar="KEY", help="The key of the other.", show_default=False)],
    form: options.Output = None,
) -> None:
    """See in which senses two items are alike, how much and why."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        comparison = opened.compare(left, right)
    whole = comparison.to_dict()
    rows = [{"sense": name, **values} for name, values in whole["senses"].items()]
    if not output.write(whole, rows, form):
        console.out().print(comparison)
