"""Similarities of vectors: cosine, inner product, negative Euclidean distance. Higher is more similar.

Each takes queries (q, d) and items (n, d), or one vector (d,), and gives the matrix float32 (q, n).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.types import Float32, as_vectors

TINY = 1e-30
"""A vector shorter than this has no direction: it is treated as zero."""

_BLOCK = 4 * 2**20  # values that are held in float64 at a time


def norms(vectors: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """Euclidean lengths, float64 (n,), summed in double precision; NaN or infinite where a value is.

    Args:
        vectors: (n, d) of any floating type; read in blocks, so it may be a memory map.

    Examples:
        >>> norms(np.array([[3.0, 4.0], [0.0, 0.0]], np.float16))
        array([5., 0.])
    """
    lengths = np.empty(len(vectors))
    step = max(1, _BLOCK // max(1, vectors.shape[1]))
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step].astype(np.float64)
        lengths[start : start + step] = np.sqrt(np.einsum("ij,ij->i", block, block))
    return lengths


def normalise(vectors: npt.ArrayLike) -> Float32:
    """The vectors at length 1, float32 (n, d); what is shorter than 1e-30 becomes zero.

    Raises:
        InputError: not (n, d) or (d,), or a value that is NaN or infinite.

    Examples:
        >>> normalise([[3, 4], [0, 0]]).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    array = as_vectors(vectors)
    lengths = norms(array)
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths >= TINY)
    unit = np.empty_like(array)
    np.multiply(array, scale[:, None], out=unit, casting="same_kind")
    return unit


def cosine(queries: npt.ArrayLike, items: npt.ArrayLike) -> Float32:
    """Cosine of the angle, in [-1, 1]; 0 where a vector is zero.

    Examples:
        >>> cosine([1, 0], [[2, 0], [0, 5], [-1, 0], [0, 0]]).tolist()
        [[1.0, 0.0, -1.0, 0.0]]
    """
    left, right = _pair(queries, items)
    scores: Float32 = normalise(left) @ normalise(right).T
    np.clip(scores, -1, 1, out=scores)
    return scores


def dot(queries: npt.ArrayLike, items: npt.ArrayLike) -> Float32:
    """Inner product.

    Examples:
        >>> dot([[1, 2], [0, 1]], [[3, 4]]).tolist()
        [[11.0], [4.0]]
    """
    left, right = _pair(queries, items)
    scores: Float32 = left @ right.T
    return scores


def negative_l2(queries: npt.ArrayLike, items: npt.ArrayLike) -> Float32:
    """Minus the Euclidean distance, at most 0.

    Computed as ``-sqrt(|a|² + |b|² - 2ab)`` in double precision, since that difference cancels.

    Examples:
        >>> negative_l2([0, 0], [[3, 4], [0, 0]]).tolist()
        [[-5.0, 0.0]]
    """
    left, right = (side.astype(np.float64) for side in _pair(queries, items))
    squares = (left**2).sum(axis=1)[:, None] + (right**2).sum(axis=1)[None, :] - 2 * (left @ right.T)
    scores: Float32 = (0 - np.sqrt(np.maximum(squares, 0))).astype(np.float32)
    return scores


def _pair(queries: npt.ArrayLike, items: npt.ArrayLike) -> tuple[Float32, Float32]:
    left = as_vectors(queries, name="queries")
    return left, as_vectors(items, name="items", dimension=left.shape[1])
