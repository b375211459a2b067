"""What is said of a whole leaf is true of each of its rows, and columns as codes mean what the filters mean."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import Predicate
from similia.index.workload.columns import Columns
from similia.index.workload.description import Description

seeds = st.integers(0, 2**32 - 1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seed=seeds)
def test_no_leaf_with_a_passing_row_is_ruled_out(known, odd, seed):
    rng = random.Random(seed)
    rows = rng.randint(1, 40)
    columns = odd.table(rng, rows)
    coded = Columns(columns, odd.fields, rows)
    leaf = np.unique(np.array([rng.randrange(6) for _ in range(rows)]), return_inverse=True)[1]
    leaves = Description(coded, leaf, int(leaf.max()) + 1)
    for _ in range(6):
        filter_ = Predicate.parse(odd.condition(rng), odd.fields)
        passing = filter_.mask(columns)
        np.testing.assert_array_equal(coded.rows(filter_.root, np.arange(rows)), passing, str(filter_))
        some, every = leaves.some(filter_.root), leaves.every(filter_.root)
        for number in range(leaves.leaves):
            own = passing[leaf == number]
            assert some[number] or not own.any(), filter_
            assert not every[number] or own.all(), filter_


def test_a_leaf_of_one_value_is_never_undecided(odd):
    """So that what a tree cuts by is what rules its leaves out."""
    columns = odd.table(random.Random(5), 60)
    coded = Columns(columns, odd.fields, 60)
    tried = 0
    for text in odd.atoms:
        filter_ = Predicate.parse(text, odd.fields)
        (name, *others) = [*filter_.fields, None]
        if others != [None]:  # of several fields, or of none
            continue
        leaf = np.unique([repr(value) for value in columns[name]], return_inverse=True)[1]
        leaves, passing = Description(coded, leaf, int(leaf.max()) + 1), filter_.mask(columns)
        np.testing.assert_array_equal(leaves.some(filter_.root)[leaf], passing, text)
        np.testing.assert_array_equal(leaves.every(filter_.root)[leaf], passing, text)
        tried += 1
    assert tried > 25


def test_what_is_neither_true_nor_false_is_not_opposite():
    columns = Columns({"n": [1, None, None, 5]}, {"n": "integer"}, 4)
    leaves = Description(columns, np.array([0, 0, 1, 2]), 3)
    small = Predicate.parse("NOT (n < 3)", {"n": "integer"}).root
    assert leaves.some(small).tolist() == leaves.every(small).tolist() == [False, False, True]
    either = Predicate.parse("n < 3 OR NOT (n < 3)", {"n": "integer"}).root
    assert leaves.every(either).tolist() == [False, False, True]
    assert leaves.some(either).tolist() == [True, False, True]


def test_columns_that_do_not_fit_are_refused():
    for columns, fields, says in (
        ({"a": [1]}, {}, "'a' has no type"),
        ({}, {"a": "integer"}, "'a' has no column"),
        ({"a": [1, 2]}, {"a": "integer"}, "'a' has 2 values; there are 1 vectors"),
        ({"a": [1]}, {"a": "int"}, "type 'int'"),
    ):
        with pytest.raises(InputError, match=says):
            Columns(columns, fields, 1)
    other = Predicate.parse("b = 1", {"b": "integer"}).root
    with pytest.raises(InputError, match="needs the column 'b'; there are a"):
        Columns({"a": [1]}, {"a": "integer"}, 1).rows(other, np.arange(1))
