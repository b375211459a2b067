"""Runs side by side: worked by hand, against tools that everybody uses, and as properties."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.formats import read_judgments, read_run, write_judgments, write_run
from similia.evaluate.relevant_recall import RelevantRecall
from similia.evaluate.reliance import calibration_of
from similia.evaluate.trial import Trial, try_out

QRELS = {"q1": {"a": 2, "b": 1, "z": 0}, "q2": {"c": 1}, "q3": {"d": 0}}
TEXTS = {"q1": "first", "q2": "second", "q3": "third"}
ONE = {"q1": {"x": 3.0, "a": 2.0, "b": 1.0}, "q2": {"x": 1.0}, "q3": {"d": 1.0}}
TWO = {"q1": {"a": 3.0, "z": 2.0}, "q2": {"y": 2.0, "c": 1.0}}
NAMES = {"ndcg@10": "ndcg_cut_10", "map": "map", "mrr": "recip_rank", "recall@10": "recall_10", "precision@5": "P_5"}


@pytest.fixture(scope="module")
def trial() -> Trial:
    return try_out({"one": ONE, "two": TWO}, TEXTS, QRELS, ["mrr", "recall@2"], depth=3)


def test_by_hand(trial: Trial) -> None:
    assert trial.relevant.tolist() == [2, 1, 0]
    assert trial.counted == 2
    assert trial.first["one"].tolist() == [2, 0, 0]
    assert trial.first["two"].tolist() == [1, 2, 0]
    np.testing.assert_array_equal(trial.judged["one"], [2 / 3, 0, 1])
    np.testing.assert_array_equal(trial.judged["two"], [1, 0.5, np.nan])
    assert trial.recall["one"] == {1: 0.0, 2: 0.25, 3: 0.5}
    assert trial.recall["two"] == {1: 0.25, 2: 0.75, 3: 0.75}
    assert trial.evaluations["one"].mean("mrr") == 0.25
    assert trial.differences("two")[:2].tolist() == [0.5, 0.5]
    assert trial.changed("two") == (["q1", "q2"], [])
    assert trial.hardest() == ["q2", "q1"]
    assert trial.report.rows[1].p["mrr"] == 0.5


def test_the_hardest_are_those_that_nothing_answers_well() -> None:
    qrels = {"half": {"a": 1}, "once": {"a": 1}}
    runs = {"x": {"half": {"b": 2, "a": 1}, "once": {"a": 1}}, "y": {"half": {"b": 2, "a": 1}, "once": {}}}
    found = try_out(runs, {query: query for query in qrels}, {**qrels}, ["mrr"])
    assert found.hardest() == ["half", "once"]  # 1/2 and 1/2 against 1 and 0: of equal means, and one is answered
    runs["y"]["half"] = {"a": 1, "b": 0}
    runs["x"]["once"] = {"b": 2, "c": 1, "a": 0}
    assert try_out(runs, {query: query for query in qrels}, {**qrels}, ["mrr"]).hardest() == ["once", "half"]
    runs = {"x": {"half": {"b": 2, "a": 1}, "once": {"a": 1}}, "y": {"half": {"b": 2, "a": 1}, "once": {}},
            "z": {"half": {"b": 2, "a": 1}, "once": {}}}  # fmt: skip
    assert try_out(runs, {query: query for query in qrels}, {**qrels}, ["mrr"]).hardest() == ["half", "once"]


def test_rows_hold_one_query_and_run_each(trial: Trial) -> None:
    rows = trial.rows()
    assert [(row["query"], row["setting"]) for row in rows[:3]] == [("q1", "one"), ("q1", "two"), ("q2", "one")]
    assert rows[0] == {
        "query": "q1", "text": "first", "setting": "one", "relevant": 2, "first_relevant": 2, "judged@10": 2 / 3,
        "mrr": 0.5, "recall@2": 0.5,
    }  # fmt: skip
    assert rows[-1]["mrr"] is None
    json.dumps(rows, allow_nan=False)


def test_what_counts_as_relevant_can_begin_higher() -> None:
    found = try_out({"one": ONE}, TEXTS, QRELS, ["mrr"], relevant_from=2)
    assert found.relevant.tolist() == [1, 0, 0]
    assert found.counted == 1
    assert np.isnan(found.report.rows[0].values["mrr"].low)  # one query has no interval
    with pytest.raises(InputError, match="a grade of at least 3"):
        try_out({"one": ONE}, TEXTS, QRELS, relevant_from=3)


def test_what_cannot_be_measured_is_named() -> None:
    with pytest.raises(InputError, match="no run"):
        try_out({}, TEXTS, QRELS)
    with pytest.raises(InputError, match="'q9' is not judged"):
        try_out({"one": ONE}, {"q9": "?"}, QRELS)
    with pytest.raises(InputError, match="no query has a relevant item"):
        try_out({"one": ONE}, {"q3": "third"}, QRELS)
    with pytest.raises(InputError, match="not known"):
        try_out({"one": ONE}, TEXTS, QRELS, ["precission"])


SCORES = st.dictionaries(st.sampled_from("abcdefgh"), st.floats(-5, 5, width=16), max_size=8)
GRADES = st.dictionaries(st.sampled_from("abcdefghij"), st.integers(0, 2), min_size=1, max_size=6)


@given(st.lists(st.tuples(SCORES, SCORES, GRADES), min_size=1, max_size=5))
def test_it_adds_up(queries: list[tuple[dict[str, float], dict[str, float], dict[str, int]]]) -> None:
    qrels = {f"q{at}": {**grades, "sure": 1} for at, (_, _, grades) in enumerate(queries)}
    runs = {name: {f"q{at}": query[place] for at, query in enumerate(queries)} for place, name in enumerate(("x", "y"))}
    found = try_out(runs, {query: query for query in qrels}, qrels, ["recall@5", "mrr"], depth=5)
    for name in runs:
        assert found.recall[name][5] == pytest.approx(found.evaluations[name].mean("recall@5"))
        rank = found.first[name]
        expected = np.where(rank > 0, 1 / np.maximum(rank, 1), 0)
        np.testing.assert_allclose(found.evaluations[name]["mrr"], expected)
        assert list(found.recall[name].values()) == sorted(found.recall[name].values())
    better, worse = found.changed("y", len(qrels))
    assert not set(better) & set(worse)
    assert len(better) + len(worse) == int((found.differences("y") != 0).sum())


def random_judged(seed: int) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    """A run with items that nobody judged, and judgments with items that were not found; no two scores alike."""
    random = np.random.default_rng(seed)
    run, qrels = {}, {}
    for query in range(25):
        found = random.choice(60, random.integers(1, 40), replace=False)
        scores = np.float32(random.permutation(found.size) + random.random(found.size) / 2)
        run[f"q{query}"] = {f"d{item}": float(score) for item, score in zip(found, scores, strict=True)}
        judged = random.choice(60, random.integers(2, 20), replace=False)
        grades = random.integers(0, 4, judged.size)
        grades[0] = 2
        qrels[f"q{query}"] = {f"d{item}": float(grade) for item, grade in zip(judged, grades, strict=True)}
    return run, qrels


def _through_files(seed: int, folder: Path) -> tuple[Trial, dict[str, dict[str, float]], dict[str, dict[str, float]]]:
    run, qrels = random_judged(seed)
    write_run(run, folder / "a.run")
    write_judgments(qrels, folder / "a.qrels")
    read, judged = read_run(folder / "a.run"), read_judgments(folder / "a.qrels")
    return try_out({"a": read}, {query: query for query in judged}, judged, list(NAMES)), read, judged


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_trec_eval_through_files(seed: int, tmp_path: Path) -> None:
    oracle = pytest.importorskip("pytrec_eval", reason="pytrec_eval, the oracle, is not installed")
    found, run, qrels = _through_files(seed, tmp_path)
    grades = {query: {item: int(grade) for item, grade in one.items()} for query, one in qrels.items()}
    theirs = oracle.RelevanceEvaluator(grades, {*NAMES.values()}).evaluate(run)
    for name, other in NAMES.items():
        expected = [theirs[query][other] for query in qrels]
        np.testing.assert_allclose(found.evaluations["a"][name], expected, atol=1e-12, err_msg=name)


RANX = """
import json, sys, ranx
run, qrels, metrics = json.load(sys.stdin)
qrels = {query: {item: int(grade) for item, grade in one.items()} for query, one in qrels.items()}
answer = ranx.evaluate(ranx.Qrels(qrels), ranx.Run(run), metrics, return_mean=False)
print(json.dumps({name: dict(zip(sorted(qrels), map(float, answer[name]))) for name in metrics}))
"""


def test_agrees_with_ranx_through_files(tmp_path: Path) -> None:
    pytest.importorskip("ranx", reason="ranx, the oracle, is not installed")
    found, run, qrels = _through_files(7, tmp_path)
    names = list(NAMES)
    # Compiled, ranx takes a minute to answer the first question; as plain Python, in a process of its own, it does not.
    answered = subprocess.run(
        [sys.executable, "-c", RANX],
        input=json.dumps([run, qrels, names]),
        env={**os.environ, "NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    for name, theirs in json.loads(answered.stdout).items():
        expected = [theirs[query] for query in qrels]
        np.testing.assert_allclose(found.evaluations["a"][name], expected, atol=1e-9, err_msg=name)


def test_ties_go_by_name_whatever_the_order_of_a_file(tmp_path: Path) -> None:
    lines = [f"q Q0 {item} 1 0.5 t" for item in "cab"]
    values = []
    for order in (lines, lines[::-1]):
        (tmp_path / "a.run").write_text("\n".join(order) + "\n")
        found = try_out({"a": read_run(tmp_path / "a.run")}, {"q": "q"}, {"q": {"b": 1}}, ["mrr"])
        values.append(found.evaluations["a"].mean("mrr"))
    assert values == [0.5, 0.5]


@given(st.data())
def test_recall_as_a_task_is_recall_as_a_metric(data: st.DataObject) -> None:
    count, k = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 6))
    wanted = [data.draw(st.sets(st.integers(0, 9), min_size=1, max_size=5)) for _ in range(count)]
    more = [data.draw(st.integers(0, 3)) for _ in range(count)]  # relevant, and nowhere to be found
    found = np.array([data.draw(st.permutations(range(10)))[:k] for _ in range(count)])
    qrels = {
        f"q{at}": {**{str(item): 1 for item in wanted[at]}, **{f"gone{n}": 1 for n in range(more[at])}}
        for at in range(count)
    }
    run = {f"q{at}": {str(item): -float(rank) for rank, item in enumerate(row)} for at, row in enumerate(found)}
    task = RelevantRecall(wanted, [len(one) for one in qrels.values()])
    measured = try_out({"a": run}, {query: query for query in qrels}, qrels, [f"recall@{k}"])
    assert task(found) == pytest.approx(measured.evaluations["a"].mean(f"recall@{k}"))
    best = np.array([[*sorted(one), *[-1] * 6][:k] for one in wanted])
    assert task(best) == pytest.approx(task.ceiling(k))
    assert task(found) <= task.ceiling(k) <= task.ceiling() <= 1


def test_a_task_needs_a_row_a_query() -> None:
    with pytest.raises(InputError, match="one row a query"):
        RelevantRecall([{1}])(np.zeros((2, 3), np.int64))
    assert RelevantRecall([set()])(np.zeros((1, 3), np.int64)) == 0


def test_calibration_by_hand() -> None:
    nan = float("nan")
    found = calibration_of([[0.9, 0.6], [0.4, 0.8]], [[1, 0], [1, nan]], cut=0.5, bins=1)
    assert (found.precision, found.kept, found.judged, found.results) == (0.5, 0.5, 3, 4)
    assert found.error == pytest.approx(abs((0.9 + 0.6 + 0.4) / 3 - 2 / 3))
    assert found.brier == pytest.approx((0.01 + 0.36 + 0.36) / 3)
    nothing = calibration_of([0.3], [nan])
    assert nothing.judged == 0
    assert np.isnan([nothing.precision, nothing.kept, nothing.error, nothing.brier]).all()
    with pytest.raises(InputError, match="from 0 to 1"):
        calibration_of([0.3], [1], cut=2)
    assert found.to_dict()["curve"]["counts"] == [3]
