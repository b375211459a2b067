"""One change of a collection: a command made of transactions, with a line in the log and the means to undo it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import apsw
import numpy as np
import numpy.typing as npt

from similia.collection.store import corrections, fields, judgments, meta, senses, undo, writing
from similia.collection.store.connection import Connections, decoding, translating
from similia.collection.store.items import ids_of
from similia.collection.store.judgments import Judgment
from similia.collection.store.rows import ChangeRow, PutResult
from similia.collection.store.sql import row, rows
from similia.collection.store.values import dump, load
from similia.collection.store.writing import OnDuplicate, Writing
from similia.errors import CollectionDamaged, InputError, NothingToUndo, SimiliaError, StorageError
from similia.types import Int64

_COLUMNS = "number, command, arguments, state, started, finished, added, replaced, deleted"


def now() -> str:
    """The time as it stands in the log: ISO-8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat("T", "milliseconds")


def log(db: apsw.Connection, limit: int | None) -> list[ChangeRow]:
    """Return the lines of the log, newest first."""
    sql = f"SELECT {_COLUMNS} FROM changes ORDER BY number DESC LIMIT ?"  # noqa: S608
    found = rows(db, sql, (-1 if limit is None else limit,))
    return [ChangeRow(line[0], line[1], load(line[2]), *line[3:]) for line in found]


def undo_last(connections: Connections) -> ChangeRow:
    """Take the last change back in one transaction; for holders of the writer lock.

    Raises:
        NothingToUndo: there is none, or it has been undone.
    """
    with connections.write() as db:
        last = row(db, "SELECT number, before FROM changes ORDER BY number DESC LIMIT 1")
        if last is None or last[1] is None:
            raise NothingToUndo(f"{connections.folder}: there is no change to undo; only the last one can be, once")
        before = load(last[1])
        undo.undo(Writing(db, meta.add(db, "version", 1), last[0], before["newest"]), before)
        db.execute(
            "UPDATE changes SET state = 'undone', finished = ifnull(finished, ?) WHERE number = ?", (now(), last[0])
        )
        return log(db, 1)[0]


class Change:
    """What `Store.change` hands out; the methods that write are for inside `transaction`.

    Attributes:
        number: of the line in the log.
        resumed: whether this is the continuation of a change that was interrupted.
        progress: what was last committed with `set_progress`.
    """

    def __init__(
        self,
        connections: Connections,
        command: str,
        arguments: Mapping[str, Any],
        resume_key: str | None,
    ) -> None:
        self._connections = connections
        self._command = command
        self._arguments = dump(dict(arguments))
        self._resume_key = resume_key
        self._tx: Writing | None = None
        self._counts = [0, 0, 0]
        self._newest = -1
        self.recorded = False
        self.abandoned = False
        self.paused = False
        self.number = 1
        self.resumed = False
        self.progress: dict[str, Any] = {}
        last = row(
            connections.writer(),
            """SELECT number, state, command, resume_key, progress, added, replaced, deleted, before FROM changes
               ORDER BY number DESC LIMIT 1""",
        )
        if last is not None:
            self.number = last[0] + 1
            if last[1:4] == ("open", command, resume_key) and resume_key is not None:
                self.number, self.resumed, self.recorded = last[0], True, True
                self.progress = load(last[4])
                self._counts = list(last[5:8])
                self._newest = load(last[8])["newest"]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit what the block wrote, for good, when it ends; or nothing of it, when it raises."""
        if self._tx is not None:
            raise SimiliaError("a transaction of this change is under way; end it before the next begins")
        before = (self.recorded, list(self._counts), self.progress, self._newest)
        try:
            with translating(self._connections.folder), self._connections.write() as db:
                version = meta.add(db, "version", 1)
                if not self.recorded:
                    self._record(db)
                self._tx = Writing(db, version, self.number, self._newest)
                yield
                db.execute(
                    "UPDATE changes SET added = ?, replaced = ?, deleted = ?, progress = ? WHERE number = ?",
                    (*self._counts, dump(self.progress), self.number),
                )
        except BaseException:
            self.recorded, self._counts, self.progress, self._newest = before
            raise
        finally:
            self._tx = None

    def _record(self, db: apsw.Connection) -> None:
        """Write the line in the log and what an undo needs to know; the change before can no longer be undone."""
        db.execute("UPDATE changes SET state = 'interrupted' WHERE state = 'open'")
        undo.forget(db)
        state = undo.state(db)
        self._newest = state["newest"]
        db.execute(
            """INSERT INTO changes(number, command, arguments, state, started, resume_key, before)
               VALUES (?, ?, ?, 'open', ?, ?, ?)""",
            (self.number, self._command, self._arguments, now(), self._resume_key, dump(state)),
        )
        self.recorded = True

    @contextmanager
    def _step(self) -> Iterator[Writing]:
        """Give the transaction to a method; what it did is taken back if it fails and its caller goes on."""
        if self._tx is None:
            raise SimiliaError("a change writes inside `with change.transaction():` only")
        db = self._tx.db
        db.execute("SAVEPOINT step")
        try:
            with decoding(self._connections.folder):
                yield self._tx
                db.execute("RELEASE step")
        except (StorageError, CollectionDamaged):
            if db.in_transaction:  # what FTS5 has in memory is not to be trusted: nothing of this transaction stays
                db.execute("ROLLBACK")
            raise
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK TO step; RELEASE step")
            raise

    def set_fields(self, types: Mapping[str, str]) -> None:
        """Add the fields that are new; widen the type of one that is there so that it holds both kinds of values.

        Raises:
            InputError: an unknown type, or more fields than a table can have.
        """
        with self._step() as tx:
            fields.set_fields(tx.db, types)

    def put(
        self,
        keys: Sequence[str],
        records: Sequence[Mapping[str, Any]],
        *,
        vectors: Mapping[str, npt.ArrayLike],
        on_duplicate: OnDuplicate = "error",
    ) -> PutResult:
        """Add items, or replace those whose key is there.

        Args:
            keys: one an item. A key twice among them counts as a duplicate, too: with "replace" the last wins.
            records: field -> value; every field declared by `set_fields`.
            vectors: sense -> (n, d) float32; one entry for every sense, ready or building.
            on_duplicate: what to do with a key that is there.

        Raises:
            DuplicateKey: a key is there already, and ``on_duplicate`` is "error".
            InputError: a field, value or vector that cannot be stored; names the item.
        """
        with self._step() as tx:
            result = writing.put(tx, keys, records, vectors, on_duplicate)
        self._counts[0] += result.added
        self._counts[1] += result.replaced
        return result

    def put_fields(self, ids: Int64, values: Mapping[str, Sequence[Any]]) -> None:
        """Set some fields of existing items; their other fields and their vectors stay.

        Raises:
            UnknownItem: an id that no item has.
            InputError: a value that does not fit its field, or an undeclared field.
        """
        with self._step() as tx:
            self._counts[1] += writing.put_fields(tx, numbers(ids), values)

    def delete(self, ids: Int64) -> int:
        """Delete items, with their full text and vectors, and return how many there were; unknown ids are ignored."""
        with self._step() as tx:
            deleted = writing.delete(tx, numbers(ids))
        self._counts[2] += deleted
        return deleted

    def create_sense(
        self, name: str, definition: Mapping[str, Any], *, fingerprint: str, dimension: int, precision: str
    ) -> None:
        """Make a sense: "building" until `finish_sense`, or "ready" at once where there are no items.

        Raises:
            InputError: the name is taken, or the dimension (1 to 65,536) or precision cannot be.
        """
        with self._step() as tx:
            senses.create(
                tx.db,
                tx.change,
                name,
                definition,
                fingerprint=fingerprint,
                dimension=dimension,
                precision=precision,
            )

    def put_vectors(self, sense: str, ids: Int64, vectors: npt.ArrayLike) -> None:
        """Store the vectors (n, d) of existing items in a sense, replacing what they had.

        Raises:
            UnknownSense: no such sense.
            UnknownItem: an id that no item has.
            InputError: another dimension, NaN, infinity, or a value beyond float16.
        """
        with self._step() as tx:
            writing.put_vectors(tx, sense, numbers(ids), vectors)

    def finish_sense(self, name: str) -> None:
        """Make a sense "ready".

        Raises:
            InputError: items lack a vector.
        """
        with self._step() as tx:
            senses.finish(tx.db, name)

    def drop_sense(self, name: str) -> None:
        """Drop a sense; nothing else is touched, and an undo brings it back.

        Raises:
            UnknownSense: no such sense.
        """
        with self._step() as tx:
            senses.drop(tx.db, tx.change, name)

    def judge(self, judged: Sequence[Judgment]) -> tuple[int, int]:
        """Store judgments, and return how many are new and how many replaced one about the same."""
        with self._step() as tx:
            added, replaced = judgments.put(tx, judged)
        self._counts[0] += added
        self._counts[1] += replaced
        return added, replaced

    def unjudge(self, judged: Sequence[Judgment]) -> int:
        """Delete the judgments about the same as these, and return how many there were."""
        with self._step() as tx:
            deleted = judgments.delete(tx, judged)
        self._counts[2] += deleted
        return deleted

    def correct(self, sense: str, settings: Mapping[str, Any], bank: bytes) -> None:
        """Store the correction of a sense, in place of the one that it had."""
        with self._step() as tx:
            corrections.put(tx, sense, settings, bank)

    def drop_correction(self, sense: str) -> bool:
        """Delete the correction of a sense; False if there was none."""
        with self._step() as tx:
            return corrections.delete(tx, sense)

    def next_keys(self, n: int) -> list[str]:
        """Return n keys "1", "2", ... that were never given before and that no item has."""
        with self._step() as tx:
            number = int(meta.get(tx.db, "next_key", 1))
            keys: list[str] = []
            while len(keys) < n:
                fresh = [str(number + place) for place in range(n - len(keys))]
                number += len(fresh)
                found = ids_of(tx.db, fresh)
                keys += [key for key, taken in zip(fresh, found, strict=True) if taken < 0]
            meta.put(tx.db, "next_key", number)
        return keys

    def set_progress(self, progress: Mapping[str, Any]) -> None:
        """Say how far the work is; stored with the transaction, and `progress` when the change is resumed."""
        with self._step():
            self.progress = load(dump(dict(progress)))

    def abandon(self) -> None:
        """Undo everything that this change did, when its block ends."""
        self.abandoned = True

    def pause(self) -> None:
        """Leave the change open when its block ends: the next of the same resume key goes on with it."""
        self.paused = True

    def end(self) -> None:
        """Close the change's line in the log; one that wrote nothing has none."""
        if self.recorded:
            with translating(self._connections.folder), self._connections.write() as db:
                db.execute("UPDATE changes SET state = 'done', finished = ? WHERE number = ?", (now(), self.number))


def numbers(ids: Any) -> Int64:
    """Return ids as int64 (n,).

    Raises:
        InputError: they are not whole numbers with one axis.
    """
    array = np.asarray(ids)
    if array.size == 0:
        return np.empty(0, np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InputError(f"ids must be whole numbers (n,), not {array.dtype} with {array.ndim} axes")
    return np.ascontiguousarray(array, dtype=np.int64)
