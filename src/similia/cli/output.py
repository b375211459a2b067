"""Results on standard output: a table for people; JSON, JSON lines or CSV for programs.

JSON is what ``to_dict()`` of the result gives. JSON lines and CSV give one row a result.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from similia.cli import console
from similia.cli.options import Format
from similia.cli.text import clean

if TYPE_CHECKING:
    from similia.collection import CorrectionReport, IndexReport

Row = Mapping[str, Any]

# JSON escapes the C0 controls itself. DEL and the C1 controls would reach the terminal, and U+2028 and U+2029 end a
# line for str.splitlines and its like.
_ESCAPES = {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029)}


def chosen(given: Format | None) -> Format:
    """The format to write: what was asked for, else a table on a terminal and JSON anywhere else."""
    if given is not None:
        return given
    return Format.TABLE if sys.stdout.isatty() else Format.JSON


def write(value: Any, rows: Iterable[Row], given: Format | None) -> bool:
    """Write ``value`` in any format but a table; return False where a table is wanted, which the caller draws.

    Args:
        value: what JSON shows: an object that is JSON-ready.
        rows: what JSON lines and CSV show, one object a line.
        given: the format asked for, None for the default.
    """
    match chosen(given):
        case Format.JSON:
            sys.stdout.write(_json(value, indent=2) + "\n")
        case Format.JSONL:
            for row in rows:
                sys.stdout.write(_json(row) + "\n")
        case Format.CSV:
            _csv(list(rows))
        case Format.TABLE:
            return False
    return True


def _json(value: Any, indent: int | None = None) -> str:
    ascii_only = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    text = json.dumps(_finite(value), ensure_ascii=ascii_only, indent=indent, default=str, allow_nan=False)
    return text.translate(_ESCAPES)


def _finite(value: Any) -> Any:
    """``value`` with NaN and infinities as null: no reader of JSON accepts them as they are."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return value


def _csv(rows: list[Row]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    safe = clean if sys.stdout.isatty() else str  # a file gets the text as it is
    if columns:
        for cells in (columns, *([_cell(row.get(name)) for name in columns] for row in rows)):
            line = ",".join(_quoted(safe(cell)) for cell in cells)
            sys.stdout.write((line or '""') + "\n")  # an empty line would be no row


def tell(reports: Sequence[IndexReport | CorrectionReport], form: Format | None) -> None:
    """Show reports, one after the other; to a program as rows."""
    rows = [one.to_dict() for one in reports]
    if not write(rows, rows, form):
        for one in reports:
            console.out().print(one)


def _quoted(cell: str) -> str:
    """A cell as RFC 4180 has it. The csv module leaves a lone carriage return bare where lines end otherwise."""
    return '"' + cell.replace('"', '""') + '"' if any(one in cell for one in ',"\r\n') or cell.strip() != cell else cell


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return json.dumps(_finite(value), ensure_ascii=False)
    return str(value)
