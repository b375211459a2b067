"""Judgments of a collection: how well items answer queries, kept with it, and what evaluation and learning read.

A judgment names its query by the text (or by the key of an item that was asked about) and its item by the key. One
whose item is deleted is kept, and left out of `Judgments.qrels` until an item of that key is back.
"""

from __future__ import annotations

from collections.abc import Collection as Several
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from similia.collection.judging_input import (
    Given,
    beside,
    check_sources,
    is_about,
    made_of,
    missing_from,
    of_line,
    shown_keys,
    texts_of,
    timed,
    unknown_items,
)
from similia.collection.judging_session import JudgingSession
from similia.collection.showing import Sheet, Shown
from similia.collection.store.judgments import Judgment, Source
from similia.collection.workspace import Workspace
from similia.errors import InputError, SourceError, UnknownItem

if TYPE_CHECKING:
    from similia.evaluate.formats.files import Path_

Unknown: TypeAlias = Literal["error", "skip", "keep"]

JUDGED: tuple[Source, ...] = ("cli", "page", "file")
"""The sources that are judgments; clicks are weaker, and only read where they are asked for."""
COLUMNS = ("query", "like", "sense", "item", "grade", "source", "time", "note")
SHOWN = 200


@dataclass(frozen=True)
class JudgeReport(Shown):
    """What became of judgments that were given.

    Attributes:
        added: that are new.
        replaced: that took the place of one of the same query, sense, item and source.
        skipped: that were left out, because their item is not in the collection.
        unknown: keys of items, and names of senses, that the collection does not have.
    """

    added: int
    replaced: int
    skipped: int
    unknown: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**vars(self), "unknown": list(self.unknown)}

    def _sheets(self) -> list[Sheet]:
        said = [("added", self.added), ("replaced", self.replaced), ("skipped", self.skipped)]
        title = "judgments: " + ", ".join(f"{count:,} {what}" for what, count in said if count or what == "added")
        left = "left out" if self.skipped else "kept, and count when they are there"
        note = f"not in the collection: {shown_keys(self.unknown)} ({left})" if self.unknown else ""
        return [Sheet((), [], title, note)]


class Judgments(Shown):
    """The judgments of a collection, in the order in which they were made; ``collection.judgments``.

    Of several about the same query, sense, item and source the latest is kept. Every call is one change: complete or
    not at all, in the log, and taken back by ``collection.undo()`` while it is the last.

    Examples:
        >>> import tempfile
        >>> from similia import Collection
        >>> rows = [{"id": "a", "title": "Ranking by fusion"}, {"id": "b", "title": "Tea"}]
        >>> with tempfile.TemporaryDirectory() as folder, Collection.open(folder + "/c", create=True) as shelf:
        ...     report = shelf.add(rows, key="id", text="title", encoder="hashing")
        ...     report = shelf.judgments.add("fused rankings", "a", 2)
        ...     report = shelf.judgments.add("fused rankings", "b", 0)
        ...     print(len(shelf.judgments), shelf.judgments.qrels())
        2 {'fused rankings': {'a': 2.0, 'b': 0.0}}
    """

    def __init__(self, space: Workspace) -> None:
        self._space = space

    # -- looking

    def __len__(self) -> int:
        return len(self._space.store.judgments())

    def __iter__(self) -> Iterator[Judgment]:
        return iter(self._space.store.judgments())

    def __repr__(self) -> str:
        judged = list(self)
        return f"Judgments({len(judged):,} of {len({(one.like, one.query) for one in judged}):,} queries)"

    def qrels(
        self,
        sense: str | None = None,
        *,
        sources: Several[str] | None = JUDGED,
        like: bool = False,
        missing: bool = False,
    ) -> dict[str, dict[str, float]]:
        """Query -> item -> grade, as `similia.evaluate` takes them.

        Where several hold for one query and item, one of the sense itself comes before one of any sense, and then the
        latest counts.

        Args:
            sense: only what was judged in this sense, or in any; None for all.
            sources: who said it, some of ``cli``, ``page``, ``file`` and ``click``; None for all.
            like: the queries that are keys of items, instead of those that are texts.
            missing: also about items that are not in the collection (now).
        """
        check_sources(() if sources is None else sources)
        found: dict[str, dict[str, float]] = {}
        with self._space.reading() as state:
            judged = [
                one
                for one in state.store.judgments(kind="like" if like else "text")
                if (sources is None or one.source in sources) and (sense is None or one.sense in (None, sense))
            ]
            gone = set() if missing else missing_from(state, judged)
        if sense is not None:
            judged.sort(key=lambda one: one.sense is not None)  # stable: what is of the sense comes last, and counts
        for one in judged:
            if not is_about(one, gone):
                found.setdefault(one.query, {})[one.item] = one.grade
        return found

    def queries(
        self, sense: str | None = None, *, sources: Several[str] | None = JUDGED, like: bool = False
    ) -> list[str]:
        """The queries that something in the collection is judged for, as in `qrels`."""
        return list(self.qrels(sense, sources=sources, like=like))

    def missing(self) -> list[Judgment]:
        """The judgments that do not count now: their item, or the item asked about, is not in the collection."""
        with self._space.reading() as state:
            judged = state.store.judgments()
            gone = missing_from(state, judged)
        return [one for one in judged if is_about(one, gone)]

    # -- changing

    def add(
        self,
        query: str | None,
        item: object,
        grade: float,
        *,
        like: object = None,
        sense: str | None = None,
        source: Source = "cli",
        note: str = "",
        unknown: Unknown = "error",
    ) -> JudgeReport:
        """Store one judgment.

        Args:
            query: the text that was asked, or None with ``like``.
            item: the key of the item that is judged.
            grade: at least 0; 0 is judged and no answer, more is better.
            like: the key of the item that was asked about, instead of a text.
            sense: in which the judgment holds; None for any.
            source: ``cli``, ``page``, ``click`` or ``file``.
            note: anything.
            unknown: for an item that is not in the collection: ``error`` stores nothing, ``skip`` leaves the judgment
                out, ``keep`` keeps it for when the item is added.

        Raises:
            InputError: no query or two, or a grade that is negative or no number.
            UnknownItem, UnknownSense: an item or sense that the collection does not have; names the nearest.
        """
        row = {"query": query, "like": like, "item": item, "grade": grade, "sense": sense, "note": note}
        return self.add_many([row], source=source, unknown=unknown)

    def add_many(
        self,
        judgments: Iterable[Given],
        *,
        source: Source = "cli",
        sense: str | None = None,
        unknown: Unknown = "error",
    ) -> JudgeReport:
        """Store many judgments, all or none.

        Args:
            judgments: `Judgment` objects, or mappings with ``query`` or ``like``, ``item``, ``grade``, and perhaps
                ``sense``, ``source`` and ``note``.
            source: of those that name none.
            sense: of those that name none.
            unknown: as in `add`.
        """
        made = [made_of(one, place, sense, source) for place, one in enumerate(judgments, 1)]
        return self._store(made, {"judgments": len(made), "queries": len({one.query for one in made})}, unknown)

    def add_file(
        self,
        path: Path_,
        *,
        queries: Path_ | Mapping[str, str] | None = None,
        format: str | None = None,
        split: str = "test",
        sense: str | None = None,
        unknown: Unknown = "error",
    ) -> JudgeReport:
        """Store the judgments of a file, all or none.

        Args:
            path: TREC qrels, CSV, TSV or JSON lines with ``query``, ``item`` and ``grade`` (and ``like``, ``sense``,
                ``source``, ``time`` and ``note`` where they are there, as `export` writes them), or a BEIR folder.
            queries: id -> text, or a file of it, where the judgments name queries by id; by default the
                ``queries.jsonl`` of a BEIR folder, or ``NAME.queries.tsv`` beside ``NAME.qrels``.
            format: see `similia.evaluate.formats.read_judgments`.
            split: of a BEIR folder.
            sense: of those that name none.
            unknown: as in `add`.

        Raises:
            SourceError: a line that is no judgment, or two that disagree; names the line.
        """
        from similia.evaluate.formats.judgments import judgment_lines

        texts = texts_of(Path(path), queries)
        made: dict[tuple[str, ...], tuple[Judgment, int]] = {}
        for line in judgment_lines(path, format=format, split=split):
            one = of_line(line, path, texts, sense)
            known, before = made.setdefault(one.about, (one, line.line))
            if known.grade != one.grade:
                raise SourceError(
                    f"item {one.item!r:.80} has the grade {one.grade:g} here and {known.grade:g} in line {before:,} "
                    "for the same query; leave one of them",
                    source=str(path),
                    line=line.line,
                )
        judged = [one for one, _ in made.values()]
        return self._store(judged, {"file": Path(path).name, "judgments": len(judged)}, unknown)

    def _store(self, judged: list[Judgment], arguments: Mapping[str, Any], unknown: Unknown) -> JudgeReport:
        if unknown not in ("error", "skip", "keep"):
            raise InputError(f"unknown {unknown!r} is not one of error, skip, keep")
        with self._space.store.change("judge", arguments) as change:
            with self._space.reading() as state:
                gone = missing_from(state, judged)
                if gone and unknown == "error":
                    raise UnknownItem(unknown_items(state, judged, gone))
                strange = {one.sense for one in judged if one.sense is not None and one.sense not in state.senses}
                if strange and unknown != "keep":
                    state.sense(min(strange))
            kept = judged if unknown == "keep" else [one for one in judged if not is_about(one, gone)]
            added = replaced = 0
            if kept:
                with change.transaction():
                    added, replaced = change.judge(timed(kept))
        return JudgeReport(added, replaced, len(judged) - len(kept), (*sorted(gone), *sorted(strange)))

    def remove(
        self,
        query: str | None = None,
        item: str | int | Iterable[object] | None = None,
        *,
        like: object = None,
        sense: str | None = None,
        source: str | None = None,
    ) -> int:
        """Remove the judgments for which everything that is given holds, and return how many there were.

        ``item`` is one key or several; the others are as in `add`.

        Raises:
            InputError: nothing is given, or a query and ``like``.
        """
        if query is not None and like is not None:
            raise InputError("query and like both say what was asked; give one of them")
        only = {"query": query if like is None else str(like), "sense": sense, "source": source}
        if query is not None or like is not None:
            only["kind"] = "text" if like is None else "like"
        given = {name: value.strip() if name == "query" else value for name, value in only.items() if value is not None}
        items = None if item is None else [str(item)] if isinstance(item, str | int) else [str(key) for key in item]
        if not given and items is None:
            raise InputError("say which judgments to remove: give a query, like, an item, a sense or a source")
        said = {name: value for name, value in given.items() if name not in ("kind", "query")}
        asked = {} if given.get("query") is None else {"query" if like is None else "like": given["query"]}
        with self._space.store.change("judge remove", {**asked, **said, "items": items}) as change:
            found = [one for one in self._space.store.judgments(**given) if items is None or one.item in items]
            if found:
                with change.transaction():
                    change.unjudge(found)
        return len(found)

    def session(
        self, query: str | None = None, *, like: object = None, sense: str | None = None, source: Source = "cli"
    ) -> JudgingSession:
        """Judge the items of one query one by one, as one change; see `JudgingSession`."""
        return JudgingSession(self._space, query, like, sense, source)

    # -- giving away

    def to_dicts(self) -> list[dict[str, Any]]:
        """One dict a judgment: query or like, sense, item, grade, source, time and note."""
        return [as_dict(one) for one in self]

    def _columns(self) -> dict[str, Any]:
        from similia.collection.tables import typed

        kinds = {"grade": "number", "time": "datetime"}
        rows = [_cells(one) for one in self]
        columns = {name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}
        columns["time"] = [time.partition("+")[0] for time in columns["time"]]  # UTC, as all times in tables
        return {name: typed(kinds.get(name, "text"), values) for name, values in columns.items()}

    def to_arrow(self) -> Any:
        """A ``pyarrow.Table`` with the columns of `to_dicts`; times in UTC."""
        from similia.collection.tables import to_arrow

        return to_arrow(self._columns())

    def to_pandas(self) -> Any:
        """The same as a ``pandas.DataFrame``."""
        from similia.collection.tables import to_pandas

        return to_pandas(self._columns())

    def to_polars(self) -> Any:
        """The same as a ``polars.DataFrame``."""
        from similia.collection.tables import to_polars

        return to_polars(self._columns())

    def export(self, path: Path_, *, format: str | None = None, sense: str | None = None) -> int:
        """Write the judgments to a file, and return how many.

        CSV, TSV and JSON lines hold everything, and `add_file` reads it again. TREC qrels hold what `qrels` gives for
        texts, of missing items too; their queries are numbered, and the texts stand in ``NAME.queries.tsv`` beside.

        Args:
            path: ends in .qrels, .csv, .tsv or .jsonl, also with .gz, .xz or .zst.
            format: ``trec``, ``csv``, ``tsv`` or ``jsonl``, instead of what the suffix says.
            sense: only what was judged in this sense, or in any; None for all.
        """
        from similia.evaluate.formats.files import writing
        from similia.evaluate.formats.judgments import SUFFIXES
        from similia.evaluate.formats.queries import write_queries
        from similia.evaluate.formats.tables import format_to_write, write_rows

        target = Path(path)
        kind = format_to_write(target, format, {**SUFFIXES, ".tsv": "tsv"}, ("trec", "csv", "tsv", "jsonl"))
        if kind == "trec":
            from similia.evaluate.formats.judgments import write_judgments

            qrels = self.qrels(sense, missing=True)
            names = {query: f"q{place}" for place, query in enumerate(qrels, 1)}
            write_queries({name: query for query, name in names.items()}, beside(target), format="tsv")
            return write_judgments({names[query]: one for query, one in qrels.items()}, target, format="trec")
        with writing(target) as stream:
            kept = [_cells(one) for one in self if sense is None or one.sense in (None, sense)]
            return write_rows(stream, kind, COLUMNS, kept)

    def _sheets(self) -> list[Sheet]:
        return [sheet(list(self), len(self.missing()))]


def _cells(one: Judgment) -> tuple[Any, ...]:
    """A judgment as a row of `COLUMNS`."""
    asked = (None, one.query) if one.like else (one.query, None)
    return (*asked, one.sense, one.item, one.grade, one.source, one.time, one.note or None)


def as_dict(one: Judgment) -> dict[str, Any]:
    """A judgment as plain JSON."""
    return dict(zip(COLUMNS, _cells(one), strict=True))


def sheet(judged: Sequence[Judgment], gone: int = 0) -> Sheet:
    """A table of judgments, the last `SHOWN`; ``gone`` of them are about items that are not in the collection."""
    rows = [
        [f"like {one.query}" if one.like else one.query, one.item, one.grade, one.sense or "any", one.source, one.note]
        for one in judged[-SHOWN:]
    ]
    queries = len({(one.like, one.query) for one in judged})
    parts = [f"{len(judged):,} judgments of {queries:,} queries"]
    parts += [f"the last {SHOWN} are shown"] if len(judged) > SHOWN else []
    parts += [f"{gone:,} do not count until the items that they name are in the collection"] if gone else []
    return Sheet(("query", "item", "grade#", "sense", "source", "note"), rows, note=" · ".join(parts))
