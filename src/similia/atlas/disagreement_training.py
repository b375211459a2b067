"""Papers parted into those to learn from, to choose settings on, for the gate and to test; and training on them.

What is learned from has no labels: a sentence of an abstract is a query, and the abstract without it the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.atlas.registry import Settings
from similia.atlas.vectors import encode
from similia.encode import load
from similia.index import ExactIndex
from similia.rank.disagreement import Disagreement, PseudoQuery, pseudo_queries
from similia.rank.linear_head import LinearHead
from similia.types import Float32, Int64

TENTHS = (6, 1, 1)
"""Of the papers: to learn from, to choose settings on, for the gate; the others are for the test."""
NOISE = 1_000
"""Papers that were learned from, among which those of the gate are to be found."""
GOOD = {"rank": 64, "rate": 1e-4, "epochs": 5, "batch": 64}
"""Chosen on the second part."""
BAD = {"loss": "triplet", "rank": 64, "rate": 1e-2, "epochs": 3, "batch": 16}
"""The published negative baseline: the usual margin, small batches, and a hundred times the rate."""
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Part:
    """Pseudo-queries of some papers.

    Attributes:
        rows: of the papers.
        made: the pseudo-queries; ``item`` counts within ``rows``.
        queries: (t,) vectors of the pseudo-queries.
        rests: (t,) vectors of the papers without them.
    """

    rows: Int64
    made: list[PseudoQuery]
    queries: Float32
    rests: Float32


def parted(count: int, seed: int) -> list[Int64]:
    """Rows of the four parts."""
    order = np.random.default_rng([seed, 5]).permutation(count)
    return [np.sort(rows) for rows in np.split(order, np.cumsum(TENTHS) * count // 10)]


def part(rows: Int64, abstracts: Sequence[str], settings: Settings) -> Part:
    """The pseudo-queries of some papers, and all vectors."""
    made = pseudo_queries([abstracts[row] for row in rows.tolist()], seed=settings.seed)
    model = load("minilm")
    queries = encode(model, [pseudo.query for pseudo in made], side="query", progress=settings.progress)
    return Part(rows, made, queries, encode(model, [pseudo.rest for pseudo in made], progress=settings.progress))


def trained(learn: Part, mined: Disagreement, seed: int, **options: object) -> LinearHead:
    """A head that learned from mined triples."""
    head = LinearHead(seed=seed, **options)  # type: ignore[arg-type]
    return head.fit(learn.queries, learn.rests, mined.queries, mined.positives, mined.negatives)


def known_item(head: LinearHead | None, queries: Float32, items: Float32, wanted: Int64) -> Float64:
    """nDCG@10 of one right item a query, through a head or as the vectors are."""
    if head is not None:
        queries, items = head.transform(queries, side="query"), head.transform(items)
    place = ExactIndex(items).search(queries, 10).ids == wanted[:, None]
    gains: Float64 = place @ (1 / np.log2(np.arange(2, 12)))
    return gains


def among_noise(head: LinearHead | None, held: Part, noise: Float32) -> Float64:
    """nDCG@10 of the pseudo-queries of a part, among its papers and others."""
    return known_item(head, held.queries, np.concatenate([held.rests, noise]), np.arange(len(held.made)))
