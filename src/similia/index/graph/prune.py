"""Which links a node keeps: near ones, and none that another kept one leads to as well.

Distances are squared Euclidean ones between items, estimated from their codes: ``|a|² + |b|² - 2 a·b``, in squares of
the coder's step. The rule is the robust prune of Subramanya et al., *DiskANN* (NeurIPS 2019): of candidates by rising
distance d from the node, keep one unless ``alpha · d(kept, candidate) <= d`` for one that is kept; first with alpha 1,
so that every direction has its link, then with the alpha given, while there is room.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.index.exact import Float64
from similia.index.graph.coding import Int8
from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import dot_codes
from similia.types import Bytes, Float32, Int64

Int32: TypeAlias = npt.NDArray[np.int32]
Whole: TypeAlias = Any  # what Numba takes for an int: Python's or NumPy's
Real: TypeAlias = Any

FAR = 2e9  # what distances are cut to, so that one and an item fit an int64
ITEM = 2**31 - 1  # mask of the item in such a pair


@compiled()
def signed(codes: Bytes, item: Whole, dims: Whole, out: Int8) -> Whole:
    """Write an item's code as a query would be; returns 128 times its sum, by which its products are too large."""
    total: Whole = 0
    for i in range(dims):
        value = np.int8(np.int32(codes[item, i]) - 128)
        out[i] = value
        total += np.int64(value)
    return 128 * total


@compiled()
def apart(
    codes: Bytes, squares: Float32, lifts: Float32, item: Whole, other: Int8, excess: Real, square: Real, lift: Real
) -> Whole:
    """The distance of an item from another, of which `signed` and the square and the lift are given."""
    product = dot_codes(np.uint64(codes.ctypes.data + item * codes.shape[1]), np.uint64(other.ctypes.data), len(other))
    of = lifts[item] if len(lifts) > 0 else np.float32(0)
    distance = np.float64(squares[item]) + square - 2 * (product - excess + of * lift)
    return np.int64(min(max(distance, 0.0), FAR))


@compiled()
def prune(
    node: Whole,
    pairs: Int64,
    count: Whole,
    codes: Bytes,
    squares: Float32,
    lifts: Float32,
    dims: Whole,
    alpha: Real,
    row: Int32,
    kept: Int8,
    numbers: Float64,
) -> Whole:
    """Fill a row of links from the first ``count`` of ``pairs``: distance << 32 | item, rising, without the node.

    What is not filled holds the node itself. ``kept`` int8 (degree, width) and ``numbers`` float64 (degree, 3) are
    scratch. Returns the number of links.
    """
    links, degree = 0, len(row)
    settled = np.zeros(count, np.uint8)
    for strict in (1.0, alpha):
        for c in range(count):
            if links == degree:
                break
            item = pairs[c] & ITEM
            if settled[c] or (c > 0 and item == pairs[c - 1] & ITEM):
                continue
            limit, near = np.float64(pairs[c] >> 32), True
            for j in range(links):
                between = apart(codes, squares, lifts, item, kept[j], numbers[j, 0], numbers[j, 1], numbers[j, 2])
                if strict * between <= limit:
                    near = False
                    settled[c] = alpha * between <= limit  # then the second round would not keep it either
                    break
            if near:
                row[links] = item
                settled[c] = 1
                numbers[links, 0] = signed(codes, item, dims, kept[links])
                numbers[links, 1] = squares[item]
                numbers[links, 2] = lifts[item] if len(lifts) > 0 else np.float32(0)
                links += 1
    for j in range(links, degree):
        row[j] = node
    return links
