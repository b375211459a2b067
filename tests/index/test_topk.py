"""top_k against sorting everything."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from similia.errors import InputError
from similia.index import top_k

values = st.sampled_from([-np.inf, -1.0, -0.0, 0.0, 0.5, 0.5000001, 1.0, np.inf]) | st.floats(-2, 2, width=32)
shapes = st.tuples(st.integers(0, 3), st.integers(0, 12))


def by_sorting(scores: np.ndarray, k: int) -> tuple[list[list[int]], list[list[float]]]:
    positions, best = [], []
    for row in scores.tolist():
        order = sorted((n for n in range(len(row)) if row[n] > -np.inf), key=lambda n: (-row[n], n))[:k]
        padding = k - len(order)
        positions.append(order + [-1] * padding)
        best.append([row[n] for n in order] + [-np.inf] * padding)
    return positions, best


@given(scores=shapes.flatmap(lambda shape: arrays(np.float32, shape, elements=values)), k=st.integers(1, 15))
def test_equals_a_stable_sort(scores, k):
    positions, best = top_k(scores, k)
    assert (positions.dtype, best.dtype) == (np.int64, np.float32)
    assert (positions.tolist(), best.tolist()) == by_sorting(scores, k)


@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("n", [1000, 1023, 5000])
def test_many_columns_with_ties(n, k):
    scores = np.random.default_rng(n).integers(0, 300, (7, n)).astype(np.float32)
    positions, best = top_k(scores, k)
    assert (positions.tolist(), best.tolist()) == by_sorting(scores, k)


def test_a_worked_example():
    positions, best = top_k([[1, 3, 2, 3], [0, -np.inf, -np.inf, -np.inf]], 3)
    assert positions.tolist() == [[1, 3, 2], [0, -1, -1]]
    assert best.tolist() == [[3, 3, 2], [0, -np.inf, -np.inf]]


@pytest.mark.parametrize("k", [0, -1, True, 2.0, "3", None])
def test_refuses_a_k_that_is_no_number_of_places(k):
    with pytest.raises(InputError, match="k is"):
        top_k([[1.0]], k)


def test_refuses_nan_and_other_shapes():
    with pytest.raises(InputError, match="row 1 holds NaN"):
        top_k([[1.0], [np.nan]], 1)
    with pytest.raises(InputError, match="3 axes"):
        top_k(np.zeros((1, 1, 1)), 1)
