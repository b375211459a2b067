"""Similarities of vectors against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.measure import cosine, dot, negative_l2, normalise

components = st.floats(-100, 100, width=32, allow_subnormal=False)
pairs = st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(1, 6)).flatmap(
    lambda s: st.tuples(
        arrays(np.float32, (s[0], s[2]), elements=components), arrays(np.float32, (s[1], s[2]), elements=components)
    )
)


def each(function, left, right):
    values = [[function(a.astype(float), b.astype(float)) for b in right] for a in left]
    return np.array(values).reshape(len(left), len(right))


def angle(a, b):
    lengths = np.linalg.norm(a) * np.linalg.norm(b)
    return a @ b / lengths if np.linalg.norm(a) > 1e-30 and np.linalg.norm(b) > 1e-30 else 0.0


@given(pairs)
def test_definitions(pair):
    left, right = pair
    scale = 1 + np.abs(left).max(initial=0) * np.abs(right).max(initial=0)
    for function, definition, tolerance in (
        (cosine, angle, 1e-5),
        (dot, lambda a, b: a @ b, 1e-5 * scale),
        (negative_l2, lambda a, b: -np.linalg.norm(a - b), 1e-3),
    ):
        scores = function(left, right)
        assert scores.dtype == np.float32
        assert scores.shape == (len(left), len(right))
        assert np.allclose(scores, each(definition, left, right), rtol=1e-5, atol=tolerance)


@given(pairs)
def test_symmetry_and_bounds(pair):
    left, right = pair
    assert np.allclose(cosine(left, right), cosine(right, left).T, atol=1e-6)
    assert np.abs(cosine(left, right)).max(initial=0) <= 1
    assert (negative_l2(left, right) <= 0).all()


@pytest.mark.parametrize("size", [1e-20, 1.0, 1e37])
def test_length_does_not_matter_to_cosine(size):
    vector = np.float32([3, 4]) * np.float32(size)
    assert np.allclose(normalise(vector), [[0.6, 0.8]], atol=1e-7)
    assert cosine(vector, vector)[0, 0] == pytest.approx(1)


def test_zero_vectors():
    assert normalise([[0, 0], [1e-38, 0]]).tolist() == [[0, 0], [0, 0]]
    assert cosine([0, 0], [[1, 0], [0, 0]]).tolist() == [[0, 0]]


def test_normalise_leaves_its_input_alone():
    vectors = np.float32([[3, 4]])
    normalise(vectors)
    assert vectors.tolist() == [[3, 4]]


@pytest.mark.parametrize("function", [cosine, dot, negative_l2])
def test_refuses_what_does_not_fit(function):
    with pytest.raises(InputError, match="items: 3 dimensions, but 2 are needed"):
        function([1, 2], [1, 2, 3])
    with pytest.raises(InputError, match="queries: row 0 holds NaN"):
        function([1, np.nan], [1, 2])
