"""Judgments as they are given, by hand or in a file, checked before anything is stored."""

from __future__ import annotations

import math
from collections.abc import Collection as Several
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np

from similia.collection.naming import nearest
from similia.collection.store.judgments import SOURCES, Judgment, Source
from similia.collection.workspace import State
from similia.errors import InputError, SourceError

if TYPE_CHECKING:
    from similia.evaluate.formats.files import Path_
    from similia.evaluate.formats.judgments import JudgmentLine

Given: TypeAlias = Judgment | Mapping[str, Any]
NAMED = 3
LOOKED_AT = 50_000
"""Among more items than these, keys that are nearly the same are not looked for."""
CELLS = ("query", "like", "item", "grade", "sense", "source", "note", "time")


def check_sources(sources: Iterable[object]) -> None:
    """Refuse what is no source.

    Raises:
        InputError: one that there is not, or one string instead of several.
    """
    if isinstance(sources, str):
        raise InputError(f"sources is {sources!r}; give several, as in [{sources!r}], of {', '.join(SOURCES)}")
    for source in sources:
        if source not in SOURCES:
            raise InputError(f"source {source!r} is not one of {', '.join(SOURCES)}")


def checked_grade(value: object, whose: str) -> float:
    """A finite number of at least 0.

    Raises:
        InputError: it is none.
    """
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    if not number or not 0 <= float(cast("float", value)) < math.inf:
        raise InputError(f"{whose} grade is {value!r:.80}; it must be a number of at least 0, and more is better")
    return float(cast("float", value))


def made_of(given: Given, place: int, sense: str | None, source: str) -> Judgment:
    """A judgment that was given as an object or a mapping, with defaults for its sense and source.

    Raises:
        InputError: what it lacks or what cannot be; says which judgment, counted from 1.
    """
    whose = f"judgment {place:,}: the"
    row: Mapping[str, Any]
    if isinstance(given, Judgment):
        asked = {"like": given.query} if given.like else {"query": given.query}
        row = {**{name: value for name, value in vars(given).items() if name not in ("query", "like")}, **asked}
    elif isinstance(given, Mapping):
        row = given
    else:
        raise InputError(f"judgment {place:,} is {type(given).__name__}; give a mapping with query, item and grade")
    if odd := [name for name in row if name not in CELLS]:
        raise InputError(f"judgment {place:,} has {odd[0]!r:.80}; a judgment has {', '.join(CELLS)}")
    query, like = row.get("query"), row.get("like")
    if (query is None) == (like is None):
        raise InputError(f"judgment {place:,} needs a query, a text, or like, the key of an item; one of the two")
    if query is not None and (not isinstance(query, str) or not query.strip()):
        raise InputError(f"{whose} query is {query!r:.80}; it must be a text that is not blank")
    if row.get("item") is None or "grade" not in row:
        raise InputError(f"judgment {place:,} needs an item and a grade")
    named = row.get("source") or source
    check_sources([named])
    return Judgment(
        str(like) if query is None else query.strip(),
        str(row["item"]),
        checked_grade(row["grade"], whose),
        row.get("sense") or sense,
        cast("Source", named),
        str(row.get("note") or ""),
        query is None,
        str(row.get("time") or ""),
    )


def of_line(line: JudgmentLine, path: Path_, texts: Mapping[str, str] | None, sense: str | None) -> Judgment:
    """The judgment of a line of a file.

    Args:
        line: of the file.
        path: of the file.
        texts: id -> text of the queries that are named by id; None where there are none.
        sense: where the line names none.

    Raises:
        SourceError: a query without a text, or a cell that cannot be; names the line.
    """
    query = line.query
    if query is None and line.like is None:
        if texts is None:
            said = f"names its query by the id {line.query_id!r:.80}: give the texts of the queries (--queries FILE)"
            raise SourceError(said, source=str(path), line=line.line)
        query = texts.get(str(line.query_id))
        if query is None:
            said = f"query {line.query_id!r:.80} is not among the texts{nearest(str(line.query_id), texts)}"
            raise SourceError(said, source=str(path), line=line.line)
    cells = {name: line.more.get(name) for name in ("sense", "source", "note", "time")}
    asked = {"query": query} if query is not None else {"like": line.like}
    try:
        if odd := [name for name, value in cells.items() if not isinstance(value, str | None)]:
            raise InputError(f"the {odd[0]} is {cells[odd[0]]!r:.80}, not text")
        time = _moment(cells["time"])
        return made_of({**cells, **asked, "item": line.item, "grade": line.grade, "time": time}, 1, sense, "file")
    except InputError as error:
        raise SourceError(str(error).removeprefix("judgment 1: "), source=str(path), line=line.line) from None


def _moment(text: str | None) -> str:
    if not text:
        return ""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"the time {text!r:.80} is not a date and time, as in 2026-02-28T12:30:00+00:00") from None
    return _written(moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC))


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat("T", "milliseconds")


def timed(judged: Iterable[Judgment]) -> list[Judgment]:
    """The judgments with the time now, where they have none."""
    now = _written(datetime.now(UTC))
    return [one if one.time else replace(one, time=now) for one in judged]


def texts_of(path: Path, queries: Path_ | Mapping[str, str] | None) -> Mapping[str, str] | None:
    """The texts of queries by id: as given, or from a file, or from where they stand for a file of judgments."""
    from similia.evaluate.formats import read_queries

    if isinstance(queries, Mapping):
        return queries
    if queries is not None:
        return read_queries(queries)
    if path.is_dir():
        return read_queries(path)
    return read_queries(beside(path)) if beside(path).is_file() else None


def beside(path: Path) -> Path:
    """Where the texts of the queries of a TREC file stand.

    Examples:
        >>> beside(Path("test.qrels.gz")).name
        'test.queries.tsv'
    """
    from similia.evaluate.formats.files import PACKED

    plain = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return plain.with_suffix(".queries.tsv")


def missing_from(state: State, judged: Sequence[Judgment]) -> set[str]:
    """The keys of items that judgments name and that the collection does not have."""
    keys = list({one.item for one in judged} | {one.query for one in judged if one.like})
    return {keys[place] for place in np.flatnonzero(state.store.ids(keys) < 0).tolist()}


def is_about(one: Judgment, keys: Several[str]) -> bool:
    """Whether a judgment is of one of these items, or asks about one."""
    return one.item in keys or (one.like and one.query in keys)


def unknown_items(state: State, judged: Sequence[Judgment], gone: Several[str]) -> str:
    """What to say of judgments about items that are not in the collection: how many, which, and what was meant."""
    count = sum(is_about(one, gone) for one in judged)
    pool = state.store.keys(state.store.select(None)) if state.store.count() <= LOOKED_AT else []
    named = []
    for key in sorted(gone)[:NAMED]:
        hint = nearest(key, pool).removeprefix("; ").rstrip("?")
        named.append(f"{key!r:.80}" + (f" ({hint}?)" if hint else ""))
    more = f" and {len(gone) - NAMED:,} more" if len(gone) > NAMED else ""
    if len(judged) == 1:
        what, them, items = "the judgment is about an item", "it", "item is"
    else:
        what, them, items = f"{count:,} of {len(judged):,} judgments are about items", "them", "items are"
    return (
        f"{what} that collection {state.space.name!r} does not have: {', '.join(named)}{more}; nothing was stored: "
        f"keep {them} for when the {items} added, or skip {them} (--unknown keep|skip)"
    )


def shown_keys(keys: Sequence[str]) -> str:
    """Keys for a sentence, the first few."""
    more = f" and {len(keys) - NAMED:,} more" if len(keys) > NAMED else ""
    return ", ".join(keys[:NAMED]) + more
