"""From the hits of a search to the answer: cut where relevance ends, re-ranked, with what speaks for each hit."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection.asked import question
from similia.collection.definition import Definition
from similia.collection.results import Results, Stage, View, displayed, empty
from similia.collection.searching import MOST, Search, check_recall, whole_number
from similia.collection.words import text_of
from similia.collection.workspace import State, Workspace
from similia.errors import InputError
from similia.types import Float32, Hits, Int64

if TYPE_CHECKING:
    from similia.collection.cutting import Cut
    from similia.rank import Evidence, Judge

READ = 20
"""Hits that are re-ranked."""
DEEPER = 4
"""So many times more hits are looked at where some of them will be left out."""


@dataclass(frozen=True)
class Wishes:
    """What is to be done with the hits of a search.

    Attributes:
        least: the least probability of relevance, or None to cut nothing.
        judge: who re-ranks the first hits, or None.
        read: how many of them.
        evidence: how many sentences are to speak for each hit.

    Raises:
        InputError: a number out of range.
    """

    least: float | None = None
    judge: Judge | None = None
    read: int = READ
    evidence: int = 0

    def __post_init__(self) -> None:
        if self.least is not None and not 0 <= self.least <= 1:
            raise InputError(f"min_relevance is {self.least}; it is a probability, 0 to 1")
        whole_number("rerank_top", self.read, 1, MOST)
        whole_number("evidence", self.evidence, 0, 100)

    def reach(self, wanted: int) -> int:
        """How many hits are needed for results up to place ``wanted``."""
        deeper = DEEPER * wanted if self.least is not None else wanted
        return max(deeper, self.read if self.judge is not None else 0)


def wishes(space: Workspace, least: float | None, rerank: Judge | str | None, read: int, evidence: int) -> Wishes:
    """Checked wishes; ``rerank`` is a judge or names one, see `similia.collection.reranking.judge_of`."""
    judge = None
    if rerank is not None:
        from similia.collection.reranking import judge_of

        judge = judge_of(space, rerank)
    return Wishes(least, judge, read, evidence)


def search(
    space: Workspace,
    query: object = None,
    *,
    like: object = None,
    unlike: object = None,
    sense: str = "topic",
    mode: str = "hybrid",
    where: str | None = None,
    k: int = 10,
    offset: int = 0,
    recall: float | None = None,
    min_relevance: float | None = None,
    rerank: Judge | str | None = None,
    rerank_top: int = READ,
    evidence: int = 0,
) -> Results:
    """See `similia.collection.Collection.search`."""
    started = time.perf_counter()
    asked = question(query, like, unlike, where, mode)
    k, offset = whole_number("k", k, 1, MOST), whole_number("offset", offset, 0)
    check_recall(recall)
    wanted = wishes(space, min_relevance, rerank, rerank_top, evidence)
    with space.reading() as state:
        if not state.senses and state.store.count() == 0 and not asked.like:
            seconds = time.perf_counter() - started
            return empty(sense, mode, k, offset, query=asked.text, seconds=seconds, note="the collection is empty")
        row = state.ready(sense)
        reach = wanted.reach(offset + k)
        found = Search(state, row, Definition.read(row.definition), asked, mode, reach, where, recall)
        hits, views, weights = found.run()
        return answer(found, hits, views, weights, k, offset, started, wanted)


def answer(
    found: Search,
    hits: Hits,
    views: dict[str, Hits],
    weights: dict[str, float],
    k: int,
    offset: int,
    started: float,
    wanted: Wishes,
) -> Results:
    """What users get for a search: keys, items, ranks and scores; ``started`` is a time of ``perf_counter``."""
    state, asked = found.state, found.asked
    stages: list[Stage] = []
    left: Cut | None = None
    if wanted.least is not None:
        from similia.collection.cutting import cut

        left = cut(found, hits, wanted.least)
        hits = left.hits
    if wanted.judge is not None:
        hits, stage = _reranked(found, hits, wanted)
        stages.append(stage)
    ids, scores = hits.ids[0, offset : offset + k], hits.scores[0, offset : offset + k]
    ids, scores = ids[ids >= 0], scores[ids >= 0]
    keys, items = state.store.keys(ids), state.store.records(ids)
    return Results(
        query=asked.text,
        like=asked.like[0] if len(asked.like) == 1 else list(asked.like) or None,
        unlike=list(asked.unlike),
        asked=asked.said(),
        sense=found.row.name,
        mode=found.mode,
        where=None if found.predicate is None else str(found.predicate),
        k=k,
        offset=offset,
        total=found.total,
        ids=ids,
        keys=keys,
        scores=scores,
        items=items,
        views={name: _view(view, ids) for name, view in views.items()},
        weights=weights,
        note="; ".join(found.notes),
        fields=state.fields,
        shown=_shown(state, found.definition, keys, items),
        seconds=time.perf_counter() - started,
        presence=None if left is None else left.presence,
        relevance=_relevance(left, ids),
        calibrated="" if left is None else left.said,
        stages=tuple(stages),
        evidence=_evidence(found, items, wanted.evidence) if wanted.evidence else None,
    )


def _reranked(found: Search, hits: Hits, wanted: Wishes) -> tuple[Hits, Stage]:
    """The first hits in the order of the judge."""
    from similia.rank import rerank_by_judge

    assert wanted.judge is not None
    ids = hits.ids[0, : wanted.read]
    ids = ids[ids >= 0]
    fields = found.definition.fields or tuple(found.state.fields)
    texts = {
        int(item): text
        for item, record in zip(ids, found.state.store.records(ids), strict=True)
        if (text := text_of(record, fields).strip())
    }
    asked = found.asked.text
    if not asked:
        record = found.state.store.records(found.wanted[:1])
        asked = text_of(record[0], fields) if record else ""
    if not asked:
        found.notes.append("not re-ranked: the query has no text that a judge could read")
        return hits, Stage("rerank", wanted.judge.name, 0, 0, 0, 0.0, 0)
    done = rerank_by_judge(wanted.judge, [asked], hits, texts, top=wanted.read, progress=False)
    found.notes += [f"re-ranking: {error}" for error in done.errors]
    tally = done.tally
    moved = int((done.moved[0] != 0).sum())
    stage = Stage("rerank", wanted.judge.name, tally.calls, tally.cached, tally.failures, tally.milliseconds, moved)
    return done.hits, stage


def _relevance(left: Cut | None, ids: Int64) -> Float32 | None:
    if left is None or left.relevance is None:
        return None
    return np.array([left.relevance[int(item)] for item in ids], np.float32)


def _evidence(found: Search, items: Sequence[dict[str, Any]], most: int) -> list[list[Evidence]]:
    """The sentences that speak for each item."""
    from similia.collection.evidence import located

    return located(found, items, most)


def _view(hits: Hits, ids: Int64) -> View:
    """The ranks and scores that a view gave to these items."""
    found = hits.ids[0][hits.ids[0] >= 0]
    order = np.argsort(found, kind="stable")
    places = np.minimum(np.searchsorted(found, ids, sorter=order), max(found.size - 1, 0))
    ranks: npt.NDArray[np.int64] = np.full(ids.size, -1, np.int64)
    scores = np.full(ids.size, -np.inf, np.float32)
    if found.size:
        places = order[places]
        there = found[places] == ids
        ranks[there], scores[there] = places[there] + 1, hits.scores[0][places[there]]
    return View(ranks, scores)


def _shown(
    state: State, definition: Definition, keys: Sequence[str], items: Sequence[dict[str, Any]]
) -> tuple[str, ...]:
    """The fields to show; one that only repeats the key is left out."""
    repeats = {
        name
        for name in state.fields
        if items and all(str(i.get(name)) == key for i, key in zip(items, keys, strict=True))
    }
    fields = {name: kind for name, kind in state.fields.items() if name not in repeats}
    return displayed(fields, definition.fields)
