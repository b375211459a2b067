"""CUR search: exact where it must be, and never more calls than allowed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index.landmarks import Budgeted, LandmarkIndex


def low_rank(rank: int, queries: int, items: int, seed: int):
    random = np.random.default_rng(seed)
    left, right = random.normal(size=(queries, rank)), random.normal(size=(items, rank))
    matrix = left @ right.T
    return matrix, lambda query, at: matrix[query, at]


@settings(deadline=None, max_examples=40)
@given(rank=st.integers(1, 16), seed=st.integers(0, 1000), k=st.integers(1, 12))
def test_scores_of_low_rank_are_found_exactly(rank, seed, k) -> None:
    matrix, scorer = low_rank(rank, 60, 200, seed)
    index = LandmarkIndex(scorer, 200, range(40), 20, seed=seed)
    tests = list(range(40, 60))
    found = index.approximate(tests)
    assert np.linalg.norm(found - matrix[tests]) < 1e-6 * np.linalg.norm(matrix[tests])
    before = index.scorer.calls
    hits = index.search(tests, k, pool=k)
    np.testing.assert_array_equal(hits.ids, np.argsort(-matrix[tests], axis=1, kind="stable")[:, :k])
    np.testing.assert_allclose(hits.scores, -np.sort(-matrix[tests], axis=1)[:, :k], rtol=1e-6)
    assert before == 40 * 200 + 20 * len(tests)
    assert index.scorer.calls - before <= k * len(tests)


def test_calls_are_anchors_and_pool_less_what_is_both() -> None:
    random = np.random.default_rng(0)
    matrix = random.normal(size=(30, 100))
    index = LandmarkIndex(lambda query, at: matrix[query, at], 100, range(20), 10)
    for query in range(20, 30):
        before = index.scorer.calls
        index.search([query], 5, pool=30)
        estimated = index.approximate([query])[0]
        both = np.intersect1d(np.argsort(-estimated)[:30], index.anchor_items).size
        assert index.scorer.calls - before == 10 + 30 - both
        index.search([query], 5, pool=30)
        assert index.scorer.calls - before == 10 + 30 - both


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 100), k=st.integers(1, 15), share=st.floats(0, 1))
def test_a_pool_of_all_is_the_truth_within_a_filter(seed, k, share) -> None:
    random = np.random.default_rng(seed)
    matrix = random.integers(-2, 3, size=(12, 14)).astype(float)  # many ties
    where = random.random(14) < share
    ids = random.permutation(100)[:14]
    index = LandmarkIndex(lambda query, at: matrix[query, at], 14, range(10), 4, ids)
    hits = index.search([10, 11], k, where=where, pool=20)
    for row, query in enumerate((10, 11)):
        order = [j for j in np.argsort(-matrix[query], kind="stable") if where[j]][:k]
        assert hits.ids[row].tolist() == [ids[j] for j in order] + [-1] * (k - len(order))
        assert hits.scores[row].tolist() == [matrix[query, j] for j in order] + [-np.inf] * (k - len(order))


def test_items_can_be_added() -> None:
    matrix, scorer = low_rank(4, 40, 130, 1)
    index = LandmarkIndex(scorer, 100, range(30), 12)
    calls = index.scorer.calls
    index.add(30)
    assert index.scorer.calls - calls == 30 * 30
    hits = index.search([35], 10, pool=10)
    np.testing.assert_array_equal(hits.ids[0], np.argsort(-matrix[35])[:10])
    with pytest.raises(InputError, match="taken"):
        index.add(1, [5])


def test_the_budget_ends_it() -> None:
    scorer = Budgeted(lambda query, at: at * 1.0, limit=12)
    scorer("a", np.arange(10))
    with pytest.raises(InputError, match="the limit is 12"):
        scorer("b", np.arange(3))
    assert scorer("b", np.arange(2)).tolist() == [0, 1]
    assert scorer("a", np.arange(9, -1, -1)).tolist() == [*range(9, -1, -1)]
    assert scorer("a", np.array([3, 3, 0])).tolist() == [3, 3, 0]
    assert scorer("c", np.empty(0, np.int64)).size == 0
    assert scorer.calls == 12


def test_what_was_used_longest_ago_is_forgotten() -> None:
    scorer = Budgeted(lambda query, at: at * 1.0, remembered=6)
    for query in "abab":
        scorer(query, np.arange(3))
    assert scorer.calls == 6
    scorer("c", np.arange(3))
    scorer("b", np.arange(3))
    assert scorer.calls == 9
    scorer("a", np.arange(3))
    assert scorer.calls == 12


def test_what_cannot_be_is_refused() -> None:
    matrix, scorer = low_rank(2, 10, 20, 0)
    with pytest.raises(InputError, match="there are 20 items"):
        LandmarkIndex(scorer, 20, range(5), 21)
    with pytest.raises(InputError, match="there are 0 to 19"):
        LandmarkIndex(scorer, 20, range(5), [3, 20])
    with pytest.raises(InputError, match="must be positions"):
        LandmarkIndex(scorer, 20, range(5), [])
    with pytest.raises(InputError, match="no anchor queries"):
        LandmarkIndex(scorer, 20, [], 2)
    with pytest.warns(RuntimeWarning, match="more than the 2 anchor queries"):
        LandmarkIndex(scorer, 20, range(2), 4)
    broken = matrix.copy()
    broken[3, 7] = np.nan
    with pytest.raises(InputError, match="gave nan for query 3 and item 7"):
        LandmarkIndex(lambda query, at: broken[query, at], 20, range(5), 2)
    with pytest.raises(InputError, match="one score an item"):
        LandmarkIndex(lambda query, at: [1.0], 20, range(5), 2)
    index = LandmarkIndex(scorer, 20, [1, 1, 2, 3], [4, 4, 2])
    assert len(index.anchor_queries) == 3
    assert index.anchor_items.tolist() == [2, 4]
    with pytest.raises(InputError, match="pool"):
        index.search([5], 5, pool=3)
    with pytest.raises(InputError, match="where is"):
        index.search([5], 5, where=[True])
    assert len(index.search([], 3)) == 0
