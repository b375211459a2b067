"""Copies that can be trusted: a backup is verified when it is made, and again before it is restored."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import apsw

from similia.collection.store import meta, senses
from similia.collection.store.connection import DATABASE, connect, translating
from similia.collection.store.files import MANIFEST, appearing, refuse_taken
from similia.collection.store.lock import NAME as LOCK
from similia.collection.store.schema import FORMAT
from similia.collection.store.sql import rows, scalar
from similia.errors import CollectionDamaged, CollectionNotFound, InputError, SimiliaError, StorageError

_PAGES = 2_000
_BYTES = 2**20


def counts(db: apsw.Connection) -> dict[str, Any]:
    """Return what two equal collections agree in."""
    return {
        "version": meta.get(db, "version"),
        "items": scalar(db, "SELECT count(*) FROM items"),
        "records": scalar(db, "SELECT count(*) FROM records"),
        "changes": scalar(db, "SELECT count(*) FROM changes"),
        "senses": {name: sense.count for name, sense in senses.read_senses(db, counts=True).items()},
    }


def backup(db: apsw.Connection, folder: Path, target: Path) -> None:
    """Copy the state that ``db`` sees to a new folder, page by page, while others read and write.

    Raises:
        InputError: there is something at that place.
        CollectionDamaged: the copy, hence the original, is not sound.
        StorageError: it cannot be written.
    """
    refuse_taken(target)
    expected = counts(db)
    with appearing(target) as place, translating(target):
        path = place / DATABASE
        copy = apsw.Connection(str(path))
        try:
            copy.execute("PRAGMA synchronous = FULL").fetchall()
            with copy.backup("main", db, "main") as work:
                while not work.done:
                    work.step(_PAGES)
        finally:
            copy.close()
        verify(path, expected, folder)
        manifest = {
            "format": FORMAT,
            "uuid": meta.get(db, "uuid"),
            "made": datetime.now(UTC).isoformat("T", "seconds"),
            "bytes": path.stat().st_size,
            "sha256": _digest(path),
            "counts": expected,
        }
        (place / MANIFEST).write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        (place / LOCK).touch()


def restore(source: Path, folder: Path, uuid: str) -> None:
    """Make a collection at ``folder`` from a backup; it appears complete and verified, or not at all.

    Args:
        source: folder of the backup.
        folder: must not exist, or be empty.
        uuid: of the new collection; what was derived from the old one must not be taken for its own.

    Raises:
        CollectionNotFound: there is no backup.
        CollectionDamaged: it is not as it was written.
        InputError: there is something at ``folder``, or ``source`` is a collection and no backup.
        StorageError: it cannot be written.
    """
    manifest = _manifest(source)
    refuse_taken(folder)
    with appearing(folder) as place, translating(folder):
        path = place / DATABASE
        try:
            with (source / DATABASE).open("rb") as read, path.open("wb") as write:
                digest = _copy(read, write)
        except OSError as error:
            raise StorageError(f"{folder}: the backup cannot be copied there ({error.strerror})") from error
        if digest != manifest["sha256"]:
            raise CollectionDamaged(
                f"{source}: the backup is not as it was written (SHA-256 {digest:.12}... instead of "
                f"{manifest['sha256']:.12}...); use another one"
            )
        verify(path, manifest["counts"], source)
        db = connect(path)
        try:
            meta.put(db, "uuid", uuid)
        finally:
            db.close()
        (place / LOCK).touch()


def verify(path: Path, expected: dict[str, Any], folder: Path) -> None:
    """Make sure that a copied database is sound and holds what it should.

    Raises:
        CollectionDamaged: it is not, or does not.
    """
    db = connect(path)
    try:
        said = [row[0] for row in rows(db, "PRAGMA integrity_check(5)")]
        if said != ["ok"]:
            raise CollectionDamaged(f"{folder}: the copied database is not sound ({'; '.join(said):.300})")
        found = counts(db)
        if found != expected:
            raise CollectionDamaged(f"{folder}: the copy holds {found} instead of {expected}")
    finally:
        db.close()


def _manifest(source: Path) -> dict[str, Any]:
    if not (source / DATABASE).is_file():
        raise CollectionNotFound(f"{source}: there is no backup at that place")
    try:
        manifest = json.loads((source / MANIFEST).read_bytes())
        known = {"format": manifest["format"], "sha256": manifest["sha256"], "counts": manifest["counts"]}
    except FileNotFoundError:
        raise InputError(f"{source}: this is a collection and no backup (no {MANIFEST}); make one first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise CollectionDamaged(f"{source}: {MANIFEST} is damaged; use another backup") from error
    if known["format"] != FORMAT:
        raise SimiliaError(f"{source}: a backup of format {known['format']}; this Similia reads format {FORMAT}")
    return known


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _copy(read: IO[bytes], write: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := read.read(_BYTES):
        digest.update(part)
        write.write(part)
    return digest.hexdigest()
