"""Maximal marginal relevance: the best hits that do not repeat each other."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import check_k
from similia.measure.vectors import normalise
from similia.types import Int64


def mmr(
    scores: npt.ArrayLike,
    vectors: npt.ArrayLike,
    k: int,
    *,
    relevance: float = 0.5,
    groups: npt.ArrayLike | None = None,
) -> Int64:
    """Pick k of the n hits of one query, one after the other, each the best of what is left.

    The best has the greatest ``relevance * score - (1 - relevance) * cosine to the nearest one picked``, the scores
    being brought to [0, 1]. Equal ones come by position.

    Args:
        scores: (n,), higher is better.
        vectors: (n, d).
        k: how many to pick; may exceed n.
        relevance: 1 orders by score, 0 by novelty.
        groups: (n,); only hits of the same group count as repeating each other, for instance passages of one document.

    Returns:
        Positions int64 (min(k, n),) in the order they were picked.

    Source:
        Carbonell, Goldstein: The Use of MMR, Diversity-Based Reranking (SIGIR 1998).

    Raises:
        InputError: arrays of different lengths, scores that are not finite, or a relevance outside [0, 1].

    Examples:
        >>> mmr([0.9, 0.89, 0.5], [[1, 0], [1, 0.01], [0, 1]], 2).tolist()
        [0, 2]
    """
    check_k(k)
    relevant = np.asarray(scores, dtype=np.float64)
    if relevant.ndim != 1 or not np.isfinite(relevant).all():
        raise InputError(f"scores {relevant.shape} must be finite numbers in one row")
    if not 0 <= relevance <= 1:
        raise InputError(f"relevance is {relevance!r}; it must lie in [0, 1]")
    n = relevant.size
    if n == 0:
        return np.empty(0, np.int64)
    unit = normalise(vectors)
    of = np.zeros(n) if groups is None else np.asarray(groups)
    if len(unit) != n or of.shape != (n,):
        raise InputError(f"{n} scores, {len(unit)} vectors and {of.shape} groups; there must be one of each a hit")
    spread = np.ptp(relevant)
    relevant = (relevant - relevant.min()) / spread if spread > 0 else np.ones(n)
    nearest = np.full(n, -np.inf)  # cosine to the nearest one picked of the same group
    left = np.ones(n, dtype=np.bool_)
    picked: list[int] = []
    for _ in range(min(k, n)):
        repeated = np.where(np.isneginf(nearest), 0, nearest)
        best = int(np.argmax(np.where(left, relevance * relevant - (1 - relevance) * repeated, -np.inf)))
        picked.append(best)
        left[best] = False
        alike = np.where(of == of[best], unit @ unit[best], -np.inf)
        nearest = np.maximum(nearest, alike)
    return np.array(picked, dtype=np.int64)
