"""Where the dense view of a sense loses relevant items: a funnel whose losses add up to all that is lost."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.searcher import SCANNED
from similia.collection.showing import Sheet
from similia.collection.tables import jsonable
from similia.collection.vectors import Allowed, Vectors, positions
from similia.collection.workspace import State
from similia.evaluate.judged import Qrels
from similia.evaluate.relevant_recall import RelevantRecall
from similia.evaluate.task_loss import Searches, funnel
from similia.index.exact import Metric
from similia.types import Float32, Hits, Int64

METRIC: Metric = "cosine"
"""By which every dense view is searched."""
ALIKE = 1e-3
"""Lengths that differ by less, as a share, are one length: all metrics then rank alike."""

SAYS = {
    "collection": "relevant items that the collection does not hold",
    "filter": "relevant items that do not pass the filter",
    "cut": "more relevant items than the list has places",
    "encoding": "vectors that put other items first, whatever the metric",
    "metric": "cosine, where another metric serves these vectors better",
    "index": "near items that the index does not find",
}


@dataclass(frozen=True)
class Losses:
    """What is lost of the recall of the dense view of a sense, and where.

    Attributes:
        sense: its name.
        k: places a query.
        recall: mean recall@k of the dense view as it is searched.
        lost: stage -> what is lost there, in the order of a search; with ``recall`` they add up to 1. Below 0 where a
            stage gains: an index may miss what was not wanted.
        metrics: metric -> mean recall@k of exact search by it. Only cosine where the vectors are of one length, since
            then all metrics rank alike.
        neighbours: the share of the k nearest vectors that the search finds.
        indexed: whether an index was searched; else every vector was compared.
        queries: how many were measured.
    """

    sense: str
    k: int
    recall: float
    lost: Mapping[str, float]
    metrics: Mapping[str, float]
    neighbours: float
    indexed: bool
    queries: int

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable({**vars(self), "says": {name: SAYS[name] for name in self.lost}})  # type: ignore[no-any-return]


def loss_sheet(found: Sequence[Losses]) -> Sheet:
    """A table of what one sense loses, for lists of several depths."""
    stages = list(found[0].lost)
    rows = [[name, *(f"{one.lost[name]:.1%}" for one in found), SAYS[name]] for name in stages]
    rows.append(["found", *(f"{one.recall:.1%}" for one in found), ""])
    deepest = found[-1]
    how = "an index finds" if deepest.indexed else "every vector is compared, which finds"
    others = ", ".join(f"{name} {value:.3f}" for name, value in deepest.metrics.items())
    note = f"{how} {deepest.neighbours:.1%} of the nearest {deepest.k:,} · exact search by {others}"
    columns = ("recall", *(f"@{one.k}#" for one in found), "because of")
    return Sheet(columns, rows, f"where the vectors of {deepest.sense} lose relevant items", note)


def losses(
    state: State,
    sense: str,
    queries: Float32,
    qrels: Qrels,
    depths: tuple[int, ...],
    *,
    allowed: Allowed | None,
    recall: float | None,
    relevant_from: float | None = None,
) -> list[Losses]:
    """Measure what a sense loses of the relevant items, for lists of several depths.

    Args:
        state: of the collection.
        sense: its name.
        queries: float32 (q, d), in the order of ``qrels``.
        qrels: query -> item -> grade.
        depths: how many places.
        allowed: what passes the filter; None for all.
        recall: as in a search.
        relevant_from: the grade from which an item is relevant; above 0 where None.
    """
    row = state.ready(sense)
    vectors = state.vectors(row)
    least = np.nextafter(0, 1) if relevant_from is None else relevant_from
    relevant = [[item for item, grade in one.items() if grade >= least] for one in qrels.values()]
    names = sorted({item for one in relevant for item in one})
    number = dict(zip(names, state.store.ids(names).tolist(), strict=True))
    ids, table = vectors.all()
    if allowed is not None:
        among = positions(ids, allowed.ids)
        among = among[among >= 0]
        ids, table = ids[among], table[among]
    place = dict(zip(names, positions(ids, np.array([number[name] for name in names], np.int64)).tolist(), strict=True))
    counts = [len(one) for one in relevant]
    held = RelevantRecall([{number[item] for item in one if number[item] >= 0} for one in relevant], counts)
    task = RelevantRecall([{place[item] for item in one if place[item] >= 0} for one in relevant], counts)
    deepest = max(depths)
    indexed = take_up(vectors)
    index = _Dense(vectors, ids, allowed, recall)
    exact = _exact(table, queries, deepest)
    told = []
    for k in depths:
        parts = funnel(index, exact, METRIC, queries, k, task)
        there, passing, best = held.ceiling(), task.ceiling(), task.ceiling(k)
        lost = {
            "collection": 1 - there,
            **({} if allowed is None else {"filter": there - passing}),
            "cut": passing - best,
            "encoding": best - parts.exact[parts.best],
            "metric": parts.metric_loss,
            "index": parts.index_loss,
        }
        lost = {name: value if abs(value) > 1e-12 else 0.0 for name, value in lost.items()}
        told.append(Losses(sense, k, parts.found, lost, dict(parts.exact), parts.synthetic, indexed, len(queries)))
    return told


def take_up(vectors: Vectors) -> bool:
    """Search with the index that is kept from now on, and not only once it was taken up beside; False if there is none.

    As in a search, it is used from so many items on that one pays.
    """
    from similia.index import kernels

    base = vectors.parts[0]
    if base.ids.size < SCANNED or not kernels.usable():
        return False
    with contextlib.suppress(OSError):  # it was brought up to date, and cannot be written; it serves all the same
        return base.index.take_up()
    return True


@dataclass(frozen=True, eq=False)
class _Dense:
    """The dense view, with hits named by position among the items that may be found."""

    vectors: Vectors
    ids: Int64
    allowed: Allowed | None
    recall: float | None

    def search(self, queries: Float32, k: int) -> Hits:
        """The k best of each query; none where it is all zeros and points nowhere."""
        hits = self.vectors.search(queries, k, allowed=self.allowed, recall=self.recall)
        places = positions(self.ids, hits.ids.ravel()).reshape(hits.ids.shape)
        asked = np.any(queries, axis=1, keepdims=True)
        return Hits(np.where((hits.ids >= 0) & asked, places, -1), hits.scores)


@dataclass(frozen=True, eq=False)
class _Found:
    """What was found before, by position (q, k)."""

    ids: Int64

    def search(self, queries: Float32, k: int) -> Hits:
        """The first k."""
        return Hits(self.ids[:, :k], np.zeros(self.ids[:, :k].shape, np.float32))


def _exact(table: npt.NDArray[Any], queries: Float32, k: int) -> dict[str, Searches]:
    """Exact search by each metric that ranks otherwise than the others."""
    from similia.index import ExactIndex

    metrics: list[Metric] = [METRIC]
    lengths = ExactIndex(table).lengths
    some = lengths[lengths > 0]  # an item without a word has no vector, which says nothing about the metric
    if some.size and some.max() - some.min() > ALIKE * some.max():
        metrics += ["dot", "l2"]
    found = {one: ExactIndex(table, metric=one, lengths=lengths).search(queries, k).ids for one in metrics}
    asked = np.any(queries, axis=1, keepdims=True)
    return {name: _Found(np.where(asked, ids, -1)) for name, ids in found.items()}
