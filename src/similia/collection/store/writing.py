"""Writing items inside a transaction of a change: put, put some fields, delete.

Each function first finds everything that could be wrong with its input, then writes; rows, full text and vectors of
an item are written together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import apsw
import numpy as np
import numpy.typing as npt

from similia.collection.store import fulltext, vectors
from similia.collection.store.fields import read_fields
from similia.collection.store.items import ids_of, keys_of, records_of
from similia.collection.store.rows import PutResult
from similia.collection.store.schema import StoredField
from similia.collection.store.senses import find, read_senses
from similia.collection.store.sql import scalar
from similia.collection.store.values import column_values, dump_records
from similia.errors import DuplicateKey, InputError
from similia.types import Int64

OnDuplicate = Literal["error", "skip", "replace"]


@dataclass(frozen=True)
class Writing:
    """One transaction of a change.

    Attributes:
        db: the writing connection.
        version: what every row that is written gets.
        change: the number of the change.
        newest: the highest id before the change; what is above it was added by it, and needs no image for an undo.
    """

    db: apsw.Connection
    version: int
    change: int
    newest: int


def put(
    tx: Writing,
    keys: Sequence[str],
    records: Sequence[Mapping[str, Any]],
    given: Mapping[str, npt.ArrayLike],
    on_duplicate: OnDuplicate,
) -> PutResult:
    """Add or replace items; see `Change.put`."""
    db = tx.db
    if len(keys) != len(records):
        raise InputError(f"{len(keys)} keys for {len(records)} records")
    if on_duplicate not in ("error", "skip", "replace"):
        raise InputError(f"on_duplicate is {on_duplicate!r}; use error, skip or replace")
    if wrong := next((key for key in keys if type(key) is not str), None):
        raise InputError(f"key {wrong!r:.80} is {type(wrong).__name__}, not text")
    fields = read_fields(db)
    stored = _given_vectors(db, given, len(keys))
    known = np.array(ids_of(db, keys), np.int64)
    chosen, repeats = _choose(keys, known, on_duplicate)
    first = newest_id(db) + 1
    ids = np.full(len(keys), -1, np.int64)
    new = chosen[known[chosen] < 0]
    old = chosen[known[chosen] >= 0]
    ids[new] = np.arange(first, first + len(new))
    ids[old] = known[old]
    new_rows = _Rows(fields, keys, records, new)
    old_rows = _Rows(fields, keys, records, old)

    for places, rows, replace in ((new, new_rows, False), (old, old_rows, True)):
        if not len(places):
            continue
        numbers = ids[places].tolist()
        if replace:
            keep_images(tx, numbers)
        rows.write(tx, numbers, replace=replace)
        for sense, array in stored.items():
            part = array if len(places) == len(array) else array[places]
            vectors.write(db, sense, numbers, part, tx.version)
    if on_duplicate == "replace" and repeats:
        place_of = {keys[place]: ids[place] for place in chosen.tolist()}
        ids = np.array([place_of[key] for key in keys], np.int64)
    replaced = len(old) + (repeats if on_duplicate == "replace" else 0)
    return PutResult(ids, len(new), replaced, len(keys) - len(new) - replaced)


def newest_id(db: apsw.Connection) -> int:
    """Return the highest id that was ever given; ids are never used again."""
    return int(scalar(db, "SELECT ifnull(max(seq), 0) FROM sqlite_sequence WHERE name = 'items'"))


def _choose(keys: Sequence[str], known: Int64, on_duplicate: OnDuplicate) -> tuple[Int64, int]:
    """Return the places of the rows to write, and how many repeat a key within these rows."""
    places = np.arange(len(keys), dtype=np.int64)
    repeats = 0
    if len(set(keys)) != len(keys):
        seen: dict[str, int] = {}
        for place, key in enumerate(keys):
            if key in seen and on_duplicate == "error":
                raise DuplicateKey(f"key {key!r:.80} occurs twice in the input; use --on-duplicate skip or replace")
            if key not in seen or on_duplicate == "replace":
                seen[key] = place
        repeats = len(keys) - len(seen)
        places = np.array(sorted(seen.values()), np.int64)
    if on_duplicate == "error" and (known[places] >= 0).any():
        key = keys[int(np.flatnonzero(known >= 0)[0])]
        raise DuplicateKey(f"key {key!r:.80} is in the collection already; use --on-duplicate skip or replace")
    if on_duplicate == "skip":
        places = places[known[places] < 0]
    return places, repeats


def _given_vectors(db: apsw.Connection, given: Mapping[str, npt.ArrayLike], rows: int) -> dict[int, npt.NDArray[Any]]:
    senses = read_senses(db)
    if unknown := [name for name in given if name not in senses]:
        raise InputError(f"vectors for sense {unknown[0]!r:.80}, which the collection does not have")
    stored = {}
    for name, sense in senses.items():
        if name not in given:
            raise InputError(f"no vectors for sense {name!r}; an item needs one for every sense")
        array = given[name]
        if rows:
            array = vectors.encoded(array, sense)
            if len(array) != rows:
                raise InputError(f"{len(array)} vectors of sense {name!r} for {rows} items")
            stored[sense.id] = array
    return stored


class _Rows:
    """The rows of some items, converted and checked before anything is written."""

    def __init__(
        self,
        fields: Mapping[str, StoredField],
        keys: Sequence[str],
        records: Sequence[Mapping[str, Any]],
        places: Int64,
    ) -> None:
        self.fields = fields
        if len(places) == len(keys):
            self.keys, self.records = list(keys), list(records)
        else:
            self.keys = [keys[place] for place in places.tolist()]
            self.records = [records[place] for place in places.tolist()]
        for key, record in zip(self.keys, self.records, strict=True):
            if not record.keys() <= fields.keys():
                name = next(name for name in record if name not in fields)
                raise InputError(f"item {key!r:.80}: field {name!r:.80} is not declared; call set_fields first")
        self.texts, self.checksums = dump_records(self.keys, self.records)
        typed = [field for field in fields.values() if field.column is not None]
        self.names = [str(field.column) for field in typed]
        self.columns = [
            column_values(field, self.keys, [record.get(field.name) for record in self.records]) for field in typed
        ]

    def write(self, tx: Writing, ids: Sequence[int], *, replace: bool) -> None:
        """Write rows, records and full text."""
        names = "".join(f", {name}" for name in self.names)
        update = "".join(f", {name} = excluded.{name}" for name in self.names)
        conflict = f"ON CONFLICT(id) DO UPDATE SET version = excluded.version{update}" if replace else ""
        tx.db.executemany(
            f"INSERT INTO items(id, key, version{names}) "  # noqa: S608 - our own column names
            f"VALUES (?, ?, {tx.version}{', ?' * len(self.names)}) {conflict}",
            zip(ids, self.keys, *self.columns, strict=True),
        )
        verb = "INSERT OR REPLACE" if replace else "INSERT"
        tx.db.executemany(f"{verb} INTO records VALUES (?, ?, ?)", zip(ids, self.checksums, self.texts, strict=True))
        fulltext.write(tx.db, self.fields, ids, self.records, replace=replace)


def restore(tx: Writing, ids: Sequence[int], keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    """Write these items as they were, whether they are there now or not; vectors are the caller's."""
    rows = _Rows(read_fields(tx.db), keys, records, np.arange(len(keys)))
    rows.write(tx, ids, replace=True)


def put_fields(tx: Writing, ids: Int64, values: Mapping[str, Sequence[Any]]) -> int:
    """Set some fields of existing items; see `Change.put_fields`."""
    for name, column in values.items():
        if len(column) != len(ids):
            raise InputError(f"{len(column)} values of field {name!r:.80} for {len(ids)} items")
    if len(np.unique(ids)) != len(ids):
        raise InputError("an item is named twice")
    keys = keys_of(tx.db, ids)
    records = records_of(tx.db, ids, "the collection")
    for name, column in values.items():
        for record, value in zip(records, column, strict=True):
            record[name] = value
    rows = _Rows(read_fields(tx.db), keys, records, np.arange(len(ids)))
    keep_images(tx, ids.tolist(), with_vectors=False)
    rows.write(tx, ids.tolist(), replace=True)
    return len(ids)


def delete(tx: Writing, ids: Int64) -> int:
    """Delete items; see `Change.delete`."""
    db = tx.db
    wanted = np.unique(ids).tolist()
    found = db.executemany("SELECT id FROM items WHERE id = ?", zip(wanted, strict=True))
    numbers = [row[0] for row in found]
    keep_images(tx, numbers)
    for table in ("items", "records"):
        db.executemany(f"DELETE FROM {table} WHERE id = ?", zip(numbers, strict=True))  # noqa: S608
    fulltext.delete(db, numbers)
    for sense in read_senses(db).values():
        vectors.delete(db, sense.id, numbers)
    db.executemany(
        f"INSERT OR REPLACE INTO tombstones VALUES (?, {tx.version})",  # noqa: S608
        zip(numbers, strict=True),
    )
    return len(numbers)


def put_vectors(tx: Writing, name: str, ids: Int64, given: npt.ArrayLike) -> None:
    """Store vectors of existing items; see `Change.put_vectors`."""
    sense = find(tx.db, name)
    if not len(ids):
        return
    array = vectors.encoded(given, sense)
    if len(array) != len(ids):
        raise InputError(f"{len(array)} vectors of sense {name!r} for {len(ids)} items")
    numbers = ids.tolist()
    keys_of(tx.db, ids)  # refuses an id that no item has
    _keep_vectors(tx, sense.id, numbers)
    vectors.write(tx.db, sense.id, numbers, array, tx.version)


def keep_images(tx: Writing, ids: Sequence[int], *, with_vectors: bool = True) -> None:
    """Keep items as they are now for an undo, unless this change kept or added them before."""
    old = [number for number in ids if number <= tx.newest]
    if not old:
        return
    tx.db.executemany(
        """INSERT OR IGNORE INTO undo_items(id, key, checksum, record) SELECT i.id, i.key, r.checksum, r.record
           FROM items AS i JOIN records AS r ON r.id = i.id WHERE i.id = ?""",
        zip(old, strict=True),
    )
    if with_vectors:
        for sense in read_senses(tx.db).values():
            _keep_vectors(tx, sense.id, old)


def _keep_vectors(tx: Writing, sense: int, ids: Sequence[int]) -> None:
    made_in = scalar(tx.db, "SELECT change FROM senses WHERE id = ?", (sense,))
    old = [number for number in ids if number <= tx.newest]
    if made_in != tx.change and old:  # a sense that this change made goes as a whole
        vectors.keep_images(tx.db, sense, old)
