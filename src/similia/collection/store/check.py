"""Verifying what the store promises, and mending what can be made anew.

A record and a vector are what was given to the store: when their checksum disagrees, they are gone. All else follows
from them and is mended: indexes, typed columns, full text, leftovers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import apsw

from similia.collection.store import audit, corrections, fields, fulltext, judgments, meta, senses, vectors
from similia.collection.store.connection import Connections
from similia.collection.store.rows import CheckReport, SenseRow
from similia.collection.store.scan import record_batches
from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import column_values, load_record
from similia.errors import CollectionDamaged

Mend = Callable[[apsw.Connection], None]
_SHOWN = 5


@dataclass
class Promise:
    """A promise, what speaks against it, and what would mend it."""

    text: str
    faults: list[str] = field(default_factory=list)
    mends: dict[str, Mend] = field(default_factory=dict)
    detail_if_held: str = ""

    @property
    def held(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults

    @property
    def detail(self) -> str:
        """What was looked at, or what is wrong."""
        if self.held:
            return self.detail_if_held
        more = f" and {len(self.faults) - _SHOWN:,} more" if len(self.faults) > _SHOWN else ""
        return "; ".join(self.faults[:_SHOWN]) + more


def promises(db: apsw.Connection) -> list[Promise]:
    """Look at everything, in one state, and say of each promise whether it is kept."""
    found = []
    for look in (_pages, _tables, _items, _columns, _fulltext, _senses, _judgments, _corrections, _log):
        try:
            found += list(look(db))
        except (apsw.Error, CollectionDamaged, ValueError, TypeError, KeyError) as error:
            found.append(Promise(_TEXTS[look.__name__], [f"{type(error).__name__}: {error}"]))
    return found


def mend(connections: Connections, found: list[Promise]) -> list[str]:
    """Mend what can be, one thing a transaction, and say what was."""
    mended = []
    for what, work in {what: work for promise in found for what, work in promise.mends.items()}.items():
        try:
            with connections.write() as db:
                meta.add(db, "version", 1)
                work(db)
        except (apsw.CorruptError, apsw.SQLError, apsw.ConstraintError, CollectionDamaged, ValueError, TypeError):
            continue  # what it would be made from is damaged itself; the promise stays broken, and says so
        mended.append(what)
    return mended


def report(found: list[Promise], mended: list[str]) -> CheckReport:
    """Return what the user sees."""
    lines = [(promise.text, promise.held, promise.detail) for promise in found]
    return CheckReport(all(promise.held for promise in found), lines, mended)


_TEXTS = {
    "_pages": "the database's pages and indexes are sound",
    "_tables": "every field and sense has its table, and no other is there",
    "_items": "every item has its record, as it was written",
    "_columns": "every typed column agrees with the records",
    "_fulltext": "the full text holds the words of every item, and no others",
    "_senses": "every item has one vector, as it was written, in every ready sense",
    "_judgments": "every judgment is as it was written",
    "_corrections": "every correction of a sense is as it was written",
    "_log": "the log has one open change at most, and undo data for the last one only",
}


def _pages(db: apsw.Connection) -> Iterator[Promise]:
    promise = Promise(_TEXTS["_pages"], detail_if_held=f"{scalar(db, 'PRAGMA page_count'):,} pages")
    said = [row[0] for row in rows(db, "PRAGMA integrity_check(100)")]
    if said != ["ok"]:
        promise.faults = [line.replace("\n", " ") for line in said]
        if any("index" in line for line in said if "FTS5" not in line):
            promise.mends["made the indexes anew"] = lambda db: _execute(db, "REINDEX")
        if any("FTS5" in line or "fts5" in line for line in said):
            promise.mends[_REBUILT] = _rebuild
    yield promise


def _tables(db: apsw.Connection) -> Iterator[Promise]:
    stored = fields.read_fields(db)
    promise = Promise(_TEXTS["_tables"], detail_if_held=f"{len(stored)} fields")
    wanted = {f.column for f in stored.values() if f.column is not None}
    there = {row[1] for row in rows(db, "PRAGMA table_info(items)")} - {"id", "key", "version"}
    promise.faults += [f"column {name} is missing" for name in sorted(wanted - there)]
    for name in sorted(there - wanted):
        promise.faults.append(f"column {name} belongs to no field")
        promise.mends[f"dropped column {name}"] = partial(_execute, sql=f"ALTER TABLE items DROP COLUMN {name}")
    numbers = {row[0] for row in rows(db, "SELECT id FROM senses")}
    wanted = {f"{letter}{number}" for number in numbers for letter in "uv"}
    pattern = "SELECT name FROM sqlite_schema WHERE type = 'table' AND (name GLOB 'v[0-9]*' OR name GLOB 'u[0-9]*')"
    there = {row[0] for row in rows(db, pattern)}
    promise.faults += [f"table {name} is missing" for name in sorted(wanted - there)]
    for name in sorted(there - wanted):
        promise.faults.append(f"table {name} belongs to no sense")
        promise.mends[f"dropped table {name}"] = partial(_execute, sql=f"DROP TABLE {name}")
    yield promise


def _items(db: apsw.Connection) -> Iterator[Promise]:
    total = scalar(db, "SELECT count(*) FROM items")
    promise = Promise(_TEXTS["_items"], detail_if_held=f"{total:,} items")
    known = fields.read_fields(db).keys()
    for batch in record_batches(db):
        for number, key, stored, text in batch:
            try:
                if not load_record(text, stored, key).keys() <= known:
                    promise.faults.append(f"the record of item {key!r:.80} holds an undeclared field")
            except (CollectionDamaged, ValueError):
                promise.faults.append(f"the record of item {key!r:.80} (number {number}) was changed from outside")
    lacking = rows(db, "SELECT key FROM items WHERE NOT EXISTS (SELECT 1 FROM records AS r WHERE r.id = items.id)")
    promise.faults += [f"item {key!r:.80} has no record" for (key,) in lacking]
    stray = scalar(db, "SELECT count(*) FROM records WHERE id NOT IN (SELECT id FROM items)")
    if stray:
        promise.faults.append(f"{stray:,} records belong to no item")
        promise.mends[f"deleted {stray:,} records of no item"] = partial(
            _execute, sql="DELETE FROM records WHERE id NOT IN (SELECT id FROM items)"
        )
    version = meta.get(db, "version")
    late = scalar(db, "SELECT count(*) FROM items WHERE version > ?", (version,))
    if late:
        promise.faults.append(f"{late:,} items are newer than the collection's version {version}")
    yield promise


def _columns(db: apsw.Connection) -> Iterator[Promise]:
    typed = [f for f in fields.read_fields(db).values() if f.column is not None]
    promise = Promise(_TEXTS["_columns"], detail_if_held=f"{len(typed)} typed columns")
    wrong: dict[str, list[str]] = {}
    names = ", ".join(str(f.column) for f in typed)
    for batch in record_batches(db) if typed else ():
        span = (batch[0][0], batch[-1][0])
        sql = f"SELECT id, {names} FROM items WHERE id BETWEEN ? AND ? ORDER BY id"  # noqa: S608 - our own columns
        there = {row[0]: row[1:] for row in db.execute(sql, span)}
        keys, kept, records = [], [], []
        for number, key, stored, text in batch:
            try:
                records.append(load_record(text, stored, key))
            except (CollectionDamaged, ValueError):
                continue  # said under the promise before
            keys.append(key)
            kept.append(number)
        for place, f in enumerate(typed):
            expected = column_values(f, keys, [record.get(f.name) for record in records])
            for key, number, value in zip(keys, kept, expected, strict=True):
                if not _same(value, there[number][place]):
                    wrong.setdefault(f.name, []).append(key)
    for f in typed:
        if f.name in wrong:
            bad = wrong[f.name]
            promise.faults.append(f"field {f.name!r:.80} is wrong in {len(bad):,} items, first in {bad[0]!r:.80}")
            promise.mends[f"made the column of field {f.name!r:.80} anew"] = partial(fields.fill, field=f)
    yield promise


def _same(expected: Any, found: Any) -> bool:
    if isinstance(expected, float) and expected != expected:
        return found is None
    return bool(expected == found)


def _fulltext(db: apsw.Connection) -> Iterator[Promise]:
    promise = Promise(_TEXTS["_fulltext"])
    promise.faults = audit.faults(db, fields.read_fields(db))
    if promise.faults:
        promise.mends[_REBUILT] = _rebuild
    total = scalar(db, "SELECT count(*) FROM fulltext_docsize")
    promise.detail_if_held = f"{total:,} items"
    yield promise


_REBUILT = "made the full text anew"


def _rebuild(db: apsw.Connection) -> None:
    fulltext.rebuild(db, fields.read_fields(db))


def _senses(db: apsw.Connection) -> Iterator[Promise]:
    for name, sense in senses.read_senses(db, counts=True).items():
        promise = Promise(f"{_TEXTS['_senses']}: {name}", detail_if_held=f"{sense.count:,} vectors, {sense.state}")
        try:
            _sense(db, sense, promise)
        except apsw.CorruptError as error:
            promise.faults.append(f"its table cannot be read ({error})")
        yield promise


def _sense(db: apsw.Connection, sense: SenseRow, promise: Promise) -> None:
    found = db.execute(f"SELECT id, checksum, vector FROM v{sense.id} ORDER BY id")  # noqa: S608 - a number
    while part := list(islice(found, 1_000)):
        try:
            vectors.decoded(part, sense)
        except CollectionDamaged as error:
            promise.faults.append(str(error))
    lacking = senses.without_vector(db, sense.id, 1)
    if lacking and sense.state == "ready":
        promise.faults.append(f"the item number {lacking[0]} has no vector")
    stray = scalar(db, f"SELECT count(*) FROM v{sense.id} WHERE id NOT IN (SELECT id FROM items)")  # noqa: S608
    if stray:
        promise.faults.append(f"{stray:,} vectors belong to no item")
        promise.mends[f"deleted {stray:,} vectors of no item from sense {sense.name!r}"] = partial(
            _execute,
            sql=f"DELETE FROM v{sense.id} WHERE id NOT IN (SELECT id FROM items)",  # noqa: S608
        )
    late = scalar(db, f"SELECT count(*) FROM v{sense.id} WHERE version > ?", (meta.get(db, "version"),))  # noqa: S608
    if late:
        promise.faults.append(f"{late:,} vectors are newer than the collection's version")


def _judgments(db: apsw.Connection) -> Iterator[Promise]:
    if not judgments.exist(db):
        return
    promise = Promise(_TEXTS["_judgments"], detail_if_held=f"{judgments.count(db):,} judgments")
    promise.faults = judgments.faults(db)
    if lost := judgments.lost_triggers(db):
        promise.faults.append(f"what would undo a judgment is missing ({', '.join(lost)})")
        promise.mends["made the triggers of the judgments anew"] = judgments.make_triggers
    yield promise


def _corrections(db: apsw.Connection) -> Iterator[Promise]:
    if not corrections.exist(db):
        return
    count = scalar(db, "SELECT count(*) FROM corrections")
    promise = Promise(_TEXTS["_corrections"], detail_if_held=f"{count:,} corrections")
    promise.faults = list(corrections.faults(db))
    if lost := corrections.lost_triggers(db):
        promise.faults.append(f"what would undo a correction is missing ({', '.join(lost)})")
        promise.mends["made the triggers of the corrections anew"] = corrections.make_triggers
    yield promise


def _log(db: apsw.Connection) -> Iterator[Promise]:
    total = scalar(db, "SELECT count(*) FROM changes")
    promise = Promise(_TEXTS["_log"], detail_if_held=f"{total:,} changes")
    last = scalar(db, "SELECT max(number) FROM changes")
    stale = rows(db, "SELECT number FROM changes WHERE number < ? AND (state = 'open' OR before IS NOT NULL)", (last,))
    promise.faults += [f"change {number} was not closed" for (number,) in stale]
    yield promise


def _execute(db: apsw.Connection, sql: str) -> None:
    db.execute(sql).fetchall()
