"""What a search gives back: arrays with the items beside them, and how each item came to be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from similia.collection.tables import TypedColumn, jsonable, to_arrow, to_pandas, to_polars, typed
from similia.types import Float32, Int64

if TYPE_CHECKING:
    from rich.console import Group

    from similia.collection.showing import Sheet
    from similia.rank import Evidence


@dataclass(frozen=True, eq=False)
class View:
    """Where each result stands in one view: ``ranks`` int64 (n,) from 1, -1 where the view did not rank it so high.

    ``scores`` float32 (n,): cosine (dense) or BM25 (text), -inf where the rank is -1.
    """

    ranks: Int64
    scores: Float32


@dataclass(frozen=True)
class Stage:
    """What was done with the hits after they were found: what it cost, and how many hits it moved."""

    name: str
    by: str
    calls: int
    cached: int
    failures: int
    milliseconds: float
    moved: int

    def __str__(self) -> str:
        known = f", {self.cached:,} known" if self.cached else ""
        failed = f", {self.failures:,} failed" if self.failures else ""
        cost = f"{self.calls:,} calls{known}{failed}, {self.milliseconds:,.0f} ms"
        return f"{self.name} by {self.by}: {cost}, {self.moved} moved"


@dataclass(frozen=True)
class Hit:
    """One result: its rank from 1, and its rank and score in each view that found it.

    ``relevance`` is the probability that it is relevant, and ``evidence`` the sentences that speak for it; None where
    they were not asked for, or not known.
    """

    rank: int
    key: str
    score: float
    item: dict[str, Any]
    ranks: dict[str, int]
    scores: dict[str, float]
    relevance: float | None = None
    evidence: list[Evidence] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON; ``relevance`` and ``evidence`` where they are there."""
        plain = {name: value for name, value in vars(self).items() if value is not None}
        if self.evidence is not None:
            plain["evidence"] = [vars(one) for one in self.evidence]
        return jsonable(plain)  # type: ignore[no-any-return]


@dataclass(frozen=True, eq=False)
class Results:
    """The answer to a search, best first.

    Attributes:
        query: the text asked for; "" where a vector or an item was.
        like: the key of the item that was asked about, a list of several, or None.
        unlike: the keys of items that hits should not be like.
        asked: the question in a line.
        sense: the sense searched.
        mode: the views asked: "hybrid", "dense" or "text"; see ``note`` where that is not what was asked for.
        where: the filter, or None.
        k, offset: how many were asked for, and how many were passed over.
        total: how many items pass the filter.
        seconds: how long it took.
        ids: int64 (n,), the items' numbers in the database.
        keys: the items' keys.
        scores: float32 (n,), higher is more similar: cosine (dense), BM25 (text) or the fused score (hybrid).
        items: the records.
        views: view name -> ranks and scores in that view.
        weights: view name -> its weight in the fusion.
        presence: the probability that the collection holds anything on the query; None where it was not asked for.
        relevance: float32 (n,), the probability that each is relevant; None where it was not asked for, or there are no
            judgments to learn it from.
        calibrated: what these probabilities were learnt from, or "".
        stages: what was done with the hits after they were found.
        evidence: for each, the sentences that speak for it; None where they were not asked for.
        note: what the reader should know, or "".
        fields: field name -> type.
        shown: the fields that tables show.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> rows = [{"id": 1, "title": "black cat"}, {"id": 2, "title": "tax law"}]
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as c:
        ...     report = c.add(rows, key="id", text="title", encoder="hashing")
        ...     results = c.search("a cat", k=1)
        >>> results.keys, results.items[0]["title"], results.views["text"].ranks.tolist()
        (['1'], 'black cat', [1])
    """

    query: str
    sense: str
    mode: str
    k: int
    offset: int
    total: int | None
    seconds: float
    ids: Int64
    keys: list[str]
    scores: Float32
    items: list[dict[str, Any]]
    views: dict[str, View] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    like: str | list[str] | None = None
    unlike: list[str] = field(default_factory=list)
    asked: str = ""
    where: str | None = None
    note: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    shown: Sequence[str] = ()
    presence: float | None = None
    relevance: Float32 | None = None
    calibrated: str = ""
    stages: tuple[Stage, ...] = ()
    evidence: list[list[Evidence]] | None = None

    def __len__(self) -> int:
        return len(self.keys)

    def __iter__(self) -> Iterator[Hit]:
        return (self[place] for place in range(len(self)))

    @overload
    def __getitem__(self, place: int) -> Hit: ...

    @overload
    def __getitem__(self, place: slice) -> list[Hit]: ...

    def __getitem__(self, place: int | slice) -> Hit | list[Hit]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        place = range(len(self))[place]
        found = {name: view for name, view in self.views.items() if view.ranks[place] > 0}
        return Hit(
            self.offset + place + 1,
            self.keys[place],
            float(self.scores[place]),
            self.items[place],
            {name: int(view.ranks[place]) for name, view in found.items()},
            {name: float(view.scores[place]) for name, view in found.items()},
            None if self.relevance is None else float(self.relevance[place]),
            None if self.evidence is None else self.evidence[place],
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: the question, how it was answered, and ``results`` with key, score, ranks, scores and item.

        What was not asked for (``unlike``, ``presence``, ``stages``, ``relevance``, ``evidence``) is left out.
        """
        names = ("query", "like", "sense", "mode", "where", "k", "offset", "total", "seconds", "weights", "note")
        more = {
            "unlike": self.unlike,
            "presence": self.presence,
            "calibrated": self.calibrated,
            "stages": [vars(stage) for stage in self.stages],
        }
        return {
            **{name: jsonable(getattr(self, name)) for name in names},
            **{name: jsonable(value) for name, value in more.items() if value not in (None, "", [])},
            "results": [hit.to_dict() for hit in self],
        }

    def to_dicts(self) -> list[dict[str, Any]]:
        """One flat dict a result: ``_rank``, ``_key``, ``_score``, and the record's own fields."""
        return [{"_rank": hit.rank, "_key": hit.key, "_score": hit.score, **hit.item} for hit in self]

    def _columns(self) -> dict[str, TypedColumn]:
        columns = {
            "_rank": typed("integer", list(range(self.offset + 1, self.offset + len(self) + 1))),
            "_key": typed("text", self.keys),
            "_score": typed("number", self.scores.tolist()),
        }
        if self.relevance is not None:
            columns["_relevance"] = typed("number", self.relevance.tolist())
        for name, view in self.views.items():
            found = view.ranks > 0
            ranks = [int(rank) if there else None for rank, there in zip(view.ranks, found, strict=True)]
            scores = [float(score) if there else None for score, there in zip(view.scores, found, strict=True)]
            columns[f"_{name}_rank"], columns[f"_{name}_score"] = typed("integer", ranks), typed("number", scores)
        for name, kind in self.fields.items():
            columns.setdefault(name, typed(kind, [item.get(name) for item in self.items]))
        return columns

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table``: ``_rank``, ``_key``, ``_score``, ranks and scores in each view, and the fields.

        Raises:
            MissingDependency: PyArrow is not installed.
        """
        return to_arrow(self._columns())

    def to_pandas(self) -> Any:
        """The same columns as a ``pandas.DataFrame``.

        Raises:
            MissingDependency: pandas is not installed.
        """
        return to_pandas(self._columns())

    def to_polars(self) -> Any:
        """The same columns as a ``polars.DataFrame``.

        Raises:
            MissingDependency: polars is not installed.
        """
        return to_polars(self._columns())

    def _asked(self) -> str:
        return self.asked or self.query or "a vector"

    def _sheet(self) -> Sheet:
        from similia.collection.showing import Sheet

        rows = [[hit.rank, hit.score, hit.key, *(hit.item.get(name) for name in self.shown)] for hit in self]
        of = "" if self.total is None else f" of {self.total:,}"
        asked = f"{self.mode}, sense {self.sense}" + (f", where {self.where}" if self.where else "")
        note = f"{len(self):,}{of} · {asked} · {self.seconds:.3f} s" + (f" · {self.note}" if self.note else "")
        return Sheet(("#", "score#", "key", *self.shown), rows, self._asked(), note)

    def __rich__(self) -> Group:
        from similia.collection.showing import rich_sheets

        return rich_sheets([self._sheet()])

    def __repr__(self) -> str:
        from similia.collection.showing import text_sheets

        return text_sheets([self._sheet()])

    def _repr_html_(self) -> str:
        from similia.collection.showing import html_sheets

        return html_sheets([self._sheet()])

    def explain(self) -> Explanation:
        """How each result came to its place: rank and score in each view, weights, filter, time."""
        return Explanation(self)


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why the results of a search stand where they do."""

    results: Results

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON, as `Results.to_dict` without the records."""
        whole = self.results.to_dict()
        for hit in whole["results"]:
            del hit["item"]
        return whole

    def _sheet(self) -> Sheet:
        from similia.collection.showing import Sheet, cell

        results = self.results
        names = list(results.views)
        main = list(results.shown[:1])
        rows = [
            [hit.rank, hit.key, hit.score]
            + ([] if results.relevance is None else [f"{hit.relevance:.2f}"])
            + [f"{hit.ranks[name]:,} ({hit.scores[name]:.3g})" if name in hit.ranks else "-" for name in names]
            + [cell(hit.item.get(field), 60) for field in main]
            + ([] if hit.evidence is None else [cell(" … ".join(one.text for one in hit.evidence), 160)])
            for hit in results
        ]
        known = () if results.relevance is None else ("relevance#",)
        said = () if results.evidence is None else ("evidence",)
        columns = ("#", "key", "score#", *known, *(f"{name}#" for name in names), *main, *said)
        weights = ", ".join(f"{name} {weight:.2g}" for name, weight in results.weights.items())
        passing = "all items" if results.where is None else f"items where {results.where}"
        total = "" if results.total is None else f" ({results.total:,})"
        parts = [
            f"{results.mode} search in sense {results.sense} over {passing}{total}",
            f"weights {weights}" if len(names) > 1 else "",
            "dense: rank (cosine)" if "dense" in names else "",
            "text: rank (BM25 of the words)" if "text" in names else "",
            f"{results.presence:.0%} that it holds anything on this ({results.calibrated})"
            if results.calibrated
            else "",
            *map(str, results.stages),
            f"{results.seconds:.3f} s",
            results.note,
        ]
        return Sheet(columns, rows, results._asked(), " · ".join(part for part in parts if part))

    def __rich__(self) -> Group:
        from similia.collection.showing import rich_sheets

        return rich_sheets([self._sheet()])

    def __repr__(self) -> str:
        from similia.collection.showing import text_sheets

        return text_sheets([self._sheet()])

    def _repr_html_(self) -> str:
        from similia.collection.showing import html_sheets

        return html_sheets([self._sheet()])


def empty(sense: str, mode: str, k: int, offset: int, *, note: str = "", **asked: Any) -> Results:
    """Results of a search that found nothing.

    Examples:
        >>> len(empty("topic", "hybrid", 10, 0, query="x", seconds=0.0))
        0
    """
    nothing = (np.empty(0, np.int64), np.empty(0, np.float32))
    return Results(
        sense=sense, mode=mode, k=k, offset=offset, total=0, ids=nothing[0], keys=[], scores=nothing[1], items=[],
        note=note, **asked,
    )  # fmt: skip


def displayed(fields: Mapping[str, str], first: Sequence[str], most: int = 4) -> tuple[str, ...]:
    """The fields worth showing in a table: the first that the sense reads, then short ones.

    Examples:
        >>> displayed({"id": "integer", "title": "text", "area": "category", "abstract": "text"}, ["title", "abstract"])
        ('title', 'area')
    """
    main = [name for name in first if name in fields][:1]
    short = [name for name, kind in fields.items() if kind in ("category", "date", "number", "boolean", "datetime")]
    return tuple(dict.fromkeys([*main, *short]))[:most]
