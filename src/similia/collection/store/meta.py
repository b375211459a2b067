"""Single values of a collection: its uuid, its version, its counters."""

from __future__ import annotations

from typing import Any

import apsw

from similia.collection.store.sql import row


def get(db: apsw.Connection, key: str, default: Any = None) -> Any:
    """Return the value under ``key``."""
    found = row(db, "SELECT value FROM meta WHERE key = ?", (key,))
    return default if found is None else found[0]


def put(db: apsw.Connection, key: str, value: str | int) -> None:
    """Store a value; inside a transaction."""
    db.execute("INSERT INTO meta VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET value = excluded.value", (key, value))


def add(db: apsw.Connection, key: str, amount: int) -> int:
    """Add to a counter (0 where it is not there yet) and return what it is then; inside a transaction."""
    value = int(get(db, key, 0)) + amount
    put(db, key, value)
    return value
