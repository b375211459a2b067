"""E2Rank: the embedding of a query together with its first hits orders those hits again.

No language model is at hand, so the mechanism is run on vectors: `similia.rank.feedback.FeedbackQuery`, one layer of
attention from the query to itself and to the vectors of its first hits, trained with the published losses; the sentence
encoder stays as it is. Questions of MedQuAD and their answers; foci (the disease, the gene) are parted: 70 % to learn
from (4,000 questions of them; a tenth of their foci chooses the epoch), 30 % to test. The teacher puts 16 answers in
order: the right ones, those of the same focus, those of the same kind of question, and each of these by cosine. The
first stage is the encoder's 100 nearest.

Each number is the mean of three trainings that differ in seed, on the same test questions. Second, TREC QA: judged
sentences of its training questions, with the labels as the teacher. The quick sample takes the foci of 400 answers, one
seed, and no TREC QA.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from similia.atlas.feedback_lists import (
    POOL,
    Float64,
    K,
    Questions,
    at,
    feedback,
    gains,
    move,
    on_sentences,
    quality,
    questions,
    split,
    teacher,
)
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.encode import load
from similia.evaluate import datasets, paired_bootstrap
from similia.index import ExactIndex
from similia.rank.feedback import FeedbackQuery, Rocchio, expand_queries, feedback_search
from similia.types import Float32, Hits, Int64

INFO = SystemInfo(
    number=100,
    name="E2Rank",
    title="One embedding model that retrieves, and orders a list again by embedding the query with its first documents",
    paper="Liu et al., E2Rank: Your Text Embedding can Also be an Effective and Efficient Listwise Reranker "
    "(arXiv 2510.22733, 2025)",
    status="partial: the mechanism on vectors; no language model that reads the list as text",
    rooms=("encode", "index", "rank", "evaluate"),
    claims=(
        "A trained feedback query orders the hits of unseen foci better than the plain query and than Rocchio's",
        "Without RankNet, or with the hits of other queries as feedback, at least half of the gain is lost",
        "More documents of feedback help up to about 20, and no more after",
        "What the plain query retrieves stays as it is",
        "It costs no document a second encoding: a new query and 100 dot products",
    ),
    data=("medquad_pairs", "trecqa"),
)
LEARNED = 4_000
"""Questions that are learned from, by chance, of those of the foci to learn from."""
VARIANTS: tuple[tuple[str, dict[str, Any], bool], ...] = (
    ("trained", {}, False),
    ("InfoNCE alone", {"ranking": 0.0}, False),
    ("hits of other queries", {}, True),
    ("attention to the hits alone", {"itself": False}, False),
    ("K = 1", {"feedback": 1}, False),
    ("K = 5", {"feedback": 5}, False),
    ("K = 50", {"feedback": 50}, False),
)
"""What is trained: its name, how it differs from the first, and whether it is shown the hits of other queries."""


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    found = questions(settings)
    learn, test = split(found.focus, settings.seed)
    learn = np.sort(np.random.default_rng(settings.seed).choice(learn, min(LEARNED, learn.size), replace=False))
    taught = teacher(found, learn)
    seeds = [settings.seed + step for step in range(1 if settings.quick else 3)]
    fingerprint = load("minilm").fingerprint
    plain = quality(found, test, found.queries[test])
    moved = expand_queries(found.queries[test], at(found.hits, test), found.vectors, expansion=Rocchio(0.5), feedback=3)
    rocchio = quality(found, test, moved)
    settled: dict[str, list[Float64]] = {}
    models: list[FeedbackQuery] = []
    for seed in seeds:
        for name, options, shuffled in VARIANTS:
            model = FeedbackQuery(**{"feedback": K, "epochs": 5, "encoder": fingerprint, "seed": seed, **options})
            model.fit(
                found.queries[learn],
                found.documents,
                feedback(found, learn, model.feedback, shuffle=seed if shuffled else None),
                *taught,
                groups=found.focus[learn],
                progress=settings.progress,
            )
            seen = feedback(found, test, model.feedback, shuffle=seed + 1_000 if shuffled else None)
            settled.setdefault(name, []).append(quality(found, test, move(model, found, test, seen)))
            if name == "trained":
                models.append(model)
    means = {name: np.mean(values, axis=0) for name, values in settled.items()}
    others = {} if settings.quick else on_sentences(models, settings)
    return [
        better_order(plain, rocchio, means, settled, others, found, test),
        both_needed(plain, means),
        more_feedback(plain, means),
        plain_untouched(found, test, plain, models),
        one_more_query(models[0], settings),
    ]


# -- claims


def better_order(
    plain: Float64,
    rocchio: Float64,
    means: Mapping[str, Float64],
    settled: Mapping[str, Sequence[Float64]],
    others: Mapping[str, float],
    found: Questions,
    test: Int64,
) -> Claim:
    """Claim 1."""
    trained = means["trained"]
    gain, over = paired_bootstrap(trained, plain), paired_bootstrap(trained, rocchio)
    runs = [values.mean() for values in settled["trained"]]
    reached = found.hits.ids[test][:, :, None] == found.right[test][:, None, :]
    return claim(
        1,
        INFO.claims[0],
        "nDCG@10 of the trained feedback query >= plain + .03, and > Rocchio (query + .5 * mean of the first 3)",
        bool(trained.mean() >= plain.mean() + 0.03 and trained.mean() > rocchio.mean()),
        measured={
            "trained": trained.mean(),
            "trained, least of the seeds": min(runs),
            "trained, most of the seeds": max(runs),
            "gain": gain.value,
            "gain, low": gain.low,
            "gain, high": gain.high,
            "gain over Rocchio": over.value,
            "gain over Rocchio, low": over.low,
            "gain over Rocchio, high": over.high,
            "share of questions that lose": (trained < plain - 1e-9).mean(),
            "share of questions that win": (trained > plain + 1e-9).mean(),
            **{name: value for name, value in others.items() if "trained" in name},
        },
        baseline={
            "plain": plain.mean(),
            "Rocchio": rocchio.mean(),
            "right answer among the 100 hits": reached.any(axis=(1, 2)).mean(),
            **{name: value for name, value in others.items() if "trained" not in name},
        },
        note=f"{test.size:,} questions of {np.unique(found.focus[test]).size:,} foci that were not trained on",
    )


def both_needed(plain: Float64, means: Mapping[str, Float64]) -> Claim:
    """Claim 2."""
    gain = means["trained"].mean() - plain.mean()
    left = {name: means[name].mean() - plain.mean() for name in ("InfoNCE alone", "hits of other queries")}
    return claim(
        2,
        INFO.claims[1],
        "the gain over the plain query of InfoNCE alone, and that with the hits of other queries, each <= half",
        bool(gain > 0 and all(value <= gain / 2 for value in left.values())),
        measured={
            "gain": gain,
            "gain, attention to the hits alone": means["attention to the hits alone"].mean() - plain.mean(),
        },
        baseline={f"gain, {name}": value for name, value in left.items()},
        note="trained anew for each; with hits of other queries it was trained and tested on such. What is left of the "
        "gain there comes from the query alone, which attends to itself",
    )


def more_feedback(plain: Float64, means: Mapping[str, Float64]) -> Claim:
    """Claim 3."""
    by_count = {count: float(means[f"K = {count}"].mean()) for count in (1, 5, 50)}
    by_count[K] = float(means["trained"].mean())
    return claim(
        3,
        INFO.claims[2],
        "nDCG@10 with 1 < with 5 <= with 20 documents, and with 50 within .01 of 20",
        by_count[1] < by_count[5] <= by_count[20] and abs(by_count[50] - by_count[20]) <= 0.01,
        measured={f"K = {count}": by_count[count] for count in sorted(by_count)},
        baseline={"plain": plain.mean()},
        note="trained anew for each K",
    )


def plain_untouched(found: Questions, test: Int64, plain: Float64, models: Sequence[FeedbackQuery]) -> Claim:
    """Claim 4: search again, after the models were trained and have moved the queries."""
    for model in models:
        model.check(load("minilm").fingerprint)
        move(model, found, test, feedback(found, test, K))
    again = ExactIndex(found.documents).search(found.queries[test], 10)
    after = gains(again.ids, found.right[test])
    return claim(
        4,
        INFO.claims[3],
        "the first 10 hits of the plain query the same before and after, and nDCG@10 within .005",
        bool((again.ids == found.hits.ids[test, :10]).all() and abs(after.mean() - plain.mean()) <= 0.005),
        measured={"plain, after": after.mean()},
        baseline={"plain, before": plain.mean()},
        note="the encoder is frozen, so this holds by construction",
    )


class Counting:
    """An encoder that counts the texts that it encodes."""

    def __init__(self) -> None:
        self.encoder = load("minilm")
        self.texts = 0

    def __call__(self, texts: Sequence[str], *, query: bool = False) -> Float32:
        self.texts += len(texts)
        return self.encoder.encode(texts, side="query" if query else "item").vectors


def one_more_query(model: FeedbackQuery, settings: Settings) -> Claim:
    """Claim 5: a search over a few answers, counted."""
    table = list(datasets.records("medquad_pairs"))
    chosen = np.random.default_rng(settings.seed).choice(len(table), POOL + 20, replace=False)
    encoder = Counting()
    documents = encoder([" ".join(table[row]["answer"].split()[:40]) for row in chosen])
    asked = [table[row]["question"] for row in chosen[:20]]
    before, searched, read = encoder.texts, [], []

    def search(vectors: Float32, k: int) -> Hits:
        searched.append((len(vectors), k))
        return ExactIndex(documents).search(vectors, k)

    def vectors(ids: Int64) -> Float32:
        read.append(ids.size)
        return documents[ids]

    for text in asked:
        feedback_search(search, vectors, encoder([text], query=True), 10, expansion=model, feedback=K, pool=POOL)
    encoded = (encoder.texts - before) / len(asked)
    dots = read[1::2]  # of each search, the vectors that are seen and then those that are scored
    return claim(
        5,
        INFO.claims[4],
        "texts encoded a search <= 2 with the query, none a document; 100 dot products with the new query",
        bool(encoded <= 2 and encoder.texts - before == len(asked) and set(dots) == {POOL}),
        measured={
            "texts encoded a search": encoded,
            "documents encoded again": encoder.texts - before - len(asked),
            "dot products a search": float(np.mean(dots)),
            "searches of the index a search": len(searched) / len(asked),
        },
        note="the published form encodes one text more, the query with its documents; here the vectors are read",
    )
