"""Evaluate a run against judgments: every metric for every query, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similia.errors import InputError
from similia.evaluate.judged import Judged, Qrels, Run, judge, judge_hits
from similia.evaluate.metrics import average_precision, ndcg, precision, recall, reciprocal_rank
from similia.evaluate.metrics._gains import Float64
from similia.evaluate.statistics import Interval, bootstrap_interval
from similia.types import Hits

DEFAULT_METRICS = ("ndcg@10", "map", "mrr", "recall@100")


def _exponential(gains: Float64, ideal: Float64, k: int | None) -> Float64:
    return ndcg(gains, ideal, k, gain="exponential")


GRADED: Mapping[str, Callable[[Float64, Float64, int | None], Float64]] = {"ndcg": ndcg, "ndcg_exp": _exponential}
BINARY: Mapping[str, Callable[[Float64, Float64, int | None], Float64]] = {
    "map": average_precision,
    "mrr": reciprocal_rank,
    "precision": precision,
    "recall": recall,
}


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metric values of one run, query by query.

    Attributes:
        metrics: (m,) names, as asked for.
        queries: (q,) names.
        values: float64 (m, q); NaN for a query for which nothing is relevant, which no mean counts.
    """

    metrics: tuple[str, ...]
    queries: tuple[str, ...]
    values: Float64

    def __getitem__(self, metric: str) -> Float64:
        """The values (q,) of one metric."""
        if metric not in self.metrics:
            raise InputError(f"{metric!r} was not evaluated; there are {', '.join(self.metrics)}")
        row: Float64 = self.values[self.metrics.index(metric)]
        return row

    def __iter__(self) -> Iterator[tuple[str, float]]:
        """Each metric with its mean."""
        for metric in self.metrics:
            yield metric, self.mean(metric)

    def mean(self, metric: str) -> float:
        """The mean over the queries that have a value; NaN if none has."""
        values = self[metric]
        known = values[~np.isnan(values)]
        return float(known.mean()) if known.size else float("nan")

    def interval(self, metric: str, *, confidence: float = 0.95, seed: int = 0) -> Interval:
        """The mean with its bootstrap interval over queries."""
        return bootstrap_interval(self[metric], confidence=confidence, seed=seed)

    def to_dict(self, *, intervals: bool = False, seed: int = 0) -> dict[str, Any]:
        """Metric -> mean, or mean, low, high; JSON-ready."""
        if not intervals:
            return dict(self)
        return {metric: self.interval(metric, seed=seed).to_dict() for metric in self.metrics}


def evaluate(
    run: Run, qrels: Qrels, metrics: Sequence[str] = DEFAULT_METRICS, *, relevant_from: float | None = None
) -> Evaluation:
    """Evaluate ``run`` on every query of ``qrels``.

    Args:
        run: query -> item -> score, higher is better; ties are broken by item name.
        qrels: query -> item -> grade; above 0 is relevant.
        metrics: ``name`` or ``name@k`` with name one of ndcg, ndcg_exp (gain 2^grade - 1), map, mrr, precision, recall.
        relevant_from: the grade from which map, mrr, precision and recall call an item relevant; above 0 where None.

    Raises:
        InputError: no queries, an unknown metric, a cut below 1.

    Examples:
        >>> found = evaluate({"q": {"a": 3.0, "b": 2.0}}, {"q": {"b": 1}}, ["mrr", "ndcg@10"])
        >>> {name: round(value, 4) for name, value in found}
        {'mrr': 0.5, 'ndcg@10': 0.6309}
    """
    return evaluate_judged(judge(run, qrels), metrics, relevant_from=relevant_from)


def evaluate_hits(
    hits: Hits,
    qrels: Qrels,
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    queries: Sequence[str],
    items: Sequence[str],
    relevant_from: float | None = None,
) -> Evaluation:
    """Evaluate search results that are arrays; ``queries`` names the rows, ``items`` the ids. See `evaluate`.

    Examples:
        >>> found = Hits(np.array([[0, 1]]), np.array([[3.0, 2.0]]))
        >>> evaluate_hits(found, {"q": {"b": 1}}, ["mrr"], queries=["q"], items=["a", "b"]).mean("mrr")
        0.5
    """
    return evaluate_judged(judge_hits(hits, qrels, queries=queries, items=items), metrics, relevant_from=relevant_from)


def evaluate_judged(judged: Judged, metrics: Sequence[str], *, relevant_from: float | None = None) -> Evaluation:
    """Evaluate arrays that are judged already; see `evaluate`."""
    if isinstance(metrics, str) or not metrics:
        raise InputError(f"metrics is {metrics!r}; expected a list of names such as {list(DEFAULT_METRICS)}")
    binary = judged if relevant_from is None else judged.binary(relevant_from)
    rows = []
    for metric in metrics:
        name, k = parse_metric(metric)
        if name in GRADED:
            rows.append(GRADED[name](judged.gains, judged.ideal, k))
        else:
            rows.append(BINARY[name](binary.gains, binary.ideal, k))
    return Evaluation(tuple(metrics), judged.queries, np.stack(rows))


def parse_metric(metric: str) -> tuple[str, int | None]:
    """Split ``name@k``.

    Raises:
        InputError: an unknown name, or a k that is not a whole number above 0.

    Examples:
        >>> parse_metric("ndcg@10")
        ('ndcg', 10)
    """
    name, at, cut = metric.partition("@")
    if name not in GRADED and name not in BINARY:
        raise InputError(f"metric {metric!r} is not known; there are {', '.join(sorted([*GRADED, *BINARY]))}, each @k")
    if not at:
        return name, None
    if not cut.isdecimal() or int(cut) < 1:
        raise InputError(f"metric {metric!r}: what follows @ must be a whole number above 0")
    return name, int(cut)
