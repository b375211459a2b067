"""No node without a way to it: who cannot be reached from the seeds gets a link from one of its neighbours."""

from __future__ import annotations

import numpy as np

from similia.index.graph.prune import Int32, Whole
from similia.index.kernels.cache import compiled
from similia.types import Bool, Int64


@compiled()
def spread(links: Int32, waiting: Int64, count: Whole, reached: Bool) -> Whole:
    """Mark what can be reached from the first ``count`` of ``waiting``, which is scratch; returns how many more."""
    more = 0
    while count > 0:
        count -= 1
        node = waiting[count]
        for i in range(links.shape[1]):
            item = links[node, i]
            if not reached[item]:
                reached[item] = True
                more += 1
                waiting[count] = item
                count += 1
    return more


@compiled()
def reach(links: Int32, seeds: Int32, alive: Bool) -> Whole:
    """Give every living node that no walk from the seeds can come to a link from a node that one can; returns how many.

    A link goes where a row has room. Where no neighbour has any, a link of the first of them gives way that leads to a
    node with other links to it.
    """
    n, degree = links.shape
    if len(seeds) == 0:
        return 0
    reached, waiting, arriving = np.zeros(n, np.bool_), np.empty(n, np.int64), np.zeros(n, np.int64)
    for node in range(n):
        for i in range(degree):
            arriving[links[node, i]] += links[node, i] != node
    for i in range(len(seeds)):
        reached[seeds[i]] = True
        waiting[i] = seeds[i]
    spread(links, waiting, len(seeds), reached)
    fixed = 0
    safe = np.zeros(n, np.bool_)  # the only way to it was made here
    last: Whole = seeds[0]
    for node in range(n):
        if reached[node] or not alive[node]:
            continue
        source, place = _source(links, node, reached, arriving, safe)
        if source < 0:
            source, place = _source_near(links, last, reached, arriving, safe)
        if source < 0:
            continue
        if links[source, place] != source:
            arriving[links[source, place]] -= 1
        links[source, place] = node
        arriving[node] += 1
        safe[node] = reached[node] = True
        last = node
        waiting[0] = node
        spread(links, waiting, 1, reached)
        fixed += 1
    return fixed


@compiled()
def _source(links: Int32, node: Whole, reached: Bool, arriving: Int64, safe: Bool) -> tuple[Whole, Whole]:
    """A neighbour that can be reached, and the place in its row that the link to ``node`` may take; -1 if none."""
    degree = links.shape[1]
    for i in range(degree):
        near = links[node, i]
        if reached[near] and near != node and links[near, degree - 1] == near:
            for place in range(degree):
                if links[near, place] == near:
                    return near, place
    for i in range(degree):
        near = links[node, i]
        if reached[near] and near != node:
            for place in range(degree - 1, -1, -1):
                if arriving[links[near, place]] > 1 and not safe[links[near, place]]:
                    return near, place
    return -1, -1


@compiled()
def _source_near(links: Int32, start: Whole, reached: Bool, arriving: Int64, safe: Bool) -> tuple[Whole, Whole]:
    """The same for a node without a reached neighbour: any node with room, from ``start`` on."""
    n, degree = links.shape
    for step in range(n):
        node = (start + step) % n
        if not reached[node]:
            continue
        if links[node, degree - 1] == node:
            for place in range(degree):
                if links[node, place] == node:
                    return node, place
    return -1, -1


def reseed(seeds: Int32, alive: Bool) -> Int32:
    """The living of the seeds, or where there is none the first living node; the first of all if none lives."""
    left = seeds[alive[seeds]]
    return left if len(left) else np.flatnonzero(alive)[:1].astype(np.int32)
