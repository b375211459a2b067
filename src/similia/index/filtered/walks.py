"""Ways that need no columns: scan what passes, or walk a graph that knows nothing of filters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from similia.errors import InputError
from similia.index.filtered.columns import Filter
from similia.index.filtered.ways import Asked, Found, Items, Walker, Way, need_kernels, spaced
from similia.types import Bool

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32


@dataclass(frozen=True)
class Scan:
    """Filter first: all that passes is compared. Always exact, and costs the share that passes."""

    name: str = "scan"

    def make(self, items: Items) -> Way:
        """Nothing is built."""
        return _Scan(items)


@dataclass(frozen=True)
class Post:
    """Vector first: more is fetched than asked for, by the share that passes, and twice as much until k pass."""

    name: str = "post"

    def make(self, items: Items) -> Way:
        """The graph of all items."""
        need_kernels(self.name)
        return _Post(items)


@dataclass(frozen=True)
class Inside:
    """Filter within the walk: all nodes are walked over, and what passes enters the result (the way of hnswlib)."""

    name: str = "inside"

    def make(self, items: Items) -> Way:
        """The graph of all items."""
        need_kernels(self.name)
        return _Inside(items)


@dataclass(frozen=True)
class Acorn:
    """Walk over what passes alone, with links looked through where they lead to what does not.

    Source: Patel et al., *ACORN: Performant and Predicate-Agnostic Search Over Vector Embeddings and Structured Data*
    (SIGMOD 2024).

    Args:
        gamma: 1 walks the graph of all items (ACORN-1). More makes a graph of its own from the ``gamma`` times
            ``degree`` nearest of each item: it serves filters that pass a share of 1 / gamma or more, and takes the
            more memory.
        degree: items taken from the links of one node, with a gamma above 1.
    """

    gamma: int = 1
    degree: int = 32

    @property
    def name(self) -> str:
        """With the gamma 1 known by it."""
        return "acorn-1" if self.gamma == 1 else "acorn"

    def make(self, items: Items) -> Way:
        """The graph of all items, or a denser one.

        Raises:
            InputError: a gamma or a degree below 1.
        """
        if self.gamma < 1 or self.degree < 1:
            raise InputError(f"gamma is {self.gamma} and degree {self.degree}; both must be at least 1")
        need_kernels(self.name)
        return _Acorn(items, self)


class _Any:
    """Serves every filter."""

    def __init__(self, items: Items) -> None:
        self._items = items
        self._all: Bool = np.ones(len(items), np.bool_)

    def supports(self, asked: Filter) -> str:
        return ""


class _Scan(_Any):
    def search(self, asked: Asked) -> Found:
        best = self._items.exact.search(asked.batch, asked.k, where=asked.filter.passing).ids
        rows, places = np.nonzero(best >= 0)
        passing = np.full(len(best), len(asked.filter.rows), np.int64)
        return Found(rows, best[rows, places], np.zeros(len(rows), np.float32), passing, np.ones_like(passing))


class _Walk(_Any):
    def __init__(self, items: Items) -> None:
        from similia.index.filtered.walk import Rule

        super().__init__(items)
        self._base = items.base
        self._starts = spaced(items.base.order)
        self._walker = Walker(items.space.points, items.base.links[None])
        self._rule = Rule(items.base.links.shape[1], items.base.links.shape[1])


class _Post(_Walk):
    def search(self, asked: Asked) -> Found:
        passing, count = asked.filter.passing, len(asked.filter.rows)
        size = min(len(self._items), int(np.ceil(asked.effort / asked.filter.share)))
        every, rest = self._all, self._base.order.astype(np.int32)
        given = (self._rule, every, every, rest, self._starts, size, asked.budget)
        return self._walker(asked.queries, *given, passing, min(asked.k, count))


class _Inside(_Walk):
    def search(self, asked: Asked) -> Found:
        given = asked.filter
        return self._walker(
            asked.queries, self._rule, self._all, given.passing, given.rows, self._starts, asked.effort, asked.budget
        )


class _Acorn(_Any):
    def __init__(self, items: Items, plan: Acorn) -> None:
        from similia.index.filtered.walk import Rule

        super().__init__(items)
        self._order = items.base.order
        many = min(plan.gamma * plan.degree, len(items) - 1)
        if plan.gamma == 1 or many < 1:
            links = items.base.links
            self._rule = Rule(0, 2 * links.shape[1])
        else:
            links = self._denser(many, plan.degree)
            self._rule = Rule(plan.degree, plan.degree, 1)
        self._walker = Walker(items.space.points, links[None])

    def _denser(self, many: int, degree: int) -> Int32:
        """Links to the ``many`` nearest of each item, and back, without those that two steps lead to."""
        from similia.index.filtered.links import compressed, listed, others
        from similia.index.filtered.walk import Rule

        n, points, base = len(self._items), self._items.space.points, self._items.base
        plain, rest = base.links.shape[1], base.order.astype(np.int32)
        walker, rule = Walker(points, base.links[None]), Rule(plain, plain)
        found = walker(points, rule, self._all, self._all, rest, spaced(rest), many + 1)
        nearest = others(found.columns.reshape(n, many + 1))
        own = np.repeat(np.arange(n, dtype=np.int32), many)
        both = listed(np.r_[own, nearest.ravel()], np.r_[nearest.ravel(), own])
        links = compressed(points, *both, np.ascontiguousarray(nearest[:, :degree]), many)
        widest = int((links != np.arange(n)[:, None]).sum(axis=1).max())
        return np.ascontiguousarray(links[:, :widest])

    def search(self, asked: Asked) -> Found:
        given = asked.filter
        rest = self._order[given.passing[self._order]].astype(np.int32)
        return self._walker(
            asked.queries, self._rule, given.passing, given.passing, rest, spaced(rest), asked.effort, asked.budget
        )
