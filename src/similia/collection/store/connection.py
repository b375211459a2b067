"""Connections to ``collection.db``: how they are set up, who holds which, and what their errors mean."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from json import JSONDecodeError
from pathlib import Path

import apsw

from similia.collection.store.schema import PAGE_SIZE
from similia.errors import (
    CollectionBusy,
    CollectionDamaged,
    CollectionNotFound,
    InputError,
    SimiliaError,
    StorageError,
    StorageFull,
)

DATABASE = "collection.db"
WAL_LIMIT = 64 * 2**20
WAIT_FOR_SQLITE = 10_000  # ms; only recovery after a crash and the last close ever hold a reader up
_MOST_IDLE = 16


def connect(path: Path, *, vfs: str | None = None, create: bool = False, cache: int = 16) -> apsw.Connection:
    """Open the database as every connection of Similia is: WAL, synchronous=FULL, nothing from the schema trusted.

    Args:
        path: of the database.
        vfs: a registered SQLite VFS, which fault tests use; such a connection excludes all others.
        create: make the file, with the pragmas that only an empty one can take.
        cache: page cache in MB.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    db = apsw.Connection(str(path), flags=flags, vfs=vfs)
    try:
        db.set_busy_timeout(WAIT_FOR_SQLITE)
        for switch, value in (
            (apsw.SQLITE_DBCONFIG_DQS_DML, 0),
            (apsw.SQLITE_DBCONFIG_DQS_DDL, 0),
            (apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0),
            (apsw.SQLITE_DBCONFIG_DEFENSIVE, 1),
        ):
            db.config(switch, value)
        if vfs is not None:  # a VFS written in Python has no shared memory: the index of the WAL stays in ours
            db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        if create:
            db.execute(f"PRAGMA page_size = {PAGE_SIZE}").fetchall()
            db.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
            db.execute("PRAGMA journal_mode = WAL").fetchall()
        for pragma in (
            "synchronous = FULL",
            "fullfsync = ON",  # where fsync does not reach the medium (macOS)
            "checkpoint_fullfsync = ON",
            "cell_size_check = ON",
            "foreign_keys = OFF",
            f"journal_size_limit = {WAL_LIMIT}",
            f"wal_autocheckpoint = {WAL_LIMIT // PAGE_SIZE}",
            f"cache_size = {-1024 * cache}",
        ):
            db.execute(f"PRAGMA {pragma}").fetchall()
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def translating(folder: Path) -> Iterator[None]:
    """Turn SQLite's errors into ours while the block runs."""
    try:
        yield
    except apsw.Error as error:
        raise translated(error, folder) from error


@contextmanager
def decoding(folder: Path) -> Iterator[None]:
    """Do so too for what only a damaged database holds; for blocks without code of a caller."""
    try:
        with translating(folder):
            yield
    except UnicodeDecodeError as error:
        raise damaged(folder, f"text that is not UTF-8 at byte {error.start}") from error
    except JSONDecodeError as error:
        raise damaged(folder, f"a description that is not JSON: {error}") from error


def translated(error: apsw.Error, folder: Path) -> SimiliaError:
    """Return what an error of SQLite means for the collection in ``folder``."""
    said = str(error) or type(error).__name__
    if isinstance(error, apsw.FullError):
        return StorageFull(f"{folder}: the disk is full; nothing was lost: make room and run the command again")
    if isinstance(error, apsw.CorruptError | apsw.NotADBError | apsw.FormatError):
        return damaged(folder, said)
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return CollectionBusy(f"{folder}: the database is locked by another program; try again when it has ended")
    if isinstance(error, apsw.ReadOnlyError | apsw.PermissionsError | apsw.CantOpenError | apsw.AuthError):
        return StorageError(f"{folder}: the database cannot be opened or written ({said}); check its rights")
    if isinstance(error, apsw.TooBigError):
        return InputError(f"{folder}: a record or vector is larger than 1 GB, the most that one item may be")
    if isinstance(error, apsw.NoMemError):
        return StorageError(f"{folder}: SQLite got no memory ({said}); what was stored before is intact")
    if isinstance(error, apsw.IOError):
        return StorageError(
            f"{folder}: the disk refused to read or write ({said}); what was stored before is intact: "
            "check the disk and run the command again"
        )
    if isinstance(error, apsw.SQLError) and ("no such" in said or "malformed" in said or "has no column" in said):
        return damaged(folder, said)
    return StorageError(f"{folder}: SQLite refused ({said})")


def damaged(folder: Path, said: str) -> CollectionDamaged:
    """Return the error that says so, and what to do."""
    return CollectionDamaged(
        f"{folder}: the database is damaged ({said}); run `similia check {folder.name}`, or restore a backup"
    )


class Connections:
    """A pool of reading connections and the one writing connection, and which of them a thread is to use now.

    A thread inside a snapshot reads from the connection that holds it, a thread inside a transaction of a change
    from the writing one (it sees what it wrote); any other read takes a connection for itself and gives it back.
    """

    def __init__(self, folder: Path, vfs: str | None = None) -> None:
        self.folder = folder
        self._vfs = vfs
        self._idle: list[apsw.Connection] = []
        self._writer: apsw.Connection | None = None
        self._guard = threading.RLock()
        self._alone = threading.RLock()  # a VFS without shared memory allows one connection: threads take turns
        self._local = threading.local()
        self._pid = os.getpid()
        self._in_write = False
        self._identity = _identity(folder)
        self.closed = False

    def _stack(self) -> list[apsw.Connection]:
        stack: list[apsw.Connection] | None = getattr(self._local, "stack", None)
        if stack is None:
            stack = self._local.stack = []
        return stack

    def check(self) -> None:
        """Refuse to go on after `close`, or when the file is not the one that was opened.

        A database that was removed can still be written through an open connection, and nobody would ever see it.
        """
        if self.closed:
            raise SimiliaError(f"{self.folder}: the collection is closed; open it again")
        if self._identity != _identity(self.folder):
            raise CollectionNotFound(f"{self.folder}: the collection was removed or replaced meanwhile; open it again")
        if self._pid != os.getpid():  # SQLite's connections do not survive a fork: leave the parent's alone
            self._forgotten = (self._idle, self._writer)
            self._idle, self._writer, self._pid = [], None, os.getpid()
            self._local = threading.local()

    def _take(self) -> apsw.Connection:
        with self._guard:
            self.check()
            if self._idle:
                return self._idle.pop()
        return connect(self.folder / DATABASE)

    def _give(self, db: apsw.Connection) -> None:
        with self._guard:
            if not self.closed and len(self._idle) < _MOST_IDLE and self._pid == os.getpid():
                self._idle.append(db)
                return
        db.close()

    @contextmanager
    def read(self, *, hold: bool = False) -> Iterator[apsw.Connection]:
        """Give a connection that sees one state while the block runs; ``hold`` makes further reads see the same."""
        self.check()
        stack = self._stack()
        if stack:
            yield stack[-1]
            return
        if self._vfs is not None:
            with self._alone, self._trusting_writer() as db, self._reading(db, stack if hold else []):
                yield db
            return
        db = self._take()
        try:
            with self._reading(db, stack if hold else []):
                yield db
        except BaseException as error:
            if _is_of_the_disk(error):
                _close(db)
            else:
                self._give(db)
            raise
        self._give(db)

    @contextmanager
    def _trusting_writer(self) -> Iterator[apsw.Connection]:
        """Give the writing connection, and forget it after an error of the disk: FTS5 keeps in memory what it read."""
        db = self.writer()
        try:
            yield db
        except BaseException as error:
            if _is_of_the_disk(error):
                self.distrust()
            raise

    def distrust(self) -> None:
        """Close the writing connection; the next use opens another."""
        with self._guard:
            db, self._writer = self._writer, None
        if db is not None:
            _close(db)

    @contextmanager
    def _reading(self, db: apsw.Connection, stack: list[apsw.Connection]) -> Iterator[None]:
        db.execute("BEGIN")
        stack.append(db)
        try:
            yield
        finally:
            stack.pop()
            if db.in_transaction:
                db.execute("ROLLBACK")

    def is_writing(self, db: apsw.Connection) -> bool:
        """Say whether what ``db`` sees is not committed yet."""
        return db is self._writer and self._in_write

    def writer(self) -> apsw.Connection:
        """Return the writing connection; for holders of the writer lock."""
        with self._guard:
            self.check()
            if self._writer is None:
                self._writer = connect(self.folder / DATABASE, vfs=self._vfs, cache=64)
            return self._writer

    @contextmanager
    def write(self) -> Iterator[apsw.Connection]:
        """Run the block as one transaction: all of it is stored, for good, when the block has ended; or nothing."""
        stack = self._stack()
        with self._alone, self._trusting_writer() as db:
            db.execute("BEGIN IMMEDIATE")
            stack.append(db)
            self._in_write = True
            try:
                yield db
                if not db.in_transaction:  # SQLite gave it up after an error that somebody caught
                    raise StorageError(f"{self.folder}: the transaction was rolled back after an error; run it again")
                db.execute("COMMIT")
            finally:
                stack.pop()
                self._in_write = False
                if db.in_transaction:
                    with suppress(apsw.Error):
                        db.execute("ROLLBACK")

    def close(self) -> None:
        """Close every connection that is not in use; those in use close when they are given back."""
        with self._guard:
            self.closed = True
            idle, self._idle = self._idle, []
            if self._writer is not None:
                idle.append(self._writer)
                self._writer = None
        if self._pid == os.getpid():
            for db in idle:
                _close(db)


def _identity(folder: Path) -> tuple[int, int] | None:
    try:
        found = (folder / DATABASE).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _is_of_the_disk(error: BaseException) -> bool:
    return isinstance(error, apsw.Error | StorageError | CollectionDamaged)


def _close(db: apsw.Connection) -> None:
    with suppress(apsw.Error):  # what was committed is in the WAL, whether it can be folded in now or not
        db.close()
