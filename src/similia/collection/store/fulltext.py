"""The full-text index: FTS5 over the text and category fields, kept exactly in step with the items.

The index is contentless (the text stands once, in the record) and can delete (FTS5's ``contentless_delete``). Words are
folded to lower case without diacritics and stemmed (Porter, "An algorithm for suffix stripping", 1980); scores are BM25
(Robertson et al., "Okapi at TREC-3", 1994) with FTS5's k1 = 1.2, b = 0.75.

This is the writing side; `similia.collection.store.textsearch` asks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import apsw

from similia.collection.store import meta
from similia.collection.store.scan import record_batches
from similia.collection.store.schema import FIRST_SLOTS, MOST_FIELDS, StoredField
from similia.collection.store.values import load_record, text_values

FOLD = ("unicode61", "remove_diacritics", "2")


def create(db: apsw.Connection, slots: int = FIRST_SLOTS) -> None:
    """Make the empty index with so many columns, and the views of its vocabulary."""
    columns = ", ".join(f"c{slot}" for slot in range(slots))
    tokenize = f"porter {' '.join(FOLD)}"
    db.execute(
        f"CREATE VIRTUAL TABLE fulltext USING fts5({columns}, content='', contentless_delete=1, tokenize='{tokenize}')"
    )
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS terms USING fts5vocab(fulltext, row)")
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS column_terms USING fts5vocab(fulltext, col)")
    db.execute("CREATE VIRTUAL TABLE IF NOT EXISTS instances USING fts5vocab(fulltext, instance)")
    meta.put(db, "slots", slots)


def slots(db: apsw.Connection) -> int:
    """Return the number of columns that the index has."""
    return int(meta.get(db, "slots", 0))


def free_slot(fields: Mapping[str, StoredField]) -> int:
    """Return the lowest column that no field uses."""
    used = {stored.slot for stored in fields.values()}
    return next(slot for slot in range(len(used) + 1) if slot not in used)


def write(
    db: apsw.Connection,
    fields: Mapping[str, StoredField],
    ids: Sequence[int],
    records: Sequence[Mapping[str, Any]],
    *,
    replace: bool = False,
) -> None:
    """Index these records; ``replace`` where the ids may be indexed already."""
    searched = [stored for stored in fields.values() if stored.slot is not None]
    names = "".join(f", c{stored.slot}" for stored in searched)
    marks = ", ?" * len(searched)
    texts = [text_values([record.get(stored.name) for record in records]) for stored in searched]
    verb = "INSERT OR REPLACE" if replace else "INSERT"
    db.executemany(f"{verb} INTO fulltext(rowid{names}) VALUES (?{marks})", zip(ids, *texts, strict=True))


def delete(db: apsw.Connection, ids: Sequence[int]) -> None:
    """Take these items out of the index."""
    db.executemany("DELETE FROM fulltext WHERE rowid = ?", zip(ids, strict=True))


def rebuild(db: apsw.Connection, fields: Mapping[str, StoredField]) -> None:
    """Make the whole index anew from the records, with spare columns for the text fields to come."""
    needed = max((stored.slot + 1 for stored in fields.values() if stored.slot is not None), default=0)
    size = max(FIRST_SLOTS, slots(db))
    while size < needed:
        size *= 2
    db.execute("DROP TABLE IF EXISTS fulltext")
    create(db, min(size, MOST_FIELDS))
    for batch in record_batches(db):
        records = [load_record(record, crc, key) for _, key, crc, record in batch]
        write(db, fields, [row[0] for row in batch], records)
