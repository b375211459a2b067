"""Several ways to search on the same queries and judgments: means, tests, and what happened query by query."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from similia.errors import InputError
from similia.evaluate.judged import Judged, Qrels, Run, judge
from similia.evaluate.metrics._gains import Float64
from similia.evaluate.report import Report, Row, compare
from similia.evaluate.run import DEFAULT_METRICS, Evaluation, evaluate_judged
from similia.evaluate.statistics import Interval
from similia.types import Int64

JUDGED_AT = 10
"""Places of which it is told how many are judged: what is not judged counts as not relevant, and may be."""
DEPTHS = (1, 2, 3, 5, 10, 20, 30, 50, 100, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)


@dataclass(frozen=True, eq=False)
class Trial:
    """Runs on the same queries. The first is what the others are tested against.

    Attributes:
        texts: query -> what was asked, in order, (q,).
        relevant: int64 (q,) how many items are relevant to each query.
        evaluations: run -> metric values, query by query; NaN where nothing is relevant.
        report: means with intervals, and tests. With fewer than two queries that count, the ends of intervals are NaN.
        first: run -> int64 (q,) rank of the first relevant item, 0 where none is found.
        judged: run -> float64 (q,) share of the first 10 results that are judged; NaN where nothing is found.
        recall: run -> depth -> mean recall at it.
        runs: run -> query -> item -> score, as they were given.
    """

    texts: Mapping[str, str]
    relevant: Int64
    evaluations: Mapping[str, Evaluation]
    report: Report
    first: Mapping[str, Int64]
    judged: Mapping[str, Float64]
    recall: Mapping[str, Mapping[int, float]]
    runs: Mapping[str, Run]

    @property
    def counted(self) -> int:
        """How many queries have a relevant item, and so are part of the means."""
        return int((self.relevant > 0).sum())

    @property
    def metrics(self) -> tuple[str, ...]:
        """What was measured; the first is what queries are ordered by."""
        return self.report.metrics

    @property
    def baseline(self) -> str:
        """The name of the first run."""
        return next(iter(self.evaluations))

    def differences(self, name: str, metric: str | None = None) -> Float64:
        """By how much each query is better than in the first run, (q,); NaN where nothing is relevant."""
        metric = metric or self.metrics[0]
        difference: Float64 = self.evaluations[name][metric] - self.evaluations[self.baseline][metric]
        return difference

    def changed(self, name: str, count: int = 10) -> tuple[list[str], list[str]]:
        """The queries that a run answers better than the first, and those that it answers worse; most changed first."""
        difference, queries = self.differences(name), list(self.texts)
        order = np.argsort(-difference, kind="stable")  # NaN goes last
        better = [queries[at] for at in order if difference[at] > 0]
        worse = [queries[at] for at in np.argsort(difference, kind="stable") if difference[at] < 0]
        return better[:count], worse[:count]

    def hardest(self, count: int = 10) -> list[str]:
        """The queries that even the best run answers worst, by the first metric."""
        values = np.stack([evaluation[self.metrics[0]] for evaluation in self.evaluations.values()])
        order = np.lexsort((values.mean(axis=0), values.max(axis=0)))
        queries = list(self.texts)
        return [queries[at] for at in order if self.relevant[at] > 0][:count]

    def rows(self) -> list[dict[str, Any]]:
        """One row a query and run: query, text, setting, relevant, first_relevant, judged@10 and the metrics."""
        return [
            {
                "query": query,
                "text": text,
                "setting": name,
                "relevant": int(self.relevant[at]),
                "first_relevant": int(self.first[name][at]) or None,
                f"judged@{JUDGED_AT}": _number(self.judged[name][at]),
                **{metric: _number(evaluation[metric][at]) for metric in self.metrics},
            }
            for at, (query, text) in enumerate(self.texts.items())
            for name, evaluation in self.evaluations.items()
        ]


def try_out(
    runs: Mapping[str, Run],
    texts: Mapping[str, str],
    qrels: Qrels,
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    relevant_from: float | None = None,
    depth: int = 100,
    seed: int = 0,
) -> Trial:
    """Measure runs on the same queries, and tell how they differ.

    Args:
        runs: name -> query -> item -> score; a query that one does not answer found nothing.
        texts: query -> what was asked; these queries are measured.
        qrels: query -> item -> grade; above 0 is relevant. Queries that are not asked are left out.
        metrics: as in `similia.evaluate.evaluate`.
        relevant_from: the grade from which an item is relevant, for all but nDCG.
        depth: how deep the runs are, for recall by depth.
        seed: for the intervals and the tests.

    Raises:
        InputError: nothing to compare, no query, a query without judgments, no relevant item, or an unknown metric.

    Examples:
        >>> runs = {"one": {"q": {"a": 2.0, "b": 1.0}, "r": {}}, "two": {"q": {"b": 2.0}, "r": {"c": 1.0}}}
        >>> trial = try_out(runs, {"q": "tea", "r": "jazz"}, {"q": {"b": 1}, "r": {"c": 1, "d": 0}}, ["mrr"])
        >>> trial.evaluations["one"].mean("mrr"), trial.first["two"].tolist(), trial.changed("two")[0]
        (0.25, [1, 1], ['r', 'q'])
    """
    if not runs:
        raise InputError("there is no run to measure")
    if lost := [query for query in texts if query not in qrels]:
        raise InputError(f"query {lost[0]!r:.80} is not judged; measure only queries that are")
    asked = {query: qrels[query] for query in texts}
    least = np.nextafter(0, 1) if relevant_from is None else relevant_from
    relevant = np.array([sum(grade >= least for grade in one.values()) for one in asked.values()], np.int64)
    if not relevant.any():
        grades = "above 0" if relevant_from is None else f"of at least {relevant_from:g}"
        raise InputError(f"no query has a relevant item, one with a grade {grades}, so there is nothing to measure")
    judged = {name: judge(run, asked) for name, run in runs.items()}
    binary = {name: one.binary(least) for name, one in judged.items()}
    evaluations = {name: evaluate_judged(one, metrics, relevant_from=relevant_from) for name, one in judged.items()}
    return Trial(
        dict(texts),
        relevant,
        evaluations,
        _report(evaluations, int((relevant > 0).sum()), seed),
        {name: _first(one) for name, one in binary.items()},
        {name: _judged_share(run, asked) for name, run in runs.items()},
        {name: _recall(one, relevant, depth) for name, one in binary.items()},
        dict(runs),
    )


def _report(evaluations: Mapping[str, Evaluation], counted: int, seed: int) -> Report:
    if counted > 1:
        return compare(evaluations, seed=seed)
    nothing = float("nan")  # one value says nothing of how others would be
    metrics = next(iter(evaluations.values())).metrics
    rows = [
        Row(name, {m: Interval(one.mean(m), nothing, nothing, 0.95) for m in metrics}, {}, {})
        for name, one in evaluations.items()
    ]
    return Report(metrics, tuple(rows))


def _first(binary: Judged) -> Int64:
    hit = binary.gains > 0
    if not hit.shape[1]:
        return np.zeros(len(hit), np.int64)
    return np.where(hit.any(axis=1), hit.argmax(axis=1) + 1, 0).astype(np.int64)


def _judged_share(run: Run, qrels: Qrels) -> Float64:
    shares = np.full(len(qrels), np.nan)
    for at, (query, grades) in enumerate(qrels.items()):
        best = heapq.nsmallest(JUDGED_AT, run.get(query, {}).items(), key=lambda pair: (-pair[1], pair[0]))
        if best:
            shares[at] = np.mean([item in grades for item, _ in best])
    return shares


def _recall(binary: Judged, relevant: Int64, depth: int) -> dict[int, float]:
    counted = relevant > 0
    found = np.cumsum(binary.gains[counted] > 0, axis=1)
    width = found.shape[1]
    return {
        at: float((found[:, min(at, width) - 1] / relevant[counted]).mean()) if width else 0.0
        for at in DEPTHS
        if at <= depth
    }


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
