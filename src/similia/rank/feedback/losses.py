"""The two losses of a query that is to order documents, with their gradients; NumPy only."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Int64

Floats = npt.NDArray[np.floating[Any]]


def info_nce(
    similarities: npt.ArrayLike,
    positive: npt.ArrayLike,
    *,
    temperature: float = 0.03,
    mask: npt.ArrayLike | None = None,
) -> tuple[float, Floats]:
    """The mean over queries of -log softmax(similarities / temperature) at the positive, and its gradient.

    Args:
        similarities: (q, n) of each query with its positive and with what is to be told from it.
        positive: int (q,) the column of the positive.
        temperature: above 0.
        mask: bool (q, n), False for what takes no part, such as another query's document that is this query's positive.

    Returns:
        The loss, and its gradient by ``similarities``, of their shape.

    Raises:
        InputError: shapes that do not fit, a value that is not finite, or a positive that takes no part.

    Source:
        van den Oord, Li, Vinyals: Representation Learning with Contrastive Predictive Coding (arXiv 1807.03748, 2018).

    Examples:
        >>> loss, slope = info_nce([[0.9, 0.1]], [0], temperature=1.0)
        >>> round(loss, 4), slope.round(4).tolist()
        (0.3711, [[-0.31, 0.31]])
    """
    values = _similarities(similarities, temperature)
    places = np.asarray(positive)
    if places.shape != (len(values),) or not np.issubdtype(places.dtype, np.integer):
        raise InputError(f"positive has shape {places.shape}; expected ({len(values)},), a column a query")
    if ((places < 0) | (places >= values.shape[1])).any():
        raise InputError(f"positive names a column that is not there; there are {values.shape[1]}")
    part = _mask(mask, values)
    rows = np.arange(len(values))
    if not part[rows, places].all():
        raise InputError(f"the positive of query {int(np.argmin(part[rows, places]))} is masked, so it cannot be found")
    if not len(values):
        return 0.0, np.zeros_like(values)
    scaled = np.where(part, values / temperature, -np.inf)
    raised = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    share = raised / raised.sum(axis=1, keepdims=True)
    loss = -np.log(np.maximum(share[rows, places], np.finfo(values.dtype).tiny)).mean()
    share[rows, places] -= 1
    return float(loss), share / (temperature * len(values))


def rank_net(
    similarities: npt.ArrayLike, *, temperature: float = 0.1, mask: npt.ArrayLike | None = None
) -> tuple[float, Floats]:
    """How far documents are from the order of their columns, best first: RankNet, and its gradient.

    For each pair of columns j < k, log(1 + exp((s_k - s_j) / temperature)): the mean over the pairs of a query, then
    over queries.

    Args:
        similarities: (q, m), columns in the order of the teacher (`in_order` brings them there).
        temperature: above 0.
        mask: bool (q, m), False for an empty place.

    Returns:
        The loss, and its gradient by ``similarities``, of their shape.

    Raises:
        InputError: shapes that do not fit, or a value that is not finite.

    Source:
        Burges et al.: Learning to Rank using Gradient Descent (ICML 2005).

    Examples:
        >>> loss, slope = rank_net([[0.2, 0.1]], temperature=0.1)
        >>> round(loss, 4), slope.round(3).tolist()
        (0.3133, [[-2.689, 2.689]])
    """
    values = _similarities(similarities, temperature)
    part = _mask(mask, values)
    better, worse = np.triu_indices(values.shape[1], k=1)
    both = part[:, better] & part[:, worse]
    count = both.sum(axis=1, keepdims=True)
    ranked = int((count > 0).sum())
    slope = np.zeros_like(values)
    if not ranked:
        return 0.0, slope
    weight = np.where(both, 1 / np.maximum(count, 1), 0).astype(values.dtype) / ranked
    wrong = (values[:, worse] - values[:, better]) / temperature
    loss = float((weight * np.logaddexp(0, wrong)).sum())
    pull = weight / (1 + np.exp(-np.clip(wrong, -80, 80))) / temperature
    for column in range(values.shape[1]):
        slope[:, column] = pull[:, worse == column].sum(axis=1) - pull[:, better == column].sum(axis=1)
    return loss, slope


def in_order(candidates: npt.ArrayLike, permutations: npt.ArrayLike) -> Int64:
    """Candidates in the order of a teacher's permutations.

    Args:
        candidates: int (q, m).
        permutations: int (q, m); entry r of a row says which candidate is at rank r, best first.

    Raises:
        InputError: shapes that differ, or a row that names a candidate twice or not at all.

    Examples:
        >>> in_order([[7, 8, 9]], [[2, 0, 1]]).tolist()
        [[9, 7, 8]]
    """
    given, order = np.asarray(candidates, dtype=np.int64), np.asarray(permutations)
    if given.ndim != 2 or order.shape != given.shape or not np.issubdtype(order.dtype, np.integer):
        raise InputError(f"permutations {order.shape} must be whole numbers of the shape of candidates, {given.shape}")
    wrong = (np.sort(order, axis=1) != np.arange(given.shape[1])).any(axis=1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"permutation {row} does not hold each of 0 to {given.shape[1] - 1} exactly once")
    return np.take_along_axis(given, order.astype(np.int64), axis=1)


def _similarities(similarities: npt.ArrayLike, temperature: float) -> Floats:
    values = np.asarray(similarities)
    if not np.issubdtype(values.dtype, np.floating):
        values = values.astype(np.float64)
    if values.ndim != 2 or not np.isfinite(values).all():
        raise InputError(f"similarities of shape {values.shape} must be (q, n), of finite numbers")
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature is {temperature!r}; it must be a number above 0")
    return values


def _mask(mask: npt.ArrayLike | None, values: Floats) -> Bool:
    part = np.ones(values.shape, np.bool_) if mask is None else np.asarray(mask, dtype=np.bool_)
    if part.shape != values.shape:
        raise InputError(f"mask has shape {part.shape}; expected {values.shape}, that of the similarities")
    return part
