"""``similia export``: write the items to Parquet, JSON lines or CSV."""

from __future__ import annotations

import shutil
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

from similia.cli import options
from similia.cli.faults import say
from similia.cli.help import Command, new_app
from similia.cli.text import counted
from similia.errors import InputError

app = new_app()

EXAMPLES = """\
similia export papers papers.parquet --vectors
similia export papers recent.csv --where "year >= 2020"
similia export papers - --format jsonl"""


class Written(StrEnum):
    """What can be written."""

    PARQUET = "parquet"
    JSONL = "jsonl"
    CSV = "csv"
    TSV = "tsv"


@app.command(cls=Command, epilog=EXAMPLES)
def export(
    collection: options.CollectionName,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="A file that ends in .parquet, .jsonl or .csv (text also with .gz, .xz, .zst); - is standard output.",
            show_default=False,
        ),
    ],
    form: Annotated[
        Written | None, typer.Option("--format", help="What to write; by default the file name says.")
    ] = None,
    where: options.Where = None,
    vectors: Annotated[bool, typer.Option("--vectors", help="Write the vectors of every sense too.")] = False,
) -> None:
    """Write the items to Parquet, JSON lines or CSV."""
    from similia.collection import Collection

    chosen: Literal["parquet", "jsonl", "csv", "tsv"] | None = None if form is None else form.value
    if target == "-" and chosen == "parquet":
        raise InputError("--format parquet needs a file; standard output takes jsonl, csv or tsv")
    with Collection.open(collection) as opened:
        if target != "-":
            count = opened.export(target, format=chosen, where=where, vectors=vectors)
            say(f"Wrote {counted(count)} to {target}.")
            return
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"items.{chosen or 'jsonl'}"
            opened.export(path, format=chosen, where=where, vectors=vectors)
            sys.stdout.flush()
            with path.open("rb") as file:
                shutil.copyfileobj(file, sys.stdout.buffer)
