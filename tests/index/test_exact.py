"""Exact search against comparing everything in double precision."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import ExactIndex
from similia.index import exact as module
from similia.types import Dense

METRICS = ["cosine", "dot", "l2"]
components = st.sampled_from([0.0, 1.0, -1.0, 2.0, 0.5]) | st.floats(-3, 3, width=16)


def matrices(rows: st.SearchStrategy[int], d: int) -> st.SearchStrategy[np.ndarray]:
    return rows.flatmap(lambda n: arrays(np.float32, (n, d), elements=components))


@st.composite
def cases(draw):
    d = draw(st.integers(1, 5))
    items = draw(matrices(st.integers(0, 12), d))
    queries = draw(matrices(st.integers(0, 4), d))
    where = draw(st.none() | arrays(np.bool_, len(items)))
    return items, queries, where


def all_scores(queries: np.ndarray, items: np.ndarray, metric: str) -> np.ndarray:
    """The definition, pair by pair, in double precision, rounded to float32 as scores are."""
    out = np.zeros((len(queries), len(items)), np.float32)
    for i, a in enumerate(queries.astype(np.float64)):
        for j, b in enumerate(items.astype(np.float64)):
            if metric == "l2":
                out[i, j] = -np.sqrt(((a - b) ** 2).sum())
            elif metric == "dot":
                out[i, j] = (a * b).sum()
            else:
                lengths = np.sqrt((a * a).sum()) * np.sqrt((b * b).sum())
                out[i, j] = np.clip((a * b).sum() / lengths, -1, 1) if lengths else 0
    return out


def best(scores: np.ndarray, k: int, where: np.ndarray | None) -> list[list[int]]:
    allowed = [j for j in range(scores.shape[1]) if where is None or where[j]]
    orders = [sorted(allowed, key=lambda j, row=row: (-row[j], j))[:k] for row in scores]
    return [order + [-1] * (k - len(order)) for order in orders]


def near(found: np.ndarray, expected: np.ndarray) -> bool:
    return np.allclose(found, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None)
@given(case=cases(), k=st.integers(1, 14))
def test_search_finds_what_comparing_everything_finds(metric, case, k):
    items, queries, where = case
    hits = ExactIndex(items, metric=metric).search(queries, k, where=where)
    scores = all_scores(queries, items, metric)
    assert hits.ids.shape == (len(queries), k)
    for ids, found, row, order in zip(hits.ids, hits.scores, scores, best(scores, k, where), strict=True):
        # The last bit may differ from the definition's, and with it the order of what is equal but for that.
        filled = ids >= 0
        assert filled.sum() == sum(position >= 0 for position in order)
        assert len(set(ids[filled])) == filled.sum()
        assert near(found[filled], row[ids[filled]])
        assert near(found[filled], row[[position for position in order if position >= 0]])
        assert np.isneginf(found[~filled]).all()
        assert where is None or where[ids[filled]].all()
        assert all(
            a > b or (a == b and i < j) for a, b, i, j in zip(found, found[1:], ids, ids[1:], strict=False) if j >= 0
        )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_same_hits_by_every_path(metric, dtype, monkeypatch, tmp_path):
    rng = np.random.default_rng(5)
    items = rng.standard_normal((3000, 17)).astype(dtype)
    items[2000:2500] = items[:500]  # duplicates
    queries = rng.standard_normal((9, 17)).astype(np.float32)
    queries[4] = items[7]
    index = ExactIndex(items, metric=metric)
    whole = index.search(queries, 60)
    assert whole.ids.tolist() == best(all_scores(queries, items, metric), 60, None)
    one_by_one = [index.search(query, 60) for query in queries]
    assert np.array_equal(np.concatenate([hits.ids for hits in one_by_one]), whole.ids)
    assert np.array_equal(np.concatenate([hits.scores for hits in one_by_one]), whole.scores)

    monkeypatch.setattr(module, "_SCORES", 6001)
    monkeypatch.setattr(module, "_VALUES", 97)
    np.save(tmp_path / "items.npy", items)
    mapped = np.load(tmp_path / "items.npy", mmap_mode="r")
    blocked = ExactIndex(mapped, metric=metric)
    assert np.shares_memory(blocked.vectors, mapped)
    again = blocked.search(Dense(queries), 60)
    assert np.array_equal(again.ids, whole.ids)
    assert np.array_equal(again.scores, whole.scores)

    for share in (0.02, 0.9):  # gathered; masked
        where = rng.random(3000) < share
        filtered = index.search(queries, 10, where=where)
        assert filtered.ids.tolist() == best(all_scores(queries, items, metric), 10, where)


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=60)
@given(case=cases(), threshold=st.sampled_from([-3.0, -1.0, -0.5, 0.0, 0.25, 0.5, 1.0, 2.0]))
def test_range_gives_every_pair_above_the_threshold(metric, case, threshold):
    items, queries, where = case
    index = ExactIndex(items, metric=metric)
    pairs = index.range(queries, threshold, where)
    everything = index.search(queries, max(1, len(items)), where=where)
    expected = [
        (query, item, score)
        for query, (ids, scores) in enumerate(everything)
        for item, score in zip(ids.tolist(), scores.tolist(), strict=True)
        if score >= threshold
    ]
    assert list(zip(pairs.left.tolist(), pairs.right.tolist(), pairs.scores.tolist(), strict=True)) == expected


def test_range_stops_at_its_limit():
    index = ExactIndex(np.ones((30, 2)))
    assert len(index.range(np.ones((2, 2)), 0.5, limit=60)) == 60
    with pytest.raises(InputError, match=r"more than 59 pairs score at least 0\.5"):
        index.range(np.ones((2, 2)), 0.5, limit=59)
    with pytest.raises(InputError, match="NaN"):
        index.range(np.ones((2, 2)), float("nan"))
    assert len(index.range(np.empty((0, 2)), 0.5)) == 0
    assert len(ExactIndex(np.empty((0, 2))).range(np.ones((2, 2)), 0.5)) == 0


def test_a_worked_example():
    index = ExactIndex([[3, 4], [4, 3], [-3, -4], [0, 0]], ids=[11, 12, 13, 14])
    hits = index.search([[0, 5]], 4)
    assert hits.ids.tolist() == [[11, 12, 14, 13]]
    assert hits.scores.round(6).tolist() == np.float32([[0.8, 0.6, 0, -0.8]]).tolist()
    assert ExactIndex([[3, 4], [4, 3]], metric="dot").search([0, 5], 1).scores.tolist() == [[20]]
    assert ExactIndex([[3, 4], [0, 1]], metric="l2").search([0, 0], 2).scores.tolist() == [[-1, -5]]


def test_a_vector_finds_itself_with_a_score_of_exactly_one_and_a_distance_of_exactly_none():
    items = np.random.default_rng(1).standard_normal((500, 384)).astype(np.float32) * 7
    assert (ExactIndex(items).search(items, 1).scores == 1).all()
    found = ExactIndex(items, metric="l2").search(items, 1)
    assert (found.scores == 0).all()
    assert found.ids[:, 0].tolist() == list(range(500))


def test_equal_vectors_come_by_position():
    items = np.tile(np.random.default_rng(2).standard_normal((1, 33)).astype(np.float32), (1000, 1))
    assert ExactIndex(items).search(items[:3], 50).ids.tolist() == [list(range(50))] * 3


@pytest.mark.parametrize("metric", METRICS)
def test_edges(metric):
    empty = ExactIndex(np.empty((0, 3), np.float32), metric=metric)
    assert empty.search([[1, 2, 3]], 2).ids.tolist() == [[-1, -1]]
    assert empty.search([[1, 2, 3]], 2, where=np.empty(0, bool)).ids.tolist() == [[-1, -1]]
    one = ExactIndex([[5.0]], metric=metric)
    assert one.search([[2.0]], 3).ids.tolist() == [[0, -1, -1]]
    assert one.search(np.empty((0, 1)), 3).ids.shape == (0, 3)
    nothing = one.search([[2.0]], 1, where=[False])
    assert (nothing.ids.tolist(), nothing.scores.tolist()) == ([[-1]], [[-np.inf]])


def test_zero_vectors_have_cosine_zero():
    hits = ExactIndex([[0, 0], [1, 0], [-1, 0], [1e-38, 0]]).search([[1, 0], [0, 0]], 4)
    assert hits.ids.tolist() == [[1, 0, 3, 2], [0, 1, 2, 3]]
    assert hits.scores.tolist() == [[1, 0, 0, -1], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1.0, np.nan]],), "row 0 holds NaN"),
        (([[1.0], [np.inf]],), "row 1 holds NaN"),
        ((np.float16([[1.0], [np.inf]]),), "row 1 holds NaN"),
        (([[1e30]],), "row 0 has length 1e[+]30"),
        ((np.zeros((2, 0)),), "0 dimensions"),
        ((np.zeros((2, 2, 2)),), "3 axes"),
        (([["a"]],), "not an array of numbers"),
        (([[1.0]], [1, 2]), "ids are int64"),
        (([[1.0]], [-1]), "ids hold -1"),
        (([[1.0]], [1.5]), "ids are float64"),
        (([[1.0]], None, "hamming"), "metric 'hamming' is unknown; there are cosine, dot, l2"),
    ],
)
def test_refuses_what_cannot_be_searched(arguments, message):
    with pytest.raises(InputError, match=message):
        ExactIndex(*arguments)


@pytest.mark.parametrize(
    ("query", "k", "where", "message"),
    [
        ([[1, 2, 3]], 1, None, "3 dimensions, but 2 are needed"),
        ([[1, np.nan]], 1, None, "queries: row 0 holds NaN"),
        ([[1e20, 0]], 1, None, "queries: row 0 has length"),
        ([[1, 2]], 0, None, "k is 0"),
        ([[1, 2]], 1, [True], "must be bool [(]2,[)]"),
        ([[1, 2]], 1, [1, 0], "where is int64"),
    ],
)
def test_refuses_searches_that_do_not_fit(query, k, where, message):
    with pytest.raises(InputError, match=message):
        ExactIndex([[1, 0], [0, 1]]).search(query, k, where=where)


@pytest.mark.parametrize("metric", METRICS)
def test_near_ties_are_told_apart_although_single_precision_cannot(metric):
    """Rows that differ in their last bits: the fast pass orders them by its rounding errors, the answer does not."""
    rng = np.random.default_rng(8)
    base = rng.standard_normal(256).astype(np.float32) * 100
    items = np.nextafter(base, np.where(rng.random((2000, 256)) < 0.5, np.inf, -np.inf), dtype=np.float32)
    query = base + rng.standard_normal(256).astype(np.float32)
    scores = all_scores(query[None], items, metric)
    index = ExactIndex(items, metric=metric)
    assert index.search(query, 7).ids.tolist() == best(scores, 7, None)
    threshold = float(np.median(scores))
    found = index.range(query, threshold)
    assert sorted(found.right.tolist()) == np.flatnonzero(scores[0] >= np.float32(threshold)).tolist()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("seed", range(20))
def test_a_query_far_from_items_that_are_close_together(seed):
    rng = np.random.default_rng(seed)
    items = (rng.normal(size=4) + 1e-4 * rng.normal(size=(60, 4))).astype(np.float32)
    queries = (100 * rng.normal(size=(5, 4))).astype(np.float32)
    truth = all_scores(queries, items, "l2")
    hits = ExactIndex(items, metric="l2").search(queries, 3)
    for row, scores in zip(hits.ids, truth, strict=True):
        np.testing.assert_array_equal(row, np.lexsort((np.arange(60), -scores))[:3])
    assert len(ExactIndex(items, metric="l2").range(queries, -np.inf)) == 300
    assert len(ExactIndex(items, metric="l2").range(queries, np.inf)) == 0
