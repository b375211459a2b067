"""The fields of a collection: reading them, adding them, widening their types."""

from __future__ import annotations

from collections.abc import Mapping

import apsw

from similia.collection.store import fulltext, meta
from similia.collection.store.scan import record_batches
from similia.collection.store.schema import AFFINITY, MOST_FIELDS, SEARCHED, StoredField, checked_type, widen
from similia.collection.store.sql import scalar
from similia.collection.store.values import RESTORE, checksum, column_values, description_checksum, load_record
from similia.errors import CollectionDamaged, InputError


def read_fields(db: apsw.Connection) -> dict[str, StoredField]:
    """Return the fields by name, in the order of their first appearance.

    Raises:
        CollectionDamaged: a description that is not as it was written.
    """
    rows = db.execute('SELECT name, type, position, "column", slot, checksum FROM fields ORDER BY position')
    found = {}
    for *row, stored in rows:
        if description_checksum(row) != stored:
            raise CollectionDamaged(f"the description of field {row[0]!r:.80} was changed from outside; {RESTORE}")
        found[row[0]] = StoredField(*row)
    return found


def set_fields(db: apsw.Connection, types: Mapping[str, str]) -> None:
    """Add the fields that are new, and widen the types of the others to hold both.

    Raises:
        InputError: an unknown type, a name that is not Unicode text, or more fields than a table has columns.
    """
    fields = read_fields(db)
    position = max((field.position for field in fields.values()), default=-1) + 1
    rebuild = False
    empty = scalar(db, "SELECT NOT EXISTS (SELECT 1 FROM items)")
    for name, kind in types.items():
        checked_type(name, kind)
        old = fields.get(name)
        if old is None:
            _check_name(name)
            if len(fields) >= MOST_FIELDS:
                raise InputError(f"field {name!r}: a collection has at most {MOST_FIELDS:,} fields")
            slot = fulltext.free_slot(fields) if kind in SEARCHED else None
            fields[name] = StoredField(name, kind, position, new_column(db, kind), slot)
            position += 1
            rebuild |= slot is not None and slot >= fulltext.slots(db)
            write_field(db, fields[name])
        elif (wider := widen(old.type, kind)) != old.type:
            slot = old.slot if old.slot is not None else fulltext.free_slot(fields)
            fields[name] = new = retype(db, old, wider, slot if wider in SEARCHED else None)
            rebuild |= new.slot != old.slot and (not empty or (slot >= fulltext.slots(db)))
    if rebuild:
        fulltext.rebuild(db, fields)


def _check_name(name: str) -> None:
    """Refuse a name that cannot be stored.

    Raises:
        InputError: it is not text, or holds half of a UTF-16 pair.
    """
    try:
        checksum(name)
    except (AttributeError, UnicodeEncodeError):
        raise InputError(f"field {name!r}: a name must be Unicode text") from None


def retype(db: apsw.Connection, old: StoredField, kind: str, slot: int | None) -> StoredField:
    """Give a field another type, its column made anew from the records; the full text is the caller's to rebuild."""
    new = StoredField(old.name, kind, old.position, new_column(db, kind), slot)
    write_field(db, new)
    if old.type == "integer" and kind == "number":
        db.execute(f"UPDATE items SET {new.column} = {old.column}")  # noqa: S608 - our own column names
    elif new.column is not None:
        fill(db, new)
    if old.column is not None:
        db.execute(f"ALTER TABLE items DROP COLUMN {old.column}")
    return new


def fill(db: apsw.Connection, field: StoredField) -> None:
    """Write the column of one field for every item, from the records.

    Raises:
        InputError: a record whose value does not fit the type.
    """
    update = f"UPDATE items SET {field.column} = ? WHERE id = ?"  # noqa: S608 - our own column names
    for batch in record_batches(db):
        values = [load_record(record, crc, key).get(field.name) for _, key, crc, record in batch]
        columns = column_values(field, [row[1] for row in batch], values)
        db.executemany(update, zip(columns, [row[0] for row in batch], strict=True))


def write_field(db: apsw.Connection, field: StoredField) -> None:
    """Store the description of a field."""
    row = (field.name, field.type, field.position, field.column, field.slot)
    db.execute(
        """INSERT OR REPLACE INTO fields(name, type, position, "column", slot, checksum)
           VALUES (?, ?, ?, ?, ?, ?)""",
        (*row, description_checksum(row)),
    )


def new_column(db: apsw.Connection, kind: str) -> str | None:
    """Add a column of the type to the items, under a name that was never used; None where the type has none."""
    if kind not in AFFINITY:
        return None
    column = f"f{meta.add(db, 'columns', 1)}"
    db.execute(f"ALTER TABLE items ADD COLUMN {column} {AFFINITY[kind]}")
    return column
