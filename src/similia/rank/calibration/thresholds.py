"""One threshold for all queries, chosen on judged pairs."""

from __future__ import annotations

import numpy as np

from similia.errors import InputError
from similia.rank.calibration.inputs import Float64


def keeps_recall(values: Float64, relevant: Float64, recall: float) -> float:
    """The highest threshold at which a share ``recall`` of what is relevant stays.

    Args:
        values: (n,) probabilities of judged pairs.
        relevant: (n,) true or above 0 where relevant.
        recall: above 0, at most 1.

    Raises:
        InputError: no relevant pair, or a recall outside (0, 1].

    Examples:
        >>> keeps_recall(np.array([0.9, 0.8, 0.3]), np.array([1, 0, 1]), 0.5)
        0.9
    """
    _check("recall", recall)
    good = -np.sort(-values[relevant > 0])
    if not good.size:
        raise InputError("no pair is relevant, so no threshold keeps a share of the relevant ones")
    return float(good[max(int(np.ceil(recall * good.size * (1 - 1e-12))) - 1, 0)])


def reaches_precision(values: Float64, relevant: Float64, precision: float) -> float:
    """The lowest threshold at which a share ``precision`` of what stays is relevant.

    Args:
        values: (n,) probabilities of judged pairs.
        relevant: (n,) true or above 0 where relevant.
        precision: above 0, at most 1.

    Raises:
        InputError: no threshold reaches it (the best that one does is named), or a precision outside (0, 1].

    Examples:
        >>> reaches_precision(np.array([0.9, 0.8, 0.3]), np.array([1, 0, 1]), 0.6)
        0.3
    """
    _check("precision", precision)
    order = np.argsort(-values, kind="stable")
    value = values[order]
    share = np.cumsum(relevant[order] > 0) / np.arange(1, value.size + 1)
    ends = np.append(value[1:] != value[:-1], True)[: value.size]  # equal values are kept or dropped together
    reached = np.flatnonzero(ends & (share >= precision * (1 - 1e-12)))
    if not reached.size:
        best = f"{share[ends].max():.3f}" if value.size else "no judged pair"
        raise InputError(f"no threshold reaches a precision of {precision}; the best on these pairs is {best}")
    return float(value[reached[-1]])


def _check(name: str, share: float) -> None:
    if not 0 < share <= 1:
        raise InputError(f"{name} is {share!r}; it is a share, above 0 and at most 1")
