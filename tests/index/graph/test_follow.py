"""A graph that follows its rows finds what one that was built of them finds, and never what is gone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import ExactIndex, GraphIndex
from similia.index.graph.follow import follow

N, D = 3_000, 24


def rows_of(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(20, D))
    return (centres[rng.integers(20, size=count)] + 0.5 * rng.normal(size=(count, D))).astype(np.float32)


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return rows_of(N, 0)


@pytest.fixture(scope="module", params=["cosine", "dot", "l2"])
def graph(request, rows):
    return GraphIndex(rows[:2_000], np.arange(2_000) * 2, request.param)


def share(found, truth) -> float:
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(truth.ids, found.ids, strict=True)]))


def test_a_table_that_was_written_anew(graph, rows):
    rng = np.random.default_rng(1)
    kept = rng.permutation(2_000)[:1_500]
    others = rows_of(200, 5)
    changed = np.sort(kept[:200]) * 2
    vectors = np.concatenate((others, rows[np.sort(kept)[~np.isin(np.sort(kept) * 2, changed)]], rows[2_000:]))
    ids = np.concatenate((changed, np.setdiff1d(np.sort(kept) * 2, changed), np.arange(2_000, 3_000) * 2 + 1))
    shuffled = rng.permutation(len(ids))
    vectors, ids = vectors[shuffled], ids[shuffled]
    before = graph.search(rows[:50], 10)
    later = follow(graph, vectors, ids, changed)
    asked = rows_of(100, 9)
    truth = ExactIndex(vectors, ids, graph.metric).search(asked, 10)
    found = later.search(asked, 10, beam=100)
    assert len(later) == len(ids)
    assert share(found, truth) > 0.97
    np.testing.assert_array_equal(np.isin(found.ids, ids), True)
    again = graph.search(rows[:50], 10)
    np.testing.assert_array_equal(before.ids, again.ids)
    np.testing.assert_array_equal(before.scores, again.scores)
    where = np.isin(ids, ids[:300])
    assert np.isin(later.search(asked, 5, where=where).ids, ids[:300]).all()
    # It lives on: what follows can be changed, saved and followed.
    later.remove(ids[:3])
    assert not np.isin(later.search(asked, 50).ids, ids[:3]).any()
    mapped = GraphIndex.from_arrays(vectors, later.arrays(), later.settings())
    last = follow(mapped, vectors[3:], ids[3:])
    np.testing.assert_array_equal(last.search(asked, 10).ids >= 0, True)


@settings(max_examples=25, deadline=None)
@given(
    now=st.lists(st.integers(0, 60), unique=True),
    changed=st.lists(st.integers(0, 60)),
    removed=st.lists(st.integers(0, 39), unique=True, max_size=20),
)
def test_small_tables_are_followed_whole(now, changed, removed):
    rng = np.random.default_rng(3)
    rows = rng.normal(size=(61, 8)).astype(np.float32)
    graph = GraphIndex(rows[:40])
    if removed:
        graph.remove(removed)
    table = rows.copy()
    table[changed] += 1
    ids = np.array(now, np.int64)
    later = follow(graph, table[ids], ids, changed)
    truth = ExactIndex(table[ids], ids).search(rows[:5], 61)
    found = later.search(rows[:5], 61, beam=200)
    np.testing.assert_array_equal(found.ids, truth.ids)
    np.testing.assert_array_equal(found.scores, truth.scores)


def test_what_does_not_fit_is_named(graph, rows):
    with pytest.raises(InputError, match="more than once"):
        follow(graph, rows[:2], [1, 1])
    with pytest.raises(InputError, match="dimensions"):
        follow(graph, rows[:2, :5], [1, 2])
    with pytest.raises(InputError, match="ids"):
        follow(graph, rows[:2], [1])


def test_nothing_left_and_nothing_before(rows):
    empty = follow(GraphIndex(rows[:10]), rows[:0], np.empty(0, np.int64))
    assert len(empty) == 0
    assert (empty.search(rows[:1], 3).ids == -1).all()
    assert len(follow(empty, rows[:10], np.arange(10))) == 10
