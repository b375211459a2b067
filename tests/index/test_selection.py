"""A selection finds what its mask finds, in every index, however often and by how many threads it is used."""

from __future__ import annotations

import gc
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.index import Engine, ExactIndex, GraphIndex, HammingIndex, ScanIndex, Selection, kernels

N, D = 6_000, 24
RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(N, D)).astype(np.float32)
QUERIES = RNG.normal(size=(20, D)).astype(np.float32)


@pytest.fixture(scope="module")
def indexes():
    found = {"exact": ExactIndex(ROWS), "scan": ScanIndex(ROWS), "engine": Engine(ROWS)}
    if kernels.usable():
        found["graph"] = GraphIndex(ROWS)
        found["tuned"] = Engine(ROWS).tune(graph=True)
    return found


@settings(max_examples=30, deadline=None)
@given(share=st.sampled_from([0.0, 0.001, 0.1, 0.3, 0.7, 1.0]), seed=st.integers(0, 99), many=st.booleans())
def test_it_is_its_mask(indexes, share, seed, many):
    mask = np.random.default_rng(seed).random(N) < share
    chosen = Selection(mask)
    asked = QUERIES if many else QUERIES[seed % 20]
    assert (chosen.count, len(chosen)) == (mask.sum(), N)
    np.testing.assert_array_equal(chosen.rows, np.flatnonzero(mask))
    for name, index in indexes.items():
        for _ in range(2):
            plain, kept = index.search(asked, 10, where=mask), index.search(asked, 10, where=chosen)
            if name == "tuned":  # it may plan another way
                assert mask[kept.ids[kept.ids >= 0]].all()
                np.testing.assert_array_equal(kept.ids >= 0, plain.ids >= 0)
                continue
            np.testing.assert_array_equal(plain.ids, kept.ids)
            np.testing.assert_array_equal(plain.scores, kept.scores)


def test_threads_share_it(indexes):
    chosen = Selection(RNG.random(N) < 0.2)
    truth = indexes["exact"].search(QUERIES, 5, where=chosen).ids
    with ThreadPoolExecutor(4) as pool:
        for index in indexes.values():
            if isinstance(index, ExactIndex | ScanIndex):
                found = list(pool.map(lambda query, index=index: index.search(query, 5, where=chosen).ids[0], QUERIES))
                np.testing.assert_array_equal(found, truth)


def test_it_is_a_copy_and_keeps_nothing_alive():
    mask = np.ones(N, np.bool_)
    chosen = Selection(mask)
    mask[:] = False
    assert chosen.mask.all()
    with pytest.raises(ValueError, match="read-only"):
        chosen.mask[0] = False
    index = ScanIndex(ROWS)
    index.search(QUERIES, 5, where=Selection(RNG.random(N) < 0.3))
    selected = Selection(RNG.random(N) < 0.25)
    index.search(QUERIES[0], 5, where=selected)
    gone = weakref.ref(index)
    del index
    gc.collect()
    assert gone() is None
    assert not len(selected._derived)


def test_what_does_not_fit_is_named():
    with pytest.raises(InputError, match="must be bool"):
        Selection([1, 0])
    with pytest.raises(InputError, match="must be bool"):
        Selection([[True]])
    with pytest.raises(InputError, match="one value a vector"):
        ExactIndex(ROWS).search(QUERIES, 3, where=Selection([True]))
    with pytest.raises(InputError, match="one value a code"):
        HammingIndex(np.zeros((4, 8), np.uint8)).search(np.zeros((1, 8), np.uint8), 1, where=Selection([True]))
    assert repr(Selection([True, False])) == "Selection(1 of 2)"
    assert Selection([]).rows.tolist() == []
