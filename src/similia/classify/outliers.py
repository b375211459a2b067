"""Local outlier factor: which items lie in much thinner surroundings than their neighbours do."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Float32, as_vectors

BLOCK = 1 << 24
"""Distances held at a time (128 MB)."""


def local_outlier_factor(vectors: Float32, neighbours: int = 20) -> npt.NDArray[np.float64]:
    """Return how much thinner the surroundings of each item are than those of its neighbours: about 1 for an inlier.

    LOF(p) = mean over the neighbours o of p of lrd(o) / lrd(p), where lrd is the inverse of the mean reachability
    distance max(k-distance(o), |p - o|). (Breunig, Kriegel, Ng and Sander, SIGMOD 2000; constants as in scikit-learn.)

    Args:
        vectors: float32 (n, d).
        neighbours: how many neighbours an item has; n - 1 where there are no more.

    Returns:
        float64 (n,), above 0. All 1 where n < 2.

    Raises:
        InputError: ``neighbours`` below 1.

    Examples:
        >>> line = np.array([[0.0], [1], [2], [3], [30]])
        >>> int(local_outlier_factor(line, 2).argmax())
        4
    """
    if neighbours < 1:
        raise InputError(f"neighbours is {neighbours}; an item needs at least 1")
    points = as_vectors(vectors).astype(np.float64)
    if len(points) < 2:
        return np.ones(len(points))
    near, distance = _nearest(points, min(neighbours, len(points) - 1))
    reach = np.maximum(distance[near, -1], distance)
    density = 1.0 / (reach.mean(axis=1) + 1e-10)
    factor: npt.NDArray[np.float64] = density[near].mean(axis=1) / density
    return factor


def inliers(vectors: Float32, neighbours: int = 20, *, threshold: float = 1.5) -> Bool:
    """Return which items have a local outlier factor of at most ``threshold``: bool (n,).

    Examples:
        >>> inliers(np.array([[0.0], [1], [2], [3], [30]]), 2).tolist()
        [True, True, True, True, False]
    """
    return local_outlier_factor(vectors, neighbours) <= threshold


def _nearest(points: npt.NDArray[np.float64], k: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """The k nearest other points of each, nearest first: positions and Euclidean distances (n, k)."""
    count = len(points)
    squares = np.einsum("nd,nd->n", points, points)
    near, distance = np.empty((count, k), np.int64), np.empty((count, k))
    step = max(1, BLOCK // count)
    for start in range(0, count, step):
        rows = np.arange(start, min(start + step, count))
        square = np.maximum(squares[rows, None] + squares - 2.0 * points[rows] @ points.T, 0.0)
        square[np.arange(rows.size), rows] = np.inf
        part = np.argpartition(square, k - 1, axis=1)[:, :k]
        values = np.take_along_axis(square, part, axis=1)
        order = np.argsort(values, axis=1, kind="stable")
        near[rows] = np.take_along_axis(part, order, axis=1)
        distance[rows] = np.sqrt(np.take_along_axis(values, order, axis=1))
    return near, distance
