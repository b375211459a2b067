"""Random commands, the store compared with a plain dictionary after each."""

from __future__ import annotations

import copy
import os
import tempfile
from pathlib import Path
from random import Random

import pytest
import store_model as sm
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from similia.collection.store import Store
from similia.errors import NothingToUndo

seeds = st.integers(0, 2**32)


class Commands(RuleBasedStateMachine):
    @initialize()
    def create(self) -> None:
        self.place = tempfile.TemporaryDirectory()
        self.store = Store.create(Path(self.place.name) / "c")
        self.model = sm.Model()
        self.version = self.store.version()
        self.kept: dict[str, dict[str, object]] = {}
        self.kept_version = 0

    def _steps(self, seed: int, *kinds: str) -> list[dict[str, object]]:
        return sm.plan(self.model, Random(seed), kinds)

    @rule(seed=seeds)
    def command(self, seed: int) -> None:
        steps = self._steps(seed)
        self.model.commands += 1
        sm.run(self.store, self.model.commands, steps)
        self.model = sm.states(self.model, self.model.commands, steps)[-1]
        self.model.unfinished = None

    @rule(seed=seeds)
    def interrupted(self, seed: int) -> None:
        steps = self._steps(seed, "add", "upsert", "sense", "delete")
        stop = seed % (len(steps) + 1)
        self.model.commands += 1
        if stop < len(steps):
            with pytest.raises(sm.Interrupted):
                sm.run(self.store, self.model.commands, steps, fail_after=stop)
            self.model = sm.states(self.model, self.model.commands, steps)[stop]

    @precondition(lambda self: self.model.unfinished is not None)
    @rule()
    def resume(self) -> None:
        number, steps, done = self.model.unfinished
        sm.run(self.store, number, steps, done=done)
        self.model = sm.states(self.model, number, steps, done)[-1]
        self.model.unfinished = None

    @rule(seed=seeds)
    def abandoned(self, seed: int) -> None:
        steps = self._steps(seed, "add", "upsert", "delete", "sense")
        with self.store.change("abandoned", {}) as change:
            for step in steps:
                with change.transaction():
                    sm.write(self.store, change, step)
            change.abandon()
        self.model.before = self.model.unfinished = None

    @rule()
    def undo(self) -> None:
        if self.model.before is None:
            with pytest.raises(NothingToUndo):
                self.store.undo()
        else:
            assert self.store.undo().state == "undone"
            self.model.undo()

    @rule()
    def reopen(self) -> None:
        self.store.close()
        self.store = Store.open(Path(self.place.name) / "c")

    @rule()
    def check(self) -> None:
        report = self.store.check()
        assert report.ok, report
        assert not report.mended

    @rule()
    def remember(self) -> None:
        """What is derived remembers a version ..."""
        self.kept_version = self.store.version()
        self.kept = {name: dict(zip(*self._vectors(name), strict=True)) for name in self.store.senses()}
        self.senses = {name: sense.id for name, sense in self.store.senses().items()}

    def _vectors(self, name: str, since: int = -1) -> tuple[list[int], list[bytes]]:
        ids, vectors = self.store.vectors(name, since=since)
        return ids.tolist(), [vector.tobytes() for vector in vectors]

    @precondition(lambda self: self.kept)
    @rule()
    def catch_up(self) -> None:
        """... and is brought up to date by what came and went since."""
        gone = self.store.deleted_since(self.kept_version)
        assert gone is not None
        for name, sense in self.store.senses().items():
            if self.senses.get(name) == sense.id:
                known = copy.copy(self.kept[name])
                for number in gone.tolist():
                    known.pop(number, None)
                known |= dict(zip(*self._vectors(name, self.kept_version), strict=True))
                assert known == dict(zip(*self._vectors(name), strict=True))

    @invariant()
    def same(self) -> None:
        if hasattr(self, "store"):
            assert sm.difference(self.store, self.model) == ""
            assert self.store.version() >= self.version
            self.version = self.store.version()

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close()
            self.place.cleanup()


Commands.TestCase.settings = settings(
    max_examples=int(os.environ.get("SIMILIA_MODEL_RUNS", "20")),
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestCommands = Commands.TestCase
