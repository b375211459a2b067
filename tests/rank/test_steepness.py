"""Weights from the steepness of scores, against the definition written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from similia.errors import InputError
from similia.rank import steepness_weights
from similia.types import Hits


def hits(*rows: list[float]) -> Hits:
    """Hits with these scores, best first."""
    k = max([len(row) for row in rows], default=0)
    ids = [[place if place < len(row) else -1 for place in range(k)] for row in rows]
    scores = [sorted(row, reverse=True) + [-np.inf] * (k - len(row)) for row in rows]
    return Hits(np.array(ids, np.int64).reshape(len(rows), k), np.array(scores, np.float64).reshape(len(rows), k))


def steepness(row: list[float], places: int, depth: int | None) -> float:
    row = sorted(row, reverse=True)
    low = row[min(depth or len(row), len(row)) - 1]
    spread = row[0] - low
    values = [(score - low) / spread if spread else 1.0 for score in row[:places]]
    return values[0] - sum(values[1:]) / (places - 1)


scores = st.lists(st.floats(-3, 3, width=32), max_size=15)


@settings(deadline=None, max_examples=200)
@given(
    queries=st.lists(st.tuples(scores, scores, scores), max_size=3),
    places=st.integers(2, 12),
    sharpness=st.floats(0, 4),
    depth=st.none() | st.integers(1, 10),
    prior=st.none() | st.lists(st.floats(-1, 1), min_size=3, max_size=3),
)
def test_equals_the_definition(queries, places, sharpness, depth, prior):
    views = [hits(*(query[number] for query in queries)) for number in range(3)]
    found = steepness_weights(views, places=places, sharpness=sharpness, depth=depth, prior=prior)
    assert found.shape == (len(queries), 3)
    for query, weights in zip(queries, found, strict=True):
        trust = prior or [0.0, 0.0, 0.0]
        raised = [
            math.exp(sharpness * steepness(row, places, depth) + trust[number]) if row else 0.0
            for number, row in enumerate(query)
        ]
        expected = [one / sum(raised) for one in raised] if any(raised) else [1 / 3] * 3
        np.testing.assert_allclose(weights, expected, rtol=1e-4, atol=1e-6)


def test_a_steeper_view_weighs_more():
    steep, flat = hits([1.0, 0.1, 0.05, 0.0]), hits([1.0, 0.99, 0.98, 0.0])
    assert steepness_weights([steep, flat])[0, 0] > 0.5 > steepness_weights([flat, steep])[0, 0]


@pytest.mark.parametrize(
    ("views", "given_", "said"),
    [
        ([], {}, "0 views"),
        ([hits([1.0]), hits([1.0], [2.0])], {}, "all must have the same"),
        ([hits([1.0])], {"prior": [0.0, 1.0]}, "one a view"),
        ([hits([1.0])], {"prior": [math.nan]}, "finite"),
        ([hits([1.0])], {"places": 1}, "at least 2"),
        ([hits([1.0])], {"sharpness": -1.0}, "at least 0"),
    ],
)
def test_what_does_not_fit_is_refused(views, given_, said):
    with pytest.raises(InputError, match=said):
        steepness_weights(views, **given_)
