"""One ranking from several: reciprocal rank fusion, the same with weights, and fusion of normalised scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.topk import best_of, check_k
from similia.types import Hits, Int64

Method: TypeAlias = Literal["rrf", "weighted", "score", "sum"]
Normalisation: TypeAlias = Literal["minmax", "z"]
Float64: TypeAlias = npt.NDArray[np.float64]


def fuse(
    views: Sequence[Hits],
    k: int,
    *,
    method: Method = "rrf",
    weights: npt.ArrayLike | None = None,
    constant: float = 60,
    normalisation: Normalisation = "minmax",
) -> Hits:
    """The k best items of each query, from what several views found for it.

    - ``rrf``: the sum over views of 1 / (constant + rank), ranks from 1. Needs no scores that compare.
    - ``weighted``: the sum of weight / (constant + rank).
    - ``score``: the weighted sum of scores brought to one scale per query and view, so that the worst of a view's hits
      has 0, like what it did not find: ``minmax`` divides by the range, ``z`` by the standard deviation.
    - ``sum``: the weighted sum of scores that are on one scale already; what a view did not find has its last score.

    An item that a view found twice counts once, at its better rank. Weights are brought to sum 1 over the views that
    found anything for the query; a view with weight 0 takes no part. Equal scores come by lower id.

    Args:
        views: hits of the same q queries; they may differ in k.
        k: places a query, at least 1.
        method: one of the four above.
        weights: (views,), or (q, views) for weights by query; at least 0. Only with "weighted", which needs them, and
            "score" and "sum", where they are equal by default.
        constant: how little the first ranks stand out; at least 0.
        normalisation: of scores, with "score".

    Raises:
        InputError: no views, views of different numbers of queries, or weights that do not fit.

    Source:
        Cormack, Clarke, Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning Methods
        (SIGIR 2009). Fox, Shaw: Combination of Multiple Searches (TREC-2, 1994).

    Examples:
        >>> dense = Hits([[7, 3, 5]], [[0.9, 0.8, 0.1]])
        >>> text = Hits([[3, 9, -1]], [[12.0, 4.0, float("-inf")]])
        >>> fuse([dense, text], k=3).ids.tolist()
        [[3, 7, 9]]
        >>> fuse([dense, text], k=3, method="weighted", weights=[0.9, 0.1]).ids.tolist()
        [[3, 7, 5]]
    """
    check_k(k)
    queries = _queries(views)
    shares = _shares(views, queries, method, weights)
    if not (np.isfinite(constant) and constant >= 0):
        raise InputError(f"constant is {constant!r}; it must be a number, at least 0")
    if normalisation not in get_args(Normalisation):
        raise InputError(f"normalisation {normalisation!r} is unknown; there are {', '.join(get_args(Normalisation))}")
    rows: list[Int64] = []
    ids: list[Int64] = []
    values: list[Float64] = []
    base = np.zeros(queries)  # what an item has that no view found
    for number, view in enumerate(views):
        row, item, rank, score = _flat(view)
        if method == "score":
            value = _normalised(row, score, normalisation)
        elif method == "sum":
            last = np.full(queries, np.inf)
            np.minimum.at(last, row, _finite(score))
            last = np.where(np.isfinite(last), last, 0)
            base += shares[:, number] * last
            value = score - last[row]
        else:
            value = 1 / (constant + rank)
        share = shares[row, number]
        taking_part = share > 0
        rows.append(row[taking_part])
        ids.append(item[taking_part])
        values.append((value * share)[taking_part])
    row, item, value = np.concatenate(rows), np.concatenate(ids), np.concatenate(values)
    order = np.lexsort((item, row))  # stable: the views of an item are added in their order
    row, item, value = row[order], item[order], value[order]
    first = np.flatnonzero(_changes(row, item))
    total = (np.add.reduceat(value, first) if first.size else value) + base[row[first]]
    # Rounded to float32 before they are compared, so that sums that differ in the order of addition only are equal.
    best, scores = best_of(row[first], item[first], total.astype(np.float32), queries, k)
    return Hits(best, scores)


def _queries(views: Sequence[Hits]) -> int:
    if not views:
        raise InputError("there is no view to fuse; at least one is needed")
    counts = [len(view) for view in views]
    if len(set(counts)) > 1:
        raise InputError(f"the views hold hits of {counts} queries; they must hold those of the same ones")
    return counts[0]


def _shares(views: Sequence[Hits], queries: int, method: Method, weights: npt.ArrayLike | None) -> Float64:
    """What each view counts for each query, (q, views)."""
    shape = (queries, len(views))
    if method not in get_args(Method):
        raise InputError(f"method {method!r} is unknown; there are {', '.join(get_args(Method))}")
    if method == "rrf":
        if weights is not None:
            raise InputError('method "rrf" takes no weights; use method="weighted"')
        return np.ones(shape)
    if weights is None:
        if method == "weighted":
            raise InputError('method "weighted" needs weights, one for each view')
        weights = np.ones(len(views))
    given = np.asarray(weights, dtype=np.float64)
    if given.shape not in ((len(views),), shape):
        raise InputError(f"weights have shape {given.shape}; {(len(views),)} or {shape} are needed here")
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise InputError("weights must be finite numbers, at least 0")
    found = np.stack([(view.ids >= 0).any(axis=1) for view in views], axis=1)
    present = np.where(found, np.broadcast_to(given, shape), 0.0)
    total = present.sum(axis=1, keepdims=True)
    shares: Float64 = np.divide(present, total, out=np.zeros(shape), where=total > 0)
    return shares


def _flat(view: Hits) -> tuple[Int64, Int64, Int64, Float64]:
    """Query, id, rank from 1 and score of each hit; the first where an id comes twice."""
    found = view.ids >= 0
    rows, columns = np.nonzero(found)
    ids, ranks = view.ids[rows, columns], np.cumsum(found, axis=1)[rows, columns]
    order = np.lexsort((ranks, ids, rows))
    kept = order[_changes(rows[order], ids[order])]
    rows, columns, ids, ranks = rows[kept], columns[kept], ids[kept], ranks[kept]
    return rows.astype(np.int64), ids, ranks.astype(np.int64), view.scores[rows, columns].astype(np.float64)


def _changes(*keys: Int64) -> npt.NDArray[np.bool_]:
    """Where sorted keys differ from those before; the first always does."""
    changed = np.ones(keys[0].size, dtype=np.bool_)
    if keys[0].size:
        changed[1:] = np.any([key[1:] != key[:-1] for key in keys], axis=0)
    return changed


def _normalised(rows: Int64, scores: Float64, normalisation: Normalisation) -> Float64:
    """Scores of each query with its lowest at 0; 1 where all are equal. ``rows`` ascend."""
    _finite(scores)
    first = np.flatnonzero(_changes(rows))
    if not first.size:
        return scores
    at = np.searchsorted(first, np.arange(rows.size), side="right") - 1
    count = np.diff(np.append(first, rows.size))
    lowest = np.minimum.reduceat(scores, first)
    spread = np.maximum.reduceat(scores, first) - lowest
    shifted = scores - lowest[at]
    if normalisation == "z":
        mean = np.add.reduceat(shifted, first) / count
        deviation = np.sqrt(np.add.reduceat((shifted - mean[at]) ** 2, first) / count)
        scale = np.where(spread > 0, deviation, 0)
    else:
        scale = spread
    return np.divide(shifted, scale[at], out=np.ones_like(shifted), where=scale[at] > 0)


def _finite(scores: Float64) -> Float64:
    if not np.isfinite(scores).all():
        raise InputError("a hit has a score that is NaN or infinite; scores to fuse must be finite numbers")
    return scores
