"""Similarities of two addresses, as intrinsics that Numba's functions call.

Addresses are uint64 (``np.uint64(array.ctypes.data)``), of any alignment; nothing is checked. `dot_codes` and
`dot_floats` take the length when they run, so that one compiled kernel serves every dimension and can be cached;
`dot_u8s8`, `dot_f32` and `hamming` make an intrinsic for one length: a few nanoseconds faster, but a kernel that uses
one is compiled for that length, and cached only if the intrinsic is a global of its module.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from llvmlite import ir  # type: ignore[import-untyped]
from numba import types

from similia.errors import InputError
from similia.index.kernels import emit
from similia.index.kernels.emit import F32, F64, I32, I64, Value, intrinsic, load, number

_FLOATS = ir.VectorType(F32, 16)
_DOUBLES = ir.VectorType(F64, 16)
_WORDS = ir.VectorType(I64, 8)
_Step = Callable[[list[Value], Value, Value], list[Value]]


@cache
def dot_u8s8(d: int) -> Any:
    """``(x, q) -> int32``: the inner product of d uint8 at x and d int8 at q; d a multiple of 64."""
    _check(d, 64, "dot_u8s8")

    @intrinsic
    def dot(context: Any, x: Any, q: Any) -> Any:
        return types.int32(types.uint64, types.uint64), lambda _, builder, __, given: _unrolled_codes(
            builder, d, *given
        )

    return dot


@cache
def dot_f32(d: int) -> Any:
    """``(x, q) -> float32``: the inner product of d float32 at x and at q; d a multiple of 16."""
    _check(d, 16, "dot_f32")

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        return _unrolled_floats(builder, d, *given)

    @intrinsic
    def dot(context: Any, x: Any, q: Any) -> Any:
        return types.float32(types.uint64, types.uint64), build

    return dot


@cache
def hamming(size: int) -> Any:
    """``(x, q) -> int32``: the number of bits in which ``size`` bytes at x and at q differ; size a multiple of 8."""
    _check(size, 8, "hamming")

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        return _differing(builder, size, *given)

    @intrinsic
    def distance(context: Any, x: Any, q: Any) -> Any:
        return types.int32(types.uint64, types.uint64), build

    return distance


@intrinsic
def dot_codes(context: Any, x: Any, q: Any, d: Any) -> Any:
    """``(x, q, d) -> int32``: the inner product of d uint8 at x and d int8 at q; d a multiple of 64."""

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        products = emit.products()

        def step(sums: list[Value], x: Value, q: Value) -> list[Value]:
            return products.step(builder, sums, products.rows(builder, x), products.query(builder, q))

        x, q, d = given
        return products.total(builder, _looped(builder, x, q, d, products.start(), step))

    return types.int32(types.uint64, types.uint64, types.int64), build


@intrinsic
def dot_floats(context: Any, x: Any, q: Any, d: Any) -> Any:
    """``(x, q, d) -> float32``: the inner product of d float32 at x and at q; d a multiple of 16."""

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        x, q, d = given
        size = builder.shl(d, number(2))
        sums = _looped(builder, x, q, size, [emit.zero(_FLOATS)], partial(_float_step, builder))
        return _float_sum(builder, sums[0])

    return types.float32(types.uint64, types.uint64, types.int64), build


@intrinsic
def dot_wide(context: Any, x: Any, q: Any, d: Any) -> Any:
    """``(x, q, d) -> float64``: the inner product of d float32 at x and d float64 at q; d a multiple of 16, not 0."""
    return types.float64(types.uint64, types.uint64, types.int64), _wide(_product)


@intrinsic
def distance_wide(context: Any, x: Any, q: Any, d: Any) -> Any:
    """``(x, q, d) -> float64``: the squared distance of d float32 at x and d float64 at q; d as above."""
    return types.float64(types.uint64, types.uint64, types.int64), _wide(_square)


@intrinsic
def float_at(context: Any, address: Any) -> Any:
    """``(address) -> float32``: what lies there."""
    return types.float32(types.uint64), lambda _, builder, __, given: load(builder, given[0], 0, F32)


@intrinsic
def prefetch(context: Any, address: Any) -> Any:
    """``(address)``: ask for the 64 bytes there, which will be read soon."""

    def build(target: Any, builder: Value, _: Any, given: list[Value]) -> Value:
        at = emit.pointer(builder, given[0], 0, emit.I8)
        fetch = emit.function(builder, "llvm.prefetch.p0", ir.VoidType(), at.type, I32, I32, I32)
        builder.call(fetch, [at, number(0, I32), number(3, I32), number(1, I32)])
        return target.get_dummy_value()

    return types.void(types.uint64), build


def _check(length: int, unit: int, name: str) -> None:
    if length < unit or length % unit:
        raise InputError(f"{name}: the length is {length}; it must be a multiple of {unit}, so pad with zeros")


def _unrolled_codes(builder: Value, d: int, x: Value, q: Value) -> Value:
    products = emit.products()
    sums = [products.start(), products.start()]  # two, so that no product waits for the one before
    for at in range(0, d, emit.STEP):
        rows = products.rows(builder, builder.add(x, number(at)))
        query = products.query(builder, builder.add(q, number(at)))
        sums[at // emit.STEP % 2] = products.step(builder, sums[at // emit.STEP % 2], rows, query)
    return products.total(builder, [builder.add(*pair) for pair in zip(*sums, strict=True)])


def _unrolled_floats(builder: Value, d: int, x: Value, q: Value) -> Value:
    sums = [emit.zero(_FLOATS)] * 4
    for at in range(d // 16):
        left, right = builder.add(x, number(64 * at)), builder.add(q, number(64 * at))
        (sums[at % 4],) = _float_step(builder, [sums[at % 4]], left, right)
    return _float_sum(builder, builder.fadd(builder.fadd(sums[0], sums[1]), builder.fadd(sums[2], sums[3])))


def _float_step(builder: Value, sums: list[Value], x: Value, q: Value) -> list[Value]:
    fused = emit.function(builder, "llvm.fmuladd.v16f32", _FLOATS, _FLOATS, _FLOATS, _FLOATS)
    return [builder.call(fused, [load(builder, x, 0, _FLOATS), load(builder, q, 0, _FLOATS), sums[0]])]


def _wide(step: Callable[[Value, Value, Value, Value], Value]) -> Callable[..., Value]:
    """Sums in double precision, of whatever ``step`` adds for 16 values."""

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        x, q, d = given

        def widened(sums: list[Value], x: Value, at: Value) -> list[Value]:
            left = builder.fpext(load(builder, x, 0, _FLOATS), _DOUBLES)
            right = load(builder, builder.add(q, builder.shl(builder.sub(at, q), number(1))), 0, _DOUBLES)
            return [step(builder, left, right, sums[0])]

        sums = _looped(builder, x, q, builder.shl(d, number(2)), [emit.zero(_DOUBLES)], widened)
        add = emit.function(builder, "llvm.vector.reduce.fadd.v16f64", F64, F64, _DOUBLES)
        return builder.call(add, [ir.Constant(F64, 0.0), sums[0]], fastmath=("reassoc",))

    return build


def _product(builder: Value, left: Value, right: Value, total: Value) -> Value:
    return builder.fadd(builder.fmul(left, right), total)


def _square(builder: Value, left: Value, right: Value, total: Value) -> Value:
    difference = builder.fsub(left, right)
    return builder.fadd(builder.fmul(difference, difference), total)


def _float_sum(builder: Value, vector: Value) -> Value:
    add = emit.function(builder, "llvm.vector.reduce.fadd.v16f32", F32, F32, _FLOATS)
    return builder.call(add, [ir.Constant(F32, 0.0), vector], fastmath=("reassoc",))


def _looped(builder: Value, x: Value, q: Value, size: Value, start: list[Value], step: _Step) -> list[Value]:
    """The sums after a step for each 64 of ``size`` bytes."""
    before = builder.block
    loop, done = builder.append_basic_block("steps"), builder.append_basic_block("summed")
    builder.branch(loop)
    builder.position_at_end(loop)
    at, sums = builder.phi(I64), [builder.phi(value.type) for value in start]
    after = step(sums, builder.add(x, at), builder.add(q, at))
    following = builder.add(at, number(emit.STEP))
    for phi, first, then in zip([at, *sums], [number(0), *start], [following, *after], strict=True):
        phi.add_incoming(first, before)
        phi.add_incoming(then, loop)
    builder.cbranch(builder.icmp_unsigned("<", following, size), loop, done)
    builder.position_at_end(done)
    return after


def _differing(builder: Value, size: int, x: Value, q: Value) -> Value:
    total, at = number(0), 0
    if size >= 64:
        count = emit.function(builder, "llvm.ctpop.v8i64", _WORDS, _WORDS)
        sums = emit.zero(_WORDS)
        for at in range(0, size - 63, 64):
            different = builder.xor(load(builder, x, at, _WORDS), load(builder, q, at, _WORDS))
            sums = builder.add(sums, builder.call(count, [different]))
        total, at = emit.sum_of(builder, sums), at + 64
    count = emit.function(builder, "llvm.ctpop.i64", I64, I64)
    for word in range(at, size, 8):
        different = builder.xor(load(builder, x, word, I64), load(builder, q, word, I64))
        total = builder.add(total, builder.call(count, [different]))
    return builder.trunc(total, I32)
