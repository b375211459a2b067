"""Similarity at several granularities: of wholes, and of parts that are brought to one number.

Items have a vector for the whole and vectors of their parts (words, frames, patches). `aggregate` makes one number of
the similarities to parts, `two_way` of those between the parts of two items, and `combine` of several levels. Source:
Wang, Sung, Cheng, Bertasius and Bansal, *Unified Coarse-to-Fine Alignment for Video-Text Retrieval* (ICCV 2023).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Float32, MultiVector

How: TypeAlias = Literal["mean", "max", "isa"]
Float64: TypeAlias = npt.NDArray[np.float64]

_SCORES = 8 * 2**20  # products of two parts that are held at a time


def aggregate(
    similarities: npt.ArrayLike,
    how: How = "mean",
    *,
    weights: npt.ArrayLike | None = None,
    counted: npt.ArrayLike | None = None,
    temperatures: tuple[float, float] = (0.01, 0.01),
) -> Float64:
    """One similarity from those to the p parts of an item: the last axis goes.

    - ``mean``: their weighted mean. - ``max``: the largest.
    - ``isa``: interactive similarity aggregation, the sum of ``w c`` with ``w = softmax(softmax(c / t1) / t2)``. Small
      temperatures come close to the maximum, a large t2 to the mean. The published form has a learnt matrix between the
      two softmaxes; where parts come in no order it can only be a multiple of the identity, which t2 says.

    Args:
        similarities: (..., p), finite where counted.
        how: one of the three above.
        weights: (p,) or (..., p), at least 0, only for "mean"; equal ones where None.
        counted: bool (p,) or (..., p), which parts take part; all where None.
        temperatures: t1 and t2, in units of the similarities and of shares, above 0.

    Raises:
        InputError: an unknown name, no part that counts, or values that do not fit.

    Examples:
        >>> aggregate([0.9, 0.1, 0.2]).round(4).item(), aggregate([0.9, 0.1, 0.2], "isa").round(4).item()
        (0.4, 0.9)
        >>> aggregate([0.9, 0.1], weights=[3, 1]).round(4).item()
        0.7
    """
    if how not in get_args(How):
        raise InputError(f"how {how!r} is unknown; there are {', '.join(get_args(How))}")
    values = np.asarray(similarities, np.float64)
    if values.ndim == 0:
        raise InputError("similarities is one number; it must be (..., p), one a part")
    shares = _shares(values, weights, counted, how)
    values = np.where(shares > 0, values, 0)
    if not np.isfinite(values).all():
        raise InputError("similarities hold NaN or infinity where they count; they must be finite numbers")
    if how == "max":
        return np.asarray(np.where(shares > 0, values, -np.inf).max(axis=-1))
    if how == "isa":
        if not all(np.isfinite(t) and t > 0 for t in temperatures):
            raise InputError(f"temperatures are {temperatures}; both must be numbers above 0")
        first, second = temperatures
        shares = _softmax(_softmax(values / first, shares > 0) / second, shares > 0)
    return np.asarray((shares * values).sum(axis=-1) / shares.sum(axis=-1))


def two_way(
    queries: MultiVector,
    items: MultiVector,
    *,
    query_weights: npt.ArrayLike | None = None,
    item_weights: npt.ArrayLike | None = None,
) -> Float32:
    """The mean, over the parts of the query and over those of the item, of the best inner product with the other's.

    Half of it asks whether all of the query is in the item, half whether all of the item is in the query.

    Args:
        queries: q of them, of dimension d.
        items: n of them, of dimension d.
        query_weights: (parts of all queries,), at least 0; equal ones where None.
        item_weights: (parts of all items,), at least 0; equal ones where None.

    Returns:
        float32 (q, n); NaN where one of the two has no part of weight above 0, so there is no such level (`combine`
        goes by the others).

    Raises:
        InputError: different dimensions, or weights that do not fit.

    Examples:
        >>> query = MultiVector([[1.0, 0.0], [0.0, 1.0]], [0, 2])
        >>> two_way(query, MultiVector([[1.0, 0.0]], [0, 1, 1])).tolist()
        [[0.75, nan]]
    """
    ours, theirs = queries.vectors.shape[1], items.vectors.shape[1]
    if ours != theirs:
        raise InputError(f"queries have {ours} dimensions and items {theirs}; they must be of one length")
    asked, asked_at = _weighted(queries, query_weights, "query_weights")
    held, held_at = _weighted(items, item_weights, "item_weights")
    found = np.full((len(queries), len(items)), np.nan, np.float32)
    asked_sizes, held_sizes = np.diff(asked.offsets), np.diff(held.offsets)
    full = np.flatnonzero(held_sizes > 0)
    if not full.size:
        return found
    starts = held.offsets[:-1][full]
    step = max(1, _SCORES // max(1, len(held.vectors)))
    query = 0
    while query < len(queries):
        # As many queries as have that many parts together, and at least one.
        reach = int(np.searchsorted(asked.offsets, asked.offsets[query] + step, side="right")) - 1
        stop = min(len(queries), max(query + 1, reach))
        part = slice(asked.offsets[query], asked.offsets[stop])
        filled = np.flatnonzero(asked_sizes[query:stop] > 0)
        if filled.size:
            products = asked.vectors[part] @ held.vectors.T
            own = asked.offsets[query:stop][filled] - asked.offsets[query]
            forth = np.maximum.reduceat(products, starts, axis=1) * asked_at[part, None]
            forth = np.add.reduceat(forth, own, axis=0)
            back = np.maximum.reduceat(products, own, axis=0) * held_at
            back = np.add.reduceat(back, starts, axis=1)
            found[np.ix_(query + filled, full)] = (forth + back) / 2
        query = stop
    return found


def combine(levels: Sequence[npt.ArrayLike], weights: npt.ArrayLike | None = None) -> Float64:
    """The weighted mean of several levels of similarity (q, n); a pair without a level goes by the others.

    Args:
        levels: matrices of one shape; NaN where a pair has no such level. Bring them to one scale first.
        weights: (levels,), above 0; equal ones where None.

    Returns:
        float64 (q, n); NaN where a pair has no level at all.

    Raises:
        InputError: no level, other shapes, or weights that do not fit.

    Examples:
        >>> combine([[[0.2, 0.4]], [[0.6, float("nan")]]]).round(4).tolist()
        [[0.4, 0.4]]
    """
    matrices = [np.asarray(level, np.float64) for level in levels]
    if not matrices or len({matrix.shape for matrix in matrices}) > 1:
        raise InputError(f"levels have shapes {[m.shape for m in matrices]}; at least one is needed, all of one shape")
    shares = np.ones(len(matrices)) if weights is None else np.asarray(weights, np.float64)
    if shares.shape != (len(matrices),) or not (np.isfinite(shares).all() and (shares > 0).all()):
        raise InputError(f"weights must be {len(matrices)} numbers above 0, one a level")
    total, share = np.zeros(matrices[0].shape), np.zeros(matrices[0].shape)
    for matrix, weight in zip(matrices, shares, strict=True):
        known = ~np.isnan(matrix)
        total += np.where(known, weight * matrix, 0)
        share += weight * known
    mean: Float64 = np.divide(total, share, out=np.full(total.shape, np.nan), where=share > 0)
    return mean


def _shares(values: Float64, weights: npt.ArrayLike | None, counted: npt.ArrayLike | None, how: How) -> Float64:
    """What each part counts, of the shape of the similarities."""
    if weights is not None and how != "mean":
        raise InputError(f'how "{how}" takes no weights; only "mean" does')
    shares = np.ones(values.shape[-1]) if weights is None else np.asarray(weights, np.float64)
    present = np.ones(values.shape[-1], np.bool_) if counted is None else np.asarray(counted)
    if present.dtype != np.bool_:
        raise InputError(f"counted is {present.dtype}; it must be bool, one a part")
    for name, given in (("weights", shares), ("counted", present)):
        if given.shape not in (values.shape, values.shape[-1:]):
            raise InputError(f"{name} are {given.shape}; {values.shape[-1:]} or {values.shape} are needed here")
    if not (np.isfinite(shares).all() and (shares >= 0).all()):
        raise InputError("weights must be finite numbers, at least 0")
    found = np.broadcast_to(shares * present, values.shape)
    if not (found > 0).any(axis=-1).all():
        raise InputError("there is an item of which no part counts; leave it to the level of the whole")
    return found


def _softmax(values: Float64, counted: Bool) -> Float64:
    shifted = np.where(counted, values, -np.inf)
    powers = np.exp(shifted - shifted.max(axis=-1, keepdims=True))
    found: Float64 = powers / powers.sum(axis=-1, keepdims=True)
    return found


def _weighted(parts: MultiVector, weights: npt.ArrayLike | None, name: str) -> tuple[MultiVector, Float32]:
    """The parts of weight above 0, and their weights, which have sum 1 for each item."""
    count = len(parts.vectors)
    given = np.ones(count) if weights is None else np.asarray(weights, np.float64)
    if given.shape != (count,) or not (np.isfinite(given).all() and (given >= 0).all()):
        raise InputError(f"{name} must be {count} finite numbers, at least 0, one a part")
    owner = np.repeat(np.arange(len(parts)), np.diff(parts.offsets))
    total = np.bincount(owner, weights=given, minlength=len(parts))
    kept = given > 0
    sizes = np.bincount(owner[kept], minlength=len(parts))
    offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    return MultiVector(parts.vectors[kept], offsets), (given[kept] / total[owner[kept]]).astype(np.float32)
