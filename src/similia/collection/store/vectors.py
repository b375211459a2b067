"""The vectors of a sense: a table ``v<id>`` of its own, so that adding or dropping a sense touches nothing else.

A row is (id, version, checksum, vector): little-endian float32 or float16. The checksum finds any single changed bit,
which SQLite's own check cannot see inside a vector; ``u<id>`` holds what the last change replaced.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from similia.collection.store.rows import SenseRow
from similia.collection.store.sql import scalar
from similia.errors import CollectionDamaged, InputError
from similia.types import Float32, Int64, as_vectors

_BATCH = 4_096
_MOST_BYTES = 32 * 2**20
_TYPES: dict[str, np.dtype[Any]] = {"float32": np.dtype("<f4"), "float16": np.dtype("<f2")}


def create(db: apsw.Connection, sense: int) -> None:
    """Make the tables of a sense."""
    db.execute(f"""
        CREATE TABLE v{sense}(id INTEGER PRIMARY KEY, version INTEGER NOT NULL, checksum INTEGER NOT NULL,
                              vector BLOB NOT NULL);
        CREATE INDEX v{sense}_version ON v{sense}(version);
        CREATE TABLE u{sense}(place INTEGER PRIMARY KEY, id INTEGER NOT NULL UNIQUE, checksum INTEGER, vector BLOB)""")


def drop(db: apsw.Connection, sense: int) -> None:
    """Drop the tables of a sense."""
    db.execute(f"DROP TABLE IF EXISTS v{sense}; DROP TABLE IF EXISTS u{sense}")


def rename(db: apsw.Connection, sense: int, new: int) -> None:
    """Give the tables of a sense to another number; the vectors stay where they are."""
    db.execute(f"""
        ALTER TABLE v{sense} RENAME TO v{new};
        ALTER TABLE u{sense} RENAME TO u{new};
        DROP INDEX v{sense}_version;
        CREATE INDEX v{new}_version ON v{new}(version)""")


def encoded(vectors: npt.ArrayLike, sense: SenseRow) -> npt.NDArray[Any]:
    """Return the array (n, d) as it is stored.

    Raises:
        InputError: another dimension, NaN or infinity, or a value beyond the largest float16 (65,504).
    """
    array = as_vectors(vectors, name=f"vectors of sense {sense.name!r}", dimension=sense.dimension)
    if sense.precision == "float32":
        return array.astype(_TYPES["float32"], copy=False)
    most = float(np.finfo(np.float16).max)
    if array.size and max(float(array.max()), -float(array.min())) > most:
        raise InputError(
            f"vectors of sense {sense.name!r}: a value is beyond {most:,.0f}, the most that float16 holds; "
            "make the sense with precision float32"
        )
    return array.astype(_TYPES["float16"])


def checksums(stored: npt.NDArray[Any]) -> npt.NDArray[np.uint32]:
    """Return one checksum a row of a (n, d) float32 or float16 array: the sum of its words times 1, 3, 5 ... mod 2^32.

    The factors are odd, hence a single changed bit always changes the sum.
    """
    words = np.ascontiguousarray(stored).view(f"<u{stored.dtype.itemsize}")
    weights = 2 * np.arange(words.shape[1], dtype=np.uint32) + 1
    sums: npt.NDArray[np.uint32] = np.einsum("nd,d->n", words, weights, dtype=np.uint32, casting="unsafe")
    return sums


def write(db: apsw.Connection, sense: int, ids: Sequence[int], stored: npt.NDArray[Any], version: int) -> None:
    """Store rows, replacing what the ids had."""
    sql = f"INSERT OR REPLACE INTO v{sense} VALUES (?, {int(version)}, ?, ?)"  # noqa: S608 - numbers only
    for start in range(0, len(ids), _BATCH):
        part = np.ascontiguousarray(stored[start : start + _BATCH])
        width = part.dtype.itemsize * part.shape[1]
        blobs = part.view(f"V{width}").ravel().tolist() if width else [b""] * len(part)
        db.executemany(sql, zip(ids[start : start + _BATCH], checksums(part).tolist(), blobs, strict=True))


def keep_images(db: apsw.Connection, sense: int, ids: Sequence[int]) -> None:
    """Keep the vectors that are about to be replaced or deleted, unless this change kept them before."""
    sql = f"""INSERT OR IGNORE INTO u{sense}(id, checksum, vector) SELECT n.id, v.checksum, v.vector
              FROM (SELECT ? AS id) AS n LEFT JOIN v{sense} AS v ON v.id = n.id"""  # noqa: S608 - numbers only
    db.executemany(sql, zip(ids, strict=True))


def delete(db: apsw.Connection, sense: int, ids: Sequence[int]) -> None:
    """Delete the vectors of these items."""
    db.executemany(f"DELETE FROM v{sense} WHERE id = ?", zip(ids, strict=True))  # noqa: S608


def count(db: apsw.Connection, sense: int, since: int = -1) -> int:
    """Return the number of rows that are newer than a version."""
    where = "" if since < 0 else f"WHERE version > {int(since)}"
    return int(scalar(db, f"SELECT count(*) FROM v{sense} {where}"))  # noqa: S608


def batches(
    db: apsw.Connection, sense: SenseRow, *, since: int = -1, rows: int = _BATCH
) -> Iterator[tuple[Int64, Float32]]:
    """Yield (ids, vectors) of the rows newer than a version, by ascending id, at most ``rows`` and 32 MB at a time.

    Raises:
        CollectionDamaged: a row that is not as it was written; names the item.
    """
    table = f"v{sense.id}"
    sql = f"SELECT id, checksum, vector FROM {table}"  # noqa: S608 - our own name
    if since >= 0 and 20 * count(db, sense.id, since) < count(db, sense.id):
        # Few are found by the index on version, and fetched one by one instead of reading every page.
        newer = db.execute(f"SELECT id FROM {table} WHERE version > ?", (since,))  # noqa: S608
        ids = np.sort(np.fromiter((row[0] for row in newer), np.int64))
        cursor = db.executemany(f"{sql} WHERE id = ?", zip(ids.tolist(), strict=True))
    else:
        cursor = db.execute(f"{sql} WHERE +version > ? ORDER BY id", (since,))
    rows = min(rows, max(1, _MOST_BYTES // (4 * sense.dimension)))
    while found := list(islice(cursor, rows)):
        yield decoded(found, sense)


def decoded(rows: Sequence[tuple[Any, ...]], sense: SenseRow) -> tuple[Int64, Float32]:
    """Return ids and vectors of rows (id, checksum, vector), checked.

    Raises:
        CollectionDamaged: a row that is not as it was written; names the item.
    """
    kind = _TYPES[sense.precision]
    width = kind.itemsize * sense.dimension
    for number, stored_sum, blob in rows:
        if type(blob) is not bytes or len(blob) != width or type(stored_sum) is not int:
            raise _damaged(sense, number)
    ids, sums, blobs = zip(*rows, strict=True)
    stored = np.frombuffer(b"".join(blobs), kind).reshape(len(ids), sense.dimension)
    wrong = np.flatnonzero(checksums(stored) != np.array(sums, np.int64))
    if wrong.size:
        raise _damaged(sense, ids[int(wrong[0])])
    return np.array(ids, np.int64), np.ascontiguousarray(stored, dtype=np.float32)


def _damaged(sense: SenseRow, number: int) -> CollectionDamaged:
    return CollectionDamaged(
        f"the vector of item number {number} in sense {sense.name!r} was changed from outside; run `similia check`, "
        "then restore a backup or add the item again"
    )


def read(db: apsw.Connection, sense: SenseRow, since: int) -> tuple[Int64, Float32]:
    """Return ids (m,) and vectors (m, d) of the rows newer than a version, by ascending id."""
    total = count(db, sense.id, since)
    ids = np.empty(total, np.int64)
    found = np.empty((total, sense.dimension), np.float32)
    place = 0
    for numbers, part in batches(db, sense, since=since):
        ids[place : place + len(part)] = numbers
        found[place : place + len(part)] = part
        place += len(part)
    return ids, found


def read_of(db: apsw.Connection, sense: SenseRow, ids: Int64) -> Float32:
    """Return the vectors (n, d) of these items, NaN where one has none."""
    found = np.full((len(ids), sense.dimension), np.nan, np.float32)
    sql = f"SELECT id, checksum, vector FROM (SELECT ? AS want) LEFT JOIN v{sense.id} ON id = want"  # noqa: S608
    rows = db.executemany(sql, zip(ids.tolist(), strict=True))
    size = max(1, _MOST_BYTES // (4 * sense.dimension))
    for start in range(0, len(ids), size):
        part = list(islice(rows, min(size, len(ids) - start)))
        there = [place for place, row in enumerate(part) if row[0] is not None]
        if there:
            _, found[start + np.array(there)] = decoded([part[place] for place in there], sense)
    return found
