"""Exact search through codes: a bound rules most items out, and the rest are scored as `ExactIndex` scores them."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index import kernels
from similia.index.exact import ExactIndex, Metric, check_pairs
from similia.index.inputs import METRICS, Where
from similia.index.quantise.blocks import Table
from similia.index.quantise.coded import Coded, CodedQueries
from similia.index.selection import Selection
from similia.index.topk import best_of, check_k
from similia.measure.vectors import norms
from similia.types import Bool, Bytes, Dense, Float32, Hits, Int64, Pairs

Float64 = npt.NDArray[np.float64]
_LEAST = 4096  # with fewer items, comparing all of them takes no longer
_FEW = 1024  # nor with fewer that pass a filter, once there are codes
SEVERAL = 8  # queries for which the codes of what passes are moved together
_MOST = 2**31 - 64  # items that the kernels can number
_WIDEST = 2**15  # dimensions whose sums of products fit int32
_DEEPEST = 2000  # places that are worth a scan
_BATCH = 256  # queries that are scanned together
_HELD = 2**20  # candidates of all of them
_SPACE = 512  # candidates of a query that are kept at a time
_WIDER = 16  # so many times that where it was not enough
_HUGE = 3e38  # float32 ends soon after
_FOUND = 4096  # items that a range search finds for a query by scanning


class ScanIndex:
    """All the vectors, searched exactly, with a first pass over codes of 8 bits a value.

    The answers are those of `ExactIndex`, ids and scores: a bound on the error of the codes proves for each query that
    nothing else can be among them, and a query for which it proves too little is searched as `ExactIndex` does it.
    Without Numba, and with few vectors, all are.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, not copied, so it may be a memory map.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        metric: "cosine" (0 where a vector is zero), "dot", or "l2" (the score is minus the distance).
        lengths: float64 (n,), those of the vectors, where they are known; see `ExactIndex`.
        seed: of what is drawn at random when the codes are made; answers do not depend on it.

    Raises:
        InputError: a wrong shape, a value that is NaN or infinite, a vector longer than 1e18, or an unknown metric.

    Examples:
        >>> index = ScanIndex([[1, 0], [0, 1], [1, 1]], ids=[10, 20, 30])
        >>> index.search([2, 0], k=2).ids.tolist()
        [[10, 30]]
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        *,
        lengths: Float64 | None = None,
        seed: int = 0,
    ) -> None:
        self.exact = ExactIndex(vectors, ids, metric, lengths=lengths)
        self._coded: Coded | None = None
        if kernels.usable() and _LEAST <= len(self.exact) <= _MOST and self.dimension <= _WIDEST:
            self._coded = Coded(self.exact.vectors, self.exact.lengths, metric, seed)
            self.exact.compiled = True

    def __len__(self) -> int:
        return len(self.exact)

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return self.exact.dimension

    @property
    def codes(self) -> Bytes | None:
        """The codes that every scan reads, uint8 (blocks, 16 * size); None if there are none."""
        return None if self._coded is None else self._coded.table.heads

    @property
    def nbytes(self) -> int:
        """The memory that is taken besides the vectors and the ids."""
        coded = 0 if self._coded is None else self._coded.table.nbytes
        return coded + self.exact.nbytes

    def search(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        *,
        where: Where | None = None,
        threads: int | None = None,
    ) -> Hits:
        """The k most similar items of each query; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1; may exceed n.
            where: bool (n,) or a `Selection`, the items that take part; all if None.
            threads: at most so many at a time, by default as many as there are processors; the answer is the same.

        Raises:
            InputError: a k or a number of threads below 1, or queries or a filter that do not fit the vectors.
        """
        check_k(k)
        check_threads(threads)
        batch = self.exact.as_queries(queries)
        table = self._table(where, len(batch))
        if table is None or k > min(_DEEPEST, len(table.order) // 4) or not len(batch):
            return self.exact.search(batch, k, where=where)
        hits, lengths = Hits.empty(len(batch), k), norms(batch)
        left, space = np.arange(len(batch)), max(_SPACE, 4 * k)
        while left.size and space <= max(_SPACE, len(table.order) // 4):
            left = self._found(table, batch, lengths, left, hits, space, threads)
            space *= _WIDER
        if left.size:
            rest = self.exact.search(batch[left], k, where=where)
            hits.ids[left], hits.scores[left] = rest.ids, rest.scores
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
        """
        least = np.float32(threshold)
        batch = self.exact.as_queries(queries)
        table = self._table(where, len(batch))
        if table is None or not np.isfinite(least) or not len(batch) or (self.exact.metric == "l2" and least > 0):
            return self.exact.range(batch, threshold, where, limit=limit)
        found: list[tuple[Int64, Int64, Float32]] = []
        count, left = 0, []
        for start in range(0, len(batch), _BATCH):
            rows, items, scores, others = self._above(table, batch[start : start + _BATCH], least)
            left.append(start + others)
            found.append((start + rows, self.exact.ids[items], scores))
            count = check_pairs(count + rows.size, threshold, limit)
        others = np.concatenate(left)
        if others.size:
            rest = self.exact.range(batch[others], threshold, where, limit=limit)
            check_pairs(count + len(rest.left), threshold, limit)
            found.append((others[rest.left], rest.right, rest.scores))
        rows, ids, scores = (np.concatenate(column) for column in zip(*found, strict=True))
        order = np.argsort(rows, kind="stable")
        return Pairs(rows[order], ids[order], scores[order])

    def _table(self, where: Where | None, queries: int) -> Table | None:
        """What to scan, or None if that is not worth it."""
        rows, hidden = self.exact.passing(where)
        if self._coded is None:
            return None
        table = self._coded.table
        if rows is None:
            return table if hidden is None else table.hiding(~hidden)
        if len(rows) < _FEW:
            return None
        if isinstance(where, Selection):
            mask = where.mask
            return where.derived(self, lambda: table.gathered(mask))
        passing = np.zeros(len(self), np.bool_)
        passing[rows] = True
        return table.gathered(passing) if queries >= SEVERAL else table.hiding(passing)

    def _found(
        self,
        table: Table,
        batch: Float32,
        lengths: Float64,
        wanted: Int64,
        hits: Hits,
        space: int,
        threads: int | None,
    ) -> Int64:
        """Search the queries at ``wanted``, fill in what is proven and return the positions of the others."""
        workers = threads or os.cpu_count() or 1
        step = min(_BATCH, max(8, _HELD // space), max(8, -(-len(wanted) // workers // 8) * 8))
        parts = [wanted[start : start + step] for start in range(0, len(wanted), step)]

        def one(part: Int64) -> Int64:
            best, found, proven = self._best(table, batch[part], lengths[part], hits.k, space)
            done = part[proven]
            hits.ids[done] = np.where(found[proven] >= 0, self.exact.ids[found[proven]], -1)
            hits.scores[done] = best[proven]
            return part[~proven]

        return np.concatenate(_each(one, parts, workers))

    def _best(self, table: Table, batch: Float32, lengths: Float64, k: int, space: int) -> tuple[Float32, Int64, Bool]:
        """Scores and positions (q, k) of the best, and whether they are proven to be (q,)."""
        from similia.index.kernels.rescore import rescore

        assert self._coded is not None
        coded, count = self._coded.queries(batch, lengths), len(batch)
        gaps, nearest = _gaps(coded, table), np.full((count, k), -np.inf, np.float32)
        scores, rows, tally, floor = _scanned(table, coded, gaps, nearest, space)
        best, places = np.full((count, k), -np.inf, np.float32), np.full((count, k), -1, np.int64)
        proven, doubtful = np.zeros(count, np.bool_), np.ones(count, np.bool_)
        limits = nearest[:, 0] - gaps[:, 1]
        if (address := self._address()) is not None:
            doubtful[:] = False
            rescore(
                address,
                self.exact.lengths,
                batch.astype(np.float64),
                lengths,
                METRICS[self.exact.metric],
                coded.scaled,
                coded.slack,
                limits,
                floor,
                scores,
                rows,
                table.order,
                tally,
                best,
                places,
                proven,
                doubtful,
            )
        if doubtful.any():
            again = np.flatnonzero(doubtful)
            near = (scores[again] >= limits[again, None]) & (np.arange(space) < tally[again, None])
            at, columns = np.nonzero(near)
            items = table.order[rows[again[at], columns]].astype(np.int64)
            exact = self.exact.score_pairs(batch[again], at, items)
            places[again], best[again] = best_of(at, items, exact, len(again), k)
            kth = self._as_scanned(coded, again, best[again, -1])
            lost = floor[again] > -np.inf
            proven[again] = ~lost | (floor[again] + coded.slack[again] < kth)
        return best, places, proven & ~coded.unfit

    def _above(self, table: Table, batch: Float32, least: np.float32) -> tuple[Int64, Int64, Float32, Int64]:
        """Query, item and score of all pairs that score at least so much, in order, and the queries left out."""
        assert self._coded is not None
        lengths = norms(batch)
        coded, count = self._coded.queries(batch, lengths), len(batch)
        reached = self._as_scanned(coded, np.arange(count), np.full(count, least))
        coded.terms[0][:count, 2] = _below(reached - (coded.head_slack if table.tails.size else coded.slack))
        coded.terms[1][:count, 2] = _below(reached - coded.slack)
        for terms in coded.terms:
            terms[:count][coded.unfit, 2] = np.inf
        endless, nearest = np.full((count, 3), np.inf, np.float32), np.full((count, 1), -np.inf, np.float32)
        _, places, tally, floor = _scanned(table, coded, endless, nearest, _FOUND)
        left = coded.unfit | (floor > -np.inf)
        tally[left] = 0
        rows = np.repeat(np.arange(count), tally)
        items = table.order[places[np.arange(_FOUND) < tally[:, None]]].astype(np.int64)
        scores = self.exact.score_pairs(batch, rows, items)
        kept = scores >= least
        rows, items, scores = rows[kept], items[kept], scores[kept]
        order = np.lexsort((items, -scores, rows))
        return rows[order], items[order], scores[order], np.flatnonzero(left)

    def _as_scanned(self, coded: CodedQueries, rows: Int64, scores: Float32) -> Float64:
        """What a scan without error would give for exact scores."""
        wide = scores.astype(np.float64)
        factor, summand = coded.scaled[rows, 0], coded.scaled[rows, 1]
        if self.exact.metric == "l2":
            wide = -(wide**2)
        scanned: Float64 = summand + factor * wide
        return scanned

    def _address(self) -> int | None:
        """Where the vectors lie, if the kernels can read them there."""
        vectors = self.exact.vectors
        plain = vectors.dtype == np.dtype(np.float32) and vectors.flags.c_contiguous
        return int(vectors.ctypes.data) if plain else None


def check_threads(threads: object) -> None:
    """Refuse what is not a number of threads."""
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise InputError(f"threads is {threads!r}; it must be a whole number, at least 1, or None for all processors")


def _gaps(coded: CodedQueries, table: Table) -> Float32:
    """How far below the k-th best score what may be among the best can lie; see `scan_best`."""
    tailed = table.tails.size > 0
    head = coded.slack + coded.head_slack if tailed else 2 * coded.slack
    gaps = np.stack([head, 2 * coded.slack, head if tailed else 0 * head], axis=1)
    return np.nextafter(gaps.astype(np.float32), np.float32(np.inf))


def _scanned(
    table: Table, coded: CodedQueries, gaps: Float32, nearest: Float32, space: int
) -> tuple[Float32, npt.NDArray[np.int32], Int64, Float32]:
    """The candidates of each query: scores, rows, how many, and the best score of what there was no space for."""
    from similia.index.kernels.scan import scan_best

    count = len(nearest)
    scores, rows = np.empty((count, space), np.float32), np.empty((count, space), np.int32)
    tally, floor = np.zeros(count, np.int64), np.full(count, -np.inf, np.float32)
    (heads, tails), (head_terms, tail_terms) = coded.codes, coded.terms
    scan_best(
        table.heads,
        table.tails,
        heads,
        tails,
        head_terms,
        tail_terms,
        table.base,
        table.rest,
        gaps,
        nearest,
        scores,
        rows,
        tally,
        floor,
    )
    return scores, rows, tally, floor


def _below(values: Float64) -> Float32:
    """Single precision, rounded down."""
    return np.nextafter(values.clip(-_HUGE, _HUGE).astype(np.float32), np.float32(-np.inf))


def _each(one: Callable[[Int64], Int64], parts: list[Int64], workers: int) -> list[Int64]:
    if len(parts) == 1 or workers == 1:
        return [one(part) for part in parts]
    with ThreadPoolExecutor(min(workers, len(parts))) as pool:
        return list(pool.map(one, parts))
