"""Recall: how much of what is relevant was found."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.evaluate.metrics._gains import Float64, as_gains, cut, ratio


def recall(gains: npt.ArrayLike, ideal: npt.ArrayLike, k: int | None = None) -> Float64:
    """Return the share of the relevant items that stand in the first ``k`` ranks.

    Args:
        gains: (q, depth), above 0 where a relevant item stands.
        ideal: (q, m), above 0 for each relevant item, padded with 0.
        k: how many ranks count; all where None.

    Returns:
        float64 (q,) in [0, 1]; NaN where nothing is relevant.

    Examples:
        >>> recall([[1, 0, 1]], [[1, 1, 1]], k=2).round(4).tolist()
        [0.3333]
    """
    found = (cut(as_gains(gains, "gains"), k) > 0).sum(axis=1).astype(np.float64)
    return ratio(found, (as_gains(ideal, "ideal") > 0).sum(axis=1).astype(np.float64))
