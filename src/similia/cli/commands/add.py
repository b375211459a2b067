"""``similia add``: add items from files, folders or standard input."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from similia.cli import console, options
from similia.cli.help import Command, new_app
from similia.cli.options import Precision
from similia.cli.text import counted

app = new_app()

EXAMPLES = """\
similia add papers papers.jsonl --text title,abstract --key id
similia add papers papers.jsonl --key id --on-duplicate replace
cat papers.jsonl | similia add piped - --format jsonl --key id
similia add typed papers.jsonl --key id --schema year=number"""


class OnError(StrEnum):
    """What to do with a file of a folder that cannot be read."""

    RAISE = "raise"
    SKIP = "skip"


class OnDuplicate(StrEnum):
    """What to do with an item whose key is there already."""

    ERROR = "error"
    SKIP = "skip"
    REPLACE = "replace"


@app.command(cls=Command, epilog=EXAMPLES)
def add(
    collection: options.CollectionName,
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCES",
            help="Files (CSV, TSV, JSON, JSONL, Parquet, Arrow, also compressed), folders of documents or images, "
            "or - for standard input.",
            show_default=False,
        ),
    ],
    text: Annotated[
        str | None,
        typer.Option("--text", metavar="FIELDS", help="The fields that topic reads. [default: all text fields]"),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="FIELD", help="The field that names an item. [default: id or key, else numbers]"),
    ] = None,
    on_duplicate: Annotated[
        OnDuplicate, typer.Option("--on-duplicate", help="What to do with a key that is there already.")
    ] = OnDuplicate.ERROR,
    schema: Annotated[
        list[str] | None,
        typer.Option("--schema", metavar="FIELD=TYPE,...", help="Types that overrule what is inferred."),
    ] = None,
    vectors: Annotated[
        str | None, typer.Option("--vectors", metavar="FIELD", help="The field that holds vectors made elsewhere.")
    ] = None,
    encoder: options.Encoder = None,
    precision: Annotated[
        Precision, typer.Option("--precision", help="How vectors are stored; float16 takes half the space.")
    ] = Precision.FLOAT32,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="csv, tsv, json, jsonl, parquet or arrow. [default: by name]"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option("--encoding", metavar="NAME", help="Character encoding of text files. [default: UTF-8]"),
    ] = None,
    on_error: Annotated[
        OnError, typer.Option("--on-error", help="What to do with a file of a folder that cannot be read.")
    ] = OnError.RAISE,
    wait: options.Wait = 30.0,
) -> None:
    """Add items from files, folders or standard input; makes the collection where there is none.

    The input is read twice: first to find the types and that it is good, then to store it. Run the same command again
    after an interruption: it goes on where it was.
    """
    from similia.collection import Collection
    from similia.errors import CollectionNotFound, SimiliaError

    types = options.schema(schema)
    try:
        Collection.open(collection).close()
        made = False
    except CollectionNotFound:
        made = True
    with Collection.open(collection, create=True, wait=wait) as opened:
        try:
            report = opened.add(
                sources[0] if len(sources) == 1 else sources,
                text=text,
                key=key,
                schema=types,
                on_duplicate=on_duplicate.value,
                vectors=vectors,
                encoder=encoder,
                precision=precision.value,
                format=form,
                encoding=encoding,
                on_error=on_error.value,
            )
        except SimiliaError:
            made = made and not len(opened)
            if made:  # what could not be added leaves no empty collection behind
                opened.close()
                Collection.remove(collection)
            raise
        console.err().print(report)
        console.err().print(f"{opened.name} has {counted(len(opened))}.")
