"""Isotonic regression: the rising steps that fit best, of whatever form."""

from __future__ import annotations

from typing import Any

import numpy as np

from similia.rank.calibration.inputs import Float64
from similia.types import Int64

TINY = 1e-12


class IsotonicCurve:
    """Probability as a rising function of the score, found by pooling neighbours that fall (PAV).

    Between two steps it is linear; below the lowest and above the highest known score it stays as it is there. It makes
    ties, and needs more judged pairs than a curve of two parameters does.

    Source:
        Ayer, Brunk, Ewing, Reid and Silverman, An Empirical Distribution Function for Sampling with Incomplete
        Information (1955); Zadrozny and Elkan, Transforming Classifier Scores into Accurate Multiclass Probability
        Estimates (KDD 2002).

    Examples:
        >>> curve = IsotonicCurve().fit(np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 1.0, 0.0, 1.0]))
        >>> curve.probability(np.array([0.0, 2.5, 3.5, 9.0])).tolist()
        [0.0, 0.5, 0.75, 1.0]
    """

    def __init__(self) -> None:
        self.scores, self.values = np.zeros(0), np.zeros(0)

    def fit(self, scores: Float64, labels: Float64, weights: Float64 | None = None) -> IsotonicCurve:
        """Fit to finite scores (n,) and labels (n,), each weighing 1 where no weights are given; n at least 1."""
        known, group = np.unique(scores, return_inverse=True)
        each = np.ones(len(scores)) if weights is None else weights
        weight = np.bincount(group, weights=each)
        value = np.bincount(group, weights=labels * each) / weight
        level, first = rising(value, weight.astype(np.float64))
        last = np.append(first[1:] - 1, known.size - 1)
        ends = np.stack([first, last], axis=1).reshape(-1)
        self.scores, keep = np.unique(known[ends], return_index=True)
        self.values = np.repeat(level, 2)[keep]
        return self

    def probability(self, scores: Float64) -> Float64:
        """The value at finite scores, of any shape."""
        found: Float64 = np.interp(scores, self.scores, self.values)
        return found

    def log_odds(self, scores: Float64) -> Float64:
        """The log-odds of finite scores; within 1e-12 of certainty."""
        p = np.clip(self.probability(scores), TINY, 1 - TINY)
        odds: Float64 = np.log(p) - np.log1p(-p)
        return odds

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"scores": self.scores.tolist(), "values": self.values.tolist()}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> IsotonicCurve:
        """Read what `to_dict` wrote."""
        curve = cls()
        curve.scores, curve.values = np.array(stored["scores"], float), np.array(stored["values"], float)
        return curve


def rising(values: Float64, weights: Float64) -> tuple[Float64, Int64]:
    """The rising row nearest to ``values`` (n,) in weighted squares: the level of each step, and where it begins.

    Examples:
        >>> levels, begins = rising(np.array([1.0, 3.0, 2.0, 4.0]), np.ones(4))
        >>> levels.tolist(), begins.tolist()
        ([1.0, 2.5, 4.0], [0, 1, 3])
    """
    level: list[float] = []
    mass: list[float] = []
    begin: list[int] = []
    for place, (value, weight) in enumerate(zip(values.tolist(), weights.tolist(), strict=True)):
        start = place
        while level and level[-1] >= value:
            total = mass[-1] + weight
            value = (level.pop() * mass.pop() + value * weight) / total
            weight, start = total, begin.pop()
        level.append(value)
        mass.append(weight)
        begin.append(start)
    return np.array(level), np.array(begin, dtype=np.int64)
