"""Many vectors that are searched often: codes are made beside, and every answer stays what it was."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from similia import Collection
from similia.collection import duplicates, searcher
from similia.collection.searcher import Searcher
from similia.collection.vectors import Allowed, Part, Vectors
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
    allowed = Allowed(ids[::3])
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


def test_a_filter_that_is_kept_sees_every_change(tmp_path: Path) -> None:
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add([{"id": f"a{n}", "n": n, "v": [1.0, n, 0.5]} for n in range(40)], key="id", vectors="v")
        query = [1.0, 0.0, 0.5]
        assert len(shelf.search(query, where="n < 3", k=40).keys) == 3
        assert shelf.search(query, where="n < 3", k=40).total == 3
        kept = dict(shelf._space.filters)
        assert len(kept) == 1
        shelf.search(query, where="n  <  3", k=40)
        assert shelf._space.filters == kept
        shelf.add([{"id": "b", "n": 2, "v": [1.0, 0.0, 0.5]}], vectors="v")
        assert shelf.search(query, where="n < 3", k=40).keys[0] == "a0"
        assert shelf.search(query, where="n < 3", k=40).total == 4
        shelf.delete(["a0"])
        assert shelf.search(query, where="n < 3", k=40).keys == ["b", "a1", "a2"]
        for most in range(20):
            assert shelf.search(query, where=f"n < {most}", k=40).total == len(
                [n for n in range(1, 40) if n < most]
            ) + (most > 2)
        assert len(shelf._space.filters) == 8


def test_an_item_is_not_its_own_neighbour(rows: np.ndarray) -> None:
    ids = np.arange(ROWS)
    state = Vectors(1, 24, (Part(ids, rows),))
    truth = ExactIndex(rows).search(rows[:20], 6).ids
    for item in range(20):
        assert (
            state.search(rows[item], 5, without=item).ids[0].tolist()
            == [n for n in truth[item].tolist() if n != item][:5]
        )
