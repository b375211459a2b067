"""``similia demo``: see it work on what is on this machine already."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from similia.cli import console
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia demo
similia demo --packages json,math --limit 100 --into small-demo
similia demo papers"""


class Tour(StrEnum):
    """What to show it on."""

    PYDOCS = "pydocs"
    PAPERS = "papers"


@app.command(cls=Command, epilog=EXAMPLES)
def demo(
    tour: Annotated[
        Tour, typer.Argument(metavar="pydocs|papers", help="The installed Python packages, or paper abstracts.")
    ] = Tour.PYDOCS,
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="Where the collection and the report go.")
    ] = Path("similia-demo"),
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="At most so many items. [default: 15000; papers: 1500]")
    ] = None,
    packages: Annotated[
        str | None, typer.Option("--packages", metavar="NAMES", help="Only these, as in python,numpy.")
    ] = None,
) -> None:
    """See it work on the Python packages that you have installed: what does what, which are alike, and a map.

    Takes two minutes the first time, seconds after that, and nothing leaves this machine.
    """
    from similia.demo import papers, pydocs
    from similia.demo.screen import Screen
    from similia.demo.tour import take
    from similia.errors import InputError

    if tour is Tour.PAPERS:
        if packages is not None:
            raise InputError("--packages chooses among Python packages; similia demo papers has none")
        subject = papers.subject(limit or papers.LIMIT)
    else:
        only = None if packages is None else [name.strip() for name in packages.split(",") if name.strip()]
        subject = pydocs.subject(limit or pydocs.LIMIT, only)
    take(subject, into, Screen(console.out()))
