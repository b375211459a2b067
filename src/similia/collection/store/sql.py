"""Asking SQLite for rows, one row or one value, typed for the rest of the package."""

from __future__ import annotations

from typing import Any

import apsw


def rows(db: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return all rows."""
    return db.execute(sql, bindings).fetchall()


def row(db: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> tuple[Any, ...] | None:
    """Return the first row; None where there is none."""
    return db.execute(sql, bindings).fetchone()


def scalar(db: apsw.Connection, sql: str, bindings: tuple[Any, ...] = ()) -> Any:
    """Return the first value of the first row; None where there is none."""
    found = row(db, sql, bindings)
    return None if found is None else found[0]
