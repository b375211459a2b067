"""Platt scaling: one logistic curve for all scores."""

from __future__ import annotations

from typing import Any

import numpy as np

from similia.rank.calibration.inputs import Float64, sigmoid

STEPS = 100
SMALL = 1e-10


class PlattCurve:
    """log-odds = slope * (score - mean) / deviation + offset, fitted by Newton's method.

    The targets are drawn in from 0 and 1, to 1 / (N- + 2) and (N+ + 1) / (N+ + 2), so that separable scores do not lead
    to certainty. A slope below 0 becomes 0: scores that say the opposite of the labels say nothing.

    Source:
        Platt, Probabilistic Outputs for Support Vector Machines (1999); Lin, Lin and Weng, A Note on Platt's
        Probabilistic Outputs for Support Vector Machines (Machine Learning, 2007).

    Examples:
        >>> curve = PlattCurve().fit(np.array([0.1, 0.2, 0.8, 0.9]), np.array([0.0, 0, 1, 1]))
        >>> sigmoid(curve.log_odds(np.array([0.0, 0.5, 1.0]))).round(2).tolist()
        [0.18, 0.5, 0.82]
    """

    def __init__(self) -> None:
        self.mean, self.deviation, self.slope, self.offset = 0.0, 1.0, 0.0, 0.0

    def fit(self, scores: Float64, labels: Float64) -> PlattCurve:
        """Fit to finite scores (n,) and labels (n,) in [0, 1], n at least 1."""
        positive = float(labels.sum())
        negative = labels.size - positive
        target = labels * (positive + 1) / (positive + 2) + (1 - labels) / (negative + 2)
        prior = float(target.mean())
        self.mean, spread = float(scores.mean()), float(scores.std())
        self.deviation = spread if spread > 0 else 1.0
        x = (scores - self.mean) / self.deviation
        weights = np.array([0.0, np.log(prior / (1 - prior))])
        loss = _loss(weights, x, target)
        for _ in range(STEPS):
            p = sigmoid(weights[0] * x + weights[1])
            residual, curvature = p - target, p * (1 - p)
            gradient = np.array([residual @ x, residual.sum()])
            cross = curvature @ x
            hessian = np.array([[curvature @ (x * x), cross], [cross, curvature.sum()]]) + SMALL * np.eye(2)
            direction = np.linalg.solve(hessian, gradient)
            step = 1.0
            while step > SMALL and _loss(weights - step * direction, x, target) > loss:
                step /= 2
            if step <= SMALL:
                break
            weights = weights - step * direction
            previous, loss = loss, _loss(weights, x, target)
            if previous - loss < SMALL * max(loss, 1.0):
                break
        self.slope, self.offset = map(float, weights)
        if self.slope <= 0:
            self.slope, self.offset = 0.0, float(np.log(prior / (1 - prior)))
        return self

    def log_odds(self, scores: Float64) -> Float64:
        """The log-odds of finite scores, of any shape."""
        return self.slope * ((scores - self.mean) / self.deviation) + self.offset

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"mean": self.mean, "deviation": self.deviation, "slope": self.slope, "offset": self.offset}

    @classmethod
    def from_dict(cls, stored: dict[str, Any]) -> PlattCurve:
        """Read what `to_dict` wrote."""
        curve = cls()
        curve.mean, curve.deviation = float(stored["mean"]), float(stored["deviation"])
        curve.slope, curve.offset = float(stored["slope"]), float(stored["offset"])
        return curve


def _loss(weights: Float64, x: Float64, target: Float64) -> float:
    odds = weights[0] * x + weights[1]
    return float((np.logaddexp(0.0, odds) - target * odds).sum())
