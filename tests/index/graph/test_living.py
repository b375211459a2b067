"""Items come and go, filters are kept, and an index can be written down."""

from __future__ import annotations

import json

import numpy as np
import pytest

from similia.errors import InputError, UnknownItem
from similia.index import ExactIndex, kernels
from similia.index.graph import GraphIndex
from similia.types import Hits

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")

METRICS = ["cosine", "dot", "l2"]
D = 24


def points(n: int, seed: int) -> np.ndarray:
    """Points around 60 centres, of different lengths."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(99).normal(size=(60, D))
    lengths = random.uniform(0.5, 2, (n, 1))
    return ((centres[random.integers(0, 60, n)] + 0.6 * random.normal(size=(n, D))) * lengths).astype(np.float32)


def recall(found: Hits, true: Hits) -> float:
    same = [len(set(a.tolist()) & set(b.tolist()) - {-1}) for a, b in zip(found.ids, true.ids, strict=True)]
    count = int((true.ids >= 0).sum())
    return sum(same) / count if count else 1.0


@pytest.fixture(scope="module")
def items() -> np.ndarray:
    return points(8000, seed=0)


@pytest.fixture(scope="module", params=METRICS)
def pair(request, items):
    return GraphIndex(items, metric=request.param), ExactIndex(items, metric=request.param)


@pytest.mark.parametrize("share", [0.0, 0.0003, 0.01, 0.1, 0.3, 0.5, 0.9, 1.0])
def test_a_filter_is_kept_and_recall_with_it(pair, share):
    index, exact = pair
    queries, where = points(60, seed=1), np.random.default_rng(2).random(8000) < share
    found, true = index.search(queries, 10, where=where, beam=100), exact.search(queries, 10, where=where)
    inside = found.ids >= 0
    assert where[found.ids[inside]].all()
    assert inside.sum() == 60 * min(10, where.sum())
    assert np.isneginf(found.scores[~inside]).all()
    assert recall(found, true) > 0.97


def test_a_filter_far_from_the_query(items):
    # What passes lies all on one side, and the query on the other.
    index, exact = GraphIndex(items, metric="l2"), ExactIndex(items, metric="l2")
    where = items[:, 0] > np.quantile(items[:, 0], 0.6)
    queries = points(200, seed=3)
    queries = queries[queries[:, 0] < 0]
    assert recall(index.search(queries, 10, where=where, beam=100), exact.search(queries, 10, where=where)) > 0.95


@pytest.mark.parametrize("metric", METRICS)
def test_recall_is_kept_while_items_come_and_go(metric):
    now, later = points(6000, seed=4), points(2400, seed=5)
    index = GraphIndex(now, metric=metric)
    queries, random = points(150, seed=6), np.random.default_rng(7)
    ids, vectors = np.arange(6000), now
    before = recall(index.search(queries, 10, beam=64), ExactIndex(now, metric=metric).search(queries, 10))
    for start in range(0, 2400, 400):
        gone = random.choice(ids, 300, replace=False)
        index.remove(gone)
        left = ~np.isin(ids, gone)
        ids, vectors = ids[left], vectors[left]
        new = index.add(later[start : start + 400])
        ids, vectors = np.concatenate((ids, new)), np.concatenate((vectors, later[start : start + 400]))
        assert len(index) == len(ids)
        assert not np.isin(index.search(queries, 10).ids, gone).any()
    true = ExactIndex(vectors, ids, metric).search(queries, 10)
    after = recall(index.search(queries, 10, beam=64), true)
    assert after > before - 0.01
    positions = index.compact()
    assert len(positions) == index.positions == len(ids)
    compacted = index.search(queries, 10, beam=64)
    assert recall(compacted, true) > before - 0.01
    assert np.array_equal(np.sort(index.ids), np.sort(ids))


def test_an_update_moves_an_item(items):
    index = GraphIndex(items, metric="l2")
    index.update([5, 6], items[:2] + 100)
    assert len(index) == 8000
    assert set(index.search(items[0] + 100, 2).ids[0].tolist()) == {5, 6}
    assert 5 not in index.search(items[5], 10).ids


def test_an_index_grows_from_nothing():
    index = GraphIndex(np.empty((0, D), np.float32), metric="dot")
    assert index.search(np.ones(D), 2).ids.tolist() == [[-1, -1]]
    vectors = points(3000, seed=8)
    for start in range(0, 3000, 250):
        index.add(vectors[start : start + 250])
    queries = points(100, seed=9)
    assert recall(index.search(queries, 10, beam=100), ExactIndex(vectors, metric="dot").search(queries, 10)) > 0.97
    index.remove(index.ids)
    assert len(index) == 0
    assert (index.search(queries, 3).ids == -1).all()
    index.add(vectors[:5], ids=[3, 1, 4, 15, 9])
    assert set(index.search(vectors[0], 10).ids[0].tolist()) == {3, 1, 4, 15, 9, -1}


def test_a_whole_region_is_removed():
    vectors = points(5000, seed=10)
    index, query = GraphIndex(vectors, metric="l2"), vectors[0]
    near = index.search(query, 60).ids[0]
    index.remove(near)
    left = np.ones(5000, np.bool_)
    left[near] = False
    true = ExactIndex(vectors, metric="l2").search(query, 10, where=left)
    assert recall(index.search(query, 10, beam=64), true) >= 0.9


def test_every_living_node_can_be_reached():
    from similia.index.graph.reach import spread

    vectors = points(4000, seed=11)
    vectors[1000:1400] = vectors[7]
    index = GraphIndex(vectors)
    index.remove(np.arange(0, 4000, 3))
    index.add(vectors[:500] + 0.01)
    index.arrays()
    state = index._state
    reached, waiting = np.zeros(len(state), np.bool_), np.empty(len(state), np.int64)
    reached[state.seeds] = True
    waiting[: len(state.seeds)] = state.seeds
    spread(state.links, waiting, len(state.seeds), reached)
    assert reached[state.alive].all()
    assert state.alive[state.links[state.alive]].all()


@pytest.mark.parametrize("metric", METRICS)
def test_an_index_is_written_down_and_mapped(tmp_path, items, metric):
    index = GraphIndex(items, ids=np.arange(8000) * 2, metric=metric)
    index.remove([0, 10])
    index.add(items[:3] + 1, ids=[1, 3, 5])
    for name, array in index.arrays().items():
        np.save(tmp_path / f"{name}.npy", array)
    np.save(tmp_path / "vectors.npy", np.concatenate((items, items[:3] + 1)))
    mapped = {path.stem: np.load(path, mmap_mode="r") for path in tmp_path.glob("*.npy")}
    again = GraphIndex.from_arrays(mapped.pop("vectors"), mapped, json.loads(json.dumps(index.settings())))
    queries = points(50, seed=12)
    first, second = index.search(queries, 10), again.search(queries, 10)
    assert np.array_equal(first.ids, second.ids)
    assert np.array_equal(first.scores, second.scores)
    again.remove([1])
    again.add(items[:1], ids=[7])
    assert 7 in again.search(items[0], 10, beam=100).ids
    with pytest.raises(InputError, match="as the index has them"):
        GraphIndex.from_arrays(items, mapped, index.settings())


def test_ids_must_be_free_or_there():
    index = GraphIndex(np.eye(4, dtype=np.float32))
    with pytest.raises(InputError, match="ids hold 2, which an item has already"):
        index.add(np.ones((1, 4)), ids=[2])
    with pytest.raises(UnknownItem, match="no item has the id 9"):
        index.remove([1, 9])
    assert len(index) == 4
    index.remove([2])
    with pytest.raises(UnknownItem, match="no item has the id 2"):
        index.remove([2])
    index.add(np.ones((1, 4)), ids=[2])
    assert index.search(np.ones(4), 1).ids.tolist() == [[2]]
