"""A graph over codes: clusters, neighbours within them, links, and one round of walks that finds better ones.

A walk needs links that are near, that differ in direction, and that lead back. Neighbours within overlapping clusters
are found by matrix products, which is far cheaper than finding each by a walk; what they miss, a single walk per node
over the graph so far adds. Every step reads what the one before made and writes something new, so the result does not
depend on the number of threads. How wide a walk is depends on how far the neighbours of its node are from each other:
nodes among which distances differ little get more candidates, and so queries that are unlike the items find their way.

Sources: Subramanya et al., *DiskANN* (NeurIPS 2019) for prune and second pass; Fu et al., *NSG* (VLDB 2019) for a start
from near neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from similia.index.graph.cluster import Clusters, clusters
from similia.index.graph.leaves import Neighbours, neighbours
from similia.index.graph.link import link_back, link_near, link_walked, turned
from similia.index.graph.prune import Int32
from similia.index.graph.reach import reach
from similia.types import Bytes, Float32, Int64

_CLUSTER = 280  # items a cluster, about
_OVERLAP = 3  # clusters that an item is put into
_NEAR = 32  # neighbours that are looked for in them
_CHUNK = 8192  # nodes that a thread takes at a time
_SURE = 16  # neighbours of which the last tells how far a walk goes
ROOM = 4  # times as many items as a walk opens on average, a hard one may open
GROWTH = 16.0  # where it cannot be told; sentence vectors have 12


class Plan(NamedTuple):
    """How a graph is built."""

    degree: int = 32
    beam: int = 96
    alpha: float = 1.15
    seed: int = 0
    threads: int = 1


class Graph(NamedTuple):
    """What building makes: the items in the order of their nodes, and all arrays in that order.

    Attributes:
        order: int64 (n,), the item of each node.
        links: int32 (n, degree), a row filled up with the node itself.
        seeds: int32 (s,), nodes from which walks start.
        growth: within 1 + r times the squared distance of an item are about ``(1 + r) ** growth`` times as many.
    """

    order: Int64
    codes: Bytes
    squares: Float32
    lifts: Float32
    links: Int32
    seeds: Int32
    growth: float


def build(codes: Bytes, squares: Float32, lifts: Float32, dims: int, plan: Plan) -> Graph:
    """Link items, of which codes, squares and lifts are as `Coder.items` gives them."""
    n = len(codes)
    if n == 0:
        order, links, seeds = np.empty(0, np.int64), np.empty((0, plan.degree), np.int32), np.empty(0, np.int32)
        return Graph(order, codes, squares, lifts, links, seeds, GROWTH)
    groups = clusters(codes, dims, max(1, n // _CLUSTER), _OVERLAP, plan.seed)
    order = np.argsort(groups.nearest[:, 0], kind="stable")
    codes, squares = codes[order], squares[order]
    lifts = lifts[order] if len(lifts) > 0 else lifts
    near, seeds = neighbours(codes, squares, lifts, dims, Clusters(groups.centres, groups.nearest[order]), _NEAR)
    links, other = np.empty((n, plan.degree), np.int32), np.empty((n, plan.degree), np.int32)
    space, grows = (codes, squares, lifts, dims), growth(near)
    far = reach_of(plan.beam, _SURE, grows)

    def from_near(first: int, last: int) -> None:
        link_near(near.pairs, near.counts, *space, plan.alpha, first, last, other)

    def from_walks(first: int, last: int) -> None:
        scale = 0.5 if len(lifts) == 0 else 0.0
        starts = (seeds, codes[seeds], squares[seeds, None])
        walks = (_SURE, far, ROOM * plan.beam, table(2 * plan.beam))
        link_walked(links, *space, scale, *starts, *walks, plan.alpha, first, last, other)

    for step in (from_near, from_walks):
        _in_chunks(step, n, plan.threads)
        arriving, sources = turned(other)

        def both_ways(first: int, last: int, arriving: Int64 = arriving, sources: Int32 = sources) -> None:
            link_back(other, arriving, sources, *space, plan.alpha, first, last, links)

        _in_chunks(both_ways, n, plan.threads)
    reach(links, seeds, np.ones(n, np.bool_))
    return Graph(order, codes, squares, lifts, links, seeds, grows)


def reach_of(beam: float, near: float, grows: float) -> float:
    """How much farther than the ``near`` nearest the ``beam`` nearest are, in squared distance; at least 0."""
    return float(max(beam / near, 1.0) ** (1 / grows)) - 1


def growth(near: Neighbours) -> float:
    """How fast items get more with their squared distance, from how far the first and the last neighbours are."""
    whole = near.pairs[near.counts == _NEAR] >> 32
    few, many = whole[:, _NEAR // 4 - 1], whole[:, -1]
    there = few > 0
    if not there.any():
        return GROWTH
    ratio = max(1.0, float(np.median(many[there] / few[there])))
    return min(4 * GROWTH, max(GROWTH / 8, math.log(4) / max(math.log(ratio), 1e-9)))


def _in_chunks(step: Callable[[int, int], None], n: int, threads: int) -> None:
    starts = range(0, n, _CHUNK)
    if threads == 1 or len(starts) == 1:
        for start in starts:
            step(start, min(start + _CHUNK, n))
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(lambda start: step(start, min(start + _CHUNK, n)), starts))


def table(size: int) -> int:
    """Bits of the places of a table that remembers what a walk with a pool of ``size`` has seen."""
    return min(20, max(11, (32 * size - 1).bit_length()))
