"""The choice of a way, from what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from similia.errors import InputError
from similia.index import kernels
from similia.index.filtered import Acorn, FilteredIndex, Inside, Labels, Post, Range, Scan
from similia.index.filtered.measuring import LEAST, filters
from similia.index.filtered.planning import Costs, Step, choose
from similia.measure import neighbour_recall

STEPS = (
    Step("acorn-1", "label", 0.1, 10, 0.8, 400.0),
    Step("acorn-1", "label", 0.1, 40, 0.95, 1600.0),
    Step("acorn-1", "label", 0.001, 10, 0.95, 100.0),
    Step("inside", "label", 0.1, 10, 0.95, 3000.0),
    Step("inside", "range", 0.1, 10, 0.95, 200.0),
    Step("post", "label", 0.1, 10, 0.5, 50.0),
)
COSTS = Costs(STEPS, places=10)
ABLE = ("scan", "inside", "acorn-1", "post")


def test_the_cheapest_that_reaches_the_recall_is_taken():
    plan = choose(COSTS, ABLE, "label", 10_000, 100_000, k=10, recall=0.9)
    # Two thirds of the way from .8 to .95 in recall, on a scale of ratios: 400 * 4 ** (2 / 3) distances.
    assert plan.strategy == "acorn-1"
    assert plan.distances == pytest.approx(400 * 4 ** (2 / 3))
    assert plan.effort == int(np.ceil(10 * 4 ** (2 / 3)))
    assert "0.9" in plan.reason


def test_between_two_shares_costs_lie_between():
    plan = choose(COSTS, ABLE, "label", 10_000, 1_000_000, k=10, recall=0.9)
    assert 100 < plan.distances < 400 * 4 ** (2 / 3)


def test_what_is_asked_counts():
    assert choose(COSTS, ABLE, "range", 10_000, 100_000, k=10, recall=0.9).strategy == "inside"
    assert choose(COSTS, ABLE, "label", 90, 100_000, k=10, recall=0.9)[:3] == ("scan", 10, 90.0)
    assert choose(COSTS, ("inside",), "label", 90, 100_000, k=10, recall=0.9).strategy == "inside"
    assert choose(COSTS, ABLE, "label", 10_000, 100_000, k=10, recall=1).strategy == "scan"
    assert choose(COSTS, ("acorn-1",), "label", 9, 99, k=10, recall=1)[:2] == ("acorn-1", 99)
    # More places take more effort.
    one, three = (choose(COSTS, ABLE, "range", 10_000, 100_000, k=k, recall=0.9).effort for k in (10, 30))
    assert (one, three) == (10, 30)


def test_what_never_reached_the_recall_is_not_taken():
    plan = choose(COSTS, ("post",), "label", 10_000, 100_000, k=10, recall=0.9)
    assert plan[:3] == ("post", 100_000, None)
    assert choose(COSTS, ABLE, "label", 10_000, 100_000, k=10, recall=0.96).strategy == "scan"


def test_without_measurements():
    assert choose(None, ABLE, "label", 100, 100_000, k=10, recall=0.9).strategy == "scan"
    assert choose(None, ABLE, "label", 50_000, 100_000, k=10, recall=0.9).strategy == "acorn-1"
    assert choose(None, ("scan",), "label", 50_000, 100_000, k=10, recall=0.9).strategy == "scan"


def test_no_way_is_an_error():
    with pytest.raises(InputError, match="no strategy"):
        choose(COSTS, (), "label", 10, 100, k=10, recall=0.9)
    vectors = np.eye(4, dtype=np.float32)
    if kernels.usable():
        index = FilteredIndex(vectors, {"year": [1, 2, 3, 4]}, strategies=[Range("year")])
        with pytest.raises(InputError, match=r"add Scan\(\)"):
            index.search(vectors, 1, "year <> 2")


@pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")
def test_measured_choices_are_cheap_and_find_what_they_should():
    random = np.random.default_rng(0)
    topic = random.integers(0, 12, 5000)
    centres = np.random.default_rng(1).normal(size=(12, 16))
    vectors = (centres[topic] + random.normal(size=(5000, 16))).astype(np.float32)
    columns = {"topic": topic.tolist(), "year": random.integers(1900, 2000, 5000).tolist()}
    strategies = (Scan(), Post(), Inside(), Acorn(), Range("year"), Labels(("topic",)))
    index = FilteredIndex(vectors, columns, strategies=strategies).measure(seed=1)
    assert index.costs is not None
    assert {step.strategy for step in index.costs.steps} == {*index.ways} - {"scan"}
    queries = vectors[:60] + random.normal(size=(60, 16)).astype(np.float32)
    for where in (None, "topic = 3", "year < 1950", "year = 1950 AND topic = 3", "year < 1970 AND topic <> 2"):
        answer = index.answer(queries, 10, where, recall=0.9)
        assert neighbour_recall(answer.hits.ids, index.exact(queries, 10, where).ids) > 0.85, where
        assert answer.distances.mean() <= len(index.columns.filter(where).rows), where
        assert index.explain(10, where).strategy == answer.strategy
    assert index.explain(10, "year < 1950").strategy == "range"
    assert index.explain(10, "year = 1950 AND topic = 3").strategy == "scan"


@pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")
def test_measuring_without_columns_and_with_few_items():
    vectors = np.random.default_rng(2).normal(size=(300, 8)).astype(np.float32)
    index = FilteredIndex(vectors, {}, strategies=(Scan(), Acorn()))
    assert all(asked.predicate is None and len(asked.rows) >= LEAST for asked in filters(index.columns, 0))
    assert index.measure().search(vectors[:3], 2).ids[:, 0].tolist() == [0, 1, 2]
    with pytest.raises(InputError, match="too few"):
        FilteredIndex(vectors[:2], {}, strategies=[Scan()]).measure()
    assert FilteredIndex(vectors[:2], {}, strategies=[Scan()]).measure(vectors[:1]).costs == Costs((), 10)
