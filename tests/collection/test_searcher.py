"""Many vectors that are searched often: codes are made beside, and every answer stays what it was."""

from __future__ import annotations

import time

import numpy as np
import pytest

from similia.collection import duplicates, searcher
from similia.collection.searcher import Searcher
from similia.collection.vectors import Part, Vectors
from similia.index import ExactIndex, kernels

ROWS = 5_000  # of fewer no codes are made


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(0)
    some = rng.normal(size=(ROWS // 2, 24)).astype(np.float32)
    return np.concatenate([some, some + 0.02 * rng.normal(size=some.shape).astype(np.float32)])


def warmed(index: Searcher, query: np.ndarray) -> None:
    for _ in range(3):
        index.search(query, 5, None)
    ends = time.monotonic() + 120
    while index.plan(5).way != "scan" and time.monotonic() < ends:
        time.sleep(0.05)


@pytest.mark.skipif(not kernels.usable(), reason="Numba is not there or switched off")
def test_answers_stay_when_codes_are_there(rows: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "SCANNED", 1_000)
    monkeypatch.setattr(searcher, "WARM", 3)
    ids, queries = np.arange(ROWS) * 2 + 1, np.random.default_rng(1).normal(size=(20, 24)).astype(np.float32)
    state = Vectors(1, 24, (Part(ids, rows),))
    allowed = ids[::3]
    before = [state.search(query, 7, allowed=some, without=1) for query in queries for some in (None, allowed)]
    index = state.parts[0].index
    warmed(index, queries[:1])
    assert index.plan(7).way == "scan"
    after = [state.search(query, 7, allowed=some, without=1) for query in queries for some in (None, allowed)]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.ids, other.ids)
        np.testing.assert_array_equal(one.scores, other.scores)
    fewer = state.parts[0].without(ids[:100])
    assert fewer.index is index
    truth = ExactIndex(rows[100:], ids[100:]).search(queries, 7)
    found = [Vectors(1, 24, (fewer,)).search(query, 7).ids[0] for query in queries]
    np.testing.assert_array_equal(found, truth.ids)


def test_few_rows_are_compared(rows: np.ndarray) -> None:
    index = Searcher(rows, np.arange(ROWS))
    for _ in range(searcher.WARM + 1):
        index.search(rows[:1], 3, None)
    assert index.plan(3).way == "exact"


@pytest.mark.parametrize(("threshold", "limit"), [(0.95, 10_000), (0.95, 100), (0.5, 3_000)])
def test_pairs_are_the_same_with_codes(
    rows: np.ndarray, threshold: float, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = duplicates.best_pairs(rows, threshold, limit)
    monkeypatch.setattr(duplicates, "SCANNED", 1_000)
    scanned = duplicates.best_pairs(rows, threshold, limit)
    for one, other in zip(compared[:3], scanned[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert compared[3] == scanned[3]
    assert len(compared[0]) > 90
