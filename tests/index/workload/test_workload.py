"""A batch over a partitioned index gives what one exact search for each query gives."""

from __future__ import annotations

import os
import random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.errors import FilterError, InputError
from similia.index import ExactIndex, Predicate
from similia.index.workload import Cost, Limits, WorkloadIndex, batch, layout
from similia.index.workload import index as module
from similia.index.workload.batch import _keys
from similia.types import Hits

METRICS = ["cosine", "dot", "l2"]
EXAMPLES = int(os.environ.get("SIMILIA_FUZZ") or 25)


def same(found: Hits, expected: Hits) -> None:
    np.testing.assert_array_equal(found.ids, expected.ids)
    np.testing.assert_array_equal(found.scores, expected.scores)


def oracle(exact: ExactIndex, queries, k: int, where, columns, fields) -> Hits:
    masks = {text: None if text is None else Predicate.parse(text, fields).mask(columns) for text in where}
    each = [exact.search(query, k, where=masks[text]) for query, text in zip(queries, where, strict=True)]
    return Hits(np.concatenate([hits.ids for hits in each]), np.concatenate([hits.scores for hits in each]))


def vectors(random, count: int, d: int) -> np.ndarray:
    """With equal ones, zeros and some that are close to others."""
    made = random.standard_normal((count, d)).astype(np.float32)
    made[random.integers(0, count, count // 4)] = made[0]
    made[random.integers(0, count, count // 8)] = 0
    close = random.integers(0, count, count // 4)
    made[close] = made[random.integers(0, count, count // 4)] * np.float32(1 + 1e-7)
    return made


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=EXAMPLES)
@given(seed=st.integers(0, 2**32 - 1))
@pytest.mark.parametrize("metric", METRICS)
def test_the_answers_are_those_of_an_exact_search(known, odd, metric, seed):
    rng, draw = random.Random(seed), np.random.default_rng(seed)
    count, d, asked = rng.randint(1, 150), rng.randint(1, 6), rng.randint(1, 25)
    columns, items = odd.table(rng, count), vectors(draw, count, d)
    filters = [None, *(odd.condition(rng) for _ in range(6))]
    where = [rng.choice(filters) for _ in range(2 * asked)]
    queries = vectors(draw, 2 * asked, d)
    index = WorkloadIndex(
        items,
        columns,
        odd.fields,
        (queries[asked:], where[asked:]),
        ids=draw.permutation(count) * 3,
        metric=metric,
        centroids=rng.randint(1, 9),
        near=rng.randint(0, 4),
        limits=Limits(leaf=rng.randint(1, 30), gain=0, depth=rng.randint(0, 8)),
        seed=seed,
    )
    k = rng.choice([1, 3, 10, 200])
    expected = oracle(index.exact, queries[:asked], k, where[:asked], columns, odd.fields)
    same(index.search(queries[:asked], k, where=where[:asked]), expected)
    same(index.search(queries[:asked], k, where=where[:asked], batched=False), expected)
    few = {"nprobe": rng.randint(1, 4), "near": rng.choice([None, 1, 2])}
    found = index.search(queries[:asked], k, where=where[:asked], **few)
    same(index.search(queries[:asked], k, where=where[:asked], batched=False, **few), found)
    assert ((found.ids >= 0).sum(axis=1) == (expected.ids >= 0).sum(axis=1)).all()


@pytest.fixture
def clustered():
    """Vectors around 8 centres, of which each has an area of its own; years come at random."""
    draw = np.random.default_rng(3)
    label = draw.integers(0, 8, 2_000)
    centres = 3 * draw.standard_normal((8, 16))
    items = (centres[label] + draw.standard_normal((2_000, 16))).astype(np.float32)
    columns = {"area": [f"a{number}" for number in label], "n": draw.integers(2000, 2020, 2_000).tolist()}
    fields = {"area": "category", "n": "integer"}
    chosen = draw.integers(0, 2_000, 400)
    where = [f"area = 'a{label[i]}' AND n >= {columns['n'][i] // 5 * 5}" for i in chosen]
    return items, columns, fields, items[chosen], where


def test_a_tree_saves_work_and_a_batch_saves_bitmaps(clustered):
    items, columns, fields, queries, where = clustered
    past = (queries[:300], where[:300])
    tree, one = WorkloadIndex(items, columns, fields, past), WorkloadIndex(items, columns, fields)
    assert (one.leaves, one.tree) == (1, None)
    assert tree.leaves >= 8
    costs = {}
    for name, index in (("tree", tree), ("one", one)):
        for batched in (True, False):
            cost = costs[name, batched] = Cost()
            index.search(queries[300:], 5, where=where[300:], batched=batched, cost=cost)
    assert costs["one", False].tested == 100 * 2_000
    assert costs["one", True].tested == len({*where[300:]}) * 2_000
    assert costs["tree", False].tested * 5 < costs["one", False].tested
    assert costs["tree", True].compared < costs["one", True].compared


def test_fewer_lists_find_less_but_never_too_few(clustered):
    items, columns, fields, queries, where = clustered
    index = WorkloadIndex(items, columns, fields, (queries, where), near=2, centroids=8)
    exact, cost = index.search(queries, 5, where=where), Cost()
    found = index.search(queries, 5, where=where, nprobe=1, near=1, cost=cost)
    assert ((found.ids >= 0) == (exact.ids >= 0)).all()
    assert cost.compared < 400 * 200
    assert 0.3 < (found.ids == exact.ids).mean() < 1
    rare = index.search(queries[:3], 5, where="n = 2003 AND area = 'a1'", nprobe=1, near=1)
    same(rare, index.search(queries[:3], 5, where="n = 2003 AND area = 'a1'"))


def test_memory_is_cut_into_tiles(clustered, monkeypatch):
    items, columns, fields, queries, where = clustered
    index = WorkloadIndex(items, columns, fields, (queries, where))
    expected = index.search(queries, 5, where=where)
    monkeypatch.setattr(batch, "_SCORES", 100)
    monkeypatch.setattr(batch, "_HELD", 50)
    monkeypatch.setattr(module, "_HELD", 3 * len(items))
    monkeypatch.setattr(module, "_QUERIES", 7)
    same(index.search(queries, 5, where=where), expected)
    same(
        index.search(queries, 5, where=where, nprobe=3), index.search(queries, 5, where=where, nprobe=3, batched=False)
    )


def test_the_same_seed_gives_the_same_index(clustered):
    items, columns, fields, queries, where = clustered
    one, two = (WorkloadIndex(items, columns, fields, (queries, where), near=2, seed=7) for _ in range(2))
    np.testing.assert_array_equal(one.leaf, two.leaf)
    assert one.tree == two.tree
    same(one.search(queries, 5, where=where, nprobe=2), two.search(queries, 5, where=where, nprobe=2))


def test_lists_that_are_equally_near_are_chosen_alike_in_any_batch():
    draw = np.random.default_rng(0)
    items = np.repeat(draw.standard_normal((12, 5)).astype(np.float32), 40, axis=0)
    index = WorkloadIndex(items, {"n": np.arange(480).tolist()}, {"n": "integer"}, None, metric="l2")
    queries = draw.standard_normal((50, 5)).astype(np.float32)
    assert index.lists > 2
    for nprobe in (1, 2, 3):
        same(index.search(queries, 9, nprobe=nprobe), index.search(queries, 9, nprobe=nprobe, batched=False))


def test_half_precision_vectors_are_kept_as_they_are(clustered):
    items, columns, fields, queries, where = clustered
    half = items.astype(np.float16)
    index = WorkloadIndex(half, columns, fields, (queries, where), metric="dot")
    assert index.exact.vectors is half
    masks = {text: Predicate.parse(text, fields).mask(columns) for text in where}
    found = index.search(queries[:40], 5, where=where[:40])
    for place, text in enumerate(where[:40]):
        np.testing.assert_array_equal(found.ids[place], index.exact.search(queries[place], 5, where=masks[text]).ids[0])


def test_empty_and_tiny():
    none = WorkloadIndex(np.empty((0, 3)), {"n": []}, {"n": "integer"}, (np.ones((2, 3)), ["n = 1", None]))
    assert none.search([1, 2, 3], 2, where="n > 1").ids.tolist() == [[-1, -1]]
    assert (none.leaves, none.lists, len(none)) == (0, 0, 0)
    index = WorkloadIndex([[1, 0], [0, 1]], {"n": [1, None]}, {"n": "integer"})
    assert index.search([1, 0], 3, where="n = 7").ids.tolist() == [[-1, -1, -1]]
    assert index.search([1, 0], 3).ids.tolist() == [[0, 1, -1]]
    assert index.search(np.empty((0, 2)), 3, where=[]).ids.shape == (0, 3)


def test_bad_input_is_refused():
    fields = {"n": "integer"}
    index = WorkloadIndex([[1, 0], [0, 1]], {"n": [1, None]}, fields)
    with pytest.raises(FilterError, match="no field 'm'"):
        index.search([1, 0], 1, where="m = 1")
    with pytest.raises(InputError, match="needs the column 'm'; there are n"):
        index.search([1, 0], 1, where=Predicate.parse("m = 1", {"m": "integer"}))
    with pytest.raises(InputError, match="2 filters for 1 queries"):
        index.search([1, 0], 1, where=["n = 1", None])
    with pytest.raises(InputError, match="where holds 3"):
        index.search([1, 0], 1, where=[3])
    for wrong in ({"nprobe": 0}, {"near": 1.5}, {"nprobe": True}):
        with pytest.raises(InputError, match="at least 1"):
            index.search([1, 0], 1, **wrong)
    with pytest.raises(InputError, match="centroids is 0"):
        WorkloadIndex([[1, 0]], {"n": [1]}, fields, centroids=0)
    with pytest.raises(InputError, match="'n' has 2 values"):
        WorkloadIndex([[1, 0]], {"n": [1, 2]}, fields)
    for wrong in ({"leaf": 0}, {"depth": -1}, {"gain": 2.0}):
        with pytest.raises(InputError, match="limits"):
            Limits(**wrong)


def test_keys_sort_by_row_and_from_high_to_low():
    scores = np.array([3, 1, 0.5, 0, -0.5, -3, -np.inf, np.inf, 1e-40, -1e-40], np.float32)
    order = np.argsort(_keys(np.zeros(scores.size, np.int64), scores))
    np.testing.assert_array_equal(scores[order], np.sort(scores)[::-1])
    rows = np.array([1, 0, 1, 0])
    assert np.argsort(_keys(rows, np.array([-np.inf, -np.inf, np.inf, 5], np.float32))).tolist() == [3, 1, 2, 0]


def test_a_doubtful_choice_of_lists_is_computed_again(clustered, monkeypatch):
    items, columns, fields, queries, _ = clustered
    index = WorkloadIndex(items, columns, fields)
    plain = index.search(queries, 5, nprobe=2)
    monkeypatch.setattr(layout.ExactIndex, "slack", lambda self, queries: np.full((len(queries), 1), 1e3))
    same(index.search(queries, 5, nprobe=2), plain)
