"""Normalised discounted cumulative gain."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64, as_gains, cut, ratio


def ndcg(
    gains: npt.ArrayLike,
    ideal: npt.ArrayLike,
    k: int | None = None,
    *,
    gain: Literal["linear", "exponential"] = "linear",
) -> Float64:
    """Return DCG / ideal DCG of each query, where DCG = sum over ranks r = 1, 2, ... of g(grade_r) / log2(r + 1).

    Args:
        gains: (q, depth) grade at each rank, best rank first; 0 where nothing relevant stands.
        ideal: (q, m) grades of all relevant items, in any order, padded with 0.
        k: how many ranks count; all where None.
        gain: ``linear`` g(x) = x (Järvelin and Kekäläinen, 2002; trec_eval), or ``exponential`` g(x) = 2^x - 1
            (Burges et al., 2005).

    Returns:
        float64 (q,) in [0, 1]; NaN where nothing is relevant.

    Raises:
        InputError: negative or NaN gains, k below 1, an unknown ``gain``.

    Examples:
        >>> ndcg([[0, 2, 1]], [[2, 1]]).round(4).tolist()   # (2/log2(3) + 1/2) / (2 + 1/log2(3))
        [0.6697]
    """
    if gain not in ("linear", "exponential"):
        raise InputError(f"gain is {gain!r}; it is 'linear' or 'exponential'")
    found = cut(as_gains(gains, "gains"), k)
    best = cut(-np.sort(-as_gains(ideal, "ideal"), axis=1), k)
    if gain == "exponential":
        found, best = np.exp2(found) - 1.0, np.exp2(best) - 1.0
    return ratio(found @ _discounts(found.shape[1]), best @ _discounts(best.shape[1]))


def _discounts(depth: int) -> Float64:
    discounts: Float64 = 1.0 / np.log2(np.arange(2, depth + 2, dtype=np.float64))
    return discounts
