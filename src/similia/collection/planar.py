"""Vectors on a plane, neighbours beside each other.

The start is the projection on the two main axes. Then neighbours attract and random others repel each other, as in
UMAP (McInnes, Healy and Melville, arXiv 1802.03426, 2018), on the exact graph of nearest neighbours and with all
edges of a part of an epoch moved at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.collection.vectors import normalised
from similia.index import ExactIndex
from similia.types import Float32, Int64

NEIGHBOURS = 15
SAMPLE = 5_000
EPOCHS = 200
PARTS = 6
NEGATIVES = 4
A, B = 1.577, 0.895
"""The curve 1 / (1 + A d^(2 B)) that fits a least distance of 0.1 and a spread of 1 (UMAP's defaults)."""
CLIP = 4.0
PLACED_BY = 8

Float64 = npt.NDArray[np.float64]


def planar(vectors: npt.ArrayLike, *, seed: int = 0) -> Float32:
    """Positions float32 (n, 2) of vectors (n, d); the same for the same vectors and seed.

    Up to ``SAMPLE`` vectors are laid out together; of more, a random sample is, and the others are placed beside their
    nearest neighbours in it.

    Examples:
        >>> rng = np.random.default_rng(0)
        >>> two = np.concatenate([rng.normal(c, 0.1, (30, 8)) for c in (np.eye(8)[0], np.eye(8)[1])])
        >>> xy = planar(two)
        >>> bool(np.abs(xy[:30].mean(0) - xy[30:].mean(0)).max() > 2 * xy[:30].std(0).max())
        True
    """
    rows = np.asarray(vectors)
    n = len(rows)
    rng = np.random.default_rng(seed)
    if n <= SAMPLE:
        return _laid_out(normalised(rows), rng)
    chosen = np.sort(rng.choice(n, SAMPLE, replace=False))
    xy = np.empty((n, 2), np.float32)
    sample = normalised(rows[chosen])
    xy[chosen] = placed = _laid_out(sample, rng)
    others = np.setdiff1d(np.arange(n), chosen)
    xy[others] = beside(sample, placed, rows, others, rng)
    return xy


def beside(
    known: Float32, positions: Float32, vectors: npt.NDArray[np.floating], rows: Int64, rng: np.random.Generator
) -> Float32:
    """Positions (m, 2) for ``vectors[rows]``, each near its nearest neighbours among ``known`` (n, d) at ``positions``.

    A small random step keeps those with the same neighbours apart.
    """
    index = ExactIndex(known)
    found = np.empty((len(rows), 2), np.float32)
    spread = float(positions.std()) or 1.0
    for start in range(0, len(rows), 1_024):
        part = normalised(vectors[rows[start : start + 1_024]])
        hits = index.search(part, min(PLACED_BY, len(known)))
        scores = hits.scores.astype(np.float64)
        weights = np.exp((scores - scores[:, :1]) * 25.0)
        weights /= weights.sum(axis=1, keepdims=True)
        near = np.einsum("qk,qkd->qd", weights, positions[hits.ids])
        found[start : start + 1_024] = near + rng.normal(0, 0.01 * spread, near.shape)
    return found


def _laid_out(rows: Float32, rng: np.random.Generator) -> Float32:
    start = _main_axes(rows, rng)
    if len(rows) < 4:
        return start.astype(np.float32)
    heads, tails, weights = _graph(rows)
    return _moved(start, heads, tails, weights, rng).astype(np.float32)


def _main_axes(rows: Float32, rng: np.random.Generator) -> Float64:
    """Projection on the two main axes, 10 wide, with a little noise so that equal vectors can part."""
    centred = rows.astype(np.float64) - (rows.mean(axis=0, dtype=np.float64) if len(rows) else 0.0)
    if not len(rows):
        return np.empty((0, 2))
    _, axes = np.linalg.eigh(centred.T @ centred)
    axes = axes[:, ::-1][:, :2]
    axes *= np.where(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])] < 0, -1.0, 1.0)
    xy = np.zeros((len(rows), 2))
    xy[:, : axes.shape[1]] = centred @ axes
    largest = np.abs(xy).max()
    start: Float64 = xy * (10.0 / largest if largest > 0 else 1.0) + rng.normal(0, 1e-3, xy.shape)
    return start


def _graph(rows: Float32) -> tuple[Int64, Int64, Float64]:
    """Edges of the neighbour graph, each once with its weight in (0, 1]."""
    n, k = len(rows), min(NEIGHBOURS, len(rows) - 1)
    hits = ExactIndex(rows).search(rows, k + 1)
    own = hits.ids == np.arange(n)[:, None]
    own[~own.any(axis=1), -1] = True  # of many equal vectors the own one may come later: the last gives way
    ids = hits.ids[~own].reshape(n, k)
    distances = np.maximum(1.0 - hits.scores[~own].reshape(n, k).astype(np.float64), 0.0)
    nearest = distances[:, :1]
    scale = _scale(distances - nearest)
    strength = np.exp(-(distances - nearest) / scale)
    keys = np.arange(n)[:, None] * np.int64(n) + ids
    mirrored = ids * np.int64(n) + np.arange(n)[:, None]
    pairs, where = np.unique(np.concatenate((keys.ravel(), mirrored.ravel())), return_inverse=True)
    there, back = np.zeros(pairs.size), np.zeros(pairs.size)
    there[where[: keys.size]] = strength.ravel()
    back[where[keys.size :]] = strength.ravel()
    weights = there + back - there * back
    heads, tails = pairs // n, pairs % n
    once = heads < tails
    return heads[once], tails[once], weights[once]


def _scale(distances: Float64) -> Float64:
    """The width (n, 1) at which the strengths of a row sum to log2(k)."""
    target = np.log2(max(distances.shape[1], 2))
    low, high = np.full((len(distances), 1), 1e-6), np.full((len(distances), 1), 10.0)
    for _ in range(32):
        middle = (low + high) / 2
        above = np.exp(-distances / middle).sum(axis=1, keepdims=True) > target
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    width: Float64 = (low + high) / 2
    return width


def _moved(xy: Float64, heads: Int64, tails: Int64, weights: Float64, rng: np.random.Generator) -> Float64:
    """Positions after the epochs."""
    n = len(xy)
    chance = weights / weights.max()
    for epoch in range(EPOCHS):
        rate = 1.0 - epoch / EPOCHS
        taken = np.flatnonzero(rng.random(chance.size) < chance)
        rng.shuffle(taken)
        for part in np.array_split(taken, PARTS):
            i, j = heads[part], tails[part]
            far_i, far_j = np.concatenate((i, j)).repeat(NEGATIVES), rng.integers(0, n, 2 * NEGATIVES * part.size)
            pull = _attraction(xy[i] - xy[j])
            push = _repulsion(xy[far_i] - xy[far_j])
            at = np.concatenate((i, j, far_i))
            force = np.concatenate((pull, -pull, push))
            for axis in range(2):
                xy[:, axis] += rate * np.clip(np.bincount(at, force[:, axis], n), -CLIP, CLIP)
    return xy


def _attraction(apart: Float64) -> Float64:
    square = np.maximum(np.einsum("nd,nd->n", apart, apart), 1e-12)
    factor = -2 * A * B * square ** (B - 1) / (1 + A * square**B)
    force: Float64 = np.clip(factor[:, None] * apart, -CLIP, CLIP)
    return force


def _repulsion(apart: Float64) -> Float64:
    square = np.einsum("nd,nd->n", apart, apart)
    factor = 2 * B / ((1e-3 + square) * (1 + A * square**B))
    force: Float64 = np.clip(factor[:, None] * apart, -CLIP, CLIP)
    return force
