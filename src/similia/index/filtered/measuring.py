"""A short self-measurement: what each way finds for its distances, under filters drawn from the columns.

A filter drawn at random has nothing to do with the vectors, and those that people ask have. So those measured on are
like those that will be asked: values of the columns, and ranges of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.index.filtered.columns import Columns, Filter
from similia.index.filtered.labels import grouped
from similia.index.filtered.planning import WALKED, Costs, Step
from similia.index.filtered.ranges import in_order
from similia.index.inputs import Stored
from similia.index.where import Predicate
from similia.index.where.tree import KINDS, And, Compare, Condition, Contains, Field, Scalar, Value
from similia.measure import neighbour_recall
from similia.types import Float32, Int64

if TYPE_CHECKING:
    from similia.index.filtered.index import FilteredIndex

LARGEST = 0.6  # share of the items that pass the first filters; that of the next is half as large, and so on
EFFORTS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320, 448, 640, 1280, 2560)
ENOUGH = 0.98  # no further effort is tried once this recall is reached
LEAST = 40  # passing items, down to which filters are tried
EACH = 2  # values, ranges, and pairs of values, a share
FREQUENT = 24  # values of which pairs are made
DEARER = 2  # who spends so many times what another way needs to find enough is not tried further


def measure(index: FilteredIndex, queries: Float32, k: int, seed: int) -> Costs:
    """Try every way under every filter that it serves, with rising effort, until it finds nearly all."""
    found: list[Step] = []
    ways = sorted((way for way in index.ways if way != "scan"), key=_hope)
    for asked in filters(index.columns, seed):
        where: Any = asked.passing if asked.predicate is None else asked.predicate
        true = index.exact(queries, k, where)
        limit = len(asked.rows) if "scan" in index.ways else np.inf  # with as many distances nothing is missed
        for way in ways:
            if index.ways[way].supports(asked):
                continue
            for effort in (effort for effort in EFFORTS if effort >= k):
                answer = index.answer(queries, k, where, strategy=way, effort=effort)
                reached, distances = neighbour_recall(answer.hits.ids, true.ids), float(answer.distances.mean())
                found.append(Step(way, asked.shape, asked.share, effort, reached, distances))
                if reached >= ENOUGH:
                    limit = min(limit, DEARER * distances)
                if reached >= ENOUGH or distances >= limit or effort >= len(asked.rows):
                    break
    return Costs(tuple(found), k)


def _hope(way: str) -> int:
    """Ways that may be the cheapest come first, so that others need not be tried as far."""
    return WALKED.index(way) if way in WALKED else len(WALKED)


def between(pairs: Int64, vectors: Stored, random: np.random.Generator) -> Float32:
    """Queries that are none of the items: half way between each of these (m, 2) pairs of neighbours, a little aside."""
    left, right = vectors[pairs[:, 0]].astype(np.float32), vectors[pairs[:, 1]].astype(np.float32)
    aside = np.abs(left - right) * random.normal(size=left.shape) / 2
    made: Float32 = ((left + right) / 2 + aside).astype(np.float32)
    return made


def filters(columns: Columns, seed: int) -> list[Filter]:
    """For each share, values and ranges of columns that pass about as many; where there are none, any items."""
    random = np.random.default_rng(seed)
    values = list(_values(columns))
    pairs = list(_pairs(values))
    ordered = [name for name, kind in columns.types.items() if kind in ("integer", "number", "date", "datetime")]
    orders = {name: in_order(columns, name) for name in ordered}
    found: list[Filter] = []
    shares = [LARGEST * 0.5**step for step in range(64) if LARGEST * 0.5**step * columns.count >= LEAST]
    for share in shares:
        near = [asked for asked in values if 0.7 * share <= asked.share < share / 0.7]
        found += [near[place] for place in random.permutation(len(near))[:EACH]]
        both = [pair for passing, pair in pairs if 0.7 * share <= passing < share / 0.7]
        found += [columns.filter(both[place]) for place in random.permutation(len(both))[:EACH]]
        for name, order in orders.items():
            found += [_window(columns, name, order, share, random) for _ in range(EACH)]
    if not found:
        found = [Filter(None, random.random(columns.count) < share) for share in shares]
    return [asked for asked in found if len(asked.rows) >= LEAST]


def _values(columns: Columns) -> Iterator[Filter]:
    """Filters by one frequent value of a column."""
    names = [name for name, kind in columns.types.items() if kind in ("category", "integer", "boolean", "list")]
    for (name, value), rows in grouped({name: columns.values[name] for name in names}).items():
        if len(rows) < LEAST:
            continue
        field, literal = Field(name, KINDS[columns.types[name]]), _literal(value)
        test: Condition = Contains(field, literal) if field.kind == "list" else Compare("=", field, literal)
        yield columns.filter(Predicate(test))


def _pairs(values: list[Filter]) -> Iterator[tuple[float, Predicate]]:
    """Two frequent values at once: the share that passes, and the filter."""
    often = sorted(values, key=lambda asked: -len(asked.rows))[:FREQUENT]
    for one, other in combinations(often, 2):
        if one.predicate is not None and other.predicate is not None:
            share = float(np.mean(one.passing & other.passing))
            yield share, Predicate(And((one.predicate.root, other.predicate.root)))


def _literal(value: Scalar) -> Value:
    kinds: Any = {bool: "boolean", int: "integer", float: "number", str: "text"}
    return Value(value, kinds[type(value)])


def _window(columns: Columns, name: str, order: Int64, share: float, random: np.random.Generator) -> Filter:
    """A filter by a range of a column that passes about this share of the items."""
    wide = min(len(order), max(1, int(share * columns.count)))
    first = int(random.integers(len(order) - wide + 1))
    kind = KINDS[columns.types[name]]
    low, high = (columns.plain(name, int(order[place])) for place in (first, first + wide - 1))
    field = Field(name, kind)
    return columns.filter(
        Predicate(And((Compare(">=", field, Value(low, kind)), Compare("<=", field, Value(high, kind)))))
    )
