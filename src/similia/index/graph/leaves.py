"""The nearest neighbours of all items, nearly: everything is compared within clusters that overlap."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from similia.index.graph.cluster import Clusters, points
from similia.index.graph.prune import FAR, Int32, Whole
from similia.index.kernels.cache import compiled
from similia.types import Bytes, Float32, Int64

_LARGEST = 4096  # items of a cluster that are compared at a time


class Neighbours(NamedTuple):
    """Pairs distance << 32 | item, int64 (n, k), rising, and how many each item has, int64 (n,)."""

    pairs: Int64
    counts: Int64


def neighbours(
    codes: Bytes, squares: Float32, lifts: Float32, dims: int, clusters: Clusters, k: int
) -> tuple[Neighbours, Int32]:
    """The k nearest of each item among those that share one of its clusters, and the item nearest to each centre."""
    n, several = clusters.nearest.shape
    flat = clusters.nearest.ravel()
    order = np.argsort(flat, kind="stable")
    bounds = np.searchsorted(flat[order], np.arange(len(clusters.centres) + 1))
    members = (order // several).astype(np.int64)
    found = Neighbours(np.empty((n, k), np.int64), np.zeros(n, np.int64))
    seeds: list[int] = []
    for c, centre in enumerate(clusters.centres):
        inside = members[bounds[c] : bounds[c + 1]]
        if not len(inside):
            continue
        there = points(codes[inside], dims)
        seeds.append(int(inside[np.argmin(((there - centre) ** 2).sum(axis=1))]))
        if len(lifts) > 0:
            there = np.hstack((there, lifts[inside, None]))
        parts = [slice(start, start + _LARGEST) for start in range(0, len(inside), _LARGEST)]
        for rows, columns in product(parts, parts):
            distances = there[rows] @ there[columns].T
            distances *= -2
            distances += squares[inside[rows], None]
            distances += squares[inside[columns]]
            np.clip(distances, 0, FAR, out=distances)
            _merge(distances, inside[rows], inside[columns], found.pairs, found.counts)
    return found, np.unique(np.array(seeds, np.int32))


@compiled()
def _merge(distances: Float32, rows: Int64, columns: Int64, pairs: Int64, counts: Int64) -> None:
    """Put what is near into the lists of ``rows``; distances (rows, columns)."""
    k = pairs.shape[1]
    for a in range(len(rows)):
        item, count = rows[a], counts[rows[a]]
        mine = pairs[item]
        limit = np.float32(mine[k - 1] >> 32) if count == k else np.float32(np.inf)
        for b in range(len(columns)):
            if distances[a, b] >= limit or columns[b] == item:
                continue
            pair = (np.int64(distances[a, b]) << 32) | columns[b]
            at: Whole = 0
            for i in range(count):
                at += np.int64(mine[i] < pair)
            if at < count and mine[at] == pair:
                continue
            if count < k:
                count += 1
            elif at == k:
                continue
            for i in range(count - 1, at, -1):
                mine[i] = mine[i - 1]
            mine[at] = pair
            if count == k:
                limit = np.float32(mine[k - 1] >> 32)
        counts[item] = count
