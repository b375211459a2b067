"""ANNCUR: search under a scorer of pairs, from its scores with a few anchor queries and anchor items.

2,500 abstracts of cs.IR papers as items; titles as queries, 499 to anchor and 400 others to measure on. The scorer is
the Chamfer similarity of token vectors of the bundled encoder, which is cheap enough to know all scores. Baselines
re-rank, with as many calls, what the mean of the token vectors finds, and what latent semantic analysis finds. Numbers
are means over 5 random choices of anchor items. The quick sample takes 500 abstracts, 150 and 60 titles, and 2 choices.
"""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.s024_muvera import mean
from similia.encode import TokenEncoder, load
from similia.errors import ModelError
from similia.evaluate import datasets
from similia.index.landmarks import LandmarkIndex, Scorer
from similia.measure import neighbour_recall
from similia.measure.multivectors import chamfer
from similia.types import Float32, Int64

INFO = SystemInfo(
    number=3,
    name="ANNCUR",
    title="Nearest neighbours under any function of two things, from a few rows and columns of its scores",
    paper="Yadav, Monath, Angell, Zaheer and McCallum, Efficient Nearest Neighbor Search for Cross-Encoder Models "
    "using Matrix Factorization (EMNLP 2022, arXiv 2210.12579)",
    status="complete",
    rooms=("encode", "index", "measure", "evaluate"),
    claims=(
        "With calls for a fifth of the items it finds more of the 50 best than re-ranking, and as many of the 10 best",
        "With calls for a twentieth of the items it finds fewer than re-ranking",
        "More anchor items find more",
        "Where scores have a low rank, it is exact",
        "A query takes as many calls as there are anchors and candidates, less those that are both",
        "It finds more than re-ranking what latent semantic analysis finds",
    ),
    data=("papers_ir",),
)
ANCHORS = (25, 50, 100, 200)
DEPTHS = (1, 10, 50)


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    papers = list(datasets.records("papers_ir"))
    count, anchored, asked = (500, 150, 60) if settings.quick else (2_500, 499, 400)
    order = np.random.default_rng(settings.seed).permutation(len(papers))[:count]
    titles = [str(papers[i]["title"]) for i in order[: anchored + asked]]
    abstracts = [str(papers[i]["abstract"]) for i in order]
    model = load("minilm")
    if not isinstance(model, TokenEncoder):
        raise ModelError(f"{model.name} gives no vectors of tokens; an encoder with encode_tokens is needed")
    queries, items = model.encode_tokens(titles, side="query"), model.encode_tokens(abstracts)
    matrix = chamfer(queries, items).astype(np.float64)
    latent = LatentSemanticAnalysis(seed=settings.seed).fit(abstracts)
    cheap = {
        "mean": mean(queries)[anchored:] @ mean(items).T,
        "LSA": latent.encode(titles)[anchored:] @ latent.encode(abstracts).T,
    }
    trial = Trial(matrix, anchored, seeds=2 if settings.quick else 5, seed=settings.seed)
    fifth, twentieth = count // 5, count // 20
    splits = {f"{k} anchors": trial.landmarks(k, fifth - k) for k in ANCHORS if 2 * k <= fifth}
    fewest = trial.landmarks(twentieth * 2 // 5, twentieth - twentieth * 2 // 5)
    best = trial.landmarks(fifth * 2 // 5, fifth - fifth * 2 // 5)
    rising = [trial.landmarks(k, 3 * count // 25) for k in ANCHORS]
    again = {name: trial.reranked(scores, fifth) for name, scores in cheap.items()}
    little = {name: trial.reranked(scores, twentieth) for name, scores in cheap.items()}
    return [
        claim(
            1,
            INFO.claims[0],
            "recall@50 >= that of re-ranking the mean's + .02 and recall@10 >= it - .01; 2 calls in 5 for anchors",
            best[50] >= again["mean"][50] + 0.02 and best[10] >= again["mean"][10] - 0.01,
            measured={**named("", best), **{k: v for name, row in splits.items() for k, v in named(name, row).items()}},
            baseline=named("mean", again["mean"]),
            note=f"{fifth} calls a query; the mean of its tokens is what the encoder was trained for",
        ),
        claim(
            2,
            INFO.claims[1],
            "recall@50 below that of re-ranking the mean's",
            fewest[50] < little["mean"][50],
            measured=named("", fewest),
            baseline={**named("mean", little["mean"]), **named("LSA", little["LSA"])},
            note=f"{twentieth} calls a query",
        ),
        claim(
            3,
            INFO.claims[2],
            f"recall@10 and @50 rise with {', '.join(map(str, ANCHORS))} anchor items and {3 * count // 25} candidates",
            all(a[n] < b[n] for a, b in pairwise(rising) for n in (10, 50)),
            measured={k: v for a, row in zip(ANCHORS, rising, strict=True) for k, v in named(str(a), row).items()},
        ),
        low_rank(settings.seed),
        calls(matrix, anchored),
        claim(
            6,
            INFO.claims[5],
            "recall@10 and @50 >= those of re-ranking LSA's + .02",
            all(best[n] >= again["LSA"][n] + 0.02 for n in (10, 50)),
            measured=named("", best),
            baseline=named("LSA", again["LSA"]),
            note=f"{fifth} calls a query; LSA has 128 dimensions",
        ),
    ]


class Trial:
    """One scorer, with everything known of it; the first queries anchor, the others are asked.

    Args:
        matrix: scores of all queries and items.
        anchored: how many queries anchor.
        seeds: how often anchor items are chosen.
        seed: of the first choice.
    """

    def __init__(self, matrix: npt.NDArray[np.float64], anchored: int, *, seeds: int, seed: int) -> None:
        self.matrix, self.anchored, self.seeds, self.seed = matrix, anchored, seeds, seed
        self.truth = np.argsort(-matrix[anchored:], axis=1, kind="stable")[:, : max(DEPTHS)]

    def landmarks(self, anchors: int, pool: int) -> dict[int, float]:
        """Recall by depth of CUR search, a mean over choices of anchors."""
        asked = range(self.anchored, len(self.matrix))
        rows = []
        for seed in range(self.seed, self.seed + self.seeds):
            index = LandmarkIndex(
                lookup(self.matrix),
                self.matrix.shape[1],
                range(self.anchored),
                anchors,
                seed=seed,
            )
            found = index.search(asked, max(DEPTHS), pool=max(pool, max(DEPTHS))).ids
            rows.append([neighbour_recall(found[:, :n], self.truth[:, :n]) for n in DEPTHS])
        return dict(zip(DEPTHS, np.mean(rows, axis=0).tolist(), strict=True))

    def reranked(self, cheap: Float32, budget: int) -> dict[int, float]:
        """Recall by depth of scoring what a cheaper similarity finds."""
        chosen = np.argsort(-cheap, axis=1, kind="stable")[:, :budget]
        exact = np.take_along_axis(self.matrix[self.anchored :], chosen, axis=1)
        order = np.argsort(-exact, axis=1, kind="stable")
        found = np.take_along_axis(chosen, order, axis=1)
        return {n: neighbour_recall(found[:, :n], self.truth[:, :n]) for n in DEPTHS}


def lookup(matrix: npt.NDArray[np.float64]) -> Scorer:
    """A scorer of which all scores are known, so that what it is asked can be judged."""

    def scores(query: Hashable, items: Int64) -> npt.NDArray[np.float64]:
        row: Any = query
        known: npt.NDArray[np.float64] = matrix[row, items]
        return known

    return scores


def named(name: str, row: dict[int, float]) -> dict[str, float]:
    """Recalls as numbers of a claim."""
    return {f"{name}, recall@{n}".removeprefix(", "): value for n, value in row.items()}


def low_rank(seed: int) -> Claim:
    """Claim 4: inner products of 16 dimensions."""
    random = np.random.default_rng(seed)
    matrix = random.normal(size=(150, 16)) @ random.normal(size=(16, 2_000))
    trial = Trial(matrix, 100, seeds=1, seed=seed)
    index = LandmarkIndex(lookup(matrix), 2_000, range(100), 32, seed=seed)
    found = index.approximate(range(100, 150))
    error = float(np.linalg.norm(found - matrix[100:]) / np.linalg.norm(matrix[100:]))
    row = trial.landmarks(32, 50)
    return claim(
        4,
        INFO.claims[3],
        "for scores of rank 16 and 32 anchor items, relative error < 1e-6 and recall 1",
        error < 1e-6 and min(row.values()) == 1,
        measured={"relative error": error, **named("", row)},
    )


def calls(matrix: npt.NDArray[np.float64], anchored: int) -> Claim:
    """Claim 5."""
    index = LandmarkIndex(lookup(matrix), matrix.shape[1], range(anchored), 50)
    differs = 0
    taken = []
    for query in range(anchored, len(matrix)):
        before = index.scorer.calls
        index.search([query], 10, pool=100)
        seeming = np.argsort(-index.approximate([query])[0].astype(np.float32), kind="stable")[:100]
        taken.append(index.scorer.calls - before)
        differs += taken[-1] != 50 + 100 - np.isin(seeming, index.anchor_items).sum()
    return claim(
        5,
        INFO.claims[4],
        "with 50 anchor items and 100 candidates, the count of calls is that for every query",
        differs == 0,
        measured={"queries that differ": differs, "calls a query, mean": float(np.mean(taken))},
    )
