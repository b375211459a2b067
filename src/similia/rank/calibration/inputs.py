"""What every calibrator asks of its arrays: scores with empty places, labels with gaps, features of queries."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

Float64: TypeAlias = npt.NDArray[np.float64]


def as_scores(scores: npt.ArrayLike, name: str = "scores") -> Float64:
    """Return scores as float64 (q, k); -inf marks an empty place.

    Raises:
        InputError: another number of axes, NaN, or a score of plus infinity.

    Examples:
        >>> as_scores([[0.5, float("-inf")]])
        array([[ 0.5, -inf]])
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2:
        raise InputError(f"{name}: {values.ndim} axes; expected (queries, k)")
    if np.isnan(values).any() or (values == np.inf).any():
        raise InputError(f"{name}: a score is NaN or infinite; it must be a finite number, or -inf for an empty place")
    return values


def as_labels(labels: npt.ArrayLike, scores: Float64) -> Float64:
    """Return labels as float64 of the shape of ``scores``; NaN where not judged, and at empty places.

    Raises:
        InputError: another shape, or a label outside [0, 1].

    Examples:
        >>> as_labels([[1, 0]], as_scores([[0.5, float("-inf")]]))
        array([[ 1., nan]])
    """
    values = np.array(labels, dtype=np.float64)
    if values.shape != scores.shape:
        raise InputError(f"labels have shape {values.shape} and scores {scores.shape}; there is one label a score")
    if (values < 0).any() or (values > 1).any():
        raise InputError("a label lies outside 0 to 1; divide graded judgments by the highest grade")
    values[scores == -np.inf] = np.nan
    return values


def as_features(features: npt.ArrayLike, queries: int) -> Float64:
    """Return features of queries as float64 (q, f).

    Raises:
        InputError: another number of rows or axes, no column, NaN or infinity.

    Examples:
        >>> as_features([[1, 2], [3, 4]], 2).shape
        (2, 2)
    """
    values = np.asarray(features, dtype=np.float64)
    if values.ndim != 2 or len(values) != queries or not values.shape[1]:
        raise InputError(f"features have shape {values.shape}; expected ({queries}, f), one row a query")
    if not np.isfinite(values).all():
        raise InputError("a feature is NaN or infinite; every feature must be a finite number")
    return values


def sigmoid(values: Float64) -> Float64:
    """1 / (1 + exp(-x)) without overflow; 0 at -inf.

    Examples:
        >>> sigmoid(np.array([-np.inf, -800.0, 0.0, 800.0])).round(3).tolist()
        [0.0, 0.0, 0.5, 1.0]
    """
    small = np.exp(-np.abs(values))
    answer: Float64 = np.where(values >= 0, 1.0, small) / (1.0 + small)
    return answer
