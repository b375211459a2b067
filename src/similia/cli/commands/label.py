"""``similia label``: assign each item to described classes, without training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia label papers topics.txt
similia label papers topics.txt --save topic_label
echo "animals: cats, dogs" | similia label papers - --format csv"""


@app.command(cls=Command, epilog=EXAMPLES)
def label(
    collection: options.CollectionName,
    classes: Annotated[
        Path,
        typer.Argument(
            metavar="CLASSES",
            help='A text file with one class a line, as in "animals: cats, dogs"; - reads standard input.',
            show_default=False,
        ),
    ],
    sense: options.Sense = "topic",
    save: Annotated[
        str | None, typer.Option("--save", metavar="FIELD", help="Write each item's class into this field.")
    ] = None,
    form: options.Output = None,
    wait: options.Wait = 30.0,
) -> None:
    """Assign each item to described classes, without training.

    A class is a name, and after a colon the words that describe it. The confidence of an item says how clearly its
    class stands out from the others.
    """
    from similia.collection import Collection

    given = [line for line in sys.stdin if line.strip()] if str(classes) == "-" else classes
    with Collection.open(collection, wait=wait) as opened:
        labels = opened.label(given, sense=sense, save=save)
    if not output.write(labels.to_dict(), labels.to_dicts(), form):
        console.out().print(labels)
