"""Rows of the log: in words, as JSON, and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from similia.cli import console
from similia.cli.text import one_line

if TYPE_CHECKING:
    from similia.collection.store import ChangeRow


def as_dict(row: ChangeRow) -> dict[str, Any]:
    """A change as plain JSON."""
    return {
        "number": row.number, "command": row.command, "arguments": row.arguments, "state": row.state,
        "started": row.started, "finished": row.finished, "added": row.added, "replaced": row.replaced,
        "deleted": row.deleted,
    }  # fmt: skip


def in_words(row: ChangeRow) -> str:
    """What a change did, in a few words: ``add, 3 added``."""
    counts = (("added", row.added), ("replaced", row.replaced), ("deleted", row.deleted))
    return ", ".join([row.command, *(f"{count:,} {what}" for what, count in counts if count)])


def show(rows: Sequence[ChangeRow]) -> None:
    """Draw the log on standard output."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, side in (("#", "right"), ("when", "left"), ("what", "left"), ("of", "left"), ("state", "left")):
        table.add_column(name, justify=side, no_wrap=name != "of", overflow="ellipsis")  # type: ignore[arg-type]
    for row in rows:
        about = ", ".join(f"{name} {_plain(value)}" for name, value in row.arguments.items() if value)
        when = row.started[:19].replace("T", " ")
        style = "" if row.state == "done" else "dim"
        cells = (str(row.number), when, in_words(row), one_line(about, 80), row.state)
        table.add_row(*(Text(one_line(part)) for part in cells), style=style)
    console.out().print(table)


def _plain(value: Any) -> str:
    """An argument in words: a list by its parts, a mapping by its names."""
    return ", ".join(map(str, value)) if isinstance(value, list | dict) else str(value)
