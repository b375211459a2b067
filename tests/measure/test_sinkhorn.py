"""Sinkhorn scaling against the plain iteration, and what its factors must do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from similia.errors import InputError
from similia.measure.sinkhorn import RunningLogSum, log_sum_exp, scale, sinkhorn_bias, sinkhorn_potentials

MATRICES = arrays(np.float64, array_shapes(min_dims=2, max_dims=2, max_side=7), elements=st.floats(-1, 1, width=32))


def plainly(scores: np.ndarray, temperature: float, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """The published loop: b = 1 / column sums, then a = 1 / (K b) and b = 1 / (a K) in turn."""
    kernel = np.exp((scores - scores.max()) / temperature)
    a, b = np.ones(len(kernel)), 1 / kernel.sum(axis=0)
    for _ in range(rounds):
        a = 1 / (kernel @ b)
        b = 1 / (a @ kernel)
    return a, b


@given(scores=MATRICES, temperature=st.sampled_from([0.1, 0.5, 2.0]), rounds=st.integers(0, 5))
def test_it_is_the_plain_iteration(scores: np.ndarray, temperature: float, rounds: int) -> None:
    a, b = plainly(scores, temperature, rounds)
    rows, columns = sinkhorn_potentials(scores, temperature=temperature, rounds=rounds)
    # Factors are known up to one number that goes from rows to columns: here the shift of the kernel.
    plan = a[:, None] * np.exp((scores - scores.max()) / temperature) * b
    np.testing.assert_allclose(np.exp(scores / temperature + rows[:, None] + columns), plan, rtol=1e-9, atol=1e-12)
    bias = sinkhorn_bias(scores, temperature=temperature, rounds=rounds)
    np.testing.assert_allclose(bias, -temperature * (np.log(b) - np.log(b).mean()), atol=1e-9)


@given(scores=MATRICES)
def test_sums_are_balanced(scores: np.ndarray) -> None:
    rows, columns = sinkhorn_potentials(scores, temperature=1.0, rounds=200)
    plan = np.exp(scores + rows[:, None] + columns)
    np.testing.assert_allclose(plan.sum(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(plan.sum(axis=1), scores.shape[1] / scores.shape[0], rtol=1e-6)


@given(scores=MATRICES, width=st.integers(1, 4), rounds=st.integers(0, 3))
def test_blocks_of_columns_change_nothing(scores: np.ndarray, width: int, rounds: int) -> None:
    def blocks():  # type: ignore[no-untyped-def]
        return (scores[:, start : start + width] for start in range(0, scores.shape[1], width))

    cut = scale(blocks, len(scores), rounds)
    for ours, whole in zip(cut, sinkhorn_potentials(scores, temperature=1.0, rounds=rounds), strict=True):
        np.testing.assert_allclose(ours, whole, atol=1e-12)


def test_small_temperatures_do_not_overflow() -> None:
    scores = np.array([[1.0, -1.0], [0.9, -0.8]])
    bias = sinkhorn_bias(scores, temperature=1e-4)
    assert np.isfinite(bias).all()
    assert bias[0] > bias[1]


def test_a_hub_is_marked_down_and_equal_columns_alike() -> None:
    bias = sinkhorn_bias([[0.9, 0.5, 0.5], [0.9, 0.4, 0.4]])
    assert bias[0] > bias[1] == bias[2]
    np.testing.assert_allclose(sinkhorn_bias(np.full((4, 6), 0.3)), 0, atol=1e-12)


def test_pairs_rows_and_columns_that_do_not_count() -> None:
    nothing = -np.inf
    scores = np.array([[0.5, nothing, 0.2], [0.1, nothing, nothing], [nothing] * 3])
    rows, columns = sinkhorn_potentials(scores, temperature=0.5, rounds=3)
    assert np.isnan(rows).tolist() == [False, False, True]
    assert np.isnan(columns).tolist() == [False, True, False]
    smaller = sinkhorn_potentials(scores[:2][:, [0, 2]], temperature=0.5, rounds=3)
    np.testing.assert_allclose(columns[[0, 2]], smaller[1])
    assert sinkhorn_bias(scores)[1] == 0


def test_one_item_no_item_and_no_bank() -> None:
    assert sinkhorn_bias([[0.3], [0.9]]).tolist() == [0]
    assert sinkhorn_bias(np.empty((3, 0))).tolist() == []
    assert sinkhorn_bias(np.empty((0, 3))).tolist() == [0, 0, 0]


@given(values=MATRICES)
def test_log_sums(values: np.ndarray) -> None:
    for axis in (0, 1):
        np.testing.assert_allclose(log_sum_exp(values * 900, axis), np.logaddexp.reduce(values * 900, axis), atol=1e-9)
    running = RunningLogSum(len(values))
    for column in values.T:
        running.add(column[:, None])
    np.testing.assert_allclose(running.value, np.logaddexp.reduce(values, 1), atol=1e-12)


@pytest.mark.parametrize(
    ("given_", "said"),
    [
        ({"scores": [[np.nan]]}, "NaN"),
        ({"scores": [[np.inf]]}, "NaN or"),
        ({"scores": [1.0]}, "axes"),
        ({"scores": [["a"]]}, "not an array"),
        ({"scores": [[1.0]], "temperature": 0}, "temperature"),
        ({"scores": [[1.0]], "rounds": -1}, "rounds"),
        ({"scores": [[1.0]], "rounds": 1.5}, "rounds"),
    ],
)
def test_what_does_not_fit_is_named(given_: dict, said: str) -> None:
    with pytest.raises(InputError, match=said):
        sinkhorn_potentials(**given_)
