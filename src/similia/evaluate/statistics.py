"""How sure a number is: bootstrap intervals, paired differences, a randomisation test.

Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993); Smucker, Allan and Carterette, A comparison of
statistical significance tests for information retrieval evaluation (CIKM 2007).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64
from similia.types import Int64

BLOCK = 1 << 22
"""Random numbers drawn at a time, so that memory stays bounded (32 MB)."""

EXACT_UP_TO = 16
"""Up to this many non-zero differences, all 2^n sign patterns are counted and none is drawn."""


@dataclass(frozen=True)
class Interval:
    """An estimate with the percentile interval of its bootstrap distribution."""

    value: float
    low: float
    high: float
    confidence: float

    def __str__(self) -> str:
        return f"{self.value:.4f} [{self.low:.4f}, {self.high:.4f}]"

    def to_dict(self) -> dict[str, float]:
        """JSON-ready."""
        return {"value": self.value, "low": self.low, "high": self.high, "confidence": self.confidence}


def bootstrap_interval(
    values: npt.ArrayLike, *, confidence: float = 0.95, samples: int = 10_000, seed: int = 0
) -> Interval:
    """Return the mean of ``values`` with its percentile bootstrap interval.

    Args:
        values: (n,) one value a query or item; NaN is left out.
        confidence: share of the bootstrap means that the interval covers, between 0 and 1.
        samples: how many times n values are drawn with replacement.
        seed: same seed, same interval.

    Raises:
        InputError: no values, or a confidence outside (0, 1).

    Examples:
        >>> found = bootstrap_interval([0.0, 1.0, 1.0, 0.0, 1.0])
        >>> found.value, found.low < found.value < found.high
        (0.6, True)
    """
    known = _known(values)

    def mean(picked: Int64) -> Float64:
        averages: Float64 = known[picked].mean(axis=1)
        return averages

    means = _resampled_means(mean, known.size, samples, seed)
    return _interval(float(known.mean()), means, confidence)


def paired_bootstrap(
    a: npt.ArrayLike, b: npt.ArrayLike, *, confidence: float = 0.95, samples: int = 10_000, seed: int = 0
) -> Interval:
    """Return mean(a - b) with its bootstrap interval; the two are measured on the same queries, in the same order.

    A pair of which either is NaN is left out.

    Examples:
        >>> paired_bootstrap([0.6, 0.7, 0.9], [0.5, 0.6, 0.8]).value.__round__(6)
        0.1
    """
    return bootstrap_interval(_differences(a, b), confidence=confidence, samples=samples, seed=seed)


def bootstrap_statistic(
    statistic: Callable[[Int64], float], count: int, *, confidence: float = 0.95, samples: int = 1_000, seed: int = 0
) -> Interval:
    """Return a statistic that is no mean (macro F1, a difference of two) with its bootstrap interval.

    Args:
        statistic: takes int64 (n,) positions of the items drawn, and returns one number.
        count: the number n of items.
        confidence: as in `bootstrap_interval`.
        samples: how many times n items are drawn with replacement.
        seed: same seed, same interval.

    Examples:
        >>> truth = np.array([0, 1, 1, 0]); guess = np.array([0, 1, 0, 0])
        >>> bootstrap_statistic(lambda at: float((truth[at] == guess[at]).mean()), 4).value
        0.75
    """
    if count < 1:
        raise InputError("there are no items to draw from")
    random = np.random.default_rng(seed)
    drawn = np.array([statistic(random.integers(0, count, count)) for _ in range(samples)])
    return _interval(float(statistic(np.arange(count, dtype=np.int64))), drawn, confidence)


def randomisation_test(a: npt.ArrayLike, b: npt.ArrayLike, *, samples: int = 10_000, seed: int = 0) -> float:
    """Return the two-sided p of mean(a) = mean(b) by flipping the signs of the paired differences.

    Exact where at most 16 differences are not 0; otherwise (1 + extreme) / (1 + samples) over random flips.

    Args:
        a: (n,) values of one system.
        b: (n,) values of the other on the same queries, in the same order.
        samples: how many random flips.
        seed: same seed, same p.

    Examples:
        >>> randomisation_test([1.0, 1.0, 1.0], [0.0, 0.0, 0.0])   # 2 of the 8 sign patterns are as extreme
        0.25
    """
    difference = _differences(a, b)
    difference = difference[difference != 0]
    if difference.size == 0:
        return 1.0
    observed = abs(difference.sum())
    margin = 1e-12 * np.abs(difference).sum()  # sums that are equal up to rounding count as equal
    if difference.size <= EXACT_UP_TO:
        bits = np.arange(1 << difference.size)[:, None] >> np.arange(difference.size) & 1
        sums = np.abs((1.0 - 2.0 * bits) @ difference)
        return float((sums >= observed - margin).mean())
    random = np.random.default_rng(seed)
    extreme, step = 0, max(1, BLOCK // difference.size)
    for start in range(0, samples, step):
        signs = random.integers(0, 2, (min(step, samples - start), difference.size)) * 2.0 - 1.0
        extreme += int((np.abs(signs @ difference) >= observed - margin).sum())
    return (1 + extreme) / (1 + samples)


def _resampled_means(mean: Callable[[Int64], Float64], count: int, samples: int, seed: int) -> Float64:
    random = np.random.default_rng(seed)
    step = max(1, BLOCK // count)
    parts = [mean(random.integers(0, count, (min(step, samples - start), count))) for start in range(0, samples, step)]
    return np.concatenate(parts)


def _interval(value: float, drawn: Float64, confidence: float) -> Interval:
    if not 0 < confidence < 1:
        raise InputError(f"confidence is {confidence}; it lies between 0 and 1, for instance 0.95")
    low, high = np.quantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(value, float(low), float(high), confidence)


def _known(values: npt.ArrayLike) -> Float64:
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise InputError(f"values: {array.ndim} axes; expected one value an item, (n,)")
    known: Float64 = array[~np.isnan(array)]
    if known.size == 0:
        raise InputError("values holds no number, so there is nothing to draw from")
    return known


def _differences(a: npt.ArrayLike, b: npt.ArrayLike) -> Float64:
    left, right = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise InputError(f"a {left.shape} and b {right.shape} must both be (n,), measured on the same items")
    return _known(left - right)
