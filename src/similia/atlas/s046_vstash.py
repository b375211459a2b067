"""vstash: vectors and keywords fused in one local file, with weights that follow how rare a query's words are.

The published search: both views to a pool, vector hits beyond 1.15 times the best distance dropped (the gate),
weighted reciprocal rank fusion, weights fixed or from the idf of the query's words. Known-item queries over abstracts
of cs.IR papers: rare words of an abstract, its title, its title paraphrased (by a list of synonyms written beforehand).
For training, a linear head on the frozen vectors learns from sentences of abstracts, without any labels.
The quick sample takes 600 abstracts, 60 queries of each kind and no second collection.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas import disagreement_training as training
from similia.atlas.hybrid import Views, find
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.synonyms import paraphrase
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets, evaluate_hits, paired_bootstrap
from similia.rank import adaptive_weights, fuse
from similia.rank.disagreement import mine_disagreement
from similia.rank.gate import Decision, keep_better
from similia.types import Hits, Int64

INFO = SystemInfo(
    number=46,
    name="vstash",
    title="Hybrid retrieval in one local file, with rank fusion that adapts to the rarity of a query's words",
    paper="Steffens, vstash: Local-First Hybrid Retrieval with Adaptive Fusion for LLM Agents (arXiv 2604.15484, 2026)",
    status="partial: a linear head on frozen vectors is trained, not the encoder itself",
    rooms=("collection", "encode", "index", "rank", "evaluate"),
    claims=(
        "Fixed-weight fusion is as good as the better view on mixed queries",
        "Adaptive weights are as good as fixed ones where idf is averaged over content words",
        "Relaxing the gate helps queries of more than 50 words",
        "Vectors and keywords disagree on 40 % to 90 % of the queries",
        "Fine-tuning on mined disagreement improves the encoder, and the gate refuses a bad one",
        "The distance of the best hit tells queries of another field from one's own",
    ),
    data=("papers_ir", "medquad", "limit_small"),
)
K = 10
FIXED = (0.6, 0.4)
LONG = (0.9, 0.1)
GATE, RELAXED = 1.15, 5.0
"""Largest distance of a vector hit as a multiple of the best one's; for queries of more than 50 words."""
OFF_TOPIC = 0.98
"""Distance between unit vectors beyond which the best hit is of low relevance (published, for another encoder)."""
Float64: TypeAlias = npt.NDArray[np.float64]
KINDS = ("keywords", "title", "paraphrase")


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    papers = [r for r in datasets.records("papers_ir") if len(r["abstract"].split()) >= 60]
    random = np.random.default_rng(settings.seed)
    if settings.quick:
        papers = [papers[i] for i in np.sort(random.choice(len(papers), 600, replace=False))]
    abstracts = [str(r["abstract"]) for r in papers]
    targets, queries = known_items(papers, abstracts, 60 if settings.quick else 500, random)
    texts = [text for kind in KINDS for text in queries[kind]]
    views = find(abstracts, texts, pool(len(abstracts)), progress=settings.progress)
    wanted = np.concatenate([targets[kind] for kind in KINDS])
    quality = {name: ndcg(hits, wanted) for name, hits in rankings(views).items()}
    others = {} if settings.quick else judged_sets(settings, random)
    return [
        fixed_fusion(quality, targets, others),
        adaptive_fusion(quality, targets, others),
        relaxed_gate(abstracts, settings, random),
        disagreement(views, texts, targets),
        fine_tuning(papers, abstracts, settings),
        off_topic(abstracts, views, settings, random),
    ]


# -- the published search


def pool(documents: int) -> int:
    """How deep each view is asked."""
    return min(10 * K, max(3 * K, documents // 3))


def search(views: Views, weights: npt.ArrayLike, gate: float | None = GATE) -> Hits:
    """Weighted rank fusion of the vector hits within the gate and of the text hits among them or in the top 2k."""
    dense, text = views.dense, views.text
    if gate is not None:
        distance = np.sqrt(np.maximum(2 - 2 * dense.scores, 0))
        near = distance <= gate * distance[:, :1]
        dense = Hits(np.where(near, dense.ids, -1), np.where(near, dense.scores, -np.inf))
        backed = np.array([np.isin(t, d) for t, d in zip(text.ids, dense.ids, strict=True)])
        backed[:, : 2 * K] = True
        text = Hits(np.where(backed, text.ids, -1), np.where(backed, text.scores, -np.inf))
    return fuse([dense, text], K, method="weighted", weights=weights)


def rankings(views: Views) -> dict[str, Hits]:
    """The views by themselves, and the fusions that are compared."""
    exact = adaptive_weights(views.idf, views.documents, rule="exact")
    return {
        "vectors": views.dense,
        "text": views.text,
        "fixed": search(views, FIXED),
        "adaptive, content words": search(views, adaptive_weights(views.idf, views.documents)),
        "adaptive, as published": search(views, exact),
        "fixed, no gate": search(views, FIXED, None),
        "equal weights, no gate": search(views, (0.5, 0.5), None),
        "scores, equal weights, no gate": fuse([views.dense, views.text], K, method="score"),
    }


# -- queries


def known_items(
    papers: Sequence[Mapping[str, object]], abstracts: Sequence[str], count: int, random: np.random.Generator
) -> tuple[dict[str, Int64], dict[str, list[str]]]:
    """For each kind of query, which abstract each is about, and its text."""
    frequency = Counter(word for text in abstracts for word in {*tokens(text)})
    targets: dict[str, Int64] = {}
    queries: dict[str, list[str]] = {}
    for kind in KINDS:
        chosen: list[int] = []
        texts: list[str] = []
        for item in random.permutation(len(papers)).tolist():
            text = query_of(kind, str(papers[item]["title"]), abstracts[item], frequency)
            if text and len(chosen) < count:
                chosen.append(item)
                texts.append(text)
        targets[kind], queries[kind] = np.array(chosen, np.int64), texts
    return targets, queries


def query_of(kind: str, title: str, abstract: str, frequency: Mapping[str, int]) -> str:
    """The query of one kind for a paper; empty where it cannot be made."""
    if kind == "title":
        return title
    if kind == "paraphrase":
        text, changed = paraphrase(title)
        return text if changed >= 2 else ""
    # Two words that other abstracts have too, so that a word alone does not give it away.
    shared = sorted({word for word in tokens(abstract) if frequency[word] >= 2}, key=lambda w: (frequency[w], w))
    return " ".join(shared[:2])


def tokens(text: str) -> list[str]:
    """Lower-case words of three characters or more."""
    return re.findall(r"[^\W_][\w-]{2,}", text.lower())


# -- claims


def fixed_fusion(quality: Mapping[str, Float64], targets: Mapping[str, Int64], others: Mapping[str, float]) -> Claim:
    """Claim 1."""
    best = max(quality["vectors"].mean(), quality["text"].mean())
    holds = quality["fixed"].mean() >= best - 0.01
    names = ("fixed", "fixed, no gate", "equal weights, no gate", "scores, equal weights, no gate")
    single = tuple(f"{name}: {view}" for name in ("medquad", "limit_small") for view in ("vectors", "text"))
    return claim(
        1,
        INFO.claims[0],
        "nDCG@10 of fixed .6/.4 weights >= the better view - .01 on the mixed set",
        bool(holds),
        measured={**by_kind(quality, targets, names), **{n: v for n, v in others.items() if n.endswith(names)}},
        baseline={
            **by_kind(quality, targets, ("vectors", "text")),
            **{n: v for n, v in others.items() if n in single},
        },
    )


def adaptive_fusion(quality: Mapping[str, Float64], targets: Mapping[str, Int64], others: Mapping[str, float]) -> Claim:
    """Claim 2."""
    content, exact, fixed = (quality[n] for n in ("adaptive, content words", "adaptive, as published", "fixed"))
    gain, published = paired_bootstrap(content, fixed), paired_bootstrap(exact, fixed)
    return claim(
        2,
        INFO.claims[1],
        "nDCG@10 of adaptive weights (idf over content words) >= fixed on the mixed set",
        content.mean() >= fixed.mean(),
        measured={
            **by_kind(quality, targets, ("adaptive, content words", "adaptive, as published")),
            **{n: v for n, v in others.items() if "adaptive" in n},
            "gain, content words": gain.value,
            "gain, content words, low": gain.low,
            "gain, content words, high": gain.high,
            "gain, as published": published.value,
            "gain, as published, low": published.low,
            "gain, as published, high": published.high,
        },
        baseline=by_kind(quality, targets, ("fixed",)),
        note="the published rule averages idf over all words, stop words too",
    )


def relaxed_gate(abstracts: Sequence[str], settings: Settings, random: np.random.Generator) -> Claim:
    """Claim 3: the first half of an abstract as a query for its second half."""
    halves = [(" ".join(w[: len(w) // 2]), " ".join(w[len(w) // 2 :])) for w in map(str.split, abstracts)]
    long = [i for i, (first, _) in enumerate(halves) if len(first.split()) > 50]
    chosen = np.sort(random.choice(long, min(len(long), 100 if settings.quick else 1_000), replace=False))
    views = find(
        [second for _, second in halves],
        [halves[i][0] for i in chosen],
        pool(len(halves)),
        progress=settings.progress,
    )
    relaxed, gated = (ndcg(search(views, LONG, gate), chosen) for gate in (RELAXED, GATE))
    gain = paired_bootstrap(relaxed, gated)
    return claim(
        3,
        INFO.claims[2],
        "nDCG@10 with gate 5.0 at least 5 % above gate 1.15, both with weights .9/.1",
        relaxed.mean() >= 1.05 * gated.mean(),
        measured={
            "gate 5.0": relaxed.mean(),
            "gain": gain.value,
            "gain, low": gain.low,
            "gain, high": gain.high,
            "gate 5.0, weights .5/.5": ndcg(search(views, (0.5, 0.5), RELAXED), chosen).mean(),
        },
        baseline={
            "gate 1.15": gated.mean(),
            "vectors": ndcg(views.dense, chosen).mean(),
            "text": ndcg(views.text, chosen).mean(),
        },
        note=f"{len(chosen):,} queries of more than 50 words",
    )


def disagreement(views: Views, texts: Sequence[str], targets: Mapping[str, Int64]) -> Claim:
    """Claim 4: is a document in the top 5 of a vector-heavy search that a text-heavy one does not have there?"""
    by_vector, by_text = two_searches(views, texts)
    unknown = np.full(len(texts), -1)
    differs = mine_disagreement(by_vector, by_text, unknown, top=5).differs.astype(np.float64)
    return claim(
        4,
        INFO.claims[3],
        "share of queries with a document in one top 5 and not in the other between .4 and .9",
        bool(0.4 <= differs.mean() <= 0.9),
        measured=by_kind({"disagreement": differs}, targets, ("disagreement",)),
    )


def two_searches(views: Views, texts: Sequence[str]) -> tuple[Hits, Hits]:
    """One search that leans to the vectors and one that leans to the text, by the published weights of the miner."""
    words = np.array([len(text.split()) for text in texts])[:, None]
    heavy = np.select([words <= 10, words <= 50], [0.70, 0.85], 0.95)
    other = np.select([words <= 10, words <= 50], [0.30, 0.15], 0.50)
    return search(views, np.hstack([heavy, 1 - heavy])), search(views, np.hstack([other, 1 - other]))


def fine_tuning(papers: Sequence[Mapping[str, object]], abstracts: Sequence[str], settings: Settings) -> Claim:
    """Claim 5: heads that learn from papers, pass the gate on others, and are tested on yet others."""
    rows, _, gate, test = training.parted(len(papers), settings.seed)
    learn, held = (training.part(part, abstracts, settings) for part in (rows, gate))
    texts = [pseudo.query for pseudo in learn.made]
    rests = [pseudo.rest for pseudo in learn.made]
    views = find(rests, texts, pool(len(rests)), progress=settings.progress)
    mined = mine_disagreement(*two_searches(views, texts), np.arange(len(texts)), top=5, each=1)
    encoder = load("minilm")
    vectors = encode(encoder, abstracts, progress=settings.progress)
    random = np.random.default_rng([settings.seed, 6])
    noise = vectors[random.choice(rows, min(training.NOISE, rows.size), replace=False)]
    count = 60 if settings.quick else 500
    targets, queries = known_items([papers[i] for i in test], [abstracts[i] for i in test], count, random)
    wanted = np.concatenate([targets[kind] for kind in KINDS])
    asked = encode(
        encoder, [text for kind in KINDS for text in queries[kind]], side="query", progress=settings.progress
    )
    before = training.known_item(None, asked, vectors[test], wanted)
    gated = training.among_noise(None, held, noise)
    quality: dict[str, list[Float64]] = {}
    decisions: dict[str, list[Decision]] = {}
    for seed in range(settings.seed, settings.seed + 3):
        for name, options in (("InfoNCE", training.GOOD), ("triplet", training.BAD)):
            head = training.trained(learn, mined, seed, **options)
            quality.setdefault(name, []).append(training.known_item(head, asked, vectors[test], wanted))
            decisions.setdefault(name, []).append(keep_better(gated, training.among_noise(head, held, noise)))
    means = {name: np.mean(values, axis=0) for name, values in quality.items()}
    gain = paired_bootstrap(means["InfoNCE"], before)
    lost = paired_bootstrap(means["triplet"], before)
    return claim(
        5,
        INFO.claims[4],
        "vector nDCG@10 of held-out documents >= 1.02 of that before, and kept by the gate; with triplet loss lower, "
        "and refused; each with 3 seeds",
        bool(
            means["InfoNCE"].mean() >= 1.02 * before.mean()
            and means["triplet"].mean() < before.mean()
            and all(decisions["InfoNCE"])
            and not any(decisions["triplet"])
        ),
        measured={
            **by_kind({"vectors, InfoNCE": means["InfoNCE"]}, targets, ("vectors, InfoNCE",)),
            "ratio": means["InfoNCE"].mean() / before.mean(),
            "gain": gain.value,
            "gain, low": gain.low,
            "gain, high": gain.high,
            "gain at the gate": float(np.mean([decision.gain for decision in decisions["InfoNCE"]])),
            "gain at the gate, least low": min(decision.low for decision in decisions["InfoNCE"]),
            "kept by the gate": float(np.mean([*map(bool, decisions["InfoNCE"])])),
            "triples": len(mined),
            "disagreement": mined.rate,
        },
        baseline={
            **by_kind({"vectors": before}, targets, ("vectors",)),
            **by_kind({"vectors, triplet": means["triplet"]}, targets, ("vectors, triplet",)),
            "gain, triplet": lost.value,
            "gain, triplet, low": lost.low,
            "gain, triplet, high": lost.high,
            "gain at the gate, triplet": float(np.mean([decision.gain for decision in decisions["triplet"]])),
            "triplet kept by the gate": float(np.mean([*map(bool, decisions["triplet"])])),
            "vectors, at the gate": gated.mean(),
        },
        note=f"sentences of {len(learn.made):,} papers to learn from, of {len(held.made):,} at the gate among "
        f"{len(noise):,} other papers; {wanted.size:,} known-item queries over {test.size:,} papers to test",
    )


def off_topic(abstracts: Sequence[str], views: Views, settings: Settings, random: np.random.Generator) -> Claim:
    """Claim 6: own queries against as many medical questions."""
    asked = datasets.retrieval("medquad").queries
    strange = [asked[i] for i in random.choice(len(asked), len(views.dense), replace=False)]
    theirs = find(abstracts, strange, K, progress=settings.progress)
    own, other = (np.sqrt(np.maximum(2 - 2 * v.dense.scores[:, 0], 0)) for v in (views, theirs))
    caught, wrong = (other > OFF_TOPIC).sum(), (own > OFF_TOPIC).sum()
    f1 = 2 * caught / (caught + wrong + other.size)
    return claim(
        6,
        INFO.claims[5],
        "F1 of off-topic queries >= .9 at the published distance",
        bool(f1 >= 0.9),
        measured={
            "F1": f1,
            "off-topic caught": caught / other.size,
            "own queries refused": wrong / own.size,
            "median best distance, own": np.median(own),
            "median best distance, off-topic": np.median(other),
        },
        note="the distance was published for another encoder and is used as it is",
    )


def judged_sets(settings: Settings, random: np.random.Generator) -> dict[str, float]:
    """nDCG@10 of each ranking on medical questions and their answers, and on LIMIT-small."""
    found = {}
    for name, count in (("medquad", 1_000), ("limit_small", 1_000)):
        data = datasets.retrieval(name)
        chosen = random.choice(len(data.queries), min(count, len(data.queries)), replace=False)
        views = find(
            data.documents, [data.queries[i] for i in chosen], pool(len(data.documents)), progress=settings.progress
        )
        names = [data.query_ids[i] for i in chosen]
        for ranking, hits in rankings(views).items():
            evaluation = evaluate_hits(hits, data.qrels, ["ndcg@10"], queries=names, items=data.document_ids)
            found[f"{name}: {ranking}"] = evaluation.mean("ndcg@10")
    return found


def ndcg(hits: Hits, wanted: Int64) -> Float64:
    """nDCG@10 where one document is right: 1 / log2(rank + 1)."""
    place = (hits.ids[:, :K] == wanted[:, None]).astype(np.float64)
    gains: Float64 = place @ (1 / np.log2(np.arange(2, place.shape[1] + 2)))
    return gains


def by_kind(values: Mapping[str, Float64], targets: Mapping[str, Int64], names: Sequence[str]) -> dict[str, float]:
    """The mean of each, over all queries and over each kind."""
    ends = np.cumsum([0, *(targets[kind].size for kind in KINDS)])
    means = {}
    for name in names:
        means[name] = float(values[name].mean())
        for kind, start, stop in zip(KINDS, ends[:-1], ends[1:], strict=True):
            means[f"{name}: {kind}"] = float(values[name][start:stop].mean())
    return means
