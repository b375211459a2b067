"""Maximal marginal relevance against its definition, step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.measure import cosine
from similia.rank import mmr


def step_by_step(scores, vectors, k, relevance, groups):
    spread = max(scores) - min(scores)
    scores = [(score - min(scores)) / spread if spread else 1.0 for score in scores]
    alike = cosine(vectors, vectors).astype(float)
    picked: list[int] = []
    gains: list[float] = []
    while len(picked) < min(k, len(scores)):

        def gain(n: int) -> float:
            same = [alike[n, m] for m in picked if groups[n] == groups[m]]
            return relevance * scores[n] - (1 - relevance) * max(same, default=0.0)

        best = max((n for n in range(len(scores)) if n not in picked), key=lambda n: (gain(n), -n))
        gains.append(gain(best))
        picked.append(best)
    return picked


@settings(deadline=None)
@given(
    seed=st.integers(0, 1000),
    n=st.integers(1, 9),
    k=st.integers(1, 12),
    relevance=st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    grouped=st.booleans(),
)
def test_equals_the_definition(seed, n, k, relevance, grouped):
    rng = np.random.default_rng(seed)
    scores, vectors = rng.random(n), rng.standard_normal((n, 4))
    groups = rng.integers(0, 3, n) if grouped else None
    of = np.zeros(n) if groups is None else groups
    picked = mmr(scores, vectors, k, relevance=relevance, groups=groups).tolist()
    assert picked == step_by_step(scores.tolist(), vectors, k, relevance, of)


def test_a_repetition_waits_unless_it_is_of_another_group():
    vectors = [[1, 0], [1, 0], [0, 1]]
    assert mmr([1.0, 0.9, 0.5], vectors, 3).tolist() == [0, 2, 1]
    assert mmr([1.0, 0.9, 0.5], vectors, 3, groups=["a", "b", "a"]).tolist() == [0, 1, 2]
    assert mmr([1.0, 0.9, 0.5], vectors, 3, relevance=1).tolist() == [0, 1, 2]


def test_edges():
    assert mmr([], np.empty((0, 2)), 3).tolist() == []
    assert mmr([2.0], [[1, 0]], 3).tolist() == [0]
    with pytest.raises(InputError, match="one of each"):
        mmr([1.0, 2.0], [[1, 0]], 1)
    with pytest.raises(InputError, match="relevance is 2"):
        mmr([1.0], [[1, 0]], 1, relevance=2)
    with pytest.raises(InputError, match="finite"):
        mmr([float("nan")], [[1, 0]], 1)
