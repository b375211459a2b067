"""Several writers and many readers at once, in threads and in processes: everyone always sees one whole state."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia.collection.store import Store
from similia.errors import NothingToUndo
from similia.index.where import Predicate

ITEMS = 20
CHANGES = 6
KEYS = [f"k{number}" for number in range(ITEMS)]


def put_all(store: Store, value: int) -> None:
    """Give every item the value, in every way that a value can be stored."""
    with store.change(f"put {value}", {}) as change, change.transaction():
        change.put(
            KEYS,
            [{"n": value, "t": f"value{value} text"} for _ in KEYS],
            vectors={"s": np.full((ITEMS, 3), value)},
            on_duplicate="replace",
        )


def prepare(folder: Path) -> None:
    with Store.create(folder) as store:
        with store.change("prepare", {}) as change, change.transaction():
            change.set_fields({"n": "integer", "t": "text"})
            change.create_sense("s", {}, fingerprint="f", dimension=3, precision="float32")
        put_all(store, 0)


def write(store: Store, writer: int) -> None:
    for number in range(CHANGES):
        put_all(store, 1_000 * (writer + 1) + number)
        if number % 3 == 2:
            with suppress(NothingToUndo):  # the other writer took the last change back in between
                store.undo()


def look(store: Store) -> int:
    """Look at one state from all sides; return its version."""
    with store.snapshot() as version:
        (value, count), *others = store.facets("n")
        assert (count, others) == (ITEMS, [])
        ids, vectors = store.vectors("s")
        assert len(ids) == ITEMS
        assert (vectors == value).all()
        assert store.text_search(f"value{value}", 2 * ITEMS).ids.max() == ids.max()
        assert (store.text_search(f"value{value}", 2 * ITEMS).ids >= 0).sum() == ITEMS
        assert {record["n"] for record in store.records(ids)} == {value}
        assert store.count(Predicate.parse(f"n = {value}", {"n": "integer"})) == ITEMS
        assert store.version() == version
    return version


def read_until(store: Store, ended: Callable[[], bool]) -> int:
    looks, last = 0, -1
    while not ended() or looks < 3:
        version = look(store)
        assert version >= last, "time goes forward"
        last, looks = version, looks + 1
    return looks


def writing(folder: Path, number: int) -> None:
    with Store.open(folder, wait=120) as store:
        write(store, number)


def reading(folder: Path, ended: Event) -> None:
    with Store.open(folder) as store:
        read_until(store, ended.is_set)


def test_threads(tmp_path: Path) -> None:
    prepare(tmp_path / "c")
    store = Store.open(tmp_path / "c", wait=120)
    ended = threading.Event()
    failures: list[BaseException] = []

    def guarded(work: Callable[..., Any], *arguments: Any) -> None:
        try:
            work(*arguments)
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=guarded, args=(read_until, store, ended.is_set)) for _ in range(10)]
    writers = [threading.Thread(target=guarded, args=(write, store, number)) for number in range(2)]
    for thread in readers + writers:
        thread.start()
    for thread in writers:
        thread.join()
    ended.set()
    for thread in readers:
        thread.join()
    assert failures == []
    log = [row for row in store.log() if row.command.startswith("put")]
    assert len(log) == 1 + 2 * CHANGES
    assert store.check().ok
    store.close()


@pytest.mark.slow
def test_processes(tmp_path: Path) -> None:
    prepare(tmp_path / "c")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "apsw", "similia.collection.store.store"])
    ended = context.Event()
    readers = [context.Process(target=reading, args=(tmp_path / "c", ended)) for _ in range(10)]
    writers = [context.Process(target=writing, args=(tmp_path / "c", number)) for number in range(2)]
    for process in readers + writers:
        process.start()
    for process in writers:
        process.join()
    ended.set()
    for process in readers:
        process.join()
    assert [process.exitcode for process in readers + writers] == [0] * 12
    with Store.open(tmp_path / "c") as store:
        assert sum(row.command.startswith("put") for row in store.log()) == 1 + 2 * CHANGES
        assert store.check().ok
