"""Making and opening the folder of a collection."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from similia.collection.store import fulltext, meta
from similia.collection.store.connection import DATABASE, Connections, connect, decoding, translating
from similia.collection.store.lock import NAME as LOCK
from similia.collection.store.lock import writer_lock
from similia.collection.store.schema import APPLICATION_ID, FORMAT, TABLES
from similia.collection.store.sql import scalar
from similia.errors import CollectionDamaged, CollectionNotFound, InputError, SimiliaError, StorageError

DERIVED = "derived"
MANIFEST = "backup.json"
OURS = (DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", LOCK, MANIFEST, DERIVED)
"""What a collection's folder may hold, the database first: without it the folder is no collection."""


def create_database(folder: Path, uuid: str) -> None:
    """Make an empty collection at ``folder``, which appears complete or not at all.

    Raises:
        InputError: there is something at that place.
        StorageError: it cannot be written.
    """
    refuse_taken(folder)
    with appearing(folder) as place, translating(folder):
        db = connect(place / DATABASE, create=True)
        try:
            db.execute("BEGIN")
            db.execute(TABLES)
            fulltext.create(db)
            meta.put(db, "uuid", uuid)
            meta.put(db, "version", 0)
            meta.put(db, "created", datetime.now(UTC).isoformat("T", "seconds"))
            db.execute("COMMIT")
        finally:
            db.close()
        (place / LOCK).touch()


def refuse_taken(folder: Path) -> None:
    """Refuse a place that something stands at; what an interrupted removal left behind is cleared away.

    Raises:
        InputError: there is something.
    """
    if (folder / DATABASE).exists():
        raise InputError(f"{folder}: there is a collection at that place already; take another name, or remove it")
    if folder.is_dir() and not folder.is_symlink():
        left = {path.name for path in folder.iterdir()}
        if left and left <= set(OURS):
            delete_ours(folder)
            left = set()
        if not left:
            return
    if folder.exists() or folder.is_symlink():
        raise InputError(f"{folder}: there is something else at that place; name a folder that does not exist")


class appearing:  # noqa: N801 - used as a function
    """A temporary folder beside ``folder`` that takes its place, flushed to disk, when the block has ended well."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __enter__(self) -> Path:
        try:
            parent = self.folder.absolute().parent
            parent.mkdir(parents=True, exist_ok=True)
            self.place = Path(tempfile.mkdtemp(prefix=f".{self.folder.name}.", dir=parent))
            self.place.chmod(0o777 & ~_umask())
        except OSError as error:
            raise StorageError(f"{self.folder}: cannot be made there ({error.strerror})") from error
        return self.place

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                for path in self.place.iterdir():
                    flush(path)
                flush(self.place)
                self.place.rename(self.folder)  # onto an empty folder, or nothing: atomic
                flush(self.folder.absolute().parent)
        except OSError as error:
            raise StorageError(f"{self.folder}: cannot be made there ({error.strerror})") from error
        finally:
            shutil.rmtree(self.place, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def flush(path: Path) -> None:
    """Make a file or folder durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def open_database(folder: Path, connections: Connections) -> str:
    """Make sure that there is a collection that this Similia reads, and return its uuid.

    Raises:
        CollectionNotFound: there is none.
        CollectionDamaged: its database is not one.
        SimiliaError: it was written by a newer Similia.
    """
    if not (folder / DATABASE).is_file():
        raise CollectionNotFound(f"{folder}: there is no collection at that place; make one with `similia add`")
    with decoding(folder), connections.read() as db:
        application = scalar(db, "PRAGMA application_id")
        found = scalar(db, "PRAGMA user_version")
        if application != APPLICATION_ID:
            raise CollectionDamaged(
                f"{folder}: {DATABASE} is not a database of Similia, or its header was damaged; restore a backup"
            )
        if found != FORMAT:
            raise SimiliaError(
                f"{folder}: the collection has format {found}, and this Similia reads format {FORMAT}; "
                "install the version of Similia that wrote it, or a newer one"
            )
        uuid = meta.get(db, "uuid")
        if not isinstance(uuid, str) or not isinstance(meta.get(db, "version"), int):
            raise CollectionDamaged(f"{folder}: the description of the collection is damaged; restore a backup")
        return uuid


def is_collection(folder: Path) -> bool:
    """Say whether there is a collection in ``folder``, sound or not."""
    path = folder / DATABASE
    if not path.is_file():
        return False
    with suppress(OSError), path.open("rb") as file:
        header = file.read(100)
        if header[68:72] == APPLICATION_ID.to_bytes(4, "big"):
            return True
    return (folder / LOCK).is_file()


def delete_ours(folder: Path) -> None:
    """Delete the files of a collection, the database first, and the folder if nothing else is in it."""
    for name in OURS:
        path = folder / name
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def remove_database(folder: Path, wait: float) -> None:
    """Delete a collection; see `Store.remove`."""
    if not folder.exists():
        raise CollectionNotFound(f"{folder}: there is no collection at that place")
    if not is_collection(folder):
        raise InputError(f"{folder}: this is no collection; nothing was removed")
    with writer_lock(folder, "remove", wait):
        delete_ours(folder)
