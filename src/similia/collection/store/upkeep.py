"""What keeps the disk small without anybody asking: runs after a change, in small transactions, holding up nobody."""

from __future__ import annotations

import apsw

from similia.collection.store import meta
from similia.collection.store.connection import DATABASE, WAIT_FOR_SQLITE, Connections
from similia.collection.store.sql import scalar
from similia.errors import StorageError

_FREE_SHARE = 0.01
_FREE_PAGES = 16
_VACUUM_PAGES = 2_000
_TRUNCATE_FROM = 2**20


def after_change(connections: Connections) -> None:
    """Forget old tombstones, give free pages back, empty the WAL.

    The full text needs nothing: FTS5 merges away what was deleted as it goes. When the disk is full or fails, this is
    left for the next time: the change is stored.
    """
    db = connections.writer()
    try:
        _prune_tombstones(connections, db)
        shrunk = _vacuum(db)
        _truncate_wal(connections, db, 0 if shrunk else _TRUNCATE_FROM)
    except (StorageError, apsw.FullError, apsw.IOError, apsw.BusyError):
        connections.distrust()


def _prune_tombstones(connections: Connections, db: apsw.Connection) -> None:
    kept = int(scalar(db, "SELECT count(*) FROM tombstones"))
    items = int(scalar(db, "SELECT count(*) FROM items"))
    if kept <= max(10_000, items // 4):
        return
    with connections.write():
        # Whole versions go, the oldest first, so that what is left is complete from one version on.
        floor = scalar(
            db, "SELECT version FROM tombstones ORDER BY version LIMIT 1 OFFSET ?", (kept - max(5_000, items // 8),)
        )
        db.execute("DELETE FROM tombstones WHERE version <= ?", (floor,))
        meta.put(db, "tombstones_from", floor)


def _vacuum(db: apsw.Connection) -> bool:
    pages = int(scalar(db, "PRAGMA page_count"))
    free = int(scalar(db, "PRAGMA freelist_count"))
    if free <= max(_FREE_PAGES, _FREE_SHARE * pages):
        return False
    while free > 0:
        db.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        free -= _VACUUM_PAGES
    return True


def _truncate_wal(connections: Connections, db: apsw.Connection, most: int) -> None:
    wal = connections.folder / f"{DATABASE}-wal"
    if wal.exists() and wal.stat().st_size > most:
        db.set_busy_timeout(0)  # a reader that still needs it keeps it: not worth waiting for
        try:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except apsw.BusyError:
            pass
        finally:
            db.set_busy_timeout(WAIT_FOR_SQLITE)
