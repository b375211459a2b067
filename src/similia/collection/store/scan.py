"""Going through many records in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import apsw

Row = tuple[int, str, int, str]
"""id, key, checksum, record"""

ITEMS = "items AS i JOIN records AS r ON r.id = i.id"
_MOST_CHARACTERS = 8_000_000


def record_batches(
    db: apsw.Connection,
    *,
    source: str = ITEMS,
    condition: str = "TRUE",
    bindings: tuple[Any, ...] = (),
    rows: int = 1_000,
) -> Iterator[list[Row]]:
    """Yield (id, key, checksum, record) by ascending id, at most ``rows`` and some megabytes at a time.

    No cursor stays open between batches, so that the caller may write through the same connection.

    Args:
        db: a connection inside a transaction.
        source: FROM clause with ``i`` (id, key) and ``r`` (checksum, record).
        condition: over ``source``.
        bindings: the values for its marks.
        rows: the most in a batch.
    """
    sql = f"""SELECT i.id, i.key, r.checksum, r.record FROM {source}
              WHERE i.id > ? AND ({condition}) ORDER BY i.id LIMIT {int(rows)}"""  # noqa: S608
    last = -1
    while True:
        batch: list[Row] = []
        characters = 0
        cursor = db.execute(sql, (last, *bindings))
        for row in cursor:
            batch.append(row)
            characters += len(row[3]) if isinstance(row[3], str) else 0
            if characters > _MOST_CHARACTERS:
                cursor.close()
                break
        if not batch:
            return
        last = batch[-1][0]
        yield batch
