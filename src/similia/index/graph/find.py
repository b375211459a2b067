"""One search: which way is taken through the graph, and what is scored of what it finds."""

from __future__ import annotations

import ctypes
import math
from typing import Any, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from similia.index.exact import ExactIndex
from similia.index.graph.aim import aim, in_blocks
from similia.index.graph.answer import DONE, answer, judged
from similia.index.graph.build import ROOM, reach_of, table
from similia.index.graph.coding import Coder
from similia.index.graph.masked import scan_matching, search_matching
from similia.index.graph.prune import Int32
from similia.index.graph.rescore import rescore
from similia.index.graph.rows import Rows
from similia.index.graph.state import State
from similia.index.graph.walk import search
from similia.index.inputs import METRICS, Where, as_mask, longest_of
from similia.index.selection import Selection
from similia.measure.vectors import norms
from similia.types import Bool, Float32, Hits, Int64, as_vectors

_SCANNED = 2048  # of fewer wanted items all codes are scored
_SHARE = 10  # and where less than one item in so many is wanted
_MOST = 0.8  # where more than this share is wanted, the walk goes over all, and the rest is dropped
_WIDEST = 1024  # with a wider beam than this, sorting costs more than comparing everything
_JUDGED = 16  # scores by which the errors of estimates are judged
_OFFERED = 512  # wanted items among which a filtered walk looks for entries
_QUERIES = 1024  # that are walked for at a time
_KEPT = 2  # times as many as are opened are kept, since codes err in the order
WALK, MASKED, SCAN = 0, 1, 2  # ways to look: among all nodes, among those that pass, all of those listed
_Array = TypeVar("_Array", bound=npt.NDArray[Any])
_NONE: Int32 = np.empty(0, np.int32)


class _Task(NamedTuple):
    """What is looked for, and how.

    Attributes:
        wanted: bool (n,), the nodes that may be found; ``left`` is how many.
        way: `WALK`, `MASKED` or `SCAN`.
        nodes: the wanted ones, or none where they were not put together yet.
        near: the place of which the score tells how far the walk goes: ``k``, and more where unwanted nodes are met.
        beam: places that are opened, about.
    """

    k: int
    wanted: Bool
    left: int
    way: int
    nodes: Int32
    near: int
    beam: int

    def scanned(self) -> _Task:
        """The same, but all are looked at."""
        known = len(self.nodes) == self.left
        return self._replace(way=SCAN, nodes=self.nodes if known else np.flatnonzero(self.wanted).astype(np.int32))


class Finder:
    """Searches one state of an index, with all that a search needs of it at hand; many threads may at once."""

    def __init__(self, state: State, coder: Coder, rows: Rows, ids: Int64, growth: float) -> None:
        self.state, self._coder, self._rows, self._ids, self._growth = state, coder, rows, ids, growth
        self._metric = METRICS[coder.metric]
        self._living = int(np.count_nonzero(state.alive))
        self._alive = writeable(state.alive)
        codes, links, seeds = writeable(state.codes), writeable(state.links), writeable(state.seeds)
        self._space = codes, writeable(state.halves), links, seeds, state.seed_codes, state.seed_halves
        blocks = in_blocks(coder.query_map, coder.width)
        self._aim = blocks, writeable(coder.mean), coder.step, coder.reach, self._metric
        self._kept = rows.given, rows.added, rows.norms, coder.mean  # stay where their addresses point
        stored = rows.given.ctypes.data if rows.in_place else 0, len(rows.given), rows.added.ctypes.data
        self._vectors = *stored, writeable(rows.norms), writeable(state.order)

    def __call__(self, batch: Float32, k: int, beam: int, where: Where | None) -> Hits:
        """The best k for queries float32 (q, d), C-contiguous.

        Raises:
            InputError: a query that holds NaN or is too long, or a filter that does not fit.
        """
        task = self._task(k, beam, where)
        if not task.left or task.beam > _WIDEST:
            positions, scores = self._exact(batch, task)
        elif len(batch) <= _QUERIES:
            positions, scores = self._found(batch, task)
        else:
            parts = [self._found(batch[start : start + _QUERIES], task) for start in range(0, len(batch), _QUERIES)]
            positions, scores = (np.concatenate(each) for each in zip(*parts, strict=True))
        if k <= task.left:
            return Hits(self._ids.take(positions), scores)
        ids = self._ids[positions] if len(self._ids) else positions
        return Hits(np.where(positions >= 0, ids, -1), scores)

    def _task(self, k: int, beam: int, where: Where | None) -> _Task:
        n = len(self.state)
        wanted, left, nodes = self._alive, self._living, _NONE
        if where is not None:
            if isinstance(where, Selection):
                wanted, nodes = where.derived(self, lambda: self._wanted(where))
            else:
                wanted, nodes = self._wanted(where)
            left = len(nodes)
        # A walk over all nodes comes across unwanted ones, too.
        most = left >= _MOST * n
        share = left / n if most and n else 1.0
        near = math.ceil((k + 2 * math.sqrt(k * (1 - share))) / share)
        task = _Task(k, wanted, left, WALK, nodes, near, min(int(max(k, beam) / share), max(1, left)))
        if (not most and left * _SHARE <= n) or left <= max(_SCANNED, ROOM * task.beam):
            return task.scanned()
        return task if most else task._replace(way=MASKED)

    def _wanted(self, where: Where) -> tuple[Bool, Int32]:
        """Which nodes may be found, bool (n,), and the same as numbers."""
        wanted = as_mask(where, self._rows.count, "a position")[self.state.order] & self.state.alive
        return wanted, np.flatnonzero(wanted).astype(np.int32)

    def _found(self, batch: Float32, task: _Task) -> tuple[Int64, Float32]:
        """Positions int64 and scores float32 (q, k) for at most some hundred queries; -1, -inf where there is none."""
        positions, scores, counts = self._candidates(batch, task)
        if counts is None:
            return positions, scores
        few = np.flatnonzero(positions[:, min(task.k, task.left) - 1] < 0)
        if len(few) and task.way != SCAN:
            positions[few], scores[few], _ = self._candidates(batch[few], task.scanned())
        blind = np.flatnonzero(counts == 0)  # nothing is known of where they point
        if len(blind):
            positions[blind], scores[blind] = self._exact(batch[blind], task)
        return positions, scores

    def _candidates(self, batch: Float32, task: _Task) -> tuple[Int64, Float32, Float32 | None]:
        """Positions, scores, and what estimates count unless all is well."""
        q, k, beam, wanted = len(batch), task.k, task.beam, task.wanted
        size = ROOM * beam if task.way == WALK else beam
        reach, kept = (reach_of(many * beam, task.near, self._growth) for many in (1, _KEPT))
        limits = task.near, reach, kept - reach, size, table(_KEPT * beam)
        least = _JUDGED if task.left > size else task.left + 1  # where all are at hand, all are scored
        positions, scores, counts = np.empty((q, k), np.int64), np.empty((q, k), np.float32), np.empty(q, np.float32)
        enough = min(k, task.left)
        if task.way == WALK and self._rows.in_place:
            said = answer(
                *(batch, *limits, wanted, *self._space, *self._aim, *self._vectors),
                *(counts, least, enough, positions, scores),
            )
            if said >= 0:
                check(batch)
            return positions, scores, None if said == DONE else counts
        codes, scales = np.empty((q, self._coder.width), np.int8), np.empty(q, np.float32)
        tops, lengths = np.empty(q, np.float64), np.empty(q, np.float64)
        if aim(batch, *self._aim, codes, counts, scales, tops, lengths) >= 0:
            check(batch)
        found, estimates = np.empty((q, size), np.int32), np.empty((q, size), np.float32)
        tallies = np.empty(q, np.int64)
        if task.way == WALK:
            search(*self._space, codes, scales, tops, *limits, found, estimates, tallies)
        elif task.way == MASKED:
            offered = task.nodes[:: max(1, task.left // _OFFERED)]
            space, bits = (*self._space[:3], wanted, offered), limits[-1]
            search_matching(*space, codes, scales, size, bits, found, estimates, tallies)
        else:
            scan_matching(*self._space[:2], task.nodes, codes, scales, size, found, estimates, tallies)
        if self._rows.in_place:
            rescore(
                *(*self._vectors, wanted, batch, lengths, self._metric),
                *(found, estimates, counts, tallies, least, positions, scores),
            )
        else:  # vectors are converted, each once: the nodes, now by rising position, are numbered anew
            state, rows = self.state, self._rows
            inside = np.arange(size) < tallies[:, None]
            taken = np.unique(state.order[found[inside]])
            nodes = state.nodes(rows.count)[taken]
            renumbered = np.full(len(state), -1, np.int32)
            renumbered[nodes] = np.arange(len(nodes))
            found[inside] = renumbered[found[inside]]
            vectors, order = rows.take(taken), np.arange(len(taken))
            rescore(
                *(vectors.ctypes.data, len(vectors), 0, rows.norms[taken], order, wanted[nodes], batch, lengths),
                *(self._metric, found, estimates, counts, tallies, least, positions, scores),
            )
            positions[positions >= 0] = taken[positions[positions >= 0]]
        return positions, scores, None if judged(counts, positions, enough) == DONE else counts

    def _exact(self, batch: Float32, task: _Task) -> tuple[Int64, Float32]:
        """By comparing everything."""
        check(batch)
        positions = np.sort(self.state.order[task.wanted])
        index = ExactIndex(self._rows.take(positions), positions, self._coder.metric)
        hits = index.search(batch, task.k)
        return hits.ids, hits.scores


def writeable(array: _Array) -> _Array:
    """The same memory, for as long as the array is kept, said to be writeable: what kernels are compiled for.

    None of those that are called here writes to it; in a read-only memory map that would end the process.
    """
    if array.flags.writeable or not array.size:
        return array
    memory: Any = (ctypes.c_char * array.nbytes).from_address(array.ctypes.data)
    same: _Array = np.frombuffer(memory, array.dtype).reshape(array.shape)  # type: ignore[assignment]
    return same


def check(batch: Float32) -> None:
    """Refuse queries that hold NaN or are too long."""
    longest_of(norms(as_vectors(batch, name="queries")), "queries")
