from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from similia.errors import InputError
from similia.measure import neighbour_recall

ROWS = st.lists(
    st.tuples(st.lists(st.integers(-1, 9), min_size=4, max_size=4), st.sets(st.integers(0, 9), max_size=3)), max_size=6
)


def test_it_counts_over_all_queries() -> None:
    truth = np.array([[1, 2, 3], [4, 5, -1]])
    assert neighbour_recall(truth, truth) == 1
    assert neighbour_recall(np.array([[3, 9], [-1, 4]]), truth) == pytest.approx(2 / 5)
    assert neighbour_recall([[1]], [[-1]]) == 1


@given(rows=ROWS)
def test_it_is_what_sets_say(rows: list[tuple[list[int], set[int]]]) -> None:
    found = np.array([one for one, _ in rows], int).reshape(-1, 4)
    truth = np.array([[*true, *[-1] * (3 - len(true))] for _, true in rows], int).reshape(-1, 3)
    wanted = sum(len(true) for _, true in rows)
    there = sum(len(true & set(one)) for one, true in rows)
    assert neighbour_recall(found, truth) == pytest.approx(there / wanted if wanted else 1.0)


@pytest.mark.parametrize("found", [[[1.5]], [1], [[1], [2]]])
def test_what_does_not_fit_is_named(found: object) -> None:
    with pytest.raises(InputError, match="whole numbers"):
        neighbour_recall(found, [[1]])  # type: ignore[arg-type]
