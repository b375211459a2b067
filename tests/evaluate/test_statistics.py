"""Intervals cover what they say, tests reject as often as they say, and the seed decides."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.evaluate.statistics import (
    bootstrap_interval,
    bootstrap_statistic,
    paired_bootstrap,
    randomisation_test,
)

values = st.lists(st.floats(-5, 5, allow_subnormal=False), min_size=1, max_size=20)


@given(values)
def test_an_interval_holds_its_value_and_lies_within_the_data(numbers: list[float]) -> None:
    found = bootstrap_interval(numbers, samples=200, confidence=0.999)
    assert min(numbers) - 1e-9 <= found.low <= found.high <= max(numbers) + 1e-9
    assert found.value == pytest.approx(np.mean(numbers), abs=1e-12)


def test_the_seed_decides_and_blocks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = np.random.default_rng(0).normal(size=300)
    first = bootstrap_interval(numbers, seed=3)
    assert first == bootstrap_interval(numbers, seed=3)
    assert first != bootstrap_interval(numbers, seed=4)
    monkeypatch.setattr("similia.evaluate.statistics.BLOCK", 300 * 7)
    assert bootstrap_interval(numbers, seed=3) == first


def test_an_interval_is_as_wide_as_the_theory_says() -> None:
    numbers = np.random.default_rng(1).normal(size=2000)
    found = bootstrap_interval(numbers)
    error = numbers.std() / np.sqrt(numbers.size)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    random = np.random.default_rng(2)
    covered = 0
    for trial in range(200):
        found = bootstrap_interval(random.exponential(size=80), samples=500, seed=trial, confidence=0.9)
        covered += found.low <= 1.0 <= found.high
    assert 0.82 <= covered / 200 <= 0.95


def test_pairs_are_kept_together() -> None:
    random = np.random.default_rng(3)
    hard = random.normal(size=50) * 10
    better = hard + 0.1
    found = paired_bootstrap(better, hard)
    assert found.low == pytest.approx(0.1)
    assert found.high == pytest.approx(0.1)


def test_a_pair_without_a_value_is_left_out() -> None:
    assert paired_bootstrap([1.0, np.nan, 3.0], [0.0, 5.0, 1.0]).value == 1.5


def test_a_statistic_that_is_no_mean() -> None:
    numbers = np.random.default_rng(4).normal(size=400)
    found = bootstrap_statistic(lambda at: float(np.median(numbers[at])), 400, seed=1)
    assert found.low < found.value == np.median(numbers) < found.high


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8))
def test_randomisation_is_exact_for_few_pairs(differences: list[int]) -> None:
    observed = abs(sum(differences))
    patterns = [
        abs(sum(s * d for s, d in zip(signs, differences, strict=True)))
        for signs in itertools.product((1, -1), repeat=len(differences))
    ]
    expected = np.mean([value >= observed for value in patterns])
    assert randomisation_test(differences, [0] * len(differences)) == pytest.approx(expected)


def test_sampled_randomisation_agrees_with_the_exact_test(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    a, b = random.normal(0.4, 1, 14), np.zeros(14)
    exact = randomisation_test(a, b)
    monkeypatch.setattr("similia.evaluate.statistics.EXACT_UP_TO", 0)
    assert randomisation_test(a, b, samples=40_000) == pytest.approx(exact, abs=0.01)
    assert randomisation_test(a, b, seed=1) == randomisation_test(a, b, seed=1)


def test_p_is_uniform_where_nothing_differs() -> None:
    random = np.random.default_rng(6)
    p = [randomisation_test(random.normal(size=30), random.normal(size=30), samples=400, seed=s) for s in range(150)]
    assert 0.01 <= np.mean(np.array(p) < 0.05) <= 0.10


def test_no_difference_is_no_evidence() -> None:
    assert randomisation_test([1.0, 2.0], [1.0, 2.0]) == 1.0


def test_bad_input_is_refused() -> None:
    for call in (
        lambda: bootstrap_interval([]),
        lambda: bootstrap_interval([np.nan]),
        lambda: bootstrap_interval([1.0], confidence=1.0),
        lambda: bootstrap_interval([[1.0]]),
        lambda: paired_bootstrap([1.0], [1.0, 2.0]),
        lambda: bootstrap_statistic(lambda at: 0.0, 0),
    ):
        with pytest.raises(InputError):
            call()
