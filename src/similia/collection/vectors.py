"""All vectors of one sense at one state of the collection, ready to be searched.

A state has a base (mapped from a derived file, or in memory) and a small addition of what came later; rows that were
replaced or deleted are dead. States are never changed: a newer one takes the place of an older one, so that threads
that still read the older one see ids and vectors that belong together.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection.searcher import Kept, Searcher
from similia.index import Selection
from similia.index.files import Mapped
from similia.types import Bool, Float32, Hits, Int64

if TYPE_CHECKING:
    from similia.rank import Background


class Allowed:
    """The items that pass a filter: ids int64 (n,), ascending. What an index derives from them is kept beside."""

    def __init__(self, ids: Int64) -> None:
        self.ids = ids
        self._among: weakref.WeakKeyDictionary[Part, Selection] = weakref.WeakKeyDictionary()

    def among(self, part: Part) -> Selection:
        """Which rows of a part pass and are alive."""
        found = self._among.get(part)
        if found is None:
            mask = np.zeros(part.ids.size, np.bool_)
            places = positions(part.ids, self.ids)
            mask[places[places >= 0]] = True
            if part.alive is not None:
                mask &= part.alive
            found = self._among[part] = Selection(mask)
        return found


@dataclass(frozen=True, eq=False)
class Part:
    """Rows: ``ids`` int64 (n,) ascending, ``vectors`` float32 or float16 (n, d).

    ``alive`` bool (n,) is None where every row is; ``lengths`` and ``kept`` are those of `Searcher`.
    """

    ids: Int64
    vectors: npt.NDArray[Any]
    alive: Bool | None = None
    lengths: npt.NDArray[np.float64] | None = None
    kept: Kept | None = None

    @cached_property
    def index(self) -> Searcher:
        """What searches all rows, dead ones too."""
        return Searcher(self.vectors, self.ids, self.lengths, self.kept)

    @property
    def count(self) -> int:
        """How many rows are alive."""
        return int(self.ids.size if self.alive is None else np.count_nonzero(self.alive))

    def without(self, ids: Int64) -> Part:
        """The part with the rows of ``ids`` dead."""
        found = positions(self.ids, ids)
        found = found[found >= 0]
        if not found.size:
            return self
        alive = np.ones(self.ids.size, bool) if self.alive is None else self.alive.copy()
        alive[found] = False
        part = replace(self, alive=alive)
        if "index" in self.__dict__:
            part.__dict__["index"] = self.index
        return part

    def live(self) -> tuple[Int64, npt.NDArray[Any]]:
        """Ids and vectors of the rows that are alive; no copy where all are."""
        return (self.ids, self.vectors) if self.alive is None else (self.ids[self.alive], self.vectors[self.alive])

    @cached_property
    def living(self) -> Selection | None:
        """Which rows are alive; None where all are."""
        return None if self.alive is None else Selection(self.alive)

    def selection(self, allowed: Allowed | None) -> Selection | None:
        """Which rows may be found; None where all may."""
        return self.living if allowed is None else allowed.among(self)


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of a sense at database version ``version``; ``parts`` have no live id in common."""

    version: int
    dimension: int
    parts: tuple[Part, ...]
    file: Mapped | None = None

    def __len__(self) -> int:
        return sum(part.count for part in self.parts)

    @property
    def loose(self) -> int:
        """Rows that were added beside the base, and rows of the base that are dead."""
        base, *later = self.parts
        return sum(part.ids.size for part in later) + base.ids.size - base.count

    @property
    def sound(self) -> bool:
        """Whether the mapped file is still what was verified."""
        return self.file is None or self.file.unchanged()

    def search(
        self,
        queries: Float32,
        k: int,
        *,
        allowed: Allowed | None = None,
        without: int | Int64 | None = None,
        recall: float | None = None,
    ) -> Hits:
        """The k items of the highest cosine to each query, best first, ties by id.

        Args:
            queries: (q, d), or (d,) for one.
            k: the most hits.
            allowed: what may be found; None for all.
            without: an id that may not, or int64 (q,), one for each query.
            recall: the share of the true k that is to be expected; see `Searcher.search`.

        Returns:
            Hits (q, ``min(k, len(self))``).
        """
        batch = np.atleast_2d(queries)
        k, own = min(k, len(self)), None if without is None else np.reshape(without, (-1, 1))
        hits = Hits.empty(len(batch), max(k, 0))
        found = [
            part.index.search(batch, min(k + (own is not None), part.ids.size), part.selection(allowed), recall)
            for part in self.parts
            if part.ids.size and k > 0
        ]
        if found:
            ids, scores = (
                np.concatenate(column, axis=1) for column in zip(*((f.ids, f.scores) for f in found), strict=True)
            )
            if own is not None:
                scores = np.where(ids == own, -np.inf, scores)
                ids = np.where(ids == own, -1, ids)
            order = np.lexsort((ids, -scores))[:, :k]
            hits.ids[:, : order.shape[1]] = np.take_along_axis(ids, order, axis=1)
            hits.scores[:, : order.shape[1]] = np.take_along_axis(scores, order, axis=1)
        return hits

    @cached_property
    def background(self) -> Background:
        """What the cosines of a query stand out from; the same however the rows are parted."""
        from similia.rank import Background

        ids = np.sort(np.concatenate([part.live()[0] for part in self.parts] or [np.empty(0, np.int64)]))
        if len(ids) > Background.MOST:
            ids = ids[np.sort(np.random.default_rng(0).choice(len(ids), Background.MOST, replace=False))]
        return Background.of(self.of(ids))

    def all(self) -> tuple[Int64, npt.NDArray[Any]]:
        """Ids ascending (n,) and vectors (n, d) as stored; no copy where there is one part with no dead row."""
        parts = [part.live() for part in self.parts if part.ids.size]
        if not parts:
            return np.empty(0, np.int64), np.empty((0, self.dimension), np.float32)
        if len(parts) == 1:
            return parts[0]
        ids = np.concatenate([ids for ids, _ in parts])
        order = np.argsort(ids, kind="stable")
        return ids[order], np.concatenate([vectors for _, vectors in parts])[order]

    def of(self, ids: Int64) -> Float32:
        """Vectors (n, d) of these items, NaN where one is not there."""
        found = np.full((len(ids), self.dimension), np.nan, np.float32)
        for part in self.parts:
            places = positions(part.ids, ids)
            known = places >= 0
            if part.alive is not None:
                known[known] = part.alive[places[known]]
            found[known] = part.vectors[places[known]]
        return found


def positions(sorted_ids: Int64, ids: Int64) -> Int64:
    """Where each of ``ids`` stands in ``sorted_ids`` (ascending, no duplicates); -1 where it does not.

    Examples:
        >>> positions(np.array([2, 5, 9]), np.array([9, 3])).tolist()
        [2, -1]
    """
    if not sorted_ids.size:
        return np.full(len(ids), -1, np.int64)
    places = np.minimum(np.searchsorted(sorted_ids, ids), sorted_ids.size - 1)
    return np.where(sorted_ids[places] == ids, places, -1).astype(np.int64)


def normalised(vectors: npt.NDArray[Any]) -> Float32:
    """Each row divided by its length; rows of zeros stay zeros.

    Examples:
        >>> normalised(np.array([[0, 2], [0, 0]], np.float32)).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors, dtype=np.float64))
    lengths[lengths == 0] = 1.0
    return np.ascontiguousarray(vectors / lengths[:, None].astype(np.float32), dtype=np.float32)
