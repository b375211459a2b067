"""Many searches at once: texts are encoded together, and vectors searched together, once for each different filter."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.collection.answering import READ, answer, wishes
from similia.collection.asked import question
from similia.collection.corrected import nearest_items
from similia.collection.definition import Definition
from similia.collection.results import Results
from similia.collection.searching import MOST, Search, check_recall, standing_of, whole_number
from similia.collection.workspace import State, Workspace
from similia.errors import InputError
from similia.progress import bar
from similia.types import Float32, Hits

if TYPE_CHECKING:
    from similia.rank import Judge

TOGETHER = 1_024
"""Queries of which the hits are held at a time; in a hybrid search there are a thousand or more of each."""


def search_many(
    space: Workspace,
    queries: Sequence[str] | npt.ArrayLike,
    *,
    sense: str = "topic",
    mode: str = "hybrid",
    where: str | Sequence[str | None] | None = None,
    k: int = 10,
    recall: float | None = None,
    min_relevance: float | None = None,
    rerank: Judge | str | None = None,
    rerank_top: int = READ,
    evidence: int = 0,
    progress: bool | None = None,
) -> list[Results]:
    """See `similia.collection.Collection.search_many`."""
    if isinstance(queries, str):
        raise InputError("queries are one string; give a list of texts, or vectors (q, d)")
    asked = [question(query, None, None, None, mode) for query in queries]  # type: ignore[union-attr]
    filters = [where] * len(asked) if where is None or isinstance(where, str) else list(where)
    if len(filters) != len(asked):
        raise InputError(f"where has {len(filters):,} filters for {len(asked):,} queries; give one for each, or one")
    k = whole_number("k", k, 1, MOST)
    check_recall(recall)
    wanted = wishes(space, min_relevance, rerank, rerank_top, evidence)
    reach = wanted.reach(k)
    found: list[Results] = []
    with bar("searching", len(asked), unit="queries", show=progress) as shown, space.reading() as state:
        for start in range(0, len(asked), TOGETHER):
            began = time.perf_counter()
            row = state.ready(sense)
            definition = Definition.read(row.definition)
            some = [
                Search(state, row, definition, one, mode, reach, passing, recall)
                for one, passing in zip(asked[start : start + TOGETHER], filters[start : start + TOGETHER], strict=True)
            ]
            _encode(state, some)
            _search(state, some)
            parts = [search.run() for search in some]
            each = (time.perf_counter() - began) / len(some)
            for search, part in zip(some, parts, strict=True):
                found.append(answer(search, *part, k, 0, time.perf_counter() - each, wanted))
                shown.advance()
    return found


def _encode(state: State, searches: Sequence[Search]) -> None:
    """Make the vectors of all texts in one go."""
    texts = [search for search in searches if search.mode != "text" and search.asked.vector is None]
    encoder = state.space.encoder_of(texts[0].row) if texts else None
    if encoder is not None:
        vectors = encoder.encode([search.asked.text for search in texts], side="query").vectors
        for search, vector in zip(texts, vectors, strict=True):
            search.vector = vector[None]


def _search(state: State, searches: Sequence[Search]) -> None:
    """Search the vectors of queries that have a filter and a depth in common in one go."""
    groups: dict[tuple[int, int], list[tuple[Search, Float32]]] = {}
    for search in searches:
        vector = search.vector if search.asked.vector is None else search.asked.vector
        if vector is not None and vector.any() and search.mode != "text" and search.reach:
            groups.setdefault((id(search.allowed), search.depth()), []).append((search, vector))
    for (_, depth), group in groups.items():
        first = group[0][0]
        batch = np.concatenate([vector for _, vector in group])
        how: dict[str, Any] = {"allowed": first.allowed, "recall": first.recall, "deep": first.mode == "dense"}
        hits, note = nearest_items(state, first.row, batch, depth, **how)
        standing = standing_of(state, first.row, batch)
        for place, (search, _) in enumerate(group):
            search.notes += [note] if note else []
            search.standing = standing[0][place : place + 1], standing[1][place : place + 1]
            search.nearest = Hits(hits.ids[place : place + 1], hits.scores[place : place + 1])
