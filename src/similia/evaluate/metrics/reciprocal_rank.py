"""Reciprocal rank; its mean over queries is MRR."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.evaluate.metrics._gains import Float64, as_gains, cut


def reciprocal_rank(gains: npt.ArrayLike, ideal: npt.ArrayLike | None = None, k: int | None = None) -> Float64:
    """Return 1 / (rank of the first relevant item), 0 where none is found.

    Args:
        gains: (q, depth), above 0 where a relevant item stands.
        ideal: (q, m) as elsewhere; given, a query for which nothing is relevant gets NaN and not 0.
        k: how many ranks count; all where None.

    Returns:
        float64 (q,) in [0, 1].

    Examples:
        >>> reciprocal_rank([[0, 0, 3], [0, 0, 0]]).round(4).tolist()
        [0.3333, 0.0]
    """
    hit = cut(as_gains(gains, "gains"), k) > 0
    if hit.shape[1] == 0:
        values = np.zeros(len(hit))
    else:
        values = np.where(hit.any(axis=1), 1.0 / (hit.argmax(axis=1) + 1.0), 0.0)
    if ideal is not None:
        values[~(as_gains(ideal, "ideal") > 0).any(axis=1)] = np.nan
    return values
