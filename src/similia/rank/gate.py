"""Whether something new may replace what is there: only where queries held out say so."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

BLOCK = 1 << 22


@dataclass(frozen=True)
class Decision:
    """What a gate decided.

    Attributes:
        keep: whether to keep the new.
        gain: the mean of new - old over the queries held out.
        low: the lower end of its interval.
        high: the upper end.
        confidence: of the interval.
        queries: how many queries it rests on.
        old: the mean of the old.
        new: the mean of the new.
        reason: the decision in a sentence.
    """

    keep: bool
    gain: float
    low: float
    high: float
    confidence: float
    queries: int
    old: float
    new: float
    reason: str

    def __bool__(self) -> bool:
        return self.keep


def keep_better(
    old: npt.ArrayLike,
    new: npt.ArrayLike,
    *,
    least: float = 0.0,
    confidence: float = 0.95,
    samples: int = 10_000,
    seed: int = 0,
) -> Decision:
    """Keep the new only if it is better on queries that it was not made with, and surely so.

    The interval of the mean difference is a percentile bootstrap over queries; the new is kept where its lower end
    lies above ``least``. With few queries the interval is wide, and the old stays.

    Args:
        old: (q,) a metric of each query held out, higher is better.
        new: (q,) the same of the new, in the same order. A query that is NaN in either is left out.
        least: how much better it has to be.
        confidence: of the interval, between 0 and 1.
        samples: how many times q queries are drawn.
        seed: same seed, same decision.

    Raises:
        InputError: shapes that differ, an infinite value, or a number out of range.

    Source:
        The gate is that of Steffens, "vstash" (arXiv 2604.15484, 2026), which asks for a higher mean only. Efron and
        Tibshirani: An Introduction to the Bootstrap (1993).

    Examples:
        >>> old = [0.5, 0.4, 0.6, 0.5] * 10
        >>> decision = keep_better(old, [value + 0.1 for value in old])
        >>> decision.keep, round(decision.gain, 3)
        (True, 0.1)
        >>> print(keep_better(old, [value - 0.1 for value in old]).reason)
        refused: 0.4000 against 0.5000 on 40 queries, a gain of -0.1000 [-0.1000, -0.1000], which is not surely above 0
    """
    before, after = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    if before.ndim != 1 or before.shape != after.shape:
        raise InputError(f"old {before.shape} and new {after.shape} must both be (q,), of the same queries")
    if np.isinf(before).any() or np.isinf(after).any():
        raise InputError("old and new must hold no infinite value; a query without a value is NaN")
    if not 0 < confidence < 1 or samples < 1 or not np.isfinite(least):
        raise InputError(
            f"confidence is {confidence!r}, samples {samples!r}, least {least!r}; "
            "a confidence between 0 and 1, at least 1 sample and a finite number are needed"
        )
    known = ~(np.isnan(before) | np.isnan(after))
    before, after = before[known], after[known]
    if not before.size:
        nan = float("nan")
        return Decision(False, nan, nan, nan, confidence, 0, nan, nan, "refused: no query was held out")
    difference = after - before
    random = np.random.default_rng(seed)
    step = max(1, BLOCK // difference.size)
    means = np.concatenate(
        [
            difference[random.integers(0, difference.size, (min(step, samples - start), difference.size))].mean(axis=1)
            for start in range(0, samples, step)
        ]
    )
    low, high = (float(end) for end in np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2]))
    gain = float(difference.mean())
    # A single query has no spread to be seen, and so nothing to be sure by.
    keep = low > least and difference.size > 1
    word, sure = ("kept", "surely") if keep else ("refused", "not surely")
    reason = (
        f"{word}: {after.mean():.4f} against {before.mean():.4f} on {difference.size:,} queries, "
        f"a gain of {gain:.4f} [{low:.4f}, {high:.4f}], which is {sure} above {least:g}"
    )
    return Decision(
        keep, gain, low, high, confidence, difference.size, float(before.mean()), float(after.mean()), reason
    )
