"""Search over items that are sets of vectors, by Chamfer similarity: exactly, or in two stages."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import ExactIndex
from similia.index.inputs import as_ids, as_mask
from similia.index.multivector.fde import FixedDimensionalEncoder
from similia.index.topk import best_of, candidates, check_k
from similia.measure.multivectors import chamfer, chamfer_of, chosen_scores
from similia.measure.vectors import norms
from similia.types import Bool, Float32, Hits, Int64, MultiVector

_LONGEST = 1e15  # products of longer vectors, summed, come close to the end of float32
_UNIT = 2.0**-24  # unit roundoff of float32
_QUERIES = 64  # queries that are compared with everything at a time


class MultiVectorIndex:
    """Sets of vectors, searched by the sum over query vectors of the best inner product.

    Without an encoder, every query is compared with every item, and results are exact. With one, its encodings are
    searched first, and the ``pool`` best are scored exactly: a result may be missed, but the score of each that is
    found is right. Scores are computed in double precision, so they do not depend on the batch or the way.

    Args:
        items: n sets of vectors of dimension d; kept as they are. An item without vectors is never found.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        encoder: makes single vectors of items and queries, which are held in float32 (20 KB an item at 5,120
            dimensions); None compares everything.

    Raises:
        InputError: ids that do not fit, a vector longer than 1e15, or an encoder of another dimension.

    Examples:
        >>> from similia.types import ragged
        >>> index = MultiVectorIndex(ragged([[[1, 0]], [[1, 0], [0, 1]], [[0, 1]]], 2), ids=[10, 20, 30])
        >>> hits = index.search(ragged([[[1, 0], [0, 1]]], 2), k=2)
        >>> hits.ids.tolist(), hits.scores.tolist()
        ([[20, 10]], [[2.0, 1.0]])
    """

    def __init__(
        self, items: MultiVector, ids: npt.ArrayLike | None = None, *, encoder: FixedDimensionalEncoder | None = None
    ) -> None:
        self.items = items
        self.encoder = encoder
        self._longest = _checked(items, "items")
        self._filled: Bool = np.diff(items.offsets) > 0
        if encoder is not None and encoder.dimension != self.dimension:
            raise InputError(f"the encoder takes {encoder.dimension} dimensions, but items have {self.dimension}")
        self.ids = as_ids(ids, len(items))
        # The first stage speaks of positions; ids are given at the end.
        self._first = None if encoder is None else ExactIndex(encoder.encode_items(items), metric="dot")

    def __len__(self) -> int:
        return len(self.items)

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return int(self.items.vectors.shape[1])

    def search(
        self, queries: MultiVector, k: int, *, where: npt.ArrayLike | None = None, pool: int | None = None
    ) -> Hits:
        """The k most similar items of each query; equal scores come by lower position.

        Args:
            queries: q sets of vectors of dimension d. One without vectors scores 0 with every item.
            k: places a query, at least 1; may exceed n.
            where: bool (n,), the items that take part; all if None.
            pool: how many items the first stage hands on, at least k; None takes 100, or 2 k if that is more. Without
                an encoder all are looked at, and it must be None.

        Raises:
            InputError: a k or pool that cannot be, or queries or a filter that do not fit.
        """
        check_k(k)
        if queries.vectors.shape[1] != self.dimension:
            raise InputError(f"queries: {queries.vectors.shape[1]} dimensions, but {self.dimension} are needed here")
        slack = self._slack(queries)
        taking = self._taking(where)
        if self._first is None:
            if pool is not None:
                raise InputError("pool was given, but without an encoder there is no first stage; give the index one")
            rows, columns = self._all(queries, taking, k, slack)
        else:
            pool = max(100, 2 * k) if pool is None else pool
            check_k(pool)
            if pool < k:
                raise InputError(f"pool is {pool} and k {k}; the pool must hold at least k")
            rows, columns = self._pooled(queries, taking, k, pool, slack)
        exact = chamfer_of(queries, self.items, rows, columns)
        best, scores = best_of(rows, columns, exact, len(queries), k)
        return Hits(np.where(best >= 0, self.ids[best], -1) if len(self) else best, scores)

    def _taking(self, where: npt.ArrayLike | None) -> Bool:
        if where is None:
            return self._filled
        return as_mask(where, len(self), "an item") & self._filled

    def _all(self, queries: MultiVector, taking: Bool, k: int, slack: Float32) -> tuple[Int64, Int64]:
        """Which pairs may be among the best, of all."""
        found: list[tuple[Int64, Int64]] = []
        for start in range(0, len(queries), _QUERIES):
            stop = min(start + _QUERIES, len(queries))
            low, high = queries.offsets[start], queries.offsets[stop]
            part = MultiVector(queries.vectors[low:high], queries.offsets[start : stop + 1] - low)
            scores = chamfer(part, self.items)
            scores[:, ~taking] = -np.inf
            rows, columns = candidates(scores, k, slack[start:stop, None].astype(np.float64))
            found.append((rows + start, columns))
        return _joined(found)

    def _pooled(self, queries: MultiVector, taking: Bool, k: int, pool: int, slack: Float32) -> tuple[Int64, Int64]:
        """Which pairs may be among the best, of those that the first stage found."""
        assert self.encoder is not None
        assert self._first is not None
        hits = self._first.search(self.encoder.encode_queries(queries), pool, where=taking)
        found: list[tuple[Int64, Int64]] = []
        for row, (query, ids) in enumerate(zip(queries, hits.ids, strict=True)):
            chosen = np.sort(ids[ids >= 0])
            scores = chosen_scores(query, self.items, chosen)
            columns = candidates(scores[None], k, float(slack[row]))[1]
            found.append((np.full(columns.size, row, np.int64), chosen[columns]))
        return _joined(found)

    def _slack(self, queries: MultiVector) -> Float32:
        """Twice the most by which a score in single precision is wrong, (q,); Higham 2002, section 3.1."""
        _checked(queries, "queries")
        sizes = np.diff(queries.offsets)
        lengths = np.concatenate(([0.0], np.cumsum(norms(queries.vectors))))
        scale = np.diff(lengths[queries.offsets]) * self._longest
        bound: Float32 = (2 * (self.dimension + 8 + sizes) * _UNIT * scale).astype(np.float32)
        return bound


def _joined(found: list[tuple[Int64, Int64]]) -> tuple[Int64, Int64]:
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    return np.concatenate([rows for rows, _ in found]), np.concatenate([columns for _, columns in found])


def _checked(sets: MultiVector, name: str) -> float:
    """The greatest length of a vector, if all are usable."""
    longest = float(norms(sets.vectors).max(initial=0.0))
    if longest > _LONGEST:
        raise InputError(f"{name}: a vector has length {longest:g}; {_LONGEST:g} is the most, scale them down")
    return longest
