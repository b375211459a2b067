"""What a cross fusion learns from: tokens of queries and items, and which tokens answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.fusing.block import Batch
from similia.rank.fusing.tokens import as_spans
from similia.types import Bool, Float32, Int64, MultiVector


@dataclass(frozen=True, eq=False)
class Pairs:
    """What is learnt from, checked."""

    queries: MultiVector
    items: MultiVector
    asked: Float32  # (q, d), means of the tokens
    known: Float32  # (n, d)
    own: Int64  # (q,)
    spans: Int64  # (q, 2)
    topics: Int64  # (n,)

    def parted(self, holdout: float, random: np.random.Generator) -> tuple[Int64, Int64]:
        """Pairs to learn from and pairs that are held out, whole topics at a time."""
        topic = self.topics[self.own]
        names = np.unique(topic)
        held = np.isin(topic, random.permutation(names)[: int(holdout * names.size)])
        if held.all():
            raise InputError(f"there are {topic.size} queries, which leaves none to learn from")
        return np.flatnonzero(~held), np.flatnonzero(held)

    def batch(self, rows: Int64) -> Batch:
        """Their token vectors, filled up with zeros."""
        queries, asked = padded(self.queries, rows)
        items, there = padded(self.items, self.own[rows])
        place, spans = np.arange(items.shape[1]), self.spans[rows]
        return Batch(queries, asked, items, there, (place >= spans[:, :1]) & (place < spans[:, 1:]))


def padded(tokens: MultiVector, rows: Int64) -> tuple[Float32, Bool]:
    """Tokens of some texts (m, t, d), zeros where one has fewer, and which there are (m, t)."""
    lengths = np.diff(tokens.offsets)[rows]
    there = np.arange(lengths.max(initial=0)) < lengths[:, None]
    vectors = np.zeros((*there.shape, tokens.vectors.shape[1]), np.float32)
    for place, row in enumerate(rows.tolist()):
        vectors[place, : lengths[place]] = tokens.vectors[tokens.offsets[row] : tokens.offsets[row + 1]]
    return vectors, there


def means(tokens: MultiVector, side: str) -> Float32:
    """The mean of each text's tokens, (n, d)."""
    lengths = np.diff(tokens.offsets)
    if (lengths == 0).any():
        raise InputError(f"{side} {int(np.argmin(lengths))} has no tokens; each text must have a word at least")
    if not lengths.size:
        return np.empty((0, tokens.vectors.shape[1]), np.float32)
    sums = np.add.reduceat(tokens.vectors, tokens.offsets[:-1], axis=0)
    return np.asarray(sums / lengths[:, None].astype(np.float32))


def targets_of(given: npt.ArrayLike, lengths: Int64) -> Int64:
    """Spans of tokens, (q, 2), each with a token at least and within its item, which has ``lengths`` (q,) tokens.

    Raises:
        InputError: otherwise.
    """
    spans = as_spans(given, "targets")
    if len(spans) != len(lengths):
        raise InputError(f"targets has {len(spans)} spans; expected {len(lengths)}, one a query")
    wrong = (spans[:, 0] < 0) | (spans[:, 0] >= spans[:, 1]) | (spans[:, 1] > lengths)
    if wrong.any():
        place = int(np.argmax(wrong))
        raise InputError(
            f"target {place} is {tuple(spans[place].tolist())}; it must be a span of at least one of the "
            f"{lengths[place]} tokens of its item"
        )
    return spans
