"""The map of a collection: each item at a place on a plane, kept in a derived file and grown with the collection."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from similia.collection import upkeep
from similia.collection.planar import beside, planar
from similia.collection.store import SenseRow
from similia.collection.tables import to_arrow as arrow
from similia.collection.tables import to_pandas as pandas
from similia.collection.tables import to_polars as polars
from similia.collection.tables import typed
from similia.collection.vectors import normalised, positions
from similia.collection.workspace import State, Workspace
from similia.index.files import Column, open_verified, write
from similia.types import Float32, Int64

ANCHORS = 20_000
"""Among how many items, chosen at random, new ones look for their neighbours."""
SHARE = 0.2
"""The map is made anew when more than this share of the items is new; until then new ones are placed by neighbours."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where each item is on the map: ``xy`` float32 (n, 2) within -1 and 1, for ``keys`` and ``ids`` int64 (n,)."""

    keys: list[str]
    xy: Float32
    ids: Int64
    sense: str

    def __len__(self) -> int:
        return len(self.keys)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: ``sense``, ``keys`` and ``xy``."""
        return {
            "sense": self.sense,
            "keys": self.keys,
            "xy": [[round(float(x), 5), round(float(y), 5)] for x, y in self.xy],
        }

    def _columns(self) -> dict[str, Any]:
        x, y = self.xy.T.tolist() if len(self) else ([], [])
        return {"_key": typed("text", self.keys), "x": typed("number", x), "y": typed("number", y)}

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``: ``_key``, ``x``, ``y``."""
        return arrow(self._columns())

    def to_pandas(self) -> Any:
        """The same as a ``pandas.DataFrame``."""
        return pandas(self._columns())

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``."""
        return polars(self._columns())


@dataclass(frozen=True, eq=False)
class _Places:
    """A map of one version: ids ascending, positions as computed, and how many of them were placed by neighbours."""

    version: int
    ids: Int64
    xy: Float32
    placed: int


def layout(space: Workspace, sense: str) -> Layout:
    """See `similia.collection.Collection.layout`."""
    with space.reading() as state:
        row = state.ready(sense)
        places = space.remembered(("layout", row.id))
        if places is None or places.version > state.version:
            places = _read(state, row)
        if places is None or places.version != state.version:
            places = _grown(state, row, places) or _made(state, row)
            with contextlib.suppress(OSError):
                _write(state, row, places)
        space.remember(("layout", row.id), places)
        keys = state.store.keys(places.ids)
    return Layout(keys, _scaled(places.xy), places.ids, sense)


def _scaled(xy: Float32) -> Float32:
    if not len(xy):
        return xy
    low, high = xy.min(axis=0), xy.max(axis=0)
    half = float((high - low).max()) / 2 or 1.0
    scaled: Float32 = ((xy - (low + high) / 2) / half).astype(np.float32)
    return scaled


def _path(state: State, row: SenseRow) -> Path:
    return state.store.folder / "derived" / f"layout-{row.id}"


def _read(state: State, row: SenseRow) -> _Places | None:
    file = open_verified(_path(state, row))
    if file is None or not upkeep.belongs(file, state.store, row) or file.header["version"] > state.version:
        return None
    ids, xy = np.array(file.arrays["ids"]), np.array(file.arrays["xy"])
    return _Places(file.header["version"], ids, xy, int(file.header.get("placed", 0)))


def _write(state: State, row: SenseRow, places: _Places) -> None:
    header = {**upkeep.header(state.store, row, places.version), "placed": places.placed}
    write(_path(state, row), header, {"ids": Column.of(places.ids), "xy": Column.of(places.xy)})


def _made(state: State, row: SenseRow) -> _Places:
    ids, vectors = state.vectors(row).all()
    return _Places(state.version, ids, planar(vectors), 0)


def _grown(state: State, row: SenseRow, old: _Places | None) -> _Places | None:
    """The map with new items placed beside their neighbours; None where too much is new."""
    deleted = None if old is None else state.store.deleted_since(old.version)
    if old is None or deleted is None:
        return None
    changed = np.concatenate(
        [ids for ids, _ in state.store.vector_batches(row.name, since=old.version)] or [old.ids[:0]]
    )
    stays = ~np.isin(old.ids, np.union1d(deleted, changed))
    ids, vectors = state.vectors(row).all()
    known, xy = old.ids[stays], old.xy[stays]
    where = positions(ids, known)
    new = np.setdiff1d(np.arange(ids.size), where)
    placed = old.placed + new.size
    if (where < 0).any() or placed > SHARE * ids.size:
        return None
    places = np.empty((ids.size, 2), np.float32)
    places[where] = xy
    if new.size:
        rng = np.random.default_rng(state.version)
        few = np.sort(rng.permutation(where.size)[:ANCHORS])
        places[new] = beside(normalised(vectors[where[few]]), xy[few], vectors, new, rng)
    return _Places(state.version, ids, places, placed)
