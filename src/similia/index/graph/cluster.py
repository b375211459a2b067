"""Clusters: where the search for neighbours begins, which items lie next to each other in memory, and the seeds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from similia.index.exact import Float64
from similia.index.graph.prune import Int32
from similia.index.kernels.cache import compiled
from similia.types import Bytes, Float32, Int64

_ROUNDS = 6
_EACH = 64  # items a cluster that the centres are learned from
_ROWS = 4096  # items that are compared with the centres at a time


class Clusters(NamedTuple):
    """Centres float32 (c, r), and for each item its nearest ones, nearest first, int32 (n, several)."""

    centres: Float32
    nearest: Int32


def clusters(codes: Bytes, dims: int, count: int, several: int, seed: int) -> Clusters:
    """Cluster coded items around ``count`` centres, such that clusters with near numbers are near one another.

    Lloyd's algorithm on a sample; a centre that loses all its points starts again at a random one.
    """
    random = np.random.default_rng(seed)
    chosen = np.sort(random.choice(len(codes), min(len(codes), count * _EACH), replace=False))
    sample = points(codes[chosen], dims)
    centres = sample[np.sort(random.choice(len(sample), count, replace=False))].copy()
    for _ in range(_ROUNDS):
        label = np.concatenate([_assign(sample[i : i + _ROWS], centres, 1)[:, 0] for i in range(0, len(sample), _ROWS)])
        order, sizes = np.argsort(label, kind="stable"), np.bincount(label, minlength=count)
        filled = sizes > 0
        starts = np.concatenate(([0], np.cumsum(sizes)))[:-1]
        sums: Float64 = np.add.reduceat(sample[order], starts[filled], axis=0, dtype=np.float64)
        centres[filled] = sums / sizes[filled, None]
        centres[~filled] = sample[random.choice(len(sample), int(np.count_nonzero(~filled)))]
    centres = centres[_chain(centres)]
    nearest = np.empty((len(codes), min(several, count)), np.int32)
    for start in range(0, len(codes), _ROWS):
        at = slice(start, start + _ROWS)
        nearest[at] = _assign(points(codes[at], dims), centres, nearest.shape[1])
    return Clusters(centres, nearest)


def points(codes: Bytes, dims: int) -> Float32:
    """What codes stand for, in steps: float32 (n, dims)."""
    return codes[:, :dims].astype(np.float32) - 128


def _assign(items: Float32, centres: Float32, several: int) -> Int32:
    """The ``several`` nearest centres of each point, nearest first, int32 (n, several)."""
    half = (centres.astype(np.float64) ** 2).sum(axis=1).astype(np.float32) / 2
    nearest = np.empty((len(items), several), np.int32)
    _best_columns(items @ centres.T - half, nearest)
    return nearest


@compiled()
def _best_columns(scores: Float32, best: Int32) -> None:
    """The columns with the highest scores of each row, highest first; the lower of equal ones."""
    several = best.shape[1]
    values = np.empty(several, np.float32)
    for i in range(len(scores)):
        values[:] = -np.inf
        best[i] = 0
        for j in range(scores.shape[1]):
            score = scores[i, j]
            if score > values[several - 1]:
                at = several - 1
                while at > 0 and values[at - 1] < score:
                    values[at], best[i, at] = values[at - 1], best[i, at - 1]
                    at -= 1
                values[at], best[i, at] = score, j


def _chain(centres: Float32) -> Int64:
    """An order in which each centre is followed by the nearest that is left."""
    squares = (centres.astype(np.float64) ** 2).sum(axis=1)
    left = np.ones(len(centres), np.bool_)
    order = np.zeros(len(centres), np.int64)
    for i in range(1, len(centres)):
        left[order[i - 1]] = False
        distances = squares - 2 * (centres @ centres[order[i - 1]])
        order[i] = np.argmin(np.where(left, distances, np.inf))
    return order
