"""A short self-measurement: what each way of searching costs on this machine, and what a graph finds for its cost."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from similia.index.exact import ExactIndex
from similia.index.planning import Costs, Step
from similia.index.scan import ScanIndex
from similia.measure import neighbour_recall
from similia.types import Bool, Float32, Hits, Int64

if TYPE_CHECKING:
    from similia.index.graph import GraphIndex

BEAMS = (10, 14, 20, 28, 40, 56, 80, 112, 160, 224, 320)
PLACES = (10, 100)
SHARES = (0.5, 0.2, 0.1)  # under scarcer filters a graph reads the codes of all that pass
FILTERED = 128  # queries that each filter is tried with
ENOUGH = 0.995  # no wider beam is tried once this recall is reached
SINGLES = 16  # queries that are asked one by one
BATCH = 64
TIMES = 3  # the least of so many is taken: what else the machine does only adds
SECONDS = 0.25  # what one timing may take before it is not repeated


@dataclass(frozen=True)
class Measured:
    """What is measured: ways of searching the same vectors, and queries that are none of them.

    Attributes:
        exact, scan, graph: in the same order of items; None for a way that is not there.
        queries: float32 (q, d), at least 2: those that are expected, or that are like them.
        present: bool (n,), the items that the graph still has.
        seed: of the filters that are tried.
    """

    exact: ExactIndex
    scan: ScanIndex | None
    graph: GraphIndex | None
    queries: Float32
    present: Bool
    seed: int = 0

    def costs(self) -> Costs:
        """What searching costs; takes some seconds."""
        exact, scan, count = self.exact, self.scan, len(self.exact)
        some = np.zeros(count, bool)
        some[np.random.default_rng(self.seed).choice(count, max(1, count // 20), replace=False)] = True
        one = ExactIndex(exact.vectors[:1].astype(np.float32))
        fixed = _least(functools.partial(one.search, self.queries[:1], 1))

        def costs(search: Callable[..., Any], items: int, **options: Any) -> tuple[float, float]:
            few, many = self.queries[:4], self.queries[:BATCH]
            single = _least(lambda: [search(each[None], 10, **options) for each in few]) / len(few)
            return max(single - fixed, 1e-9) / items, _least(lambda: search(many, 10, **options)) / len(many) / items

        return Costs(
            exact=costs(exact.search, count),
            gathered=costs(exact.search, int(some.sum()), where=some),
            scan=None if scan is None or scan.codes is None else costs(scan.search, count),
            fixed=fixed,
            steps=() if self.graph is None else tuple(self._steps(self.graph)),
            about=f"{len(self.queries):,} queries, {count:,} items, {exact.dimension} dimensions",
        )

    def _steps(self, graph: GraphIndex) -> Iterator[Step]:
        """What the graph does with each beam, for several numbers of places and shares of filtered items."""
        for k in PLACES:
            yield from self._tried(graph, k, 1.0, [self.present])
        for share in SHARES:
            yield from self._tried(graph, PLACES[0], share, list(self._filters(share)))

    def _filters(self, share: float) -> Iterator[Bool]:
        """A filter that has nothing to do with the vectors, and one that passes one side of them, far from many."""
        rng, count, vectors = np.random.default_rng(self.seed), len(self.exact), self.exact.vectors
        yield (rng.random(count) < share) & self.present
        one = vectors[int(rng.integers(count))].astype(np.float32)
        nearness = np.concatenate(
            [vectors[at : at + 65_536].astype(np.float32) @ one for at in range(0, count, 65_536)]
        )
        yield (nearness > np.quantile(nearness, 1 - share)) & self.present

    def _tried(self, graph: GraphIndex, k: int, share: float, filters: list[Bool]) -> Iterator[Step]:
        exact, queries = self.scan or self.exact, self.queries if share == 1 else self.queries[:FILTERED]
        truths = [exact.search(queries, k, where=where) for where in filters]
        asked = None if share == 1 else filters[-1]
        for beam in (beam for beam in BEAMS if beam >= k):
            found = [graph.search(queries, k, where=where, beam=beam) for where in filters]
            reached = min(neighbour_recall(one.ids, truth.ids) for one, truth in zip(found, truths, strict=True))
            search = functools.partial(graph.search, k=k, where=asked, beam=beam)
            singles, many = [one[None] for one in self.queries[:SINGLES]], self.queries[:BATCH]
            single = _least(functools.partial(_each, search, singles)) / len(singles)
            batch = _least(functools.partial(search, many)) / len(many)
            yield Step(k, share, beam, reached, single, batch)
            if reached >= ENOUGH:
                return


def apart(count: int, most: int, seed: int) -> Int64:
    """Positions to be kept apart as queries, rising: at most one item in 20.

    Examples:
        >>> len(apart(100, 3, seed=0)), len(apart(100, 50, seed=0))
        (3, 5)
    """
    chosen = np.random.default_rng(seed).choice(count, min(most, count // 20), replace=False)
    return np.sort(chosen).astype(np.int64)


def _each(search: Callable[[Float32], Hits], queries: Iterable[Float32]) -> None:
    for query in queries:
        search(query)


def _least(call: Callable[[], Any]) -> float:
    """Seconds that a call takes when nothing disturbs it; called once before."""
    call()
    spent = []
    for _ in range(TIMES):
        started = time.perf_counter()
        call()
        spent.append(time.perf_counter() - started)
        if spent[-1] > SECONDS:
            break
    return min(spent)
