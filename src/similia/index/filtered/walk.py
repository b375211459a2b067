"""One walk for all filtered searches: what may be entered, what is wanted, and which links are followed.

A walk opens the nearest node that was met and not opened yet, measures what its links lead to, and ends when the
nearest left is further away than the worst of the ``size`` best wanted ones (Malkov and Yashunin, *HNSW*, algorithm 2).
Where a walk runs out of links before it has that many, it enters again at a wanted node that it has not met. So with a
size of all that is wanted nothing is missed, whatever the graph.

Distances are squared Euclidean ones between rows of ``points`` and a query. An entry is distance bits << 32 | item: as
the bits of floats from 0 on rise with them, so do entries, and equal distances go by item.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from similia.index.graph.prune import Int32, Real, Whole
from similia.index.kernels.cache import compiled
from similia.types import Bool, Float32, Int64


class Rule(NamedTuple):
    """Which links of a node are followed.

    Attributes:
        plain: so many links, the first, are never looked through.
        most: nodes taken from the links of one node, at most.
        both: 1 to look through links also where they lead to a node that may be entered.
        low, high: with several layers of links, nodes from low to high - 1 may be entered.
    """

    plain: int
    most: int
    both: int = 0
    low: int = 0
    high: int = 0


class Scratch(NamedTuple):
    """What a walk writes to.

    Attributes:
        seen: int32 (n,), when each node was met last.
        known: int32 (n,), in which query its distance was measured last.
        measured: float32 (n,), that distance.
        waiting: int64 (n + 1,), entries to be opened, a heap.
        best: int64 (size,), complements of the entries found, a heap; afterwards the entries, nearest first.
        fresh: int32, longer than the links that are followed from one node.
        bits: float32 (1,).
    """

    seen: Int32
    known: Int32
    measured: Float32
    waiting: Int64
    best: Int64
    fresh: Int32
    bits: Float32

    @classmethod
    def of(cls, n: int, size: int, widest: int) -> Scratch:
        """For walks among n nodes; stamps and marks begin at 1."""
        marks = np.zeros((2, n), np.int32)
        heaps = np.empty(n + 1, np.int64), np.empty(size + 1, np.int64)
        return cls(
            marks[0], marks[1], np.empty(n, np.float32), *heaps, np.empty(widest + 2, np.int32), np.empty(1, np.float32)
        )


@compiled(fastmath=True)
def apart(points: Float32, item: Whole, query: Float32) -> Real:
    """The squared distance of an item from a query, float32."""
    total = np.float32(0)
    row = points[item]
    for i in range(len(query)):
        difference = row[i] - query[i]
        total += difference * difference
    return total


@compiled()
def entry_of(distance: Real, item: Whole, bits: Float32) -> Whole:
    """An entry; ``bits`` float32 (1,) is scratch."""
    bits[0] = distance
    return np.int64(bits.view(np.int32)[0]) << 32 | np.int64(item)


@compiled(inline="always")
def item_in(entry: Whole) -> Whole:
    """The item of an entry."""
    return entry & 0x7FFFFFFF


@compiled()
def push(heap: Int64, count: Whole, entry: Whole) -> Whole:
    """Add to a heap with its least first; returns how many it holds then."""
    at = count
    while at > 0 and heap[(at - 1) >> 1] > entry:
        heap[at] = heap[(at - 1) >> 1]
        at = (at - 1) >> 1
    heap[at] = entry
    return count + 1


@compiled()
def sink(heap: Int64, count: Whole, entry: Whole) -> None:
    """Put an entry in the place of the least."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        if below + 1 < count and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= entry:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = entry


@compiled()
def through(links: Int32, rule: Rule, node: Whole, may: Bool, seen: Int32, stamp: Whole, fresh: Int32) -> Whole:
    """Fill ``fresh`` with what was not met of a node's links, and of the links of those that may not be entered."""
    degree, new = links.shape[1], 0
    for i in range(degree):
        near = links[node, i]
        if new >= rule.most:
            break
        passing = may[near]
        if seen[near] != stamp:
            seen[near] = stamp
            if passing:
                fresh[new] = near
                new += 1
        elif not rule.both or i < rule.plain:
            continue
        if i < rule.plain or (passing and not rule.both):
            continue
        for j in range(rule.plain if rule.both else degree):
            far = links[near, j]
            if new >= rule.most:
                break
            if may[far] and seen[far] != stamp:
                seen[far] = stamp
                fresh[new] = far
                new += 1
    return new


@compiled()
def within(layers: Int32, rule: Rule, node: Whole, seen: Int32, stamp: Whole, fresh: Int32) -> Whole:
    """The same where each layer halves the range of nodes that links lead to, the whole range first.

    Layers that add nothing to the one below, since the range asked for lies in one half, are skipped; the last that
    counts is the first that lies within the range asked for. Source: Xu et al., *iRangeGraph* (SIGMOD 2025).
    """
    new, taken, first, last = 0, 0, 0, layers.shape[1]
    for layer in range(layers.shape[0]):
        middle = (first + last) >> 1
        low, high = max(first, rule.low), min(last, rule.high)
        half_first, half_last = (first, middle) if node < middle else (middle, last)
        deeper = layer + 1 < layers.shape[0]
        if not deeper or low < half_first or high > half_last:
            for i in range(layers.shape[2]):
                near = layers[layer, node, i]
                if rule.low <= near < rule.high and near != node:
                    taken += 1
                    if seen[near] != stamp:
                        seen[near] = stamp
                        fresh[new] = near
                        new += 1
            if taken >= rule.most or (first >= rule.low and last <= rule.high):
                break
        first, last = half_first, half_last
    return new


@compiled()
def walk(
    points: Float32,
    layers: Int32,
    rule: Rule,
    may: Bool,
    wanted: Bool,
    rest: Int32,
    starts: Int32,
    query: Float32,
    size: Whole,
    budget: Whole,
    stamp: Whole,
    mark: Whole,
    scratch: Scratch,
) -> tuple[Whole, Whole, Whole]:
    """Find the ``size`` nearest wanted nodes; returns how many, distances measured, and nodes opened.

    Args:
        points: (n, d).
        layers: (layers, n, degree), a row filled up with the node itself; one layer is an ordinary graph.
        rule: which links are followed.
        may: (n,), what may be entered; with several layers the rule says it.
        wanted: (n,), what is looked for; all of it may be entered.
        rest: the wanted nodes, where a walk enters again.
        starts: nodes that may be entered.
        query: (d,).
        size: nodes kept in view.
        budget: distances after which no further node is opened.
        stamp: another one for each walk.
        mark: another one for each query; what one walk of a query measured, the next does not measure again.
        scratch: what was found is in its ``best``.
    """
    seen, waiting, best, fresh = scratch.seen, scratch.waiting, scratch.best, scratch.fresh
    held, count, scored, opened, entered = 0, 0, 0, 0, 0
    for i in range(len(starts)):
        if seen[starts[i]] != stamp:
            seen[starts[i]] = stamp
            fresh[0] = starts[i]
            held, count, more = _meet(points, 1, wanted, query, size, mark, held, count, scratch)
            scored += more
    while scored < budget:
        if held == 0:
            while entered < len(rest) and seen[rest[entered]] == stamp:
                entered += 1
            if entered == len(rest) or count == size:
                break
            seen[rest[entered]] = stamp
            fresh[0], new = rest[entered], 1
        else:
            entry = waiting[0]
            if count == size and entry > ~best[0]:
                break
            held -= 1
            if held > 0:
                sink(waiting, held, waiting[held])
            opened += 1
            if layers.shape[0] == 1:
                new = through(layers[0], rule, item_in(entry), may, seen, stamp, fresh)
            else:
                new = within(layers, rule, item_in(entry), seen, stamp, fresh)
        held, count, more = _meet(points, new, wanted, query, size, mark, held, count, scratch)
        scored += more
    best[:count] = np.sort(~best[:count])
    return count, scored, opened


@compiled()
def _meet(
    points: Float32,
    new: Whole,
    wanted: Bool,
    query: Float32,
    size: Whole,
    mark: Whole,
    held: Whole,
    count: Whole,
    scratch: Scratch,
) -> tuple[Whole, Whole, Whole]:
    """Measure what is fresh, and keep what is near enough: to be opened, and, where it is wanted, as found."""
    waiting, best, more = scratch.waiting, scratch.best, 0
    for i in range(new):
        item = scratch.fresh[i]
        if scratch.known[item] != mark:
            scratch.known[item] = mark
            scratch.measured[item] = apart(points, item, query)
            more += 1
        entry = entry_of(scratch.measured[item], item, scratch.bits)
        if count == size and entry > ~best[0]:
            continue
        held = push(waiting, held, entry)
        if wanted[item]:
            if count < size:
                count = push(best, count, ~entry)
            else:
                sink(best, count, ~entry)
    return held, count, more
