"""A hierarchical navigable small world of teaching size: items are inserted one by one, in a given order.

Distances are all known beforehand, so that what is studied is the graph alone, and the level belongs to the item, so
that an order changes nothing but the order. Source: Malkov and Yashunin, *Efficient and Robust Approximate Nearest
Neighbor Search Using Hierarchical Navigable Small World Graphs* (IEEE TPAMI 2020), algorithms 1, 2, 4 and 5.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence

import numpy as np

from similia.types import Float32, Int64


def levels(count: int, degree: int, seed: int) -> Int64:
    """The highest layer of each item, int64 (n,): floor(-ln(u) / ln(degree)) of a uniform u."""
    uniform = 1 - np.random.default_rng(seed).random(count)
    found: Int64 = np.floor(-np.log(uniform) / np.log(degree)).astype(np.int64)
    return found


def squared_distances(queries: Float32, items: Float32) -> Float32:
    """Squared Euclidean distances, float32 (q, n), computed in double precision about the mean of the items."""
    centre = items.mean(axis=0, dtype=np.float64)
    left, right = queries - centre, items - centre
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * (left @ right.T)
    return np.ascontiguousarray(np.maximum(squares, 0), dtype=np.float32)


class Hnsw:
    """The graph, and walks through it.

    Args:
        distances: float32 (n, n), between items.
        levels: int64 (n,), the highest layer of each.
        order: positions in the order in which they are inserted; the first to last if None.
        degree: links that a new item gets in a layer; it may have as many later, and twice as many in the lowest.
        beam: of the walks that links are found by.

    Examples:
        >>> points = np.arange(50, dtype=np.float32)[:, None]
        >>> graph = Hnsw(squared_distances(points, points), levels(50, 4, seed=0), degree=4)
        >>> graph.search(squared_distances(points[:1] + 20.2, points)[0], k=3, beam=8)
        [20, 21, 19]
        >>> graph.reached()
        1.0
    """

    def __init__(
        self,
        distances: Float32,
        levels: Int64,
        order: Iterable[int] | None = None,
        *,
        degree: int = 8,
        beam: int = 40,
    ) -> None:
        self.degree, self.beam = degree, beam
        self._rows: list[Sequence[float]] = [row.data for row in distances]  # ten times as fast to look up in as arrays
        self._levels: list[int] = levels.tolist()
        self._links: list[dict[int, list[int]]] = [{} for _ in range(1 + max(self._levels, default=0))]
        self._entry = -1
        for item in range(len(distances)) if order is None else order:
            self._insert(int(item))

    def search(self, row: Float32, k: int, beam: int) -> list[int]:
        """The k nearest that a walk finds, best first.

        Args:
            row: float32 (n,), the query's distances to the items.
            k: places.
            beam: items that the walk keeps in view in the lowest layer; at least k is taken.
        """
        if self._entry < 0:
            return []
        view: Sequence[float] = row.data
        entry = self._descend(view, 0)
        return [item for _, item in self._walk(view, [entry], max(k, beam), 0)[:k]]

    def reached(self) -> float:
        """The share of the items that can be reached from the entry by links of the lowest layer."""
        links, seen = self._links[0], {self._entry}
        todo = [self._entry]
        while todo:
            new = [other for other in links.get(todo.pop(), ()) if other not in seen]
            seen.update(new)
            todo.extend(new)
        return len(seen) / max(1, len(links))

    def _insert(self, item: int) -> None:
        row, top = self._rows[item], self._levels[item]
        for layer in range(top + 1):
            self._links[layer][item] = []
        if self._entry < 0:
            self._entry = item
            return
        highest = self._levels[self._entry]
        entries = [self._descend(row, top)]
        for layer in range(min(top, highest), -1, -1):
            near = self._walk(row, entries, self.beam, layer)
            entries = [other for _, other in near]
            links = self._links[layer]
            links[item] = self._diverse(near, self.degree)
            most = self.degree if layer else 2 * self.degree
            for other in links[item]:
                links[other].append(item)
                if len(links[other]) > most:
                    away = self._rows[other]
                    links[other] = self._diverse(sorted((away[one], one) for one in links[other]), most)
        if top > highest:
            self._entry = item

    def _descend(self, row: Sequence[float], layer: int) -> int:
        """The nearest that a walk without a beam comes to above a layer."""
        best = self._entry
        for above in range(self._levels[self._entry], layer, -1):
            links, moved = self._links[above], True
            while moved:
                nearest = min(links[best], key=row.__getitem__, default=best)
                moved = row[nearest] < row[best]
                best = nearest if moved else best
        return best

    def _walk(self, row: Sequence[float], entries: list[int], beam: int, layer: int) -> list[tuple[float, int]]:
        """The nearest in a layer, at most as many as the beam is wide, by distance."""
        links, seen = self._links[layer], bytearray(len(self._rows))
        todo = sorted((row[item], item) for item in entries)  # a sorted list is a heap
        kept = [(-away, item) for away, item in todo]
        heapq.heapify(kept)
        for item in entries:
            seen[item] = 1
        while todo:
            away, item = heapq.heappop(todo)
            if len(kept) >= beam and away > -kept[0][0]:
                break
            for other in links[item]:
                if seen[other]:
                    continue
                seen[other] = 1
                there = row[other]
                if len(kept) < beam:
                    heapq.heappush(kept, (-there, other))
                elif there < -kept[0][0]:
                    heapq.heapreplace(kept, (-there, other))
                else:
                    continue
                heapq.heappush(todo, (there, other))
        return sorted((-there, item) for there, item in kept)

    def _diverse(self, near: list[tuple[float, int]], most: int) -> list[int]:
        """Those of the near that are nearer to the item than to any that is kept already."""
        kept: list[int] = []
        for away, item in near:
            row = self._rows[item]
            if all(away < row[other] for other in kept):
                kept.append(item)
                if len(kept) == most:
                    break
        return kept
