"""Where a search by vectors loses what a task wants: in the vectors, in the metric, or in the index.

An index can find nearly all of the nearest vectors, and still little of what is wanted. `funnel` measures both, and
splits what is lost of the task into three parts that add up to it. Hits are taken to be named by position, as they are
in an index without ids. Source: Chen et al., *Reveal Hidden Pitfalls and Navigate Next Generation of Vector Similarity
Search from Task-Centric Views* (arXiv 2512.12980, 2025).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.measure import neighbour_recall
from similia.types import Float32, Hits, Int64

Float64: TypeAlias = npt.NDArray[np.float64]


class Searches(Protocol):
    """Anything that finds the k most similar items of each query."""

    def search(self, queries: Float32, k: int) -> Hits:
        """The k best of each query, by position, best first."""
        ...


class Task(Protocol):
    """What is wanted: a value from 0 to 1 of the positions (q, k) that were found, -1 where there is none."""

    def __call__(self, found: Int64) -> float:
        """How well these serve."""
        ...


@dataclass(frozen=True, eq=False)
class LabelRecall:
    """Label recall@k: items found with the query's label, over as many as could have been; both summed over queries.

    Attributes:
        queries: (q,) labels.
        items: (n,) labels.
        own: whether each query is an item, so that one item less of its label can be found.
        denominator: "class", the lesser of k and the number of items with the label; or "k".

    Examples:
        >>> LabelRecall(["a", "b"], ["a", "a", "b"])(np.array([[0, 2], [2, 1]]))
        0.6666666666666666
    """

    queries: npt.ArrayLike
    items: npt.ArrayLike
    own: bool = False
    denominator: Literal["class", "k"] = "class"

    def __call__(self, found: Int64) -> float:
        """See the class; 0 where nothing could be found."""
        gained, possible = self.parts(found)
        return _share(gained, possible)

    def parts(self, found: Int64) -> tuple[Float64, Float64]:
        """What each query found and could have found, float64 (q,) both."""
        asked, there = np.asarray(self.queries), np.asarray(self.items)
        same = _matching(found, asked, there)
        if self.denominator == "k":
            return same.sum(axis=1).astype(np.float64), np.full(len(asked), float(found.shape[1]))
        names, counts = np.unique(there, return_counts=True)
        at = np.searchsorted(names, asked).clip(max=len(names) - 1)
        size = np.maximum(np.where(names[at] == asked, counts[at], 0) - int(self.own), 0)
        return same.sum(axis=1).astype(np.float64), np.minimum(found.shape[1], size).astype(np.float64)


@dataclass(frozen=True, eq=False)
class NeighbourAccuracy:
    """Accuracy of the label that most of the k found items have; of equals, that of the item found first.

    Attributes:
        queries: (q,) labels.
        items: (n,) labels.

    Examples:
        >>> NeighbourAccuracy(["a", "b"], ["a", "a", "b"])(np.array([[0, 2, 1], [0, 1, 2]]))
        0.5
    """

    queries: npt.ArrayLike
    items: npt.ArrayLike

    def __call__(self, found: Int64) -> float:
        """See the class."""
        asked, there = np.asarray(self.queries), np.asarray(self.items)
        _checked(found, len(asked), len(there))
        names, at = np.unique(there, return_inverse=True)
        right = 0
        for label, row in zip(asked, found, strict=True):
            labels = at[row[row >= 0]]
            votes = np.bincount(labels, minlength=len(names))[labels]
            right += bool(len(votes)) and names[labels[votes.argmax()]] == label
        return right / len(asked) if len(asked) else 0.0


@dataclass(frozen=True, eq=False)
class HitRate:
    """Hit@k: the share of queries whose one right item is found.

    Attributes:
        right: int64 (q,) positions.

    Examples:
        >>> HitRate([4, 7])(np.array([[1, 4], [4, 1]]))
        0.5
    """

    right: npt.ArrayLike

    def __call__(self, found: Int64) -> float:
        """See the class."""
        right = np.asarray(self.right)
        _checked(found, len(right), None)
        return float((found == right[:, None]).any(axis=1).mean()) if len(right) else 0.0


@dataclass(frozen=True, eq=False)
class MatchingScore:
    """Matching score@k: the weights of the wanted items that are found, over those of all; both summed over queries.

    Attributes:
        wanted: position -> weight, one mapping a query.

    Examples:
        >>> MatchingScore([{3: 9.0, 5: 1.0}])(np.array([[5, 2]]))
        0.1
    """

    wanted: Sequence[Mapping[int, float]]

    def __call__(self, found: Int64) -> float:
        """See the class; 0 where nothing is wanted."""
        _checked(found, len(self.wanted), None)
        rows = zip(self.wanted, found.tolist(), strict=True)
        gained = np.array([sum(weights.get(item, 0.0) for item in {*row}) for weights, row in rows])
        return _share(gained, np.array([sum(weights.values()) for weights in self.wanted]))


@dataclass(frozen=True)
class Funnel:
    """What is lost of a task, and where.

    Attributes:
        metric: of the index.
        synthetic: recall@k of the index against exact search by its metric.
        found: the task's value with the index.
        exact: metric -> the task's value with exact search.
    """

    metric: str
    synthetic: float
    found: float
    exact: Mapping[str, float]

    @property
    def best(self) -> str:
        """The metric that serves the task best, of equals the first."""
        return max(self.exact, key=lambda metric: self.exact[metric])

    @property
    def loss(self) -> float:
        """All that is lost: 1 - `found`; the sum of the three others."""
        return 1 - self.found

    @property
    def embedding_loss(self) -> float:
        """Lost by the vectors, with exact search by whichever metric is best."""
        return 1 - self.exact[self.best]

    @property
    def metric_loss(self) -> float:
        """Lost by a metric that is not the best; at least 0."""
        return self.exact[self.best] - self.exact[self.metric]

    @property
    def index_loss(self) -> float:
        """Lost by not searching exactly; below 0 where what the index misses was not wanted."""
        return self.exact[self.metric] - self.found


def funnel(
    index: Searches,
    exact: Mapping[str, Searches],
    metric: str,
    queries: Float32,
    k: int,
    task: Task,
    *,
    own: npt.ArrayLike | None = None,
) -> Funnel:
    """Measure an index by a task, against exact search under each metric.

    Args:
        index: what is judged.
        exact: metric -> exact search of the same items; `similia.index.ExactIndex` gives all of them.
        metric: that of the index.
        queries: float32 (q, d).
        k: places a query.
        task: such as `LabelRecall`; it gets the positions (q, k) that were found.
        own: int64 (q,), the item that each query is, which is left out; none is an item if None.

    Raises:
        InputError: an unknown metric, a k below 1, no queries, or an ``own`` that does not fit.

    Examples:
        >>> class Fixed:
        ...     def __init__(self, *ids): self.ids = ids
        ...     def search(self, queries, k): return Hits([self.ids[:k]], [[0.0] * k])
        >>> exact = {"l2": Fixed(0, 1), "dot": Fixed(2, 3)}
        >>> found = funnel(Fixed(2, 0), exact, "dot", np.ones((1, 2)), 2, HitRate([1]))
        >>> found.synthetic, found.embedding_loss, found.metric_loss, found.index_loss
        (0.5, 0.0, 1.0, 0.0)
    """
    if metric not in exact:
        raise InputError(f"exact search by {metric!r} is not given; there are {', '.join(exact)}")
    if k < 1 or not len(queries):
        raise InputError(f"k is {k} and there are {len(queries)} queries; at least 1 is needed of both")
    truth = {name: retrieved(searches, queries, k, own=own) for name, searches in exact.items()}
    found = retrieved(index, queries, k, own=own)
    return Funnel(
        metric, neighbour_recall(found, truth[metric]), task(found), {name: task(ids) for name, ids in truth.items()}
    )


def retrieved(index: Searches, queries: Float32, k: int, *, own: npt.ArrayLike | None = None) -> Int64:
    """Positions int64 (q, k) that an index finds, each query's own item left out; -1 where there are fewer.

    Raises:
        InputError: an ``own`` that is not one position a query.
    """
    if own is None:
        return index.search(queries, k).ids
    mine = np.asarray(own)
    if mine.shape != (len(queries),) or mine.dtype.kind not in "iu":
        raise InputError(f"own is {mine.dtype} {mine.shape}; it must be whole numbers ({len(queries)},), one a query")
    ids = index.search(queries, k + 1).ids
    order = np.argsort(ids == mine[:, None], axis=1, kind="stable")  # its own goes last, the others stay in order
    return np.take_along_axis(ids, order, axis=1)[:, :k]


def _matching(found: Int64, asked: npt.NDArray[np.generic], there: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_]:
    """Whether each found item has the label of its query."""
    _checked(found, len(asked), len(there))
    if not len(there):
        return np.zeros(found.shape, bool)
    same: npt.NDArray[np.bool_] = (there[found] == asked[:, None]) & (found >= 0)
    return same


def _checked(found: Int64, queries: int, items: int | None) -> None:
    if found.ndim != 2 or len(found) != queries:
        raise InputError(f"found is {found.shape}; it must be ({queries}, k), one row a query")
    if items is not None and found.size and int(found.max()) >= items:
        raise InputError(f"found holds position {int(found.max())}, but there are labels for {items} items")


def _share(gained: npt.NDArray[np.number], possible: npt.NDArray[np.number]) -> float:
    total = float(possible.sum())
    return float(gained.sum()) / total if total > 0 else 0.0
