"""Where the bytes of a collection are."""

from __future__ import annotations

from pathlib import Path

import apsw

from similia.collection.store.connection import DATABASE
from similia.collection.store.files import DERIVED
from similia.collection.store.sql import rows, scalar


def sizes(db: apsw.Connection, folder: Path) -> dict[str, int]:
    """Return bytes on disk: ``records``, ``fulltext``, ``sense:<name>`` ..., ``undo``, ``other``, ``free``, ``wal``,
    ``derived``, and their sum, ``total``; every page is read.
    """
    found = {"records": 0, "fulltext": 0}
    tables: dict[str, str] = {"items": "records", "records": "records", "undo_items": "undo"}
    for sense, name, state in rows(db, "SELECT id, name, state FROM senses ORDER BY id"):
        tables[f"v{sense}"] = "undo" if state == "dropped" else f"sense:{name}"
        tables[f"u{sense}"] = "undo"
        if state != "dropped":
            found[f"sense:{name}"] = 0
    found |= {"undo": 0, "other": 0}
    used = rows(
        db,
        """SELECT ifnull(s.tbl_name, d.name), sum(d.pgsize) FROM dbstat AS d LEFT JOIN sqlite_schema AS s
           ON s.name = d.name WHERE d.aggregate = TRUE GROUP BY 1""",
    )
    for table, size in used:
        place = "fulltext" if table.startswith("fulltext") else tables.get(table, "other")
        found[place] += size
    found["free"] = scalar(db, "PRAGMA freelist_count") * scalar(db, "PRAGMA page_size")
    found["wal"] = _size(folder / f"{DATABASE}-wal")
    found["derived"] = sum(_size(path) for path in (folder / DERIVED).rglob("*") if path.is_file())
    found["total"] = sum(found.values())
    return found


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
