"""Search: two views of the items, dense and text, and their fusion, all from one state of the collection."""

from __future__ import annotations

import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.definition import Definition
from similia.collection.naming import nearest
from similia.collection.results import Results, View, displayed, empty
from similia.collection.store import SenseRow
from similia.collection.vectors import Allowed
from similia.collection.words import rarest
from similia.collection.workspace import State, Workspace
from similia.errors import InputError
from similia.types import Float32, Hits, Int64, as_vectors

MODES = ("hybrid", "dense", "text")
MOST = 10_000
POOL = 1_000
"""How deep each view is asked in a hybrid search; four times deeper each time that a page reaches a quarter of it,
so that the pages of one search are pages of one ranking."""
PRIOR = (0.2, 0.0)
"""How much meaning and words are trusted before a query's scores are looked at; see `steepness_weights`."""
TERMS = 30
"""How many of an item's rarest words stand for it in the text view."""


@dataclass(frozen=True)
class Question:
    """What is searched for, checked: exactly one of ``text``, ``vector`` and ``like``."""

    text: str = ""
    vector: Float32 | None = None
    like: str | None = None


def question(query: object, like: object, where: object, mode: str) -> Question:
    """Check what a search asks for.

    Raises:
        InputError: nothing or two things are asked for, a blank text, an unknown mode, a filter that is no string.
    """
    if mode not in MODES:
        raise InputError(f"mode {mode!r} is not one of {', '.join(MODES)}{nearest(str(mode), MODES)}")
    if where is not None and not isinstance(where, str):
        raise InputError(f'where is of type {type(where).__name__}; a filter is a string such as "year >= 2020"')
    if (query is None) == (like is None):
        many = "both are given" if query is not None else "neither is given"
        raise InputError(f"search takes a query (text or a vector) or like= (the key of an item); {many}")
    if like is not None:
        return Question(like=str(like))
    if isinstance(query, str):
        if not query.strip():
            raise InputError("the query is blank: give some words, or like= the key of an item")
        return Question(text=query.encode(errors="replace").decode())
    vector = as_vectors(query, name="the query vector")  # type: ignore[arg-type]
    if len(vector) != 1:
        raise InputError(f"the query holds {len(vector)} vectors; search takes one, of shape (d,)")
    if mode == "text":
        raise InputError("a vector cannot be looked up in full text: leave mode out, or give the query as text")
    if not vector.any():
        raise InputError("the query vector is all zeros and points nowhere")
    return Question(vector=vector)


def whole_number(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as an int within limits.

    Raises:
        InputError: it is no whole number, or beyond the limits.
    """
    limit = f"at least {least}" if most is None else f"from {least} to {most:,}"
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{name} is {value!r}; it must be a whole number {limit}") from None
    if number < least or (most is not None and number > most):
        raise InputError(f"{name} is {number:,}; it must be {limit}")
    return number


def check_recall(recall: float | None) -> None:
    """Refuse what is no share of what is to be found; None is the target of the index."""
    if recall is not None and not 0 < recall <= 1:
        raise InputError(f"recall is {recall}; it must be above 0 and at most 1")


def pool_size(reach: int, count: int) -> int:
    """How many hits each view gives to the fusion, for results up to place ``reach`` among ``count`` items.

    Examples:
        >>> pool_size(10, 100_000), pool_size(251, 100_000), pool_size(10, 50)
        (1000, 4000, 50)
    """
    size = POOL
    while size < 4 * reach:
        size *= 4
    return min(size, count)


def search(
    space: Workspace,
    query: object = None,
    *,
    like: object = None,
    sense: str = "topic",
    mode: str = "hybrid",
    where: str | None = None,
    k: int = 10,
    offset: int = 0,
    recall: float | None = None,
) -> Results:
    """See `similia.collection.Collection.search`."""
    started = time.perf_counter()
    asked = question(query, like, where, mode)
    k, offset = whole_number("k", k, 1, MOST), whole_number("offset", offset, 0)
    check_recall(recall)
    with space.reading() as state:
        if not state.senses and state.store.count() == 0 and asked.like is None:
            seconds = time.perf_counter() - started
            return empty(sense, mode, k, offset, query=asked.text, seconds=seconds, note="the collection is empty")
        row = state.ready(sense)
        search_ = Search(state, row, Definition.read(row.definition), asked, mode, offset + k, where, recall)
        hits, views, weights = search_.run()
        return results_of(search_, hits, views, weights, k, offset, started)


class Search:
    """One search: what both views need, and what was found out on the way."""

    def __init__(
        self,
        state: State,
        row: SenseRow,
        definition: Definition,
        asked: Question,
        mode: str,
        reach: int,
        where: str | None,
        recall: float | None,
    ) -> None:
        self.recall = recall
        self.state, self.row, self.definition, self.asked = state, row, definition, asked
        self.mode = mode
        self.predicate = state.predicate(where)
        self.itself = None if asked.like is None else int(state.ids([asked.like])[0])
        self.fields = definition.searched(state.fields)
        self.allowed: Allowed | None = None
        if self.predicate is not None:
            self.allowed = state.select(self.predicate)
        ids = None if self.allowed is None else self.allowed.ids
        own = self.itself is not None and (ids is None or bool((ids == self.itself).any()))
        self.total = (row.count if ids is None else ids.size) - own
        self.reach = min(reach, max(self.total, 0))
        self.notes: list[str] = []
        self.vector: Float32 | None = None  # where it was made together with those of other queries
        self.nearest: Hits | None = None  # what the dense view gives, where it was searched with others

    def depth(self) -> int:
        """How deep the dense view is asked."""
        return pool_size(self.reach, self.total) if self.mode == "hybrid" else self.reach

    def run(self) -> tuple[Hits, dict[str, Hits], dict[str, float]]:
        """The hits up to ``reach``, those of each view, and the weights of the views."""
        vector = self._vector() if self.mode != "text" else None
        if self.mode == "hybrid" and vector is None:
            self.mode = "text"
        if self.mode == "hybrid" and not self._has_text():
            self.mode = "dense"
        if self.reach < 1:
            names = ("dense", "text") if self.mode == "hybrid" else (self.mode,)
            return Hits.empty(1, 0), dict.fromkeys(names, Hits.empty(1, 0)), dict.fromkeys(names, 1.0)
        if self.mode == "dense":
            assert vector is not None
            hits = self._dense(vector, self.reach)
            return hits, {"dense": hits}, {"dense": 1.0}
        if self.mode == "text":
            hits = self._text(self.reach)
            return hits, {"text": hits}, {"text": 1.0}
        from similia.rank import fuse, steepness_weights

        assert vector is not None
        pool = self.depth()
        views = {"dense": self._dense(vector, pool), "text": self._text(pool)}
        if not (views["text"].ids >= 0).any():
            self.notes.append("no item holds a word of the query")
        found = list(views.values())
        weights = steepness_weights(found, prior=PRIOR, depth=POOL)
        hits = fuse(found, self.reach, method="score", weights=weights, depth=POOL)
        return hits, views, dict(zip(views, weights[0].tolist(), strict=True))

    def _vector(self) -> Float32 | None:
        """The query as a vector of the sense; None where hybrid search has to do without."""
        if self.vector is not None and self.vector.any():
            return self.vector
        if self.asked.vector is not None:
            return as_vectors(self.asked.vector, name="the query vector", dimension=self.row.dimension)
        if self.itself is not None:
            vector = self.state.vectors(self.row).of(np.array([self.itself], np.int64))
        else:
            encoder = self.state.space.encoder_of(self.row)
            if encoder is None:
                hint = f"sense {self.row.name!r} has vectors that were given and no encoder for text"
                if self.mode == "dense":
                    raise InputError(
                        f"{hint}: search with a vector, with like= the key of an item, or with mode='text'; "
                        "or name the encoder when vectors are added"
                    )
                self.notes.append(f"{hint}: searched in full text alone")
                return None
            vector = encoder.encode([self.asked.text], side="query").vectors
        if vector.any():
            return vector
        if self.mode == "dense":
            raise InputError(f"the vector of the query in sense {self.row.name!r} is all zeros and points nowhere")
        self.notes.append("the query has no vector: searched in full text alone")
        return None

    def _has_text(self) -> bool:
        """Whether there is text to search with and to search in; notes why not."""
        if self.asked.vector is not None:
            self.notes.append("a vector was given: searched by vectors alone")
        elif not self.fields:
            self.notes.append(f"sense {self.row.name!r} reads no text field: searched by vectors alone")
        return self.asked.vector is None and bool(self.fields)

    def _dense(self, vector: Float32, k: int) -> Hits:
        if self.nearest is not None:
            return self.nearest
        vectors = self.state.vectors(self.row)
        return vectors.search(vector, k, allowed=self.allowed, without=self.itself, recall=self.recall)

    def _text(self, k: int) -> Hits:
        if not self.fields:
            raise InputError(
                f"sense {self.row.name!r} reads no text or category field, so there is no full text to search: "
                "use mode='dense', or add a sense with text fields"
            )
        if self.itself is None:
            return self.state.store.text_search(self.asked.text, k, fields=self.fields, where=self.predicate)
        text = rarest(self.state, self.itself, self.fields, TERMS)
        hits = self.state.store.text_search(text, k + 1, fields=self.fields, where=self.predicate)
        return _without(hits, self.itself, k)


def _without(hits: Hits, item: int, k: int) -> Hits:
    kept = hits.ids[0] != item
    return Hits(hits.ids[:, kept][:, :k], hits.scores[:, kept][:, :k])


def results_of(
    search_: Search, hits: Hits, views: dict[str, Hits], weights: dict[str, float], k: int, offset: int, started: float
) -> Results:
    """What users get for a search: keys, items, ranks and scores; ``started`` is a time of ``perf_counter``."""
    state, asked = search_.state, search_.asked
    ids, scores = hits.ids[0, offset : offset + k], hits.scores[0, offset : offset + k]
    ids, scores = ids[ids >= 0], scores[ids >= 0]
    keys, items = state.store.keys(ids), state.store.records(ids)
    return Results(
        query=asked.text,
        like=asked.like,
        sense=search_.row.name,
        mode=search_.mode,
        where=None if search_.predicate is None else str(search_.predicate),
        k=k,
        offset=offset,
        total=search_.total,
        ids=ids,
        keys=keys,
        scores=scores,
        items=items,
        views={name: _view(view, ids) for name, view in views.items()},
        weights=weights,
        note="; ".join(search_.notes),
        fields=state.fields,
        shown=_shown(state, search_.definition, keys, items),
        seconds=time.perf_counter() - started,
    )


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
