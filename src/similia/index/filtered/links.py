"""Links made from candidates: which of them a node keeps, and the way back.

Candidates are lists one after another: those of node i are ``items[starts[i]:starts[i + 1]]``, in any order.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.index.exact import ExactIndex
from similia.index.filtered.walk import apart, entry_of, item_in
from similia.index.graph import GraphIndex
from similia.index.graph.prune import Int32, Real, Whole
from similia.index.kernels.cache import compiled
from similia.types import Float32, Int64

Tags: TypeAlias = npt.NDArray[np.uint64]

ALPHA = 1.3  # by how much less far a kept neighbour must be, in squares; 1.2 in DiskANN is of distances
_COMPARED = 4_096  # of fewer points all are compared with all


@compiled()
def covered(tags: Tags, node: Whole, item: Whole, kept: Whole) -> bool:
    """Whether the kept neighbour has every tag that the node and the item share, so that no search is led astray."""
    missing = np.uint64(0)
    for word in range(tags.shape[1]):
        missing |= tags[node, word] & tags[item, word] & ~tags[kept, word]
    return bool(missing == 0)


@compiled()
def thinned(points: Float32, starts: Int64, items: Int32, tags: Tags, degree: Whole, alpha: Real) -> Int32:
    """Links int32 (n, degree) by the robust prune, a row filled up with the node itself.

    Of candidates by rising distance, one is kept unless a kept one is nearer to it, by ``alpha``, than the node is, and
    has the tags that node and candidate share: FilteredRobustPrune of Gollapudi et al., *Filtered-DiskANN* (WWW 2023).
    First with an alpha of 1, so that each direction has its link, then, while there is room, with the one given.

    Args:
        points: (n, d).
        starts: (n + 1,), where the candidates of each begin.
        items: the candidates.
        tags: uint64 (n, words), the bits of what a node is tagged with; no words where nothing is.
        degree: links a node, at most.
        alpha: at least 1.
    """
    n = len(points)
    links, bits = np.empty((n, degree), np.int32), np.empty(1, np.float32)
    for node in range(n):
        count = starts[node + 1] - starts[node]
        entries = np.empty(count, np.int64)
        for i in range(count):
            item = items[starts[node] + i]
            entries[i] = entry_of(apart(points, item, points[node]), item, bits)
        entries.sort()
        kept, done = 0, np.zeros(count, np.bool_)
        for strict in (np.float32(1), np.float32(alpha)):
            for i in range(count):
                if kept == degree:
                    break
                item = item_in(entries[i])
                done[i] |= item == node or (i > 0 and entries[i] == entries[i - 1])
                if done[i]:
                    continue
                bits.view(np.int32)[0] = entries[i] >> 32
                distance, near = bits[0], True
                for j in range(kept):
                    other = links[node, j]
                    between = apart(points, item, points[other])
                    if strict * between <= distance and covered(tags, node, item, other):
                        near = False
                        done[i] = alpha * between <= distance  # then the second round would not keep it either
                        break
                if near:
                    links[node, kept] = item
                    done[i] = True
                    kept += 1
        links[node, kept:] = node
    return links


def linked(points: Float32, starts: Int64, items: Int32, tags: Tags, degree: int) -> Int32:
    """Links both ways from candidates, int32 (n, degree)."""
    one_way = thinned(points, starts, items, tags, degree, ALPHA)
    sources = np.repeat(np.arange(len(points), dtype=np.int32), degree)
    return thinned(
        points, *listed(np.r_[sources, one_way.ravel()], np.r_[one_way.ravel(), sources]), tags, degree, ALPHA
    )


def listed(nodes: Int32, items: Int32) -> tuple[Int64, Int32]:
    """Candidates from pairs of a node and an item; all nodes must be there."""
    order = np.argsort(nodes, kind="stable")
    counts = np.bincount(nodes)
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64), items[order].astype(np.int32)


def untagged(n: int) -> Tags:
    """No tags."""
    return np.empty((n, 0), np.uint64)


def near(points: Float32, k: int, seed: int) -> Int32:
    """The k nearest of each point among the others, nearly: int32 (n, min(k, n - 1)), in no order."""
    k = min(k, len(points) - 1)
    if k < 1:
        return np.empty((len(points), 0), np.int32)
    if len(points) > _COMPARED:
        found = GraphIndex(points, metric="l2", seed=seed).search(points, k + 1).ids
    else:
        found = ExactIndex(points, metric="l2").search(points, k + 1).ids
    return others(found)


def others(found: Int64) -> Int32:
    """Lists (n, k + 1) of the nearest of each, without itself: int32 (n, k)."""
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True  # among equal points one may miss itself
    rest: Int32 = found[~own].reshape(len(found), found.shape[1] - 1).astype(np.int32)
    return rest


@compiled()
def compressed(points: Float32, starts: Int64, items: Int32, nearest: Int32, degree: Whole) -> Int32:
    """Links int32 (n, degree) to near ones without those that two steps lead to; a row filled with the node itself.

    As many as there are of the ``nearest`` (n, plain) are kept as they are; of further candidates, one that is among
    the nearest of another that was kept is dropped. Source: Patel et al., *ACORN* (SIGMOD 2024), section 5.2.
    """
    n, plain = nearest.shape
    links, dropped, bits = np.empty((n, degree), np.int32), np.full(n, -1, np.int64), np.empty(1, np.float32)
    for node in range(n):
        count, kept = starts[node + 1] - starts[node], 0
        entries = np.empty(count, np.int64)
        for i in range(count):
            item = items[starts[node] + i]
            entries[i] = entry_of(apart(points, item, points[node]), item, bits)
        entries.sort()
        for i in range(count):
            item = item_in(entries[i])
            if kept == degree:
                break
            if item == node or (i > 0 and entries[i] == entries[i - 1]):
                continue
            if kept >= plain:
                if dropped[item] == node:
                    continue
                for j in range(plain):
                    dropped[nearest[item, j]] = node
            links[node, kept] = item
            kept += 1
        links[node, kept:] = node
    return links
