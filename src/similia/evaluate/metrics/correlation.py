"""How far scores follow outcomes: Pearson correlation, and the area under the ROC curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64


def pearson(scores: npt.ArrayLike, outcomes: npt.ArrayLike) -> float:
    """Return the linear correlation of two rows of numbers, in [-1, 1]; NaN where either does not vary.

    Raises:
        InputError: different lengths, or fewer than two.

    Examples:
        >>> round(pearson([1, 2, 3], [1, 2, 4]), 4)
        0.982
    """
    x, y = _paired(scores, outcomes)
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x @ x) * (y @ y)))
    return float(x @ y) / scale if scale > 0 else float("nan")


def auc(scores: npt.ArrayLike, outcomes: npt.ArrayLike) -> float:
    """Return how often a positive scores above a negative, ties counting half; NaN where either is missing.

    Args:
        scores: (n,) numbers.
        outcomes: (n,) true or above 0 for a positive.

    Examples:
        >>> auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
        0.75
    """
    x, y = _paired(scores, outcomes)
    positive = y > 0
    good, bad = int(positive.sum()), int((~positive).sum())
    if not good or not bad:
        return float("nan")
    _, group, count = np.unique(x, return_inverse=True, return_counts=True)
    rank = np.cumsum(count) - (count - 1) / 2  # the mean rank, from 1, of equal scores
    return float((rank[group][positive].sum() - good * (good + 1) / 2) / (good * bad))


def _paired(scores: npt.ArrayLike, outcomes: npt.ArrayLike) -> tuple[Float64, Float64]:
    x, y = np.asarray(scores, dtype=np.float64), np.asarray(outcomes, dtype=np.float64)
    if x.shape != y.shape or x.ndim != 1 or x.size < 2:
        raise InputError(f"scores {x.shape} and outcomes {y.shape} must be (n,), of one length, at least 2")
    return x, y
