"""Hamming distances of binary codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import types

from similia.index.kernels import emit
from similia.index.kernels.cache import compiled
from similia.index.kernels.emit import I64, Value, intrinsic

Words = npt.NDArray[np.uint64]


@intrinsic
def ones(context: Any, word: Any) -> Any:
    """``(word) -> int64``: how many bits of a uint64 are set."""

    def build(_: Any, builder: Value, __: Any, given: list[Value]) -> Value:
        return builder.call(emit.function(builder, "llvm.ctpop.i64", I64, I64), given)

    return types.int64(types.uint64), build


@compiled()
def bits_differing(queries: Words, codes: Words, out: npt.NDArray[np.int32]) -> None:
    """Bits in which each query (q, words) differs from each item (n, words), int32 (q, n)."""
    for query in range(len(queries)):
        for item in range(len(codes)):
            total = 0
            for word in range(codes.shape[1]):
                total += ones(queries[query, word] ^ codes[item, word])
            out[query, item] = total
