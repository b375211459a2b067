"""Queries to measure with: those that are given, or a few words in a row out of the items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from similia.collection.definition import Definition
from similia.collection.store import SenseRow
from similia.collection.words import text_of
from similia.collection.workspace import State
from similia.errors import InputError
from similia.types import Float32, as_vectors

PHRASES = 800
"""Half of them to tune on, half to report on."""
WORDS = (1, 6)
"""From how many to how many words such a phrase has."""


def asked_of(state: State, row: SenseRow, queries: Sequence[str] | npt.ArrayLike | None) -> Float32 | None:
    """The queries as vectors (q, d); None where none are given and the sense has no encoder to make some with.

    Raises:
        InputError: texts for a sense without an encoder, or vectors that do not fit.
    """
    texts = _texts(queries)
    if texts is None and queries is not None:
        return as_vectors(queries, name="queries", dimension=row.dimension)
    encoder = state.space.encoder_of(row)
    if encoder is None:
        if texts is None:
            return None
        raise InputError(f"sense {row.name!r} has vectors that were given and no encoder for text: give vectors")
    texts = phrases(state, row)[0] if texts is None else texts
    if len(texts) < 4 and queries is None:
        return None
    vectors = encoder.encode(texts, side="query").vectors
    return vectors[vectors.any(axis=1)]


def _texts(queries: object) -> list[str] | None:
    if isinstance(queries, str):
        raise InputError("queries are one string; give a list of texts, or vectors")
    if isinstance(queries, Sequence) and queries and all(isinstance(one, str) for one in queries):
        return [str(one) for one in queries]
    return None


def phrases(state: State, row: SenseRow) -> tuple[list[str], list[int]]:
    """A few words in a row out of items drawn at random, as somebody might type them, and the ids of the items."""
    rng = np.random.default_rng(0)
    ids = state.vectors(row).all()[0]
    drawn = rng.choice(ids, min(PHRASES, ids.size), replace=False)
    fields, found, items = Definition.read(row.definition).fields, list[str](), list[int]()
    for item, record in zip(drawn.tolist(), state.store.records(drawn), strict=True):
        words = text_of(record, fields).split()
        if words:
            start = int(rng.integers(len(words)))
            found.append(" ".join(words[start : start + int(rng.integers(*WORDS, endpoint=True))]))
            items.append(item)
    return found, items
