"""Average precision; its mean over queries is MAP."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.evaluate.metrics._gains import Float64, as_gains, cut, ratio


def average_precision(gains: npt.ArrayLike, ideal: npt.ArrayLike, k: int | None = None) -> Float64:
    """Return the mean, over all relevant items, of the precision at their rank; 0 for those not found.

    Args:
        gains: (q, depth), above 0 where a relevant item stands.
        ideal: (q, m), above 0 for each relevant item, padded with 0.
        k: how many ranks count; all where None. What is relevant below the cut counts as not found, as in trec_eval.

    Returns:
        float64 (q,) in [0, 1]; NaN where nothing is relevant.

    Examples:
        >>> average_precision([[1, 0, 1]], [[1, 1]]).round(4).tolist()   # (1/1 + 2/3) / 2
        [0.8333]
    """
    hit = cut(as_gains(gains, "gains"), k) > 0
    precision_at = np.cumsum(hit, axis=1) / np.arange(1, hit.shape[1] + 1)
    relevant = (as_gains(ideal, "ideal") > 0).sum(axis=1).astype(np.float64)
    return ratio((precision_at * hit).sum(axis=1), relevant)
