"""Adaptive weights against the rule of vstash, worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank import adaptive_weights, fuse
from similia.types import Hits

N = 10_000


@pytest.mark.parametrize("rule", ["exact", "content"])
@given(idf=st.lists(st.floats(0, math.log(N)), max_size=60))
def test_the_formula(rule, idf):
    ((dense, text),) = adaptive_weights([idf], N, rule=rule).tolist()
    assert dense + text == pytest.approx(1)
    kept = [value for value in idf if rule == "exact" or value >= math.log(10)]
    if len(idf) > 50:
        assert (dense, text) == (0.9, 0.1)
    elif not kept:
        assert (dense, text) == (0.6, 0.4)
    else:
        rarity = sum(kept) / len(kept) - math.log(N) / 2
        assert text == pytest.approx(0.1 + 0.5 / (1 + math.exp(-2 * rarity)))


def test_worked_examples():
    middle = math.log(N) / 2
    assert adaptive_weights([[middle]], N, rule="exact").tolist() == [[0.65, 0.35]]
    rare = adaptive_weights([[math.log(N)]], N, rule="exact")
    assert rare.round(4).tolist() == [[0.4, 0.6]]  # 0.1 + 0.5 / (1 + exp(-9.2103))
    assert adaptive_weights([[0.0]], N, rule="exact").round(4).tolist() == [[0.9, 0.1]]


def test_stop_words_do_not_hide_a_rare_word_from_the_content_rule():
    query = [math.log(N / 3), 0.1, 0.2, 0.05, 0.3]
    (exact,), (content,) = adaptive_weights([query], N, rule="exact"), adaptive_weights([query], N, rule="content")
    assert exact[1] < 0.2 < 0.5 < content[1]


def test_nothing_to_go_by():
    assert adaptive_weights([[], [0.5]], 1).tolist() == [[0.6, 0.4], [0.6, 0.4]]
    assert adaptive_weights([], N).shape == (0, 2)


def test_the_weights_are_taken_by_fuse():
    dense, text = Hits([[1], [1]], [[0.5], [0.5]]), Hits([[2], [2]], [[3.0], [3.0]])
    weights = adaptive_weights([[math.log(N)], [0.1]], N, rule="exact")
    assert fuse([dense, text], 2, method="weighted", weights=weights).ids.tolist() == [[2, 1], [1, 2]]


@pytest.mark.parametrize("bad", [[-1.0], [float("nan")], [float("inf")]])
def test_refuses_an_idf_that_is_none(bad):
    with pytest.raises(InputError, match="idf"):
        adaptive_weights([bad], N)


def test_refuses_unknown_rules_and_shares():
    with pytest.raises(InputError, match="rule 'mean' is unknown; there are exact, content"):
        adaptive_weights([[1.0]], N, rule="mean")
    with pytest.raises(InputError, match="common is 0"):
        adaptive_weights([[1.0]], N, common=0)
    assert np.array_equal(adaptive_weights([[1.0]], N, common=1), adaptive_weights([[1.0]], N, rule="exact"))
