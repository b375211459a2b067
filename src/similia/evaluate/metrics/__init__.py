"""Metrics, one a file: how good a ranking is, and how good labels are.

Ranking metrics take *gains*: float (q, depth), the grade of what stands at each rank, best rank first, and 0 where
nothing relevant (or nothing at all) stands. Those that need to know what could have been found also take *ideal*:
float (q, m), the grades of everything that is relevant, 0 where fewer than m are. Each returns one value a query,
float64 (q,) in [0, 1]; a query for which nothing is relevant has no value, NaN.
"""

from __future__ import annotations

# Not lazily: a module and its function have one name, and the function must win whichever is imported first.
from similia.evaluate.metrics.average_precision import average_precision
from similia.evaluate.metrics.calibration import Reliability, brier_score, calibration_error, reliability
from similia.evaluate.metrics.classification import accuracy, confusion, f1
from similia.evaluate.metrics.correlation import auc, pearson
from similia.evaluate.metrics.ndcg import ndcg
from similia.evaluate.metrics.pooled import OperatingPoint, operating_point, pooled_average_precision
from similia.evaluate.metrics.precision import precision
from similia.evaluate.metrics.recall import recall
from similia.evaluate.metrics.reciprocal_rank import reciprocal_rank

__all__ = [
    "OperatingPoint",
    "Reliability",
    "accuracy",
    "auc",
    "average_precision",
    "brier_score",
    "calibration_error",
    "confusion",
    "f1",
    "ndcg",
    "operating_point",
    "pearson",
    "pooled_average_precision",
    "precision",
    "recall",
    "reciprocal_rank",
    "reliability",
]
