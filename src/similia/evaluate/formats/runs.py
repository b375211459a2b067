"""Runs in files: what a system found for each query, as TREC has it, or as CSV, TSV or JSON lines."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from pathlib import Path

from similia.errors import InputError, SourceError
from similia.evaluate.formats.files import Path_, numbered_lines, writing
from similia.evaluate.formats.tables import (
    ITEM,
    QUERY,
    QUERY_ID,
    SCORE,
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
from similia.evaluate.judged import Run

FORMATS = ("trec", "csv", "tsv", "jsonl")
SUFFIXES = {".run": "trec", ".trec": "trec", ".res": "trec"}
_BLANKS = re.compile(r"[ \t]+")


def read_run(path: Path_, *, format: str | None = None) -> dict[str, dict[str, float]]:
    """Read a run: query -> item -> score, higher is better.

    Ranks in a file are not looked at, as in trec_eval: the scores say the order.

    Args:
        path: a TREC run (``query Q0 item rank score tag``); or CSV or TSV with a header or JSON lines, with
            ``query_id`` or ``query``, ``item`` and ``score``.
        format: ``trec``, ``csv``, ``tsv`` or ``jsonl``, instead of what suffix and first line say.

    Raises:
        SourceError: there is no such file, a line that is no result, a score that is no finite number, or two scores
            for one query and item; names the line.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "mine.run"
        ...     count = write_run({"q1": {"a": 0.25, "b": 0.5}}, file, tag="mine")
        ...     print(file.read_text(), read_run(file))
        q1 Q0 b 1 0.5 mine
        q1 Q0 a 2 0.25 mine
         {'q1': {'b': 0.5, 'a': 0.25}}
    """
    place = Path(path)
    kind = format_of(place, format, SUFFIXES, FORMATS)
    if kind is None:
        first = first_line(place)
        kind = (
            "jsonl"
            if first.startswith("{")
            else "tsv"
            if has_header(first, (*QUERY, *QUERY_ID), ITEM, SCORE)
            else "trec"
        )
    latest = Latest(place, "score")
    for number, query, item, score in _trec(place) if kind == "trec" else _table(place, kind):
        latest.put(query, item, score, number)
    return latest.found


def _trec(path: Path) -> Iterator[tuple[int, str, str, float]]:
    for number, line in numbered_lines(path):
        parts = _BLANKS.split(line.strip(" \t\r\n"))
        if parts == [""]:
            continue
        if len(parts) != 6:
            what = f"has {len(parts)} columns; a TREC run has 6: query, Q0, item, rank, score, tag"
            raise SourceError(what, source=str(path), line=number)
        query, item = (checked_text(parts[at], what, path, number) for at, what in ((0, "query"), (2, "item")))
        yield number, query, item, checked_number(parts[4], "score", path, number)


def _table(path: Path, format: str) -> Iterator[tuple[int, str, str, float]]:
    for number, row in read_rows(path, format):
        query = text_cell(row, (*QUERY_ID, *QUERY), "query", path, number)
        item = text_cell(row, ITEM, "item", path, number)
        if column(row, SCORE) is None:
            raise SourceError("has no score (column score)", source=str(path), line=number)
        yield number, query, item, checked_number(row["score"], "score", path, number)


def write_run(run: Run, path: Path_, *, format: str | None = None, tag: str = "similia") -> int:
    """Write a run to a file, which is there when all of it is, best first, and return how many results it has.

    Args:
        run: query -> item -> score; ranks are by falling score, ties by item name, as in `similia.evaluate.judge`.
        path: ends in .run (TREC), .csv, .tsv or .jsonl, also with .gz, .xz or .zst.
        format: instead of what the suffix says.
        tag: the name of the run, in TREC.

    Raises:
        InputError: a suffix that does not say what to write, a score that is no finite number, or, in TREC, a name with
            a space in it.
        StorageError: the disk refuses.
    """
    target = Path(path)
    kind = format_to_write(target, format, {**SUFFIXES, ".tsv": "tsv"}, FORMATS)
    rows = list(_ranked(run, target))
    if kind == "trec":
        name = trec_token(tag, "tag", target)
        lines = [
            f"{trec_token(query, 'query', target)} Q0 {trec_token(item, 'item', target)} {rank} {score!r} {name}\n"
            for query, item, rank, score in rows
        ]
        with writing(target) as stream:
            stream.writelines(lines)
        return len(rows)
    with writing(target) as stream:
        shown = (
            (query, item, rank, score if kind == "jsonl" else shown_number(score)) for query, item, rank, score in rows
        )
        return write_rows(stream, kind, ("query_id", "item", "rank", "score"), shown)


def _ranked(run: Run, path: Path) -> Iterator[tuple[str, str, int, float]]:
    for query, scores in run.items():
        for item, score in scores.items():
            if not math.isfinite(score):
                raise InputError(f"{path}: query {query!r:.80}, item {item!r:.80}: the score {score} is not finite")
        ordered = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        for rank, (item, score) in enumerate(ordered, 1):
            yield named(query, "query", path), named(item, "item", path), rank, float(score)
