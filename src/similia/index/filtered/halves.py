"""The graphs of halves: each layer links items within ranges half as long as those of the layer above."""

from __future__ import annotations

import numpy as np

from similia.index.filtered.links import linked, listed, untagged
from similia.index.filtered.walk import Rule, Scratch, walk
from similia.index.graph.prune import Int32, Whole
from similia.index.kernels.cache import compiled
from similia.types import Float32

_ENTRIES = 6  # of a half, that a walk starts from


def build(points: Float32, degree: int, beam: int) -> Int32:
    """Links int32 (layers, n, degree) of points in the order of their attribute; the first layer has one range.

    The ranges of the last layer are short enough to compare all with all. In each layer above, an item has the links
    that it had below, and the nearest that a walk finds in the other half.
    """
    n = len(points)
    depth = max(0, int(np.ceil(np.log2(max(1, n) / (2 * degree)))))
    layers = np.tile(np.arange(n, dtype=np.int32)[:, None], (depth + 1, 1, degree)).reshape(depth + 1, n, degree)
    if n < 2:
        return layers
    first, last = bounds(n, depth)
    sizes = (last - first).astype(np.int64)
    own = np.repeat(np.arange(n), sizes)
    steps = np.arange(len(own)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    everyone = listed(own.astype(np.int32), (np.repeat(first, sizes) + steps).astype(np.int32))
    layers[depth] = linked(points, *everyone, untagged(n), degree)
    for layer in range(depth - 1, -1, -1):
        first, last = bounds(n, layer)
        other = across(points, layers[layer + 1 : layer + 2], first, last, beam)
        found = np.concatenate((other, layers[layer + 1]), axis=1)
        nodes = np.repeat(np.arange(n, dtype=np.int32), found.shape[1])
        layers[layer] = linked(points, *listed(nodes, found.ravel()), untagged(n), degree)
    return layers


def bounds(n: int, layer: int) -> tuple[Int32, Int32]:
    """First and last + 1 of the range of each item in a layer, int32 (n,) each.

    Examples:
        >>> [array.tolist() for array in bounds(5, 1)]
        [[0, 0, 2, 2, 2], [2, 2, 5, 5, 5]]
    """
    items = np.arange(n, dtype=np.int32)
    first, last = np.zeros(n, np.int32), np.full(n, n, np.int32)
    for _ in range(layer):
        middle = (first + last) >> 1
        left = items < middle
        first, last = np.where(left, first, middle), np.where(left, middle, last)
    return first.astype(np.int32), last.astype(np.int32)


@compiled()
def across(points: Float32, layers: Int32, firsts: Int32, lasts: Int32, size: Whole) -> Int32:
    """The nearest of each item in the other half of its range, as a walk finds them; the item itself where too few.

    Args:
        points: (n, d).
        layers: (1, n, degree), links within the halves.
        firsts: (n,), where the range of each begins.
        lasts: (n,), one after where it ends.
        size: nodes that a walk keeps in view.
    """
    n, degree = layers.shape[1], layers.shape[2]
    found, every = np.empty((n, size), np.int32), np.ones(n, np.bool_)
    marks = np.zeros((2, n), np.int32)
    scratch = Scratch(
        marks[0], marks[1], np.empty(n, np.float32), np.empty(n + 1, np.int64), np.empty(size + 1, np.int64),
        np.empty(degree + 2, np.int32), np.empty(1, np.float32),
    )  # fmt: skip
    rule, starts, rest = Rule(degree, degree, 0, 0, 0), np.empty(_ENTRIES, np.int32), np.empty(0, np.int32)
    for node in range(n):
        middle = (firsts[node] + lasts[node]) >> 1
        first, last = (middle, lasts[node]) if node < middle else (firsts[node], middle)
        for i in range(_ENTRIES):
            starts[i] = first + (last - first - 1) * i // max(1, _ENTRIES - 1)
        given = (points, layers, rule, every, every, rest, starts, points[node])
        count, _, _ = walk(*given, size, 2**62, node + 1, node + 1, scratch)
        found[node] = node
        for i in range(count):
            found[node, i] = scratch.best[i] & 0x7FFFFFFF
    return found
