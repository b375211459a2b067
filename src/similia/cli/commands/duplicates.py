"""``similia duplicates``: the pairs of items that are nearly the same."""

from __future__ import annotations

from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia duplicates papers
similia duplicates papers --threshold 0.8 --limit 20 --format csv"""


@app.command(cls=Command, epilog=EXAMPLES)
def duplicates(
    collection: options.CollectionName,
    sense: options.Sense = "topic",
    threshold: Annotated[
        float, typer.Option("--threshold", min=-1, max=1, help="The least similarity (cosine) of a pair.")
    ] = 0.95,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many pairs.")] = 1000,
    form: options.Output = None,
) -> None:
    """List the pairs of items that are nearly the same, most alike first."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        pairs = opened.near_duplicates(sense=sense, threshold=threshold, limit=limit)
    if not output.write(pairs.to_dict(), pairs.to_dicts(), form):
        console.out().print(pairs)
