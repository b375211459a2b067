"""Queries to codes, compiled: what `Coder.queries` does with NumPy, without a call for each of its steps.

A query's result does not depend on the batch it comes in: every column of the projection adds its products up in one
order.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from similia.index.exact import Float64
from similia.index.graph.coding import FINEST, Int8
from similia.index.graph.prune import Real, Whole
from similia.index.kernels import emit
from similia.index.kernels.cache import compiled
from similia.index.kernels.dots import dot_wide
from similia.index.kernels.emit import F32, I64, Value, intrinsic, load, number, spread, store
from similia.index.kernels.rescore import COSINE, L2
from similia.measure.vectors import TINY
from similia.types import Float32

COLUMNS = 64  # of a projection that are computed at a time
LONGEST = 1e18  # as in `similia.index.inputs`
_TILE = 4  # queries that share what is read of the map
_FLOATS = ir.VectorType(F32, 16)


def _projected(queries: int) -> Any:
    """``(x, map, out, d, wide)``: ``out[i, c] = sum of x[i, j] map[j, c]`` over j below d, for 64 columns c.

    Addresses of float32 x (queries, d), map (d, 64) and out, whose rows are ``wide`` apart.
    """
    parts = range(COLUMNS // 16)

    def build(target: Any, builder: Value, _: Any, given: list[Value]) -> Value:
        x, columns, out, d, wide = given
        fused = emit.function(builder, "llvm.fmuladd.v16f32", _FLOATS, _FLOATS, _FLOATS, _FLOATS)
        rows = [builder.add(x, builder.shl(builder.mul(d, number(i)), number(2))) for i in range(queries)]
        before = builder.block
        loop, done = builder.append_basic_block("rows"), builder.append_basic_block("projected")
        builder.branch(loop)
        builder.position_at_end(loop)
        at = builder.phi(I64)
        sums = [[builder.phi(_FLOATS) for _ in parts] for _ in rows]
        line = builder.add(columns, builder.mul(at, number(4 * COLUMNS)))
        weights = [load(builder, line, 64 * part, _FLOATS) for part in parts]
        after = []
        for row, total in zip(rows, sums, strict=True):
            value = spread(builder, load(builder, builder.add(row, builder.shl(at, number(2))), 0, F32), 16)
            after.append([builder.call(fused, [value, weights[part], total[part]]) for part in parts])
        following = builder.add(at, number(1))
        at.add_incoming(number(0), before)
        at.add_incoming(following, loop)
        for phis, new in zip(sums, after, strict=True):
            for phi, then in zip(phis, new, strict=True):
                phi.add_incoming(emit.zero(_FLOATS), before)
                phi.add_incoming(then, loop)
        builder.cbranch(builder.icmp_unsigned("<", following, d), loop, done)
        builder.position_at_end(done)
        for i, new in enumerate(after):
            place = builder.add(out, builder.shl(builder.mul(wide, number(i)), number(2)))
            for part in parts:
                store(builder, new[part], place, 64 * part)
        return target.get_dummy_value()

    @intrinsic
    def project(context: Any, x: Any, columns: Any, out: Any, d: Any, wide: Any) -> Any:
        return types.void(types.uint64, types.uint64, types.uint64, types.int64, types.int64), build

    return project


_project_one, _project_tile = _projected(1), _projected(_TILE)


def in_blocks(query_map: Float32, width: int) -> Float32:
    """A map (D, r) as it is read: float32 (width / 64, D, 64), with zeros where r ends."""
    wide, r = query_map.shape
    blocks = np.zeros((width // COLUMNS, wide, COLUMNS), np.float32)
    for block, columns in enumerate(blocks):
        part = query_map[:, block * COLUMNS : min(r, (block + 1) * COLUMNS)]
        columns[:, : part.shape[1]] = part
    return blocks


@compiled()
def aim(
    batch: Float32,
    blocks: Float32,
    mean: Float32,
    step: Real,
    length: Real,
    metric: Whole,
    codes: Int8,
    counts: Float32,
    scales: Float32,
    tops: Float64,
    lengths: Float64,
) -> Whole:
    """Write the codes, counts, scales and tops of queries as `Coder.queries` gives them, and their lengths.

    ``blocks`` is what `in_blocks` makes of the query map, ``length`` that of the items. Returns the first query that
    holds NaN or is too long, or -1.
    """
    d, width = batch.shape[1], codes.shape[1]
    rows, projected = np.empty((_TILE, d), np.float32), np.empty((_TILE, width), np.float32)
    exact, centre = np.empty(d, np.float64), mean.astype(np.float64)
    for start in range(0, len(batch), _TILE):
        some = min(_TILE, len(batch) - start)
        for i in range(some):
            query = start + i
            exact[:] = batch[query]
            own = np.sqrt(_product(batch[query], exact))
            if not own <= LONGEST:
                return query
            lengths[query] = own
            scale = 1.0 if metric != COSINE else 1 / own if own >= TINY else 0.0
            for j in range(d):
                value = batch[query, j] - mean[j] if metric == L2 else batch[query, j]
                rows[i, j] = np.float32(np.float64(value) * scale)
            if metric == L2:
                exact[:] = rows[i]
                tops[query] = _product(rows[i], exact) / 2
            else:
                tops[query] = length * own * scale - _product(rows[i], centre)
        x, out = np.uint64(rows.ctypes.data), projected.ctypes.data
        for block in range(len(blocks)):
            columns, to = np.uint64(blocks[block].ctypes.data), np.uint64(out + block * COLUMNS * 4)
            if some == _TILE:
                _project_tile(x, columns, to, d, width)
                continue
            for i in range(some):
                _project_one(x + np.uint64(i * d * 4), columns, to + np.uint64(i * width * 4), d, width)
        for i in range(some):
            query, largest = start + i, np.float32(0)
            for c in range(width):
                largest = max(largest, abs(projected[i, c]))
            finer = np.float32(127) / largest if largest > 0 else np.float32(0)
            if metric == L2:  # what is subtracted must fit, too
                finer = min(finer, np.float32(FINEST / step))
            if not finer < np.inf:
                finer = np.float32(0)  # no direction
            total: Whole = 0
            for c in range(width):
                codes[query, c] = np.int8(np.rint(projected[i, c] * finer))
                total += np.int64(codes[query, c])
            counts[query] = np.float32(step) / finer if finer > 0 else np.float32(0)
            tops[query] = 128 * total + (tops[query] / counts[query] if finer > 0 else 0.0)
            scales[query] = finer * np.float32(step) if metric == L2 else np.float32(0)
    return -1


@compiled()
def _product(vector: Float32, other: Float64) -> Real:
    """The inner product of a vector and one in double precision."""
    whole = len(vector) - len(vector) % 16
    total = dot_wide(np.uint64(vector.ctypes.data), np.uint64(other.ctypes.data), whole) if whole else 0.0
    for j in range(whole, len(vector)):
        total += vector[j] * other[j]
    return total
