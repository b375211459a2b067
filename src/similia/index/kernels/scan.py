"""The scan of all codes: the best of every query with a margin, or all that reach a threshold.

A row's codes are in two parts. The head of every row is read; the tail only of blocks in which some row could still be
good enough if its tail pointed just where the query's does (by Cauchy-Schwarz: the product of the two lengths, which
is ``weight * rest``). Scores are approximate; the gaps say by how much, and what is kept and dropped follows from
them (see `similia.index.scan`).

Shared arguments: ``heads`` and ``tails`` uint8 (blocks, size * 16), packed as `tile` reads them, blocks a multiple of
4; ``head_queries`` and ``tail_queries`` int8 (q + 8, size) of which q count; ``head_terms`` and ``tail_terms`` float32
(q + 8, 4): scale, weight, least and (as int32) offset; ``base`` and ``rest`` float32 (blocks * 16,), -inf in base for
what must not be found. The least of what follows the q queries is infinite.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import prefetch
from similia.index.kernels.tile import PAIR, QUERIES, STRIP, first_bit, tile_block, tile_many, tile_more, tile_one
from similia.types import Bytes, Float32, Int64

Int8 = npt.NDArray[np.int8]
Int32 = npt.NDArray[np.int32]
Words = npt.NDArray[np.uint16]

_ALONE = 6  # fewer queries than this are scanned one by one
_MANY = 32  # with more queries than this, some will want the tails of any block
_FEW = 3  # more blocks of a tile than this are read together
_ONE = np.uint64(1)
_LEAST = 2  # the place of the least score in the terms


@compiled()
def scan_best(
    heads: Bytes,
    tails: Bytes,
    head_queries: Int8,
    tail_queries: Int8,
    head_terms: Float32,
    tail_terms: Float32,
    base: Float32,
    rest: Float32,
    gaps: Float32,
    best: Float32,
    scores: Float32,
    items: Int32,
    tally: Int64,
    floor: Float32,
) -> None:
    """The candidates of each query: all rows but those that cannot be among its k best, and those for want of space.

    ``gaps`` (q, 3) are how far below the k-th best score a head, and a whole row, may lie, and how far below the score
    of a row its head may. ``best`` (q, k), -inf, becomes a heap of the k best scores; ``scores`` and ``items``
    (q, space) become the candidates, in no order, and ``tally`` (q,), 0, how many; ``floor`` (q,), -inf, the best score
    of what was dropped for want of space. With infinite gaps the least scores of the terms stay as they are, as a range
    search wants them.
    """
    out, marks = np.empty((QUERIES * PAIR, 16), np.float32), np.zeros(QUERIES * PAIR, np.uint16)
    count, tailed = len(tally), tails.shape[1] > 0
    several = _together(count)
    for block in range(0, len(heads), PAIR):
        start = 0
        while start < count:
            high = PAIR
            if start < several:
                wide = QUERIES
                if count > _MANY:
                    _fetch(heads, block + PAIR, start, count)
                    _fetch(tails, block + PAIR, start, count)
                hit = _heads(True, heads, block, head_queries, start, head_terms, base, rest, out, marks)
            elif block % STRIP == 0:
                wide, high = 1, STRIP
                hit = _heads(False, heads, block, head_queries, start, head_terms, base, rest, out, marks)
            else:
                break
            if hit and tailed:
                hit = _tails(tails, block, high, tail_queries, start, tail_terms, rest, out, marks, hit)
            while hit:
                place = first_bit(hit)
                hit &= hit - _ONE
                query, at, mark = start + place // high, (block + place % high) * 16, np.uint64(marks[place])
                while mark:
                    lane = first_bit(mark)
                    mark &= mark - _ONE
                    if out[place, lane] > tail_terms[query, _LEAST]:
                        _keep(out[place, lane], at + lane, query, gaps, best, scores, items, tally, floor, tail_terms)
                        limit = max(best[query, 0] - gaps[query, 0], floor[query] - gaps[query, 2])
                        head_terms[query, _LEAST] = max(head_terms[query, _LEAST], limit)
            start += wide


@compiled(inline="always")
def _fetch(codes: Bytes, block: int, start: int, count: int) -> None:
    """Ask for some of two blocks that are read next: so much as falls to the queries of one tile, of ``count``."""
    if block < len(codes):
        size = PAIR * codes.shape[1]
        first = codes.ctypes.data + block * codes.shape[1]
        for line in range(start * size // count // 64 * 64, (start + QUERIES) * size // count, 64):
            prefetch(np.uint64(first + line))


@compiled()
def _together(count: int) -> int:
    """How many of ``count`` queries go through tiles of several."""
    over = count % QUERIES
    return count - over + (QUERIES if over >= _ALONE else 0)


@compiled(inline="always")
def _heads(
    many: bool,
    heads: Bytes,
    block: int,
    queries: Int8,
    query: int,
    terms: Float32,
    base: Float32,
    rest: Float32,
    out: Float32,
    marks: Words,
) -> Any:
    """Score the heads of some blocks for some queries; which are above, as bits."""
    x = np.uint64(heads.ctypes.data + block * heads.shape[1])
    q = np.uint64(queries.ctypes.data + query * queries.shape[1])
    size = np.uint64(queries.shape[1])
    start, extra = np.uint64(base.ctypes.data + block * 64), np.uint64(rest.ctypes.data + block * 64)
    own, result = np.uint64(terms.ctypes.data + query * 16), np.uint64(out.ctypes.data)
    if many:
        return tile_many(x, q, size, start, extra, own, result, np.uint64(marks.ctypes.data))
    return tile_one(x, q, size, start, extra, own, result, np.uint64(marks.ctypes.data))


@compiled(inline="always")
def _tails(
    tails: Bytes,
    block: int,
    high: int,
    queries: Int8,
    start: int,
    terms: Float32,
    rest: Float32,
    out: Float32,
    marks: Words,
    hit: Any,
) -> Any:
    """Add the tails where a head is above, and mark what is above then; which are, as bits."""
    x, extra = tails.ctypes.data + block * tails.shape[1], rest.ctypes.data + block * 64
    q, size = queries.ctypes.data + start * queries.shape[1], queries.shape[1]
    own, result, marked = terms.ctypes.data + start * 16, out.ctypes.data, marks.ctypes.data
    few = hit
    for _ in range(_FEW):
        few &= few - _ONE if few else few
    if high == PAIR and few:
        return tile_more(
            *(np.uint64(x), np.uint64(q), np.uint64(size), np.uint64(result), np.uint64(extra), np.uint64(own)),
            *(np.uint64(result), np.uint64(marked)),
        )
    above = np.uint64(0)
    while hit:
        place = first_bit(hit)
        hit &= hit - _ONE
        query, over = place // high, place % high
        scored = np.uint64(result + 64 * place)
        found = tile_block(
            *(np.uint64(x + over * tails.shape[1]), np.uint64(q + query * size), np.uint64(size), scored),
            *(np.uint64(extra + 64 * over), np.uint64(own + 16 * query), scored, np.uint64(marked + 2 * place)),
        )
        above |= found << np.uint64(place)
    return above


@compiled(inline="always")
def _keep(
    score: float,
    item: int,
    query: int,
    gaps: Float32,
    best: Float32,
    scores: Float32,
    items: Int32,
    tally: Int64,
    floor: Float32,
    terms: Float32,
) -> None:
    """Put a candidate of one query on its list, and raise the least score that it keeps."""
    if tally[query] == scores.shape[1]:
        _make_space(query, scores, items, tally, floor, terms)
        if score <= terms[query, _LEAST]:
            return
    scores[query, tally[query]], items[query, tally[query]] = score, item
    tally[query] += 1
    if score > best[query, 0]:
        _sift(score, best[query])
        terms[query, _LEAST] = max(terms[query, _LEAST], best[query, 0] - gaps[query, 1])


@compiled()
def _make_space(query: int, scores: Float32, items: Int32, tally: Int64, floor: Float32, terms: Float32) -> None:
    """Drop what is below the least by now, and what is below the mean if that is not enough."""
    kept = _drop(scores[query], items[query], tally[query], terms[query, _LEAST])
    while 4 * kept > 3 * scores.shape[1]:
        total, worst = 0.0, scores[query, 0]
        for at in range(kept):
            total += scores[query, at]
            worst = min(worst, scores[query, at])
        floor[query] = max(np.float32(total / kept), worst)  # the mean, but something goes whatever it is rounded to
        terms[query, _LEAST] = floor[query]
        kept = _drop(scores[query], items[query], kept, floor[query])
    tally[query] = kept


@compiled()
def _drop(scores: Float32, items: Int32, count: int, limit: float) -> int:
    kept = 0
    for at in range(count):
        if scores[at] > limit:
            scores[kept], items[kept] = scores[at], items[at]
            kept += 1
    return kept


@compiled(inline="always")
def _sift(score: float, heap: Float32) -> None:
    """Replace the least of a heap."""
    at, count = 0, len(heap)
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        if below + 1 < count and heap[below + 1] < heap[below]:
            below += 1
        if heap[below] >= score:
            break
        heap[at] = heap[below]
        at = below
    heap[at] = score
