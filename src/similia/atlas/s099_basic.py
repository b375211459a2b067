"""BASIC: "like this, but that" without training: purified similarities to an example and to a text, both to be met.

Texts instead of images: the example is the abstract of a cs.IR paper, the text the name of a category of arXiv that the
paper is not in ("computer vision and pattern recognition"). Relevant are the papers on its topic (three rare phrases in
common, which no encoder had a part in) that their authors put in that category; the others on its topic, and all else
in the category, are the hard negatives. All 6,767 papers but the example are the database. Constants are those of the
authors; means, reference pairs and subjects come from other papers. The quick sample takes 3,000 papers.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets, paired_bootstrap
from similia.measure.subspace import Subspace, centred, contrastive_subspace
from similia.rank.composing import How, ScoreRange, compose
from similia.rank.enriching import contextualise, expand
from similia.types import Bool, Float32, Int64

INFO = SystemInfo(
    number=99,
    name="BASIC",
    title="Composed retrieval without training: purified similarities to an example and a text, fused like an AND",
    paper="Psomas, Retsinas, Efthymiadis, Filntisis, Avrithis, Maragos, Chum and Tolias, Instance-Level Composed Image "
    "Retrieval (NeurIPS 2025, arXiv 2510.25387)",
    status="partial: with texts as examples; images need an encoder of images and texts, and a data set of images",
    rooms=("encode", "measure", "rank", "evaluate"),
    claims=(
        "The product of both similarities is as good as their sum, and better than either alone",
        "Harris fusion of scores on one scale is as good as their product",
        "Both sides are needed: a weighted sum is best with weights well inside 0 and 1",
        "The steps one after the other: centring does not hurt",
        "On images of one object in many styles the method does better than the sum and the product",
    ),
    data=("papers_ir", "papers"),
)
CATEGORIES: Mapping[str, str] = {
    "cs.LG": "machine learning",
    "cs.CL": "computation and language",
    "cs.AI": "artificial intelligence",
    "cs.SI": "social and information networks",
    "cs.DL": "digital libraries",
    "cs.CV": "computer vision and pattern recognition",
    "cs.DB": "databases",
    "cs.HC": "human-computer interaction",
    "physics.soc-ph": "physics and society",
    "cs.CY": "computers and society",
    "cs.MM": "multimedia",
    "cs.DS": "data structures and algorithms",
    "cs.CR": "cryptography and security",
    "cs.SD": "sound",
}
"""Categories of at least 100 of the papers by the name that arXiv gives them; stat.ML, of the same name as cs.LG, and
cs.IR, which all have, are left out."""
UNTOLD = ("cs.LG", "cs.CL", "cs.AI")
"""Methods that papers of all categories use: their names alone hardly find their papers (area under the ROC curve .60
to .66; of the others .76 to .98), so that there is no text to meet. Queries with them are counted apart."""
FIELDS = (
    "computational complexity; computational geometry; computational engineering; discrete mathematics; robotics; "
    "distributed, parallel and cluster computing; emerging technologies; formal languages; game theory; graphics; "
    "hardware architecture; information theory; logic; mathematical software; multiagent systems; networking and "
    "internet architecture; neural and evolutionary computing; numerical analysis; operating systems; performance; "
    "programming languages; software engineering; symbolic computation; systems and control; quantum physics; "
    "astrophysics; condensed matter; high energy physics; statistics; probability; optimization; econometrics; "
    "finance; genomics; neurons and cognition; signal processing; image and video processing; audio and speech "
    "processing"
)
FORMS = ("{}", "a paper about {}", "research in {}", "{} applications", "methods of {}", "an approach for {}")
CONTRAST, DIRECTIONS, OFFSET = 0.2, 250, 1e-5
SUBJECTS, CONTEXTS, NEIGHBOURS = 1_000, 100, 25
BANK = 1_024
SHARED, COMMONEST, RAREST = 3, 0.02, 4
"""Phrases that two papers on one topic share; at most such a share of the papers, and at least so many, have each."""
LEAST, NEGATIVES = 3, 5
"""A query has at least so many relevant papers, and so many on its topic that are not."""
MANY = (20, 100)
"""Wrong papers on the topic, and in the category, of a query with hard negatives of both kinds."""
_STOP = (
    "a an and are as at be been between but by can do does for from has have how in into is it its many more most not "
    "of on one only or other our over some such than that the their then there these they this to two used using was "
    "we were what when where which while who why will with within without based both data however method methods model "
    "models new paper propose proposed results show system systems approach use also any all each given several"
)
STOP = frozenset(_STOP.split())
Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Task:
    """Composed queries: an example, the number of a category, and which of the n papers are relevant.

    Attributes:
        examples: int64 (q,).
        categories: int64 (q,), positions in ``CATEGORIES``.
        relevant: (q,) of int64, positions.
        hard: bool (q,), whether many papers on the topic and many in the category are wrong.
        told: bool (q,), whether the name of the category tells its papers.
    """

    examples: Int64
    categories: Int64
    relevant: list[Int64]
    hard: Bool
    told: Bool


@dataclass(frozen=True, eq=False)
class Bank:
    """What is known from other papers: means, subjects, reference scores."""

    item_mean: Float32
    text_mean: Float32
    subspace: Subspace
    items: Float32
    texts: Float32


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    random = np.random.default_rng(settings.seed)
    papers = list(datasets.records("papers_ir"))
    if settings.quick:
        papers = [papers[i] for i in np.sort(random.choice(len(papers), 3_000, replace=False))]
    task = composed(papers)
    model = load("minilm")
    items = encode(model, [str(paper["abstract"]) for paper in papers], progress=settings.progress)
    others = list(datasets.records("papers"))
    others = [
        others[i] for i in np.sort(random.choice(len(others), BANK // (4 if settings.quick else 1), replace=False))
    ]
    subjects = [phrase for phrase, _ in frequencies(map(keyphrases, others)).most_common(SUBJECTS)]

    def vectors(texts: Sequence[str]) -> Float32:
        return encode(model, texts, progress=settings.progress)

    names = list(CATEGORIES.values())
    plain, said = vectors(names), contextualise(vectors, names, subjects[:CONTEXTS])
    known = bank(others, subjects, vectors)
    quality = {name: precisions(one, task) for name, one in steps(task, items, plain, said, known).items()}
    weights = {weight: values[task.told] for weight, values in sweep(task, items, plain).items()}
    return [
        product(quality, task),
        harris(quality, task),
        inside(weights),
        ablation(quality, task),
        claim(5, INFO.claims[4], "mAP of Harris fusion above that of the sum and the product on emoji in art styles",
              None, note="no encoder of images and texts, and no data set of images by name, is at hand"),
    ]  # fmt: skip


# -- the task


def phrases_of(text: str) -> Counter[str]:
    """The pairs of neighbouring content words of a text.

    Examples:
        >>> phrases_of("A search engine, the web search engine. Engine")
        Counter({'search engine': 2, 'web search': 1})
    """
    words = re.findall(r"[a-z]{2,}|[.,;:]", text.lower())
    telling = [len(word) > 2 and word not in STOP for word in words]
    pairs = zip(pairwise(words), pairwise(telling), strict=True)
    return Counter(f"{a} {b}" for (a, b), kept in pairs if all(kept))


def keyphrases(paper: Mapping[str, Any]) -> frozenset[str]:
    """The phrases of an abstract that stand in it twice, or in the title too."""
    title = phrases_of(paper["title"])
    return frozenset(phrase for phrase, n in phrases_of(paper["abstract"]).items() if n > 1 or phrase in title)


def frequencies(phrases: Iterable[Iterable[str]]) -> Counter[str]:
    """In how many papers each phrase stands; equal ones by the alphabet."""
    return Counter(dict(sorted(Counter(phrase for own in phrases for phrase in own).items())))


def composed(papers: Sequence[Mapping[str, Any]]) -> Task:
    """Each paper with each category that makes a query with it."""
    phrases = [frozenset(phrases_of(f"{paper['title']}. {paper['abstract']}")) for paper in papers]
    rare = {p for p, n in frequencies(phrases).items() if RAREST <= n <= max(RAREST, COMMONEST * len(papers))}
    where: defaultdict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(phrases):
        for phrase in own & rare:
            where[phrase].append(place)
    within = np.array([[name in paper["categories"] for name in CATEGORIES] for paper in papers])
    queries: list[tuple[int, int]] = []
    relevant, hard = [], []
    for example in range(len(papers)):
        shared = Counter(other for phrase in phrases[example] & rare for other in where[phrase] if other != example)
        topic = np.array(sorted(other for other, n in shared.items() if n >= SHARED), np.int64)
        for category in np.flatnonzero(~within[example]).tolist():
            right = topic[within[topic, category]]
            wrong = topic.size - right.size
            if right.size >= LEAST and wrong >= NEGATIVES:
                queries.append((example, category))
                relevant.append(right)
                hard.append(wrong >= MANY[0] and int(within[:, category].sum()) - right.size >= MANY[1])
    found = np.array(queries, np.int64).reshape(-1, 2)
    told = ~np.isin(found[:, 1], [list(CATEGORIES).index(name) for name in UNTOLD])
    return Task(found[:, 0], found[:, 1], relevant, np.array(hard, np.bool_), told)


def bank(papers: Sequence[Mapping[str, Any]], subjects: Sequence[str], vectors: Any) -> Bank:
    """Means, subspace and reference pairs from other papers."""
    items = vectors([str(paper["abstract"]) for paper in papers])
    wanted = vectors(list(subjects))
    fields = [*CATEGORIES.values(), *FIELDS.split("; ")]
    unwanted = vectors([form.format(field) for field in fields for form in FORMS])
    mean = wanted.mean(axis=0)
    subspace = contrastive_subspace(wanted, unwanted, DIRECTIONS, contrast=CONTRAST, mean=mean, offset=OFFSET)
    return Bank(items.mean(axis=0), mean, subspace, items, vectors([str(paper["title"]) for paper in papers]))


# -- the method and what it is compared with


def steps(task: Task, items: Float32, plain: Float32, said: Float32, known: Bank) -> dict[str, Float32]:
    """The scores (q, n) of each baseline, and of the product after each step of the method."""
    to_item, to_text = items[task.examples] @ items.T, (plain @ items.T)[task.categories]
    found = {
        "example alone": to_item,
        "text alone": to_text,
        "sum": compose([to_item, to_text], how="sum"),
        "product": compose([to_item, to_text], how="product"),
        "min": compose([to_item, to_text], how="min"),
    }
    base = centred(items, known.item_mean)
    own = base[task.examples]
    centred_plain = (centred(plain, known.text_mean) @ base.T)[task.categories]
    found["product, centred"] = compose([own @ base.T, centred_plain], how="product")
    to_item = known.subspace.project(own) @ base.T
    found["product, projected"] = compose([to_item, centred_plain], how="product")
    to_text = (centred(said, known.text_mean) @ base.T)[task.categories]
    found["product, contextualised"] = compose([to_item, to_text], how="product")
    ranges = scales(known)
    for how, name in zip(("product", "harris", "sum", "min"), ("product", "Harris", "sum", "min"), strict=True):
        found[f"{name}, normalised"] = fused(to_item, to_text, how, ranges)
    wider = known.subspace.project(expand(own, base, to_item, k=min(NEIGHBOURS, len(base)))) @ base.T
    found["Harris, expanded"] = fused(wider, to_text, "harris", ranges)
    return found


def fused(to_item: Float32, to_text: Float32, how: Any, ranges: Sequence[ScoreRange]) -> Float32:
    """Both sides on one scale, fused."""
    kind: How = how
    return compose([to_item, to_text], how=kind, ranges=ranges)


def scales(known: Bank) -> tuple[ScoreRange, ScoreRange]:
    """Of both sides, from the reference pairs, as released: the lowest scores, both divided by that of the items."""
    items = centred(known.items, known.item_mean)
    of_item = ScoreRange.fit(items @ items.T)
    lowest = float((centred(known.texts, known.text_mean) @ items.T).min())
    return of_item, ScoreRange(lowest, of_item.scale)


def sweep(task: Task, items: Float32, plain: Float32) -> dict[float, Float64]:
    """Average precision of weighted sums, by the weight of the text."""
    to_item, to_text = items[task.examples] @ items.T, (plain @ items.T)[task.categories]
    return {w / 10: precisions((1 - w / 10) * to_item + w / 10 * to_text, task) for w in range(11)}


def precisions(scores: Float32, task: Task) -> Float64:
    """Average precision of each query by the trapezoidal rule, the example itself left out."""
    values = np.empty(len(task.examples))
    for place, (row, example, right) in enumerate(zip(scores, task.examples.tolist(), task.relevant, strict=True)):
        row = row.copy()
        row[example] = -np.inf
        rank = np.empty(row.size, np.int64)
        rank[np.argsort(-row, kind="stable")] = np.arange(row.size)
        values[place] = trapezoid(np.sort(rank[right]))
    return values


def trapezoid(ranks: Int64) -> float:
    """Average precision of items found at these ranks (from 0, ascending), by the trapezoidal rule.

    Examples:
        >>> round(trapezoid(np.array([0, 2])), 4)   # (1 + 1) / 2 and (1 / 2 + 2 / 3) / 2, each counting a half
        0.7917
    """
    found = np.arange(ranks.size)
    before = np.divide(found, ranks, out=np.ones(ranks.size), where=ranks > 0)
    return float(((before + (found + 1) / (ranks + 1)) / 2).mean())


# -- the claims


def points(values: Float64) -> float:
    """A mean of average precisions, in points."""
    return 100 * float(values.mean())


def shown(quality: Mapping[str, Float64], chosen: Bool, *names: str) -> dict[str, float]:
    """The mAP of the chosen queries."""
    return {f"{name}, mAP": points(quality[name][chosen]) for name in names}


def over(ours: Float64, theirs: Float64, name: str) -> dict[str, float]:
    """The gain in points, with its interval."""
    gain = paired_bootstrap(ours, theirs)
    return {f"over {name}": 100 * gain.value, "from": 100 * gain.low, "to": 100 * gain.high}


def product(quality: Mapping[str, Float64], task: Task) -> Claim:
    """Claim 1."""
    names = ("product", "sum", "example alone", "text alone")
    mean = {name: quality[name][task.told].mean() for name in names}
    every = np.ones_like(task.told)
    others = shown(quality, every, *names)
    return claim(
        1,
        INFO.claims[0],
        "mAP of the product of cosines >= of their sum, and > of the example alone and of the text alone",
        mean["product"] >= mean["sum"] and mean["product"] > max(mean["example alone"], mean["text alone"]),
        measured={
            **shown(quality, task.told, "product"),
            **over(quality["product"][task.told], quality["sum"][task.told], "the sum"),
            **{f"all categories: {name}": value for name, value in others.items()},
        },
        baseline=shown(quality, task.told, *names[1:], "min"),
        note=f"{int(task.told.sum()):,} queries, {task.told.size:,} with {', '.join(UNTOLD)}; intervals (95 %) are a "
        "bootstrap over queries. The verdict was the same where a topic was one keyphrase, or two phrases, in common",
    )


def harris(quality: Mapping[str, Float64], task: Task) -> Claim:
    """Claim 2."""
    ours, theirs = quality["Harris, normalised"], quality["product, normalised"]
    both = task.told & task.hard
    holds = points(ours[task.told]) >= points(theirs[task.told]) - 0.5 and points(ours[both]) >= points(theirs[both])
    return claim(
        2,
        INFO.claims[1],
        "mAP of Harris fusion >= of the product - .5 points, and >= it on queries with 20 wrong papers on the topic "
        "and 100 in the category; both on normalised scores",
        holds,
        measured={
            **shown(quality, task.told, "Harris, normalised"),
            **over(ours[task.told], theirs[task.told], "the product"),
            "Harris, both kinds of hard negatives, mAP": points(ours[both]),
            "product, the same, mAP": points(theirs[both]),
        },
        baseline=shown(quality, task.told, "product, normalised", "sum, normalised", "min, normalised"),
        note=f"{int(both.sum()):,} of {int(task.told.sum()):,} queries have hard negatives of both kinds. The verdict "
        "was the same where a topic was one keyphrase, or two phrases, in common",
    )


def inside(weights: Mapping[float, Float64]) -> Claim:
    """Claim 3."""
    means = {weight: points(values) for weight, values in weights.items()}
    best = max(means, key=means.__getitem__)
    return claim(
        3,
        INFO.claims[2],
        "the best weight of the text, of 0, .1, ... 1, lies above .1 and below .9",
        0.1 < best < 0.9,
        measured={"best weight of the text": best, "mAP there": means[best]},
        baseline={f"weight {weight:.1f}, mAP": value for weight, value in means.items()},
        note="cosines as they are; the best weight is shown, not used",
    )


def ablation(quality: Mapping[str, Float64], task: Task) -> Claim:
    """Claim 4."""
    names = ("product", "product, centred", "product, projected", "product, contextualised", "product, normalised",
             "Harris, normalised", "Harris, expanded")  # fmt: skip
    last, examples = quality["Harris, normalised"][task.told], task.examples[task.told]
    own = [last[examples == example] for example in np.unique(examples)]
    return claim(
        4,
        INFO.claims[3],
        "mAP of the product of centred vectors >= of vectors as they are - .5 points; each step is shown",
        points(quality["product, centred"][task.told]) >= points(quality["product"][task.told]) - 0.5,
        measured={
            **shown(quality, task.told, *names[1:]),
            "Harris, normalised, mean over examples": 100 * float(np.mean([values.mean() for values in own])),
            "Harris, normalised, worst text of each example": 100 * float(np.mean([values.min() for values in own])),
        },
        baseline=shown(quality, task.told, names[0], "sum"),
        note="each step on top of those before it; scores of centred vectors are below 0 for half of the papers, and "
        "the product takes them for 0 until they are normalised. Where a topic was one keyphrase in common, it held",
    )
