"""MUVERA: sets of token vectors are searched through one long vector each, and few of them compared token by token.

2,500 abstracts of cs.IR papers as documents and 400 titles as queries, in token vectors of the bundled encoder (384
dimensions, about 203 and 12 a text). The truth is the exact Chamfer similarity of all pairs. Filling and centring are
chosen on 200 other titles. Baseline: the mean of the token vectors. That mean is what the encoder was trained for, so
the same is also shown, but not judged, for static word vectors of latent semantic analysis. The quick sample takes 400
abstracts, 80 titles and 40 others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from similia.atlas.lsa import WORD, LatentSemanticAnalysis
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.encode import TokenEncoder, load
from similia.errors import ModelError
from similia.evaluate import datasets
from similia.index import ExactIndex
from similia.index.multivector import FixedDimensionalEncoder, MultiVectorIndex
from similia.measure import neighbour_recall
from similia.measure.multivectors import chamfer, gather
from similia.measure.vectors import normalise
from similia.types import Float32, MultiVector, ragged

INFO = SystemInfo(
    number=24,
    name="MUVERA",
    title="Multi-vector retrieval through fixed dimensional encodings: one inner product, then an exact re-rank",
    paper="Dhulipala, Hadian, Jayaram, Lee and Mirrokni, MUVERA: Multi-Vector Retrieval via Fixed Dimensional "
    "Encodings (NeurIPS 2024, arXiv 2405.19504)",
    status="partial: no ball carving of queries, no product quantisation of encodings",
    rooms=("encode", "index", "measure", "evaluate"),
    claims=(
        "Longer encodings find the best document more often, and 5,120 dimensions nearly always within 100",
        "They beat the mean of the token vectors",
        "The choice of random numbers hardly matters",
        "Folding 10,240 dimensions to 2,048 costs little",
        "Re-ranking 100 candidates gives the exact top 10 for nearly all queries with a tenth of the comparisons",
        "For documents of one vector the estimate is exact",
    ),
    data=("papers_ir",),
)
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "1,280": {"bits": 3, "inner": 16, "repetitions": 10},
    "5,120": {"bits": 4, "inner": 16, "repetitions": 20},
    "10,240": {"bits": 5, "inner": 16, "repetitions": 20},
}
DEPTHS = (1, 10, 100)


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    papers, asked = sample(settings)
    items, queries, others = texts(papers, asked)
    best = chamfer(queries, items).argmax(axis=1)
    tuned = chosen(items, others, settings.seed)

    def measured(shape: str, seed: int = 0, **more: Any) -> dict[int, float]:
        encoder = FixedDimensionalEncoder(
            items.vectors.shape[1], seed=settings.seed + seed, **SHAPES[shape], **tuned, **more
        )
        return found(encoder.encode_queries(queries) @ encoder.encode_items(items).T, best)

    by_shape = {shape: measured(shape) for shape in SHAPES}
    seeds = [by_shape["5,120"], *(measured("5,120", seed) for seed in range(1, 5))]
    folded = measured("10,240", final=2_048)
    pooled = found(mean(queries) @ mean(items).T, best)
    words = static(papers, asked[0], settings.seed)
    numbers = {f"{shape}, within {n}": row[n] for shape, row in by_shape.items() for n in DEPTHS}
    plain = {f"mean, within {n}": pooled[n] for n in DEPTHS}
    reached = [by_shape[shape][100] for shape in SHAPES]
    spread = float(np.std([row[100] for row in seeds]))
    choice = ", ".join(f"{name} {'yes' if np.any(value) else 'no'}" for name, value in tuned.items())
    return [
        claim(
            1,
            INFO.claims[0],
            "share of queries whose best document is within 100 rises with length, and is >= .97 at 5,120",
            reached == sorted(reached) and reached[1] >= 0.97,
            measured=numbers,
            baseline=plain,
            note=f"chosen on other titles: {choice}",
        ),
        claim(
            2,
            INFO.claims[1],
            "share within 10 at 5,120 >= that of the mean + .05",
            by_shape["5,120"][10] >= pooled[10] + 0.05,
            measured={f"5,120, within {n}": by_shape["5,120"][n] for n in DEPTHS} | without(words, "mean"),
            baseline=plain | without(words, "5,120"),
            note="the bundled encoder was trained so that the mean of its tokens stands for the text",
        ),
        claim(
            3,
            INFO.claims[2],
            "standard deviation over 5 seeds of the share within 100 at 5,120 <= .015",
            spread <= 0.015,
            measured={"deviation": spread, **{f"seed {i}, within 100": row[100] for i, row in enumerate(seeds)}},
        ),
        claim(
            4,
            INFO.claims[3],
            "share within 100 of 10,240 folded to 2,048 >= that unfolded - .04",
            folded[100] >= by_shape["10,240"][100] - 0.04,
            measured={f"folded, within {n}": folded[n] for n in DEPTHS},
            baseline={f"10,240, within {n}": by_shape["10,240"][n] for n in DEPTHS},
        ),
        reranked(items, queries, tuned, settings),
        single(items, queries, settings),
    ]


def sample(settings: Settings) -> tuple[list[Mapping[str, Any]], tuple[int, int]]:
    """Papers, and of how many the titles are to measure on and to choose by."""
    papers = list(datasets.records("papers_ir"))
    count, asked, other = (400, 80, 40) if settings.quick else (2_500, 400, 200)
    order = np.random.default_rng(settings.seed).permutation(len(papers))[:count]
    return [papers[i] for i in order], (asked, other)


def texts(papers: Sequence[Mapping[str, Any]], asked: tuple[int, int]) -> tuple[MultiVector, MultiVector, MultiVector]:
    """Tokens of abstracts, of titles to measure on, and of titles to choose by."""
    model = load("minilm")
    if not isinstance(model, TokenEncoder):
        raise ModelError(f"{model.name} gives no vectors of tokens; an encoder with encode_tokens is needed")
    queries = model.encode_tokens([str(paper["title"]) for paper in papers[: sum(asked)]], side="query")
    items = model.encode_tokens([str(paper["abstract"]) for paper in papers])
    return items, gather(queries, np.arange(asked[0])), gather(queries, np.arange(asked[0], sum(asked)))


def static(papers: Sequence[Mapping[str, Any]], asked: int, seed: int) -> dict[str, float]:
    """Static word vectors, 64 dimensions: what encodings and the mean find of the same kind of truth."""
    latent = LatentSemanticAnalysis(64, seed=seed).fit([str(paper["abstract"]) for paper in papers])

    def words(given: Sequence[str]) -> MultiVector:
        rows = [[latent.words_[w] for w in WORD.findall(text.lower()) if w in latent.words_] for text in given]
        return ragged([normalise(latent.axes_[row]) if row else [] for row in rows], 64)

    items = words([str(paper["abstract"]) for paper in papers])
    queries = words([str(paper["title"]) for paper in papers[:asked]])
    best = chamfer(queries, items).argmax(axis=1)
    numbers = {f"words, mean, within {n}": v for n, v in found(mean(queries) @ mean(items).T, best).items()}
    for fill in (True, False):
        encoder = FixedDimensionalEncoder(64, seed=seed, fill=fill, **SHAPES["5,120"])
        row = found(encoder.encode_queries(queries) @ encoder.encode_items(items).T, best)
        kind = "filled" if fill else "not filled"
        numbers |= {f"words, 5,120, {kind}, within {n}": value for n, value in row.items()}
    return numbers


def chosen(items: MultiVector, others: MultiVector, seed: int) -> dict[str, Any]:
    """Filling and centring, by the share of other titles whose best document is within 10, at 1,280 dimensions."""
    best = chamfer(others, items).argmax(axis=1)
    quality: dict[tuple[bool, bool], float] = {}
    middle = items.vectors.mean(axis=0)
    for fill in (True, False):
        for centred in (True, False):
            encoder = FixedDimensionalEncoder(
                items.vectors.shape[1], seed=seed, fill=fill, centre=middle if centred else None, **SHAPES["1,280"]
            )
            scores = encoder.encode_queries(others) @ encoder.encode_items(items).T
            quality[fill, centred] = sum(found(scores, best).values())
    fill, centred = max(quality, key=lambda setting: quality[setting])
    return {"fill": fill, "centre": middle if centred else None}


def found(scores: Float32, best: Any) -> dict[int, float]:
    """The share of queries whose best document is among the n first, by n."""
    ahead = (scores > scores[np.arange(len(best)), best][:, None]).sum(axis=1)
    return {n: float((ahead < n).mean()) for n in DEPTHS}


def without(numbers: Mapping[str, float], word: str) -> dict[str, float]:
    """The numbers whose name lacks a word."""
    return {name: value for name, value in numbers.items() if word not in name}


def mean(sets: MultiVector) -> Float32:
    """One vector a text: the mean of its tokens', at length 1."""
    return normalise(np.stack([part.mean(axis=0) if len(part) else np.zeros(part.shape[1]) for part in sets]))


def reranked(items: MultiVector, queries: MultiVector, tuned: Mapping[str, Any], settings: Settings) -> Claim:
    """Claim 5."""
    encoder = FixedDimensionalEncoder(items.vectors.shape[1], seed=settings.seed, **SHAPES["5,120"], **tuned)
    exact = MultiVectorIndex(items).search(queries, 10).ids
    index = MultiVectorIndex(items, encoder=encoder)
    measured: dict[str, float] = {}
    for pool in (100, 250, 500):
        ours = index.search(queries, 10, pool=pool).ids
        measured[f"{pool} candidates, equal top 10"] = float((exact == ours).all(axis=1).mean())
        measured[f"{pool} candidates, recall@10"] = neighbour_recall(ours, exact)
    cheap = ExactIndex(mean(items)).search(mean(queries), 100).ids
    whole = np.array([np.isin(row, own).all() for row, own in zip(exact, cheap, strict=True)])
    return claim(
        5,
        INFO.claims[4],
        "top 10 equal to the exact one for >= .90 of the queries, with >= 10 times fewer exact comparisons",
        measured["100 candidates, equal top 10"] >= 0.90 and len(items) >= 1_000,
        measured=measured,
        baseline={
            "mean, 100 candidates, equal top 10": float(whole.mean()),
            "mean, 100 candidates, recall@10": neighbour_recall(cheap, exact),
        },
        note=f"comparing everything takes {len(items):,} comparisons a query",
    )


def single(items: MultiVector, queries: MultiVector, settings: Settings) -> Claim:
    """Claim 6: one token a document, vectors not shortened."""
    first = MultiVector(items.vectors[items.offsets[:100]], np.arange(101))
    encoder = FixedDimensionalEncoder(
        items.vectors.shape[1], bits=4, inner=None, repetitions=4, fill=True, seed=settings.seed
    )
    estimate = encoder.encode_queries(queries) @ encoder.encode_items(first).T
    error = float(np.abs(estimate - chamfer(queries, first)).max())
    return claim(
        6,
        INFO.claims[5],
        "with filling and without shortening, the estimate differs from Chamfer similarity by at most 1e-4",
        error <= 1e-4,
        measured={"largest difference": error},
    )
