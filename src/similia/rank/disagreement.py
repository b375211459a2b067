"""What one view finds and another does not: hard negatives, and training pairs without any labels.

Where two views disagree about a query whose answer is known, what the one finds and the other leaves out is nearly
right and wrong: a hard negative. Where no answer is known, a piece of an item stands for a query: the item, without
that piece, is its answer.

Source: Steffens, "vstash: Local-First Hybrid Retrieval with Adaptive Fusion for LLM Agents" (arXiv 2604.15484, 2026).
Published, the piece stays in the item, so that full text is right trivially, and the queries and judgments of the test
are mined; here the piece is dropped, and what is mined is yours to choose.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from similia.errors import InputError
from similia.types import Bool, Hits, Int64

Piece: TypeAlias = Literal["sentence", "words"]
SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[^\sa-z])|\n+")


@dataclass(frozen=True, eq=False)
class Disagreement:
    """Triples of a query, an item that answers it, and a hard negative, all int64 or bool (t,).

    Attributes:
        queries: rows of the hits.
        positives: ids.
        negatives: ids.
        from_a: True where only view a found the negative, False where only view b did.
        differs: bool (q,), whether the two lists of a query hold different items at all.
    """

    queries: Int64
    positives: Int64
    negatives: Int64
    from_a: Bool
    differs: Bool

    def __len__(self) -> int:
        return int(self.queries.size)

    @property
    def rate(self) -> float:
        """The share of the queries on which the views disagree; 0 where there are none."""
        return float(self.differs.mean()) if self.differs.size else 0.0


def mine_disagreement(
    hits_a: Hits,
    hits_b: Hits,
    positives: Int64 | Sequence[int] | Sequence[Collection[int]],
    *,
    top: int = 10,
    each: int | None = None,
) -> Disagreement:
    """Items that one view has among its first and the other has not, as hard negatives of each positive.

    Args:
        hits_a: of any view: dense, full text, another encoder, a fusion that leans to one of them.
        hits_b: of another view, for the same queries.
        positives: ids (q,), one a query, -1 for none; or for each query its ids.
        top: how many hits of each view are compared.
        each: how many negatives each view gives a query, its first ones; all where None.

    Raises:
        InputError: numbers of queries that differ, or a number out of range.

    Examples:
        >>> mined = mine_disagreement(Hits([[4, 7, 9]], [[3, 2, 1]]), Hits([[4, 9, 2]], [[3, 2, 1]]), [9])
        >>> mined.negatives.tolist(), mined.from_a.tolist(), mined.rate
        ([7, 2], [True, False], 1.0)
    """
    if len(hits_a) != len(hits_b) or len(positives) != len(hits_a):
        raise InputError(
            f"hits of {len(hits_a)} and {len(hits_b)} queries, positives of {len(positives)}; "
            "all three must be of the same queries"
        )
    if top < 1 or (each is not None and each < 1):
        raise InputError(f"top is {top!r} and each {each!r}; each must be at least 1")
    triples: list[tuple[int, int, int, bool]] = []
    differs = np.zeros(len(hits_a), np.bool_)
    for row, given in enumerate(positives):
        right = sorted({int(item) for item in (given if isinstance(given, Collection) else (given,))} - {-1})
        lists = [_found(hits, row, top) for hits in (hits_a, hits_b)]
        differs[row] = {*lists[0]} != {*lists[1]}
        for mine, other, from_a in ((lists[0], lists[1], True), (lists[1], lists[0], False)):
            alone = [item for item in mine if item not in {*other, *right}][:each]
            triples += [(row, item, negative, from_a) for item in right for negative in alone]
    triples.sort(key=lambda triple: (triple[0], triple[1]))  # stable: negatives of a come first, best first
    table = np.array(triples, np.int64).reshape(-1, 4)
    return Disagreement(table[:, 0], table[:, 1], table[:, 2], table[:, 3].astype(np.bool_), differs)


@dataclass(frozen=True)
class PseudoQuery:
    """A piece of an item as a query, and the item without it.

    Attributes:
        item: position of the item.
        query: the piece.
        rest: the item's text without it.
    """

    item: int
    query: str
    rest: str


def pseudo_queries(
    texts: Sequence[str], *, piece: Piece = "sentence", words: int = 30, least: int = 4, seed: int = 0
) -> list[PseudoQuery]:
    """One query an item, made of its own text, which is dropped from the item.

    Args:
        texts: of the items.
        piece: ``sentence`` takes a sentence by chance; ``words`` the first ones.
        words: how many words a query has at most; of a longer sentence, the first ones, and the whole is dropped.
        least: how many words the query and the rest have at least; an item that cannot give them gives no query.
        seed: of the choice of sentences; same seed, same queries.

    Raises:
        InputError: an unknown piece, or a number below 1.

    Examples:
        >>> made = pseudo_queries(["Cats purr when they are content. Dogs bark at strangers by night."], words=4)
        >>> made[0].query, made[0].rest
        ('Dogs bark at strangers', 'Cats purr when they are content.')
    """
    if piece not in get_args(Piece):
        raise InputError(f"piece {piece!r} is unknown; there are {', '.join(get_args(Piece))}")
    if min(words, least) < 1:
        raise InputError(f"words is {words!r} and least {least!r}; each must be at least 1")
    random = np.random.default_rng(seed)
    made = []
    for place, text in enumerate(texts):
        draw = float(random.random())  # one an item, so that no item's query depends on the texts before it
        parts = text.split() if piece == "words" else [part.strip() for part in SENTENCE.split(text)]
        if piece == "words":
            query, rest = " ".join(parts[:words]), " ".join(parts[words:])
        else:
            usable = [at for at, part in enumerate(parts) if len(part.split()) >= least]
            if not usable:
                continue
            chosen = usable[int(draw * len(usable))]
            query = " ".join(parts[chosen].split()[:words])
            rest = " ".join(part for at, part in enumerate(parts) if at != chosen and part)
        if min(len(query.split()), len(rest.split())) >= least:
            made.append(PseudoQuery(place, query, rest))
    return made


def _found(hits: Hits, row: int, top: int) -> list[int]:
    """The first different ids of a query, best first."""
    return [*dict.fromkeys(int(item) for item in hits.ids[row] if item >= 0)][:top]
