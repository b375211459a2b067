"""Scalar codes: every value is a whole multiple of one step, shared by all vectors.

Items are uint8 with 128 for zero, queries int8 with a step of their own each, since that is the pair of types whose
products processors add up fastest.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bytes, Float32

ZERO = 128
Int8 = npt.NDArray[np.int8]
_LIMIT = 127  # the greatest multiple, on both sides of zero
_LEAST = 1e-37  # shorter steps have no reciprocal in float32; what would need them is taken for zero


def step_of(vectors: Float32) -> float:
    """The least step with which every value has a code; 0 if all values are.

    Raises:
        InputError: a value that is NaN or infinite.
    """
    most = float(np.abs(vectors).max(initial=0.0))
    if not np.isfinite(most):
        raise InputError("vectors hold NaN or infinity; only finite numbers have a code")
    return most / _LIMIT


def encode(vectors: Float32, step: float) -> Bytes:
    """The nearest codes, uint8 (n, d): ``round(x / step) + 128``, at most 127 from 128.

    The error of a value is at most half a step, unless it is greater than 127 steps.

    Examples:
        >>> encode(np.array([[-1.0, 0.0, 0.5]], np.float32), step=0.25).tolist()
        [[124, 128, 130]]
    """
    if not np.isfinite(vectors).all():
        raise InputError("vectors hold NaN or infinity; only finite numbers have a code")
    scaled = np.multiply(vectors, 1 / step if step > _LEAST else 0, dtype=np.float32)
    np.rint(scaled, out=scaled)
    np.clip(scaled, -_LIMIT, _LIMIT, out=scaled)
    scaled += ZERO
    return scaled.astype(np.uint8)


def decode(codes: Bytes, step: float) -> Float32:
    """What the codes stand for, float32 (n, d)."""
    return (codes.astype(np.float32) - ZERO) * np.float32(step)


def encode_queries(queries: Float32) -> tuple[Int8, Float32]:
    """Codes int8 (q, d) and steps float32 (q,), one a query: its greatest value is 127 steps.

    Examples:
        >>> codes, steps = encode_queries(np.array([[1.27, -0.5], [0, 0]], np.float32))
        >>> codes.tolist(), steps.round(3).tolist()
        ([[127, -50], [0, 0]], [0.009999999776482582, 0.0])
    """
    steps = (np.abs(queries).max(axis=1, initial=0.0) / _LIMIT).astype(np.float32)
    if not np.isfinite(steps).all():
        raise InputError("queries hold NaN or infinity; only finite numbers have a code")
    inverse = np.divide(1, steps, out=np.zeros_like(steps), where=steps > _LEAST)
    scaled = queries * inverse[:, None]
    return np.clip(np.rint(scaled, out=scaled), -_LIMIT, _LIMIT).astype(np.int8), steps


def scores(codes: Bytes, step: float, query_codes: Int8, query_steps: Float32) -> Float32:
    """Inner products of queries and items as their codes stand for them, float32 (q, n): the definition of the scan."""
    exact = query_codes.astype(np.int64) @ (codes.astype(np.int64) - ZERO).T
    return (exact * (query_steps.astype(np.float64) * step)[:, None]).astype(np.float32)
