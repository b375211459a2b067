"""Which reader a path needs: by what the caller says, by the name, or by the first bytes."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from similia.collection.sources.arrow import ArrowFile
from similia.collection.sources.arrow_ipc import MAGIC
from similia.collection.sources.chunk import BLOCK, Reader, nearest
from similia.collection.sources.compression import disk_error, open_bytes, opened, plain_name
from similia.collection.sources.csv import DelimitedText
from similia.collection.sources.folder import KINDS, Folder, OnError, kind_of, walk
from similia.collection.sources.json_array import JsonArray
from similia.collection.sources.jsonl import JsonLines
from similia.collection.sources.parquet import Parquet
from similia.collection.sources.spool import Spooled
from similia.errors import SourceError

SPOOLED = "similia-input-"  # how folders begin that hold standard input while it is read
FORGOTTEN = 7 * 86_400.0  # seconds after which such a folder belongs to nobody
FORMATS = ("csv", "tsv", "json", "jsonl", "parquet", "arrow", "text")
"""What ``format`` may be; ``text`` reads a file as one item."""

TABLES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
}
"""Formats with many items a file, by suffix."""

_ALIASES = {"ndjson": "jsonl", "jsonlines": "jsonl", "feather": "arrow", "ipc": "arrow", "pq": "parquet"}
_REFUSED = {
    **dict.fromkeys((".xlsx", ".xls", ".ods"), "spreadsheets are not read; save the sheet as CSV"),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".7z", ".rar"), "archives are not read; unpack it and name the folder"),
    **dict.fromkeys(
        (".docx", ".doc", ".odt", ".rtf"), "word processor files are not read; save it as PDF, HTML or text"
    ),
    **dict.fromkeys((".db", ".sqlite", ".duckdb"), "databases are not read; export the table as Parquet or CSV"),
    **dict.fromkeys(
        (".pkl", ".pickle", ".joblib"), "pickles are not read, since they can run code; save it as Parquet"
    ),
}


def check_format(name: str | None) -> str | None:
    """Return a format's own name.

    Examples:
        >>> check_format("NDJSON")
        'jsonl'
        >>> check_format("jason")
        Traceback (most recent call last):
        similia.errors.SourceError: 'jason' is no format: did you mean 'json'? There is: csv, tsv, json, jsonl, parquet,
            arrow, text
    """
    if name is None:
        return None
    name = name.lower().removeprefix(".")
    name = _ALIASES.get(name, name)
    if name not in FORMATS:
        raise SourceError(f"{name!r} is no format: {nearest(name, FORMATS)}")
    return name


def path_readers(
    path: Path, *, format: str | None, encoding: str | None, on_error: OnError, several: bool
) -> Iterator[Reader]:
    """The readers of one path: one, or one for each table file in a folder of such.

    Args:
        path: a file or a folder.
        format: as the caller says; a folder's tables are then all read so.
        encoding: of text.
        on_error: see `Folder`.
        several: whether other paths are read beside this one.
    """
    name = str(path).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    if path.is_dir():
        tables = _tables(path, format)
        if not tables:
            prefix = f"{path.resolve().name}/" if several else ""
            folder = Folder(path, name, prefix=prefix, encoding=encoding, on_error=on_error)
            yield Spooled(folder, once=False)
            return
        for table in tables:
            yield file_reader(table, str(table), format or TABLES[plain_name(table).suffix.lower()], encoding)
        return
    found = format or named_format(path, name) or sniffed_format(path, name)
    if found == "text":
        yield Spooled(Folder(path, name, encoding=encoding, on_error=on_error), once=False)
    else:
        yield file_reader(path, name, found, encoding)


def _tables(folder: Path, format: str | None) -> list[Path]:
    """The table files of a folder that holds no documents."""
    tables = []
    for path in walk(folder, lambda path, reason: None, lambda note: None):
        suffix = plain_name(path).suffix.lower()
        if suffix in TABLES:
            tables.append(path)
        elif suffix in KINDS and format is None:
            return []
    return tables if format != "text" else []


def file_reader(path: Path, name: str, format: str, encoding: str | None) -> Reader:
    """Return the reader of a table file."""
    if format in ("csv", "tsv"):
        return DelimitedText(path, name, encoding=encoding, tabs=format == "tsv")
    if format == "jsonl":
        return JsonLines(path, name, encoding=encoding)
    if format == "json":
        return JsonArray(path, name, encoding=encoding)
    return Parquet(path, name) if format == "parquet" else ArrowFile(path, name)


def named_format(path: Path, name: str) -> str | None:
    """Return the format that a file's name tells, if any.

    Raises:
        SourceError: it tells one that is not read.
    """
    suffix = plain_name(path).suffix.lower()
    if suffix in _REFUSED:
        raise SourceError(_REFUSED[suffix], source=name)
    if suffix in TABLES:
        return TABLES[suffix]
    return "text" if suffix and kind_of(path) else None


def sniffed_format(path: Path, name: str) -> str:
    """Return the format that the first bytes of a file tell; CSV where they tell nothing."""
    with open_bytes(path, name) as stream:
        head = stream.read(1 << 16)
    if head.startswith(b"PAR1"):
        return "parquet"
    if head.startswith((MAGIC, b"\xff\xff\xff\xff", b"FEA1")):
        return "arrow"
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8")):
        return "text"
    if head.startswith(b"PK\x03\x04"):
        raise SourceError(_REFUSED[".zip"], source=name)
    text = head.removeprefix(b"\xef\xbb\xbf")
    if text.startswith((b"\xff\xfe", b"\xfe\xff")):
        text = text[2:].replace(b"\0", b"")
    text = text.lstrip()
    if text.startswith(b"["):
        return "json"
    if text.startswith(b"{"):
        # An object that ends with its line stands for JSON Lines, which is also what is written most.
        return "jsonl" if text.split(b"\n", 1)[0].rstrip().endswith(b"}") else "json"
    if text[:100].lower().startswith((b"<!doctype html", b"<html")):
        raise SourceError("looks like a web page; give the file the suffix .html", source=name)
    return "csv"


def _sweep() -> None:
    """Remove what killed processes left behind; nobody reads standard input for a week."""
    for left in Path(tempfile.gettempdir()).glob(f"{SPOOLED}*"):
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > FORGOTTEN:
                shutil.rmtree(left, ignore_errors=True)


class StandardInput:
    """Standard input in a temporary file, so that it can be read twice."""

    def __init__(self, stream: Any = None) -> None:
        _sweep()
        self.folder = tempfile.mkdtemp(prefix=SPOOLED)
        self.path = Path(self.folder) / "standard-input"
        source = sys.stdin.buffer if stream is None else stream
        try:
            with self.path.open("wb") as file:
                shutil.copyfileobj(source, file, BLOCK)
        except OSError as error:
            self.remove()
            raise disk_error(error, "<standard input>") from None

    def remove(self) -> None:
        """Remove the temporary file."""
        shutil.rmtree(self.folder, ignore_errors=True)


def file_state(path: Path, name: str) -> tuple[int, int]:
    """Size and time of the last change, which must not differ between two readings."""
    with opened(path, name):
        status = path.stat()
    return status.st_size, status.st_mtime_ns
