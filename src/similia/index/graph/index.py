"""A living graph of neighbours: nearly all of the most similar items, found by walking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeGuard, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError, UnknownItem
from similia.index import kernels
from similia.index.exact import Metric
from similia.index.graph.coding import FITTED, Coder, fit
from similia.index.graph.rows import Rows
from similia.index.inputs import Where, as_ids, as_stored, longest_of
from similia.index.topk import check_k
from similia.measure.vectors import norms
from similia.types import Dense, Float32, Hits, Int64, as_vectors

if TYPE_CHECKING:
    from similia.index.graph.find import Finder
    from similia.index.graph.state import State

_BEAM = 64
_BROKEN = 64  # links are led around removed items when one item in so many is removed
_OUTGROWN = 4  # times as many items as the codes were learned from: learn them anew


class GraphIndex:
    """Finds nearly all of the most similar items, at a small part of the cost of comparing everything.

    A query is walked towards over codes of a few hundred bytes an item; the vectors themselves are read only for the
    best that the walk found. So scores are exact, as those of `ExactIndex`, but an item may be missed: more rarely, the
    wider the beam.

    Args:
        vectors: float32 or float16 (n, d); kept as it is, not copied, so it may be a memory map.
        ids: int64 (n,), what hits are called, unique and at least 0; by default the positions 0 to n - 1.
        metric: "cosine" (0 where a vector is zero), "dot", or "l2" (the score is minus the distance).
        dimensions: what the codes keep of d; enough for a recall above 0.99 where None.
        degree: links an item has at most, 4 bytes each.
        build_beam: how wide the walks are that links are found by; twice as wide takes half as long again to build, and
            helps queries that are unlike the items.
        seed: decides what is random in the building; the same seed makes the same graph.
        threads: how many build.

    Raises:
        InputError: a wrong shape, a value that is NaN or infinite, ids that are not unique, a number out of range, or
            no compiled kernels here.

    Examples:
        >>> random = np.random.default_rng(0)
        >>> vectors = random.normal(size=(500, 16)).astype(np.float32)
        >>> index = GraphIndex(vectors)
        >>> index.search(vectors[7], k=1).ids.tolist()
        [[7]]
        >>> index.remove([7])
        >>> 7 in index.search(vectors[7], k=500).ids
        False
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        ids: npt.ArrayLike | None = None,
        metric: Metric = "cosine",
        *,
        dimensions: int | None = None,
        degree: int = 32,
        build_beam: int = 96,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        if metric not in get_args(Metric):
            raise InputError(f"metric {metric!r} is unknown; there are {', '.join(get_args(Metric))}")
        if not 4 <= degree <= 128:
            raise InputError(f"degree is {degree}; it must be between 4 and 128")
        if build_beam < 1:
            raise InputError(f"build_beam is {build_beam}; it must be at least 1")
        if threads < 1:
            raise InputError(f"threads are {threads}; at least 1 is needed")
        given = as_stored(vectors)
        rows = Rows(given)
        longest_of(rows.norms, "vectors")
        self._start(rows, _unique(as_ids(ids, len(given))))
        from similia.index.graph.build import Plan

        self._plan = Plan(degree=degree, beam=build_beam, seed=seed, threads=threads)
        self._build(np.arange(len(given), dtype=np.int64), metric, dimensions)

    def _start(self, rows: Rows, ids: Int64) -> None:
        if not kernels.usable():
            raise InputError("a graph needs compiled kernels, and Numba is not there or switched off; use ExactIndex")
        self._rows, self.ids = rows, ids
        self._state: State
        self._finder: Finder | None = None
        self._broken = 0  # removed, with links to them
        self._places: tuple[Int64, Int64] | None = None  # ids in use, rising, and their positions

    def __len__(self) -> int:
        return int(np.count_nonzero(self._state.alive))

    @property
    def metric(self) -> Metric:
        """What similarity is."""
        return self._coder.metric

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return int(self._coder.mean.shape[0])

    @property
    def positions(self) -> int:
        """Positions that are taken, by items or by what was removed since the last `compact`."""
        return self._rows.count

    @property
    def nbytes(self) -> int:
        """The memory that is taken besides the vectors and the ids: codes, links, and what goes with them."""
        return sum(array.nbytes for array in self._state.arrays().values()) + self._rows.norms.nbytes

    def search(
        self,
        queries: npt.ArrayLike | Dense,
        k: int,
        *,
        where: Where | None = None,
        beam: int | None = None,
    ) -> Hits:
        """The k most similar items of each query, as far as the walk finds them; equal scores come by lower position.

        Args:
            queries: (q, d), or (d,) for one.
            k: places a query, at least 1; may exceed n. That many are always found where there are as many items.
            where: bool (`positions`,) or a `Selection`, the items that take part; all if None.
            beam: about how many items a walk opens, fewer of easy queries and more of hard ones; at least k is taken.
                More finds more and takes longer.

        Raises:
            InputError: a k or a beam below 1, or queries or a filter that do not fit the vectors.
        """
        check_k(k)
        width = _BEAM if beam is None else beam
        if width < 1:
            raise InputError(f"beam is {beam}; it must be at least 1")
        given = queries.vectors if isinstance(queries, Dense) else queries
        if not _as_it_should_be(given) or given.shape[1] != self.dimension:
            given = as_vectors(given, name="queries", dimension=self.dimension)
        return self._ready()(given, k, width, where)

    def add(self, vectors: npt.ArrayLike, ids: npt.ArrayLike | None = None) -> Int64:
        """Add items; they take the next positions. Returns their ids.

        Args:
            vectors: (m, d), or (d,) for one.
            ids: int64 (m,), none of them in use; by default those that follow the highest one so far.

        Raises:
            InputError: vectors that do not fit, or an id that is in use.
        """
        new = as_vectors(vectors, dimension=self.dimension)
        longest = longest_of(norms(new), "vectors")
        first = int(self.ids.max(initial=-1)) + 1
        named = as_ids(np.arange(first, first + len(new)) if ids is None else ids, len(new))
        self._check_free(named)
        if not len(new):
            return named
        first = self._rows.count
        self._rows.append(new)
        self.ids, self._places = np.concatenate((self.ids, named)), None
        positions = np.arange(first, self._rows.count)
        outgrown = self._fitted < FITTED and len(self) + len(new) > _OUTGROWN * self._fitted
        if outgrown or not len(self) or (self.metric == "dot" and longest > self._coder.longest):
            living = np.concatenate((np.sort(self._state.order[self._state.alive]), positions))
            self._build(living, self.metric, self._dimensions)
        else:
            self._link(positions, new)
        return named

    def remove(self, ids: npt.ArrayLike) -> None:
        """Remove items; their positions stay taken until `compact`.

        Raises:
            UnknownItem: an id that no item has; nothing is removed then.
        """
        positions = self._positions(np.atleast_1d(np.asarray(ids)))
        alive = self._state.alive.copy()
        alive[self._state.nodes(self._rows.count)[positions]] = False
        self._state = replace(self._state, alive=alive)
        self._places = None
        self._broken += len(positions)
        if self._broken * _BROKEN > len(self._state):
            self._mend()

    def update(self, ids: npt.ArrayLike, vectors: npt.ArrayLike) -> None:
        """Give items other vectors; they move to the next positions.

        Raises:
            UnknownItem: an id that no item has.
            InputError: vectors that do not fit.
        """
        named = np.atleast_1d(np.asarray(ids))
        new = as_vectors(vectors, dimension=self.dimension)
        longest_of(norms(new), "vectors")
        _unique(as_ids(named, len(new)))
        self.remove(named)
        self.add(new, named)

    def compact(self) -> Int64:
        """Give back the memory of what was removed: items move up to the positions 0 to n - 1, in their order.

        The vectors are copied into memory. Returns the positions that they had, int64 (n,).
        """
        self._mend()
        self._state, positions = self._state.compact()
        self._rows, self.ids = Rows(self._rows.take(positions)), self.ids[positions]
        self._places = None
        return positions

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """All arrays but the vectors, to be saved and mapped again with `from_arrays`."""
        self._mend()
        coder = {"item_map": self._coder.item_map, "query_map": self._coder.query_map, "mean": self._coder.mean}
        return {"ids": self.ids, "norms": self._rows.norms, **coder, **self._state.arrays()}

    def settings(self) -> dict[str, Any]:
        """All that is not an array, as JSON holds it."""
        coder = {"metric": self.metric, "step": self._coder.step, "longest": self._coder.longest}
        learned = {"fitted": self._fitted, "dimensions": self._dimensions, "growth": self._growth}
        return {**coder, **self._plan._asdict(), **learned}

    @classmethod
    def from_arrays(
        cls, vectors: npt.NDArray[Any], arrays: Mapping[str, npt.NDArray[Any]], settings: Mapping[str, Any]
    ) -> GraphIndex:
        """The index that `arrays` and `settings` came from; nothing is copied, so all may be memory maps.

        Args:
            vectors: (`positions`, d): those given and, after them, those added; of removed items, anything.
            arrays: what `arrays` gave. To add or remove items, they are copied.
            settings: what `settings` gave.

        Raises:
            InputError: vectors that do not fit the arrays.
        """
        from similia.index.graph.build import GROWTH, Plan
        from similia.index.graph.state import State

        given = np.asanyarray(vectors)
        if given.shape != (len(arrays["ids"]), len(arrays["mean"])) or given.dtype not in (np.float32, np.float16):
            raise InputError(
                f"vectors are {given.dtype} {given.shape}; they must be float32 or float16 "
                f"({len(arrays['ids'])}, {len(arrays['mean'])}), as the index has them"
            )
        index = cls.__new__(cls)
        index._start(Rows(given, arrays["norms"]), np.asarray(arrays["ids"]))
        item_map, query_map, mean = (np.asarray(arrays[name]) for name in ("item_map", "query_map", "mean"))
        index._coder = Coder(settings["metric"], item_map, query_map, mean, settings["step"], settings["longest"])
        index._plan = Plan(**{name: settings[name] for name in Plan._fields})
        index._state = State(**{name: _read_only(arrays[name]) for name in State.saved})
        index._fitted, index._dimensions = settings["fitted"], settings["dimensions"]
        index._growth = settings.get("growth", GROWTH)
        return index

    def _build(self, positions: Int64, metric: Metric, dimensions: int | None) -> None:
        """Learn codes from the items at these positions and link them."""
        from similia.index.graph.build import build
        from similia.index.graph.state import State

        whole = len(positions) == len(self._rows.given)
        vectors = self._rows.given if whole else self._rows.take(positions)
        longest = float(self._rows.norms[positions].max(initial=0.0))
        self._dimensions, self._fitted, self._broken = dimensions, len(positions), 0
        self._coder = fit(vectors, metric, longest, dimensions, self._plan.seed)
        graph = build(*self._coder.items(vectors), self._coder.dims, self._plan)
        self._state, self._growth = State.of(graph, positions), graph.growth

    def _link(self, positions: Int64, vectors: Float32) -> None:
        from similia.index.graph.build import table
        from similia.index.graph.reach import reach
        from similia.index.graph.update import link_new

        self._mend()
        before, plan = len(self._state), self._plan
        state = self._state = self._state.own().longer(positions, *self._coder.items(vectors))
        starts = (state.seeds, state.seed_codes, state.squares[state.seeds, None])
        space = (state.codes, state.squares, state.lifts, self._coder.dims)
        walks = (plan.beam, table(plan.beam), plan.alpha)
        scale = 0.0 if len(state.lifts) else 0.5
        link_new(state.links, *space, scale, *starts, state.alive, *walks, before, len(state))
        reach(state.links, state.seeds, state.alive)

    def _mend(self) -> None:
        """Lead links around what was removed."""
        if not self._broken:
            return
        from similia.index.graph.reach import reach, reseed
        from similia.index.graph.update import link_around

        state = self._state.own()
        link_around(
            state.links, state.codes, state.squares, state.lifts, self._coder.dims, self._plan.alpha, state.alive
        )
        self._state = state = replace(state, seeds=reseed(state.seeds, state.alive))
        reach(state.links, state.seeds, state.alive)
        self._broken = 0

    def _ready(self) -> Finder:
        """What searches the present state."""
        finder = self._finder
        if finder is None or finder.state is not self._state:
            from similia.index.graph.find import Finder

            finder = self._finder = Finder(self._state, self._coder, self._rows, self.ids, self._growth)
        return finder

    def _positions(self, ids: npt.NDArray[Any]) -> Int64:
        """The positions of items, by their ids."""
        known, positions = self._known()
        at = np.searchsorted(known, ids)
        at[at == len(known)] = 0
        missing = known[at] != ids if len(known) else np.ones(len(ids), np.bool_)
        if missing.any():
            raise UnknownItem(f"no item has the id {ids[missing][0]}")
        return np.unique(positions[at])

    def _known(self) -> tuple[Int64, Int64]:
        if self._places is None:
            living = np.sort(self._state.order[self._state.alive])
            order = np.argsort(self.ids[living], kind="stable")
            self._places = self.ids[living][order], living[order]
        return self._places

    def _check_free(self, ids: Int64) -> None:
        _unique(ids)
        used = np.isin(ids, self._known()[0])
        if used.any():
            raise InputError(f"ids hold {int(ids[used][0])}, which an item has already; remove or update that one")


def _unique(ids: Int64) -> Int64:
    values, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        raise InputError(f"ids hold {int(values[counts > 1][0])} more than once; each item needs its own")
    return ids


def _as_it_should_be(queries: Any) -> TypeGuard[Float32]:
    """Whether kernels can read queries where they are; their values are looked at later."""
    kind: bool = type(queries) is np.ndarray and queries.ndim == 2 and queries.dtype == np.float32
    return kind and bool(queries.flags.c_contiguous)


def _read_only(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view that is copied before anything is written, since the array is somebody else's."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
