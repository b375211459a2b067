"""Accuracy, F1 and the confusion matrix of predicted labels."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64
from similia.types import Int64


def confusion(truth: npt.ArrayLike, predicted: npt.ArrayLike, classes: int | None = None) -> Int64:
    """Count, for each true class (row), what was predicted (column).

    Args:
        truth: int (n,) class numbers from 0.
        predicted: int (n,) class numbers from 0.
        classes: how many classes there are; the largest number seen + 1 where None.

    Returns:
        int64 (classes, classes).

    Raises:
        InputError: different lengths, no items, or a number outside 0..classes - 1.

    Examples:
        >>> confusion([0, 0, 1], [0, 1, 1]).tolist()
        [[1, 1], [0, 1]]
    """
    actual, given = _labels(truth, "truth"), _labels(predicted, "predicted")
    if actual.size != given.size:
        raise InputError(f"truth holds {actual.size:,} labels and predicted {given.size:,}; they must be as many")
    if actual.size == 0:
        raise InputError("there are no labels to compare")
    largest = int(max(actual.max(), given.max()))
    count = largest + 1 if classes is None else classes
    if largest >= count or min(actual.min(), given.min()) < 0:
        raise InputError(f"labels must be between 0 and {count - 1}, the number of classes less one")
    return np.bincount(actual * count + given, minlength=count * count).reshape(count, count).astype(np.int64)


def accuracy(truth: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """Return the share of labels that are right.

    Examples:
        >>> accuracy([0, 1, 2, 2], [0, 1, 2, 1])
        0.75
    """
    table = confusion(truth, predicted)
    return float(np.trace(table) / table.sum())


def f1(
    truth: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    average: Literal["macro", "micro"] = "macro",
    classes: int | None = None,
) -> float:
    """Return F1 = 2 TP / (2 TP + FP + FN): the mean over classes (macro), or of the pooled counts (micro).

    A class that neither occurs nor is predicted is left out of the macro mean; one that does either and is never
    right counts as 0. With one label an item, micro F1 is the accuracy.

    Raises:
        InputError: as `confusion`; an unknown ``average``.

    Examples:
        >>> round(f1([0, 0, 1, 1], [0, 1, 1, 1]), 4)   # (2/3 + 4/5) / 2
        0.7333
    """
    return f1_of(confusion(truth, predicted, classes), average=average)


def f1_of(table: npt.ArrayLike, *, average: Literal["macro", "micro"] = "macro") -> float:
    """F1 of a confusion matrix (classes, classes); see `f1`."""
    counts: Float64 = np.asarray(table, dtype=np.float64)
    right, involved = np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1)
    if average == "micro":
        return float(2 * right.sum() / involved.sum())
    if average != "macro":
        raise InputError(f"average is {average!r}; it is 'macro' or 'micro'")
    seen = involved > 0
    return float((2 * right[seen] / involved[seen]).mean())


def _labels(values: npt.ArrayLike, name: str) -> Int64:
    labels = np.asarray(values)
    if labels.ndim != 1 or (labels.size and not np.issubdtype(labels.dtype, np.integer)):
        raise InputError(f"{name}: expected whole class numbers (n,), got {labels.dtype} with {labels.ndim} axes")
    return labels.astype(np.int64)
