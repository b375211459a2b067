"""The graph against comparing everything: right wherever it answers, and rarely without an item."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import ExactIndex, kernels
from similia.index.graph import GraphIndex
from similia.types import Dense, Hits

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")

METRICS = ["cosine", "dot", "l2"]
components = st.sampled_from([0.0, 1.0, -1.0, 2.0]) | st.floats(-3, 3, width=16)


def clustered(n: int, d: int, seed: int, spread: float = 0.4) -> np.ndarray:
    """Points around 40 centres, of different lengths, in a space of 12 dimensions within d."""
    centres = np.random.default_rng(99).normal(size=(40, 12))
    axes = np.random.default_rng(98).normal(size=(12, d))
    random = np.random.default_rng(seed)
    points = centres[random.integers(0, 40, n)] + spread * random.normal(size=(n, 12))
    return ((points @ axes + 0.1 * random.normal(size=(n, d))) * random.uniform(0.5, 2, (n, 1))).astype(np.float32)


def recall(found: Hits, true: Hits) -> float:
    """The share of true hits that were found; equal scores count as equal hits."""
    same = [len(set(a.tolist()) & set(b.tolist())) for a, b in zip(found.ids, true.ids, strict=True)]
    return sum(same) / true.ids.size


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    return clustered(5000, 40, seed=0)


@pytest.fixture(scope="module", params=METRICS)
def pair(request, vectors):
    return GraphIndex(vectors, metric=request.param), ExactIndex(vectors, metric=request.param)


def test_recall_is_high_and_grows_with_the_beam(pair):
    index, exact = pair
    queries = clustered(200, 40, seed=1)
    true = exact.search(queries, 10)
    narrow, wide = (recall(index.search(queries, 10, beam=beam), true) for beam in (10, 200))
    assert wide >= 0.99
    assert 0.6 < narrow <= wide


def test_scores_are_exact(pair):
    index, exact = pair
    queries = clustered(50, 40, seed=2)
    found, true = index.search(queries, 10), exact.search(queries, 5000)
    for ids, scores, all_ids, all_scores in zip(found.ids, found.scores, true.ids, true.scores, strict=True):
        by_id = dict(zip(all_ids.tolist(), all_scores.tolist(), strict=True))
        assert scores.tolist() == [by_id[item] for item in ids.tolist()]
        assert (np.diff(scores) <= 0).all()


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_a_few_items_are_all_found(metric, data):
    d = data.draw(st.integers(1, 5))
    items = data.draw(arrays(np.float32, (data.draw(st.integers(0, 40)), d), elements=components))
    queries = data.draw(arrays(np.float32, (data.draw(st.integers(0, 3)), d), elements=components))
    where = data.draw(st.none() | arrays(np.bool_, len(items)))
    k = data.draw(st.integers(1, 45))
    found = GraphIndex(items, metric=metric).search(queries, k, where=where)
    true = ExactIndex(items, metric=metric).search(queries, k, where=where)
    assert np.array_equal(found.ids, true.ids)
    assert np.array_equal(found.scores, true.scores)


def test_more_places_than_items_are_filled_with_all_items(pair):
    index, exact = pair
    found, true = index.search(np.ones((2, 40)), 6000), exact.search(np.ones((2, 40)), 6000)
    assert np.array_equal(found.ids, true.ids)
    assert np.array_equal(found.scores, true.scores)


def test_half_precision_and_memory_maps(tmp_path, vectors):
    np.save(tmp_path / "half.npy", vectors.astype(np.float16))
    half = np.load(tmp_path / "half.npy", mmap_mode="r")
    queries = clustered(40, 40, seed=3)
    found, true = GraphIndex(half).search(queries, 10), ExactIndex(half).search(queries, 10)
    assert recall(found, true) > 0.97
    same = found.ids == true.ids
    assert np.array_equal(found.scores[same], true.scores[same])


def test_duplicates_are_found_by_position():
    points = clustered(3000, 24, seed=4)
    points[500:1500] = points[0]
    hits = GraphIndex(points).search(points[0], 20, beam=64)
    assert (hits.scores >= 1 - 1e-6).all()
    assert len(set(hits.ids[0].tolist())) == 20


def test_all_items_alike():
    hits = GraphIndex(np.ones((3000, 8), np.float32)).search(np.ones(8), 10)
    assert np.allclose(hits.scores, 1)
    assert len(set(hits.ids[0].tolist())) == 10


def test_every_item_finds_itself(vectors):
    index = GraphIndex(vectors, metric="l2")
    hits = index.search(vectors, 1, beam=64)
    assert (hits.ids[:, 0] == np.arange(len(vectors))).mean() > 0.99


def test_zero_vectors_and_zero_queries(vectors):
    points = vectors.copy()
    points[[3, 4000]] = 0
    found = GraphIndex(points).search(np.zeros(40), 3)
    assert found.ids.tolist() == [[0, 1, 2]]
    assert found.scores.tolist() == [[0, 0, 0]]


def test_the_graph_is_the_same_with_more_threads():
    points = clustered(20_000, 20, seed=5)
    one, two = GraphIndex(points, seed=7), GraphIndex(points, seed=7, threads=2)
    for name, array in one.arrays().items():
        assert np.array_equal(array, two.arrays()[name]), name


def test_searches_may_run_at_once(pair):
    index, _ = pair
    queries = clustered(400, 40, seed=6)
    alone = index.search(queries, 10)
    with ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(lambda start: index.search(queries[start : start + 50], 10).ids, range(0, 400, 50)))
    assert np.array_equal(np.concatenate(parts), alone.ids)


@pytest.mark.parametrize("metric", METRICS)
def test_lengths_of_all_orders(metric):
    points = clustered(3000, 16, seed=13)
    points[::7] *= np.float32(1e16)
    points[1::7] *= np.float32(1e-17)
    index, exact = GraphIndex(points, metric=metric), ExactIndex(points, metric=metric)
    hits = index.search(points[:50], 5, beam=100)
    assert np.isfinite(hits.scores).all()
    if metric == "cosine":
        assert recall(hits, exact.search(points[:50], 5)) > 0.95


def test_ids_and_kinds_of_queries(vectors):
    index = GraphIndex(vectors, ids=np.arange(5000) * 3)
    assert index.search(vectors[9], 1).ids.tolist() == [[27]]
    assert index.search(Dense(vectors[9:10]), 1).ids.tolist() == [[27]]
    assert index.search(np.empty((0, 40)), 2).ids.shape == (0, 2)
    assert len(index) == 5000


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"vectors": [[1.0, np.nan]]}, "NaN or infinity"),
        ({"vectors": [[1.0, np.inf]]}, "NaN or infinity"),
        ({"vectors": np.ones((2, 2, 2))}, "3 axes"),
        ({"vectors": np.ones((2, 0))}, "0 dimensions"),
        ({"metric": "angle"}, "metric 'angle' is unknown"),
        ({"ids": [1, 1, 2]}, "ids hold 1 more than once"),
        ({"ids": [-1, 1, 2]}, "at least 0"),
        ({"degree": 2}, "degree is 2"),
        ({"build_beam": 0}, "build_beam is 0"),
        ({"dimensions": 3}, "between 1 and 2"),
        ({"threads": 0}, "at least 1"),
    ],
)
def test_what_cannot_be_built_is_refused(change, says):
    with pytest.raises(InputError, match=says):
        GraphIndex(**{"vectors": np.ones((3, 2)), **change})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"k": 0}, "k is 0"),
        ({"beam": 0}, "beam is 0"),
        ({"queries": [[1, 2, 3]]}, "3 dimensions"),
        ({"queries": [[1, np.nan]]}, "NaN"),
        ({"where": [True]}, "one value a position"),
        ({"where": [1, 0, 1]}, "must be bool"),
    ],
)
def test_what_cannot_be_searched_is_refused(change, says):
    index = GraphIndex(np.ones((3, 2)))
    with pytest.raises(InputError, match=says):
        index.search(**{"queries": [[1, 2]], "k": 1, **change})
