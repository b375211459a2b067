"""Disk full, short writes, and I/O errors at every kind of call: a clear error, and an intact collection."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from random import Random

import pytest
import store_model as sm
from store_faults import Disk, Plan, faulty, forgetful

from similia.collection.store import Store
from similia.errors import SimiliaError, StorageError, StorageFull

SWEEP = int(os.environ.get("SIMILIA_FAULT_SWEEP", "1"))
"""how many times as many places to fail at as in the default run"""


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, list[dict]]], list[sm.Model]]:
    """A collection, commands for it, and the model before each command and after the last."""
    folder = tmp_path_factory.mktemp("faults") / "c"
    store = Store.create(folder)
    random = Random(11)
    model = sm.Model()
    for number, kind in enumerate(("sense", "add", "upsert", "add")):
        steps = sm.plan(model, random, (kind,))
        sm.run(store, number, steps)
        model = sm.states(model, number, steps)[-1]
        model.unfinished = None
    store.close()
    model.commands = 100
    commands, models = [], [model]
    for number, kind in enumerate(
        ("upsert", "undo", "delete", "sense", "put_fields", "widen", "drop", "undo", "add"), start=101
    ):
        steps = sm.plan(model, random, (kind,))
        commands.append((number, steps))
        model = sm.states(model, number, steps)[-1]
        model.unfinished = None
        models.append(model)
    return folder, commands, models


def attempt(folder: Path, commands: list, models: list[sm.Model], plan: Plan) -> SimiliaError | None:
    """Run the commands on a faulty disk; return the first error, after looking at the collection."""
    with tempfile.TemporaryDirectory() as place, faulty(plan) as vfs:
        copy = Path(place) / "c"
        shutil.copytree(folder, copy)
        acknowledged = [(0, 0)]
        failure: SimiliaError | None = None
        command = 0
        store = None
        try:
            store = Store.open(copy, vfs=vfs)
            for command, (number, steps) in enumerate(commands):
                acknowledged.append((command, 0))
                sm.run(store, number, steps, said=lambda _, step, c=command: acknowledged.append((c, step)))
                acknowledged.append((command + 1, 0))
        except SimiliaError as error:
            failure = error
        plan.kinds = frozenset()
        command, step = acknowledged[-1]
        allowed = [models[-1]]
        if command < len(commands):
            allowed = sm.states(models[command], *commands[command])[step : step + 2]
        # The store that met the fault is usable as soon as the disk is ...
        if store is not None:
            differences = [sm.difference(store, model) for model in allowed]
            assert "" in differences, (plan, failure, differences)
            with store.change("afterwards", {}) as change, change.transaction():
                sm.write(store, change, {"kind": "nothing"})
            store.close()
        # ... and what it left is sound.
        with Store.open(copy) as again:
            differences = [sm.difference(again, model) for model in allowed]
            assert "" in differences, (plan, failure, differences)
            report = again.check(mend=False)
            assert report.ok, (plan, failure, report)
        return failure


def calls(folder: Path, commands: list, models: list[sm.Model], kind: str) -> int:
    plan = Plan(frozenset([kind]))
    assert attempt(folder, commands, models, plan) is None
    return plan.calls


@pytest.mark.parametrize(
    ("kind", "fault", "times", "points", "error"),
    [
        ("write", "full", 1, 10, StorageFull),
        ("write", "full", 10**9, 8, StorageFull),
        ("write", "short", 1, 10, StorageFull),
        ("write", "io", 10**9, 5, StorageError),
        ("sync", "io", 1, 10, StorageError),
        ("sync", "io", 10**9, 5, StorageError),
        ("read", "io", 1, 16, StorageError),
        ("truncate", "io", 1, 3, StorageError),
    ],
)
def test_faults(prepared, kind: str, fault: str, times: int, points: int, error: type[SimiliaError]) -> None:
    folder, commands, models = prepared
    total = calls(folder, commands, models, kind)
    assert total > 2
    points *= SWEEP
    places = sorted({round(place * (total - 1) / (points - 1)) for place in range(points)})
    failures = [attempt(folder, commands, models, Plan(frozenset([kind]), at, times, fault)) for at in places]
    assert all(failure is None or isinstance(failure, error) for failure in failures), failures
    # What fails while tidying up after a change is not the change's failure.
    assert sum(failure is not None for failure in failures) >= {"truncate": 0, "read": 3}.get(kind, len(places) // 2)
    for failure in failures:
        if failure is not None:
            assert str(folder.name) in str(failure)


def test_reading_on_a_bad_disk(prepared) -> None:
    folder, _, models = prepared
    plan = Plan(frozenset(["read"]))
    with tempfile.TemporaryDirectory() as place, faulty(plan) as vfs:
        copy = Path(place) / "c"
        shutil.copytree(folder, copy)
        with Store.open(copy, vfs=vfs) as store:
            plan.at, plan.times = plan.calls, 10**9
            with pytest.raises(StorageError, match="the disk refused to read or write"):
                sm.difference(store, models[0])
            plan.kinds = frozenset()
            assert sm.difference(store, models[0]) == ""


def test_no_power(prepared) -> None:
    """What was acknowledged survives the loss of everything that was not flushed."""
    folder, commands, models = prepared
    disk = Disk()
    lose_power(folder, commands, models, disk, Random(0))
    total = disk.calls
    assert not disk.off
    random = Random(5)
    points = 24 * SWEEP
    for place in range(points):
        disk = Disk(off_at=round(place * (total - 1) / (points - 1)))
        lose_power(folder, commands, models, disk, random)
        assert disk.off


def lose_power(folder: Path, commands: list, models: list[sm.Model], disk: Disk, random: Random) -> None:
    with tempfile.TemporaryDirectory() as place, forgetful(disk) as vfs:
        copy, found = Path(place) / "c", Path(place) / "found"
        shutil.copytree(folder, copy)
        found.mkdir()
        acknowledged = (0, 0)
        store = None
        try:
            store = Store.open(copy, vfs=vfs)
            for command, (number, steps) in enumerate(commands):
                acknowledged = (command, 0)

                def said(_: int, step: int, command: int = command) -> None:
                    nonlocal acknowledged
                    if not disk.off:  # what tidies up afterwards may meet the end of the power unheard
                        acknowledged = (command, step)

                sm.run(store, number, steps, said=said)
                if disk.off:
                    break
                acknowledged = (command + 1, 0)
        except SimiliaError:
            assert disk.off
        disk.image(found, random)
        command, step = acknowledged
        allowed = [models[-1]]
        if command < len(commands):
            allowed = sm.states(models[command], *commands[command])[step : step + 2]
        with Store.open(found) as again:
            differences = [sm.difference(again, model) for model in allowed]
            assert "" in differences, (disk.off_at, acknowledged, differences)
            report = again.check(mend=False)
            assert report.ok, (disk.off_at, report)
        disk.off_at, disk.off = -1, disk.off
        if store is not None:
            disk_was, disk.off = disk.off, False
            store.close()
            disk.off = disk_was
