"""One search: which way is taken through the graph, and what is scored of what it finds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from similia.index.exact import ExactIndex
from similia.index.graph.coding import Coder, Int8
from similia.index.graph.rows import Rows
from similia.index.inputs import METRICS, unit
from similia.measure.vectors import norms
from similia.types import Bool, Float32, Int64

if TYPE_CHECKING:
    from similia.index.graph.prune import Int32
    from similia.index.graph.state import State

_SCANNED = 2048  # of fewer wanted items all codes are scored
_SHARE = 10  # and where less than one item in so many is wanted
_MOST = 0.8  # where more than this share is wanted, the walk goes over all, and the rest is dropped
_WIDEST = 1024  # with a wider beam than this, sorting costs more than comparing everything
_JUDGED = 16  # scores by which the errors of estimates are judged
_OFFERED = 512  # wanted items among which a filtered walk looks for entries


class Finder:
    """Searches one state of an index for the wanted nodes, bool (n,); beam is at least k."""

    def __init__(self, state: State, coder: Coder, rows: Rows, wanted: Bool, k: int, beam: int) -> None:
        self._state, self._coder, self._rows, self._wanted, self._k = state, coder, rows, wanted, k
        self._left = int(np.count_nonzero(wanted))
        # A walk over all nodes comes across unwanted ones, too.
        most = self._left >= _MOST * len(state)
        size = max(k, beam) * (len(state) if most else 1) // (self._left if most and self._left else 1)
        self._size = min(size, max(1, self._left))
        self._scanned = not most and self._left * _SHARE <= len(state)
        self._scanned |= self._left <= max(_SCANNED, 4 * self._size)
        self._nodes: Int32 | None = None

    def __call__(self, batch: Float32) -> tuple[Int64, Float32]:
        """Positions int64 and scores float32 (q, k) for queries (q, d)."""
        places = np.full((len(batch), self._k), -1, np.int64)
        scores = np.full((len(batch), self._k), -np.inf, np.float32)
        if not self._left or not len(batch):
            return places, scores
        if self._size > _WIDEST:
            return self._exact(batch)
        codes, counts, scales = self._coder.queries(unit(batch) if self._coder.metric == "cosine" else batch)
        found: Int32 = np.empty((len(batch), self._size), np.int32)
        estimates: Float32 = np.empty(found.shape, np.float32)
        tallies: Int64 = np.empty(len(batch), np.int64)
        self._walk(codes, scales, found, estimates, tallies)
        self._rescore(batch, counts, found, estimates, tallies, places, scores)
        few = np.flatnonzero((places >= 0).sum(axis=1) < min(self._k, self._left))
        if len(few):
            again, values, tally = found[few], estimates[few], tallies[few]
            self._scan(codes[few], scales[few], again, values, tally)
            some, best = places[few], scores[few]
            self._rescore(batch[few], counts[few], again, values, tally, some, best)
            places[few], scores[few] = some, best
        blind = np.flatnonzero(counts == 0)  # nothing is known of where they point
        if len(blind):
            places[blind], scores[blind] = self._exact(batch[blind])
        return places, scores

    def _walk(self, codes: Int8, scales: Float32, found: Int32, estimates: Float32, tallies: Int64) -> None:
        from similia.index.graph.build import table
        from similia.index.graph.masked import search_matching
        from similia.index.graph.walk import search

        state, n = self._state, len(self._state)
        if self._scanned:
            self._scan(codes, scales, found, estimates, tallies)
            return
        size = found.shape[1]
        given, bits, out = (state.codes, state.halves, state.links), table(size), (found, estimates, tallies)
        if self._left >= _MOST * n:
            search(*given, state.seeds, state.seed_codes, state.seed_halves, codes, scales, size, bits, *out)
        else:
            wanted = self._listed()
            offered = wanted[:: max(1, len(wanted) // _OFFERED)]
            search_matching(*given, self._wanted, offered, codes, scales, size, bits, *out)

    def _scan(self, codes: Int8, scales: Float32, found: Int32, estimates: Float32, tallies: Int64) -> None:
        from similia.index.graph.masked import scan_matching

        state, size = self._state, found.shape[1]
        scan_matching(state.codes, state.halves, self._listed(), codes, scales, size, found, estimates, tallies)

    def _listed(self) -> Int32:
        if self._nodes is None:
            self._nodes = np.flatnonzero(self._wanted).astype(np.int32)
        return self._nodes

    def _rescore(
        self,
        batch: Float32,
        counts: Float32,
        found: Int32,
        estimates: Float32,
        tallies: Int64,
        places: Int64,
        scores: Float32,
    ) -> None:
        from similia.index.graph.rescore import rescore

        rows, state = self._rows, self._state
        least = _JUDGED if self._left > found.shape[1] else self._left + 1  # where all are at hand, all are scored
        queries, lengths, metric = batch.astype(np.float64), norms(batch), METRICS[self._coder.metric]
        asked = (queries, lengths, metric, found, estimates, counts, tallies, least, places, scores)
        if rows.in_place:
            base, added = rows.given.ctypes.data, rows.added.ctypes.data
            rescore(base, len(rows.given), added, rows.norms, state.order, self._wanted, *asked)
            return
        # Others are converted, each once: the nodes, now by rising position, are numbered anew.
        inside = np.arange(found.shape[1]) < tallies[:, None]
        positions = np.unique(state.order[found[inside]])
        nodes = state.nodes(rows.count)[positions]
        renumbered = np.full(len(state), -1, np.int32)
        renumbered[nodes] = np.arange(len(nodes))
        found[inside] = renumbered[found[inside]]
        vectors, order = rows.take(positions), np.arange(len(positions))
        rescore(vectors.ctypes.data, len(vectors), 0, rows.norms[positions], order, self._wanted[nodes], *asked)
        places[places >= 0] = positions[places[places >= 0]]

    def _exact(self, batch: Float32) -> tuple[Int64, Float32]:
        """By comparing everything."""
        positions = np.sort(self._state.order[self._wanted])
        index = ExactIndex(self._rows.take(positions), positions, self._coder.metric)
        hits = index.search(batch, self._k)
        return hits.ids, hits.scores
