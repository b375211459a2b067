"""Inverted lists: vectors around centres (k-means), those of one list side by side."""

from __future__ import annotations

import warnings

import numpy as np

from similia.types import Float32, Int64

_ROUNDS = 8
_EACH = 64  # points a centre that it is learnt from
_SCORES = 8 * 2**20  # that are held at a time


def centres(points: Float32, count: int, random: np.random.Generator) -> Float32:
    """Centres of ``count`` clusters of the points, or of as many as there are points: float32 (count, d)."""
    from scipy.cluster.vq import kmeans2

    count = max(1, min(count, len(points)))
    if count == 1:
        return np.asarray(points.mean(axis=0, dtype=np.float64)[None], np.float32)
    chosen = np.sort(random.choice(len(points), min(len(points), count * _EACH), replace=False))
    sample = points[chosen]
    start = sample[np.sort(random.choice(len(sample), count, replace=False))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a cluster that loses all its points keeps its centre
        found, _ = kmeans2(sample, start, iter=_ROUNDS, minit="matrix", check_finite=False)
    return np.ascontiguousarray(found, np.float32)


def nearest(points: Float32, around: Float32) -> Int64:
    """The centre nearest to each point, int64 (n,).

    Examples:
        >>> nearest(np.array([[0, 1], [9, 9]], np.float32), np.array([[8, 8], [0, 0]], np.float32)).tolist()
        [1, 0]
    """
    half = ((around.astype(np.float64) ** 2).sum(axis=1) / 2).astype(np.float32)
    found = np.empty(len(points), np.int64)
    step = max(1, _SCORES // len(around))
    for start in range(0, len(points), step):
        found[start : start + step] = (points[start : start + step] @ around.T - half).argmax(axis=1)
    return found
