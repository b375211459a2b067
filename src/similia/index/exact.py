"""Exact search: every query is compared with every vector, in blocks through BLAS.

The fast pass (float32, one matrix product) only decides what could be among the best: all that is within its error
bound of the k-th score. Those few are then scored again, pair by pair in double precision, so that a score does not
depend on the batch, the block or the filter that it was computed in, equal vectors have equal scores, and ties go by
position.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.inputs import METRICS, Where, as_ids, as_mask, as_stored, longest_of, unit
from similia.index.selection import Selection
from similia.index.topk import best_of, candidates, check_k, where_true
from similia.measure.vectors import TINY, norms
from similia.types import Bool, Dense, Float32, Hits, Int64, Pairs, as_vectors

Metric: TypeAlias = Literal["cosine", "dot", "l2"]
Float64: TypeAlias = npt.NDArray[np.float64]

_SCORES = 8 * 2**20  # scores that are held at a time: 32 MiB, or one row of all items
_VALUES = 4 * 2**20  # vector values that are converted at a time
_PAIRED = 2**17  # and scored again: few enough to stay in the cache
_SELECTIVE = 4  # where at most 1 in 4 passes a filter, those vectors are gathered; else all are scored and masked
_UNIT = 2.0**-24  # unit roundoff of float32


class ExactIndex:
    """All the vectors, searched exactly.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, not copied, so it may be a memory map. Other types are
            converted to float32.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        metric: "cosine" (0 where a vector is zero), "dot", or "l2" (the score is minus the distance).
        lengths: float64 (n,), those of the vectors, as an earlier index computed them; so that none is read now.

    Attributes:
        compiled: whether pairs are scored by compiled code, to the same scores; an index that has some sets it.

    Raises:
        InputError: a wrong shape, a value that is NaN or infinite, a vector longer than 1e18, or an unknown metric.

    Examples:
        >>> index = ExactIndex([[1, 0], [0, 1], [1, 1]], ids=[10, 20, 30])
        >>> index.search([2, 0], k=2).ids.tolist()
        [[10, 30]]
        >>> index.search([2, 0], k=2, where=[False, True, True]).ids.tolist()
        [[30, 20]]
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        *,
        lengths: Float64 | None = None,
    ) -> None:
        if metric not in get_args(Metric):
            raise InputError(f"metric {metric!r} is unknown; there are {', '.join(get_args(Metric))}")
        self.metric: Metric = metric
        self.compiled = False
        self.vectors = as_stored(vectors)
        self.ids = as_ids(ids, len(self.vectors))
        self._norms = norms(self.vectors) if lengths is None else lengths
        self._longest = longest_of(self._norms, "vectors")
        with np.errstate(divide="ignore"):
            self._inverse = np.where(self._norms >= TINY, 1 / self._norms, 0).astype(np.float32)

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    @property
    def lengths(self) -> Float64:
        """The vectors' Euclidean lengths, float64 (n,)."""
        return self._norms

    @property
    def nbytes(self) -> int:
        """The memory that is taken besides the vectors and the ids."""
        return self._norms.nbytes + self._inverse.nbytes

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return int(self.vectors.shape[1])

    def search(self, queries: npt.ArrayLike | Dense, k: int, *, where: Where | None = None) -> Hits:
        """The k most similar items of each query; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1; may exceed n.
            where: bool (n,) or a `Selection`, the items that take part; all if None.

        Raises:
            InputError: a k below 1, or queries or a filter that do not fit the vectors.
        """
        check_k(k)
        batch, (rows, hidden) = self.as_queries(queries), self.passing(where)
        hits = Hits.empty(len(batch), k)
        for start, stop in self._batches(len(batch), rows):
            part = batch[start:stop]
            at, columns = candidates(self._approximate(part, rows, hidden), k, self.slack(part))
            columns = columns if rows is None else rows[columns]
            best, exact = best_of(at, columns, self.score_pairs(part, at, columns), len(part), k)
            hits.ids[start:stop] = np.where(best >= 0, self.ids[best], -1) if len(self) else -1
            hits.scores[start:stop] = exact
        return hits

    def range(
        self,
        queries: npt.ArrayLike | Dense,
        threshold: float,
        where: Where | None = None,
        *,
        limit: int = 10_000_000,
    ) -> Pairs:
        """All pairs of a query and an item whose score is at least ``threshold``, by query and then best first.

        Args:
            queries: (q, d), or (d,) for one.
            threshold: the least score.
            where: bool (n,) or a `Selection`, the items that take part; all if None.
            limit: the most pairs that are returned.

        Returns:
            ``left`` the positions of queries, ``right`` the ids of items.

        Raises:
            InputError: queries or a filter that do not fit, a threshold that is NaN, or more than ``limit`` pairs.

        Examples:
            >>> pairs = ExactIndex([[1, 0], [0, 1], [1, 1]]).range([[1, 0], [0, 2]], 0.7)
            >>> list(zip(pairs.left.tolist(), pairs.right.tolist()))
            [(0, 0), (0, 2), (1, 1), (1, 2)]
        """
        least = np.float32(threshold)
        if np.isnan(least):
            raise InputError("threshold is NaN; it must be a number")
        batch, (rows, hidden) = self.as_queries(queries), self.passing(where)
        found: list[tuple[Int64, Int64, Float32]] = []
        count = 0
        for start, stop in self._batches(len(batch), rows):
            part = batch[start:stop]
            scores = self._approximate(part, rows, hidden)
            at, columns = where_true((scores >= self._bound(part, float(least))) & (scores > -np.inf))
            columns = columns if rows is None else rows[columns]
            exact = self.score_pairs(part, at, columns)
            kept = exact >= least
            at, columns, exact = at[kept], columns[kept], exact[kept]
            count = check_pairs(count + at.size, threshold, limit)
            order = np.lexsort((columns, -exact, at))
            found.append((at[order] + start, self.ids[columns[order]], exact[order]))
        if not found:
            return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        left, right, values = (np.concatenate(column) for column in zip(*found, strict=True))
        return Pairs(left, right, values)

    def as_queries(self, queries: npt.ArrayLike | Dense) -> Float32:
        """Queries float32 (q, d), checked.

        Raises:
            InputError: another number of dimensions, or a value that is NaN, infinite or too large.
        """
        given = queries.vectors if isinstance(queries, Dense) else queries
        batch = as_vectors(given, name="queries", dimension=self.dimension)
        longest_of(norms(batch), "queries")
        return batch

    def passing(self, where: Where | None) -> tuple[Int64 | None, Bool | None]:
        """The positions to gather if few take part, else those to hide after all are scored."""
        if where is None:
            return None, None
        passing = as_mask(where, len(self), "a vector")
        count = where.count if isinstance(where, Selection) else np.count_nonzero(passing)
        if count * _SELECTIVE <= len(self):
            return where.rows if isinstance(where, Selection) else np.flatnonzero(passing), None
        return None, ~passing

    def _batches(self, queries: int, rows: Int64 | None) -> list[tuple[int, int]]:
        step = max(1, _SCORES // max(1, len(self) if rows is None else len(rows)))
        return [(start, min(start + step, queries)) for start in range(0, queries, step)]

    def _approximate(self, queries: Float32, rows: Int64 | None, hidden: Bool | None) -> Float32:
        """Scores that order items as the metric does, up to the error that ``slack`` bounds; -inf where hidden.

        One column an item, or one for each of ``rows``.
        """
        left = unit(queries) if self.metric == "cosine" else queries
        count = len(self) if rows is None else len(rows)
        scores = np.empty((len(queries), count), np.float32)
        whole = rows is None and self.vectors.dtype == np.float32
        step = max(1, count if whole else _VALUES // max(1, self.dimension))
        for start in range(0, count, step):
            at = slice(start, start + step) if rows is None else rows[start : start + step]
            block = self.vectors[at].astype(np.float32, copy=False)
            part = scores[:, start : start + step]
            np.matmul(left, block.T, out=part)
            if self.metric == "cosine":
                part *= self._inverse[at]
            elif self.metric == "l2":
                part *= 2
                part -= (self._norms[at] ** 2).astype(np.float32)
        if hidden is not None:
            scores[:, hidden] = -np.inf
        return scores

    def slack(self, queries: Float32) -> Float64:
        """Twice the most by which an approximate score is wrong, (q, 1); Higham 2002, section 3.1."""
        if self.metric == "cosine":
            scale = np.ones(len(queries))
        else:
            lengths = norms(queries)
            # The distance itself is rounded to float32, which counts for a query far from items that lie close.
            scale = lengths * self._longest if self.metric == "dot" else (lengths + self._longest) ** 2
        bound: Float64 = 2 * (self.dimension + 8) * _UNIT * scale[:, None]
        return bound

    def _bound(self, queries: Float32, threshold: float) -> Float64:
        """The approximate score, (q, 1), that every item with an exact score of at least ``threshold`` reaches."""
        slack = self.slack(queries)
        if self.metric != "l2":
            return threshold - slack
        squares = norms(queries)[:, None] ** 2
        # score >= t means |x|² - 2qx <= t² - |q|², and nothing scores above 0
        if not -np.inf < threshold <= 0:
            return np.full_like(squares, np.inf if threshold > 0 else -np.inf)
        reached = squares - threshold**2
        return reached - slack - 16 * _UNIT * (squares + threshold**2)

    def score_pairs(self, queries: Float32, rows: Int64, columns: Int64) -> Float32:
        """Scores of pairs (m,), each computed by itself in double precision."""
        if not self.compiled or not self._plain:
            return self._score_pairs(queries, rows, columns)
        from similia.index.kernels.rescore import score_pairs

        scores, sure = np.empty(rows.size, np.float32), np.zeros(rows.size, np.bool_)
        wide, metric = queries.astype(np.float64), METRICS[self.metric]
        address = int(self.vectors.ctypes.data)
        score_pairs(address, self._norms, wide, norms(queries), metric, rows, columns, scores, sure)
        if not sure.all():  # those that may round otherwise when they are added up in another order
            scores[~sure] = self._score_pairs(queries, rows[~sure], columns[~sure])
        return scores

    @property
    def _plain(self) -> bool:
        """Whether compiled code can read the vectors where they lie."""
        return self.vectors.dtype == np.dtype(np.float32) and self.vectors.flags.c_contiguous

    def _score_pairs(self, queries: Float32, rows: Int64, columns: Int64) -> Float32:
        scores = np.empty(rows.size, np.float32)
        lengths = norms(queries)
        step = max(1, _PAIRED // max(1, self.dimension))
        for start in range(0, rows.size, step):
            at, column = rows[start : start + step], columns[start : start + step]
            left, right = queries[at].astype(np.float64), self.vectors[column].astype(np.float64)
            if self.metric == "l2":
                left -= right
                scores[start : start + step] = 0 - np.sqrt(np.einsum("ij,ij->i", left, left))
                continue
            products = np.einsum("ij,ij->i", left, right)
            if self.metric == "cosine":
                scale = np.where(lengths[at] >= TINY, lengths[at], np.inf)
                scale = scale * np.where(self._norms[column] >= TINY, self._norms[column], np.inf)
                products = np.clip(products / scale, -1, 1)
            scores[start : start + step] = products
        return scores


def check_pairs(count: int, threshold: float, limit: int) -> int:
    """The number of pairs that a range search found so far, refused where it is beyond the limit."""
    if count > limit:
        raise InputError(f"more than {limit:,} pairs score at least {threshold:g}; raise the threshold or the limit")
    return count
