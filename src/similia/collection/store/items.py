"""Reading items: by key, by id, by filter."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import apsw
import numpy as np

from similia.collection.store import meta
from similia.collection.store.fields import read_fields
from similia.collection.store.scan import ITEMS, record_batches
from similia.collection.store.schema import StoredField
from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import expression, load, load_record
from similia.errors import InputError, UnknownItem
from similia.types import Int64

if TYPE_CHECKING:
    from similia.index.where import Predicate

_with_functions: WeakSet[apsw.Connection] = WeakSet()


class Filtered:
    """A filter over items as SQL: the FROM clause that it needs, the condition and its values."""

    def __init__(self, db: apsw.Connection, where: Predicate | None) -> None:
        self.fields = read_fields(db)
        self.needs_record = False
        self.condition: str = "TRUE"
        self.bindings: tuple[Any, ...] = ()
        if where is not None:
            if db not in _with_functions:
                from similia.index.where import register_functions

                register_functions(db)
                _with_functions.add(db)
            self.condition, self.bindings = where.sqlite(self.column)

    def column(self, name: str) -> str:
        """Return the SQL expression of a field.

        Raises:
            InputError: there is no such field.
        """
        field = self.field(name)
        self.needs_record |= field.column is None
        return expression(field)

    def field(self, name: str) -> StoredField:
        """Return a field.

        Raises:
            InputError: there is no such field.
        """
        if name not in self.fields:
            raise InputError(f"there is no field {name!r:.80}; the collection has: {', '.join(self.fields) or 'none'}")
        return self.fields[name]

    @property
    def source(self) -> str:
        """The FROM clause."""
        return ITEMS if self.needs_record else "items AS i"

    @property
    def joins(self) -> str:
        """The same, to follow a table ``fulltext`` that leads."""
        if self.condition == "TRUE":
            return ""
        records = " CROSS JOIN records AS r ON r.id = i.id" if self.needs_record else ""
        return f"CROSS JOIN items AS i ON i.id = fulltext.rowid{records}"


def count(db: apsw.Connection, where: Predicate | None) -> int:
    """Return the number of items that pass."""
    kept = Filtered(db, where)
    sql = f"SELECT count(*) FROM {kept.source} WHERE {kept.condition}"  # noqa: S608
    return int(scalar(db, sql, kept.bindings))


def ids_of(db: apsw.Connection, keys: Sequence[str]) -> list[int]:
    """Return the id of each key, -1 where there is none."""
    sql = "SELECT ifnull((SELECT id FROM items WHERE key = ?), -1)"
    try:
        return [row[0] for row in db.executemany(sql, zip(keys, strict=True))]
    except UnicodeEncodeError as error:
        raise InputError(f"key {error.object!r:.80} is not Unicode text") from None


def keys_of(db: apsw.Connection, ids: Int64) -> list[str]:
    """Return the key of each id.

    Raises:
        UnknownItem: an id that no item has.
    """
    found = db.executemany("SELECT (SELECT key FROM items WHERE id = ?)", zip(ids.tolist(), strict=True))
    keys = [row[0] for row in found]
    if None in keys:
        raise _unknown(ids[keys.index(None)])
    return keys


def records_of(db: apsw.Connection, ids: Int64, folder: object) -> list[dict[str, Any]]:
    """Return the record of each id.

    Raises:
        UnknownItem: an id that no item has.
        CollectionDamaged: a record that is not as it was written.
    """
    sql = "SELECT want, checksum, record FROM (SELECT ? AS want) LEFT JOIN records ON id = want"
    found = []
    for number, stored, text in db.executemany(sql, zip(ids.tolist(), strict=True)):
        if stored is None:
            raise _unknown(number)
        found.append(load_record(text, stored, number, folder))
    return found


def _unknown(number: int) -> UnknownItem:
    return UnknownItem(f"there is no item with the number {number}; it may have been deleted meanwhile")


def iterate(
    db: apsw.Connection, where: Predicate | None, batch: int
) -> Iterator[tuple[Int64, list[str], list[dict[str, Any]]]]:
    """Yield (ids, keys, records) by ascending id, at most ``batch`` and some megabytes at a time."""
    kept = Filtered(db, where)
    for part in record_batches(db, condition=kept.condition, bindings=kept.bindings, rows=batch):
        records = [load_record(text, stored, key) for _, key, stored, text in part]
        yield np.array([row[0] for row in part], np.int64), [row[1] for row in part], records


def deleted_since(db: apsw.Connection, version: int) -> Int64 | None:
    """Return the ids that were deleted after a version; None when that is too long ago to know."""
    if version < int(meta.get(db, "tombstones_from", -1)):
        return None
    found = db.execute("SELECT id FROM tombstones WHERE version > ? ORDER BY id", (version,))
    return np.fromiter((row[0] for row in found), np.int64)


def select(db: apsw.Connection, where: Predicate | None, limit: int | None, offset: int) -> Int64:
    """Return the ids that pass, ascending."""
    kept = Filtered(db, where)
    sql = f"SELECT i.id FROM {kept.source} WHERE {kept.condition} ORDER BY i.id LIMIT ? OFFSET ?"  # noqa: S608
    found = db.execute(sql, (*kept.bindings, -1 if limit is None else limit, offset))
    return np.fromiter((row[0] for row in found), np.int64)


def values_of(db: apsw.Connection, name: str, ids: Int64, folder: object) -> list[Any]:
    """Return the value of one field of each id: from its column where that is exact, else from the record."""
    field = Filtered(db, None).field(name)
    if field.column is None:
        return [record.get(name) for record in records_of(db, ids, folder)]
    sql = f"SELECT id, {field.column} FROM (SELECT ? AS want) LEFT JOIN items ON id = want"  # noqa: S608
    found = []
    for place, (number, value) in enumerate(db.executemany(sql, zip(ids.tolist(), strict=True))):
        if number is None:
            raise _unknown(ids[place])
        found.append(value)
    if field.type == "boolean":
        return [None if value is None else bool(value) for value in found]
    if field.type == "integer" and float in set(map(type, found)):  # beyond 64 bits: the record is exact
        large = [place for place, value in enumerate(found) if type(value) is float]
        for place, record in zip(large, records_of(db, ids[large], folder), strict=True):
            found[place] = record[name]
    return found


def facets(db: apsw.Connection, name: str, where: Predicate | None, limit: int) -> list[tuple[Any, int]]:
    """Return the most frequent values with their counts; each element of a list counts, null does not."""
    kept = Filtered(db, where)
    field = kept.field(name)
    value = kept.column(name)
    source = kept.source
    if field.type == "list":
        source, value = f"{source}, json_each({value}) AS element", "element.value"
    sql = f"""SELECT {value} AS value, count(*) AS items FROM {source}
              WHERE ({kept.condition}) AND {value} IS NOT NULL
              GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT ?"""  # noqa: S608
    counted = rows(db, sql, (*kept.bindings, limit))
    if field.type == "boolean":
        return [(bool(found), number) for found, number in counted]
    if field.type == "json":
        return [(load(found), number) for found, number in counted]
    return [(found, number) for found, number in counted]
