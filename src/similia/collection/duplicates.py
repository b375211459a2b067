"""Near-duplicates: the pairs of items that are most alike in a sense."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from similia.collection.definition import Definition
from similia.collection.results import displayed
from similia.collection.searching import whole_number
from similia.collection.showing import Sheet, Shown
from similia.collection.tables import TypedColumn, jsonable, to_arrow, to_pandas, to_polars, typed
from similia.collection.workspace import Workspace
from similia.errors import InputError
from similia.index import ExactIndex, ScanIndex, kernels
from similia.types import Float32, Int64

BLOCK = 256
MOST = 1_000_000
SCANNED = 20_000
"""From so many items on, codes are scanned for pairs, if compiled code is there; below, that would not pay."""
_AT_ONCE = 4_000_000


@dataclass(frozen=True, eq=False)
class DuplicatePairs(Shown):
    """Pairs of items, best first; each pair once.

    Attributes:
        left, right: keys.
        scores: float32 (n,), cosine.
        sense: in which they are alike.
        threshold: the least cosine.
        complete: False where there are more pairs than were asked for.
        seconds: how long it took.
        texts: what to show of the two items of each pair.
    """

    left: list[str]
    right: list[str]
    scores: Float32
    sense: str
    threshold: float
    complete: bool
    seconds: float
    texts: list[tuple[Any, Any]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.left)

    def __iter__(self) -> Iterator[tuple[str, str, float]]:
        return zip(self.left, self.right, map(float, self.scores), strict=True)

    def __getitem__(self, place: int) -> tuple[str, str, float]:
        return self.left[place], self.right[place], float(self.scores[place])

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict a pair: ``left``, ``right``, ``score``."""
        return [{"left": left, "right": right, "score": score} for left, right, score in self]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        names = ("sense", "threshold", "complete", "seconds")
        return {**{name: jsonable(getattr(self, name)) for name in names}, "pairs": self.to_dicts()}

    def _columns(self) -> dict[str, TypedColumn]:
        return {
            "left": typed("text", self.left),
            "right": typed("text", self.right),
            "score": typed("number", self.scores.tolist()),
        }

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``: ``left``, ``right``, ``score``."""
        return to_arrow(self._columns())

    def to_pandas(self) -> Any:
        """The same as a ``pandas.DataFrame``."""
        return to_pandas(self._columns())

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``."""
        return to_polars(self._columns())

    def _sheets(self) -> list[Sheet]:
        texts = self.texts or [(None, None)] * len(self)
        rows = [
            [score, left, right, one, other] for (left, right, score), (one, other) in zip(self, texts, strict=True)
        ]
        more = "" if self.complete else ", and there are more"
        found = f"{len(self):,} pairs with a cosine of {self.threshold:g} or more in {self.sense}{more}"
        note = f"{found} · {self.seconds:.2f} s"
        return [Sheet(("score#", "left", "right", "", ""), rows, note=note)]

    def __repr__(self) -> str:
        return str(self)


def best_pairs(vectors: Float32, threshold: float, limit: int) -> tuple[Int64, Int64, Float32, bool]:
    """The ``limit`` pairs of rows with the highest cosine of at least ``threshold``; each pair once, left < right.

    A block of rows is compared with all rows at or after it, or, where codes are scanned, with all. Once ``limit``
    pairs are held, the least of them is what a pair must reach, so that memory stays bounded however many there are.

    Args:
        vectors: (n, d).
        threshold: the least cosine.
        limit: the most pairs.

    Returns:
        left, right (positions), scores, best first (ties by position); and whether these are all pairs.

    Examples:
        >>> left, right, scores, complete = best_pairs(np.eye(2, dtype=np.float32)[[0, 1, 0]], 0.9, 10)
        >>> left.tolist(), right.tolist(), complete
        ([0], [2], True)
    """
    left, right = np.empty(0, np.int64), np.empty(0, np.int64)
    scores, complete, least = np.empty(0, np.float32), True, np.float32(threshold)
    block = max(1, min(BLOCK, _AT_ONCE // max(len(vectors), 1)))
    scan = ScanIndex(vectors) if len(vectors) >= SCANNED and kernels.usable() else None
    for start in range(0, len(vectors), block):
        queries = np.asarray(vectors[start : start + block], np.float32)
        rest = scan or ExactIndex(vectors[start:], np.arange(start, len(vectors)))
        pairs = rest.range(queries, float(least), limit=len(queries) * len(rest))
        new = pairs.left + start < pairs.right
        left = np.concatenate((left, pairs.left[new] + start))
        right = np.concatenate((right, pairs.right[new]))
        scores = np.concatenate((scores, pairs.scores[new]))
        if scores.size > limit:
            complete = False
            best = np.lexsort((right, left, -scores))[:limit]
            left, right, scores = left[best], right[best], scores[best]
            least = max(least, scores[-1])
            if least >= 1:  # no pair can be better, and of equal ones the first count
                break
    order = np.lexsort((right, left, -scores))
    return left[order], right[order], scores[order], complete


def near_duplicates(space: Workspace, *, sense: str, threshold: float, limit: int, where: str | None) -> DuplicatePairs:
    """See `similia.collection.Collection.near_duplicates`."""
    started = time.perf_counter()
    limit = whole_number("limit", limit, 1, MOST)
    if not -1 <= threshold <= 1:
        raise InputError(f"threshold is {threshold!r}; it is a cosine, a number from -1 to 1")
    with space.reading() as state:
        row = state.ready(sense)
        predicate = state.predicate(where)
        ids, vectors = state.vectors(row).all()
        if predicate is not None:
            kept = np.isin(ids, state.store.select(predicate))
            ids, vectors = ids[kept], vectors[kept]
        left, right, scores, complete = best_pairs(vectors, threshold, limit)
        shown = displayed(state.fields, Definition.read(row.definition).fields, 1)
        texts: list[tuple[Any, Any]] = []
        if shown:
            both = [state.store.values(shown[0], ids[side]) for side in (left, right)]
            texts = list(zip(*both, strict=True))
        keys = [state.store.keys(ids[side]) for side in (left, right)]
    seconds = time.perf_counter() - started
    return DuplicatePairs(keys[0], keys[1], scores, sense, float(threshold), complete, seconds, texts)
