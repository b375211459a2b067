"""The store of a collection: the face of this package."""

from __future__ import annotations

import threading
import uuid as uuids
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from similia.collection.store import changes, items, judgments, meta, senses, sizes, textsearch, upkeep, vectors
from similia.collection.store.changes import Change
from similia.collection.store.connection import Connections, decoding, translating
from similia.collection.store.corrections import CorrectionRow, read_correction
from similia.collection.store.fields import read_fields
from similia.collection.store.files import create_database, open_database, remove_database
from similia.collection.store.judgments import Judgment
from similia.collection.store.lock import writer_lock
from similia.collection.store.rows import ChangeRow, CheckReport, SenseRow
from similia.collection.store.schema import Field
from similia.errors import InputError, SimiliaError
from similia.types import Float32, Hits, Int64

if TYPE_CHECKING:
    from similia.index.where import Predicate


class Store:
    """Items, full text, senses and vectors of one collection, in ``folder/collection.db``.

    Reading is for any thread at any time: it never waits for a writer, and sees the last committed state, or inside
    `snapshot` one state; inside a transaction of a change, the thread that writes reads what it wrote. Writing
    is for one change at a time, over all threads and processes.

    Examples:
        >>> import tempfile, numpy as np
        >>> with tempfile.TemporaryDirectory() as place:
        ...     store = Store.create(Path(place) / "papers")
        ...     with store.change("add", {}) as change, change.transaction():
        ...         change.set_fields({"title": "text"})
        ...         added = change.put(["a", "b"], [{"title": "Cables"}, {"title": "Chargers"}], vectors={})
        ...     hits = store.text_search("charger", 10)
        ...     print(store.keys(hits.ids[0][hits.ids[0] >= 0]))
        ...     store.close()
        ['b']
    """

    def __init__(self, folder: Path, connections: Connections, uuid: str, wait: float) -> None:
        self.folder = folder
        self.uuid = uuid
        self._connections = connections
        self._wait = wait
        self._statistics = textsearch.Statistics()
        self._complete: dict[int, int] = {}
        self._writing_thread: int | None = None

    @classmethod
    def create(cls, folder: Path, *, wait: float = 30.0) -> Store:
        """Make an empty collection at ``folder``, which must not exist or be empty; it appears complete or not at all.

        Raises:
            InputError: there is something at that place.
            StorageError: it cannot be written.
        """
        create_database(Path(folder), str(uuids.uuid4()))
        return cls.open(folder, wait=wait)

    @classmethod
    def open(cls, folder: Path, *, wait: float = 30.0, vfs: str | None = None) -> Store:
        """Open the collection at ``folder``; its changes wait so many seconds for another writer.

        ``vfs`` names a registered SQLite VFS, for tests that inject faults; then only one thread may use the store.

        Raises:
            CollectionNotFound: there is none.
            CollectionDamaged: its database is not one.
            SimiliaError: it was written by a newer Similia.
        """
        folder = Path(folder)
        connections = Connections(folder, vfs)
        try:
            return cls(folder, connections, open_database(folder, connections), wait)
        except BaseException:
            connections.close()
            raise

    def close(self) -> None:
        """Close all connections; reading on is an error."""
        self._connections.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- reading

    @contextmanager
    def _read(self) -> Iterator[apsw.Connection]:
        with decoding(self.folder), self._connections.read() as db:
            yield db

    @contextmanager
    def snapshot(self) -> Iterator[int]:
        """Make every read of this thread inside the block see one state, and give its version."""
        with translating(self.folder), self._connections.read(hold=True) as db:
            yield int(meta.get(db, "version"))

    def version(self) -> int:
        """Return how many transactions have been committed."""
        with self._read() as db:
            return int(meta.get(db, "version"))

    def count(self, where: Predicate | None = None) -> int:
        """Return the number of items, or of those that pass a filter."""
        with self._read() as db:
            return items.count(db, where)

    def fields(self) -> dict[str, Field]:
        """Return the fields by name, in the order of their first appearance."""
        with self._read() as db:
            return {f.name: Field(f.name, f.type, f.position) for f in read_fields(db).values()}

    def ids(self, keys: Sequence[str]) -> Int64:
        """Return the id of each key, int64 (n,), -1 for a key that no item has."""
        with self._read() as db:
            return changes.numbers(items.ids_of(db, keys))

    def keys(self, ids: Int64) -> list[str]:
        """Return the key of each id.

        Raises:
            UnknownItem: an id that no item has.
        """
        with self._read() as db:
            return items.keys_of(db, changes.numbers(ids))

    def records(self, ids: Int64) -> list[dict[str, Any]]:
        """Return the record of each id, equal to what was put.

        Raises:
            UnknownItem: an id that no item has.
            CollectionDamaged: a record that is not as it was written.
        """
        with self._read() as db:
            return items.records_of(db, changes.numbers(ids), self.folder)

    def iterate(
        self, *, where: Predicate | None = None, batch: int = 1000
    ) -> Iterator[tuple[Int64, list[str], list[dict[str, Any]]]]:
        """Yield (ids, keys, records) of the items that pass a filter, by ascending id, of one state.

        Memory is constant: at most ``batch`` items come at a time, fewer where records are long.
        """
        if batch < 1:
            raise InputError(f"batch is {batch}; it must be at least 1")
        with self._read() as db:
            yield from items.iterate(db, where, batch)

    def select(self, where: Predicate | None = None, *, limit: int | None = None, offset: int = 0) -> Int64:
        """Return the ids of the items that pass a filter, ascending."""
        with self._read() as db:
            return items.select(db, where, limit, offset)

    def values(self, field: str, ids: Int64) -> list[Any]:
        """Return the value of one field of each id.

        Dates and times come as they are compared (ISO-8601, UTC), numbers as floats; all else is as in the record.

        Raises:
            InputError: no such field.
            UnknownItem: an id that no item has.
        """
        with self._read() as db:
            return items.values_of(db, field, changes.numbers(ids), self.folder)

    def facets(self, field: str, *, where: Predicate | None = None, limit: int = 20) -> list[tuple[Any, int]]:
        """Return the most frequent values of a field (of lists: elements), not null, with the number of items.

        Raises:
            InputError: no such field.
        """
        with self._read() as db:
            return items.facets(db, field, where, limit)

    def text_search(
        self, query: str, k: int, *, fields: Sequence[str] | None = None, where: Predicate | None = None
    ) -> Hits:
        """Find the k items that hold words of the query: Hits (1, k), score = BM25 > 0, best first, ties by id.

        Args:
            query: any text; its words are OR-ed, nothing is an operator; of more than 256 words the rarest count.
            k: the most hits, at least 1.
            fields: text or category fields to look in; None for all.
            where: a filter.
        """
        with self._read() as db:
            return textsearch.search(db, self._known(db), query, k, fields, where)

    def holds_all(self, words: Sequence[str], *, fields: Sequence[str], where: Predicate | None = None) -> bool:
        """Whether one item holds all of these words in these fields."""
        with self._read() as db:
            return textsearch.holds_all(db, words, fields, where)

    def _known(self, db: apsw.Connection) -> textsearch.Statistics:
        known = textsearch.statistics(db, self._statistics)
        if not self._connections.is_writing(db):  # what is not committed may yet be rolled back
            self._statistics = known
        return known

    def term_statistics(self, query: str) -> tuple[int, dict[str, int]]:
        """Return the number of documents, and for each (stemmed) word of the query in how many it stands."""
        with self._read() as db:
            known = self._known(db)
            return known.documents, {stem: known.frequency(db, stem, ()) for stem in textsearch.words(db, query)}

    # -- senses, reading

    def senses(self) -> dict[str, SenseRow]:
        """Return the senses by name, oldest first, ready and building."""
        with self._read() as db:
            return senses.read_senses(db, counts=True)

    def vectors(self, sense: str, *, since: int = -1) -> tuple[Int64, Float32]:
        """Return ids (m,) and vectors (m, d) of a sense that are newer than a version, by ascending id.

        Raises:
            UnknownSense: no such sense.
            CollectionDamaged: a vector that is not as it was written.
        """
        with self._read() as db:
            return vectors.read(db, senses.find(db, sense), since)

    def vector_batches(self, sense: str, *, since: int = -1, batch: int = 4096) -> Iterator[tuple[Int64, Float32]]:
        """Yield what `vectors` returns in batches, of one state, in constant memory."""
        with self._read() as db:
            yield from vectors.batches(db, senses.find(db, sense), since=since, rows=batch)

    def vectors_of(self, sense: str, ids: Int64) -> Float32:
        """Return the vectors (n, d) of these items in a sense, rows of NaN where one has none.

        Raises:
            UnknownSense: no such sense.
        """
        with self._read() as db:
            return vectors.read_of(db, senses.find(db, sense), changes.numbers(ids))

    def deleted_since(self, version: int) -> Int64 | None:
        """Return the ids that were deleted after a version; None when that is too long ago to know."""
        with self._read() as db:
            return items.deleted_since(db, version)

    def without_vector(self, sense: str, limit: int) -> Int64:
        """Return the first ids, at most ``limit``, of items that a sense has no vector for."""
        with self._read() as db:
            number = senses.find(db, sense).id
            missing = senses.without_vector(db, number, limit, self._complete.get(number, 0))
            if missing and not self._connections.is_writing(db):  # ids below have one, as long as the number stands
                self._complete[number] = missing[0] - 1
            return changes.numbers(missing)

    def judgments(self, **only: str) -> list[Judgment]:
        """Return the judgments, the latest last; ``only`` names what kind, query, sense, item or source must be."""
        with self._read() as db:
            return judgments.read(db, only)

    def correction(self, sense: str, *, bank: bool = False) -> CorrectionRow | None:
        """Return the correction of a sense, with its bank where that is asked for; None where there is none."""
        with self._read() as db:
            return read_correction(db, sense, bank=bank)

    # -- writing

    @contextmanager
    def _lock(self, command: str) -> Iterator[None]:
        self._connections.check()
        thread = threading.get_ident()
        if self._writing_thread == thread:
            raise SimiliaError(f"{self.folder}: a change is under way in this thread; end it before the next begins")
        with writer_lock(self.folder, command, self._wait):
            self._writing_thread = thread
            try:
                yield
            finally:
                self._writing_thread = None

    @contextmanager
    def change(self, command: str, arguments: Mapping[str, Any], *, resume_key: str | None = None) -> Iterator[Change]:
        """Begin a change, or go on with the last one if it was interrupted and has the same command and resume key.

        When the block ends the change is done. When it raises, the transaction under way is rolled back, and what was
        committed before stays: the change is open, and can be resumed or undone; after `Change.abandon` it is
        undone at once. A change that commits no transaction leaves no trace.

        Args:
            command: for the log.
            arguments: for the log; JSON values.
            resume_key: says what would be the same work, for instance a hash of the input.

        Raises:
            CollectionBusy: another writer did not end in time.
        """
        with self._lock(command), translating(self.folder):
            change = Change(self._connections, command, arguments, resume_key)
            try:
                yield change
                if not (change.abandoned or change.paused):
                    change.end()
            finally:
                if change.abandoned and change.recorded:
                    changes.undo_last(self._connections)
            upkeep.after_change(self._connections)

    def log(self, limit: int | None = None) -> list[ChangeRow]:
        """Return the log of changes, newest first."""
        with self._read() as db:
            return changes.log(db, limit)

    def undo(self) -> ChangeRow:
        """Take the last change back, done or open; only the last one can be.

        Raises:
            NothingToUndo: there is none, or it has been undone.
            CollectionBusy: another writer did not end in time.
        """
        with self._lock("undo"), translating(self.folder):
            undone = changes.undo_last(self._connections)
            upkeep.after_change(self._connections)
            return undone

    def check(self, *, mend: bool = True) -> CheckReport:
        """Verify every promise of the store, and mend what can be made anew from what is sound.

        Looked at are pages, indexes, all checksums, that every item has its record, typed columns, full text and one
        vector in every ready sense, and nothing else. A damaged record, vector or judgment is only reported.

        Raises:
            CollectionBusy: something is to be mended, and another writer did not end in time.
        """
        from similia.collection.store import check

        with self._read() as db:
            found = check.promises(db)
        mended: list[str] = []
        if mend and any(promise.mends for promise in found):
            with self._lock("check"), translating(self.folder):
                mended = check.mend(self._connections, found)
            with self._read() as db:
                found = check.promises(db)
        return check.report(found, mended)

    def sizes(self) -> dict[str, int]:
        """Return bytes: records, fulltext, sense:<name> ..., undo, other, free, wal, derived; their sum is total."""
        with self._read() as db:
            return sizes.sizes(db, self.folder)

    # -- whole collections

    def backup(self, target: Path) -> None:
        """Copy the collection as it is now to a new folder, verified, while others read and write.

        Raises:
            InputError: there is something at ``target``.
            CollectionDamaged: the collection is not sound; run `check`.
            StorageError: it cannot be written.
        """
        from similia.collection.store.backup import backup

        with self._read() as db:
            backup(db, self.folder, Path(target))

    @classmethod
    def restore(cls, source: Path, folder: Path) -> None:
        """Make a collection at ``folder``, which must not exist or be empty, from a backup.

        The backup's checksum, its integrity and its counts are verified before the folder appears.

        Raises:
            CollectionNotFound: there is no backup at ``source``.
            CollectionDamaged: it is not as it was written.
            InputError: there is something at ``folder``, or ``source`` is a collection and no backup.
        """
        from similia.collection.store.backup import restore

        restore(Path(source), Path(folder), str(uuids.uuid4()))

    @classmethod
    def remove(cls, folder: Path, *, wait: float = 30.0) -> None:
        """Delete a collection: its own files, and the folder if nothing else is in it.

        Raises:
            CollectionNotFound: there is nothing at that place.
            InputError: what is there is no collection.
            CollectionBusy: somebody is writing, and did not end in time.
        """
        remove_database(Path(folder), wait)
