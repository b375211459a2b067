"""Multi-vector search against the definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index.multivector import FixedDimensionalEncoder, MultiVectorIndex
from similia.measure import normalise
from similia.types import MultiVector, ragged

numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5, 2.0])


@st.composite
def cases(draw):
    d = draw(st.integers(1, 3))

    def sets(most: int) -> MultiVector:
        lengths = draw(st.lists(st.integers(0, 3), max_size=most))
        return ragged([draw(arrays(np.float32, (length, d), elements=numbers)) for length in lengths], d)

    items, queries = sets(9), sets(3)
    return items, queries, draw(st.none() | arrays(np.bool_, len(items)))


def best(items: MultiVector, queries: MultiVector, k: int, where) -> list[list[tuple[int, float]]]:
    rows = []
    for query in queries:
        scored = [
            (j, float(sum((q.astype(float) @ item.T.astype(float)).max() for q in query)))
            for j, item in enumerate(items)
            if len(item) and (where is None or where[j])
        ]
        scored.sort(key=lambda pair: (-pair[1], pair[0]))
        rows.append((scored + [(-1, -np.inf)] * k)[:k])
    return rows


@settings(deadline=None, max_examples=150)
@given(case=cases(), k=st.integers(1, 10))
def test_exact_search_is_the_definition(case, k) -> None:
    items, queries, where = case
    ids = np.arange(len(items)) * 7 + 3
    hits = MultiVectorIndex(items, ids).search(queries, k, where=where)
    for row, expected in enumerate(best(items, queries, k, where)):
        assert hits.ids[row].tolist() == [-1 if j < 0 else j * 7 + 3 for j, _ in expected]
        assert hits.scores[row].tolist() == [score for _, score in expected]


@settings(deadline=None, max_examples=80)
@given(case=cases(), k=st.integers(1, 10))
def test_a_pool_of_all_is_exact_search(case, k) -> None:
    items, queries, where = case
    encoder = FixedDimensionalEncoder(items.vectors.shape[1], repetitions=2, bits=2)
    found = MultiVectorIndex(items, encoder=encoder).search(queries, k, where=where, pool=100)
    exact = MultiVectorIndex(items).search(queries, k, where=where)
    np.testing.assert_array_equal(found.ids, exact.ids)
    np.testing.assert_array_equal(found.scores, exact.scores)


def test_two_stages_find_nearly_all_that_is_there() -> None:
    random = np.random.default_rng(0)
    centres = normalise(random.normal(size=(200, 24)))
    tokens = [normalise(centres[random.choice(200, 12)] + 0.1 * random.normal(size=(12, 24))) for _ in range(400)]
    items = ragged(tokens, 24)
    queries = ragged([part[:5] + 0.1 * random.normal(size=(5, 24)) for part in tokens[:50]], 24)
    exact = MultiVectorIndex(items).search(queries, 5)
    encoder = FixedDimensionalEncoder(24, repetitions=20, bits=4, inner=8)
    found = MultiVectorIndex(items, encoder=encoder).search(queries, 5, pool=60)
    assert (exact.ids[:, 0] == np.arange(50)).all()
    assert (found.ids[:, 0] == exact.ids[:, 0]).mean() > 0.9
    both = found.ids == exact.ids
    np.testing.assert_array_equal(found.scores[both], exact.scores[both])
    batch = MultiVectorIndex(items, encoder=encoder)
    one = batch.search(ragged([tokens[3][:5]], 24), 5, pool=60)
    many = batch.search(ragged([tokens[3][:5], tokens[9]], 24), 5, pool=60)
    np.testing.assert_array_equal(one.scores[0], many.scores[0])


def test_what_cannot_be_is_refused() -> None:
    items = ragged([np.ones((2, 3)), np.ones((1, 3))], 3)
    encoder = FixedDimensionalEncoder(3)
    with pytest.raises(InputError, match="encoder takes 4"):
        MultiVectorIndex(items, encoder=FixedDimensionalEncoder(4))
    with pytest.raises(InputError, match="scale them down"):
        MultiVectorIndex(ragged([np.full((1, 3), 1e16)], 3))
    with pytest.raises(InputError, match="ids"):
        MultiVectorIndex(items, [1])
    index = MultiVectorIndex(items, encoder=encoder)
    for arguments, words in (
        ({"k": 0}, "k is 0"),
        ({"k": 5, "pool": 4}, "pool must hold"),
        ({"k": 1, "where": [True]}, "where is"),
        ({"k": 1, "where": [1, 0]}, "where is"),
    ):
        with pytest.raises(InputError, match=words):
            index.search(items, **arguments)
    with pytest.raises(InputError, match="no first stage"):
        MultiVectorIndex(items).search(items, 1, pool=9)
    with pytest.raises(InputError, match="3 are needed"):
        index.search(ragged([np.ones((1, 2))], 2), 1)
