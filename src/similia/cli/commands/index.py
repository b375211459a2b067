"""``similia index``: what searches the vectors of a sense: build it, look at it, tune it, measure it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.faults import say
from similia.cli.help import Command, Group, new_app
from similia.errors import InputError

EXAMPLES = """\
similia index papers
similia index papers build --force
similia index papers info --format json
similia index papers tune --recall 0.99
similia index papers drop"""

app = new_app(cls=Group, epilog=EXAMPLES, invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")

Queries = Annotated[
    Path | None,
    typer.Option("--queries", metavar="FILE", help="Queries to tune on, one a line. [default: phrases of the items]"),
]
Force = Annotated[bool, typer.Option("--force", help="Also with few items, and anew where there is one.")]


@app.callback()
def index(context: typer.Context, collection: options.CollectionName) -> None:
    """Show, build or tune what searches the vectors of a collection.

    With many items an index is faster than comparing every vector, at a recall that is measured and shown.
    """
    context.obj = collection
    if context.invoked_subcommand is None:
        _info(collection, None, None)


@app.command(cls=Command, epilog="similia index papers info --sense topic")
def info(
    context: typer.Context,
    sense: Annotated[str | None, typer.Option("--sense", metavar="NAME", help="Only this sense.")] = None,
    form: options.Output = None,
) -> None:
    """Show the index of each sense: sizes, recall reached, and how searches are done."""
    _info(context.obj, sense, form)


@app.command(cls=Command, epilog="similia index papers build --force --recall 0.99")
def build(
    context: typer.Context,
    sense: options.Sense = "topic",
    recall: Annotated[float, typer.Option("--recall", metavar="SHARE", help="Of the nearest, to be found.")] = 0.95,
    queries: Queries = None,
    force: Force = False,
    form: options.Output = None,
) -> None:
    """Build an index, or bring it up to date; searching processes keep it up from then on."""
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        made = opened.indexes.build(sense, recall=recall, queries=_lines(queries), force=force)
    if not output.write(made.to_dict(), [made.to_dict()], form):
        console.out().print(made)


@app.command(cls=Command, epilog="similia index papers tune --recall 0.9")
def tune(
    context: typer.Context,
    sense: options.Sense = "topic",
    recall: Annotated[float | None, typer.Option("--recall", metavar="SHARE", help="A new target.")] = None,
    queries: Queries = None,
    form: options.Output = None,
) -> None:
    """Measure again what searching costs and finds, here and on these queries."""
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        made = opened.indexes.tune(sense, recall=recall, queries=_lines(queries))
    if not output.write(made.to_dict(), [made.to_dict()], form):
        console.out().print(made)


@app.command(cls=Command, epilog="similia index papers bench --rounds 1")
def bench(
    context: typer.Context,
    sense: options.Sense = "topic",
    queries: Queries = None,
    limit: Annotated[int | None, typer.Option("--limit", min=100, help="Only so many of the vectors.")] = None,
    rounds: Annotated[int, typer.Option("--rounds", min=1, help="How often each is timed; the median counts.")] = 3,
    plot: Annotated[
        Path | None, typer.Option("--plot", metavar="FILE", help="Draw recall against speed: .svg, .png or .pdf.")
    ] = None,
    form: options.Output = None,
) -> None:
    """Measure this index against the search libraries that are installed.

    All run by turns on one thread. The setting of each is the cheapest that reaches a recall of 0.95 and of 0.99 on
    half of the queries; the others are timed. Known are hnswlib, faiss, usearch, SVS, ScaNN and LanceDB.
    """
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        found = opened.indexes.bench(
            sense, queries=_lines(queries), limit=limit, rounds=rounds, curve=plot is not None, told=say
        )
    if plot is not None:
        from similia.evaluate.speed import plot as draw

        draw(found, plot)
    if not output.write(found.to_dict(), found.rows(), form):
        console.out().print(found)


@app.command(cls=Command, epilog="similia index papers drop --sense topic")
def drop(context: typer.Context, sense: options.Sense = "topic") -> None:
    """Remove the index of a sense; searches compare every vector again, and nothing is lost."""
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        there = opened.indexes.drop(sense)
    say(f"Dropped the index of {sense}." if there else f"The sense {sense} has no index.")


def _info(collection: Path, sense: str | None, form: options.Format | None) -> None:
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        found = [opened.indexes[sense]] if sense is not None else list(opened.indexes.values())
    output.tell(found, form)


def _lines(path: Path | None) -> list[str] | None:
    if path is None:
        return None
    try:
        lines = [line.strip() for line in path.read_text("utf-8-sig").split("\n")]
    except OSError as error:
        raise InputError(f"{path}: the file of queries cannot be read ({error.strerror}); one query a line") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: byte {error.start} is not UTF-8; save the file of queries as UTF-8") from None
    found = [line for line in lines if line]
    if not found:
        raise InputError(f"{path} holds no query; it has one a line")
    return found
