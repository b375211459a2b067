"""Items that come and go: links for new nodes, and around removed ones."""

from __future__ import annotations

import numpy as np

from similia.index.exact import Float64
from similia.index.graph.coding import Int8
from similia.index.graph.prune import ITEM, Int32, Real, Whole, apart, prune, signed
from similia.index.graph.walk import ENTRIES, PAIR, enter, item_of, walk
from similia.index.kernels.cache import compiled
from similia.types import Bool, Bytes, Float32


@compiled()
def link_new(
    links: Int32,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    scale: Real,
    seeds: Int32,
    seed_codes: Bytes,
    seed_squares: Float32,
    alive: Bool,
    size: Whole,
    bits: Whole,
    alpha: Real,
    first: Whole,
    last: Whole,
) -> None:
    """Link the nodes ``first`` to ``last``, one after another, to those before them, and those back to them.

    Arguments as in `similia.index.graph.link`, but ``links`` itself changes.
    """
    degree, width = links.shape[1], codes.shape[1]
    pool, pairs = np.empty(size + 1, np.int64), np.empty(size + degree + 1, np.int64)
    fresh, entries = np.empty(PAIR * degree + 1, np.int32), np.empty(PAIR * degree + 1, np.int64)
    kept, numbers = np.zeros((degree, width), np.int8), np.empty((degree, 3))
    seen, query = np.empty(1 << bits, np.int32), np.zeros(width, np.int8)
    halves = squares.reshape(-1, 1)
    for node in range(first, last):
        excess = signed(codes, node, dims, query)
        address, lift = query.ctypes.data, lifts[node] if len(lifts) > 0 else np.float32(0)
        seen[:] = -1
        count = enter(seeds, seed_codes, seed_squares, address, scale, pool, min(ENTRIES, size))
        count, _ = walk(
            *(codes, halves, links, address, scale, pool, count, size, seen, 32 - bits, fresh, entries),
            *(size + 1, 0.0, 0.0, 0.0),
        )
        found = 0
        for i in range(count):
            item = item_of(pool[i])
            if item != node and alive[item]:
                pairs[found] = apart(codes, squares, lifts, item, query, excess, squares[node], lift) << 32 | item
                found += 1
        ordered = np.sort(pairs[:found])
        prune(node, ordered, found, codes, squares, lifts, dims, alpha, links[node], kept, numbers)
        for i in range(degree):
            if links[node, i] != node:
                _link_one(
                    links, np.int64(links[node, i]), node, codes, squares, lifts, dims, alpha, query, kept, numbers
                )


@compiled()
def _link_one(
    links: Int32,
    node: Whole,
    new: Whole,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    alpha: Real,
    query: Int8,
    kept: Int8,
    numbers: Float64,
) -> None:
    """Give ``node`` a link to ``new``, or the better ones of that and what it has. ``query`` is scratch."""
    degree = links.shape[1]
    for i in range(degree):
        if links[node, i] == new:
            return
        if links[node, i] == node:
            links[node, i] = new
            return
    excess, lift = signed(codes, node, dims, query), lifts[node] if len(lifts) > 0 else np.float32(0)
    pairs = np.empty(degree + 1, np.int64)
    for i in range(degree + 1):
        item = np.int64(links[node, i]) if i < degree else np.int64(new)
        pairs[i] = apart(codes, squares, lifts, item, query, excess, squares[node], lift) << 32 | item
    ordered = np.sort(pairs)
    prune(node, ordered, degree + 1, codes, squares, lifts, dims, alpha, links[node], kept, numbers)


@compiled()
def link_around(
    links: Int32, codes: Bytes, squares: Float32, lifts: Float32, dims: Whole, alpha: Real, alive: Bool
) -> None:
    """Replace links to removed nodes by links to what those led to; a removed node keeps none.

    Source: the consolidation of Singh et al., *FreshDiskANN* (2021), algorithm 4.
    """
    n, degree = links.shape
    pairs = np.empty(degree * (degree + 1), np.int64)
    kept, numbers = np.zeros((degree, codes.shape[1]), np.int8), np.empty((degree, 3))
    query = np.zeros(codes.shape[1], np.int8)
    for node in range(n):
        broken = False
        for i in range(degree):
            broken |= not alive[links[node, i]]
        if not broken or not alive[node]:
            continue
        excess, lift = signed(codes, node, dims, query), lifts[node] if len(lifts) > 0 else np.float32(0)
        found = 0
        for i in range(degree):
            near = np.int64(links[node, i])
            if near == node:
                continue
            if alive[near]:
                pairs[found] = apart(codes, squares, lifts, near, query, excess, squares[node], lift) << 32 | near
                found += 1
                continue
            for j in range(degree):
                far = np.int64(links[near, j])
                if alive[far] and far != node:
                    pairs[found] = apart(codes, squares, lifts, far, query, excess, squares[node], lift) << 32 | far
                    found += 1
        ordered = np.sort(pairs[:found])
        distinct = 0
        for i in range(found):
            if i == 0 or ordered[i] != ordered[i - 1]:
                ordered[distinct] = ordered[i]
                distinct += 1
        if distinct <= degree:
            for i in range(degree):
                links[node, i] = ordered[i] & ITEM if i < distinct else node
        else:
            prune(node, ordered, distinct, codes, squares, lifts, dims, alpha, links[node], kept, numbers)
    for node in range(n):
        if not alive[node]:
            links[node, :] = node
