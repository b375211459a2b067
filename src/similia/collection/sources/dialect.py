"""Which delimiter, which quotes, and whether there is a header: told from the beginning of a CSV file."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from similia.collection.sources.chunk import MAX_RECORD
from similia.collection.sources.values import cell_kind
from similia.errors import SourceError

SAMPLE = 1 << 20
"""Characters from the beginning that decide on the dialect."""

_DELIMITERS = (",", "\t", ";", "|")
_PLAIN = {"integer", "number", "special", "boolean", "date", "datetime", "list", "json"}


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written.

    Attributes:
        delimiter: what stands between cells.
        quoting: ``standard`` (a quote is doubled inside quotes), ``backslash`` (it is escaped), or ``none``.
    """

    delimiter: str = ","
    quoting: str = "standard"

    def options(self) -> dict[str, Any]:
        """The arguments of `csv.reader`."""
        if csv.field_size_limit() < MAX_RECORD:
            csv.field_size_limit(MAX_RECORD)
        if self.quoting == "none":
            return {"delimiter": self.delimiter, "quoting": csv.QUOTE_NONE, "strict": True}
        escape = {"escapechar": "\\", "doublequote": False} if self.quoting == "backslash" else {}
        return {"delimiter": self.delimiter, "strict": True, **escape}


def sniff(sample: str, *, complete: bool, tabs: bool = False) -> Dialect:
    r"""Choose the dialect under which every record of ``sample`` has the same number of cells, two at least.

    Args:
        sample: the beginning of the file.
        complete: whether that is all of it.
        tabs: whether the file calls itself tab-separated.

    Examples:
        >>> sniff("name;price\nx;1,5\n", complete=True)
        Dialect(delimiter=';', quoting='standard')
    """
    delimiters = ("\t", *(mark for mark in _DELIMITERS if mark != "\t")) if tabs else _DELIMITERS
    best, best_share = Dialect("\t" if tabs else ","), 0.0
    for quoting in ("standard", "backslash", "none"):
        if quoting == "backslash" and '\\"' not in sample:
            continue
        for delimiter in delimiters:
            # Commas and semicolons do not go without quotes: there a lone quote is a fault to be reported.
            if delimiter not in sample or (quoting == "none" and delimiter not in "\t|"):
                continue
            dialect = Dialect(delimiter, quoting)
            share = _agreement(sample, dialect, complete)
            if share == 1.0:
                return dialect
            if share > best_share:
                best, best_share = dialect, share
    return best


def _agreement(sample: str, dialect: Dialect, complete: bool) -> float:
    """The share of records that have as many cells as most, half of it where quotes are broken; 0 for single cells."""
    widths: list[int] = []
    broken = False
    try:
        for row in csv.reader(io.StringIO(sample, newline=""), **dialect.options()):
            if row:
                widths.append(len(row))  # noqa: PERF401 - those before an error count
        if not complete and len(widths) > 2:
            widths.pop()  # it may be cut short
    except csv.Error as error:
        broken = complete or "unexpected end of data" not in str(error)
    if not widths:
        return 0.0
    width, count = Counter(widths).most_common(1)[0]
    share = count / len(widths) if width > 1 else 0.0
    return share / 2 if broken else share


def has_header(rows: Sequence[Sequence[str]]) -> bool:
    """Whether the first of some rows names the columns.

    It does where a word stands over cells of another kind. It does not where no such column is there but one whose
    first cell is a number, date or boolean like those below it. Words over words are taken for names.

    Examples:
        >>> has_header([["id", "2019"], ["7", "0.5"]]), has_header([["1", "a"], ["2", "b"]]), has_header([["t"], ["a"]])
        (True, False, True)
    """
    like_data = False
    for column in zip(*rows, strict=True):
        below = {cell_kind(cell) for cell in column[1:] if cell}
        if not column[0] or not below or "text" in below:
            continue
        if cell_kind(column[0]) == "text":
            return True
        like_data = True
    if len(rows) == 1:
        return not any(cell_kind(cell) in _PLAIN for cell in rows[0] if cell)
    return not like_data


def header_names(cells: Sequence[str], name: str, line: int) -> list[str]:
    """Return the field names that a header gives; a column without a name is called by its number.

    Raises:
        SourceError: two columns have one name.

    Examples:
        >>> header_names(["", " title "], "a.csv", 1)
        ['column1', 'title']
    """
    names = [cell.strip() or f"column{number}" for number, cell in enumerate(cells, 1)]
    twice = [field for field, count in Counter(names).items() if count > 1]
    if twice:
        columns = " and ".join(str(number) for number, field in enumerate(names, 1) if field == twice[0])
        message = f"the header names {twice[0]!r} twice (columns {columns}); give every column a name of its own"
        raise SourceError(message, source=name, line=line)
    return names
