"""Binary codes: one bit a value, whether it is above a threshold; compared by the number of bits that differ."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index import kernels
from similia.types import Bytes, as_vectors

Int32 = npt.NDArray[np.int32]
WORD = 8  # codes are a multiple of so many bytes long
_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)
_WORTH = 4096  # fewer codes are compared before anything is compiled
_VALUES = 2**22  # bytes that are compared at a time


def encode(vectors: npt.ArrayLike, threshold: npt.ArrayLike = 0.0) -> Bytes:
    """Codes uint8 (n, bytes), bytes a multiple of 8: bit j of a row, counted from the highest of byte 0, is x[j] > t.

    Args:
        vectors: (n, d), finite.
        threshold: a number, or (d,).

    Raises:
        InputError: a value that is NaN or infinite, or a threshold that does not fit.

    Examples:
        >>> encode([[1.0, -1.0, 0.5]])[0].tolist()
        [160, 0, 0, 0, 0, 0, 0, 0]
    """
    array = as_vectors(vectors)
    limits = as_vectors(np.broadcast_to(threshold, array.shape[1:]), name="threshold", dimension=array.shape[1])
    bits = np.packbits(array > limits, axis=1)
    return np.pad(bits, ((0, 0), (0, -bits.shape[1] % WORD)))


def distances(queries: Bytes, codes: Bytes) -> Int32:
    """In how many bits each query (q, bytes) and each item (n, bytes) differ, int32 (q, n).

    Raises:
        InputError: not uint8, or not of one length.

    Examples:
        >>> distances(np.array([[255]], np.uint8), np.array([[254], [0]], np.uint8)).tolist()
        [[1, 8]]
    """
    for name, array in (("queries", queries), ("codes", codes)):
        if array.dtype != np.uint8 or array.ndim != 2 or array.shape[1] != codes.shape[1]:
            raise InputError(f"{name} are {array.dtype} {array.shape}; they must be uint8 (n, bytes) of one length")
    if kernels.usable() and codes.shape[1] and codes.shape[1] % WORD == 0 and len(codes) >= _WORTH:
        from similia.index.kernels.bits import bits_differing

        out = np.empty((len(queries), len(codes)), np.int32)
        bits_differing(np.ascontiguousarray(queries).view(np.uint64), np.ascontiguousarray(codes).view(np.uint64), out)
        return out
    return differing(queries, codes)


def differing(queries: Bytes, codes: Bytes) -> Int32:
    """The definition of `distances`: bits of the two, exclusively or'ed, counted by a table of all bytes."""
    out = np.empty((len(queries), len(codes)), np.int32)
    step = max(1, _VALUES // max(1, codes.shape[1]))
    for start in range(0, len(codes), step):
        block = codes[start : start + step]
        for row, query in enumerate(queries):
            out[row, start : start + step] = _ONES[block ^ query].sum(axis=1, dtype=np.int32)
    return out
