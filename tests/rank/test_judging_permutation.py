"""What a model writes is a valid order, whatever it writes."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank.judging import average_order, robust_permutation
from similia.rank.judging.permutation import named_grades, named_positions, verdict


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"ranking": [3, 1, 2]}', [2, 0, 1]),
        ('{"top_3_indices": [2, 3]}', [1, 2, 0]),
        ('{"ranking": [2, 2, 9, 0, -1, 2, 3]}', [1, 2, 0]),
        ('{"ranking": [2.0, "3", "[1]"]}', [1, 2, 0]),
        ('{"ranking": [2.5, 3]}', [2, 0, 1]),
        ('{"ranking": [true, null, 3]}', [2, 0, 1]),
        ('Thinking {oddly} first. ```json\n{"a": {"Final_Ranking": [3, 2, 1]}}\n```', [2, 1, 0]),
        ('{"ranking": [1]} Final Answer: {"ranking": [3]}', [2, 0, 1]),
        ('{"parts": ["2 cats"], "ranking": [3]}', [2, 0, 1]),
        ("[2, 1, 3]", [1, 0, 2]),
        ("[3] > [1] > [2]", [2, 0, 1]),
        ('{"items": [{"number": 1, "verdict": "weak"}, {"number": 3, "verdict": "perfect"}]}', [2, 0, 1]),
        ('{"ranking": [{"number": 3}, {"number": 2}]}', [2, 1, 0]),
        ('{"items": [{"number": 1, "verdict": "perfect"}], "ranking": [2]}', [1, 0, 2]),
        ('{"ranking": [99999999999999999999999, 1e999, NaN, 2]}', [1, 0, 2]),
    ],
)
def test_orders_are_found_in_what_models_write(text, expected):
    assert robust_permutation(text, 3) == expected


@pytest.mark.parametrize(
    "text",
    ["", "I cannot.", "{", "[[[[" * 5_000, '{"ranking": []}', '{"ranking": "1, 2"}', '{"ranking": [0, 7]}', "{}" * 300],
)
def test_the_items_own_order_stays_where_nothing_is_usable(text):
    assert named_positions(text, 3) == []
    assert robust_permutation(text, 3) == [0, 1, 2]


def test_numbers_may_start_at_zero():
    assert robust_permutation('{"ranking": [0, 2]}', 3, first=0) == [0, 2, 1]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 40) | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.sampled_from(["ranking", "top_10_indices", "items", "number", "verdict", "CoT", "x"]), inner, max_size=4
        )
    ),
    max_leaves=12,
)
replies = st.one_of(
    st.text(max_size=80),
    st.text(alphabet='{}[]",:0123456789 >rankig', max_size=80),
    json_values.map(json.dumps),
    st.tuples(st.text(max_size=10), json_values.map(json.dumps), st.text(max_size=10)).map("".join),
    json_values.map(json.dumps).map(lambda text: text[: len(text) * 2 // 3]),
)


@settings(max_examples=1000, deadline=None)
@given(replies, st.integers(0, 15))
def test_a_thousand_malformed_replies_give_permutations(text, n):
    order = robust_permutation(text, n)
    assert sorted(order) == list(range(n))
    if not named_positions(text, n):
        assert order == list(range(n))
    grades = named_grades(text, n)
    assert grades.shape == (n,)
    assert (np.isnan(grades) | ((grades >= 0) & (grades <= 1))).all()


@given(st.permutations(range(9)), st.integers(0, 9))
def test_what_is_not_mentioned_follows_in_its_own_order(order, kept):
    text = json.dumps({"ranking": [place + 1 for place in order[:kept]]})
    rest = [place for place in range(9) if place not in order[:kept]]
    assert robust_permutation(text, 9) == [*order[:kept], *rest]


def test_a_negative_number_of_items_is_refused():
    with pytest.raises(InputError):
        robust_permutation("", -1)


def test_grades_are_verdicts_on_numbers():
    text = json.dumps(
        {
            "a": [
                {"number": 2, "verdict": "STRONG "},
                {"number": "3", "verdict": "weak"},
                {"number": 2, "verdict": "weak"},
            ]
        }
    )
    np.testing.assert_allclose(named_grades(text, 4), [np.nan, 2 / 3, 1 / 3, np.nan])
    assert verdict(3) is None


@given(st.lists(st.permutations(range(6)), min_size=1, max_size=4))
def test_the_average_is_by_mean_place(orders):
    found = average_order(orders)
    mean = [sum(order.index(item) for order in orders) / len(orders) for item in range(6)]
    assert found == sorted(range(6), key=lambda item: (mean[item], item))
