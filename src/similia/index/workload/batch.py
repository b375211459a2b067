"""The best of many queries, one matrix product a list: what is near the best is kept, and scored again in the end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.index.topk import candidates, where_true
from similia.index.workload.cost import Cost
from similia.types import Bool, Float32, Int64

Float64: TypeAlias = npt.NDArray[np.float64]
_SCORES = 2 * 2**20  # that are held at a time
_HELD = 4 * 2**20  # candidates of all queries


class Table(NamedTuple):
    """Vectors as they lie in lists.

    Attributes:
        vectors: float32 (n, d), those of one list side by side; at length 1 for the cosine.
        starts: int64 (lists + 1,), where each list begins.
        halves: float32 (n,), what is taken off a product: half the squared length for the distance, else None.
    """

    vectors: Float32
    starts: Int64
    halves: Float32 | None

    def products(self, queries: Float32, at: slice | Int64) -> Float32:
        """Approximate scores (q, m) of the vectors ``at``; they order them as the metric does, for each query."""
        scores = queries @ self.vectors[at].T
        if self.halves is not None:
            scores -= self.halves[at]
        return scores


class Part(NamedTuple):
    """Queries that are searched together.

    Attributes:
        queries: float32 (q, d), at length 1 for the cosine.
        slack: float64 (q, 1), twice the most by which a product is wrong.
        group: int64 (q,), queries with one filter have one group.
        passing: bool (groups, n), which places of the table pass it.
        counts: int64 (groups, lists), how many of each list.
        needs: bool (q, lists), the lists that each is compared with; of each, something passes.
        first: int64 (q,), the nearest of them, or any where there is none.
        less: bool (q,), whether lists were left out in which something passes, or may.
    """

    queries: Float32
    slack: Float64
    group: Int64
    passing: Bool
    counts: Int64
    needs: Bool
    first: Int64
    less: Bool


def one_by_one(table: Table, part: Part, k: int, cost: Cost) -> tuple[Int64, Int64]:
    """Query and place of all that may be among the k best; what `by_list` gives, readable.

    The rows that pass, of all lists that a query needs, are gathered and multiplied with it.
    """
    sizes, found = np.diff(table.starts), []
    for query in range(len(part.queries)):
        own = part.passing[part.group[query]] & np.repeat(part.needs[query], sizes)
        places = np.flatnonzero(own)
        cost.compared += places.size
        scores = table.products(part.queries[query : query + 1], places)
        _, near = candidates(scores, k, part.slack[query])
        found.append((np.full(near.size, query), places[near]))
    rows, places = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, places


def by_list(table: Table, part: Part, k: int, cost: Cost) -> tuple[Int64, Int64]:
    """Query and place of all that may be among the k best, in any order.

    First each query meets its nearest list, and its k-th score there is a floor: of the other lists, only what reaches
    the floor is looked at again.
    """
    queries = np.arange(len(part.queries))
    least = np.full(len(queries), -np.inf)
    meets = part.needs[queries, part.first]
    rest = part.needs.copy()
    rest[queries, part.first] = False
    order = queries[meets][np.argsort(part.first[meets], kind="stable")]
    lists, others = np.nonzero(rest.T)
    found: list[tuple[Int64, Int64, Float32]] = []
    held = 0
    for stage, (wanted, asking) in enumerate(((part.first[order], order), (lists, others))):
        for place, rows in _tiles(wanted, asking, table.starts):
            scores = _products(table, part, place, rows)
            cost.compared += scores.size
            if stage == 0:
                at, columns = candidates(scores, k, part.slack[rows])
            else:
                near = scores >= least[rows, None].astype(np.float32)
                near &= scores > -np.inf
                at, columns = where_true(near)
            found.append((rows[at], table.starts[place] + columns, scores[at, columns]))
            held += at.size
            if held > _HELD:
                found = [_best(found, least, part.slack, k)]
                held = found[0][0].size
        if found:
            found = [_best(found, least, part.slack, k)]
            held = found[0][0].size
    return found[0][:2] if found else (np.empty(0, np.int64), np.empty(0, np.int64))


def _tiles(lists: Int64, queries: Int64, starts: Int64) -> Iterator[tuple[int, Int64]]:
    """A list and those that need it, as many at a time as there is space for; from pairs in the order of the lists."""
    places, counts = np.unique(lists, return_counts=True)
    ends = np.cumsum(counts)
    for place, first, end in zip(places.tolist(), (ends - counts).tolist(), ends.tolist(), strict=True):
        step = max(1, _SCORES // int(starts[place + 1] - starts[place]))
        for start in range(first, end, step):
            yield place, queries[start : min(start + step, end)]


def _products(table: Table, part: Part, place: int, rows: Int64) -> Float32:
    """Scores of the queries ``rows`` and a whole list, -inf where the filter does not let it pass."""
    at = slice(int(table.starts[place]), int(table.starts[place + 1]))
    scores = table.products(part.queries[rows], at)
    group = part.group[rows]
    if (part.counts[group, place] < at.stop - at.start).any():
        np.copyto(scores, -np.inf, where=~part.passing[group, at])
    return scores


def _best(
    found: list[tuple[Int64, Int64, Float32]], least: Float64, slack: Float64, k: int
) -> tuple[Int64, Int64, Float32]:
    """What may still be among the k best of each query; ``least`` is raised to what others have to reach."""
    rows, places, scores = (np.concatenate(column) for column in zip(*found, strict=True))
    order = np.argsort(_keys(rows, scores))
    rows, places, scores = rows[order], places[order], scores[order]
    rank = np.arange(rows.size) - np.searchsorted(rows, rows)
    kth = rank == k - 1
    reached = np.nextafter((scores[kth] - slack[rows[kth], 0]).astype(np.float32), np.float32(-np.inf))
    least[rows[kth]] = np.maximum(least[rows[kth]], reached)
    kept = scores >= least[rows]
    return rows[kept], places[kept], scores[kept]


def _keys(rows: Int64, scores: Float32) -> Int64:
    """Numbers that order entries by row and, within one, from the highest score to the lowest: int64 (m,).

    The bits of floating point numbers, read as a sign and a whole number, are in their order.
    """
    bits = scores.view(np.int32).astype(np.int64)
    return rows * 2**32 - np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)
