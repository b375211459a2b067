"""Taking back the last change: what a change keeps for it, and how everything is put back.

A change keeps, once, each item and vector that it is about to replace or delete (``undo_items``, ``u<sense>``), and at
its beginning the fields, the senses and the highest id. Items that it added are those above that id. A sense that it
dropped keeps its table until the next change. All goes back in one transaction.
"""

from __future__ import annotations

from typing import Any

import apsw

from similia.collection.store import fields, fulltext, senses, vectors
from similia.collection.store.scan import record_batches
from similia.collection.store.schema import SEARCHED, StoredField
from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import load_record
from similia.collection.store.writing import Writing, newest_id, restore


def state(db: apsw.Connection) -> dict[str, Any]:
    """Return what an undo needs to know about the time before a change."""
    return {
        "newest": newest_id(db),
        "fields": [[f.name, f.type, f.position, f.column, f.slot] for f in fields.read_fields(db).values()],
        "senses": rows(db, "SELECT id, state FROM senses WHERE state <> 'dropped'"),
    }


def forget(db: apsw.Connection) -> None:
    """Drop what was kept for the change before: it can no longer be undone."""
    db.execute("DELETE FROM undo_items")
    for sense, condition in rows(db, "SELECT id, state FROM senses"):
        if condition == "dropped":
            senses.erase(db, sense)
        else:
            db.execute(f"DELETE FROM u{sense}")  # noqa: S608 - a number
    db.execute("UPDATE changes SET before = NULL WHERE before IS NOT NULL")


def undo(tx: Writing, before: dict[str, Any]) -> None:
    """Put everything back as it was when the change began, with the version of this transaction."""
    db = tx.db
    kept = dict(before["senses"])
    for sense, _ in rows(db, "SELECT id, state FROM senses"):
        if sense not in kept:
            senses.erase(db, sense)
    _delete_added(tx, list(kept))
    reindex, refill = _restore_fields(db, [StoredField(*row) for row in before["fields"]])
    _restore_items(tx)
    for sense, condition in kept.items():
        db.execute("UPDATE senses SET state = ? WHERE id = ?", (condition, sense))
        _restore_vectors(tx, sense)
    for field in refill:
        fields.fill(db, field)
    if reindex:
        fulltext.rebuild(db, fields.read_fields(db))
    db.execute("DELETE FROM tombstones WHERE id IN (SELECT id FROM undo_items)")
    forget(db)


def _delete_added(tx: Writing, kept: list[int]) -> None:
    db = tx.db
    db.execute(
        "INSERT OR REPLACE INTO tombstones SELECT id, ? FROM items WHERE id > ?",
        (tx.version, tx.newest),
    )
    db.execute("DELETE FROM fulltext WHERE rowid IN (SELECT id FROM items WHERE id > ?)", (tx.newest,))
    for table in ("records", *(f"v{sense}" for sense in kept), "items"):
        db.execute(f"DELETE FROM {table} WHERE id > ?", (tx.newest,))  # noqa: S608


def _restore_fields(db: apsw.Connection, old: list[StoredField]) -> tuple[bool, list[StoredField]]:
    """Give the fields their types back; returns whether the index must be rebuilt, and which columns filled."""
    now = fields.read_fields(db)
    before = {field.name: field for field in old}
    reindex = False
    refill = []
    for field in now.values():
        past = before.get(field.name)
        if past is not None and past.type == field.type:
            continue
        if field.column is not None:
            db.execute(f"ALTER TABLE items DROP COLUMN {field.column}")
        db.execute("DELETE FROM fields WHERE name = ?", (field.name,))
        if past is not None:
            column = fields.new_column(db, past.type)
            restored = StoredField(past.name, past.type, past.position, column, past.slot)
            fields.write_field(db, restored)
            if column is not None:
                refill.append(restored)
            reindex |= (past.type in SEARCHED) != (field.type in SEARCHED) or past.slot != field.slot
    return reindex, refill


def _restore_items(tx: Writing) -> None:
    source = "undo_items AS i JOIN undo_items AS r ON r.place = i.place"
    for batch in record_batches(tx.db, source=source):
        records = [load_record(text, stored, key) for _, key, stored, text in batch]
        restore(tx, [row[0] for row in batch], [row[1] for row in batch], records)


def _restore_vectors(tx: Writing, sense: int) -> None:
    db = tx.db
    db.execute(
        f"""INSERT OR REPLACE INTO v{sense}
            SELECT id, {tx.version}, checksum, vector FROM u{sense} WHERE vector IS NOT NULL"""  # noqa: S608
    )
    db.execute(f"DELETE FROM v{sense} WHERE id IN (SELECT id FROM u{sense} WHERE vector IS NULL)")  # noqa: S608
    if scalar(db, f"SELECT EXISTS (SELECT 1 FROM u{sense} WHERE vector IS NULL)"):  # noqa: S608
        # Items are without a vector again, which no version or tombstone tells: another number of the sense does.
        db.execute(
            """INSERT INTO senses(name, definition, fingerprint, dimension, precision, state, change, checksum)
               SELECT '', definition, fingerprint, dimension, precision, state, change, checksum
               FROM senses WHERE id = ?""",
            (sense,),
        )
        new = db.last_insert_rowid()
        name = scalar(db, "SELECT name FROM senses WHERE id = ?", (sense,))
        db.execute("DELETE FROM senses WHERE id = ?", (sense,))
        db.execute("UPDATE senses SET name = ? WHERE id = ?", (name, new))
        vectors.rename(db, sense, new)
