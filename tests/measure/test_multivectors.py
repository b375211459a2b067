"""Chamfer similarity against its definition, pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.measure import multivectors as module
from similia.measure.multivectors import chamfer, chamfer_of, chosen_scores, gather
from similia.types import MultiVector, ragged

numbers = st.sampled_from([0.0, 1.0, -1.0, 0.5]) | st.floats(-3, 3, width=16)


@st.composite
def sets(draw, d: int) -> MultiVector:
    lengths = draw(st.lists(st.integers(0, 4), max_size=7))
    return ragged([draw(arrays(np.float32, (length, d), elements=numbers)) for length in lengths], d)


def defined(queries: MultiVector, items: MultiVector) -> np.ndarray:
    out = np.full((len(queries), len(items)), -np.inf)
    for i, left in enumerate(queries):
        for j, right in enumerate(items):
            if len(right):
                out[i, j] = sum(max(float(q.astype(float) @ p.astype(float)) for p in right) for q in left)
    return out


@pytest.mark.parametrize("block", [1, 5, 10**6])
@settings(deadline=None, max_examples=60)
@given(data=st.data(), d=st.integers(1, 4))
def test_the_definition(block: int, data: st.DataObject, d: int) -> None:
    queries, items = data.draw(sets(d)), data.draw(sets(d))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_SCORES", block)
        patch.setattr(module, "_VECTORS", block)
        expected = defined(queries, items)
        np.testing.assert_allclose(chamfer(queries, items), expected, rtol=1e-5, atol=1e-5)
        left, right = (grid.ravel() for grid in np.indices(expected.shape))
        order = np.random.default_rng(0).permutation(left.size)
        found = chamfer_of(queries, items, left[order], right[order])
        np.testing.assert_allclose(found, expected.ravel()[order].astype(np.float32), rtol=1e-6, atol=1e-6)
        for row, query in enumerate(queries):
            everything = np.arange(len(items))
            np.testing.assert_allclose(chosen_scores(query, items, everything), expected[row], rtol=1e-5, atol=1e-5)


def test_one_vector_each_is_the_inner_product() -> None:
    random = np.random.default_rng(0)
    left, right = random.normal(size=(5, 3)), random.normal(size=(7, 3))
    found = chamfer(MultiVector(left, np.arange(6)), MultiVector(right, np.arange(8)))
    np.testing.assert_allclose(found, left @ right.T, rtol=1e-5, atol=1e-6)


def test_gather_repeats_and_reorders() -> None:
    items = ragged([np.full((n, 2), n) for n in (2, 0, 3)], 2)
    found = gather(items, np.array([2, 1, 0, 2]))
    assert [len(part) for part in found] == [3, 0, 2, 3]
    assert found.vectors[:, 0].tolist() == [3, 3, 3, 2, 2, 3, 3, 3]


def test_what_does_not_fit_is_refused() -> None:
    two, three = ragged([np.ones((1, 2))], 2), ragged([np.ones((1, 3))], 3)
    with pytest.raises(InputError, match="2 dimensions and items 3"):
        chamfer(two, three)
    with pytest.raises(InputError, match="there are 0 to 0"):
        chamfer_of(two, two, [0], [1])
    with pytest.raises(InputError, match="there are 0 to 0"):
        chamfer_of(two, two, [-1], [0])
    with pytest.raises(InputError, match="one length"):
        chamfer_of(two, two, [0, 0], [0])
    with pytest.raises(InputError, match="whole numbers"):
        chamfer_of(two, two, [0.5], [0])
