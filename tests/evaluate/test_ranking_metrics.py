"""Ranking metrics against ranx, against numbers worked by hand, and as properties."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.evaluate import metrics
from similia.evaluate.run import evaluate, evaluate_hits, parse_metric
from similia.types import Hits

NAMES = {
    "ndcg@10": "ndcg@10",
    "ndcg": "ndcg",
    "ndcg_exp@5": "ndcg_burges@5",
    "map": "map",
    "map@7": "map@7",
    "mrr": "mrr",
    "mrr@3": "mrr@3",
    "precision@5": "precision@5",
    "recall@10": "recall@10",
}


def random_run(seed: int) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, int]]]:
    """Forty queries over sixty items, with distinct scores (how ties are broken is nobody's standard)."""
    random = np.random.default_rng(seed)
    run, qrels = {}, {}
    for query in range(40):
        found = random.choice(60, random.integers(1, 30), replace=False)
        scores = random.permutation(found.size) + random.random()
        run[f"q{query}"] = {f"d{d}": float(s) for d, s in zip(found, scores, strict=True)}
        judged = random.choice(60, random.integers(1, 20), replace=False)
        qrels[f"q{query}"] = {f"d{d}": int(g) for d, g in zip(judged, random.integers(0, 4, judged.size), strict=True)}
        qrels[f"q{query}"][f"d{judged[0]}"] = 2
    return run, qrels


ORACLE = """
import json, sys, ranx
runs, metrics = json.load(sys.stdin)
answers = [
    {m: dict(zip(sorted(qrels), map(float, ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), m, return_mean=False))))
     for m in metrics}
    for run, qrels in runs
]
print(json.dumps(answers))
"""


def test_agrees_with_ranx() -> None:
    runs = [random_run(seed) for seed in range(3)]
    # Compiled, ranx takes a minute to answer the first question; as plain Python, in a process of its own, it does not.
    answered = subprocess.run(
        [sys.executable, "-c", ORACLE],
        input=json.dumps([runs, list(NAMES.values())]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    for (run, qrels), theirs in zip(runs, json.loads(answered.stdout), strict=True):
        ours = evaluate(run, qrels, list(NAMES))
        for name, other in NAMES.items():
            expected = [theirs[other][query] for query in qrels]
            np.testing.assert_allclose(ours[name], expected, atol=1e-9, err_msg=name)


def test_by_hand() -> None:
    gains, ideal = np.array([[3.0, 0, 1, 0, 2]]), np.array([[3.0, 2, 2, 1]])
    dcg = 3 + 1 / np.log2(4) + 2 / np.log2(6)
    best = 3 + 2 / np.log2(3) + 2 / np.log2(4) + 1 / np.log2(5)
    assert metrics.ndcg(gains, ideal)[0] == pytest.approx(dcg / best)
    assert metrics.ndcg(gains, ideal, 1)[0] == 1.0
    exponential = (7 + 1 / 2 + 3 / np.log2(6)) / (7 + 3 / np.log2(3) + 3 / 2 + 1 / np.log2(5))
    assert metrics.ndcg(gains, ideal, gain="exponential")[0] == pytest.approx(exponential)
    assert metrics.average_precision(gains, ideal)[0] == pytest.approx((1 + 2 / 3 + 3 / 5) / 4)
    assert metrics.recall(gains, ideal, 3)[0] == 0.5
    assert metrics.precision(gains, k=3)[0] == pytest.approx(2 / 3)
    assert metrics.precision(gains, k=10)[0] == pytest.approx(0.3)
    assert metrics.reciprocal_rank(np.array([[0, 0, 0, 5.0]]))[0] == 0.25


@given(arrays(np.float64, (4, 7), elements=st.integers(0, 3)), st.integers(1, 9))
def test_the_ideal_order_is_perfect_and_the_rest_lies_below(gains: np.ndarray, k: int) -> None:
    best = -np.sort(-gains, axis=1)
    answered = best.any(axis=1)
    for metric in (metrics.ndcg, metrics.average_precision):
        np.testing.assert_allclose(metric(best, gains)[answered], 1.0)
    for metric in (metrics.ndcg, metrics.average_precision, metrics.recall, metrics.precision, metrics.reciprocal_rank):
        values = metric(gains, gains, k)
        assert (np.isnan(values) == ~answered).all()
        assert ((values[answered] >= 0) & (values[answered] <= 1 + 1e-12)).all()


@given(arrays(np.float64, (3, 6), elements=st.integers(0, 3)), st.integers(0, 4))
def test_moving_a_better_item_up_never_hurts(gains: np.ndarray, place: int) -> None:
    better = gains.copy()
    swap = better[:, place + 1] > better[:, place]
    better[swap, place], better[swap, place + 1] = gains[swap, place + 1], gains[swap, place]
    for metric in (metrics.ndcg, metrics.average_precision, metrics.reciprocal_rank):
        before, after = metric(gains, gains), metric(better, gains)
        known = ~np.isnan(before)
        assert (after[known] >= before[known] - 1e-12).all()


def test_hits_and_mappings_agree() -> None:
    run, qrels = random_run(7)
    items = [f"d{i}" for i in range(60)]
    depth = max(map(len, run.values()))
    ids, scores = np.full((40, depth), -1), np.full((40, depth), -np.inf)
    for row, found in enumerate(run.values()):
        ranked = sorted(found.items(), key=lambda pair: -pair[1])
        ids[row, : len(ranked)] = [int(name[1:]) for name, _ in ranked]
        scores[row, : len(ranked)] = [score for _, score in ranked]
    from_hits = evaluate_hits(Hits(ids, scores), qrels, list(NAMES), queries=list(run), items=items)
    np.testing.assert_allclose(from_hits.values, evaluate(run, qrels, list(NAMES)).values)


def test_queries_without_an_answer_or_a_relevant_item() -> None:
    qrels = {"found": {"a": 1}, "missing": {"a": 1}, "hopeless": {"a": 0, "b": -1}}
    result = evaluate({"found": {"a": 1.0}, "extra": {"a": 1.0}}, qrels, ["map", "ndcg@10", "mrr", "precision@1"])
    for metric in result.metrics:
        assert result[metric][:2].tolist() == [1.0, 0.0]
        assert np.isnan(result[metric][2])
        assert result.mean(metric) == 0.5


def test_grades_below_the_level_are_not_relevant_to_binary_metrics() -> None:
    run, qrels = {"q": {"a": 2.0, "b": 1.0}}, {"q": {"a": 1, "b": 2}}
    assert evaluate(run, qrels, ["mrr"]).mean("mrr") == 1.0
    strict = evaluate(run, qrels, ["mrr", "ndcg"], relevant_from=2)
    assert strict.mean("mrr") == 0.5
    assert strict.mean("ndcg") == evaluate(run, qrels, ["ndcg"]).mean("ndcg")


def test_ties_go_by_name_whatever_the_order_of_the_mapping() -> None:
    qrels = {"q": {"b": 1}}
    one = evaluate({"q": {"a": 1.0, "b": 1.0}}, qrels, ["mrr"])
    two = evaluate({"q": {"b": 1.0, "a": 1.0}}, qrels, ["mrr"])
    assert one.mean("mrr") == two.mean("mrr") == 0.5


@pytest.mark.parametrize("metric", ["ndgc", "ndcg@", "ndcg@0", "ndcg@x", "", "recall@-1"])
def test_an_unknown_metric_is_refused(metric: str) -> None:
    with pytest.raises(InputError):
        parse_metric(metric)


def test_bad_input_is_named() -> None:
    with pytest.raises(InputError, match="negative or NaN"):
        metrics.ndcg([[1.0, -1.0]], [[1.0]])
    with pytest.raises(InputError, match="k is 0"):
        metrics.recall([[1.0]], [[1.0]], 0)
    with pytest.raises(InputError, match="NaN"):
        evaluate({"q": {"a": float("nan")}}, {"q": {"a": 1}})
    with pytest.raises(InputError, match="no query"):
        evaluate({}, {})
    with pytest.raises(InputError, match="list of names"):
        evaluate({}, {"q": {"a": 1}}, "ndcg")  # type: ignore[arg-type]
    hits = Hits(np.array([[0, 0]]), np.array([[2.0, 1.0]]))
    with pytest.raises(InputError, match="twice"):
        evaluate_hits(hits, {}, queries=["q"], items=["a"])
    with pytest.raises(InputError, match="only 1 names"):
        evaluate_hits(Hits(np.array([[1]]), np.array([[2.0]])), {}, queries=["q"], items=["a"])


def test_nothing_found_at_all() -> None:
    result = evaluate_hits(Hits.empty(1, 0), {"q": {"a": 1}}, queries=["q"], items=[])
    assert all(mean == 0.0 for _, mean in result)
