"""Search: two views of the items, dense and text, and their fusion, all from one state of the collection."""

from __future__ import annotations

import operator
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.collection.asked import UNLIKE, Question
from similia.collection.corrected import biases_of, nearest_items
from similia.collection.definition import Definition
from similia.collection.store import SenseRow
from similia.collection.vectors import Allowed
from similia.collection.words import rarest
from similia.collection.workspace import State
from similia.errors import InputError
from similia.types import Float32, Hits, Int64, as_vectors

Float64: TypeAlias = npt.NDArray[np.float64]

MOST = 10_000
POOL = 1_000
"""How deep each view is asked in a hybrid search; four times deeper each time that a page reaches a quarter of it,
so that the pages of one search are pages of one ranking."""
TERMS = 30
"""How many of an item's rarest words stand for it in the text view."""


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
        self.wanted, self.unwanted = (state.ids(keys) for keys in (asked.like, asked.unlike))
        self.own = np.unique(np.concatenate([self.wanted, self.unwanted]))  # they are not looked for
        self.fields = definition.searched(state.fields)
        self.allowed: Allowed | None = None
        if self.predicate is not None:
            self.allowed = state.select(self.predicate)
        ids = None if self.allowed is None else self.allowed.ids
        own = self.own.size if ids is None else int(np.isin(self.own, ids).sum())
        self.total = (row.count if ids is None else ids.size) - own
        self.reach = min(reach, max(self.total, 0))
        self.notes: list[str] = []
        self.vector: Float32 | None = None  # where it was made together with those of other queries
        self.nearest: Hits | None = None  # what the dense view gives, where it was searched with others
        self.standing: tuple[Float64, Float64] | None = None  # mean and deviation of its cosines, likewise

    def depth(self) -> int:
        """How deep the dense view is asked."""
        return pool_size(self.reach, self.total) if self.mode == "hybrid" else self.reach

    def run(self) -> tuple[Hits, dict[str, Hits], dict[str, float]]:
        """The hits up to ``reach``, those of each view, and the weights of the views."""
        vector = self.as_vector() if self.mode != "text" else None
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
        from similia.rank import blend

        assert vector is not None
        pool = self.depth()
        dense, text = self._dense(vector, pool), self._text(pool)
        if not (text.ids >= 0).any():
            self.notes.append("no item holds a word of the query")
        if self.standing is None:
            self.standing = standing_of(self.state, self.row, vector)
        mean, deviation = self.standing
        found = blend(dense, text, self.reach, mean=mean, deviation=deviation, depth=POOL)
        by_meaning, by_words = found.weights[0].tolist()
        return found.hits, {"dense": dense, "text": text}, {"dense": by_meaning, "text": by_words}

    def as_vector(self) -> Float32 | None:
        """The query as a vector (1, d) of the sense; None where hybrid search has to do without."""
        if self.vector is not None and self.vector.any():
            return self.vector
        asked = self.asked
        parts: list[tuple[Float32, float]] = []
        if asked.vector is not None:
            parts.append((as_vectors(asked.vector, name="the query vector", dimension=self.row.dimension), 1.0))
        if asked.texts:
            encoder = self.state.space.encoder_of(self.row)
            if encoder is None:
                self._without_vector(
                    f"sense {self.row.name!r} has vectors that were given and no encoder for text",
                    "search with a vector, with like= the key of an item, or with mode='text'; or name the encoder "
                    "when vectors are added",
                )
                return None
            made = encoder.encode([text for text, _ in asked.texts], side="query").vectors
            parts += [(vector[None], weight) for vector, (_, weight) in zip(made, asked.texts, strict=True)]
        vectors = self.state.vectors(self.row)
        for ids, weight in ((self.wanted, 1.0), (self.unwanted, UNLIKE)):
            parts += [(vector[None], weight) for vector in vectors.of(ids)]
        if len(parts) == 1:
            vector = parts[0][0]
        else:
            from similia.rank import ComposedQuery

            there = any(weight > 0 and vector.any() for vector, weight in parts)
            vector = ComposedQuery(parts).vector()[None] if there else np.zeros((1, self.row.dimension), np.float32)
        if vector.any():
            self.vector = vector
            return vector
        self._without_vector(
            "the query has no vector", f"its vector in sense {self.row.name!r} is all zeros and points nowhere"
        )
        return None

    def _without_vector(self, why: str, hint: str) -> None:
        """Go on in full text alone, and note why.

        Raises:
            InputError: vectors alone were to be searched, or there is no text.
        """
        if self.mode == "dense" or not self.asked.worded:
            raise InputError(f"{why}: {hint}")
        self.notes.append(f"{why}: searched in full text alone")

    def _has_text(self) -> bool:
        """Whether there is text to search with and to search in; notes why not."""
        if not self.asked.worded:
            self.notes.append("a vector was given: searched by vectors alone")
        elif not self.fields:
            self.notes.append(f"sense {self.row.name!r} reads no text field: searched by vectors alone")
        return self.asked.worded and bool(self.fields)

    def _dense(self, vector: Float32, k: int) -> Hits:
        return self.nearest_to(vector, k) if self.nearest is None else self.nearest

    def nearest_to(self, vector: Float32, k: int) -> Hits:
        """The nearest items that may be found, by cosine, corrected for hubness where the sense is."""
        how: dict[str, Any] = {"allowed": self.allowed, "recall": self.recall, "deep": self.mode == "dense"}
        if self.own.size == 1:
            how["without"] = int(self.own[0])
        more = 0 if "without" in how else self.own.size
        hits, note = nearest_items(self.state, self.row, vector, k + more, **how)
        if note and note not in self.notes:
            self.notes.append(note)
        return _without(hits, self.own, k) if more else hits

    def _text(self, k: int) -> Hits:
        if not self.fields:
            raise InputError(
                f"sense {self.row.name!r} reads no text or category field, so there is no full text to search: "
                "use mode='dense', or add a sense with text fields"
            )
        texts = [text for text, weight in self.asked.texts if weight > 0]
        texts += [rarest(self.state, int(item), self.fields, TERMS) for item in self.wanted]
        hits = self.state.store.text_search(
            " ".join(texts), k + self.own.size, fields=self.fields, where=self.predicate
        )
        return _without(hits, self.own, k)


def standing_of(state: State, row: SenseRow, vectors: Float32) -> tuple[Float64, Float64]:
    """Mean and deviation of the scores of queries (q, d) with all items of the sense, (q,) both."""
    mean, deviation = state.vectors(row).background.scores(vectors)
    biases, _ = biases_of(state, row)
    if biases is not None and biases.subtracted.size:
        mean = mean - float(biases.subtracted.mean())
    return mean, deviation


def _without(hits: Hits, items: Int64, k: int) -> Hits:
    kept = ~np.isin(hits.ids[0], items)
    return Hits(hits.ids[:, kept][:, :k], hits.scores[:, kept][:, :k])
