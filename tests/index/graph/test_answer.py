"""A query's code and its answer, compiled: as NumPy defines them, and the same alone and among others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import ExactIndex, kernels
from similia.index.graph import GraphIndex

pytestmark = pytest.mark.skipif(not kernels.usable(), reason="compiled kernels are not usable here")

METRICS = ["cosine", "dot", "l2"]


@pytest.mark.parametrize("metric", METRICS)
@settings(deadline=None, max_examples=40)
@given(d=st.integers(1, 150), q=st.integers(1, 11), seed=st.integers(0, 1000), zero=st.booleans())
def test_codes_are_those_of_the_coder(metric, d, q, seed, zero):
    from similia.index.graph.aim import aim, in_blocks
    from similia.index.graph.coding import fit
    from similia.index.inputs import METRICS as NUMBERS
    from similia.index.inputs import unit

    random = np.random.default_rng(seed)
    items, queries = (random.normal(size=(n, d)).astype(np.float32) * 3 for n in (50, q))
    if zero:
        queries[0] = 0
    coder = fit(items, metric, float(np.linalg.norm(items, axis=1).max()), None, seed)
    codes, counts, scales, tops = coder.queries(unit(queries) if metric == "cosine" else queries)
    mine = np.empty_like(codes), np.empty_like(counts), np.empty_like(scales), np.empty(q), np.empty(q)
    blocks = in_blocks(coder.query_map, coder.width)
    assert aim(queries, blocks, coder.mean, coder.step, coder.reach, NUMBERS[metric], *mine) == -1
    assert np.abs(mine[0].astype(int) - codes).max() <= 1
    assert (mine[0] != codes).mean() < 0.01 + 1 / codes.size
    assert np.allclose(mine[1], counts, rtol=1e-4)
    assert np.allclose(mine[2], scales, rtol=1e-4)
    others = np.abs(mine[0].astype(int) - codes).sum(axis=1)  # codes that rounding took to the next one, 128 each
    assert (np.abs(mine[3] - tops) <= 1e-3 * np.abs(tops) + 1 + 128 * others).all()
    assert np.allclose(mine[4], np.linalg.norm(queries.astype(np.float64), axis=1))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("share", [None, 0.5, 0.05])
def test_a_query_finds_the_same_alone_and_among_others(metric, kind, share):
    random = np.random.default_rng(3)
    items = random.normal(size=(6000, 20)).astype(kind)
    index, queries = GraphIndex(items, metric=metric), random.normal(size=(37, 20)).astype(np.float32)
    where = None if share is None else random.random(6000) < share
    together = index.search(queries, 7, where=where, beam=12)
    for i, query in enumerate(queries):
        alone = index.search(query, 7, where=where, beam=12)
        assert np.array_equal(alone.ids[0], together.ids[i])
        assert np.array_equal(alone.scores[0], together.scores[i])


@pytest.mark.parametrize("beam", [10, 5000])
def test_a_query_that_cannot_be_searched_is_named(beam):
    index = GraphIndex(np.random.default_rng(4).normal(size=(5000, 8)).astype(np.float32))
    queries = np.ones((9, 8), np.float32)
    queries[6, 3] = np.nan
    with pytest.raises(InputError, match="queries: row 6 holds NaN"):
        index.search(queries, 3, beam=beam)
    queries[6, 3] = 1e30
    with pytest.raises(InputError, match="queries: row 6 has length 1e"):
        index.search(queries, 3, beam=beam)


def test_batches_of_any_length_and_queries_of_any_kind():
    items = np.random.default_rng(5).normal(size=(5000, 6)).astype(np.float32)
    index, exact = GraphIndex(items, metric="l2"), ExactIndex(items, metric="l2")
    queries = np.repeat(items[:50], 50, axis=0)
    queries[7] = 0
    hits = index.search(queries, 1, beam=200)
    assert hits.ids.shape == (2500, 1)
    assert np.array_equal(hits.ids, exact.search(queries, 1).ids)
    for same in (queries[:5].astype(np.float64), np.asfortranarray(queries[:5]), queries[:5].tolist()):
        assert np.array_equal(index.search(same, 1, beam=200).ids, hits.ids[:5])


def test_a_walk_goes_farther_where_items_get_more_quickly():
    from similia.index.graph.build import reach_of

    random = np.random.default_rng(6)
    flat, deep = (GraphIndex(random.normal(size=(5000, d)).astype(np.float32), metric="l2") for d in (3, 24))
    assert 0.5 < flat.settings()["growth"] / 1.5 < 2
    assert 0.5 < deep.settings()["growth"] / 12 < 2
    assert reach_of(100, 10, 12.0) < reach_of(100, 10, 1.5)
    assert reach_of(5, 10, 12.0) == 0


def test_an_index_of_before_is_loaded():
    items = np.random.default_rng(7).normal(size=(4000, 12)).astype(np.float32)
    index = GraphIndex(items, metric="l2")
    before = {name: value for name, value in index.settings().items() if name != "growth"}
    again = GraphIndex.from_arrays(items, index.arrays(), before)
    true = ExactIndex(items, metric="l2").search(items[:50], 5)
    found = again.search(items[:50], 5, beam=100)
    assert np.mean([len(set(a) & set(b)) for a, b in zip(found.ids.tolist(), true.ids.tolist(), strict=True)]) > 4.8
