"""A query-data tree: rows are split by the conditions of past queries, so that each query needs few of the leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.where.tree import Condition
from similia.index.workload.columns import Columns
from similia.index.workload.logic import atoms, holds
from similia.types import Bool, Float32, Int64

Centroids: TypeAlias = frozenset[int]
Cut: TypeAlias = Condition | Centroids
_ROWS = 16_384  # that cuts are chosen on; of more, a sample


@dataclass(frozen=True)
class Limits:
    """When a tree stops.

    Attributes:
        leaf: the fewest rows of a leaf.
        gain: the least that a cut must save, as a share of the rows that the whole workload scans without a tree.
        depth: the most cuts on the way to a leaf.
        cuts: candidates of each kind: the conditions, and the sets of centroids, that are asked for most.
    """

    leaf: int = 64
    gain: float = 1e-4
    depth: int = 20
    cuts: int = 256

    def __post_init__(self) -> None:
        for name in ("leaf", "depth", "cuts"):
            value, least = getattr(self, name), int(name == "leaf")
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise InputError(f"limits: {name} is {value!r}; it must be a whole number, at least {least}")
        if not 0 <= self.gain <= 1:
            raise InputError(f"limits: gain is {self.gain!r}; it must be between 0 and 1")


@dataclass(frozen=True)
class Asked:
    """Past queries, as the tree sees them.

    Attributes:
        conditions: the different filters.
        which: int64 (q,), the filter of each query.
        routes: bool (q, centroids), the centroids near to each query.
    """

    conditions: Sequence[Condition]
    which: Int64
    routes: Bool


@dataclass(frozen=True)
class Split:
    """A cut, and what becomes of the rows for which it is true and of the others: None for a leaf."""

    cut: Cut
    true: Split | None
    rest: Split | None


def grow(columns: Columns, near: Int64, asked: Asked, limits: Limits, random: np.random.Generator) -> Split | None:
    """The tree that greedy cuts build: each saves most of the rows that the queries that come there have to scan.

    A query has to scan a part if some row of it may pass its filter, as far as the truth of each candidate cut on the
    part tells (see `similia.index.workload.logic.holds`), and some row lies at a centroid near to the query.

    Args:
        columns: of all rows.
        near: int64 (n,), the centroid of each row.
        asked: the past queries.
        limits: when to stop.
        random: draws the rows that cuts are chosen on, where there are many.

    Returns:
        None where no cut is worth it.
    """
    sample = np.arange(columns.count)
    if columns.count > _ROWS:
        sample = np.sort(random.choice(columns.count, _ROWS, replace=False))
    cuts = _candidates(asked, limits.cuts)
    if not cuts or not len(sample):
        return None
    grower = _Grower(columns, sample, near, asked, cuts, limits)
    return grower.split(np.arange(len(sample)), np.arange(len(asked.which)), 0)


def leaves(tree: Split | None, columns: Columns, near: Int64) -> Int64:
    """The leaf of each row, int64 (n,), numbered from 0 without gaps."""
    found = np.zeros(columns.count, np.int64)
    waiting, count = [(tree, np.arange(columns.count))], 0
    while waiting:
        split, rows = waiting.pop()
        if split is not None:
            true = _true(split.cut, columns, near, rows)
            waiting += [(split.rest, rows[~true]), (split.true, rows[true])]
        elif rows.size:
            found[rows] = count
            count += 1
    return found


def _true(cut: Cut, columns: Columns, near: Int64, rows: Int64) -> Bool:
    return np.isin(near[rows], sorted(cut)) if isinstance(cut, frozenset) else columns.rows(cut, rows)


def _candidates(asked: Asked, most: int) -> list[Cut]:
    """The atoms and the sets of centroids that most queries ask for."""
    weights = np.bincount(asked.which, minlength=len(asked.conditions)).tolist()
    conditions: Counter[Cut] = Counter()
    for condition, weight in zip(asked.conditions, weights, strict=True):
        for atom in dict.fromkeys(atoms(condition)):
            conditions[atom] += weight
    routes: Counter[Cut] = Counter()
    if asked.routes.shape[1] > 1:
        sets, counts = np.unique(asked.routes, axis=0, return_counts=True)
        for chosen, count in zip(sets, counts.tolist(), strict=True):
            routes[frozenset(np.flatnonzero(chosen).tolist())] = count
    return [cut for counter in (conditions, routes) for cut, _ in counter.most_common(most)]


class _Grower:
    """The sample as matrices: which cut is true of which row, and which atom is true or false of it."""

    def __init__(
        self, columns: Columns, sample: Int64, near: Int64, asked: Asked, cuts: list[Cut], limits: Limits
    ) -> None:
        self.asked, self.cuts, self.limits = asked, cuts, limits
        self.least = max(1.0, limits.leaf * len(sample) / columns.count)
        self.cut = np.stack([_true(cut, columns, near, sample) for cut in cuts]).astype(np.float32)
        known = [cut for cut in cuts if not isinstance(cut, frozenset)]
        self.places = {atom: place for place, atom in enumerate(known)}
        self.truth = {
            wanted: np.array([columns.atom(atom, wanted, sample) for atom in known], np.float32).reshape(
                -1, len(sample)
            )
            for wanted in (True, False)
        }
        self.at = (np.arange(asked.routes.shape[1])[:, None] == near[sample]).astype(np.float32)
        self.routes = asked.routes.astype(np.float32)
        self.worth = limits.gain * len(sample) * len(asked.which)

    def split(self, rows: Int64, queries: Int64, depth: int) -> Split | None:
        """Split the rows as long as it is worth it for the queries that have to scan them."""
        if depth == self.limits.depth or len(rows) < 2 * self.least or len(rows) * len(queries) <= self.worth:
            return None
        inside = self.cut[:, rows]
        sizes = inside.sum(axis=1, dtype=np.float64)
        able = np.flatnonzero((sizes >= self.least) & (len(rows) - sizes >= self.least))
        if not able.size:
            return None
        sizes = sizes[able]
        true, rest = self._reached(rows, queries, inside[able])
        saved = len(rows) * len(queries) - true.sum(axis=0) * sizes - rest.sum(axis=0) * (len(rows) - sizes)
        best = int(saved.argmax())
        if saved[best] <= self.worth:
            return None
        chosen = inside[able[best]] > 0
        return Split(
            self.cuts[able[best]],
            self.split(rows[chosen], queries[true[:, best]], depth + 1),
            self.split(rows[~chosen], queries[rest[:, best]], depth + 1),
        )

    def _reached(self, rows: Int64, queries: Int64, inside: Float32) -> tuple[Bool, Bool]:
        """Which queries would have to scan the rows for which a cut is true, and the others: bool (q, cuts), twice."""
        parts = {wanted: _sides(truth[:, rows], inside) for wanted, truth in self.truth.items()}

        def some(atom: Condition, wanted: bool) -> Bool:
            place = self.places.get(atom)
            return np.array(True) if place is None else parts[wanted][place]

        present = _sides(self.at[:, rows], inside)
        used, own = np.unique(self.asked.which[queries], return_inverse=True)
        passing = np.stack(
            [np.broadcast_to(holds(self.asked.conditions[i], True, some), present.shape[1]) for i in used.tolist()]
        )
        reached = passing[own] & (self.routes[queries] @ present.astype(np.float32) > 0)
        return reached[:, : len(inside)], reached[:, len(inside) :]


def _sides(marks: Float32, inside: Float32) -> npt.NDArray[np.bool_]:
    """Whether some marked row is inside a cut, and outside of it: (m, rows), (cuts, rows) -> bool (m, 2 cuts)."""
    within = marks @ inside.T
    return np.concatenate([within > 0, marks.sum(axis=1, keepdims=True) - within > 0], axis=1)
