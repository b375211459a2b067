"""Judgments: how well an item answers a query, as somebody said; the latest of each kind of source counts.

They are the user's work and follow from nothing else, so they name queries by their text and items by their key: an
item that is deleted keeps its judgments, which hold again when an item of that key is back.

The tables come with the first judgment: a collection without them is as before, and keeps its format. What a change
replaced is brought back by a trigger when the change is undone, and let go by another when the next one begins, so that
an older Similia, which knows of no judgments, undoes them just the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import apsw

from similia.collection.store.sql import rows, scalar
from similia.collection.store.values import RESTORE, description_checksum
from similia.errors import CollectionDamaged, InputError

if TYPE_CHECKING:
    from similia.collection.store.writing import Writing

Source: TypeAlias = Literal["cli", "page", "click", "file"]
SOURCES: tuple[Source, ...] = get_args(Source)

About: TypeAlias = tuple[str, str, str, str, str]
"""kind of query, query, sense ("" for any), item, source: what there is one judgment of."""

_ABOUT = "kind, query, sense, item, source"
_COLUMNS = f"place, {_ABOUT}, grade, time, note, checksum"
_SAME = " AND ".join(f"j.{name} = u.{name}" for name in _ABOUT.split(", "))
_FITTING = "kind = ? AND query = ? AND sense = ? AND item = ? AND source = ?"
_TABLES = {
    "judgments": """CREATE TABLE judgments(place INTEGER PRIMARY KEY, kind TEXT NOT NULL, query TEXT NOT NULL,
    sense TEXT NOT NULL, item TEXT NOT NULL, source TEXT NOT NULL, grade REAL NOT NULL, time TEXT NOT NULL,
    note TEXT NOT NULL, checksum INTEGER NOT NULL)""",
    "judgments_about": "CREATE UNIQUE INDEX judgments_about ON judgments(query, item, kind, sense, source)",
    # A row without a place stands for a judgment that was not there before the change.
    "undo_judgments": f"""CREATE TABLE undo_judgments(change INTEGER NOT NULL, place INTEGER, kind TEXT NOT NULL,
    query TEXT NOT NULL, sense TEXT NOT NULL, item TEXT NOT NULL, source TEXT NOT NULL, grade REAL, time TEXT,
    note TEXT, checksum INTEGER, PRIMARY KEY (change, {_ABOUT})) WITHOUT ROWID""",
}
_TRIGGERS = {
    "judgments_undone": f"""CREATE TRIGGER judgments_undone AFTER UPDATE OF state ON changes WHEN NEW.state = 'undone'
BEGIN
    DELETE FROM judgments WHERE place IN (SELECT j.place FROM undo_judgments AS u JOIN judgments AS j ON {_SAME}
        WHERE u.change = NEW.number);
    INSERT INTO judgments SELECT {_COLUMNS} FROM undo_judgments WHERE change = NEW.number AND place IS NOT NULL;
    DELETE FROM undo_judgments WHERE change = NEW.number;
END""",  # noqa: S608 - our own names
    "judgments_kept": """CREATE TRIGGER judgments_kept AFTER INSERT ON changes
BEGIN
    DELETE FROM undo_judgments WHERE change < NEW.number;
END""",
}


@dataclass(frozen=True)
class Judgment:
    """What somebody said of an item.

    Attributes:
        query: the text that was asked, or the key of an item where ``like``.
        item: the key of the item that is judged.
        grade: 0 for no answer; above, the higher the better.
        sense: in which it holds; None for any.
        source: who said it: at the command line, on a page, by a click, or in a file.
        note: anything.
        like: whether the query is an item.
        time: ISO-8601, UTC; "" until it is stored.
    """

    query: str
    item: str
    grade: float
    sense: str | None = None
    source: Source = "cli"
    note: str = ""
    like: bool = False
    time: str = ""

    @property
    def about(self) -> About:
        """What there is one judgment of."""
        return ("like" if self.like else "text", self.query, self.sense or "", self.item, self.source)


def exist(db: apsw.Connection) -> bool:
    """Say whether there has ever been a judgment."""
    return bool(scalar(db, "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'judgments')"))


def read(db: apsw.Connection, only: Mapping[str, str] | None = None) -> list[Judgment]:
    """Return the judgments, the latest last.

    Args:
        db: a connection.
        only: column (kind, query, sense, item, source) -> the value that it must have.

    Raises:
        CollectionDamaged: one that is not as it was written.
        InputError: a value that is not Unicode text.
    """
    if not exist(db):
        return []
    wanted = {name: value for name, value in (only or {}).items() if name in _ABOUT.split(", ")}
    condition = " AND ".join(f"{name} = ?" for name in wanted) or "TRUE"
    sql = f"SELECT {_COLUMNS} FROM judgments WHERE {condition} ORDER BY place"  # noqa: S608 - our own names
    with _as_unicode():
        return [_checked(row) for row in db.execute(sql, tuple(wanted.values()))]


def count(db: apsw.Connection) -> int:
    """Return how many there are."""
    return int(scalar(db, "SELECT count(*) FROM judgments")) if exist(db) else 0


def put(tx: Writing, judged: Sequence[Judgment]) -> tuple[int, int]:
    """Store judgments, the latest of each kind, and return how many are new and how many replaced another.

    Raises:
        InputError: one that is not Unicode text.
    """
    db = tx.db
    _create(db)
    latest: dict[About, Judgment] = {}
    for one in judged:
        latest.pop(one.about, None)
        latest[one.about] = one
    with _as_unicode():
        there = _places(db, latest)
        _keep_images(tx, latest)
        # A judgment that replaces another gets a new place, so that the latest is last.
        sql = "INSERT OR REPLACE INTO judgments VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        db.executemany(sql, ((*row, description_checksum(row)) for row in map(_row, latest.values())))
    return len(latest) - len(there), len(there)


def delete(tx: Writing, judged: Sequence[Judgment]) -> int:
    """Delete judgments, and return how many there were."""
    if not exist(tx.db):
        return 0
    there = _places(tx.db, {one.about: one for one in judged})
    _keep_images(tx, there)
    tx.db.executemany("DELETE FROM judgments WHERE place = ?", ((place,) for place in there.values()))
    return len(there)


def faults(db: apsw.Connection) -> list[str]:
    """Return what is wrong with the judgments, [] if nothing is."""
    found = []
    for row in db.execute(f"SELECT {_COLUMNS} FROM judgments ORDER BY place"):  # noqa: S608 - our own names
        try:
            _checked(row)
        except CollectionDamaged as error:
            found.append(str(error))
    last = scalar(db, "SELECT ifnull(max(number), 0) FROM changes")
    stale = scalar(db, "SELECT count(*) FROM undo_judgments WHERE change <> ?", (last,))
    return found + ([f"{stale:,} judgments are kept for an undo that cannot be"] if stale else [])


def lost_triggers(db: apsw.Connection) -> list[str]:
    """Return the names of the triggers that are not there as they should be."""
    known = dict(rows(db, "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"))
    return [name for name, sql in _TRIGGERS.items() if known.get(name) != sql]


def make_triggers(db: apsw.Connection) -> None:
    """Make the triggers anew; inside a transaction."""
    for name, sql in _TRIGGERS.items():
        db.execute(f"DROP TRIGGER IF EXISTS {name}")
        db.execute(sql)


@contextmanager
def _as_unicode() -> Iterator[None]:
    """Refuse text that SQLite cannot store.

    Raises:
        InputError: it holds half of a UTF-16 pair.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object!r:.80} is not Unicode text") from None


def _create(db: apsw.Connection) -> None:
    if not exist(db):
        for sql in (*_TABLES.values(), *_TRIGGERS.values()):
            db.execute(sql)


def _row(one: Judgment) -> tuple[str | float, ...]:
    return (*one.about, float(one.grade), one.time, one.note)


def _checked(row: tuple[Any, ...]) -> Judgment:
    _, kind, query, sense, item, source, grade, time, note, stored = row
    if description_checksum(row[1:-1]) != stored or kind not in ("text", "like") or source not in SOURCES:
        raise CollectionDamaged(f"the judgment of item {item!r:.80} was changed from outside; {RESTORE}")
    return Judgment(query, item, grade, sense or None, source, note, kind == "like", time)


def _places(db: apsw.Connection, wanted: Iterable[About]) -> dict[About, int]:
    """The place of each judgment that is there."""
    sql = f"SELECT {_ABOUT}, place FROM judgments WHERE {_FITTING}"  # noqa: S608 - our own names
    return {(row[0], row[1], row[2], row[3], row[4]): row[5] for row in db.executemany(sql, wanted)}


def _keep_images(tx: Writing, wanted: Iterable[About]) -> None:
    """Keep judgments as they are now, there or not, unless this change did so before."""
    sql = f"""INSERT OR IGNORE INTO undo_judgments(change, {_COLUMNS})
        SELECT {int(tx.change)}, j.place, u.*, j.grade, j.time, j.note, j.checksum
        FROM (SELECT ? AS kind, ? AS query, ? AS sense, ? AS item, ? AS source) AS u
        LEFT JOIN judgments AS j ON {_SAME}"""  # noqa: S608 - our own names and a number
    tx.db.executemany(sql, wanted)
