"""Iceberg: search by vectors is judged by the task, and metric and index are chosen by numbers of the data.

Five sets with labels: cs.IR papers by primary category (the 16 that have most, at most 150 each) and 2,000 news by
topic, both in vectors of the bundled encoder and by counts of their 512 most frequent words; and 984 programs by the
task that they solve (in 6 languages), by counts of their 512 most frequent character trigrams. Each as it is, at length
1, with an offset of 30 mean lengths along the mean, and scaled by a lognormal factor (sigma 0.5) an item. A fifth are
queries. The task is label recall@10. The quick sample takes 40 papers a category, 600 news and 60 programming tasks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import permutations

import numpy as np

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.s046_vstash import tokens
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets, paired_bootstrap
from similia.evaluate.advisor import Advice, advise, meta_features
from similia.evaluate.task_loss import Funnel, LabelRecall, NeighbourAccuracy, Searches, funnel, retrieved
from similia.index import ExactIndex
from similia.index.exact import Metric
from similia.index.graph import GraphIndex
from similia.index.hamming import HammingIndex
from similia.index.project import fit_pca
from similia.index.quantise import binary
from similia.measure.geometry import relative_angle
from similia.measure.vectors import normalise
from similia.types import Float32, Hits, Int64

INFO = SystemInfo(
    number=19,
    name="Iceberg",
    title="Where vector search loses what a task wants, and which metric and index the data ask for",
    paper="Chen, Fu, Wu, Wu, Fan et al., Reveal Hidden Pitfalls and Navigate Next Generation of Vector Similarity "
    "Search from Task-Centric Views (arXiv 2512.12980, 2025)",
    status="complete on small sets; the graph needs Numba, and the authors' sets of millions are not at hand",
    rooms=("encode", "index", "measure", "evaluate"),
    claims=(
        "With an offset and lengths that vary, the inner product finds little of what is wanted though its index finds "
        "nearly all that it looks for; the cosine about the mean repairs it",
        "The rules pick a metric that is best, or nearly, more often than always taking one",
        "What is lost of the task is what vectors, metric and index lose, exactly",
        "Of two indexes, the one that finds fewer of the true neighbours can serve the task better",
        "An offset narrows the cone of the vectors, and Gaussian data fill all of space",
    ),
    data=("papers_ir", "ag_news", "humanevalpack"),
)
PLACES = 10
METRICS: tuple[Metric, ...] = ("dot", "l2", "cosine")
FEATURES = 512
CATEGORIES = 16
LANGUAGES = ("python", "cpp", "go", "java", "js", "rust")


@dataclass(frozen=True, eq=False)
class Labelled:
    """Items, and queries that are none of them, with their labels."""

    items: Float32
    queries: Float32
    labels: Int64
    asked: Int64

    @property
    def task(self) -> LabelRecall:
        """What is wanted."""
        return LabelRecall(self.asked, self.labels)

    @cached_property
    def exact(self) -> Mapping[str, ExactIndex]:
        """Exact search by each metric."""
        return {metric: ExactIndex(self.items, metric=metric) for metric in METRICS}

    def value(self, metric: str) -> float:
        """Of the task, with exact search."""
        return self.task(retrieved(self.exact[metric], self.queries, PLACES))

    def judged(self, index: Searches, metric: str) -> Funnel:
        """The funnel of an index."""
        return funnel(index, self.exact, metric, self.queries, PLACES, self.task)

    def like(self, change: Callable[[Float32], Float32]) -> Labelled:
        """The same with other vectors."""
        return Labelled(change(self.items), change(self.queries), self.labels, self.asked)


@dataclass(frozen=True)
class Through:
    """An index that is asked in another way."""

    ask: Callable[[Float32, int], Hits]

    def search(self, queries: Float32, k: int) -> Hits:
        """The k best."""
        return self.ask(queries, k)


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    plain = sources(settings)
    sets = {
        f"{name}, {kind}": changed
        for number, (name, data) in enumerate(plain.items())
        for kind, changed in variants(data, settings.seed + number).items()
    }
    encoded = {name: data for name, data in plain.items() if name.endswith("encoder")}
    indexes = {name: ways(data) for name, data in encoded.items()}
    funnels = {
        name: {way: data.judged(index, "cosine") for way, index in indexes[name].items()}
        for name, data in encoded.items()
    }
    return [
        misuse(plain["papers, encoder"], settings.seed),
        chosen(sets, settings.seed),
        adds_up({**sets, **encoded}, funnels),
        swapped(encoded, indexes, funnels, settings.seed),
        cones(sets, settings.seed),
    ]


def sources(settings: Settings) -> dict[str, Labelled]:
    """The five sets as they are."""
    random = np.random.default_rng(settings.seed)
    per_category, news, tasks = (40, 600, 60) if settings.quick else (150, 2_000, 164)
    model = load("minilm")
    papers = list(datasets.records("papers_ir"))
    primary = np.array([str(paper["primary"]) for paper in papers])
    most = [
        name for name, _ in sorted(Counter(primary.tolist()).items(), key=lambda one: (-one[1], one[0]))[:CATEGORIES]
    ]
    kept = np.concatenate([random.permutation(np.flatnonzero(primary == name))[:per_category] for name in most])
    abstracts = [str(paper["abstract"]) for paper in papers]
    by_category = np.array([most.index(name) for name in primary[kept]])
    ag_news = datasets.classification("ag_news")
    taken = random.permutation(len(ag_news.texts))[:news]
    articles = [ag_news.texts[i] for i in taken]
    programs = [
        (number, str(row["prompt"]) + str(row["canonical_solution"]))
        for language in LANGUAGES
        for number, row in enumerate(list(datasets.records("humanevalpack", language))[:tasks])
    ]
    texts = [abstracts[i] for i in kept]
    vectors = {
        "papers, encoder": (encode(model, abstracts, progress=settings.progress)[kept], by_category),
        "papers, words": (counts([tokens(text) for text in texts]), by_category),
        "news, encoder": (encode(model, articles, progress=settings.progress), ag_news.labels[taken]),
        "news, words": (counts([tokens(text) for text in articles]), ag_news.labels[taken]),
        "programs, trigrams": (
            counts([trigrams(text) for _, text in programs]),
            np.array([one for one, _ in programs]),
        ),
    }
    return {name: divided(points, labels, random) for name, (points, labels) in vectors.items()}


def trigrams(text: str) -> list[str]:
    """All runs of three characters."""
    return [text[i : i + 3] for i in range(len(text) - 2)]


def counts(texts: Sequence[Sequence[str]]) -> Float32:
    """How often each text has each of the features that most texts have, float32 (n, 512); lengths are not evened."""
    frequency = Counter(feature for text in texts for feature in {*text})
    known = sorted(frequency, key=lambda feature: (-frequency[feature], feature))[:FEATURES]
    column = {feature: place for place, feature in enumerate(known)}
    found = np.zeros((len(texts), len(known)), np.float32)
    for row, text in enumerate(texts):
        for feature in text:
            if feature in column:
                found[row, column[feature]] += 1
    return found


def divided(vectors: Float32, labels: Int64, random: np.random.Generator) -> Labelled:
    """A fifth are queries."""
    order = random.permutation(len(vectors))
    asked, rest = order[: len(order) // 5], order[len(order) // 5 :]
    return Labelled(vectors[rest], vectors[asked], labels[rest], labels[asked])


def variants(data: Labelled, seed: int) -> dict[str, Labelled]:
    """As it is, at length 1, with an offset, and scaled."""
    far = offset(data.items)
    return {
        "raw": data,
        "unit": data.like(normalise),
        "offset": data.like(lambda vectors: vectors + far),
        "scaled": data.like(scaling(seed)),
    }


def offset(items: Float32) -> Float32:
    """30 mean lengths along the mean, float32 (d,)."""
    mean = items.mean(axis=0, dtype=np.float64)
    length = np.linalg.norm(items.astype(np.float64), axis=1).mean()
    far: Float32 = (30 * length * mean / np.linalg.norm(mean)).astype(np.float32)
    return far


def scaling(seed: int) -> Callable[[Float32], Float32]:
    """Each vector times a lognormal factor of its own."""
    random = np.random.default_rng(seed)

    def change(vectors: Float32) -> Float32:
        factors = random.lognormal(sigma=0.5, size=(len(vectors), 1)).astype(np.float32)
        scaled: Float32 = vectors * factors
        return scaled

    return change


def ways(data: Labelled) -> dict[str, Searches]:
    """Indexes that miss something, under cosine."""
    graph, mean = GraphIndex(data.items), data.items.mean(axis=0)
    signs = HammingIndex(binary.encode(data.items, mean))

    def walk(beam: int) -> Through:
        return Through(lambda queries, k: graph.search(queries, k, beam=beam))

    def shortened(d: int) -> Through:
        projection = fit_pca(data.items, d)
        short = ExactIndex(projection.items(data.items))
        return Through(lambda queries, k: short.search(projection.queries(queries), k))

    return {
        **{f"graph, beam {beam}": walk(beam) for beam in (10, 20)},
        **{f"{d} components": shortened(d) for d in (16, 32, 64, 128)},
        "signs": Through(lambda queries, k: signs.search(binary.encode(queries, mean), k)),
    }


def misuse(data: Labelled, seed: int) -> Claim:
    """Claim 1."""
    far, scale = offset(data.items), scaling(seed)
    spoilt = data.like(lambda vectors: scale(vectors + far))
    unit = spoilt.like(normalise)
    centre, coarse = unit.items.mean(axis=0), spoilt.items.mean(axis=0)
    repaired = unit.like(lambda vectors: vectors - centre).value("cosine")
    without = spoilt.like(lambda vectors: vectors - coarse).value("cosine")
    before = data.value("l2")
    dot = spoilt.judged(GraphIndex(spoilt.items, metric="dot"), "dot")
    return claim(
        1,
        INFO.claims[0],
        "exact inner product: label recall@10 < .3 of Euclidean before; its graph: synthetic recall >= .99; cosine of "
        "unit vectors about their mean >= .9",
        dot.exact["dot"] < 0.3 * before and dot.synthetic >= 0.99 and repaired >= 0.9 * before,
        measured={
            "inner product": dot.exact["dot"],
            "graph, label recall": dot.found,
            "graph, synthetic recall": dot.synthetic,
            "unit, centred, cosine": repaired,
        },
        baseline={
            "Euclidean before": before,
            "Euclidean": dot.exact["l2"],
            "cosine": dot.exact["cosine"],
            "centred at their lengths, cosine": without,
        },
        note="lengths must go before the mean is taken: what is left of an offset otherwise goes with each length",
    )


def chosen(sets: Mapping[str, Labelled], seed: int) -> Claim:
    """Claim 2."""
    metrics: tuple[str, ...] = METRICS
    values = {name: {metric: data.value(metric) for metric in metrics} for name, data in sets.items()}
    advice = {name: advise(meta_features(data.items, data.labels, seed)) for name, data in sets.items()}
    shares = {
        "rules": right(values, advice),
        "always inner product": right(values, "dot"),
        "always Euclidean": right(values, "l2"),
        "always cosine": right(values, "cosine"),
    }
    open_ = {name: row for name, row in values.items() if advice[name].metric != "equivalent"}
    return claim(
        2,
        INFO.claims[1],
        "label recall@10 within .01 of the better of inner product and Euclidean for >= 80% of the 20 sets, and for "
        "more than by always taking either",
        shares["rules"] >= 0.8 and shares["rules"] > max(shares["always inner product"], shares["always Euclidean"]),
        measured={
            "rules": shares["rules"],
            "rules, where metrics differ": right(open_, advice),
            **{
                f"{name}: {advice[name].metric}": row["l2" if advice[name].metric == "l2" else "dot"]
                for name, row in values.items()
            },
        },
        baseline={
            **{name: share for name, share in shares.items() if name != "rules"},
            "always Euclidean, where metrics differ": right(open_, "l2"),
            **{f"{name}: {metric}": row[metric] for name, row in open_.items() for metric in METRICS},
        },
        note=f"in {len(values) - len(open_)} of {len(values)} sets all lengths are 1 and any metric will do; cosine, "
        "which the rules do not know, is held to the same mark",
    )


def right(values: Mapping[str, Mapping[str, float]], picked: Mapping[str, Advice] | str) -> float:
    """The share of sets for which a metric is picked that is nearly the better of inner product and Euclidean."""
    held = []
    for name, row in values.items():
        metric = picked if isinstance(picked, str) else picked[name].metric
        best = max(row["dot"], row["l2"])
        held.append((best if metric == "equivalent" else row[metric or "l2"]) >= best - 0.01)
    return float(np.mean(held))


def adds_up(sets: Mapping[str, Labelled], funnels: Mapping[str, Mapping[str, Funnel]]) -> Claim:
    """Claim 3."""
    every = [found for row in funnels.values() for found in row.values()]
    for data in sets.values():
        half = halved(data)
        for task in (data.task, NeighbourAccuracy(data.asked, data.labels)):
            every.extend(funnel(half, data.exact, metric, data.queries, PLACES, task) for metric in METRICS)
    errors = [abs(found.loss - found.embedding_loss - found.metric_loss - found.index_loss) for found in every]
    return claim(
        3,
        INFO.claims[2],
        "the three parts add up to the loss, to 1e-9, for each set, index, metric and task",
        max(errors) <= 1e-9,
        measured={"largest error": max(errors), "funnels": len(errors)},
        note="an identity: it can only fail by a mistake",
    )


def halved(data: Labelled) -> Through:
    """Search that knows every other item only."""
    half = np.arange(len(data.items)) % 2 == 0
    return Through(lambda queries, k: data.exact["dot"].search(queries, k, where=half))


def swapped(
    sets: Mapping[str, Labelled],
    indexes: Mapping[str, Mapping[str, Searches]],
    funnels: Mapping[str, Mapping[str, Funnel]],
    seed: int,
) -> Claim:
    """Claim 4."""
    pairs, exact = {}, {}
    for name, data in sets.items():
        exact[name], served = data.value("cosine"), {}
        for way, index in indexes[name].items():
            gained, possible = data.task.parts(retrieved(index, data.queries, PLACES))
            served[way] = gained / possible
        for more, fewer in permutations(served, 2):
            if funnels[name][more].synthetic >= funnels[name][fewer].synthetic + 0.05:
                gain = paired_bootstrap(served[fewer], served[more], confidence=0.99, seed=seed)
                if gain.low > 0:
                    pairs[f"{name}: {fewer} over {more}"] = gain.value
    return claim(
        4,
        INFO.claims[3],
        "a pair of which one has synthetic recall lower by .05 and label recall@10 higher, with a 99% interval above 0",
        bool(pairs),
        measured={**{f"gain, {name}": gain for name, gain in pairs.items()}, **shown(funnels, "found")},
        baseline={f"{name}, synthetic": value for name, value in shown(funnels, "synthetic").items()},
        note=f"label recall@10 of exact search: {', '.join(f'{name} {value:.3f}' for name, value in exact.items())}",
    )


def shown(funnels: Mapping[str, Mapping[str, Funnel]], number: str) -> dict[str, float]:
    """One number of all funnels."""
    return {f"{name}, {way}": getattr(one, number) for name, row in funnels.items() for way, one in row.items()}


def cones(sets: Mapping[str, Labelled], seed: int) -> Claim:
    """Claim 5."""
    angles = {name: relative_angle(data.items) for name, data in sets.items()}
    random = np.random.default_rng(seed).normal(size=(2_000, 64))
    far = {name: angle for name, angle in angles.items() if name.endswith("offset")}
    gaussian = relative_angle(random)
    return claim(
        5,
        INFO.claims[4],
        "mean angle to the mean < 10 degrees after the offset, for each set; > 60 for Gaussian data",
        max(far.values()) < 10 and gaussian > 60,
        measured={**far, "Gaussian": gaussian},
        baseline={name: angle for name, angle in angles.items() if name.endswith("raw")},
    )
