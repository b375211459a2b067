"""Cosine Adapter: probabilities of relevance from cosines, by a curve that depends on the query.

Questions of MedQuAD (folders 2 to 6), the 100 answers nearest to each, relevant where the focus (the disease, the gene)
is the same. Foci are parted: 60 % to train on, 10 % to choose the form of the curve and the threshold on, 30 % to test.
Answers that are about the focus in other words count as irrelevant. Second, TREC QA: sentences that were judged for a
question, too few questions for more than calibration. The quick sample takes the foci of 250 answers, and no TREC QA.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from similia.atlas.registry import Settings, SystemInfo
from similia.atlas.result import Claim, claim
from similia.atlas.vectors import encode
from similia.encode import load
from similia.evaluate import datasets
from similia.evaluate.metrics.calibration import brier_score, calibration_error
from similia.evaluate.metrics.pooled import operating_point, pooled_average_precision
from similia.index import ExactIndex
from similia.rank.calibration import Calibrator, score_features
from similia.rank.calibration.adapter import Family
from similia.rank.calibration.calibrator import Kind
from similia.types import Bool, Float32, Int64

INFO = SystemInfo(
    number=12,
    name="Cosine Adapter",
    title="A map from cosine to probability that depends on the query, so that one threshold cuts every list",
    paper="Rossi, Lin, Liu, Yang, Lee, Magnani, Liao, Relevance Filtering for Embedding-based Retrieval (CIKM 2024)",
    status="complete",
    rooms=("encode", "index", "rank", "evaluate"),
    claims=(
        "One threshold on the adapter's probabilities is better than one on cosines or on scores standardised by query",
        "At 95 % of the recall the adapter filters no less than the raw cosine, and not less precisely",
        "The ranking of each query stays as it is",
        "The probabilities are calibrated for topics that were not trained on",
        "A curve without the query leaves the pooled ranking as it is",
    ),
    data=("medquad_pairs", "trecqa"),
)
FOLDERS = "23456"
DEPTH = 100
QUERIES = 3_600
FAMILIES: tuple[Family, ...] = ("linear", "sqrt", "quadratic", "power")
Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lists:
    """Candidates of q queries: scores (q, k) best first, labels (q, k), query vectors (q, d), and foci (q,)."""

    scores: Float32
    labels: Float64
    vectors: Float32
    focus: Int64
    recall: float = 0.0

    def part(self, chosen: Bool) -> Lists:
        """Some of the queries."""
        return replace(
            self,
            scores=self.scores[chosen],
            labels=self.labels[chosen],
            vectors=self.vectors[chosen],
            focus=self.focus[chosen],
        )

    def features(self, statistics: bool) -> Float64:
        """The query vector, with the statistics of the list or without."""
        own = self.vectors.astype(np.float64)
        return np.hstack([own, score_features(self.scores)]) if statistics else own


class Parts(NamedTuple):
    """Queries of three sets of foci."""

    train: Lists
    validation: Lists
    test: Lists


def run(settings: Settings) -> list[Claim]:
    """See the module."""
    found = lists(settings)
    parts = split(found, settings.seed)
    odds, validation = models(parts, settings.seed)
    raw = parts.test.scores.astype(np.float64)
    family = max(FAMILIES, key=lambda name: pooled_average_precision(validation[name], parts.validation.labels))
    scores = {
        **odds,
        "cosine": raw,
        "z-score of the list": standardised(raw),
        "rank": np.broadcast_to(-np.arange(raw.shape[1], dtype=np.float64), raw.shape),
    }
    labels = parts.test.labels
    precision = {name: pooled_average_precision(values, labels) for name, values in scores.items()}
    note = (
        f"{len(raw):,} test queries of {np.unique(parts.test.focus).size:,} foci; {labels.sum() / len(raw):.1f} "
        f"relevant of {raw.shape[1]} candidates a query; the adapter sees the query vector; "
        f"form chosen on validation: {family}"
    )
    return [
        better_than_one_cut(precision, family, parts.test.recall, note),
        filtered(scores, labels, family),
        ranking_untouched(scores, raw),
        calibrated(odds, labels, family, {} if settings.quick else on_sentences(settings)),
        same_without_query(precision),
    ]


# -- data


def lists(settings: Settings) -> Lists:
    """Questions and the answers nearest to each."""
    table = list(datasets.records("medquad_pairs"))
    random = np.random.default_rng(settings.seed)
    names, focus = np.unique([row["focus"].casefold() or row["document"] for row in table], return_inverse=True)
    kept = np.array([row["source"][0] in FOLDERS for row in table])
    if settings.quick:
        order = random.permutation(names.size)[focus]
        kept &= order < np.sort(order[kept])[250]
        table, focus, kept = [row for row, keep in zip(table, kept, strict=True) if keep], focus[kept], kept[kept]
    encoder = load("minilm")
    # All answers are encoded in their order, for the folder of vectors knows those of other systems by it.
    answers = encode(encoder, [row["answer"] for row in table], progress=settings.progress)[kept]
    focus = focus[kept]
    asked = [row["question"] for row, keep in zip(table, kept, strict=True) if keep]
    first = np.unique(asked, return_index=True)[1]  # a question that is asked twice is one query
    chosen = np.sort(random.choice(first, min(QUERIES, first.size), replace=False))
    vectors = encode(encoder, [asked[i] for i in chosen], side="query", progress=settings.progress)
    hits = ExactIndex(answers).search(vectors, min(DEPTH, len(answers)))
    labels = (focus[hits.ids] == focus[chosen][:, None]).astype(np.float64)
    wanted = np.bincount(focus)[focus[chosen]]
    return Lists(hits.scores, labels, vectors, focus[chosen], float((labels.sum(axis=1) / wanted).mean()))


def sentences(split: str, settings: Settings) -> tuple[Float64, Float64]:
    """Cosines of the questions of TREC QA and the sentences judged for each, and labels; (q, k), best first."""
    data = datasets.retrieval("trecqa", split)
    encoder = load("minilm")
    items = encode(encoder, data.documents, progress=settings.progress)
    asked = encode(encoder, data.queries, side="query", progress=settings.progress)
    place = {name: at for at, name in enumerate(data.document_ids)}
    widest = max(len(grades) for grades in data.qrels.values())
    scores, labels = (np.full((len(asked), widest), fill) for fill in (-np.inf, np.nan))
    for row, name in enumerate(data.query_ids):
        cosines = items[[place[item] for item in data.qrels[name]]] @ asked[row]
        order = np.argsort(-cosines, kind="stable")
        scores[row, : order.size] = cosines[order]
        labels[row, : order.size] = np.array([*data.qrels[name].values()])[order] > 0
    return scores, labels


def split(found: Lists, seed: int) -> Parts:
    """By focus: 60 %, 10 % and 30 % of the foci."""
    foci = np.random.default_rng(seed + 1).permutation(np.unique(found.focus))
    place = np.searchsorted(np.sort(foci), found.focus)
    share = (np.argsort(foci) / foci.size)[place]
    return Parts(found.part(share < 0.6), found.part((share >= 0.6) & (share < 0.7)), found.part(share >= 0.7))


# -- models


def models(parts: Parts, seed: int) -> tuple[dict[str, Float64], dict[str, Float64]]:
    """Log-odds of the test lists, and of the validation lists, by each calibrator."""
    test: dict[str, Float64] = {}
    validation: dict[str, Float64] = {}
    curves: tuple[Kind, ...] = ("platt", "isotonic")
    for kind in curves:
        curve = Calibrator(kind).fit(parts.train.scores, parts.train.labels)
        test[kind], validation[kind] = (curve.log_odds(part.scores) for part in (parts.test, parts.validation))
    for family in FAMILIES:
        for statistics in (False, True) if family == "power" else (False,):
            adapter = Calibrator("adapter", family=family, seed=seed)
            adapter.fit(
                parts.train.scores, parts.train.labels, parts.train.features(statistics), groups=parts.train.focus
            )
            name = f"{family}, and statistics of the list" if statistics else family
            test[name], validation[name] = (
                adapter.log_odds(part.scores, part.features(statistics)) for part in (parts.test, parts.validation)
            )
    alone = Calibrator("adapter", seed=seed).fit(parts.train.scores, parts.train.labels, groups=parts.train.focus)
    name = "power, statistics of the list alone"
    test[name], validation[name] = (alone.log_odds(part.scores) for part in (parts.test, parts.validation))
    return test, validation


def standardised(scores: Float64) -> Float64:
    """Each list less its mean, over its deviation."""
    centred = scores - scores.mean(axis=1, keepdims=True)
    deviation = scores.std(axis=1, keepdims=True)
    values: Float64 = np.divide(centred, deviation, out=np.zeros_like(centred), where=deviation > 0)
    return values


def probability(odds: Float64) -> Float64:
    """The probability of log-odds."""
    values: Float64 = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
    return values


# -- claims


def better_than_one_cut(precision: Mapping[str, float], family: str, recall: float, note: str) -> Claim:
    """Claim 1."""
    adapter, raw, z = precision[family], precision["cosine"], precision["z-score of the list"]
    return claim(
        1,
        INFO.claims[0],
        "pooled average precision of the adapter >= 1.3 times that of the cosine, and > that of z-scores by query",
        adapter >= 1.3 * raw and adapter > z,
        measured={"adapter": adapter, **{name: v for name, v in precision.items() if name.startswith(FAMILIES)}},
        baseline={
            "cosine": raw,
            "z-score of the list": z,
            "rank": precision["rank"],
            "recall of the 100 candidates": recall,
        },
        note=note,
    )


def filtered(scores: Mapping[str, Float64], labels: Float64, family: str) -> Claim:
    """Claim 2."""
    points = {
        name: operating_point(values, labels, recall=0.95) for name, values in scores.items() if name != "isotonic"
    }
    ours, raw = points[family], points["cosine"]
    measured = {"adapter: P@R95": ours.precision, "adapter: filtered": ours.filtered}
    baseline: dict[str, float] = {}
    for name, point in points.items():
        side = measured if name.startswith(FAMILIES) else baseline
        side[f"{name}: P@R95"], side[f"{name}: filtered"] = point.precision, point.filtered
    return claim(
        2,
        INFO.claims[1],
        "P@R95 and the share filtered at 95 % of the relevant pairs both >= those of the cosine",
        ours.precision >= raw.precision and ours.filtered >= raw.filtered,
        measured=measured,
        baseline=baseline,
    )


def ranking_untouched(scores: Mapping[str, Float64], raw: Float64) -> Claim:
    """Claim 3: neighbours in the list fall where they fell, and are equal where they were equal."""
    step = np.sign(np.diff(raw, axis=1))
    same = {
        name: float((np.sign(np.diff(values, axis=1)) == step).all(axis=1).mean())
        for name, values in scores.items()
        if name.startswith((*FAMILIES, "platt"))
    }
    return claim(
        3,
        INFO.claims[2],
        "Kendall tau = 1 for every query and every form of the curve",
        all(share == 1.0 for share in same.values()),
        measured={f"{name}: share of queries with tau = 1": share for name, share in same.items()},
    )


def on_sentences(settings: Settings) -> dict[str, float]:
    """Calibration on TREC QA's test questions, fitted to its training questions."""
    (scores, labels), (new, truth) = (sentences(split, settings) for split in ("train", "test"))
    given = {"cosine": np.clip(new, 0, 1)}
    kinds: tuple[Kind, ...] = ("platt", "isotonic", "adapter")
    for kind in kinds:
        given[kind] = Calibrator(kind, seed=settings.seed).fit(scores, labels).transform(new).astype(np.float64)
    found = {}
    for name, values in given.items():
        found[f"TREC QA, {name}: ECE"] = calibration_error(values, truth)
        found[f"TREC QA, {name}: Brier"] = brier_score(values, truth)
        found[f"TREC QA, {name}: pooled average precision"] = pooled_average_precision(values, truth)
    return found


def calibrated(odds: Mapping[str, Float64], labels: Float64, family: str, others: Mapping[str, float]) -> Claim:
    """Claim 4."""
    given = {name: probability(values) for name, values in odds.items()}
    errors = {name: calibration_error(values, labels) for name, values in given.items()}
    wide = calibration_error(given[family], labels, binning="width")
    measured = {"adapter: ECE": errors[family], "adapter: ECE, bins of equal width": wide}
    baseline = {"share relevant": float(labels.mean())}
    for name, values in given.items():
        side = measured if name.startswith(FAMILIES) else baseline
        side[f"{name}: ECE"], side[f"{name}: Brier"] = errors[name], brier_score(values, labels)
    return claim(
        4,
        INFO.claims[3],
        "expected calibration error (15 bins of equal mass) <= .02 on foci not trained on",
        errors[family] <= 0.02,
        measured=measured | {name: value for name, value in others.items() if "cosine" not in name},
        baseline=baseline | {name: value for name, value in others.items() if "cosine" in name},
    )


def same_without_query(precision: Mapping[str, float]) -> Claim:
    """Claim 5."""
    return claim(
        5,
        INFO.claims[4],
        "pooled average precision of Platt's curve equal to that of the cosine",
        precision["platt"] == precision["cosine"],
        measured={"platt": precision["platt"]},
        baseline={"cosine": precision["cosine"], "isotonic": precision["isotonic"]},
        note="an isotonic curve makes ties, and so may differ",
    )
