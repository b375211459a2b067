"""Scores in units of their own list: how far a hit stands above what the tail of the list promises."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.rank.calibration.inputs import Float64, as_scores

HEAD = 0.2
"""The share of a list that may be relevant and takes no part in fitting its tail."""
FEWEST = 3
"""Hits from which a list has a tail."""
LEAST = 1e-4
"""The smallest unit, for lists whose tail is one score."""


def tail_units(scores: npt.ArrayLike) -> Float64:
    """Return (score - u) / b for each hit, where u - b ln(rank) is the line through the tail of its list.

    Of n scores of irrelevant items whose distribution has an exponential tail (normal, Gumbel, gamma: all of the Gumbel
    domain), exp(-(s - u) / b) are expected above s, so the score at rank r is near u - b ln(r): the extreme-value
    correction for n items is in the line, and no n is needed. What is relevant stands above the line. So u and b are
    fitted to the lower four fifths of the list, an empirical null of the query's own, and a hit at 0 is where the best
    of the irrelevant ones is expected. Rising in the score, so the order of a list stays.

    Args:
        scores: (q, k) in any order, -inf at empty places. Fewer than 3 hits have no tail and get 0.

    Returns:
        float64 (q, k); -inf at empty places.

    Raises:
        InputError: NaN, plus infinity, or another number of axes.

    Source:
        Coles, An Introduction to Statistical Modeling of Extreme Values (2001), chapter 3; the empirical null is
        Efron's, Large-Scale Simultaneous Hypothesis Testing (JASA 2004).

    Examples:
        >>> line = 0.5 - 0.1 * np.log(np.arange(1, 101))
        >>> line[0] = 0.9                         # one hit stands out: 0.4 above the line, that is 4 units
        >>> tail_units([line]).round(2)[0, :3].tolist()
        [4.0, -0.69, -1.1]
    """
    values = as_scores(scores)
    ordered = -np.sort(-values, axis=1)
    count = (ordered > -np.inf).sum(axis=1)
    place = np.arange(values.shape[1])
    x = -np.log(place + 1.0)
    first = np.maximum((HEAD * count).astype(np.int64), 1)
    weight = ((place >= first[:, None]) & (place < count[:, None])).astype(np.float64)
    y = np.where(weight > 0, ordered, 0.0)
    total = np.maximum(weight.sum(axis=1), 1.0)
    middle_x, middle_y = weight @ x / total, y.sum(axis=1) / total
    from_x = weight * (x - middle_x[:, None])
    spread = (from_x**2).sum(axis=1)
    slope = (from_x * (y - weight * middle_y[:, None])).sum(axis=1) / np.where(spread > 0, spread, 1.0)
    unit = np.maximum(slope, LEAST)
    units = (values - (middle_y - unit * middle_x)[:, None]) / unit[:, None]
    units[count < FEWEST] = 0.0
    answer: Float64 = np.where(values > -np.inf, units, -np.inf)
    return answer
