"""Kernels that make links: from lists of neighbours, from what a walk finds, and back from where links lead.

Each fills rows ``first`` to ``last`` of ``made`` and only reads the rest, so that several can run at a time and the
result does not depend on how many do. Everywhere ``codes``, ``squares``, ``lifts`` and ``dims`` are as in `prune`.
"""

from __future__ import annotations

import numpy as np

from similia.index.graph.prune import ITEM, Int32, Real, Whole, apart, prune, signed
from similia.index.graph.walk import ENTRIES, PAIR, enter, item_of, walk
from similia.index.kernels.cache import compiled
from similia.types import Bytes, Float32, Int64

MOST = 128  # links back that a node chooses from


@compiled()
def link_near(
    pairs: Int64,
    counts: Int64,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    alpha: Real,
    first: Whole,
    last: Whole,
    made: Int32,
) -> None:
    """Links to the neighbours in ``pairs``, as `leaves.neighbours` gives them."""
    kept, numbers = np.empty((made.shape[1], codes.shape[1]), np.int8), np.empty((made.shape[1], 3))
    kept[:] = 0
    for node in range(first, last):
        prune(node, pairs[node], counts[node], codes, squares, lifts, dims, alpha, made[node], kept, numbers)


@compiled()
def link_walked(
    links: Int32,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    scale: Real,
    seeds: Int32,
    seed_codes: Bytes,
    seed_squares: Float32,
    near: Whole,
    reach: Real,
    size: Whole,
    bits: Whole,
    alpha: Real,
    first: Whole,
    last: Whole,
    made: Int32,
) -> None:
    """Links to the best that a walk to each node finds, and to those that it has.

    Squares count ``scale`` times; ``near``, ``reach`` and ``size`` are as in `walk`.
    """
    degree, width = links.shape[1], codes.shape[1]
    pool, pairs = np.empty(size + 1, np.int64), np.empty(size + degree + 1, np.int64)
    fresh, entries = np.empty(PAIR * degree + 1, np.int32), np.empty(PAIR * degree + 1, np.int64)
    kept, numbers = np.zeros((degree, width), np.int8), np.empty((degree, 3))
    seen, query = np.empty(1 << bits, np.int32), np.zeros(width, np.int8)
    halves, share = squares.reshape(-1, 1), 0.5 if len(lifts) == 0 else 1.0
    for node in range(first, last):
        excess = signed(codes, node, dims, query)
        address = query.ctypes.data
        seen[:] = -1
        count = enter(seeds, seed_codes, seed_squares, address, scale, pool, min(ENTRIES, size))
        count, _ = walk(
            *(codes, halves, links, address, scale, pool, count, size, seen, 32 - bits, fresh, entries),
            *(near, excess + share * squares[node], reach, 0.0),
        )
        found = 0
        lift = lifts[node] if len(lifts) > 0 else np.float32(0)
        for i in range(count + degree):
            item = item_of(pool[i]) if i < count else np.int64(links[node, i - count])
            if item != node:
                pairs[found] = apart(codes, squares, lifts, item, query, excess, squares[node], lift) << 32 | item
                found += 1
        ordered = np.sort(pairs[:found])
        prune(node, ordered, found, codes, squares, lifts, dims, alpha, made[node], kept, numbers)


@compiled()
def link_back(
    links: Int32,
    starts: Int64,
    sources: Int32,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    alpha: Real,
    first: Whole,
    last: Whole,
    made: Int32,
) -> None:
    """Links to where a node has one, and back to who has one to it: ``sources[starts[node]:starts[node + 1]]``."""
    degree, width = links.shape[1], codes.shape[1]
    pairs = np.empty(degree + MOST, np.int64)
    kept, numbers, query = np.zeros((degree, width), np.int8), np.empty((degree, 3)), np.zeros(width, np.int8)
    for node in range(first, last):
        excess, found = signed(codes, node, dims, query), 0
        lift = lifts[node] if len(lifts) > 0 else np.float32(0)
        for i in range(degree):
            if links[node, i] != node:
                item = np.int64(links[node, i])
                pairs[found] = apart(codes, squares, lifts, item, query, excess, squares[node], lift) << 32 | item
                found += 1
        own = found
        for i in range(starts[node], min(starts[node + 1], starts[node] + MOST)):
            item, known = np.int64(sources[i]), False
            for j in range(own):
                known |= pairs[j] & ITEM == item
            if not known:
                pairs[found] = apart(codes, squares, lifts, item, query, excess, squares[node], lift) << 32 | item
                found += 1
        ordered = np.sort(pairs[:found])
        if found <= degree:
            for i in range(degree):
                made[node, i] = ordered[i] & ITEM if i < found else node
        else:
            prune(node, ordered, found, codes, squares, lifts, dims, alpha, made[node], kept, numbers)


@compiled()
def turned(links: Int32) -> tuple[Int64, Int32]:
    """Who has a link to each node: starts (n + 1,), and the sources one after another."""
    n, degree = links.shape
    starts = np.zeros(n + 1, np.int64)
    for node in range(n):
        for i in range(degree):
            if links[node, i] != node:
                starts[links[node, i] + 1] += 1
    for node in range(n):
        starts[node + 1] += starts[node]
    ends, sources = starts[:-1].copy(), np.empty(starts[n], np.int32)
    for node in range(n):
        for i in range(degree):
            if links[node, i] != node:
                sources[ends[links[node, i]]] = node
                ends[links[node, i]] += 1
    return starts, sources
