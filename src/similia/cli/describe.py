"""A collection and its senses in a few lines that fit a narrow terminal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from similia.cli import console
from similia.cli.text import clean, counted

if TYPE_CHECKING:
    from similia.collection.reports import Info, Sense


def show_senses(senses: Iterable[Sense]) -> None:
    """Draw senses on standard output, one paragraph each."""
    _show([(sense.name, sense_in_words(sense)) for sense in senses])


def show_info(info: Info) -> None:
    """Draw what a collection is on standard output."""
    sizes = {name: size for name, size in info.bytes.items() if size and name != "total"}
    total = info.bytes.get("total", sum(sizes.values()))
    rows = [
        ("collection", f"{info.name}: {counted(info.items)}, {in_bytes(total)}"),
        ("folder", info.path),
        ("fields", " · ".join(f"{name} {kind}" for name, kind in info.fields.items()) or "none yet"),
        *(("sense", f"{name}: {sense_in_words(sense)}") for name, sense in info.senses.items()),
        ("sizes", " · ".join(f"{name} {in_bytes(size)}" for name, size in sizes.items())),
    ]
    last = info.last_change
    if last is not None:
        rows.append(("changes", f"{info.changes:,}; the last is {last['number']}, {last['command']} ({last['state']})"))
    _show(rows)


def sense_in_words(sense: Sense) -> str:
    """What a sense reads, what turns it into vectors, and how they are kept."""
    parts = [", ".join(sense.fields) or f"vectors of {sense.vectors}", sense.encoder or "vectors as given"]
    if sense.about is not None:
        parts.append(f'about "{sense.about}"')
    loss = "" if sense.loss is None else f", which costs up to {sense.loss:.0e} of cosine"
    parts.append(f"{sense.dimension} dimensions in {sense.precision}{loss}")
    parts.append(counted(sense.count) + ("" if sense.state == "ready" else f" so far ({sense.state})"))
    return " · ".join(parts)


def in_bytes(size: int) -> str:
    """A size that people read.

    Examples:
        >>> in_bytes(900), in_bytes(20_000), in_bytes(3_500_000), in_bytes(7 * 10**9)
        ('900 B', '20 kB', '3.5 MB', '7.0 GB')
    """
    if size < 1_000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1e3:,.0f} kB"
    return f"{size / 1e6:,.1f} MB" if size < 10**9 else f"{size / 1e9:,.1f} GB"


def _show(rows: Iterable[tuple[str, str]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 2))
    table.add_column(style="cyan", no_wrap=True, overflow="ellipsis", max_width=24)
    table.add_column(overflow="fold")
    before = ""
    for name, text in rows:
        table.add_row(Text("" if name == before else clean(name)), Text(clean(text)))
        before = name
    console.out().print(table)
