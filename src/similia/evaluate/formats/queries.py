"""The texts of queries, and of documents, in files: topics in two columns, CSV, JSON lines, BEIR folders."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from similia.errors import InputError, SourceError
from similia.evaluate.formats.files import Path_, numbered_lines, writing
from similia.evaluate.formats.tables import (
    QUERY,
    QUERY_ID,
    checked_text,
    first_line,
    format_of,
    format_to_write,
    read_rows,
    text_cell,
    write_rows,
)

FORMATS = ("tsv", "beir", "csv", "jsonl")
SUFFIXES = {".tsv": "tsv", ".txt": "tsv", ".topics": "tsv"}
_ID = (*QUERY_ID, "_id", "id")
_TEXT = (*QUERY, "text")


def read_queries(path: Path_, *, format: str | None = None) -> dict[str, str]:
    """Read queries: id -> text.

    Args:
        path: topics, one a line: id, tab, text; CSV with a header or JSON lines with ``query_id`` and ``query`` (BEIR:
            ``_id`` and ``text``); or a BEIR folder.
        format: ``tsv``, ``csv``, ``jsonl`` or ``beir``, instead of what suffix and first line say.

    Raises:
        SourceError: there is no such file, a line without id or text, or two texts for one id; names the line.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "topics.tsv"
        ...     count = write_queries({"q1": "rank fusion"}, file)
        ...     print(read_queries(file))
        {'q1': 'rank fusion'}
    """
    place = Path(path)
    kind = format_of(place, format, SUFFIXES, FORMATS)
    if format == "beir" or place.is_dir():
        place, kind = place / "queries.jsonl", "jsonl"
    elif format is None and kind in (None, "tsv"):
        kind = "jsonl" if first_line(place).startswith("{") else "tsv"
    found: dict[str, str] = {}
    for number, name, text in _topics(place) if kind == "tsv" else _rows(place, str(kind)):
        if found.setdefault(name, text) != text:
            what = f"query {name!r:.80} stands before with another text; leave one of them"
            raise SourceError(what, source=str(place), line=number)
    return found


def _topics(path: Path) -> Iterator[tuple[int, str, str]]:
    for number, line in numbered_lines(path):
        if not line.strip():
            continue
        name, tab, text = line.rstrip("\r\n").partition("\t")
        if not tab:
            raise SourceError("has no tab; topics are id, tab, text", source=str(path), line=number)
        if number > 1 or not _is_header(name, text):
            yield number, checked_text(name, "id", path, number), checked_text(text, "text", path, number)


def _is_header(name: str, text: str) -> bool:
    return name.lower() in _ID and text.lower() in _TEXT


def _rows(path: Path, format: str) -> Iterator[tuple[int, str, str]]:
    for number, row in read_rows(path, format):
        yield number, text_cell(row, _ID, "id", path, number), text_cell(row, _TEXT, "text", path, number)


def write_queries(queries: Mapping[str, str], path: Path_, *, format: str | None = None) -> int:
    """Write queries to a file, which is there when all of it is, and return how many.

    Args:
        queries: id -> text.
        path: ends in .tsv, .csv or .jsonl, also with .gz, .xz or .zst; or a folder (BEIR: ``queries.jsonl``).
        format: instead of what the suffix says; ``beir`` makes the folder.

    Raises:
        InputError: a suffix that does not say what to write, a blank id or text, or, in topics, one with a line end or
            an id with a tab.
        StorageError: the disk refuses.
    """
    target = Path(path)
    if format == "beir" or (format is None and target.is_dir()):
        target.mkdir(parents=True, exist_ok=True)
        target, kind = target / "queries.jsonl", "jsonl"
    else:
        kind = format_to_write(target, format, SUFFIXES, FORMATS)
    for name, text in queries.items():
        if not name.strip() or not text.strip():
            raise InputError(f"{target}: query {name!r:.80} has the text {text!r:.80}; neither may be blank")
    if kind == "tsv":
        lines = [_topic(name, text, target, place == 0) for place, (name, text) in enumerate(queries.items())]
        with writing(target) as stream:
            stream.writelines(lines)
        return len(lines)
    columns = ("_id", "text") if kind == "jsonl" else ("query_id", "query")
    with writing(target) as stream:
        return write_rows(stream, kind, columns, queries.items())


def _topic(name: str, text: str, path: Path, first: bool) -> str:
    odd = "\t" in name or any(end in name + text for end in "\r\n")
    if odd or (first and (_is_header(name, text) or name.startswith("\ufeff"))):
        raise InputError(f"{path}: query {name!r:.80} cannot stand in topics, one a line; write .csv or .jsonl")
    return f"{name}\t{text}\n"


def read_corpus(path: Path_) -> Iterator[tuple[str, str, str]]:
    """Yield (id, title, text) of the documents of a BEIR folder, or of its ``corpus.jsonl``; a title may be "".

    Raises:
        SourceError: there is no such file, or a line is no document; names the line.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     size = (Path(folder) / "corpus.jsonl").write_text('{"_id": "d1", "title": "Tea", "text": "Leaves."}')
        ...     print(list(read_corpus(folder)))
        [('d1', 'Tea', 'Leaves.')]
    """
    place = Path(path)
    place = place / "corpus.jsonl" if place.is_dir() else place
    for number, row in read_rows(place, "jsonl"):
        name = text_cell(row, ("_id",), "id", place, number)
        title, text = (row.get(part) or "" for part in ("title", "text"))
        if not isinstance(title, str) or not isinstance(text, str):
            raise SourceError("title and text must be text", source=str(place), line=number)
        yield name, title, text
