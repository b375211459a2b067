"""What all ways of a filtered search have in common: what they are made from, what they are asked, what they give."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from similia.errors import InputError
from similia.index import kernels
from similia.index.exact import ExactIndex, Metric
from similia.index.filtered.columns import Columns, Filter
from similia.index.filtered.space import Space
from similia.index.inputs import Float64, Stored
from similia.types import Bool, Float32, Int64

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32

ITEM = 2**31 - 1  # mask of the item in an entry
ENTRIES = 16  # nodes that a walk starts from, at most,
FOR_EACH = 16  # and one for so many that it may find
UNBOUNDED = 2**62


class Found(NamedTuple):
    """Candidates of each query, all of which pass, and what it took to find them.

    Attributes:
        rows: int64 (m,), the query of each candidate.
        columns: int64 (m,), its position.
        squares: float32 (m,), its squared distance among the points, rising for each query.
        distances: int64 (q,), distances measured a query.
        opened: int64 (q,), nodes, or lists, that were opened.
    """

    rows: Int64
    columns: Int64
    squares: Float32
    distances: Int64
    opened: Int64

    def best(self, k: int, slack: Float64) -> tuple[Int64, Int64]:
        """Rows and columns of what may be among the k best, with distances that may be wrong by ``slack`` (q,) / 2."""
        starts = np.searchsorted(self.rows, np.arange(len(slack) + 1))
        limits = np.full(len(slack), np.inf)
        full = np.flatnonzero(np.diff(starts) > k)
        limits[full] = self.squares[starts[full] + k - 1] + slack[full]
        near = self.squares <= limits[self.rows]
        return self.rows[near], self.columns[near]


class Asked(NamedTuple):
    """What is looked for.

    Attributes:
        batch: float32 (q, d), as it was given.
        queries: the same as points of the space.
        filter: what passes it; never nothing.
        k: places.
        effort: items that pass that are kept in view, at least k and at most all that pass.
        budget: distances after which a walk stops.
    """

    batch: Float32
    queries: Float32
    filter: Filter
    k: int
    effort: int
    budget: int = UNBOUNDED


class Way(Protocol):
    """A way of searching, made."""

    def supports(self, asked: Filter) -> str:
        """Why it cannot serve a filter; empty if it can."""
        ...

    def search(self, asked: Asked) -> Found:
        """Candidates."""
        ...


class Strategy(Protocol):
    """A way of searching, as it is ordered."""

    @property
    def name(self) -> str:
        """What it is called."""
        ...

    def make(self, items: Items) -> Way:
        """Build what it needs."""
        ...


class Base(NamedTuple):
    """An ordinary graph of all items, by position: links int32 (n, degree), and an order that keeps near ones near."""

    links: Int32
    order: Int64


@dataclass(eq=False)
class Items:
    """What ways are made from.

    Attributes:
        exact: the vectors.
        space: the same as points.
        columns: what filters look at.
        seed: of what is drawn at random.
    """

    exact: ExactIndex
    columns: Columns
    seed: int
    space: Space = field(init=False)

    def __post_init__(self) -> None:
        self.space = Space.of(self.exact.vectors, self.exact.metric)

    def __len__(self) -> int:
        return len(self.exact)

    @functools.cached_property
    def base(self) -> Base:
        """The graph; built when it is first asked for."""
        return linked_base(self.exact.vectors, self.exact.metric, self.seed)


def linked_base(vectors: Stored, metric: Metric, seed: int) -> Base:
    """An ordinary graph."""
    from similia.index.graph import GraphIndex

    graph = GraphIndex(vectors, metric=metric, seed=seed).arrays()
    order: Int64 = graph["order"]
    links = np.empty(graph["links"].shape, np.int32)
    links[order] = order[graph["links"]]
    return Base(links, order)


def spaced(rows: Any, most: int = ENTRIES) -> Int32:
    """Some of the rows, evenly spaced, for a walk to start from."""
    count = min(most, -(-len(rows) // FOR_EACH))
    chosen: Int32 = np.asarray(rows)[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
    return chosen.astype(np.int32)


def need_kernels(name: str) -> None:
    """Refuse what cannot run without compiled code."""
    if not kernels.usable():
        raise InputError(
            f"the strategy {name!r} needs compiled kernels, and Numba is not there or switched off; use 'scan'"
        )


class Walker:
    """Walks over one graph.

    Args:
        points: float32 (n, d).
        layers: int32 (layers, n, degree).
    """

    def __init__(self, points: Float32, layers: Int32) -> None:
        self.points, self.layers = points, np.ascontiguousarray(layers)

    def __call__(
        self,
        queries: Float32,
        rule: Any,
        may: Bool,
        wanted: Bool,
        rest: Int32,
        starts: Int32,
        size: int,
        budget: int = UNBOUNDED,
        passing: Bool | None = None,
        enough: int = 0,
    ) -> Found:
        """See `walk.walk`, which this does for each query.

        With ``passing``, the rest of what was found is dropped, and where fewer than ``enough`` are left the walk goes
        on with twice the size.
        """
        from similia.index.filtered.walk import Scratch, walk

        n, degree = self.layers.shape[1:]
        scratch = Scratch.of(n, size if passing is None else n, max(len(self.layers) * degree, rule.most))
        spent = np.zeros((2, len(queries)), np.int64)
        entries: list[Int64] = []
        stamp = 0
        for i, query in enumerate(queries):
            wide = size
            while True:
                stamp += 1
                count, scored, opened = walk(
                    self.points, self.layers, rule, may, wanted, rest, starts, query, wide, budget,
                    stamp, i + 1, scratch,
                )  # fmt: skip
                found = scratch.best[:count].copy()
                spent[:, i] += scored, opened
                if passing is not None:
                    found = found[passing[found & ITEM]]
                if len(found) >= enough or wide >= n or spent[0, i] >= budget:
                    break
                wide = min(n, 2 * wide)
            entries.append(found)
        rows = np.repeat(np.arange(len(entries)), [len(one) for one in entries])
        joined = np.concatenate([*entries, np.empty(0, np.int64)])
        return Found(rows, joined & ITEM, (joined >> 32).astype(np.int32).view(np.float32), spent[0], spent[1])
