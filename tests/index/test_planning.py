"""The cheapest way is taken that reaches what is asked, whatever was measured."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index.planning import MARGIN, WAYS, Costs, Plan, Step, choose

prices = st.floats(1e-12, 1e-3)
pairs = st.tuples(prices, prices)
steps = st.builds(
    Step,
    k=st.sampled_from([10, 100]),
    share=st.sampled_from([1.0, 0.5, 0.1]),
    beam=st.integers(1, 500),
    recall=st.floats(0.5, 1),
    single=prices,
    batch=prices,
)
costs = st.builds(
    Costs,
    exact=pairs,
    gathered=pairs,
    scan=st.none() | pairs,
    fixed=prices,
    steps=st.lists(steps, max_size=8).map(tuple),
)


@given(
    costs,
    st.integers(0, 10**7),
    st.integers(1, 200),
    st.integers(1, 1000),
    st.none() | st.floats(0, 1),
    st.floats(0.5, 1),
    st.sets(st.sampled_from(WAYS)),
)
def test_a_plan_is_able_allowed_and_cheap(measured, count, k, queries, share, recall, ways):
    passing = None if share is None else round(share * count)
    plan = choose(measured, count, k=k, queries=queries, passing=passing, recall=recall, ways=ways)
    assert plan.way == "exact" or plan.way in ways
    assert plan.recall >= recall
    assert plan.seconds is not None
    if plan.way == "graph":
        real = 1.0 if passing is None else passing / max(1, count)
        able = [step for step in measured.steps if step.beam == plan.beam and step.recall == plan.recall]
        assert any(step.k >= k and step.share <= real + 1e-9 for step in able)
        assert all(plan.seconds * MARGIN < other for other in plan.others.values())
    for way, seconds in plan.others.items():
        assert way != plan.way
        assert seconds * MARGIN >= plan.seconds if way == "graph" else seconds >= plan.seconds
    assert str(plan).startswith(plan.way)


@given(costs)
def test_costs_survive_json(measured):
    assert Costs.from_dict(json.loads(json.dumps(measured.to_dict()))) == measured


@pytest.mark.parametrize("given", [{}, {"exact": 3}, {"exact": [1], "gathered": [1, 2], "scan": None}, {"steps": 1}])
def test_what_is_no_costs_is_refused(given):
    with pytest.raises(InputError, match="no costs"):
        Costs.from_dict(given)


def test_many_queries_turn_the_plan():
    measured = Costs(
        exact=(1e-8, 1e-9), gathered=(2e-8, 1e-8), scan=(4e-9, 1e-10), steps=(Step(10, 1.0, 32, 0.97, 5e-5, 4e-5),)
    )
    assert choose(measured, 100_000, k=10).way == "graph"
    assert choose(measured, 100_000, k=10, queries=500).way == "scan"
    assert choose(measured, 100_000, k=11).way == "scan"  # a graph was not tried with so many places
    assert choose(measured, 100_000, k=10, passing=90_000).way == "scan"  # nor with a filter
    assert choose(measured, 100_000, k=10, recall=0.98).way == "scan"


@pytest.mark.parametrize("recall", [0, -1, 1.01, float("nan")])
def test_a_recall_out_of_range(recall):
    with pytest.raises(InputError, match="recall"):
        choose(None, 10, k=1, recall=recall)


def test_without_measurement_every_vector_is_compared():
    assert choose(None, 10**9, k=1) == Plan("exact", reason="nothing was measured here")
