"""The first reading of a source: every field's type, gaps and duplicates, row by row and in bounded memory."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from similia.collection.sources.chunk import Chunk, Reader, update_identity
from similia.collection.sources.convert import Convert
from similia.collection.sources.infer import Column
from similia.collection.sources.keys import KeyHashes
from similia.collection.sources.values import render
from similia.progress import Progress

CANDIDATES = 16
"""Fields that are watched for being free of duplicates, in order of appearance."""

KEY_LENGTH = 256
"""Characters that the values of such a field have at most."""

FIELDS = 1900
"""Fields that a source has at most, since a table of SQLite has 2,000 columns."""


@dataclass(frozen=True)
class Duplicate:
    """A key that stands twice in the input.

    Attributes:
        value: the key.
        rows: 0-based numbers of its first two rows.
        places: where they are, for messages.
    """

    value: str
    rows: tuple[int, int]
    places: tuple[str, str]


@dataclass(frozen=True)
class Scan:
    """What a source was found to hold.

    Attributes:
        rows: how many items there are.
        types: the type of every field, in order of first appearance.
        examples: a value of each field, None where it has none.
        nulls: for each field, the items where it is null or missing.
        unique: for the fields that could be keys (text, category or integer), whether all items have a value and no
            two the same. A False may, once in many million files, come of two values with one hash; the key that
            was named is exact either way.
        identity: a hash of names and contents.
        duplicate: the first key that stands twice, where a key was named.
        missing: where the first item without a key is, where a key was named.
        notes: what was left out, one sentence each.
    """

    rows: int
    types: dict[str, str]
    examples: dict[str, Any]
    nulls: dict[str, int]
    unique: dict[str, bool]
    identity: str
    duplicate: Duplicate | None = None
    missing: str | None = None
    notes: tuple[str, ...] = ()


class Survey:
    """What is gathered while all rows go by.

    Args:
        key: the field whose duplicates are wanted, if any.
    """

    def __init__(self, key: str | None) -> None:
        self.key = key
        self.columns: dict[str, Column] = {}
        self.hashes: dict[str, KeyHashes] = {}
        self.rows = 0
        self.counts: list[int] = []
        self.missing: str | None = None
        self._never: set[str] = set()
        self._start = ""
        self._identities: list[str] = []

    def read(
        self, readers: Sequence[Reader], forced: Sequence[Mapping[str, tuple[Convert, ...]]], progress: Progress | None
    ) -> None:
        """Take in all rows of all readers.

        Args:
            readers: where they come from.
            forced: what the schema does to values, and to cells.
            progress: is told of the rows.
        """
        for reader in readers:
            before = self.rows
            digest = hashlib.sha256()
            told = reader.identity()
            for chunk in reader.read():
                if told is None:
                    update_identity(digest, chunk)
                self._observe(chunk, forced[chunk.textual])
                if progress is not None:
                    progress.advance(len(chunk.rows))
            self.counts.append(self.rows - before)
            self._identities.append(told or digest.hexdigest())

    def identity(self) -> str:
        """A hash of all that was read."""
        return hashlib.sha256("\n".join(self._identities).encode()).hexdigest()

    def close(self) -> None:
        """Give up temporary files."""
        for hashes in self.hashes.values():
            hashes.close()

    def _observe(self, chunk: Chunk, forced: Mapping[str, tuple[Convert, ...]]) -> None:
        if not chunk.rows:
            return
        self._start = self._start or chunk.place(0)
        for name, values in _by_field(chunk.rows, self.columns).items():
            column = self.columns.get(name) or self._new_column(name, chunk)
            if name in forced:
                values = [
                    None if value is None else converted(value, forced[name], name, chunk, row)
                    for row, value in enumerate(values)
                ]
                column.take(values)
            else:
                column.observe(values, textual=chunk.textual)
            if name == self.key:
                self._hash_key(name, values, chunk)
            elif name not in self._never:
                self._hash_candidate(name, values, column)
        self.rows += len(chunk.rows)

    def _new_column(self, name: str, chunk: Chunk) -> Column:
        if not name or len(name) > 1000:
            reason = "is empty" if not name else f"has {len(name):,} characters, of 1,000 at most"
            raise chunk.error(0, f"the name of a field {reason}")
        if len(self.columns) == FIELDS:
            raise chunk.error(
                0, f"field {name!r} is one more than {FIELDS:,}, the limit; put what belongs together in one json field"
            )
        column = self.columns[name] = Column(name)
        column.count = column.nulls = self.rows
        if self.rows:
            self._never.add(name)
        return column

    def _hash_key(self, name: str, values: Sequence[Any], chunk: Chunk) -> None:
        if name not in self.hashes:
            self.hashes[name] = KeyHashes()
            if self.rows:
                self.missing = self._start
                self.hashes[name].add([f"\0{row}" for row in range(self.rows)])
        gap = next((row for row, value in enumerate(values) if value is None), None)
        if self.missing is None and gap is not None:
            self.missing = chunk.place(gap)
        self.hashes[name].add(key_texts(values, self.rows))

    def _hash_candidate(self, name: str, values: Sequence[Any], column: Column) -> None:
        """Watch a field as long as it may turn out to have no duplicates."""
        kinds = set(map(type, values))
        fits = kinds <= {str, int} and len(set(values)) == len(values) and not column.nulls
        if fits and str in kinds:
            fits = max(len(value) for value in values if type(value) is str) <= KEY_LENGTH
        if not fits or (name not in self.hashes and len(self.hashes) >= CANDIDATES):
            self._never.add(name)
            if name in self.hashes:
                self.hashes.pop(name).close()
            return
        if name not in self.hashes:
            self.hashes[name] = KeyHashes()
        self.hashes[name].add(values if kinds == {str} else list(map(render, values)))

    def is_unique(self, name: str, kind: str, *, forced: bool) -> bool:
        """Whether a field has a value in every row, and no two the same."""
        if name not in self.hashes or self.columns[name].nulls:
            return False
        if self.columns[name].padded and kind == "integer" and not forced:
            return False  # " 5" and "5" are one number
        return not self.hashes[name].any_collision()


def key_texts(values: Sequence[Any], first: int) -> list[str]:
    """Values as keys: equal texts are one key, and a row without a key is like no other."""
    return [f"\0{first + row}" if value is None else render(value) for row, value in enumerate(values)]


def first_duplicate(hashes: KeyHashes, chunks: Iterator[Chunk], key: str) -> Duplicate | None:
    """Find the first row whose key an earlier one has.

    Args:
        hashes: of the keys of all rows.
        chunks: the rows again, with values of their types.
        key: the field.
    """
    groups = hashes.earliest(100)
    if not groups:
        return None
    wanted = {row for group in groups for row in group}
    values: dict[int, tuple[str, str]] = {}
    start = 0
    for chunk in chunks:
        for row in wanted.intersection(range(start, start + len(chunk.rows))):
            values[row] = key_texts([chunk.rows[row - start].get(key)], row)[0], chunk.place(row - start)
        start += len(chunk.rows)
        if len(values) == len(wanted):
            break
    pairs = [pair for group in groups if (pair := _first_pair(group, values)) is not None]
    if not pairs:
        return None
    earlier, later = min(pairs, key=lambda pair: pair[1])
    return Duplicate(values[earlier][0], (earlier, later), (values[earlier][1], values[later][1]))


def _first_pair(group: Sequence[int], values: Mapping[int, tuple[str, str]]) -> tuple[int, int] | None:
    """Of rows whose keys have one hash, the first two whose keys are really equal."""
    seen: dict[str, int] = {}
    for row in group:
        earlier = seen.setdefault(values[row][0], row)
        if earlier != row:
            return earlier, row
    return None


def converted(value: Any, steps: Sequence[Convert], name: str, chunk: Chunk, row: int) -> Any:
    """Return a value in the type of its field.

    Raises:
        SourceError: it does not fit, with its place.
    """
    try:
        for step in steps:
            value = step(value)
    except ValueError as error:
        shown = render(value)
        shown = f"{shown[:60]}..." if len(shown) > 60 else shown
        raise chunk.error(row, f"field {name!r} holds {shown!r}, but {error}") from None
    return value


def _by_field(rows: list[dict[str, Any]], known: Mapping[str, Column]) -> dict[str, Sequence[Any]]:
    """The values of each field that is known or stands in ``rows``, None where it is missing."""
    first = tuple(rows[0])
    found: dict[str, Sequence[Any]]
    if set(map(tuple, rows)) == {first}:
        found = dict(zip(first, zip(*map(dict.values, rows), strict=True), strict=True))
    else:
        names = dict.fromkeys(name for row in rows for name in row)
        found = {name: [row.get(name) for row in rows] for name in names}
    absent = [None] * len(rows)
    return found | {name: absent for name in known if name not in found}
