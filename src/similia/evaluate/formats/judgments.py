"""Judgments in files: TREC qrels, BEIR folders, CSV and TSV with a header, JSON lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from similia.errors import InputError, SourceError
from similia.evaluate.formats.files import Path_, numbered_lines, writing
from similia.evaluate.formats.tables import (
    GRADE,
    ITEM,
    QUERY,
    QUERY_ID,
    Latest,
    checked_number,
    checked_text,
    column,
    first_line,
    format_of,
    format_to_write,
    has_header,
    named,
    read_rows,
    shown_number,
    text_cell,
    trec_token,
    write_rows,
)
from similia.evaluate.judged import Qrels

FORMATS = ("trec", "beir", "csv", "tsv", "jsonl")
SUFFIXES = {".qrels": "trec", ".qrel": "trec", ".trec": "trec"}
LIKE = ("like",)
_BLANKS = re.compile(r"[ \t]+")


@dataclass(frozen=True)
class JudgmentLine:
    """One judgment as it stands in a file.

    Attributes:
        line: from 1.
        query: the text of the query; None where the file names it otherwise.
        query_id: its id, or None.
        like: the key of the item that was asked about instead of a text, or None.
        item: that is judged.
        grade: finite, at least 0.
        more: all cells of the line, by column.
    """

    line: int
    query: str | None
    query_id: str | None
    like: str | None
    item: str
    grade: float
    more: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What the query is called: its id, else its text, else the item asked about."""
        return self.query_id or self.query or self.like or ""


def read_judgments(path: Path_, *, format: str | None = None, split: str = "test") -> dict[str, dict[str, float]]:
    """Read judgments: query -> item -> grade.

    Args:
        path: TREC qrels (``query 0 item grade``); CSV or TSV with a header or JSON lines, with ``query_id`` or
            ``query``, ``item`` and ``grade`` (also by their names in BEIR: ``query-id``, ``corpus-id``, ``score``); or
            a BEIR folder. Queries go by their id where both are there.
        format: ``trec``, ``beir``, ``csv``, ``tsv`` or ``jsonl``, instead of what suffix and first line say.
        split: of a BEIR folder.

    Raises:
        SourceError: there is no such file, a line that is no judgment, a grade that is negative or no number, or two
            grades for one query and item; names the line.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "test.qrels"
        ...     count = write_judgments({"q1": {"a": 2, "b": 0}}, file)
        ...     print(file.read_text(), read_judgments(file))
        q1 0 a 2
        q1 0 b 0
         {'q1': {'a': 2.0, 'b': 0.0}}
    """
    place = _place(Path(path), format, split)
    latest = Latest(place, "grade")
    for one in judgment_lines(path, format=format, split=split):
        latest.put(one.name, one.item, one.grade, one.line)
    return latest.found


def judgment_lines(path: Path_, *, format: str | None = None, split: str = "test") -> Iterator[JudgmentLine]:
    """Yield the judgments of a file one by one; arguments and errors are those of `read_judgments`."""
    place = _place(Path(path), format, split)
    kind = format_of(place, None if format == "beir" else format, SUFFIXES, FORMATS)
    if kind is None:
        first = first_line(place)
        kind = (
            "jsonl"
            if first.startswith("{")
            else "tsv"
            if has_header(first, (*QUERY, *QUERY_ID, *LIKE), ITEM, GRADE)
            else "trec"
        )
    return _trec(place) if kind == "trec" else _table(place, kind)


def _place(path: Path, format: str | None, split: str) -> Path:
    """The file itself, where a BEIR folder is named."""
    format_of(path, format, SUFFIXES, FORMATS)
    if format != "beir" and not path.is_dir():
        return path
    file = path / "qrels" / f"{split}.tsv"
    if not file.is_file():
        there = ", ".join(sorted(one.stem for one in (path / "qrels").glob("*.tsv"))) or "none"
        raise SourceError(f"has no judgments qrels/{split}.tsv (splits that are there: {there})", source=str(path))
    return file


def _trec(path: Path) -> Iterator[JudgmentLine]:
    for number, line in numbered_lines(path):
        parts = _BLANKS.split(line.strip(" \t\r\n"))
        if parts == [""]:
            continue
        if len(parts) != 4:
            what = f"has {len(parts)} columns; TREC judgments have 4: query, 0, item, grade"
            raise SourceError(what, source=str(path), line=number)
        query, item = (checked_text(parts[at], what, path, number) for at, what in ((0, "query"), (2, "item")))
        grade = checked_number(parts[3], "grade", path, number, least=0)
        yield JudgmentLine(number, None, query, None, item, grade, {})


def _table(path: Path, format: str) -> Iterator[JudgmentLine]:
    for number, row in read_rows(path, format):
        query, name, like = (
            checked_text(row[found], "query", path, number) if (found := column(row, names)) else None
            for names in (QUERY, QUERY_ID, LIKE)
        )
        if query is None and name is None and like is None:
            raise SourceError("has no query (column query or query_id)", source=str(path), line=number)
        item = text_cell(row, ITEM, "item", path, number)
        found = column(row, GRADE)
        if found is None:
            raise SourceError("has no grade (column grade)", source=str(path), line=number)
        grade = checked_number(row[found], "grade", path, number, least=0)
        yield JudgmentLine(number, query, name, like, item, grade, row)


def write_judgments(qrels: Qrels, path: Path_, *, format: str | None = None, split: str = "test") -> int:
    """Write judgments to a file, which is there when all of it is, and return how many.

    Args:
        qrels: query -> item -> grade; queries without items leave nothing.
        path: ends in .qrels (TREC), .csv, .tsv or .jsonl, also with .gz, .xz or .zst; or a folder (BEIR).
        format: instead of what the suffix says; ``beir`` makes the folder.
        split: of a BEIR folder.

    Raises:
        InputError: a suffix that does not say what to write, a grade that is negative or no number, or, in TREC, a name
            with a space in it or a grade that is not whole.
        StorageError: the disk refuses.
    """
    target = Path(path)
    if format == "beir" or (format is None and target.is_dir()):
        (target / "qrels").mkdir(parents=True, exist_ok=True)
        target, kind, columns = target / "qrels" / f"{split}.tsv", "tsv", ("query-id", "corpus-id", "score")
    else:
        kind = format_to_write(target, format, {**SUFFIXES, ".tsv": "tsv"}, FORMATS)
        columns = ("query_id", "item", "grade")
    rows = [
        (named(query, "query", target), named(item, "item", target), _grade(grade, target))
        for query, one in qrels.items()
        for item, grade in one.items()
    ]
    if kind == "trec":
        lines = [_trec_line(*row, target) for row in rows]
        with writing(target) as stream:
            stream.writelines(lines)
        return len(rows)
    with writing(target) as stream:
        numbers = ((query, item, grade if kind == "jsonl" else shown_number(grade)) for query, item, grade in rows)
        return write_rows(stream, kind, columns, numbers)


def _grade(value: float, path: Path) -> float:
    grade = float(value)
    if not 0 <= grade < float("inf"):
        raise InputError(f"{path}: the grade {value!r} is not a finite number of at least 0")
    return grade


def _trec_line(query: str, item: str, grade: float, path: Path) -> str:
    if not grade.is_integer():
        raise InputError(f"{path}: the grade {grade!r} of item {item!r:.80} is not whole, as TREC has them; write .csv")
    return f"{trec_token(query, 'query', path)} 0 {trec_token(item, 'item', path)} {int(grade)}\n"
