"""A tile: some queries against some blocks of 16 rows, scored and compared with a threshold each.

Codes of a block lie as (steps, 16, 4): 4 neighbouring bytes of each of 16 rows, then the next 4. So one vector of codes
meets 4 bytes of a query that are repeated 16 times, and a lane of the sums belongs to a row: nothing is added across
lanes, and every code that is read serves all queries of the tile.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from similia.index.kernels import emit
from similia.index.kernels.emit import F32, I16, I64, STEP, Products, Value, intrinsic, load, number, spread, store

_FLOATS = ir.VectorType(F32, 16)
_TERMS = 16  # bytes a query


def _tile(queries: int, blocks: int, *, own: bool = False) -> Any:
    """``(x, q, size, base, rest, terms, out, marks) -> uint64``: scores of queries with blocks, and which are high.

    For query i and row j: ``out[i, j] = scale[i] * (x[j] · q[i] - offset[i]) + base[j] + weight[i] * rest[j]``. Bit j
    of a query's ``marks`` tells whether that is greater than ``least[i]``, and bit ``i * blocks + b`` of what is
    returned whether any row of block b is.

    All arguments but size are addresses: x of the blocks' codes, one block after another; q of int8 queries of
    ``size`` bytes each, a multiple of 16; base and rest of float32 (blocks * 16,), but base (queries, blocks * 16) if
    each query has its ``own``; terms of (queries, 4), float32 scale, weight and least and int32 offset; out of float32
    (queries, blocks * 16); marks of uint16 (queries, blocks).
    """

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        products = emit.products()
        chains = 4 if queries * blocks == 1 else 1
        wide, high = min(queries, products.queries), min(blocks, products.blocks)
        marked = number(0)
        for query in range(0, queries, wide):
            for block in range(0, blocks, high):
                sums = _sums(
                    builder, products, given[:3], range(query, query + wide), range(block, block + high), chains
                )
                for place, total in enumerate(sums):
                    at = query + place // high, block + place % high
                    exact = products.lanes(builder, total)
                    above = builder.icmp_unsigned(
                        "!=", _scored(builder, exact, given[3:], at, blocks, own), number(0, I16)
                    )
                    bit = builder.shl(builder.zext(above, I64), number(at[0] * blocks + at[1]))
                    marked = builder.or_(marked, bit)
        return marked

    @intrinsic
    def tile(context: Any, x: Any, q: Any, size: Any, base: Any, rest: Any, terms: Any, out: Any, marks: Any) -> Any:
        return types.uint64(*[types.uint64] * 8), build

    return tile


def _sums(
    builder: Value, products: Products, given: list[Value], queries: range, blocks: range, chains: int
) -> list[list[Value]]:
    """The products' sums of each query with each block, in one loop over the steps.

    A step's sums wait for those of the step before. Where there are few of them, ``chains`` steps add to sums of their
    own.
    """
    x, q, size = given
    block_bytes = builder.shl(size, number(4))
    rows_at = [builder.add(x, builder.mul(block_bytes, number(block))) for block in blocks]
    query_at = [builder.add(q, builder.mul(size, number(query))) for query in queries]
    before = builder.block
    loop, done = builder.append_basic_block("tile"), builder.append_basic_block("tiled")
    builder.branch(loop)
    builder.position_at_end(loop)
    at, start = builder.phi(I64), products.start()
    sums = [[builder.phi(value.type) for value in start] for _ in range(len(queries) * len(blocks) * chains)]
    after: list[list[Value]] = []
    for chain in range(chains):
        offset = builder.add(at, number(4 * chain))
        along = builder.mul(offset, number(STEP // 4))
        rows = [products.rows(builder, builder.add(address, along)) for address in rows_at]
        for address in query_at:
            query = products.repeated(builder, builder.add(address, offset))
            after += [
                products.step(builder, sums[len(after) + block], rows[block], query) for block in range(len(rows))
            ]
    following = builder.add(at, number(4 * chains))
    at.add_incoming(number(0), before)
    at.add_incoming(following, loop)
    for phis, new in zip(sums, after, strict=True):
        for phi, first, then in zip(phis, start, new, strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(then, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, size), loop, done)
    builder.position_at_end(done)
    each = len(after) // chains
    for more in range(each, len(after), each):
        for place in range(each):
            after[place] = [builder.add(*two) for two in zip(after[place], after[more + place], strict=True)]
    return after[:each]


def _scored(builder: Value, sums: Value, given: list[Value], at: tuple[int, int], blocks: int, own: bool) -> Value:
    """Write the scores and the marks of one query and one block; the marks."""
    base, rest, terms, out, marks = given
    query, block = at
    place = 64 * (query * blocks + block)
    scale, weight, least = (load(builder, terms, query * _TERMS + 4 * i, F32) for i in range(3))
    offset = load(builder, terms, query * _TERMS + 12, emit.I32)
    exact = builder.sitofp(builder.sub(sums, spread(builder, offset, 16)), _FLOATS)
    fused = emit.function(builder, "llvm.fmuladd.v16f32", _FLOATS, _FLOATS, _FLOATS, _FLOATS)
    score = builder.call(
        fused, [exact, spread(builder, scale, 16), load(builder, base, place if own else 64 * block, _FLOATS)]
    )
    score = builder.call(fused, [load(builder, rest, 64 * block, _FLOATS), spread(builder, weight, 16), score])
    store(builder, score, out, place)
    above = builder.bitcast(builder.fcmp_ordered(">", score, spread(builder, least, 16)), I16)
    store(builder, above, marks, place // 32)
    return above


QUERIES, PAIR, STRIP = 8, 2, 4
tile_many = _tile(QUERIES, PAIR)
tile_more = _tile(QUERIES, PAIR, own=True)
tile_one = _tile(1, STRIP)
tile_block = _tile(1, 1)


@intrinsic
def first_bit(context: Any, marks: Any) -> Any:
    """``(marks) -> int64``: the place of the lowest bit of a uint64 that is not 0."""

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        count = emit.function(builder, "llvm.cttz.i64", I64, I64, ir.IntType(1))
        return builder.call(count, [given[0], number(1, ir.IntType(1))])

    return types.int64(types.uint64), build
