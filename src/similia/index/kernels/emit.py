"""What the kernels' intrinsics are made of: LLVM values and, for each path, the product of bytes.

Codes are uint8, queries int8. A product of the two fits int16, a sum of two does not (`pmaddubsw` saturates there), so
AVX2 widens to int16 first and every path gives the same integers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numba.extending
from llvmlite import ir  # type: ignore[import-untyped]

from similia.index.kernels.features import path, target_features

Value: TypeAlias = Any  # llvmlite has no types
I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()
LANES = ir.VectorType(I32, 16)  # what a step's sums are handed out as, on every path
STEP = 64  # bytes of codes that a step takes


def intrinsic(define: Callable[..., Any]) -> Any:
    """Numba's decorator of that name: what comes out is called with addresses, not with what ``define`` takes."""
    return numba.extending.intrinsic(define)


def function(builder: Value, name: str, result: Value, *arguments: Value) -> Value:
    """The declaration of an LLVM intrinsic in the module that is being built."""
    known = builder.module.globals.get(name)
    return known or ir.Function(builder.module, ir.FunctionType(result, arguments), name)


def number(value: int, kind: Value = I64) -> Value:
    """A constant."""
    return ir.Constant(kind, value)


def zero(kind: Value) -> Value:
    """A vector of zeros."""
    return ir.Constant(kind, None)


def pointer(builder: Value, address: Value, offset: int, kind: Value) -> Value:
    """A typed pointer to ``address + offset``."""
    at = builder.add(address, number(offset)) if offset else address
    return builder.inttoptr(at, kind.as_pointer())


def load(builder: Value, address: Value, offset: int, kind: Value) -> Value:
    """What lies at ``address + offset``, at any alignment."""
    return builder.load(pointer(builder, address, offset, kind), align=1)


def store(builder: Value, value: Value, address: Value, offset: int) -> None:
    """Write ``value`` to ``address + offset``, at any alignment."""
    builder.store(value, pointer(builder, address, offset, value.type), align=1)


def shuffle(builder: Value, left: Value, right: Value, lanes: list[int]) -> Value:
    """The named lanes of two vectors, counted through."""
    return builder.shuffle_vector(left, right, ir.Constant(ir.VectorType(I32, len(lanes)), lanes))


def spread(builder: Value, value: Value, count: int) -> Value:
    """A vector that holds a scalar ``count`` times."""
    kind = ir.VectorType(value.type, count)
    one = builder.insert_element(ir.Constant(kind, ir.Undefined), value, number(0, I32))
    return shuffle(builder, one, ir.Constant(kind, ir.Undefined), [0] * count)


def sum_of(builder: Value, vector: Value) -> Value:
    """The sum of a vector of int32 or int64, as a scalar."""
    kind = vector.type.element
    name = f"llvm.vector.reduce.add.v{vector.type.count}i{kind.width}"
    return builder.call(function(builder, name, kind, vector.type), [vector])


class Products:
    """Sums of byte products, 64 a step: 16 lanes of 4 neighbouring bytes, kept in whatever form suits the path.

    ``rows`` and ``query`` turn bytes into operands, ``step`` adds their products to the sums, ``lanes`` gives sums as
    16 int32. Operands and sums are lists of vectors.
    """

    sums: tuple[Value, ...]
    queries, blocks = 2, 1  # of 16 rows: what a loop's sums fit the registers for

    def start(self) -> list[Value]:
        """Sums of nothing."""
        return [zero(kind) for kind in self.sums]

    def rows(self, builder: Value, address: Value) -> list[Value]:
        """64 bytes of codes."""
        raise NotImplementedError

    def query(self, builder: Value, address: Value) -> list[Value]:
        """64 bytes of a query."""
        raise NotImplementedError

    def repeated(self, builder: Value, address: Value) -> list[Value]:
        """4 bytes of a query, 16 times."""
        raise NotImplementedError

    def step(self, builder: Value, sums: list[Value], rows: list[Value], query: list[Value]) -> list[Value]:
        """The sums after 64 more products."""
        raise NotImplementedError

    def lanes(self, builder: Value, sums: list[Value]) -> Value:
        """16 int32, lane i for the bytes 4 i to 4 i + 3 of every step."""
        raise NotImplementedError

    def total(self, builder: Value, sums: list[Value]) -> Value:
        """All in one int32."""
        return sum_of(builder, self.lanes(builder, sums))


class Vnni(Products):
    """AVX-512 VNNI: one instruction for 64 products."""

    sums = (LANES,)
    queries, blocks = 8, 2
    _bytes = ir.VectorType(I8, 64)

    def rows(self, builder: Value, address: Value) -> list[Value]:
        return [load(builder, address, 0, self._bytes)]

    query = rows

    def repeated(self, builder: Value, address: Value) -> list[Value]:
        return [builder.bitcast(spread(builder, load(builder, address, 0, I32), 16), self._bytes)]

    def step(self, builder: Value, sums: list[Value], rows: list[Value], query: list[Value]) -> list[Value]:
        dot = function(builder, "llvm.x86.avx512.vpdpbusd.512", LANES, LANES, self._bytes, self._bytes)
        return [builder.call(dot, [sums[0], rows[0], query[0]])]

    def lanes(self, builder: Value, sums: list[Value]) -> Value:
        return sums[0]


class Widened(Products):
    """AVX2, and plain LLVM: bytes widened to int16, neighbours multiplied and added in pairs."""

    sums = (ir.VectorType(I32, 8),) * 4
    _bytes, _words = ir.VectorType(I8, 16), ir.VectorType(I16, 16)

    def __init__(self, plain: bool) -> None:
        self._plain = plain

    def rows(self, builder: Value, address: Value) -> list[Value]:
        return [builder.zext(load(builder, address, at, self._bytes), self._words) for at in range(0, STEP, 16)]

    def query(self, builder: Value, address: Value) -> list[Value]:
        return [builder.sext(load(builder, address, at, self._bytes), self._words) for at in range(0, STEP, 16)]

    def repeated(self, builder: Value, address: Value) -> list[Value]:
        four = builder.sext(load(builder, address, 0, ir.VectorType(I8, 4)), ir.VectorType(I16, 4))
        return [shuffle(builder, four, four, [0, 1, 2, 3] * 4)] * 4

    def step(self, builder: Value, sums: list[Value], rows: list[Value], query: list[Value]) -> list[Value]:
        added = (builder.add(*three) for three in zip(sums, map(self._pairs(builder), rows, query), strict=True))
        return list(added)

    def _pairs(self, builder: Value) -> Any:
        half = self.sums[0]
        if not self._plain:
            multiply = function(builder, "llvm.x86.avx2.pmadd.wd", half, self._words, self._words)
            return lambda left, right: builder.call(multiply, [left, right])

        def multiplied(left: Value, right: Value) -> Value:
            wide = builder.sext(builder.mul(left, right), LANES)  # 255 * -128 still fits int16
            return added_pairs(builder, wide, wide, 8)

        return multiplied

    def lanes(self, builder: Value, sums: list[Value]) -> Value:
        first = added_pairs(builder, sums[0], sums[1], 8)
        second = added_pairs(builder, sums[2], sums[3], 8)
        return shuffle(builder, first, second, list(range(16)))


class Arm(Products):
    """ARM's dot products: of unsigned and signed bytes where the processor has that, else with the codes' sign moved.

    Without it, code - 128 is what is multiplied, and 128 times the query's sum is added: both exact.
    """

    sums = (ir.VectorType(I32, 4),) * 4
    queries = 4
    _bytes = ir.VectorType(I8, 16)

    def __init__(self, mixed: bool) -> None:
        self._mixed = mixed

    def rows(self, builder: Value, address: Value) -> list[Value]:
        loaded = [load(builder, address, at, self._bytes) for at in range(0, STEP, 16)]
        return loaded if self._mixed else [builder.xor(part, self._all(-128)) for part in loaded]

    def query(self, builder: Value, address: Value) -> list[Value]:
        return [load(builder, address, at, self._bytes) for at in range(0, STEP, 16)]

    def repeated(self, builder: Value, address: Value) -> list[Value]:
        return [builder.bitcast(spread(builder, load(builder, address, 0, I32), 4), self._bytes)] * 4

    def step(self, builder: Value, sums: list[Value], rows: list[Value], query: list[Value]) -> list[Value]:
        kind, name = self.sums[0], "usdot" if self._mixed else "sdot"
        dot = function(builder, f"llvm.aarch64.neon.{name}.v4i32.v16i8", kind, kind, self._bytes, self._bytes)
        after = [builder.call(dot, list(three)) for three in zip(sums, rows, query, strict=True)]
        if not self._mixed:
            for _ in range(2):
                after = [
                    builder.call(dot, [total, self._all(64), part]) for total, part in zip(after, query, strict=True)
                ]
        return after

    def lanes(self, builder: Value, sums: list[Value]) -> Value:
        first = shuffle(builder, sums[0], sums[1], list(range(8)))
        return shuffle(builder, first, shuffle(builder, sums[2], sums[3], list(range(8))), list(range(16)))

    def _all(self, value: int) -> Value:
        return ir.Constant(self._bytes, [value] * 16)


def added_pairs(builder: Value, left: Value, right: Value, count: int) -> Value:
    """Sums of neighbouring lanes of two vectors, ``count`` of them."""
    even = shuffle(builder, left, right, list(range(0, 2 * count, 2)))
    return builder.add(even, shuffle(builder, left, right, list(range(1, 2 * count, 2))))


def products() -> Products:
    """The products of the path that kernels are compiled for."""
    name = path()
    if name == "vnni512":
        return Vnni()
    if name == "arm":
        return Arm("i8mm" in target_features())
    return Widened(plain=name == "llvm")
