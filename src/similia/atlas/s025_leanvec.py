"""LeanVec: vectors are projected with the queries in mind, then quantised, and few candidates are scored again.

6,767 abstracts of cs.IR papers, in vectors of the bundled encoder. Queries are titles (3,000 to learn from, 2,000
others to measure on) and, further from the items, two rare words of an abstract. The query-aware maps are those of the
authors' Frank-Wolfe search unless another is named. The quick sample takes 1,500 papers.
"""

from __future__ import annotations

from collections import Counter

import numpy as np

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.s046_vstash import query_of, tokens
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.index import ExactIndex
from similia.index.project import Projection, fit_leanvec, relative_loss
from similia.index.project.leanvec import Method
from similia.index.quantise import lvq
from similia.measure import neighbour_recall
from similia.types import Float32, Int64

INFO = SystemInfo(
    number=25,
    name="LeanVec",
    title="Vectors shortened by linear maps that are learnt from items and queries, for a faster first look",
    paper="Tepper, Bhati, Aguerrebere, Hildebrand and Willke, LeanVec: Searching vectors faster by making them fit "
    "(TMLR 2024, arXiv 2312.16335)",
    status="complete; the speed of a graph over the short vectors is measured by the benchmarks of the index",
    rooms=("encode", "index", "evaluate"),
    claims=(
        "Maps that know the queries lose less of unseen inner products than principal components",
        "So they find at least 2 points more before any re-rank",
        "The unconstrained optimum loses no more than the authors' search, and that no more than principal components",
        "Re-ranking 50 candidates makes the difference small",
        "8-bit codes of the short vectors find nearly as much",
        "Where the queries are like the items, they find as much as principal components",
        "For queries further from the items the gain is 2 points or more",
    ),
    data=("papers_ir",),
)
LENGTHS = (32, 64, 128)
METHODS: tuple[Method, ...] = ("id", "eigen", "frank-wolfe", "sphering")
OURS: Method = "frank-wolfe"


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    random = np.random.default_rng(settings.seed)
    papers = list(datasets.records("papers_ir"))
    if settings.quick:
        papers = [papers[i] for i in np.sort(random.choice(len(papers), 1_500, replace=False))]
    abstracts = [str(paper["abstract"]) for paper in papers]
    order = random.permutation(len(papers))
    train, test = order[: 3 * len(order) // 5][:3_000], order[3 * len(order) // 5 :][:2_000]
    model = load("minilm")
    items = encode(model, abstracts, progress=settings.progress)
    frequency = Counter(word for text in abstracts for word in {*tokens(text)})
    texts = {
        "titles": [str(paper["title"]) for paper in papers],
        "words": [query_of("keywords", "", text, frequency) or "paper" for text in abstracts],
    }
    kinds = {kind: encode(model, given, side="query", progress=settings.progress) for kind, given in texts.items()}
    loss: dict[str, float] = {}
    found: dict[str, float] = {}
    reranked: dict[str, float] = {}
    coded: dict[str, float] = {}
    for kind, queries in kinds.items():
        truth = ExactIndex(items, metric="dot").search(queries[test], 10).ids
        for d in LENGTHS:
            for method in METHODS:
                projection = fit_leanvec(items, d, queries[train], method=method, metric="dot")
                name = f"{method}, d {d}, {kind}"
                loss[name] = relative_loss(projection, items, queries[test])
                ranked = search(projection, items, queries[test], 50)
                found[name], reranked[name] = neighbour_recall(ranked[:, :10], truth), neighbour_recall(ranked, truth)
                if method == OURS:
                    coded[name] = neighbour_recall(search(projection, items, queries[test], 10, coded=True), truth)
    return [
        lost(loss),
        recalled(found, 2, "titles"),
        ordered(loss),
        after_rerank(reranked),
        quantised(coded, found),
        in_distribution(items, test, train),
        recalled(found, 7, "words"),
    ]


def search(projection: Projection, items: Float32, queries: Float32, k: int, *, coded: bool = False) -> Int64:
    """Positions (q, k) of the best items by the projected vectors alone."""
    short = projection.items(items)
    if coded:
        short = lvq.encode(short, 8).decode()
    return ExactIndex(short, metric="dot").search(projection.queries(queries), k).ids


def shown(values: dict[str, float], method: str, kind: str = "") -> dict[str, float]:
    """The numbers of one method."""
    return {name: value for name, value in values.items() if name.startswith(method) and name.endswith(kind)}


def lost(loss: dict[str, float]) -> Claim:
    """Claim 1."""
    return claim(
        1,
        INFO.claims[0],
        "share of squared inner products lost <= .9 of that of principal components at 32, 64 and 128, for titles",
        all(loss[f"{OURS}, d {d}, titles"] <= 0.9 * loss[f"id, d {d}, titles"] for d in LENGTHS),
        measured={**shown(loss, OURS), **shown(loss, "eigen"), **shown(loss, "sphering")},
        baseline=shown(loss, "id"),
        note="on queries that were not learnt from",
    )


def recalled(found: dict[str, float], number: int, kind: str) -> Claim:
    """Claims 2 and 7."""
    return claim(
        number,
        INFO.claims[number - 1],
        f"recall@10 without re-rank >= that of principal components + .02 at 64 and 128, for {kind}",
        all(found[f"{OURS}, d {d}, {kind}"] >= found[f"id, d {d}, {kind}"] + 0.02 for d in (64, 128)),
        measured={name: value for method in METHODS[1:] for name, value in shown(found, method, kind).items()},
        baseline=shown(found, "id", kind),
    )


def ordered(loss: dict[str, float]) -> Claim:
    """Claim 3."""
    chains = [
        [loss[f"{method}, d {d}, {kind}"] for method in ("sphering", OURS, "id")]
        for d in LENGTHS
        for kind in ("titles", "words")
    ]
    return claim(
        3,
        INFO.claims[2],
        "loss of sphering <= of Frank-Wolfe <= of principal components, at each length, for titles and words",
        all(a <= b <= c for a, b, c in chains),
        measured={"largest, sphering / Frank-Wolfe": max(a / b for a, b, _ in chains)},
        baseline={"largest, Frank-Wolfe / principal components": max(b / c for _, b, c in chains)},
        note="of unseen queries; the numbers are those of claim 1",
    )


def after_rerank(reranked: dict[str, float]) -> Claim:
    """Claim 4."""
    gaps = [reranked[f"{OURS}, d {d}, titles"] - reranked[f"id, d {d}, titles"] for d in (64, 128)]
    return claim(
        4,
        INFO.claims[3],
        "recall@10 after re-ranking 50 within .01 of that of principal components at 64 and 128, for titles",
        all(abs(gap) <= 0.01 for gap in gaps),
        measured={**shown(reranked, OURS), **shown(reranked, "sphering")},
        baseline=shown(reranked, "id"),
    )


def quantised(coded: dict[str, float], found: dict[str, float]) -> Claim:
    """Claim 5."""
    return claim(
        5,
        INFO.claims[4],
        "recall@10 of 8-bit codes >= that of float32 - .005 at each length; d + 8 bytes instead of 1,536",
        all(coded[name] >= found[name] - 0.005 for name in coded),
        measured=coded,
        baseline=shown(found, OURS),
    )


def in_distribution(items: Float32, test: Int64, train: Int64) -> Claim:
    """Claim 6: abstracts ask for abstracts."""
    rest = np.delete(items, test, axis=0)
    truth = ExactIndex(rest, metric="dot").search(items[test], 10).ids
    found = {}
    for d in (64, 128):
        for method in METHODS:
            projection = fit_leanvec(rest, d, items[train], method=method, metric="dot")
            found[f"{method}, d {d}"] = neighbour_recall(search(projection, rest, items[test], 10), truth)
    return claim(
        6,
        INFO.claims[5],
        "recall@10 >= that of principal components - .01 at 64 and 128",
        all(found[f"{OURS}, d {d}"] >= found[f"id, d {d}"] - 0.01 for d in (64, 128)),
        measured={**shown(found, OURS), **shown(found, "sphering")},
        baseline=shown(found, "id"),
        note="abstracts as queries for other abstracts",
    )
