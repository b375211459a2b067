"""Rankings and judgments side by side, as the arrays that the metrics take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from similia.errors import InputError
from similia.evaluate.metrics._gains import Float64
from similia.types import Hits

Run: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query -> item -> score, higher is better."""

Qrels: TypeAlias = Mapping[str, Mapping[str, float]]
"""Query -> item -> grade; above 0 is relevant, 0 or less is judged and not relevant."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What stands at each rank, and what could have stood there.

    Attributes:
        queries: (q,) the queries, in the order of the rows.
        gains: float64 (q, depth) grade at each rank, 0 where nothing relevant stands.
        ideal: float64 (q, m) grades of all relevant items, best first, padded with 0.
    """

    queries: tuple[str, ...]
    gains: Float64
    ideal: Float64

    def binary(self, relevant_from: float) -> Judged:
        """The same with grades below ``relevant_from`` taken as not relevant."""
        return Judged(
            self.queries,
            np.where(self.gains >= relevant_from, self.gains, 0.0),
            np.where(self.ideal >= relevant_from, self.ideal, 0.0),
        )


def judge(run: Run, qrels: Qrels) -> Judged:
    """Judge every query of ``qrels``; one that ``run`` does not answer found nothing.

    Ranks are by falling score, ties by item name, so that the order of a mapping never matters.

    Raises:
        InputError: no queries, or a score that is NaN.

    Examples:
        >>> judge({"q": {"a": 0.2, "b": 0.9}}, {"q": {"a": 1, "c": 2}}).gains.tolist()
        [[0.0, 1.0]]
    """
    if not qrels:
        raise InputError("qrels holds no query, so there is nothing to judge")
    rows = []
    for query, grades in qrels.items():
        scores = run.get(query, {})
        if any(score != score for score in scores.values()):
            raise InputError(f"run: query {query!r} has an item whose score is NaN")
        ranked = sorted(scores.items(), key=lambda pair: (-pair[1], pair[0]))
        rows.append([max(float(grades.get(item, 0.0)), 0.0) for item, _ in ranked])
    return Judged(tuple(qrels), _padded(rows), _ideal(qrels, tuple(qrels)))


def judge_hits(hits: Hits, qrels: Qrels, *, queries: Sequence[str], items: Sequence[str]) -> Judged:
    """Judge search results that are arrays.

    Args:
        hits: (q, k) results; its ids are positions in ``items``, -1 where there is no result.
        qrels: query -> item -> grade; queries that are not in ``queries`` are left out.
        queries: (q,) the name of each row.
        items: (n,) the name of each id.

    Raises:
        InputError: rows without a name, an id outside ``items``, or an item twice in one ranking.

    Examples:
        >>> found = Hits(np.array([[1, 0, -1]]), np.array([[0.9, 0.2, -np.inf]]))
        >>> judge_hits(found, {"q": {"a": 1, "c": 2}}, queries=["q"], items=["a", "b", "c"]).gains.tolist()
        [[0.0, 1.0, 0.0]]
    """
    if len(hits) != len(queries):
        raise InputError(f"hits has {len(hits):,} rows and queries {len(queries):,} names; they must be as many")
    if hits.ids.size and int(hits.ids.max()) >= len(items):
        raise InputError(f"hits holds id {int(hits.ids.max())}, but items has only {len(items):,} names")
    ordered = np.sort(hits.ids, axis=1)
    twice = (ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)
    if twice.any():
        row, column = np.argwhere(twice)[0]
        raise InputError(f"hits: query {queries[row]!r} has item {items[ordered[row, column]]!r} twice")
    position = {name: index for index, name in enumerate(items)}
    cells, grades = [], []
    for row, query in enumerate(queries):
        for item, grade in qrels.get(query, {}).items():
            if grade > 0 and item in position:
                cells.append(row * len(items) + position[item])
                grades.append(float(grade))
    return Judged(tuple(queries), _lookup(hits, len(items), cells, grades), _ideal(qrels, queries))


def _lookup(hits: Hits, count: int, cells: list[int], grades: list[float]) -> Float64:
    """The grade of each (row, id) cell, 0 where the cell is not listed."""
    gains = np.zeros(hits.ids.shape)
    if not cells:
        return gains
    order = np.argsort(cells)
    known, value = np.asarray(cells, np.int64)[order], np.asarray(grades)[order]
    asked = np.arange(len(hits))[:, None] * count + hits.ids
    place = np.minimum(np.searchsorted(known, asked), known.size - 1)
    match = (known[place] == asked) & (hits.ids >= 0)
    gains[match] = value[place[match]]
    return gains


def _ideal(qrels: Qrels, queries: Sequence[str]) -> Float64:
    rows = [sorted((float(g) for g in qrels.get(q, {}).values() if g > 0), reverse=True) for q in queries]
    return _padded(rows)


def _padded(rows: Sequence[Sequence[float]]) -> Float64:
    padded = np.zeros((len(rows), max((len(row) for row in rows), default=0)))
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    return padded
