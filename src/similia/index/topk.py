"""The k best of each row of a score matrix, the same ones every time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Float32, Int64

_BLOCK = 32  # entries of which the best stands for all


def top_k(scores: npt.ArrayLike, k: int) -> tuple[Int64, Float32]:
    """Positions and scores of the k best of each row, best first.

    Args:
        scores: (q, n), or (n,) for one row; higher is better. -inf marks what must not be found.
        k: places a row, at least 1; may exceed n.

    Returns:
        positions int64 (q, k) and scores float32 (q, k). Equal scores come by lower position. Where a row has fewer
        than k entries above -inf, position -1 and score -inf.

    Raises:
        InputError: a k below 1, NaN in the scores, or another number of axes.

    Examples:
        >>> positions, best = top_k([[0.1, 0.9, 0.5, 0.9]], 3)
        >>> positions.tolist()
        [[1, 3, 2]]
    """
    matrix = np.atleast_2d(np.asarray(scores, dtype=np.float32))
    if matrix.ndim != 2:
        raise InputError(f"scores: {matrix.ndim} axes; expected (queries, items)")
    check_k(k)
    if np.isnan(matrix).any():
        raise InputError(f"scores: row {int(np.flatnonzero(np.isnan(matrix).any(axis=1))[0])} holds NaN")
    rows, columns = candidates(matrix, k)
    return best_of(rows, columns, matrix[rows, columns], len(matrix), k)


def check_k(k: object) -> None:
    """Refuse what is not a number of places."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k is {k!r}; it must be a whole number, at least 1")


def candidates(scores: Float32, k: int, slack: float | npt.NDArray[np.float64] = 0.0) -> tuple[Int64, Int64]:
    """Row and column of every entry that is at most ``slack`` below the k-th best of its row, and not -inf.

    Args:
        scores: float32 (q, n) without NaN.
        k: places a row.
        slack: a number, or (q, 1).
    """
    if k < scores.shape[1]:
        near = scores >= (_kth(scores, k) - slack).astype(np.float32)
        near &= scores > -np.inf
    else:
        near = scores > -np.inf
    return where_true(near)


def where_true(marks: Bool) -> tuple[Int64, Int64]:
    """Row and column of each True in (q, n), row by row; for few of them much faster than ``numpy.nonzero``."""
    at = np.flatnonzero(marks).astype(np.int64, copy=False)
    rows = at // max(1, marks.shape[1])
    return rows, at - rows * marks.shape[1]


def _kth(scores: Float32, k: int) -> npt.NDArray[np.float64]:
    """The k-th best of each row (q, 1), or a little less where that is much faster to find."""
    q, n = scores.shape
    blocks = n // _BLOCK
    if blocks >= 8 * k:
        # The k-th best of the best of each block is one of k entries that are at least as good. (A block is every
        # so manieth entry, not neighbours: the maximum of long rows is much faster than that of many short ones.)
        scores = scores[:, : blocks * _BLOCK].reshape(q, _BLOCK, blocks).max(axis=1)
        n = blocks
    return np.partition(scores, n - k, axis=1)[:, n - k, None].astype(np.float64)


def best_of(rows: Int64, columns: Int64, scores: Float32, queries: int, k: int) -> tuple[Int64, Float32]:
    """The k best entries of each row, from entries in any order: (m,), (m,), (m,) -> (queries, k), (queries, k)."""
    order = np.lexsort((columns, -scores, rows))
    rows, columns, scores = rows[order], columns[order], scores[order]
    place = np.arange(rows.size) - np.searchsorted(rows, rows)  # place of an entry within its row
    kept = place < k
    positions = np.full((queries, k), -1, np.int64)
    best = np.full((queries, k), -np.inf, np.float32)
    positions[rows[kept], place[kept]] = columns[kept]
    best[rows[kept], place[kept]] = scores[kept]
    return positions, best
