"""Run as a script under some environment: do the kernels give what NumPy gives? Prints the path that they used."""

from __future__ import annotations

import numba
import numpy as np

from similia.index.kernels import path
from similia.index.kernels.dots import dot_codes, dot_f32, dot_floats, dot_u8s8, hamming, prefetch


def compiled(intrinsic):
    @numba.njit
    def over(x, q, out):
        for i in range(len(x)):
            out[i] = intrinsic(np.uint64(x[i].ctypes.data), np.uint64(q.ctypes.data))

    return over


@numba.njit
def codes_over(x, q, out):
    prefetch(np.uint64(x.ctypes.data))
    for i in range(len(x)):
        out[i] = dot_codes(np.uint64(x[i].ctypes.data), np.uint64(q.ctypes.data), x.shape[1])


@numba.njit
def floats_over(x, q, out):
    for i in range(len(x)):
        out[i] = dot_floats(np.uint64(x[i].ctypes.data), np.uint64(q.ctypes.data), x.shape[1])


def check_codes(over, d, rng):
    x = rng.integers(0, 256, (40, d), dtype=np.uint8)
    q = rng.integers(-128, 128, d).astype(np.int8)
    x[0], x[1, ::2] = 255, 0
    for query in (q, np.full(d, -128, np.int8), np.full(d, 127, np.int8)):
        out = np.empty(len(x), np.int32)
        over(x, query, out)
        np.testing.assert_array_equal(out, x.astype(np.int64) @ query.astype(np.int64))


def check_floats(over, d, rng):
    x, q = rng.standard_normal((40, d)).astype(np.float32), rng.standard_normal(d).astype(np.float32)
    out = np.empty(len(x), np.float32)
    over(x, q, out)
    np.testing.assert_allclose(out, x.astype(np.float64) @ q.astype(np.float64), atol=1e-5 * d)


def check_bits(over, size, rng):
    x = rng.integers(0, 256, (40, size), dtype=np.uint8)
    q = x[3] ^ rng.integers(0, 2, size, dtype=np.uint8)
    out = np.empty(len(x), np.int32)
    over(x, q, out)
    np.testing.assert_array_equal(out, np.unpackbits(x ^ q, axis=1).sum(axis=1))


def main():
    rng = np.random.default_rng(5)
    for d in range(64, 1537, 64):
        check_codes(codes_over, d, rng)
    for d in (16, 48, 64, 384, 1536):
        check_floats(floats_over, d, rng)
    for d in (64, 192):
        check_codes(compiled(dot_u8s8(d)), d, rng)
    for d in (16, 80):
        check_floats(compiled(dot_f32(d)), d, rng)
    for size in (8, 136):
        check_bits(compiled(hamming(size)), size, rng)
    print(path())


if __name__ == "__main__":
    main()
