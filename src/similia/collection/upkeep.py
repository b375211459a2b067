"""Bringing the vectors of a sense up to date: from the mapped file, from memory, or from the database.

The database is the truth. A file of vectors names the collection, the sense (by the number that changes whenever its
vectors become others), the encoder's fingerprint and the version it was made from; what happened since is read from
the database, and the number of rows must come out right. Otherwise the file is made again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.searcher import Kept
from similia.collection.store import SenseRow, Store
from similia.collection.vectors import Part, Vectors
from similia.index.files import Column, Mapped, open_verified, write
from similia.measure.vectors import norms
from similia.types import Float32, Int64

CHUNK = 16_384
KINDS = {"float32": "<f4", "float16": "<f2"}
SLACK = 1_024
SHARE = 16
"""More than this many rows, or than one in so many, beside the base are folded in."""
HELD = 2**28
"""Bytes of vectors that are held in memory beside a base; beyond, the file is made again from the database."""


def path_of(folder: Path, row: SenseRow) -> Path:
    """The file for the vectors of a sense."""
    return folder / "derived" / f"vectors-{row.id}"


def bring(store: Store, row: SenseRow, version: int, known: Vectors | None) -> Vectors:
    """The vectors of a sense as they are in the snapshot that the calling thread is in.

    Args:
        store: of the collection.
        row: the sense, read in the snapshot.
        version: of the snapshot.
        known: an earlier state of this sense (same ``row.id``), or None.

    Returns:
        A state of exactly this version. Where the additions have grown large, the file was made again (if the folder
        can be written).
    """
    for start in _starts(store, row, known):
        if start is None or start.version > version or not start.sound:
            continue
        if start.version == version:
            return start
        state = _advanced(store, row, version, start)
        if state is not None and len(state) == row.count:
            too_loose = state.loose > max(SLACK, state.parts[0].ids.size // SHARE)
            return _folded(store, row, state) if too_loose else state
    return _rebuilt(store, row, version)


def _starts(store: Store, row: SenseRow, known: Vectors | None) -> Iterator[Vectors | None]:
    """The states to begin with, the nearest at hand first.

    A file that another process made anew comes before what is known: its rows are the ones that an index is kept of.
    """
    if known is not None and (known.file is None or known.file.is_at(path_of(store.folder, row))):
        yield known
        yield _from_file(store, row)
    else:
        yield _from_file(store, row)
        yield known


def header(store: Store, row: SenseRow, version: int) -> dict[str, Any]:
    """What a file derived from the vectors of a sense says that it was made from."""
    return {
        "collection": store.uuid,
        "sense": row.id,
        "fingerprint": row.fingerprint,
        "precision": row.precision,
        "dimension": row.dimension,
        "version": version,
    }


def belongs(file: Mapped, store: Store, row: SenseRow) -> bool:
    """Whether a file was derived from this sense of this collection."""
    version = file.header.get("version")
    return isinstance(version, int) and all(
        file.header.get(name) == value for name, value in header(store, row, version).items()
    )


def _from_file(store: Store, row: SenseRow) -> Vectors | None:
    """The state that the file holds, if the file is whole and of this sense."""
    file = open_verified(path_of(store.folder, row))
    if file is None or not belongs(file, store, row):
        return None
    return _mapped(store, file, row, file.header["version"])


def _mapped(store: Store, file: Mapped, row: SenseRow, version: int) -> Vectors:
    lengths = file.arrays.get("lengths")  # files that an earlier version wrote have none
    base = Part(file.arrays["ids"], file.arrays["vectors"], None, lengths, kept(store, row, version))
    return Vectors(version, row.dimension, (base,), file)


def kept(store: Store, row: SenseRow, version: int) -> Kept:
    """Where the index of a sense is, for the table of vectors of this version."""

    def changed(since: int) -> Int64 | None:
        with store.snapshot():
            deleted = store.deleted_since(since)
            written = [ids for ids, _ in store.vector_batches(row.name, since=since)]
        return None if deleted is None else np.unique(np.concatenate([deleted, *written]))

    return Kept(store.folder / "derived" / f"index-{row.id}", header(store, row, version), changed)


def _advanced(store: Store, row: SenseRow, version: int, start: Vectors) -> Vectors | None:
    """``start`` with what was written and deleted since; None where the database no longer knows, or it is too much."""
    deleted = store.deleted_since(start.version)
    if deleted is None:
        return None
    batches, count = [], 0
    for batch in store.vector_batches(row.name, since=start.version):
        batches.append(batch)
        count += batch[0].size
        if 4 * row.dimension * count > HELD:
            return None
    ids = np.concatenate([batch[0] for batch in batches]) if batches else np.empty(0, np.int64)
    vectors = np.concatenate([batch[1] for batch in batches]) if batches else np.empty((0, row.dimension), np.float32)
    gone = np.union1d(deleted, ids)
    if not gone.size:
        return Vectors(version, start.dimension, start.parts, start.file)
    base, *later = [part.without(gone) for part in start.parts]
    fresh = [(ids, vectors), *(part.live() for part in later)]
    every_id = np.concatenate([part[0] for part in fresh])
    order = np.argsort(every_id, kind="stable")
    addition = Part(every_id[order], np.concatenate([part[1] for part in fresh])[order])
    return Vectors(version, start.dimension, (base, addition) if addition.ids.size else (base,), start.file)


def fold(store: Store, row: SenseRow, state: Vectors) -> Vectors:
    """The state with one part and no dead row, written to the file if that can be done; else as it is."""
    if not state.loose and state.file is not None:
        return state
    return _folded(store, row, state)


def _folded(store: Store, row: SenseRow, state: Vectors) -> Vectors:
    ids = np.sort(np.concatenate([part.live()[0] for part in state.parts]))
    chunks = (state.of(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))
    return _written(store, row, state.version, [ids], chunks) or state


def _rebuilt(store: Store, row: SenseRow, version: int) -> Vectors:
    """The state read from the database alone."""
    if not row.count:
        with contextlib.suppress(OSError):
            path_of(store.folder, row).unlink(missing_ok=True)
        return Vectors(version, row.dimension, (Part(np.empty(0, np.int64), np.empty((0, row.dimension), np.float32)),))
    state = _written(store, row, version, *_streamed(store, row))
    if state is not None:
        return state
    ids, vectors, place = np.empty(row.count, np.int64), np.empty((row.count, row.dimension), np.float32), 0
    for numbers, chunk in store.vector_batches(row.name):
        ids[place : place + numbers.size] = numbers
        vectors[place : place + numbers.size] = chunk
        place += numbers.size
    return Vectors(version, row.dimension, (Part(ids, vectors),))


def _streamed(store: Store, row: SenseRow) -> tuple[Iterator[Int64], Iterator[Float32]]:
    """The ids and the vectors of a sense in chunks; the vectors must be taken first."""
    numbers: list[Int64] = []

    def vectors() -> Iterator[Float32]:
        for ids, chunk in store.vector_batches(row.name):
            numbers.append(ids)
            yield chunk

    return (ids for ids in numbers), vectors()


def _written(
    store: Store, row: SenseRow, version: int, ids: Iterable[Int64], vectors: Iterable[Float32]
) -> Vectors | None:
    """Write the file and map it; None where the folder cannot be written."""
    path, lengths = path_of(store.folder, row), list[npt.NDArray[np.float64]]()

    def measured() -> Iterator[npt.NDArray[Any]]:
        for chunk in vectors:
            stored = chunk.astype(KINDS[row.precision], copy=False)
            lengths.append(norms(stored))
            yield stored

    columns = {
        "vectors": Column(KINDS[row.precision], (row.count, row.dimension), measured()),
        "ids": Column("<i8", (row.count,), ids),
        "lengths": Column("<f8", (row.count,), lengths),
    }
    try:
        write(path, header(store, row, version), columns)
    except OSError:
        return None
    file = open_verified(path)
    if file is None or file.header.get("version") != version:  # another process was there after us
        return None
    return _mapped(store, file, row, version)


def sweep(store: Store, rows: list[SenseRow]) -> None:
    """Remove files of senses that are no more."""
    kept = {str(row.id) for row in rows}
    for path in (store.folder / "derived").glob("*-*"):
        if path.name.rpartition("-")[2] not in kept and not path.name.startswith("."):
            with contextlib.suppress(OSError):
                path.unlink()
