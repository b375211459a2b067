"""The walk: from good entries, again and again the neighbours of the most similar items that were not opened yet.

The pool holds the best so far, best first, as one int64 each: score << 32 | item << 1 | opened. What was seen already
is remembered in a small table that forgets (an item overwrites another with the same place): an item that is scored
twice does no harm, since a pool never holds it twice, and the table stays in the nearest cache however many items there
are.

How far a walk goes is measured by what it found: it ends where the next item is farther than the k-th best by more than
a share. So an easy query opens few items and a hard one, of which many lie about as near, opens many.

Source: Al-Jazzazi et al., *Distance Adaptive Beam Search for Provably Accurate Graph-Based Nearest Neighbor Search*
(NeurIPS 2025, arXiv 2505.15636), which is given here two bounds: what is kept, and how many at most.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from similia.index.exact import Float64
from similia.index.graph.coding import Int8
from similia.index.graph.prune import Int32, Real, Whole
from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import dot_codes, prefetch
from similia.index.kernels.emit import I8, I64, Value, function, intrinsic, number, pointer
from similia.types import Bytes, Float32, Int64

NONE = -(2**63)
_LOWEST = -2e9  # a score below all
PAIR = 2  # nodes that are opened at a time: memory answers for both at once
ENTRIES = 2  # seeds that a walk starts from
_SPREAD = 2654435769  # 2^32 over the golden ratio


@compiled(inline="always")
def item_of(entry: Whole) -> Whole:
    """The item of a pool entry."""
    return (entry >> 1) & 0x7FFFFFFF


@compiled(inline="always")
def place(item: Whole, shift: Whole) -> Whole:
    """Where the table remembers an item."""
    return ((np.int64(item) * _SPREAD) & 0xFFFFFFFF) >> shift


@compiled(inline="always")
def score(codes: Bytes, halves: Float32, item: Whole, query: Whole, scale: Real) -> Whole:
    """The similarity of an item, up to a factor and a term that are the query's own."""
    width = codes.shape[1]
    product = np.int64(dot_codes(np.uint64(codes.ctypes.data + item * width), np.uint64(query), width))
    if scale > 0:
        product -= np.int64(min(halves[item, halves.shape[1] - 1] * scale, np.float32(1e9)))
    return product


@intrinsic
def slide(context: Any, address: Any, count: Any) -> Any:
    """``(address, count)``: move so many int64 one place up."""

    def build(target: Any, builder: Value, _: Any, given: list[Value]) -> Value:
        start, places = given
        source = pointer(builder, start, 0, I8)
        move = function(builder, "llvm.memmove.p0.p0.i64", ir.VoidType(), source.type, source.type, I64, ir.IntType(1))
        size = builder.shl(places, number(3))
        builder.call(move, [pointer(builder, start, 8, I8), source, size, number(0, ir.IntType(1))])
        return target.get_dummy_value()

    return types.void(types.uint64, types.int64), build


@compiled(inline="always")
def insert(pool: Int64, count: Whole, size: Whole, entry: Whole) -> tuple[Whole, Whole]:
    """Put an entry into the pool; returns how many there are then, and its place, or that number if it has none."""
    at: Whole = 0
    for i in range(count):
        at += np.int64(pool[i] > entry)  # counting is faster than halving: no branch to mispredict
    if at < count and pool[at] >> 1 == entry >> 1:
        return count, count
    if at > 0 and pool[at - 1] >> 1 == entry >> 1:
        return count, count
    if count < size:
        count += 1
    elif at == size:
        return count, count
    slide(np.uint64(pool.ctypes.data) + np.uint64(8 * at), count - 1 - at)
    pool[at] = entry
    return count, at


@compiled()
def enter(seeds: Int32, codes: Bytes, halves: Float32, query: Whole, scale: Real, pool: Int64, size: Whole) -> Whole:
    """Put the ``size`` most similar seeds, of codes and halves of their own, into an empty pool; returns how many."""
    count: Whole = 0
    for i in range(len(seeds)):
        entry = (score(codes, halves, i, query, scale) << 32) | (np.int64(seeds[i]) << 1)
        if count < size or entry > pool[count - 1]:
            count, _ = insert(pool, count, size, entry)
    return count


@compiled()
def walk(
    codes: Bytes,
    halves: Float32,
    links: Int32,
    query: Whole,
    scale: Real,
    pool: Int64,
    count: Whole,
    size: Whole,
    seen: Int32,
    shift: Whole,
    fresh: Int32,
    entries: Int64,
    near: Whole,
    top: Real,
    reach: Real,
    spare: Real,
) -> tuple[Whole, Whole]:
    """Widen a pool of ``count`` entries to the best that a walk finds; returns how many, and how many were scored.

    Once there are ``near`` entries, the worst of these is a yardstick: what falls short of the score at no distance,
    ``top``, by ``1 + reach`` times as much as that is not opened any more, and by ``1 + reach + spare`` times, not
    kept. At most ``size`` are. With a greater ``near``, the walk ends when all ``size`` are opened.

    ``halves`` is float32 (n, any): the last of a row, times ``scale`` (at least 0), is taken off the item's score.
    ``query`` is the address of a code as long as the items' rows, ``seen`` int32 (2^(32 - shift),) and all -1, ``pool``
    int64 and at least ``size`` long. ``fresh`` int32 and ``entries`` int64, both (PAIR · degree + 1,), are scratch.
    """
    degree, width = links.shape[1], codes.shape[1]
    scored: Whole = 0
    at: Whole = 0
    limit: Whole = NONE
    low: Whole = NONE
    for i in range(count):
        seen[place(item_of(pool[i]), shift)] = item_of(pool[i])
    while at < count and pool[at] >= limit:
        new: Whole = 0
        taken, i = 0, at
        while i < count and taken < PAIR and pool[i] >= limit:
            if not pool[i] & 1:
                node = item_of(pool[i])
                pool[i] |= 1
                taken += 1
                for j in range(degree):
                    item = links[node, j]
                    where = place(item, shift)
                    fresh[new] = item
                    new += np.int64(seen[where] != item)
                    seen[where] = item
            i += 1
        for j in range(new):
            start = codes.ctypes.data + np.int64(fresh[j]) * width
            for line in range(0, width, 64):
                prefetch(np.uint64(start + line))
        scored += new
        least = low if count < size else max(low, pool[count - 1])
        better: Whole = 0
        for j in range(new):
            entry = (score(codes, halves, np.int64(fresh[j]), query, scale) << 32) | (np.int64(fresh[j]) << 1)
            entries[better] = entry
            better += np.int64(entry > least)
        first = i
        for j in range(better):
            if count == size and entries[j] <= pool[count - 1]:
                continue
            count, put = insert(pool, count, size, entries[j])
            if put < count:
                row = links.ctypes.data + item_of(entries[j]) * degree * 4
                for line in range(0, degree * 4, 64):
                    prefetch(np.uint64(row + line))
                first = min(first, put)
        if count >= near:
            worst = np.float64(pool[near - 1] >> 32)
            short = max(top - worst, 0.0)
            limit = np.int64(max(worst - reach * short, _LOWEST)) << 32
            low = np.int64(max(worst - (reach + spare) * short, _LOWEST)) << 32
            while pool[count - 1] < low:
                count -= 1
        at = first
        while at < count and pool[at] & 1:
            at += 1
    return count, scored


@compiled()
def search(
    codes: Bytes,
    halves: Float32,
    links: Int32,
    seeds: Int32,
    seed_codes: Bytes,
    seed_halves: Float32,
    queries: Int8,
    scales: Float32,
    tops: Float64,
    near: Whole,
    reach: Real,
    spare: Real,
    size: Whole,
    bits: Whole,
    found: Int32,
    estimates: Float32,
    counts: Int64,
) -> Whole:
    """The best of each query that a walk finds, best first; arguments as its; returns the number of scores.

    ``found`` int32 (q, size), -1 where there is none; ``estimates`` float32 (q, size), their scores; ``counts`` (q,).
    """
    degree, scored = links.shape[1], len(queries) * len(seeds)
    pool = np.empty(size + 1, np.int64)
    fresh, entries = np.empty(PAIR * degree + 1, np.int32), np.empty(PAIR * degree + 1, np.int64)
    seen = np.empty(1 << bits, np.int32)
    starts = np.empty((len(queries), ENTRIES), np.int64)
    firsts = np.empty(len(queries), np.int64)
    for q in range(len(queries)):
        query = queries.ctypes.data + q * queries.shape[1]
        counts[q] = enter(seeds, seed_codes, seed_halves, query, scales[q], starts[q], min(ENTRIES, size))
        firsts[q] = item_of(starts[q, 0])
    # Queries that begin in one region read the same memory: one after another, they find it in the cache.
    for q in np.argsort(firsts):
        query = queries.ctypes.data + q * queries.shape[1]
        count = counts[q]
        pool[:count] = starts[q, :count]
        seen[:] = -1
        count, more = walk(
            *(codes, halves, links, query, scales[q], pool, count, size, seen, 32 - bits, fresh, entries),
            *(near, tops[q], reach, spare),
        )
        scored += more
        counts[q] = count
        for i in range(count):
            found[q, i] = item_of(pool[i])
            estimates[q, i] = np.float32(pool[i] >> 32)
        found[q, count:] = -1
    return scored
