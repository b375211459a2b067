"""One index that knows several ways: it measures what each costs here, and takes the cheapest that will do."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError, StorageError
from similia.index import kernels
from similia.index.exact import ExactIndex, Metric
from similia.index.files import Column, open_verified, write
from similia.index.inputs import Where
from similia.index.planning import WAYS, Costs, Plan, Way, choose
from similia.index.scan import ScanIndex
from similia.index.selection import Selection
from similia.index.tuning import Measured, apart
from similia.measure import neighbour_recall
from similia.types import Bool, Dense, Float32, Hits, Int64, Pairs, as_vectors

if TYPE_CHECKING:
    from similia.index.graph import GraphIndex

LARGE = 50_000  # items; with fewer, comparing every vector takes some milliseconds, and nothing is compiled
ASKED = 400  # queries that are kept apart to tune on, and as many to report on
TARGETS = (0.9, 0.95, 0.99)
FORMAT = 3
_SHARED = ("ids", "norms")


class Engine:
    """Searches vectors in the way that costs least: comparing all, scanning codes, or walking a graph.

    With `LARGE` items or more, and Numba, `tune` builds the codes and the graph, measures what they cost here and how
    much they find, and later searches go by that. Before, and with fewer items, every vector is compared.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, not copied, so it may be a memory map.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        metric: "cosine" (0 where a vector is zero), "dot", or "l2" (the score is minus the distance).
        lengths: float64 (n,), those of the vectors, where they are known; see `ExactIndex`.

    Raises:
        InputError: a wrong shape, a value that is NaN or infinite, a vector longer than 1e18, or an unknown metric.

    Attributes:
        exact: the index that compares every vector.
        graph: the graph, once there is one.
        costs: what was measured, or None.
        reached: target recall -> recall of other queries than those tuned on, for 10 places.

    Examples:
        >>> engine = Engine([[1, 0], [0, 1], [1, 1]])
        >>> engine.search([2, 0], k=2).ids.tolist()
        [[0, 2]]
        >>> engine.explain(k=2).way
        'exact'
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        *,
        lengths: npt.NDArray[np.float64] | None = None,
    ) -> None:
        self.exact = ExactIndex(vectors, ids, metric, lengths=lengths)
        self.exact.compiled = kernels.usable() and len(self) >= LARGE
        self.graph: GraphIndex | None = None
        self.costs: Costs | None = None
        self.reached: dict[float, float] = {}

    def __len__(self) -> int:
        return len(self.exact)

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return self.exact.dimension

    @property
    def metric(self) -> Metric:
        """What similarity is."""
        return self.exact.metric

    @functools.cached_property
    def scan(self) -> ScanIndex:
        """The index that scans codes; made when it is first asked for."""
        return ScanIndex(self.exact.vectors, self.exact.ids, self.exact.metric, lengths=self.exact.lengths)

    @property
    def ways(self) -> tuple[Way, ...]:
        """The ways that can be taken now."""
        there = {"exact": True, "scan": kernels.usable(), "graph": self.graph is not None}
        return tuple(way for way in WAYS if there[way])

    def tune(
        self,
        queries: npt.ArrayLike | None = None,
        *,
        graph: bool | None = None,
        targets: Iterable[float] = TARGETS,
        seed: int = 0,
    ) -> Engine:
        """Build what is missing and measure every way.

        Args:
            queries: float32 (q, d), such as will be asked and none of them an item: half to tune on and half to report
                on. By default items are taken out of a copy of the graph and looked for.
            targets: recalls for which `reached` is to tell what was reached.
            graph: whether to build one; by default if there are `LARGE` items and compiled kernels.
            seed: of the graph and of what is drawn at random.

        Raises:
            InputError: fewer than 4 queries, or 40 items; or a graph is wanted and there are no compiled kernels.
        """
        asked, present = self._asked(queries, seed)
        wanted = (len(self) >= LARGE and kernels.usable()) if graph is None else graph
        if wanted and self.graph is None:
            from similia.index.graph import GraphIndex

            self.graph = GraphIndex(self.exact.vectors, self.exact.ids, self.exact.metric, seed=seed)
        tried, half = self._without(~present), len(asked) // 2
        scan = self.scan if kernels.usable() and len(self) >= LARGE else None
        self.costs, self.reached = Measured(self.exact, scan, tried, asked[:half], present, seed).costs(), {}
        if tried is not None:
            truth = (scan or self.exact).search(asked[half:], 10, where=present)
            for target in sorted(set(targets)):
                plan = choose(self.costs, len(self), k=10, queries=half, recall=target)
                if plan.beam is not None:
                    found = tried.search(asked[half:], 10, beam=plan.beam)
                    self.reached[target] = neighbour_recall(found.ids, truth.ids)
        return self

    def _asked(self, queries: npt.ArrayLike | None, seed: int) -> tuple[Float32, Bool]:
        """Queries to tune on, and which items they are not."""
        present = np.ones(len(self), np.bool_)
        if queries is not None:
            asked = as_vectors(queries, name="queries", dimension=self.dimension)
            if len(asked) < 4:
                raise InputError(f"{len(asked)} queries are too few to tune on; at least 4 are needed")
            return asked, present
        away = apart(len(self), 2 * ASKED, seed)
        if len(away) < 4:
            raise InputError(f"{len(self)} items are too few to tune on; at least 80 are needed, or queries")
        present[away] = False
        shuffled = np.random.default_rng(seed).permutation(away)
        return self.exact.vectors[shuffled].astype(np.float32), present

    def _without(self, away: Bool) -> GraphIndex | None:
        """A copy of the graph that does not have these items."""
        if self.graph is None or not away.any():
            return self.graph
        from similia.index.graph import GraphIndex

        copy = GraphIndex.from_arrays(self.exact.vectors, self.graph.arrays(), self.graph.settings())
        copy.remove(self.exact.ids[away])
        return copy

    def explain(
        self,
        k: int,
        *,
        queries: int = 1,
        where: Where | None = None,
        recall: float = 0.95,
        way: Way | None = None,
        beam: int | None = None,
    ) -> Plan:
        """How a search would be done; the arguments are those of `search`, but ``queries`` is their number.

        Raises:
            InputError: a recall out of range, or a way that is not there.
        """
        kept, passing = isinstance(where, Selection), None
        if where is not None:
            passing = where.count if isinstance(where, Selection) else int(np.count_nonzero(where))
        plan = choose(
            self.costs, len(self), k=k, queries=queries, passing=passing, kept=kept, recall=recall, ways=self.ways
        )
        if way is None:
            return plan
        if way not in WAYS:
            raise InputError(f"way {way!r} is unknown; there are {', '.join(WAYS)}")
        if way not in self.ways:
            said = "there is no graph; tune(graph=True) builds one" if way == "graph" else "Numba is not there"
            raise InputError(f"way {way!r} cannot be taken: {said}")
        return Plan(way, beam if way == "graph" else None, reason="as it was asked for")

    def search(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        *,
        where: Where | None = None,
        recall: float = 0.95,
        way: Way | None = None,
        beam: int | None = None,
    ) -> Hits:
        """The k most similar items of each query; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1; may exceed n. That many are always found where there are as many.
            where: bool (n,) or a `Selection`, the items that take part; all if None.
            recall: the share of the true k that is to be expected, above 0; 1 for all of them, proven.
            way: "exact", "scan" or "graph" to force one.
            beam: of a forced graph.

        Raises:
            InputError: a number out of range, a way that is not there, or queries or a filter that do not fit.
        """
        given = queries.vectors if isinstance(queries, Dense) else queries
        batch = as_vectors(given, name="queries", dimension=self.dimension)
        plan = self.explain(k, queries=len(batch), where=where, recall=recall, way=way, beam=beam)
        if plan.way == "graph":
            assert self.graph is not None
            return self.graph.search(batch, k, where=where, beam=plan.beam)
        return (self.scan if plan.way == "scan" else self.exact).search(batch, k, where=where)

    def range(
        self,
        queries: npt.ArrayLike | Dense,
        threshold: float,
        where: Where | None = None,
        *,
        limit: int = 10_000_000,
    ) -> Pairs:
        """All pairs of a query and an item that score at least ``threshold``; see `ExactIndex.range`."""
        large = len(self) >= LARGE and kernels.usable()
        return (self.scan if large else self.exact).range(queries, threshold, where, limit=limit)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """What was built and measured, without the vectors and the ids: to be saved, and taken up by `from_arrays`."""
        said = {"costs": self.costs and self.costs.to_dict(), "reached": list(self.reached.items())}
        parts: dict[str, npt.NDArray[Any]] = {"said": np.frombuffer(json.dumps(said).encode(), np.uint8)}
        if self.graph is not None:
            # Its rows are those of the engine, which have these already.
            parts |= {f"graph.{name}": a for name, a in self.graph.arrays().items() if name not in _SHARED}
        return parts

    def settings(self) -> dict[str, Any]:
        """All that is not an array, as JSON holds it."""
        graph = {} if self.graph is None else {"graph": self.graph.settings()}
        return {"similia": "index", "format": FORMAT, "metric": self.metric, **graph}

    @classmethod
    def from_arrays(
        cls,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None,
        arrays: Mapping[str, npt.NDArray[Any]],
        settings: Mapping[str, Any],
        *,
        lengths: npt.NDArray[np.float64] | None = None,
        were: Int64 | None = None,
        changed: npt.ArrayLike = (),
    ) -> Engine:
        """The engine that `arrays` and `settings` came from; all may be memory maps.

        Args:
            vectors: as of the class.
            ids: as of the class.
            arrays: what `arrays` gave.
            settings: what `settings` gave.
            lengths: as of the class.
            were: int64 (m,), the ids that the engine had, if the vectors are others now: the graph follows them, at
                about the cost of adding what is new. What was measured stays; it is by item.
            changed: then, ids that it had but whose vectors are others.

        Raises:
            StorageError: they were written by another version.
            InputError: vectors that do not fit.
        """
        if settings.get("similia") != "index" or settings.get("format") != FORMAT:
            raise StorageError("this is no index of this version; make it again")
        engine = cls(vectors, ids, settings["metric"], lengths=lengths)
        engine.costs, engine.reached = told(arrays)
        if "graph" in settings and kernels.usable():
            from similia.index.graph import GraphIndex
            from similia.index.graph.follow import follow

            parts = {name.removeprefix("graph."): array for name, array in arrays.items() if name.startswith("graph.")}
            exact = engine.exact
            if were is None:
                parts |= {"ids": exact.ids, "norms": exact.lengths}
                engine.graph = GraphIndex.from_arrays(exact.vectors, parts, settings["graph"])
            else:
                parts |= {"ids": were, "norms": np.zeros(len(were))}
                gone = np.broadcast_to(np.float32(0), (len(were), engine.dimension))  # a graph follows without them
                before = GraphIndex.from_arrays(gone, parts, settings["graph"])
                engine.graph = follow(before, exact.vectors, exact.ids, changed, lengths=exact.lengths)
        return engine

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Write the index to a folder; who reads it meanwhile meets the old one or the new one.

        Raises:
            OSError: the folder cannot be written.
        """
        Path(folder).mkdir(parents=True, exist_ok=True)
        parts = self.arrays()
        parts |= {"ids": self.exact.ids, "lengths": self.exact.lengths, "vectors": self.exact.vectors}
        write(Path(folder) / "index", self.settings(), {name: Column.of(array) for name, array in parts.items()})

    @classmethod
    def load(cls, folder: str | os.PathLike[str]) -> Engine:
        """The index that `save` wrote, mapped into memory.

        Raises:
            StorageError: there is none, it was written by another version, or it is not as it was written.
        """
        file = open_verified(Path(folder) / "index")
        if file is None or file.header.get("similia") != "index" or file.header.get("format") != FORMAT:
            raise StorageError(f"{folder} holds no index of this version that is whole; make it again")
        vectors, ids, lengths = (file.arrays[name] for name in ("vectors", "ids", "lengths"))
        return cls.from_arrays(vectors, ids, file.arrays, file.header, lengths=lengths)


def told(arrays: Mapping[str, npt.NDArray[Any]]) -> tuple[Costs | None, dict[float, float]]:
    """What `Engine.arrays` says was measured: the costs, and target recall -> recall reached."""
    said = json.loads(arrays["said"].tobytes())
    costs = None if said["costs"] is None else Costs.from_dict(said["costs"])
    return costs, {float(target): float(found) for target, found in said["reached"]}
