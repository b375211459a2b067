"""The senses of a collection: their descriptions and states."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import apsw

from similia.collection.store import vectors
from similia.collection.store.rows import SenseRow
from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import RESTORE, description_checksum, dump
from similia.errors import CollectionDamaged, InputError, UnknownSense

MOST_DIMENSIONS = 65_536


def read_senses(db: apsw.Connection, *, counts: bool = False) -> dict[str, SenseRow]:
    """Return the senses that are not dropped, oldest first; ``count`` is 0 unless asked for.

    Raises:
        CollectionDamaged: a description that is not as it was written.
    """
    found = rows(
        db,
        """SELECT name, definition, fingerprint, dimension, precision, state, id, checksum FROM senses
           WHERE state <> 'dropped' ORDER BY id""",
    )
    for row in found:
        if description_checksum(row[:5]) != row[7] or row[5] not in ("building", "ready"):
            raise CollectionDamaged(f"the description of sense {row[0]!r:.80} was changed from outside; {RESTORE}")
    return {
        row[0]: SenseRow(
            row[0],
            json.loads(row[1]),
            row[2],
            row[3],
            row[4],
            row[5],
            vectors.count(db, row[6]) if counts else 0,
            row[6],
        )
        for row in found
    }


def find(db: apsw.Connection, name: str) -> SenseRow:
    """Return one sense.

    Raises:
        UnknownSense: there is none of that name.
    """
    senses = read_senses(db)
    if name not in senses:
        known = ", ".join(senses) or "none"
        raise UnknownSense(f"there is no sense {name!r:.80}; the collection has: {known}")
    return senses[name]


def create(
    db: apsw.Connection,
    change: int,
    name: str,
    definition: Mapping[str, Any],
    *,
    fingerprint: str,
    dimension: int,
    precision: str,
) -> None:
    """Make a sense: "ready" in an empty collection, else "building".

    Raises:
        InputError: the name is taken or empty, or the dimension or precision cannot be.
    """
    if not name or name in read_senses(db):
        raise InputError(f"sense {name!r:.80}: " + ("there is one already" if name else "a sense needs a name"))
    if not 1 <= dimension <= MOST_DIMENSIONS:
        raise InputError(f"sense {name!r:.80}: dimension {dimension} is not between 1 and {MOST_DIMENSIONS:,}")
    if precision not in ("float32", "float16"):
        raise InputError(f"sense {name!r:.80}: precision {precision!r} is neither float32 nor float16")
    state = "building" if scalar(db, "SELECT EXISTS (SELECT 1 FROM items)") else "ready"
    row = (name, dump(dict(definition)), fingerprint, int(dimension), precision)
    db.execute(
        """INSERT INTO senses(name, definition, fingerprint, dimension, precision, state, change, checksum)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
        (*row, state, change, description_checksum(row)),
    )
    vectors.create(db, db.last_insert_rowid())


def finish(db: apsw.Connection, name: str) -> None:
    """Make a sense ready.

    Raises:
        InputError: items lack a vector.
    """
    sense = find(db, name)
    missing = len(without_vector(db, sense.id, 1))
    if missing:
        total = scalar(db, "SELECT count(*) FROM items")
        lacking = total - vectors.count(db, sense.id)
        raise InputError(f"sense {name!r}: {lacking:,} of {total:,} items have no vector yet")
    db.execute("UPDATE senses SET state = 'ready' WHERE id = ?", (sense.id,))


def drop(db: apsw.Connection, change: int, name: str) -> None:
    """Drop a sense: its vectors stay until the next change, for an undo, unless this change made it."""
    sense = find(db, name)
    made_in = scalar(db, "SELECT change FROM senses WHERE id = ?", (sense.id,))
    if made_in == change:
        erase(db, sense.id)
    else:
        db.execute("UPDATE senses SET state = 'dropped' WHERE id = ?", (sense.id,))


def erase(db: apsw.Connection, sense: int) -> None:
    """Delete a sense with its vectors for good."""
    vectors.drop(db, sense)
    db.execute("DELETE FROM senses WHERE id = ?", (sense,))


def without_vector(db: apsw.Connection, sense: int, limit: int, after: int = 0) -> list[int]:
    """Return the first ids above ``after`` of items that the sense has no vector for."""
    sql = f"""SELECT id FROM items WHERE id > ? AND NOT EXISTS (SELECT 1 FROM v{sense} AS v WHERE v.id = items.id)
              ORDER BY id LIMIT ?"""  # noqa: S608 - numbers only
    return [row[0] for row in db.execute(sql, (after, limit))]
