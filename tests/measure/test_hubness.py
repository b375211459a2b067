from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import skew

from similia.errors import InputError
from similia.measure.hubness import hub_statistics, hubness_report, k_occurrence, occurrence_skewness
from similia.types import Hits


@given(
    rows=st.lists(st.lists(st.integers(-1, 8), min_size=4, max_size=4), max_size=6),
    k=st.sampled_from([None, 1, 3, 9]),
)
def test_it_counts_lists(rows: list[list[int]], k: int | None) -> None:
    counts = k_occurrence(np.array(rows, int).reshape(-1, 4), 9, k)
    wanted = Counter(item for row in rows for item in row[:k] if item >= 0)
    assert counts.tolist() == [wanted[item] for item in range(9)]


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30))
def test_skewness_is_that_of_statistics(counts: list[int]) -> None:
    wanted = skew(counts) if len({*counts}) > 1 else 0.0
    assert occurrence_skewness(counts) == pytest.approx(wanted, abs=1e-9)


def test_a_report_shows_before_and_after() -> None:
    hits = Hits([[0, 1], [0, 2], [0, -1]], [[3, 2], [3, 2], [3, -np.inf]])
    report = hubness_report({"before": hits, "after": [[0, 1], [1, 2], [2, 3]]}, items=4)
    before = report.rows["before"]
    assert (before.queries, before.items, before.k, before.largest, before.never) == (3, 4, 2, 3, 0.25)
    assert report.to_dict()["after"]["never"] == 0
    assert str(report).splitlines()[2] == "| before | 2 | 0.65 | 3 | 25.0 % |"
    assert report.__rich__().row_count == 2
    assert hub_statistics(hits, 4, k=1).largest == 3


def test_nothing_found_and_nothing_there() -> None:
    assert np.isnan(occurrence_skewness([]))
    assert k_occurrence(np.empty((0, 3), int), 2).tolist() == [0, 0]
    empty = hub_statistics(np.empty((0, 3), int), 0)
    assert empty.largest == 0
    assert np.isnan(empty.never)


@pytest.mark.parametrize(
    ("found", "k", "said"), [([[0.5]], None, "whole"), ([[4]], None, "4 items"), ([[0]], 0, "k is")]
)
def test_what_does_not_fit_is_named(found: object, k: int | None, said: str) -> None:
    with pytest.raises(InputError, match=said):
        k_occurrence(found, 4, k)  # type: ignore[arg-type]
