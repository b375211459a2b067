"""Lbl2TransformerVec: articles get topics from keywords alone; the documents that the keywords find define the topics.

AG News (test split), keywords written from the class names before the data was looked at. Baselines: the same keywords
without re-estimation, and in a space of latent semantic analysis. The number of documents that stand for a class is the
default of ``SeededPrototypes`` (10 % of the pool), the same for all claims. The quick sample takes 1,000 articles.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from similia.atlas.lsa import LatentSemanticAnalysis
from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.classify import SeededPrototypes, encode_classes, encode_long, nearest
from similia.encode import load
from similia.evaluate import Interval, bootstrap_statistic, datasets, f1
from similia.types import Float32, Int64, MultiVector

INFO = SystemInfo(
    number=4,
    name="Lbl2TransformerVec",
    title="Text classification with no labels, from a few keywords a class and unlabelled documents",
    paper="Schopf, Braun and Matthes, Evaluating Unsupervised Text Classification: Zero-shot and Similarity-based "
    "Approaches (NLPIR 2022)",
    status="complete",
    rooms=("encode", "classify", "evaluate"),
    claims=(
        "Sentence vectors beat latent semantic analysis on the same keywords",
        "Class vectors re-estimated from retrieved documents beat the keywords themselves",
        "Re-estimation repairs bare class names",
        "The authors' default, one document a class, is worse than no re-estimation",
    ),
    data=("ag_news",),
)
KEYWORDS = {
    "World": "international politics; government; president; prime minister; war; military; election; diplomacy; "
    "peace talks; terrorism; foreign affairs; United Nations",
    "Sports": "sports; football; basketball; baseball; tennis; golf; soccer; Olympic Games; team; coach; championship; "
    "league match",
    "Business": "business; economy; company; stock market; shares; profit; earnings; bank; trade; oil prices; merger; "
    "investors",
    "Sci/Tech": "science; technology; computer; software; internet; web; space; research; scientists; mobile phone; "
    "video games; digital",
}
WORDS = 128
"""Words to a piece of a long text: half of what the encoder reads, as the authors have it."""


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    data = datasets.classification("ag_news")
    texts, truth = data.texts, data.labels
    if settings.quick:
        chosen = np.sort(np.random.default_rng(settings.seed).choice(len(texts), 1_000, replace=False))
        texts, truth = tuple(texts[i] for i in chosen), truth[chosen]
    model = load("minilm")

    def sentences(given: Sequence[str]) -> Float32:
        return encode(model, given, progress=settings.progress)

    items = encode_long(texts, sentences, words=WORDS)
    seeds = seeds_of(KEYWORDS, sentences)
    names = seeds_of({name: name for name in data.classes}, sentences)
    latent = LatentSemanticAnalysis(seed=settings.seed).fit(texts)
    labels = {
        "LSA": nearest(latent.encode(texts), middles(seeds_of(KEYWORDS, latent.encode))).labels,
        "keywords": nearest(items, middles(seeds)).labels,
        "re-estimated": fitted(items, seeds),
        "re-estimated, outliers dropped": fitted(items, seeds, clean=True),
        "names": nearest(items, middles(names)).labels,
        "re-estimated from names": fitted(items, names),
        "one document a class": fitted(items, seeds, selection="offset", offset=0.0),
        "offset .3": fitted(items, seeds, selection="offset", offset=0.3),
        "other half": across(items, seeds, settings.seed),
    }
    score = {name: f1(truth, predicted) for name, predicted in labels.items()}
    ceiling = f1(truth, nearest(items, np.stack([items[truth == c].mean(axis=0) for c in range(4)])).labels)

    def gain(name: str, over: str) -> Interval:
        a, b = labels[name], labels[over]
        return bootstrap_statistic(
            lambda at: f1(truth[at], a[at]) - f1(truth[at], b[at]), truth.size, seed=settings.seed
        )

    first, second, third, fourth = (
        gain("keywords", "LSA"),
        gain("re-estimated", "keywords"),
        gain("re-estimated from names", "names"),
        gain("one document a class", "keywords"),
    )
    return [
        claim(
            1,
            INFO.claims[0],
            "macro F1 of keywords in sentence space - in LSA space >= .08",
            first.value >= 0.08,
            measured={"keywords, minilm": score["keywords"], **shown("gain", first)},
            baseline={"keywords, LSA": score["LSA"]},
            note="128 dimensions, words weighed by sublinear tf-idf",
        ),
        claim(
            2,
            INFO.claims[1],
            "macro F1 - that of the keywords >= .02, and the interval of the paired bootstrap excludes 0",
            second.value >= 0.02 and second.low > 0,
            measured={
                "re-estimated": score["re-estimated"],
                "re-estimated, outliers dropped": score["re-estimated, outliers dropped"],
                "re-estimated, offset .3": score["offset .3"],
                "fitted on one half, measured on the other": score["other half"],
                **shown("gain", second),
            },
            baseline={"keywords": score["keywords"], "class means, from the labels": ceiling},
        ),
        claim(
            3,
            INFO.claims[2],
            "macro F1 from class names - that of the names themselves >= .10",
            third.value >= 0.10,
            measured={"re-estimated from names": score["re-estimated from names"], **shown("gain", third)},
            baseline={"names": score["names"]},
        ),
        claim(
            4,
            INFO.claims[3],
            "macro F1 with offset 0 below that of the keywords",
            fourth.value < 0,
            measured={"one document a class": score["one document a class"], **shown("gain", fourth)},
            baseline={"keywords": score["keywords"]},
        ),
    ]


def seeds_of(classes: Mapping[str, str], encoder: object) -> MultiVector:
    """The vectors of each class's keywords, which are separated by semicolons."""
    split = {name: [word.strip() for word in words.split(";")] for name, words in classes.items()}
    return encode_classes(split, encoder)[1]  # type: ignore[arg-type]


def middles(seeds: MultiVector) -> Float32:
    """The mean keyword vector of each class: the baseline that stops there."""
    return np.stack([part.mean(axis=0) for part in seeds])


def fitted(items: Float32, seeds: MultiVector, **parameters: object) -> Int64:
    """Labels of the pool that the classes were found in."""
    return SeededPrototypes(**parameters).fit(items, seeds).predict(items).labels  # type: ignore[arg-type]


def across(items: Float32, seeds: MultiVector, seed: int) -> Int64:
    """Labels of each half from classes that were found in the other."""
    half = np.random.default_rng(seed).permutation(len(items)) < len(items) // 2
    labels = np.empty(len(items), np.int64)
    for mine in (half, ~half):
        labels[mine] = SeededPrototypes().fit(items[~mine], seeds).predict(items[mine]).labels
    return labels


def shown(name: str, interval: Interval) -> dict[str, float]:
    """An interval as numbers of a claim."""
    return {name: interval.value, f"{name}, low": interval.low, f"{name}, high": interval.high}
