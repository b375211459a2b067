"""Corrections of senses against hubness: what was asked for, and the queries that were learnt from.

From these and the vectors of a sense the bias of every item follows, so that the file that holds the biases can be
deleted at any time. There is one correction a sense; it goes with the sense.

The tables come with the first correction: a collection without one is as before, and keeps its format. Triggers undo
a correction, let go of what was kept for that, and remove the correction of a sense that is dropped, so that an older
Similia, which knows of no corrections and searches without, does all this just the same.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import apsw

from similia.collection.store.sql import row, rows, scalar
from similia.collection.store.values import RESTORE, description_checksum, dump, load
from similia.errors import CollectionDamaged

if TYPE_CHECKING:
    from similia.collection.store.writing import Writing

_TABLES = {
    "corrections": """CREATE TABLE corrections(sense TEXT PRIMARY KEY, settings TEXT NOT NULL,
    checksum INTEGER NOT NULL, bank BLOB NOT NULL)""",
    # A row without settings stands for a correction that was not there before the change.
    "undo_corrections": """CREATE TABLE undo_corrections(change INTEGER NOT NULL, sense TEXT NOT NULL, settings TEXT,
    checksum INTEGER, bank BLOB, PRIMARY KEY (change, sense))""",
}
_TRIGGERS = {
    "corrections_undone": """CREATE TRIGGER corrections_undone AFTER UPDATE OF state ON changes
WHEN NEW.state = 'undone'
BEGIN
    DELETE FROM corrections WHERE sense IN (SELECT sense FROM undo_corrections WHERE change = NEW.number);
    INSERT INTO corrections SELECT sense, settings, checksum, bank FROM undo_corrections
        WHERE change = NEW.number AND settings IS NOT NULL;
    DELETE FROM undo_corrections WHERE change = NEW.number;
END""",
    "corrections_kept": """CREATE TRIGGER corrections_kept AFTER INSERT ON changes
BEGIN
    DELETE FROM undo_corrections WHERE change < NEW.number;
END""",
    "corrections_dropped": """CREATE TRIGGER corrections_dropped AFTER UPDATE OF state ON senses
WHEN NEW.state = 'dropped'
BEGIN
    INSERT OR IGNORE INTO undo_corrections SELECT (SELECT max(number) FROM changes), sense, settings, checksum, bank
        FROM corrections WHERE sense = NEW.name;
    DELETE FROM corrections WHERE sense = NEW.name;
END""",
}


@dataclass(frozen=True)
class CorrectionRow:
    """A correction: what was asked for, JSON-ready, a checksum of all of it, and the bank where it was asked for."""

    settings: dict[str, Any]
    checksum: int
    bank: bytes = b""


def exist(db: apsw.Connection) -> bool:
    """Say whether there has ever been a correction."""
    return bool(scalar(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'corrections')"))


def read_correction(db: apsw.Connection, sense: str, *, bank: bool = False) -> CorrectionRow | None:
    """Return the correction of a sense; None where there is none.

    Raises:
        CollectionDamaged: it is not as it was written; the whole of it is verified where the bank is asked for.
    """
    if not exist(db):
        return None
    column = "bank" if bank else "NULL"
    found = row(db, f"SELECT settings, checksum, {column} FROM corrections WHERE sense = ?", (sense,))  # noqa: S608
    if found is None:
        return None
    if bank and not _right(sense, *found):
        raise CollectionDamaged(_changed(sense))
    try:
        return CorrectionRow(dict(load(found[0])), int(found[1]), found[2] or b"")
    except (TypeError, ValueError):
        raise CollectionDamaged(_changed(sense)) from None


def put(tx: Writing, sense: str, settings: Mapping[str, Any], bank: bytes) -> None:
    """Store the correction of a sense in place of the one that it had."""
    if not exist(tx.db):
        for sql in (*_TABLES.values(), *_TRIGGERS.values()):
            tx.db.execute(sql)
    _keep_image(tx, sense)
    text = dump(dict(settings))
    tx.db.execute(
        "INSERT OR REPLACE INTO corrections VALUES (?, ?, ?, ?)", (sense, text, _checksum(sense, text, bank), bank)
    )


def delete(tx: Writing, sense: str) -> bool:
    """Delete the correction of a sense; False if there was none."""
    if read_correction(tx.db, sense) is None:
        return False
    _keep_image(tx, sense)
    tx.db.execute("DELETE FROM corrections WHERE sense = ?", (sense,))
    return True


def faults(db: apsw.Connection) -> Iterator[str]:
    """What is wrong with the corrections."""
    with closing(db.cursor()) as cursor:
        for found in cursor.execute("SELECT sense, settings, checksum, bank FROM corrections"):
            if not _right(*found):
                yield _changed(str(found[0]))


def lost_triggers(db: apsw.Connection) -> list[str]:
    """Return the names of the triggers that are not there as they should be."""
    known = dict(rows(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    return [name for name, sql in _TRIGGERS.items() if known.get(name) != sql]


def make_triggers(db: apsw.Connection) -> None:
    """Make the triggers anew; inside a transaction."""
    for name, sql in _TRIGGERS.items():
        db.execute(f"DROP TRIGGER IF EXISTS {name}")
        db.execute(sql)


def _keep_image(tx: Writing, sense: str) -> None:
    """Keep the correction of a sense as it is now, there or not, unless this change did so before."""
    tx.db.execute(
        """INSERT OR IGNORE INTO undo_corrections SELECT ?, u.sense, c.settings, c.checksum, c.bank
           FROM (SELECT ? AS sense) AS u LEFT JOIN corrections AS c ON c.sense = u.sense""",
        (int(tx.change), sense),
    )


def _checksum(sense: str, settings: str, bank: bytes) -> int:
    return description_checksum((sense, settings, zlib.crc32(bank)))


def _right(sense: Any, settings: Any, checksum: Any, bank: Any) -> bool:
    return isinstance(bank, bytes) and isinstance(settings, str) and _checksum(sense, settings, bank) == checksum


def _changed(sense: str) -> str:
    return f"the correction of sense {sense!r:.80} was changed from outside; {RESTORE}"
