"""Rows with named columns: CSV and TSV with a header, JSON lines; and the checks of single cells."""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TextIO

from similia.errors import InputError, SourceError
from similia.evaluate.formats.files import numbered_lines, plain_suffix

Row = tuple[int, Mapping[str, Any]]
"""line, column -> cell"""

TABLES = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
QUERY = ("query", "query_text")
QUERY_ID = ("query_id", "query-id", "qid")
ITEM = ("item", "item_id", "doc_id", "docid", "doc", "corpus-id", "corpus_id", "_key")
GRADE = ("grade", "relevance", "rel", "label", "score")
SCORE = ("score",)

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_UNSAFE = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}  # end a line for str.splitlines and its like


def format_of(path: Path, given: str | None, suffixes: Mapping[str, str], formats: Sequence[str]) -> str | None:
    """What a file is: what was given, or what the suffix says, or None.

    Raises:
        InputError: what was given is none of the formats.
    """
    if given is not None and given not in formats:
        raise InputError(f"format {given!r} is not one of {', '.join(formats)}")
    return given or suffixes.get(plain_suffix(path)) or TABLES.get(plain_suffix(path))


def format_to_write(path: Path, given: str | None, suffixes: Mapping[str, str], formats: Sequence[str]) -> str:
    """What a file is to be.

    Raises:
        InputError: the suffix does not say, or what was given is none of the formats.
    """
    found = format_of(path, given, suffixes, formats)
    if found is None:
        known = ", ".join([*suffixes, *TABLES])
        raise InputError(f"{path}: the suffix does not say what to write; take one of {known}, or name the format")
    return found


def first_line(path: Path) -> str:
    """The first line that is not blank, "" where there is none."""
    return next((line.strip() for _, line in numbered_lines(path) if line.strip()), "")


def has_header(line: str, *columns: Sequence[str]) -> bool:
    """Whether a line with tabs names one of the columns of each kind."""
    names = {name.strip().lower() for name in line.split("\t")}
    return all(names & set(kind) for kind in columns)


def read_rows(path: Path, format: str) -> Iterator[Row]:
    """Yield the rows of a CSV, TSV or JSON lines file; names of columns in small letters.

    Raises:
        SourceError: a line that is no row; names it.
    """
    return _json_rows(path) if format == "jsonl" else _cell_rows(path, "\t" if format == "tsv" else ",")


def _json_rows(path: Path) -> Iterator[Row]:
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SourceError(f"is not JSON ({error})", source=str(path), line=number) from None
        if not isinstance(row, dict):
            raise SourceError(f"holds {type(row).__name__}, not a JSON object", source=str(path), line=number)
        yield number, {name.strip().lower(): value for name, value in row.items()}


def _cell_rows(path: Path, delimiter: str) -> Iterator[Row]:
    reader = csv.reader((line for _, line in numbered_lines(path)), delimiter=delimiter, strict=True)
    header: list[str] | None = None
    number = 1
    try:
        for cells in reader:
            if header is None and cells:
                header = [name.strip().lower() for name in cells]
            elif header is not None and cells:
                if len(cells) != len(header):
                    what = f"has {len(cells)} cells, and the header has {len(header)}"
                    raise SourceError(what, source=str(path), line=number)
                yield number, dict(zip(header, cells, strict=True))
            number = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"cannot be read as cells ({error})", source=str(path), line=number) from None


def column(row: Mapping[str, Any], names: Sequence[str]) -> str | None:
    """The first of these columns that the row has, and that is not empty."""
    return next((name for name in names if row.get(name) not in (None, "")), None)


def text_cell(row: Mapping[str, Any], names: Sequence[str], what: str, path: Path, line: int) -> str:
    """The text (or whole number) under one of these columns.

    Raises:
        SourceError: there is none, or it is no text.
    """
    name = column(row, names)
    if name is None:
        raise SourceError(f"has no {what} (column {', '.join(names)})", source=str(path), line=line)
    return checked_text(row[name], what, path, line)


def checked_text(value: object, what: str, path: Path, line: int) -> str:
    """A text that is not blank, or a whole number as one.

    Raises:
        SourceError: it is neither.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise SourceError(f"the {what} is {value!r:.80}, not text", source=str(path), line=line)
    if not value.strip():
        raise SourceError(f"the {what} is blank", source=str(path), line=line)
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise SourceError(f"the {what} {value!r:.80} is not Unicode text", source=str(path), line=line)
    return value


def checked_number(value: object, what: str, path: Path, line: int, *, least: float = -math.inf) -> float:
    """A finite number.

    Raises:
        SourceError: it is none, or below ``least``.
    """
    given = math.nan
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number or (isinstance(value, str) and _NUMBER.fullmatch(value.strip())):
        with suppress(OverflowError):  # a whole number beyond all floats
            given = float(value)  # type: ignore[arg-type]
    if not math.isfinite(given):
        raise SourceError(f"the {what} {value!r:.80} is not a finite number", source=str(path), line=line)
    if given < least:
        hint = "; write 0 for what is judged and not relevant" if least == 0 else ""
        raise SourceError(f"the {what} {value} is below {least:g}{hint}", source=str(path), line=line)
    return given


def write_rows(stream: TextIO, format: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Write rows as CSV, TSV or JSON lines, None as an empty cell or not at all, and return how many."""
    count = 0
    if format == "jsonl":
        for row in rows:
            cells = {name: value for name, value in zip(columns, row, strict=True) if value is not None}
            stream.write(json.dumps(cells, ensure_ascii=False, allow_nan=False).translate(_UNSAFE) + "\n")
            count += 1
        return count
    delimiter = "\t" if format == "tsv" else ","
    stream.write(delimiter.join(columns) + "\n")
    for row in rows:
        stream.write(delimiter.join(_quoted("" if value is None else str(value), delimiter) for value in row) + "\n")
        count += 1
    return count


def _quoted(cell: str, delimiter: str) -> str:
    """A cell as RFC 4180 has it; the csv module leaves a lone carriage return bare, and then cannot read it."""
    return '"' + cell.replace('"', '""') + '"' if any(one in cell for one in (delimiter, '"', "\r", "\n")) else cell


def named(value: str, what: str, path: Path) -> str:
    """A name that is not blank, for a file that is to be read again.

    Raises:
        InputError: it is.
    """
    if not value.strip():
        raise InputError(f"{path}: {what} {value!r} is blank, and could not be read again")
    return value


def shown_number(value: float) -> str:
    """A number as files have it: whole ones without a point, all others so that the same float is read back.

    Examples:
        >>> shown_number(2.0), shown_number(0.1)
        ('2', '0.1')
    """
    value = float(value)
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)


def trec_token(value: str, what: str, path: Path) -> str:
    """A name as a line of TREC can hold it.

    Raises:
        InputError: it is empty or has a space in it.
    """
    if not value or any(letter.isspace() for letter in value) or value.startswith("\ufeff"):
        raise InputError(f"{path}: {what} {value!r:.80} cannot stand in a TREC file, where spaces part the columns; "
                         "write .csv or .jsonl")  # fmt: skip
    return value


class Latest:
    """Query -> item -> number, from lines; the same said twice counts once.

    Attributes:
        found: what was put so far.
    """

    def __init__(self, path: Path, what: str) -> None:
        self.found: dict[str, dict[str, float]] = {}
        self._lines: dict[tuple[str, str], int] = {}
        self._path, self._what = path, what

    def put(self, query: str, item: str, value: float, line: int) -> None:
        """Take in one line.

        Raises:
            SourceError: another line says something else of the same query and item.
        """
        known = self.found.setdefault(query, {})
        before = self._lines.setdefault((query, item), line)
        if known.setdefault(item, value) != value:
            raise SourceError(
                f"query {query!r:.80}, item {item!r:.80}: the {self._what} is {shown_number(value)}, and "
                f"{shown_number(known[item])} in line {before:,}; leave one of them",
                source=str(self._path),
                line=line,
            )
