"""The walk among items that pass a filter, and the scan of them where they are few.

Source: ACORN-1 of Patel et al., *ACORN: Performant and Predicate-Agnostic Search Over Vector Embeddings and Structured
Data* (SIGMOD 2024): the neighbours of a neighbour that does not pass stand in for it.
"""

from __future__ import annotations

import numpy as np

from similia.index.graph.coding import Int8
from similia.index.graph.prune import Int32, Whole
from similia.index.graph.walk import insert, item_of, place, score
from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import prefetch
from similia.types import Bool, Bytes, Float32, Int64

_STARTS = 16  # the best of the entries offered, that a walk starts from
_AHEAD = 16  # nodes whose codes are asked for before they are needed


@compiled()
def search_matching(
    codes: Bytes,
    halves: Float32,
    links: Int32,
    passing: Bool,
    offered: Int32,
    queries: Int8,
    scales: Float32,
    size: Whole,
    bits: Whole,
    found: Int32,
    estimates: Float32,
    counts: Int64,
) -> Whole:
    """The ``size`` best of each query that a walk over passing nodes finds; as `walk.search`.

    ``passing`` (n,) says which nodes pass; ``offered`` are some that do, among which entries are looked for.
    """
    degree, scored = links.shape[1], 0
    pool, fresh = np.empty(size + 1, np.int64), np.empty(degree * (degree + 1) + 1, np.int32)
    seen = np.empty(1 << bits, np.int32)
    shift = 32 - bits
    for q in range(len(queries)):
        query, scale = queries.ctypes.data + q * queries.shape[1], scales[q]
        seen[:] = -1
        count, at = 0, 0
        for i in range(len(offered)):
            if i + _AHEAD < len(offered):
                fetch(codes, np.int64(offered[i + _AHEAD]))
            item = np.int64(offered[i])
            entry = (score(codes, halves, item, query, scale) << 32) | (item << 1)
            count, _ = insert(pool, count, min(_STARTS, size), entry)
        for i in range(count):
            seen[place(item_of(pool[i]), shift)] = item_of(pool[i])
        scored += len(offered)
        while at < count:
            node, new = item_of(pool[at]), 0
            pool[at] |= 1
            for i in range(degree):
                near = np.int64(links[node, i])
                where = place(near, shift)
                if seen[where] == near:
                    continue
                seen[where] = near
                if passing[near]:
                    fresh[new] = near
                    new += 1
                    continue
                for j in range(degree):
                    if new >= 2 * degree:  # enough: more would cost more than it finds
                        break
                    far = np.int64(links[near, j])
                    there = place(far, shift)
                    if passing[far] and seen[there] != far:
                        seen[there] = far
                        fresh[new] = far
                        new += 1
            for i in range(new):
                fetch(codes, np.int64(fresh[i]))
            scored += new
            following = at + 1
            for i in range(new):
                item = np.int64(fresh[i])
                entry = (score(codes, halves, item, query, scale) << 32) | (item << 1)
                if count < size or entry > pool[count - 1]:
                    count, put = insert(pool, count, size, entry)
                    following = min(following, put) if put < count else following
            at = following
            while at < count and pool[at] & 1:
                at += 1
        _hand_out(pool, count, found[q], estimates[q])
        counts[q] = count
    return scored


@compiled()
def scan_matching(
    codes: Bytes,
    halves: Float32,
    nodes: Int32,
    queries: Int8,
    scales: Float32,
    size: Whole,
    found: Int32,
    estimates: Float32,
    counts: Int64,
) -> None:
    """The ``size`` best of ``nodes`` for each query, all of which are scored; as `walk.search`."""
    pool = np.empty(size + 1, np.int64)
    for q in range(len(queries)):
        query, scale, count = queries.ctypes.data + q * queries.shape[1], scales[q], 0
        for i in range(len(nodes)):
            if i + _AHEAD < len(nodes):
                fetch(codes, np.int64(nodes[i + _AHEAD]))
            item = np.int64(nodes[i])
            entry = (score(codes, halves, item, query, scale) << 32) | (item << 1)
            if count < size or entry > pool[count - 1]:
                count, _ = insert(pool, count, size, entry)
        _hand_out(pool, count, found[q], estimates[q])
        counts[q] = count


@compiled(inline="always")
def fetch(codes: Bytes, item: Whole) -> None:
    """Ask for an item's codes."""
    start = codes.ctypes.data + item * codes.shape[1]
    for line in range(0, codes.shape[1], 64):
        prefetch(np.uint64(start + line))


@compiled()
def _hand_out(pool: Int64, count: Whole, found: Int32, estimates: Float32) -> None:
    for i in range(count):
        found[i] = item_of(pool[i])
        estimates[i] = np.float32(pool[i] >> 32)
    found[count:] = -1
