"""``similia check``: verify everything, and mend what can be mended."""

from __future__ import annotations

from typing import Annotated

import typer

from similia.cli import console, options, output
from similia.cli.help import Command, new_app

app = new_app()

EXAMPLES = """\
similia check papers
similia check papers --no-mend --format json"""


@app.command(cls=Command, epilog=EXAMPLES)
def check(
    collection: options.CollectionName,
    mend: Annotated[bool, typer.Option("--mend/--no-mend", help="Whether to mend what can be rebuilt.")] = True,
    form: options.Output = None,
    wait: options.Wait = 30.0,
) -> None:
    """Verify every promise that a collection makes, and say what was mended; exit code 1 where one is broken."""
    from similia.collection import Collection

    with Collection.open(collection, wait=wait) as opened:
        report = opened.check(mend=mend)
    rows = [{"promise": promise, "held": held, "detail": detail} for promise, held, detail in report.promises]
    if not output.write({"ok": report.ok, "promises": rows, "mended": list(report.mended)}, rows, form):
        _show(report.ok, rows, report.mended)
    if not report.ok:
        raise typer.Exit(1)


def _show(ok: bool, rows: list[dict[str, object]], mended: list[str]) -> None:
    from rich.text import Text

    from similia.cli.text import clean

    screen = console.out()
    for row in rows:
        mark, style = ("✓", "green") if row["held"] else ("✗", "bold red")
        detail = f"  {row['detail']}" if row["detail"] else ""
        screen.print(Text.assemble((f"{mark} ", style), clean(str(row["promise"])), (clean(detail), "dim")))
    for one in mended:
        screen.print(Text.assemble(("mended ", "yellow"), clean(one)))
    screen.print(Text("All promises hold." if ok else "Something is broken; restore a backup.", style="bold"))
