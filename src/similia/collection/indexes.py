"""The indexes of a collection: building one for a sense, tuning it, looking at it, dropping it.

A collection is searchable without any: every vector is compared, or its codes are. With many items an index, once it
was built, is kept up by whoever searches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection.asking import asked_of
from similia.collection.by_sense import BySense
from similia.collection.naming import listed
from similia.collection.searcher import RECALL, SCANNED, Kept, check_compiled
from similia.collection.searching import check_recall
from similia.collection.showing import Sheet, Shown
from similia.collection.store import SenseRow
from similia.collection.tables import jsonable
from similia.collection.vectors import Vectors
from similia.collection.workspace import State
from similia.errors import InputError, StorageError
from similia.progress import bar

if TYPE_CHECKING:
    from similia.evaluate.speed import Comparison
    from similia.index import Plan

SAMPLE = 20_000
"""Vectors that are looked at for a recommendation."""
CASES = (
    ("one query", 10, None),
    ("one query, 10 % pass the filter", 10, 0.1),
    ("one query, 1 % pass the filter", 10, 0.01),
    ("one query, fused with full text", 1_000, None),
)


@dataclass(frozen=True)
class IndexReport(Shown):
    """What searches a sense.

    Attributes:
        sense: its name.
        items: that have a vector.
        dimension: of the vectors.
        built: whether there is an index.
        current: whether it is of all items as they are; if not, the next searches bring it up to date.
        recall: the target of searches that name none.
        reached: the recall that was measured for the target, on other queries than it was tuned on; None where all that
            is searched is found, or nothing was measured.
        asked: the queries that it was tuned on, for people.
        bytes: of the index, on disk; the vectors are not in it.
        plans: how it would be searched: what is asked -> the plan.
        advice: what a look at the vectors recommends, one sentence each; see `similia.evaluate.advise`.
    """

    sense: str
    items: int
    dimension: int
    built: bool
    current: bool = False
    recall: float = 1.0
    reached: float | None = None
    asked: str = ""
    bytes: int = 0
    plans: Mapping[str, Plan] | None = None
    advice: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return jsonable(asdict(self))  # type: ignore[no-any-return]

    def _sheets(self) -> list[Sheet]:
        title = f"{self.sense}: {self.items:,} items, {self.dimension} dimensions, "
        if not self.built:
            many = self.items >= SCANNED
            note = "similia index COLLECTION build makes one" if many else f"one pays from {SCANNED:,} items on"
            return [Sheet((), [], f"{title}no index", f"Every vector is compared, and all are found; {note}.")]
        state = "up to date" if self.current else "of an earlier state; the next searches bring it up to date"
        title += f"index of {self.bytes / 2**20:,.1f} MB, {state}"
        found = "" if self.reached is None else f", {self.reached:.3f} reached"
        rows = [
            (what, plan.way, plan.beam, plan.recall, _time(plan.seconds), plan.reason)
            for what, plan in (self.plans or {}).items()
        ]
        return [
            Sheet((), [], title),
            Sheet(
                ("asked", "way", "beam#", "recall#", "time#", "because"),
                rows,
                note=f"recall: {self.recall:g} wanted{found}, on {self.asked}",
            ),
            *([Sheet((), [], "Of these vectors", " ".join(self.advice))] if self.advice else []),
        ]


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{seconds * 1e3:,.2f} ms"


class Indexes(BySense[IndexReport]):
    """What searches each sense of a collection, by name of the sense.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add([{"title": "Cables"}, {"title": "Tea"}], encoder="hashing")
        ...     shelf.indexes["topic"].built
        False
    """

    def __repr__(self) -> str:
        return f"Indexes({listed([name for name, one in self.items() if one.built]) or 'none built'})"

    def __getitem__(self, name: str) -> IndexReport:
        with self._space.reading() as state:
            row = state.sense(name)
            vectors = state.vectors(row)
        return _report(row, vectors)

    def build(
        self,
        sense: str = "topic",
        *,
        recall: float = RECALL,
        queries: Sequence[str] | npt.ArrayLike | None = None,
        force: bool = False,
        progress: bool | None = None,
    ) -> IndexReport:
        """Build an index for a sense, or bring the one that there is up to date.

        The ways of searching are measured on this machine, and how wide the graph must be walked for the recall. What
        is added later is searched at once, and the index is kept up by searching processes.

        Args:
            sense: its name.
            recall: the share of the true nearest items that a search is to find, above 0 and at most 1.
            queries: such as will be asked, texts or vectors, at least 4: half to tune on and half to report on. By
                default short phrases out of the items; without an encoder, items that are taken out for it.
            force: build with few items, too, and anew where there is an index of all items.
            progress: True or False to show what is being done or not; by default on a terminal.

        Raises:
            UnknownSense: there is no such sense.
            InputError: too few items for an index to pay and no ``force``, or Numba is not there.
            StorageError: the folder cannot be written.
        """
        return self._make(sense, recall, queries, force=force, progress=progress)

    def tune(
        self,
        sense: str = "topic",
        *,
        recall: float | None = None,
        queries: Sequence[str] | npt.ArrayLike | None = None,
        progress: bool | None = None,
    ) -> IndexReport:
        """Measure the ways of searching again, on these queries and this machine; arguments as of `build`.

        Raises:
            InputError: there is no index.
        """
        if not self[sense].built:
            raise InputError(f"sense {sense!r} has no index to tune: build one first")
        return self._make(sense, recall, queries, force=True, progress=progress, anew=False)

    def drop(self, sense: str = "topic") -> bool:
        """Remove the index of a sense; nothing else is lost. False if there was none."""
        with self._space.reading() as state:
            kept = _kept(state, state.sense(sense))
        try:
            kept.path.unlink()
        except FileNotFoundError:
            return False
        return True

    def bench(
        self,
        sense: str = "topic",
        *,
        queries: Sequence[str] | npt.ArrayLike | None = None,
        limit: int | None = None,
        rounds: int = 3,
        curve: bool = False,
        told: Callable[[str], object] = lambda said: None,
    ) -> Comparison:
        """Measure an index of these vectors, and a scan, against the search libraries that are installed.

        All are built of the same vectors, here and now, and run by turns on one thread.

        Args:
            sense: its name.
            queries: as of `build`; at least 4.
            limit: only so many of the vectors, drawn at random.
            rounds: of which the median counts.
            curve: whether every setting is timed, for `similia.evaluate.speed.plot`.
            told: is given a sentence at every step.

        Raises:
            InputError: fewer than 100 vectors, or no compiled code.
        """
        from similia.collection.benching import bench

        with self._space.reading() as state:
            row = state.ready(sense)
            asked = asked_of(state, row, queries)
            vectors = state.vectors(row).all()[1]
        return bench(vectors, asked, limit=limit, rounds=rounds, curve=curve, told=told)

    def explain(
        self, sense: str = "topic", *, k: int = 10, where: str | None = None, recall: float | None = None
    ) -> Plan:
        """How the vectors of a sense would be searched by a process that has taken up the index.

        Raises:
            FilterError: the filter cannot be understood.
        """
        with self._space.reading() as state:
            row = state.ready(sense)
            predicate = state.predicate(where)
            allowed = None if predicate is None else state.select(predicate)
            base = state.vectors(row).parts[0]
        base.index.take_up()
        return base.index.plan(k, base.selection(allowed), recall)

    def _make(
        self,
        sense: str,
        recall: float | None,
        queries: Sequence[str] | npt.ArrayLike | None,
        *,
        force: bool,
        progress: bool | None,
        anew: bool = True,
    ) -> IndexReport:
        from similia.index import Engine
        from similia.index.engine import TARGETS

        check_recall(recall)
        check_compiled()
        with self._space.reading() as state, bar("looking at the items", show=progress):
            row = state.ready(sense)
            if row.count < SCANNED and not force:
                raise InputError(
                    f"sense {sense!r} has {row.count:,} vectors, and comparing them all takes no longer than an index "
                    f"would: one pays from {SCANNED:,} on (force builds it all the same)"
                )
            vectors = state.table(row)
            base, kept = vectors.parts[0], vectors.parts[0].kept
            if kept is None:
                raise StorageError(f"{self._space.folder} cannot be written, so there is no place for an index")
            searcher = base.index
            there = not (force and anew) and searcher.take_up()
            same = there and not force and queries is None and recall in (None, searcher.recall)
            asked = None if same else asked_of(state, row, queries)
        if same:
            return _report(row, vectors)
        exact = searcher.engine.exact
        with bar("building the graph and measuring" if not there else "measuring", show=progress):
            engine = searcher.engine if there else Engine(exact.vectors, exact.ids, lengths=exact.lengths)
            target = recall if recall is not None else searcher.recall
            engine.tune(asked, graph=True, targets=(*TARGETS, target))
        advice = _advice(base.vectors)
        told = "items that were taken out for it"
        if asked is not None:
            told = "short phrases out of the items" if queries is None else f"{len(asked):,} given queries"
        header = {"recall": target, "asked": told, "advice": advice}
        kept.write(engine, header)
        searcher.replace(engine, target)
        return _report(row, vectors)


def _kept(state: State, row: SenseRow) -> Kept:
    from similia.collection import upkeep

    return upkeep.kept(state.store, row, state.version)


def _report(row: SenseRow, vectors: Vectors) -> IndexReport:
    base = vectors.parts[0]
    file = None if base.kept is None else base.kept.open()
    if file is None or base.kept is None:
        return IndexReport(row.name, row.count, row.dimension, built=False)
    from similia.index import choose
    from similia.index.engine import told

    costs, reached = told(file.arrays)
    recall = float(file.header.get("recall", RECALL))
    plans = {
        what: choose(
            costs, base.ids.size, k=k, passing=None if share is None else int(share * base.ids.size), recall=recall
        )
        for what, k, share in CASES
    }
    current = file.header["version"] == base.kept.header["version"] and not vectors.loose
    return IndexReport(
        row.name,
        row.count,
        row.dimension,
        built=True,
        current=current,
        recall=recall,
        reached=reached.get(recall),
        asked=str(file.header.get("asked", "")),
        bytes=int(file.header["size"]),
        plans=plans,
        advice=tuple(file.header.get("advice", ())),
    )


def _advice(vectors: npt.NDArray[Any]) -> list[str]:
    from similia.evaluate import advise, meta_features

    step = max(1, len(vectors) // SAMPLE)
    return list(advise(meta_features(vectors[::step].astype(np.float32))).reasons) if len(vectors) > 1 else []
