"""``similia info``: fields, senses, counts and sizes."""

from __future__ import annotations

from similia.cli import describe, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia info papers
similia info papers --format json"""


@app.command(cls=Command, epilog=EXAMPLES)
def info(collection: options.CollectionName, form: options.Output = None) -> None:
    """Show the fields, senses, counts and sizes of a collection."""
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        about = opened.info()
    if not output.write(about.to_dict(), [about.to_dict()], form):
        describe.show_info(about)
