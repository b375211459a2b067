"""``similia log``: what changed, and when."""

from __future__ import annotations

from typing import Annotated

import typer

from similia.cli import changes, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia log papers
similia log papers -n 3 --format jsonl"""


@app.command(cls=Command, epilog=EXAMPLES)
def log(
    collection: options.CollectionName,
    count: Annotated[
        int | None, typer.Option("-n", "--limit", min=1, help="Only the last so many changes.", show_default="all")
    ] = None,
    form: options.Output = None,
) -> None:
    """Show what changed, and when; the last change first."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        rows = opened.log(count)
    plain = [changes.as_dict(row) for row in rows]
    if not output.write(plain, plain, form):
        changes.show(rows)
