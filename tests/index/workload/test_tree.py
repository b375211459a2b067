"""The tree: within its limits, by the cuts that save most, and such that the leaves are a partition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.index import Predicate
from similia.index.workload.columns import Columns
from similia.index.workload.tree import Asked, Limits, Split, grow, leaves

FIELDS = {"a": "integer", "b": "category"}


def asked(filters: list[str], weights: list[int], routes=None) -> Asked:
    which = np.repeat(np.arange(len(filters)), weights)
    routes = np.ones((len(which), 1), np.bool_) if routes is None else routes
    return Asked([Predicate.parse(text, FIELDS).root for text in filters], which, routes)


def splits(tree: Split | None, depth: int = 1) -> list[tuple[Split, int]]:
    if tree is None:
        return []
    return [(tree, depth), *splits(tree.true, depth + 1), *splits(tree.rest, depth + 1)]


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    leaf=st.integers(1, 40),
    depth=st.integers(0, 5),
    gain=st.sampled_from([0.0, 0.01, 0.3]),
)
def test_leaves_are_a_partition_within_the_limits(seed, leaf, depth, gain):
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 200))
    given_ = {
        "a": [None if value > 8 else int(value) for value in random.integers(0, 10, count)],
        "b": random.choice(["x", "y"], count).tolist(),
    }
    columns, near = Columns(given_, FIELDS, count), random.integers(0, 4, count)
    filters = ["a < 3", "a = 7 AND b = 'x'", "NOT (a >= 5 OR b = 'y')", "a IS NULL", "a IN (1, 2)"]
    queries = asked(filters, random.integers(0, 9, 5).tolist())
    queries = Asked(queries.conditions, queries.which, random.random((len(queries.which), 4)) < 0.5)
    tree = grow(columns, near, queries, Limits(leaf=leaf, depth=depth, gain=gain), random)
    made, sizes = splits(tree), np.bincount(leaves(tree, columns, near))
    assert sizes.sum() == count
    assert sizes.size == len(made) + 1
    assert sizes.min() >= min(leaf, count)
    assert max((at for _, at in made), default=0) <= depth


def test_the_first_cut_is_the_one_that_saves_most():
    columns = Columns({"a": [0] * 50 + [1] * 50, "b": (["x"] * 10 + ["y"] * 40) * 2}, FIELDS, 100)
    # 20 of 100 rows have b = 'x', 50 have a = 1: the first saves 80 a query, the second 50.
    for weights, best in (([5, 7], "b = 'x'"), ([5, 9], "a = 1")):
        tree = grow(columns, np.zeros(100, np.int64), asked(["b = 'x'", "a = 1"], weights), Limits(leaf=5), None)
        assert tree is not None
        assert tree.cut == Predicate.parse(best, FIELDS).root


def test_what_is_unknown_goes_with_what_is_false():
    columns = Columns({"a": [1, 2, None, None], "b": ["x"] * 4}, FIELDS, 4)
    tree = grow(columns, np.zeros(4, np.int64), asked(["a = 1"], [3]), Limits(leaf=1), None)
    assert leaves(tree, columns, np.zeros(4, np.int64)).tolist() == [0, 1, 1, 1]


def test_vectors_cut_where_queries_are_near_to_few_centroids():
    columns, near = Columns({"a": [0] * 40, "b": ["x"] * 40}, FIELDS, 40), np.arange(40) % 4
    routes = np.zeros((8, 4), np.bool_)
    routes[:, [1, 2]] = True
    tree = grow(columns, near, asked(["a = 0"], [8], routes), Limits(leaf=5), None)
    assert tree == Split(frozenset({1, 2}), None, None)
    assert (leaves(tree, columns, near) == np.where(np.isin(near, [1, 2]), 0, 1)).all()


@pytest.mark.parametrize("weights", [[0, 0], [4, 4]])
def test_no_cut_where_none_is_worth_it(weights):
    columns = Columns({"a": list(range(60)), "b": ["x"] * 60}, FIELDS, 60)
    queries = asked(["a < 30", "b = 'x'"], weights)
    assert grow(columns, np.zeros(60, np.int64), queries, Limits(leaf=31), None) is None
    assert grow(columns, np.zeros(60, np.int64), queries, Limits(leaf=1, gain=0.5), None) is None
    assert grow(columns, np.zeros(60, np.int64), queries, Limits(leaf=1, cuts=0), None) is None


def test_cuts_are_chosen_on_a_sample_of_many_rows(monkeypatch):
    from similia.index.workload import tree as module

    monkeypatch.setattr(module, "_ROWS", 100)
    columns = Columns({"a": [number % 10 for number in range(1000)], "b": ["x"] * 1000}, FIELDS, 1000)
    tree = grow(columns, np.zeros(1000, np.int64), asked(["a < 5"], [3]), Limits(leaf=200), np.random.default_rng(0))
    assert np.bincount(leaves(tree, columns, np.zeros(1000, np.int64))).tolist() == [500, 500]
