"""What a list of scores says about its query: how high it starts, how fast it falls."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.rank.calibration.inputs import Float64, as_scores

RANKS = (1, 2, 5, 10, 20, 50)
"""The ranks whose scores are features; the last feature is the standard deviation of the list."""


def score_features(scores: npt.ArrayLike) -> Float64:
    """Return statistics of each query's list of scores: those at ranks 1, 2, 5, 10, 20 and 50, and their deviation.

    A shorter list has its last score at the ranks that it does not reach; an empty one has 0 everywhere.

    Args:
        scores: (q, k) in any order, -inf at empty places.

    Returns:
        float64 (q, 7), finite.

    Raises:
        InputError: NaN, plus infinity, or another number of axes.

    Examples:
        >>> score_features([[0.9, 0.5, float("-inf")]]).round(2).tolist()
        [[0.9, 0.5, 0.5, 0.5, 0.5, 0.5, 0.2]]
    """
    values = -np.sort(-as_scores(scores), axis=1)
    found = values > -np.inf
    count = found.sum(axis=1)
    features = np.zeros((len(values), len(RANKS) + 1))
    if not count.any():
        return features
    rows = count > 0
    for column, rank in enumerate(RANKS):
        features[rows, column] = values[rows, np.minimum(rank, count[rows]) - 1]
    known = np.where(found, values, 0.0)[rows]
    mean = known.sum(axis=1) / count[rows]
    square = (np.where(found[rows], known - mean[:, None], 0.0) ** 2).sum(axis=1) / count[rows]
    features[rows, -1] = np.sqrt(square)
    return features
