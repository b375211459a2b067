"""Queries and judgments for an evaluation, brought together and checked before anything is asked."""

from __future__ import annotations

import math
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

from similia.errors import InputError, SourceError
from similia.evaluate.judged import Qrels

Path_: TypeAlias = str | os.PathLike[str]
NAMED = 3


@dataclass(frozen=True)
class Coverage:
    """What of the queries and judgments that were given is part of the numbers.

    Attributes:
        asked: queries that were given.
        judged: queries for which there are judgments.
        judgments: of the queries that are measured.
        without_judgments: queries that nobody judged; they are not asked.
        without_text: queries that are judged, and whose text is not given.
        without_relevant: queries for which nothing is relevant; they are asked, and are in no mean.
        unknown: judged items that the collection does not hold.
        dropped: whether those are left out; else they count as missed where they are relevant.
        filtered: judged relevant items, counted once a query, that the filter keeps out; they count as missed.
    """

    asked: int
    judged: int
    judgments: int
    without_judgments: tuple[str, ...] = ()
    without_text: tuple[str, ...] = ()
    without_relevant: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    dropped: bool = False
    filtered: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: counts, and the first few names."""
        lists = ("without_judgments", "without_text", "without_relevant", "unknown")
        return {
            **{name: value for name, value in vars(self).items() if name not in lists},
            **{name: {"count": len(names := getattr(self, name)), "first": list(names[:10])} for name in lists},
        }

    def notes(self) -> list[str]:
        """What a reader has to know, one sentence each."""
        said = []
        if self.without_judgments:
            said.append(f"{_are(self.without_judgments, 'query', 'queries')} not judged and not asked")
        if self.without_text:
            said.append(f"{_are(self.without_text, 'judged query', 'judged queries')} left out, having no text here")
        if self.without_relevant:
            said.append(f"{_are(self.without_relevant, 'query', 'queries')} in no mean, for nothing is relevant")
        if self.unknown:
            what = "left out" if self.dropped else "counted as missed where relevant (--drop-unknown leaves them out)"
            said.append(f"{_are(self.unknown, 'judged item', 'judged items')} not in the collection: {what}")
        if self.filtered:
            said.append(f"the filter keeps {self.filtered:,} relevant items out, which count as missed")
        return said


@dataclass(frozen=True)
class Material:
    """What is asked and what is wanted.

    Attributes:
        texts: query -> text, those that are judged.
        qrels: query -> item -> grade, of these.
        coverage: what was left out.
    """

    texts: Mapping[str, str]
    qrels: Qrels
    coverage: Coverage = field(repr=False)


def queries_of(given: Mapping[str, str] | Sequence[str] | Path_ | None) -> dict[str, str] | None:
    """Query -> text, from a mapping, a list of texts or a file; None where nothing is given.

    Raises:
        InputError: a text that is blank or no text, or no query at all.

    Examples:
        >>> queries_of(["rank fusion"])
        {'rank fusion': 'rank fusion'}
    """
    if given is None:
        return None
    if isinstance(given, str | os.PathLike):
        from similia.evaluate.formats import read_queries

        found = read_queries(given)
        if not found:
            raise SourceError("holds no query; topics are id, tab, text, one a line", source=str(given))
        return found
    pairs = given.items() if isinstance(given, Mapping) else ((one, one) for one in given)
    texts: dict[str, Any] = {str(name): text for name, text in pairs}
    for name, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise InputError(f"query {name!r:.80} is {text!r:.80}; it must be a text that is not blank")
    if not texts:
        raise InputError("there is no query; give at least one")
    return texts


def checked(qrels: Mapping[Any, Mapping[Any, float]]) -> dict[str, dict[str, float]]:
    """Judgments whose names are strings and whose grades are numbers.

    Raises:
        InputError: a grade that is none, or not finite.

    Examples:
        >>> checked({1: {7: 2}})
        {'1': {'7': 2.0}}
    """
    found: dict[str, dict[str, float]] = {}
    for query, one in qrels.items():
        grades = found[str(query)] = {}
        for item, grade in one.items():
            try:
                number = float(grade)
            except (TypeError, ValueError):
                number = math.nan
            if not math.isfinite(number):
                raise InputError(f"query {query!r:.80}, item {item!r:.80}: the grade {grade!r:.80} is no finite number")
            grades[str(item)] = number
    return found


def judgments_of(path: Path_, texts: Mapping[str, str] | None) -> tuple[dict[str, str] | None, Qrels]:
    """The judgments of a file, and the texts of its queries where they are given, beside it or in it.

    Raises:
        SourceError: a line that is no judgment, or there is none.
    """
    from similia.collection.judging_input import texts_of
    from similia.evaluate.formats import read_judgments
    from similia.evaluate.formats.judgments import judgment_lines

    qrels = read_judgments(path)
    if not qrels:
        raise SourceError("holds no judgment; TREC judgments are query, 0, item, grade, one a line", source=str(path))
    known = texts_of(Path(path), texts)
    if known is None:
        inside = {line.name: line.query for line in judgment_lines(path) if line.query is not None}
        known = inside or None
    return None if known is None else dict(known), qrels


def material(
    texts: Mapping[str, str] | None,
    qrels: Qrels,
    *,
    limit: int | None = None,
    held: Container[str] | None = None,
    passing: Container[str] | None = None,
    drop_unknown: bool = False,
    relevant_from: float | None = None,
    name: str = "",
) -> Material:
    """Bring queries and judgments together.

    Args:
        texts: query -> text; where None, the queries of the judgments are texts themselves.
        qrels: query -> item -> grade.
        limit: only so many of the queries, the first.
        held: the judged items that the collection holds; where None, all of them are taken to be there.
        passing: those of them that pass the filter; where None, there is none.
        drop_unknown: leave judgments of items out that are not held.
        relevant_from: the grade from which an item is relevant; above 0 where None.
        name: of the collection, for messages.

    Raises:
        InputError: no query is judged, none of the judged items is held, or nothing is relevant.
    """
    if not qrels:
        raise InputError("there are no judgments, so there is nothing to measure by")
    asked = {query: query for query in qrels} if texts is None else texts
    both = [query for query in asked if qrels.get(query)]
    if not both:
        raise InputError(
            f"none of the {len(asked):,} queries is judged: they are called {_some(asked)}, and the judged ones "
            f"{_some(qrels)}; both must use the same names"
        )
    both = both[:limit]
    judged = list(dict.fromkeys(item for query in both for item in qrels[query]))
    unknown = () if held is None else tuple(item for item in judged if item not in held)
    if unknown and len(unknown) == len(judged):
        raise InputError(
            f"none of the {len(judged):,} judged items is in collection {name!r}; they are called {_some(judged)}: "
            f"judgments name items by their keys, which similia search {name} shows"
        )
    gone = set(unknown) if drop_unknown else set()
    kept = {query: {item: grade for item, grade in qrels[query].items() if item not in gone} for query in both}
    absent = set(unknown)
    least = math.ulp(0) if relevant_from is None else relevant_from
    relevant = {query: [item for item, grade in one.items() if grade >= least] for query, one in kept.items()}
    if not any(relevant.values()):
        grades = "above 0" if relevant_from is None else f"of at least {relevant_from:g}"
        raise InputError(f"no query has a relevant item, one with a grade {grades}, so there is nothing to measure")
    filtered = 0
    if passing is not None:
        filtered = sum(item not in absent and item not in passing for one in relevant.values() for item in one)
    coverage = Coverage(
        asked=len(asked),
        judged=sum(bool(one) for one in qrels.values()),
        judgments=sum(map(len, kept.values())),
        without_judgments=tuple(query for query in asked if not qrels.get(query)),
        without_text=tuple(query for query, one in qrels.items() if one and query not in asked),
        without_relevant=tuple(query for query, items in relevant.items() if not items),
        unknown=unknown,
        dropped=drop_unknown,
        filtered=filtered,
    )
    return Material({query: asked[query] for query in both}, kept, coverage)


def _are(names: Sequence[str], one: str, many: str) -> str:
    count = len(names)
    return f"{count:,} {one if count == 1 else many} ({_some(names)}) {'is' if count == 1 else 'are'}"


def _some(names: Mapping[str, Any] | Sequence[str]) -> str:
    """The first few names, and that there are more."""
    shown = ", ".join(name if len(name) <= 40 else name[:39] + "…" for name in islice(names, NAMED))
    return shown + (", ..." if len(names) > NAMED else "")
