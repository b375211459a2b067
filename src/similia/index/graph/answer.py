"""One search from queries to the best items, in one call: codes, walk, and exact scores of what was found."""

from __future__ import annotations

import numpy as np

from similia.index.exact import Float64
from similia.index.graph.aim import aim
from similia.index.graph.prune import Int32, Real, Whole
from similia.index.graph.rescore import rescore
from similia.index.graph.walk import search
from similia.index.kernels.cache import compiled
from similia.types import Bool, Bytes, Float32, Int64

DONE, MORE = -1, -2  # what an answer may be, beside the number of a query that is refused


@compiled()
def answer(
    batch: Float32,
    near: Whole,
    reach: Real,
    spare: Real,
    size: Whole,
    bits: Whole,
    wanted: Bool,
    codes: Bytes,
    halves: Float32,
    links: Int32,
    seeds: Int32,
    seed_codes: Bytes,
    seed_halves: Float32,
    blocks: Float32,
    mean: Float32,
    step: Real,
    length: Real,
    metric: Whole,
    base: Whole,
    given: Whole,
    extra: Whole,
    norms: Float64,
    order: Int64,
    counts: Float32,
    least: Whole,
    enough: Whole,
    positions: Int64,
    scores: Float32,
) -> Whole:
    """The best of each query (q, D), by a walk over all nodes.

    ``wanted`` (n,) are the nodes that may be found; ``near``, ``reach``, ``spare`` and ``size`` are as in `walk`. The
    arrays of the state follow, then what `aim` needs; the rest is as in `rescore`.

    Returns the first query that cannot be searched, or `DONE`, or `MORE` where a query has no direction, or fewer than
    ``enough`` items were found.
    """
    asked, scales = np.empty((len(batch), codes.shape[1]), np.int8), np.empty(len(batch), np.float32)
    tops, lengths = np.empty(len(batch), np.float64), np.empty(len(batch), np.float64)
    wrong = aim(batch, blocks, mean, step, length, metric, asked, counts, scales, tops, lengths)
    if wrong >= 0:
        return wrong
    q = len(batch)
    found, estimates, tallies = np.empty((q, size), np.int32), np.empty((q, size), np.float32), np.empty(q, np.int64)
    search(
        *(codes, halves, links, seeds, seed_codes, seed_halves, asked, scales, tops, near, reach, spare, size, bits),
        *(found, estimates, tallies),
    )
    rescore(
        *(base, given, extra, norms, order, wanted, batch, lengths, metric),
        *(found, estimates, counts, tallies, least, positions, scores),
    )
    return judged(counts, positions, enough)


@compiled()
def judged(counts: Float32, positions: Int64, enough: Whole) -> Whole:
    """`DONE`, or `MORE` where a query counts nothing or has fewer than ``enough`` positions."""
    for q in range(len(counts)):
        if counts[q] == 0 or positions[q, enough - 1] < 0:
            return MORE
    return DONE
