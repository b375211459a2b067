"""LIMIT: how many combinations of documents single vectors can serve, and texts that show where they end.

Free vectors, optimised without any text (at most 6,000 steps); LIMIT-small, 46 documents and 1,000 queries; and two
collections made alike of its names and things, 1,000 documents and 500 queries each: dense (as in LIMIT) and disjoint;
and disjoint ones of 46 documents and 23 queries with lists of 5, 15 and 45 things, in the mean over 5 seeds.
Systems: the bundled encoder by single vectors and by token vectors, BM25 of the full text, and the rank fusion of both.
The quick sample takes up to 4 dimensions, 200 queries, and 150 documents with 75 queries.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from similia.atlas.hybrid import find
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import TokenEncoder, load
from similia.errors import ModelError
from similia.evaluate import datasets
from similia.evaluate.capacity import all_combinations, critical_n, free_embedding_capacity
from similia.evaluate.combinatorial import combinatorial_dataset
from similia.evaluate.datasets import RetrievalDataset
from similia.evaluate.relevance import RelevanceGraph
from similia.index import ExactIndex
from similia.index.multivector import MultiVectorIndex
from similia.rank import fuse
from similia.types import Hits

INFO = SystemInfo(
    number=49,
    name="LIMIT",
    title="The capacity of single-vector retrieval: free embeddings, and a data set that reaches it",
    paper="Weller, Boratko, Naim and Lee, On the Theoretical Limitations of Embedding-Based Retrieval "
    "(arXiv 2508.21038, 2025)",
    status="complete; the full set of 50,000 documents is not at hand",
    rooms=("encode", "index", "measure", "collection", "rank", "evaluate"),
    claims=(
        "The number of items that d dimensions serve in all pairs grows with d as published",
        "Single vectors fail where answers are combined densely and words do not; where they are disjoint both succeed",
        "More dimensions of the same vectors find more",
        "Token vectors do better than single vectors",
        "Fusing vectors and words repairs most of it",
        "Its judgments are entangled as published, and no usual collection's are",
    ),
    data=("limit_small", "cranfield", "nfcorpus"),
)
STEPS = 6_000
PUBLISHED = {4: (7, 11), 6: (18, 21), 8: (26, 30)}
LENGTHS = (32, 64, 128, 384)
DEPTHS = (2, 10)
LISTS = (5, 15, 45)
"""Things that a document names, where 46 documents answer 23 queries, each with two of its own."""
DEEP = 46


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    small = datasets.retrieval("limit_small")
    if settings.quick:
        small = first(small, 200)
    names = [text.split(" likes ")[0].strip() for text in small.documents]
    things = sorted(
        {thing for text in small.documents for thing in text.rstrip(". \n").split(" likes ")[1].split(", ")}
    )
    documents, queries = (150, 75) if settings.quick else (1_000, 500)
    people = [f"{one.split()[0]} {other.split()[-1]}" for one in names for other in names]
    made = {
        pattern: combinatorial_dataset(
            pattern, list(dict.fromkeys(people)), things, queries=queries, documents=documents, seed=settings.seed
        )
        for pattern in ("dense", "disjoint")
    }
    limit = systems(small, settings)
    others = {pattern: systems(made[pattern], settings, tokens=False) for pattern in made}
    for likes in LISTS:
        few = [
            combinatorial_dataset("disjoint", names, things, queries=23, documents=46, likes=likes, seed=seed)
            for seed in range(settings.seed, settings.seed + 5)
        ]
        rows = [systems(data, settings, tokens=False) for data in few]
        others[f"disjoint, 46 documents of {likes}"] = {
            view: {n: float(np.mean([row[view][n] for row in rows])) for n in DEPTHS} for view in ("vectors", "text")
        }
    return [
        capacity(settings),
        stress(limit, others),
        truncated(small, settings),
        claim(
            4,
            INFO.claims[3],
            "recall@2 of token vectors on LIMIT-small >= that of single vectors + .15",
            limit["tokens"][2] >= limit["vectors"][2] + 0.15,
            measured=named("tokens", limit["tokens"]),
            baseline=named("vectors", limit["vectors"]),
        ),
        claim(
            5,
            INFO.claims[4],
            "recall@2 of reciprocal rank fusion on LIMIT-small >= .85",
            limit["fused"][2] >= 0.85,
            measured={**named("fused", limit["fused"]), **named("fused by scores", limit["fused by scores"])},
            baseline={**named("vectors", limit["vectors"]), **named("text", limit["text"])},
            note="ranks hide that one view is sure and the other is guessing; scores, brought to one range, do not",
        ),
        entangled(),
    ]


def first(data: RetrievalDataset, count: int) -> RetrievalDataset:
    """The same with fewer queries."""
    kept = data.query_ids[:count]
    qrels = {query: data.qrels[query] for query in kept}
    return RetrievalDataset(data.name, data.document_ids, data.documents, kept, data.queries[:count], qrels)


def systems(data: RetrievalDataset, settings: Settings, *, tokens: bool = True) -> dict[str, dict[int, float]]:
    """Recall by depth of each system."""
    views = find(data.documents, data.queries, DEEP, progress=settings.progress)
    runs = {"vectors": views.dense, "text": views.text, "fused": fuse([views.dense, views.text], DEEP)}
    runs["fused by scores"] = fuse([views.dense, views.text], DEEP, method="score")
    if tokens:
        model = load("minilm")
        if not isinstance(model, TokenEncoder):
            raise ModelError(f"{model.name} gives no vectors of tokens; an encoder with encode_tokens is needed")
        index = MultiVectorIndex(model.encode_tokens(data.documents))
        runs["tokens"] = index.search(model.encode_tokens(data.queries, side="query"), DEEP)
    return {name: {n: recall(data, hits, n) for n in DEPTHS} for name, hits in runs.items()}


def recall(data: RetrievalDataset, hits: Hits, n: int) -> float:
    """The share of the relevant documents that are among the first n, by query, in the mean."""
    position = {key: place for place, key in enumerate(data.document_ids)}
    shares = []
    for query, ids in zip(data.query_ids, hits.ids, strict=True):
        wanted = [position[key] for key, grade in data.qrels[query].items() if grade > 0]
        shares.append(np.isin(wanted, ids[:n]).mean())
    return float(np.mean(shares))


def named(name: str, row: Mapping[int, float]) -> dict[str, float]:
    """Recalls as numbers of a claim."""
    return {f"{name}, recall@{n}": value for n, value in row.items()}


def flat(sets: Mapping[str, Mapping[str, Mapping[int, float]]]) -> dict[str, float]:
    """Recalls of both views of several collections as numbers of a claim."""
    return {
        f"{where}, {name}": value
        for where, rows in sets.items()
        for view in ("vectors", "text")
        for name, value in named(view, rows[view]).items()
    }


def capacity(settings: Settings) -> Claim:
    """Claim 1."""
    tried: Sequence[int] = (2, 3, 4) if settings.quick else (2, 3, 4, 5, 6, 8)
    most = {d: critical_n(d, steps=STEPS, most=40, seeds=(42,)).items for d in tried}
    values = list(most.values())
    solved = free_embedding_capacity(all_combinations(46, 2), 12, steps=STEPS).solved
    return claim(
        1,
        INFO.claims[0],
        "it rises with each d; 7 to 11 at 4, 18 to 21 at 6, 26 to 30 at 8; 12 dimensions serve 46",
        all(a < b for a, b in pairwise(values))
        and all(low <= most[d] <= high for d, (low, high) in PUBLISHED.items() if d in most)
        and solved,
        measured={**{f"d {d}": n for d, n in most.items()}, "d 12 serves 46": solved},
        baseline={
            f"d {d}, published fit": -10.5322 + 4.0309 * d + 0.0520 * d**2 + 0.0037 * d**3 for d in tried if d > 3
        },
        note=f"at most {STEPS:,} steps from one start: more can only raise the numbers",
    )


def stress(limit: dict[str, dict[int, float]], others: dict[str, dict[str, dict[int, float]]]) -> Claim:
    """Claim 2."""
    disjoint = others["disjoint"]
    dense = {"LIMIT-small": limit, "dense": others["dense"]}
    rest = {pattern: rows for pattern, rows in others.items() if pattern != "dense"}
    return claim(
        2,
        INFO.claims[1],
        "recall@2 on LIMIT-small: vectors < .40, text > .90; on disjoint answers both > .90",
        limit["vectors"][2] < 0.40 and min(limit["text"][2], disjoint["vectors"][2], disjoint["text"][2]) > 0.90,
        measured=flat(dense),
        baseline=flat(rest),
        note="dense and disjoint have equally many documents, queries and things, and the same texts otherwise: what "
        "this encoder cannot do is hold a list of 45 things, however they are combined",
    )


def truncated(small: RetrievalDataset, settings: Settings) -> Claim:
    """Claim 3."""
    model = load("minilm")
    items = encode(model, small.documents, progress=settings.progress)
    queries = encode(model, small.queries, side="query", progress=settings.progress)
    found = {d: recall(small, ExactIndex(items[:, :d].copy()).search(queries[:, :d].copy(), 10), 10) for d in LENGTHS}
    values = list(found.values())
    return claim(
        3,
        INFO.claims[2],
        "recall@10 on LIMIT-small rises with the first 32, 64, 128, 384 values of the vectors",
        all(a < b for a, b in pairwise(values)),
        measured={f"d {d}, recall@10": value for d, value in found.items()},
        baseline={"chance, recall@10": 10 / len(small.documents)},
        note="the encoder was not trained to be cut short",
    )


def entangled() -> Claim:
    """Claim 6."""
    graphs = {name: RelevanceGraph.of(datasets.retrieval(name).qrels) for name in INFO.data}
    ours, usual = graphs["limit_small"], [graphs[name] for name in INFO.data[1:]]
    return claim(
        6,
        INFO.claims[5],
        "density .0855 and strength 28.47, to .0005 and .05; strength of Cranfield and NFCorpus below half of that",
        abs(ours.density - 0.0855) <= 5e-4
        and abs(ours.strength - 28.47) <= 0.05
        and all(graph.strength < ours.strength / 2 for graph in usual),
        measured={"density": ours.density, "strength": ours.strength},
        baseline={
            f"{name}, {kind}": getattr(graphs[name], kind) for name in INFO.data[1:] for kind in ("density", "strength")
        },
    )
