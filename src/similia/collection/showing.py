"""Tables for a terminal and a notebook, from one description."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Group

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_SPACE = re.compile(r"\s+")
NARROW = 24
"""Columns of at most so many characters keep their width; longer ones are wrapped."""
STYLE = (
    "<style>.similia{border-collapse:collapse;font:13px/1.4 system-ui,sans-serif}.similia caption{text-align:left;"
    "padding:.3em .6em;font-weight:600}.similia th,.similia td{text-align:left;padding:.25em .6em;vertical-align:top;"
    "border-bottom:1px solid color-mix(in srgb,currentColor 15%,transparent)}.similia .n{text-align:right;"
    "font-variant-numeric:tabular-nums}.similia-note{font:12px system-ui,sans-serif;opacity:.7}</style>"
)


@dataclass(frozen=True)
class Sheet:
    """A table to show: column names (numeric ones end in ``#``), rows of cells, a title and a note below."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    title: str = ""
    note: str = ""


def cell(value: Any, width: int = 240) -> str:
    r"""A value in one line without control characters, cut at ``width``.

    Examples:
        >>> cell("a\x1b[31m\n b"), cell(0.123456), cell(None), cell(["x", 1])
        ('a[31m b', '0.1235', '', 'x, 1')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        text = f"{value:,.4g}" if abs(value) < 1e6 else f"{value:,.0f}"
    elif isinstance(value, int):
        text = str(value)
    elif isinstance(value, (list, tuple)) and not any(isinstance(part, (list, tuple, dict)) for part in value):
        text = ", ".join(cell(part, width) for part in value[:50])
    elif isinstance(value, (list, tuple, dict)):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    text = _SPACE.sub(" ", _CONTROL.sub("", text[: 4 * width])).strip()
    return text if len(text) <= width else text[: width - 1] + "…"


def rich_sheets(sheets: Iterable[Sheet]) -> Group:
    """The sheets as something that Rich prints."""
    from rich import box
    from rich.console import Group, RenderableType
    from rich.table import Table
    from rich.text import Text

    parts: list[RenderableType] = []
    for sheet in sheets:
        if parts:
            parts.append(Text(""))
        if sheet.columns and (sheet.rows or not sheet.note):
            title = Text(cell(sheet.title), style="bold") if sheet.title else None
            table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
            cells = [[cell(value) for value in row] for row in sheet.rows]
            for place, name in enumerate(sheet.columns):
                number = name.endswith("#")
                narrow = number or all(len(row[place]) <= NARROW for row in cells)
                table.add_column(
                    Text(cell(name.removesuffix("#"))),
                    justify="right" if number else "left",
                    no_wrap=narrow,
                    overflow="ellipsis" if narrow else "fold",
                    style="cyan" if number else "",
                )
            for row in cells:
                table.add_row(*map(Text, row))
            parts.append(table)
        elif sheet.title:
            parts.append(Text(cell(sheet.title), style="bold"))
        if sheet.note:
            parts.append(Text(cell(sheet.note, 1000), style="dim"))
    return Group(*parts)


def text_sheets(sheets: Iterable[Sheet]) -> str:
    """The sheets as plain text, as wide as the terminal."""
    from io import StringIO

    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=Console().width, color_system=None, force_terminal=False)
    console.print(rich_sheets(sheets))
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def html_sheets(sheets: Iterable[Sheet]) -> str:
    """The sheets as HTML for a notebook; every value is escaped.

    Examples:
        >>> "&lt;b&gt;" in html_sheets([Sheet(["name"], [["<b>"]])])
        True
    """
    parts = [STYLE]
    for sheet in sheets:
        if sheet.columns:
            caption = f"<caption>{_escaped(sheet.title)}</caption>" if sheet.title else ""
            classes = [' class="n"' if name.endswith("#") else "" for name in sheet.columns]
            head = "".join(
                f"<th{c}>{_escaped(n.removesuffix('#'))}</th>" for n, c in zip(sheet.columns, classes, strict=True)
            )
            body = "".join(
                "<tr>" + "".join(f"<td{c}>{_escaped(v)}</td>" for v, c in zip(row, classes, strict=True)) + "</tr>"
                for row in sheet.rows
            )
            parts.append(f'<table class="similia">{caption}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>')
        elif sheet.title:
            parts.append(f"<p><b>{_escaped(sheet.title)}</b></p>")
        if sheet.note:
            parts.append(f'<p class="similia-note">{_escaped(sheet.note, 1000)}</p>')
    return "".join(parts)


def _escaped(value: Any, width: int = 400) -> str:
    return html.escape(cell(value, width))


class Shown:
    """Shows itself as sheets: in a terminal, as plain text, and in a notebook."""

    def _sheets(self) -> list[Sheet]:
        raise NotImplementedError

    def __rich__(self) -> Group:
        return rich_sheets(self._sheets())

    def __str__(self) -> str:
        return text_sheets(self._sheets())

    def _repr_html_(self) -> str:
        return html_sheets(self._sheets())
