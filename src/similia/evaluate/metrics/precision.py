"""Precision: how much of what was found is relevant."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.evaluate.metrics._gains import Float64, as_gains, cut


def precision(gains: npt.ArrayLike, ideal: npt.ArrayLike | None = None, k: int | None = None) -> Float64:
    """Return the share of the first ``k`` ranks at which a relevant item stands.

    Args:
        gains: (q, depth), above 0 where a relevant item stands.
        ideal: (q, m) as elsewhere; given, a query for which nothing is relevant gets NaN and not 0.
        k: how many ranks count; all that there are where None. Ranks beyond the depth count as not relevant.

    Returns:
        float64 (q,) in [0, 1].

    Examples:
        >>> precision([[1, 0, 1]], k=5).round(4).tolist()
        [0.4]
    """
    hit = cut(as_gains(gains, "gains"), k) > 0
    values: Float64 = hit.sum(axis=1) / float(max(k or hit.shape[1], 1))
    if ideal is not None:
        values[~(as_gains(ideal, "ideal") > 0).any(axis=1)] = np.nan
    return values
