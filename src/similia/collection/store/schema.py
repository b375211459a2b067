"""The tables of ``collection.db``, the types of fields, and how one type widens to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from similia.errors import InputError

APPLICATION_ID: Final = 0x53494D49  # "SIMI" in the header of the file, for `file` and for us
FORMAT: Final = 1
PAGE_SIZE: Final = 16_384
"""Ten 384-dimensional float32 vectors fill a page of 16 KB to 94 %; two fill one of 4 KB to 75 %."""

FIRST_SLOTS: Final = 8
"""Full-text columns made at first. Spare ones cost a byte an item and save a rebuild when a text field appears."""

TYPES: Final = (
    "text",
    "category",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "list",
    "json",
    "vector",
    "image",
)
AFFINITY: Final = {
    "category": "TEXT",
    "integer": "INT",
    "number": "REAL",
    "boolean": "INT",
    "date": "TEXT",
    "datetime": "TEXT",
}
"""Types that have a column of their own beside the record, and its SQLite affinity."""

SEARCHED: Final = frozenset({"text", "category"})
MOST_FIELDS: Final = 1_900  # SQLite allows 2,000 columns

TABLES: Final = f"""
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE fields(name TEXT PRIMARY KEY, position INTEGER NOT NULL, type TEXT NOT NULL, "column" TEXT, slot INTEGER,
    checksum INTEGER NOT NULL) WITHOUT ROWID;
-- Small rows, so that a filter over typed fields reads few pages; the long record stands in a table of its own.
CREATE TABLE items(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, version INTEGER NOT NULL);
CREATE TABLE records(id INTEGER PRIMARY KEY, checksum INTEGER NOT NULL,
    record TEXT NOT NULL CHECK (json_valid(record, 2)));
CREATE TABLE senses(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, definition TEXT NOT NULL,
    fingerprint TEXT NOT NULL, dimension INTEGER NOT NULL, precision TEXT NOT NULL, state TEXT NOT NULL,
    change INTEGER NOT NULL, checksum INTEGER NOT NULL);
CREATE UNIQUE INDEX senses_name ON senses(name) WHERE state <> 'dropped';
CREATE TABLE tombstones(id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
CREATE TABLE changes(number INTEGER PRIMARY KEY, command TEXT NOT NULL, arguments TEXT NOT NULL, state TEXT NOT NULL,
    started TEXT NOT NULL, finished TEXT, added INTEGER NOT NULL DEFAULT 0, replaced INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0, resume_key TEXT, progress TEXT NOT NULL DEFAULT '{{}}', before TEXT);
-- In the order of arrival, whatever the order of the ids: its pages are full.
CREATE TABLE undo_items(place INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, key TEXT NOT NULL,
    checksum INTEGER NOT NULL, record TEXT NOT NULL);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT};
"""


@dataclass(frozen=True)
class Field:
    """A field of the records: its type, and its place in the order of first appearance."""

    name: str
    type: str
    position: int


@dataclass(frozen=True)
class StoredField:
    """A field with its home: the column of ``items`` (None: the record alone) and of the full-text index."""

    name: str
    type: str
    position: int
    column: str | None
    slot: int | None


def widen(old: str, new: str) -> str:
    """Return the narrowest type that holds the values of both.

    Examples:
        >>> widen("integer", "number"), widen("date", "datetime"), widen("number", "date"), widen("list", "text")
        ('number', 'datetime', 'text', 'json')
    """
    if old == new:
        return old
    pair = {old, new}
    if pair == {"integer", "number"}:
        return "number"
    if pair == {"date", "datetime"}:
        return "datetime"
    if pair == {"list", "vector"}:
        return "list"
    if pair & {"list", "json", "vector"}:
        return "json"
    return "text"


def checked_type(name: str, kind: str) -> str:
    """Return ``kind`` if it is a type of fields.

    Raises:
        InputError: it is not.
    """
    if kind not in TYPES:
        raise InputError(f"field {name!r}: {kind!r} is not a type; use one of {', '.join(TYPES)}")
    return kind
