"""Changes: transactions, the log, resuming, abandoning, undoing."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
import pytest

from similia.collection.store import Store
from similia.errors import CollectionBusy, InputError, NothingToUndo, SimiliaError


class Stop(Exception):
    pass


@contextmanager
def stopped() -> Iterator[None]:
    """The block ends with Stop."""
    with pytest.raises(Stop):
        yield


def put(change: Any, *keys: str) -> None:
    change.put(list(keys), [{}] * len(keys), vectors={})


def test_the_log(store: Store, add: Callable[..., Any]) -> None:
    assert store.log() == []
    with store.change("add papers", {"source": "x.jsonl", "n": [1, None]}) as change:
        assert change.number == 1
        assert not change.resumed
        for start in range(0, 6, 2):
            with change.transaction():
                put(change, str(start), str(start + 1))
        with change.transaction():
            assert change.delete(np.array([2, 3])) == 2
    add({"0": {}, "9": {}}, on_duplicate="replace")
    newest, first = store.log()
    assert (first.number, first.command, first.arguments) == (1, "add papers", {"source": "x.jsonl", "n": [1, None]})
    assert (first.state, first.added, first.replaced, first.deleted) == ("done", 6, 0, 2)
    assert datetime.fromisoformat(first.started) <= datetime.fromisoformat(first.finished or "")
    assert (newest.number, newest.added, newest.replaced) == (2, 1, 1)
    assert store.log(1) == [newest]


def test_a_change_that_commits_nothing_leaves_no_trace(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {}})
    version = store.version()
    with store.change("nothing", {}):
        pass
    with stopped(), store.change("fails", {}) as change, change.transaction():
        put(change, "b")
        raise Stop
    with store.change("nothing", {}) as change:
        change.abandon()
    assert [row.command for row in store.log()] == ["add"]
    assert store.version() == version
    store.undo()
    assert store.count() == 0


def test_versions_count_transactions(store: Store) -> None:
    versions = [store.version()]
    with store.change("add", {}) as change:
        for key in "abc":
            with change.transaction():
                put(change, key)
                assert store.version() == versions[-1] + 1
            versions.append(store.version())
    assert store.version() == versions[-1], "closing the change is no transaction of it"
    store.undo()
    assert [*versions, store.version()] == list(range(versions[0], versions[0] + 5))


def test_a_failed_transaction_is_taken_back_and_the_change_goes_on(store: Store) -> None:
    with store.change("add", {}) as change:
        with change.transaction():
            put(change, "a")
            change.set_progress({"rows": 1})
        with stopped(), change.transaction():
            put(change, "b")
            change.set_progress({"rows": 2})
            change.set_fields({"t": "text"})
            raise Stop
        assert change.progress == {"rows": 1}
        with change.transaction():
            put(change, "c")
    assert store.ids(["a", "b", "c"]).tolist() == [1, -1, 2]
    assert store.log()[0].added == 2
    assert store.fields() == {}


def test_a_failed_step_is_taken_back_and_the_transaction_goes_on(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"n": "integer"})
        put(change, "a")
        with pytest.raises(InputError):
            change.set_fields({"x": "text", "y": "money"})
        with pytest.raises(InputError):
            change.put(["b", "c"], [{"n": 1}, {"n": "one"}], vectors={})
    assert list(store.fields()) == ["n"]
    assert store.count() == 1
    assert store.check().ok


def test_writing_is_for_transactions(store: Store) -> None:
    with store.change("add", {}) as change:
        for write in (
            lambda: put(change, "a"),
            lambda: change.delete(np.array([1])),
            lambda: change.next_keys(1),
            lambda: change.set_progress({}),
            lambda: change.set_fields({}),
        ):
            with pytest.raises(SimiliaError, match=r"inside `with change\.transaction"):
                write()
        with change.transaction(), pytest.raises(SimiliaError, match="is under way; end it"), change.transaction():
            pass
        with pytest.raises(SimiliaError, match="under way in this thread"), store.change("other", {}):
            pass
        with pytest.raises(SimiliaError, match="under way in this thread"):
            store.undo()


def test_resuming(store: Store) -> None:
    with stopped(), store.change("add", {}, resume_key="file") as change:
        with change.transaction():
            put(change, "a")
            change.set_progress({"rows": 1})
        raise Stop
    assert store.log()[0].state == "open"
    with stopped(), store.change("add", {}, resume_key="file") as change:
        assert change.resumed
        assert change.number == 1
        assert change.progress == {"rows": 1}
        with change.transaction():
            put(change, "b")
            change.set_progress({"rows": 2})
        raise Stop
    with store.change("add", {}, resume_key="file") as change:
        assert change.resumed
        assert change.progress == {"rows": 2}
        with change.transaction():
            put(change, "c")
    (row,) = store.log()
    assert (row.state, row.added) == ("done", 3)
    with store.change("add", {}, resume_key="file") as change:
        assert not change.resumed, "it was done"
    store.undo()
    assert store.count() == 0


@pytest.mark.parametrize(
    ("command", "resume_key"),
    [("add", "other file"), ("delete", "file"), ("add", None)],
    ids=["key", "command", "none"],
)
def test_another_command_after_an_interruption(store: Store, command: str, resume_key: str | None) -> None:
    with stopped(), store.change("add", {}, resume_key="file") as change:
        with change.transaction():
            put(change, "a", "b")
        raise Stop
    with store.change(command, {}, resume_key=resume_key) as change, change.transaction():
        assert not change.resumed
        assert change.number == 2
        change.delete(np.array([1]))
    assert [row.state for row in store.log()] == ["done", "interrupted"]
    store.undo()
    assert store.keys(store.select()) == ["a", "b"]
    with pytest.raises(NothingToUndo):
        store.undo()


def test_an_open_change_can_be_undone(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {"t": "old"}})
    with stopped(), store.change("add", {}, resume_key="file") as change:
        with change.transaction():
            change.put(["a", "b"], [{"t": "new"}, {}], vectors={}, on_duplicate="replace")
        raise Stop
    undone = store.undo()
    assert (undone.state, undone.finished is not None) == ("undone", True)
    assert store.records(store.select()) == [{"t": "old"}]
    with store.change("add", {}, resume_key="file") as change:
        assert not change.resumed


@pytest.mark.parametrize("fail", [True, False])
def test_abandoning(store: Store, add: Callable[..., Any], fail: bool) -> None:
    add({"a": {"t": "old"}, "z": {"t": "kept"}})

    def work() -> None:
        with store.change("add", {}, resume_key="x") as change:
            with change.transaction():
                change.put(["a", "b"], [{"t": "new"}, {}], vectors={}, on_duplicate="replace")
                change.delete(store.ids(["z"]))
            change.abandon()
            if fail:
                raise Stop

    if fail:
        with stopped():
            work()
    else:
        work()
    assert store.records(store.select()) == [{"t": "old"}, {"t": "kept"}]
    assert store.log()[0].state == "undone"
    assert store.check().ok
    with pytest.raises(NothingToUndo, match="no change to undo; only the last one can be, once"):
        store.undo()


def test_the_first_image_wins(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {"t": "one"}, "b": {"t": "bee"}})
    with store.change("many", {}) as change:
        for text in ("two", "three"):
            with change.transaction():
                change.put(["a", "b"], [{"t": text}, {"t": text}], vectors={}, on_duplicate="replace")
        with change.transaction():
            change.delete(store.ids(["a"]))
        with change.transaction():
            change.put(["a"], [{"t": "four"}], vectors={})
            change.put_fields(store.ids(["a", "b"]), {"t": ["five", "six"]})
    assert store.records(store.ids(["a", "b"])) == [{"t": "five"}, {"t": "six"}]
    store.undo()
    assert store.ids(["a", "b"]).tolist() == [1, 2]
    assert store.records(store.ids(["a", "b"])) == [{"t": "one"}, {"t": "bee"}]
    assert store.text_search("bee", 2).ids[0].tolist() == [2, -1]


def test_reads_inside_a_transaction_see_it_and_others_do_not(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {"t": "one"}})
    seen: list[int] = []
    with store.change("add", {}) as change, change.transaction():
        change.put(["b"], [{"t": "one more"}], vectors={})
        assert store.count() == 2
        assert store.text_search("more", 1).ids[0, 0] == 2
        other = threading.Thread(target=lambda: seen.append(store.count()))
        other.start()
        other.join()
    assert seen == [1]


def test_a_snapshot_sees_one_state(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {"t": "one"}})
    with store.snapshot() as version:
        with store.snapshot() as same:
            assert same == version
        writer = threading.Thread(target=lambda: add({"b": {"t": "two"}}))
        writer.start()
        writer.join()
        assert store.count() == 1
        assert store.version() == version
        assert store.text_search("two", 1).ids[0, 0] == -1
        with store.change("add", {}) as change:
            with change.transaction():
                put(change, "c")
                assert store.count() == 3
            assert store.count() == 1, "back in the snapshot"
    assert store.count() == 3


def test_a_second_writer_waits(store: Store) -> None:
    order: list[str] = []

    def second() -> None:
        with store.change("second", {}) as change, change.transaction():
            order.append("second")
            put(change, "b")

    with store.change("first", {}) as change:
        thread = threading.Thread(target=second)
        thread.start()
        for key in ("x", "y"):
            with change.transaction():
                put(change, key)
                order.append("first")
    thread.join()
    assert order == ["first", "first", "second"]
    assert [row.command for row in store.log()] == ["second", "first"]


def test_a_second_writer_gives_up_after_a_time(store: Store) -> None:
    other = Store.open(store.folder, wait=0.05)
    with store.change("long work", {}) as change, change.transaction():
        put(change, "a")
        with pytest.raises(CollectionBusy, match=r"written by process \d+ \(long work, since 20.*end within 0.05 s"):
            other.undo()
        assert other.count() == 0, "reading goes on"
    other.undo()
    assert store.count() == 0
    other.close()


def test_user_errors_inside_a_change_stay_what_they_are(store: Store) -> None:
    for error in (UnicodeDecodeError("utf-8", b"x", 0, 1, "no"), KeyboardInterrupt(), ValueError("mine")):
        with pytest.raises(type(error)), store.change("add", {}) as change, change.transaction():
            raise error
    assert store.count() == 0


def test_old_tombstones_are_forgotten(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        ids = change.put([str(number) for number in range(12_000)], [{}] * 12_000, vectors={}).ids
    versions = []
    with store.change("delete", {}) as change:
        for start in range(0, 12_000, 1_000):
            versions.append(store.version())
            with change.transaction():
                change.delete(ids[start : start + 1_000])
    assert store.deleted_since(versions[0]) is None
    kept = [version for version in versions if store.deleted_since(version) is not None]
    assert kept == versions[-len(kept) :]
    assert len(kept) >= 4
    for version in kept:
        start = 1_000 * versions.index(version)
        np.testing.assert_array_equal(store.deleted_since(version), ids[start:])
