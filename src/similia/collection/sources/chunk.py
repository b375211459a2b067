"""What passes between a reader and the source: rows as they came, with the place that each came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, Protocol

from similia.errors import SourceError

BLOCK = 1 << 20
"""Bytes that are read and parsed at a time."""

MAX_RECORD = 64 << 20
"""Bytes that one record may have in a text format, so that a lost quote cannot pull a whole file into memory."""

CHUNK_ROWS = 4096
"""Rows that a reader of a columnar format hands out at a time, at most."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Some consecutive rows of one file.

    Attributes:
        rows: one dict a row, JSON-like values (or float32 arrays (d,) where the format holds float32 lists).
        source: the file, for messages.
        places: 1-based line or row of each of ``rows``.
        unit: what ``places`` counts.
        textual: every value is the text of a cell (CSV) or None, so that types have to be read from the text.

    Examples:
        >>> Chunk([{"a": 1}], "a.jsonl", range(7, 8)).place(0)
        'a.jsonl, line 7'
    """

    rows: list[dict[str, Any]]
    source: str
    places: Sequence[int]
    unit: Literal["line", "row"] = "line"
    textual: bool = False

    def place(self, index: int) -> str:
        """Where row ``index`` of the chunk stands, for messages."""
        return f"{self.source}, {self.unit} {self.places[index]:,}"

    def error(self, index: int, message: str) -> SourceError:
        """Return an error about row ``index`` of the chunk."""
        return located(message, self.source, self.places[index], self.unit)

    def after(self, skip: int) -> Chunk:
        """The chunk without its first ``skip`` rows."""
        return Chunk(self.rows[skip:], self.source, self.places[skip:], self.unit, self.textual) if skip else self


class Reader(Protocol):
    """One file, folder, table or iterable: read as often as asked, the same rows in the same order."""

    @property
    def name(self) -> str:
        """What messages call it."""
        ...

    @property
    def declared(self) -> Mapping[str, str]:
        """Types that the format itself states for fields whose values do not tell (known after a first read)."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What was left out, one sentence each (known after a first read)."""
        ...

    def read(self, skip: int = 0) -> Iterator[Chunk]:
        """The rows from number ``skip`` on, in bounded memory."""
        ...

    def identity(self) -> str | None:
        """A hash of name and content; None where only the rows tell."""
        ...

    def close(self) -> None:
        """Give up temporary files."""
        ...


def located(message: str, source: str, place: int, unit: str = "line") -> SourceError:
    """Return a `SourceError` that says line or row, whichever the format has.

    Examples:
        >>> print(located("it is empty", "a.parquet", 3, "row"))
        a.parquet, row 3: it is empty
    """
    if unit == "line":
        return SourceError(message, source=source, line=place)
    error = SourceError(f"{source}, {unit} {place:,}: {message}")
    error.source, error.line = source, place
    return error


def skipped(chunks: Iterator[Chunk], skip: int) -> Iterator[Chunk]:
    """Drop the first ``skip`` rows of ``chunks``."""
    for chunk in chunks:
        if skip >= len(chunk.rows):
            skip -= len(chunk.rows)
            continue
        yield chunk.after(skip)
        skip = 0


def update_identity(digest: Any, chunk: Chunk) -> None:
    """Add the values of a chunk to a hash."""
    import orjson

    for row in chunk.rows:
        try:
            digest.update(orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY))
        except TypeError:  # an integer beyond 64 bits
            digest.update(repr(row).encode())
        digest.update(b"\n")


def nearest(name: str, names: Sequence[str]) -> str:
    """Say which of ``names`` was probably meant, and what there is.

    Examples:
        >>> nearest("titel", ["id", "title"])
        "did you mean 'title'? There is: id, title"
    """
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return (f"did you mean {close[0]!r}? " if close else "") + f"There is: {shown or 'nothing'}"
