"""``similia atlas``: run published systems on real data and judge their claims."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from similia.cli import console, options, output
from similia.cli.faults import say
from similia.cli.help import Command, Group, new_app

EXAMPLES = """\
similia atlas
similia atlas list --format csv"""

app = new_app(cls=Group, epilog=EXAMPLES, invoke_without_command=True, subcommand_metavar="[list|run|report] [ARGS]...")

Results = Annotated[
    Path | None,
    typer.Option(
        "--results", metavar="FOLDER", help="Where the results are. [default: atlas-results, and those published]"
    ),
]


@app.callback()
def atlas(context: typer.Context) -> None:
    """Run published systems on real data and judge their claims; without a command, list them."""
    if context.invoked_subcommand is None:
        _list(None, None)


@app.command("list", cls=Command, epilog="similia atlas list --format json")
def listing(results: Results = None, form: options.Output = None) -> None:
    """List the systems with their verdicts."""
    _list(results, form)


@app.command("run", cls=Command, epilog="similia atlas run 4 --quick --seed 1")
def running(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="The number of the system.", show_default=False)],
    quick: Annotated[bool, typer.Option("--quick", help="Take a smaller sample.")] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Where all randomness comes from.")] = 0,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="FOLDER", help="Where the result goes. [default: atlas-results]")
    ] = None,
    form: options.Output = None,
) -> None:
    """Run one system and its baselines, judge each claim, and keep the numbers."""
    from similia import atlas

    result = atlas.run(number, out=into, quick=quick, seed=seed)
    rows = [dict(vars(claim)) for claim in result.claims]
    if not output.write(result.to_dict(), rows, form):
        _show(result)


@app.command("report", cls=Command, epilog="similia atlas report atlas.md")
def reporting(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .html or .md.", show_default=False)],
    results: Results = None,
) -> None:
    """Write a page with every result, its numbers and plots."""
    from similia import atlas

    say(f"Wrote {atlas.report(atlas.results(results), target)}.")


def _list(results: Path | None, form: options.Format | None) -> None:
    from similia import atlas

    found = atlas.results(results)
    infos = atlas.systems()
    rows: list[dict[str, Any]] = [
        {
            "number": info.number,
            "name": info.name,
            "title": info.title,
            "paper": info.paper,
            "status": info.status,
            "verdict": found[info.number].verdict if info.number in found else "not run",
        }
        for info in infos
    ]
    if not output.write(rows, rows, form):
        console.out(markup=True).print(atlas.table(found, infos))


def _show(result: Any) -> None:
    from rich.text import Text

    marks = {"reproduced": ("✓", "green"), "not reproduced": ("✗", "red"), "not run": ("–", "dim")}
    screen = console.out()
    screen.print(f"{result.system:03d} {result.name}: {result.verdict}", style="bold")
    for claim in result.claims:
        screen.print(Text.assemble((f"{marks[claim.verdict][0]} ", marks[claim.verdict][1]), claim.says))
        for title, numbers in (("measured", claim.measured), ("baseline", claim.baseline)):
            if numbers:
                values = ", ".join(f"{name} {value:.4g}" for name, value in numbers.items())
                screen.print(f"    {title}: {values}", style="dim")
