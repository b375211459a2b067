"""Random operations through two openings of one collection, checked against a plain dictionary and brute force."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from similia import Collection
from similia.collection import upkeep
from similia.errors import DuplicateKey, NothingToUndo

KEYS = st.lists(st.sampled_from([f"k{place}" for place in range(40)]), min_size=1, max_size=12)
SEEDS = st.integers(0, 10_000)
DIMENSION = 4


def item(key: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng([int(key[1:]), seed])
    vector = rng.standard_normal(DIMENSION).astype(np.float32)
    words = " ".join(rng.choice(["tea", "violin", "rank", "graph", "audio"], 3))
    return {"id": key, "title": words, "n": int(rng.integers(10)), "vector": vector.tolist()}


class Shelves(RuleBasedStateMachine):
    """Two openings of one collection; each rule uses either."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.model: dict[str, dict[str, Any]] = {}
        self.before: dict[str, dict[str, Any]] | None = None

    @initialize(seed=SEEDS)
    def begin(self, seed: int) -> None:
        self.shelves = [Collection.open(self.folder / "c", create=True) for _ in range(2)]
        first = [item("k0", seed), item("k1", seed)]
        self.shelves[0].add(first, key="id", text="title", vectors="vector", schema={"title": "text"})
        self.model = {row["id"]: row for row in first}
        self.before = None

    def change(self, model: dict[str, dict[str, Any]]) -> None:
        self.before, self.model = self.model, model

    @rule(keys=KEYS, seed=SEEDS, which=st.integers(0, 1), mode=st.sampled_from(["error", "skip", "replace"]))
    def add(self, keys: list[str], seed: int, which: int, mode: Any) -> None:
        rows = [item(key, seed + place) for place, key in enumerate(keys)]
        after = dict(self.model)
        for row in rows:
            if mode == "replace" or row["id"] not in after:
                after[row["id"]] = row
        options: dict[str, Any] = {"key": "id", "on_duplicate": mode, "batch_size": 3}
        if mode == "error" and (len(set(keys)) < len(keys) or set(keys) & self.model.keys()):
            with pytest.raises(DuplicateKey):
                self.shelves[which].add(rows, **options)
            return
        report = self.shelves[which].add(rows, **options)
        assert report.added == len(after) - len(self.model)
        assert report.added + report.replaced + report.skipped == len(rows)
        if report.added or report.replaced:
            self.change(after)

    @rule(keys=KEYS, which=st.integers(0, 1))
    def delete(self, keys: list[str], which: int) -> None:
        there = sorted(set(keys) & self.model.keys())
        if there:
            assert self.shelves[which].delete(there) == len(there)
            self.change({key: row for key, row in self.model.items() if key not in there})

    @rule(limit=st.integers(0, 10), which=st.integers(0, 1))
    def delete_where(self, limit: int, which: int) -> None:
        after = {key: row for key, row in self.model.items() if row["n"] >= limit}
        assert self.shelves[which].delete(where=f"n < {limit}") == len(self.model) - len(after)
        if len(after) < len(self.model):
            self.change(after)

    @rule(which=st.integers(0, 1))
    def undo(self, which: int) -> None:
        if self.before is None:
            return
        self.shelves[which].undo()
        self.model, self.before = self.before, None
        with pytest.raises(NothingToUndo):
            self.shelves[which].undo()

    @rule()
    def lose_derived_files(self) -> None:
        shutil.rmtree(self.folder / "c" / "derived", ignore_errors=True)

    @rule(which=st.integers(0, 1))
    def open_again(self, which: int) -> None:
        self.shelves[which].close()
        self.shelves[which] = Collection.open(self.folder / "c")

    @invariant()
    def answers_are_those_of_the_model(self) -> None:
        if not self.model and not hasattr(self, "shelves"):
            return
        query = np.array([1.0, -0.5, 0.25, 2.0])
        cosines = {}
        for key, row in self.model.items():
            vector = np.array(row["vector"], np.float64)
            cosines[key] = float(vector @ query / np.linalg.norm(vector) / np.linalg.norm(query))
        for shelf in self.shelves:
            assert len(shelf) == len(self.model)
            for where, kept in (
                (None, set(self.model)),
                ("n >= 5", {key for key, row in self.model.items() if row["n"] >= 5}),
            ):
                found = shelf.search(query, mode="dense", where=where, k=100)
                assert set(found.keys) == kept
                assert found.total == len(kept)
                np.testing.assert_allclose(found.scores, [cosines[key] for key in found.keys], atol=1e-5)
                assert (np.diff(found.scores) <= 0).all()
                assert [record["title"] for record in found.items] == [self.model[key]["title"] for key in found.keys]
            words = {key for key, row in self.model.items() if "violin" in row["title"]}
            assert set(shelf.search("violin", mode="text", k=100).keys) == words

    def teardown(self) -> None:
        for shelf in getattr(self, "shelves", []):
            assert shelf.check(mend=False).ok
            shelf.close()
        shutil.rmtree(self.folder)


def test_random_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "SLACK", 6)
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Shelves,
        settings=settings(
            max_examples=8, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
