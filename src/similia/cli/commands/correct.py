"""``similia correct``: searches of a sense corrected for hubs, the few items that are near to everything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.faults import say
from similia.cli.help import Command, Group, new_app

EXAMPLES = """\
similia correct papers
similia correct papers fit
similia correct papers info --format json
similia correct papers drop"""

app = new_app(cls=Group, epilog=EXAMPLES, invoke_without_command=True, subcommand_metavar="[COMMAND] [ARGS]...")


@app.callback()
def correct(context: typer.Context, collection: options.CollectionName) -> None:
    """Show, learn or drop how the searches of a collection are corrected for hubs.

    Hubs are the few items that are near to every query. A correction makes them give way; whether that helps is
    measured on judged queries, where there are some, and it is kept only if it does.
    """
    context.obj = collection
    if context.invoked_subcommand is None:
        _info(collection, None, None)


@app.command(cls=Command, epilog="similia correct papers info --sense topic")
def info(
    context: typer.Context,
    sense: Annotated[str | None, typer.Option("--sense", metavar="NAME", help="Only this sense.")] = None,
    form: options.Output = None,
) -> None:
    """Show the correction of each sense, and the hubness that was measured before and after."""
    _info(context.obj, sense, form)


@app.command(cls=Command, epilog="similia correct papers fit --kind csls --strength 0.5")
def fit(
    context: typer.Context,
    sense: options.Sense = "topic",
    queries: Annotated[
        Path | None,
        typer.Option("--queries", metavar="FILE", help="Queries to learn from, one a line. [default: phrases]"),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", metavar="KIND", help="csls, is, nnn or dualis. [default: what judged queries choose, else csls]"
        ),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            "--strength", metavar="SHARE", help="Above 0, to 1. [default: what judged queries choose, else 1]"
        ),
    ] = None,
    unjudged: Annotated[bool, typer.Option("--unjudged", help="Do not look at judgments.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Keep it even if it does not help.")] = False,
    form: options.Output = None,
) -> None:
    """Learn a correction, and correct searches from now on; undo takes it back."""
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        made = opened.corrections.fit(
            sense, queries=queries, kind=kind, strength=strength, judged=not unjudged, force=force
        )
    if not output.write(made.to_dict(), [made.to_dict()], form):
        console.out().print(made)


@app.command(cls=Command, epilog="similia correct papers drop --sense topic")
def drop(context: typer.Context, sense: options.Sense = "topic") -> None:
    """Correct a sense no longer."""
    from similia.collection import Collection

    with Collection.open(context.obj) as opened:
        there = opened.corrections.drop(sense)
    say(f"Dropped the correction of {sense}." if there else f"The sense {sense} is not corrected.")


def _info(collection: Path, sense: str | None, form: options.Format | None) -> None:
    from similia.collection import Collection

    with Collection.open(collection) as opened:
        found = [opened.corrections[sense]] if sense is not None else list(opened.corrections.values())
    output.tell(found, form)
