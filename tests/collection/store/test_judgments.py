"""Judgments in the store: the latest counts, an undo brings back, older software and damage from outside."""

from __future__ import annotations

import multiprocessing
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

import apsw
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from similia.collection.store import Store
from similia.collection.store.judgments import Judgment
from similia.errors import CollectionDamaged, NothingToUndo

Steps = list[tuple[str, list[Judgment]]]


def made(query: str = "q", item: str = "a", grade: float = 1, **more: Any) -> Judgment:
    return Judgment(query, item, grade, **{"time": "2026-01-01T00:00:00.000+00:00", **more})


def judge(store: Store, *judged: Judgment) -> None:
    with store.change("judge", {}) as change, change.transaction():
        change.judge(judged)


def raw(store: Store, sql: str) -> list[tuple[Any, ...]]:
    db = apsw.Connection(str(store.folder / "collection.db"))
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def test_the_latest_of_each_kind_counts(store: Store) -> None:
    first = [made(), made(sense="topic"), made(source="click"), made(like=True), made(item="b")]
    with store.change("judge", {"n": 5}) as change, change.transaction():
        assert change.judge(first) == (5, 0)
    assert store.judgments() == first
    with store.change("judge", {}) as change, change.transaction():
        assert change.judge([made(grade=3, note="why"), made(item="c"), made(item="c", grade=2)]) == (1, 1)
    assert store.judgments() == [*first[1:], made(grade=3, note="why"), made(item="c", grade=2)]
    assert store.judgments(kind="like") == [made(like=True)]
    assert store.judgments(query="q", item="a", source="cli", sense="") == [made(like=True), made(grade=3, note="why")]
    row = store.log(1)[0]
    assert (row.command, row.state, row.added, row.replaced, row.deleted) == ("judge", "done", 1, 1, 0)
    with store.change("judge remove", {}) as change, change.transaction():
        assert change.unjudge([made(item="c"), made(item="nobody")]) == 1
    assert store.log(1)[0].deleted == 1
    assert store.check().ok


SOME = st.builds(
    made,
    query=st.sampled_from(["q", "r"]),
    item=st.sampled_from(["a", "b", "c"]),
    grade=st.sampled_from([0.0, 1.5, 3.0]),
    sense=st.sampled_from([None, "topic"]),
    source=st.sampled_from(["cli", "click"]),
    like=st.booleans(),
)
STEPS = st.lists(st.tuples(st.sampled_from(["judge", "unjudge"]), st.lists(SOME, min_size=1, max_size=4)), max_size=4)


def apply(known: list[Judgment], steps: Steps) -> list[Judgment]:
    for what, judged in steps:
        for one in judged:
            known = [other for other in known if other.about != one.about] + ([one] if what == "judge" else [])
    return known


@settings(deadline=None, max_examples=60)
@given(st.lists(st.one_of(STEPS, st.just("undo"), st.just("fail"), st.just("abandon"), st.just("other")), max_size=8))
@example([[("judge", [made(item="a"), made(item="b")])], [("unjudge", [made(item="b")]), ("judge", [made()])], "undo"])
@example([[("judge", [made()])], [("judge", [made(grade=2)]), ("judge", [made(grade=3)])], "undo"])
@example([[("judge", [made(), made(item="b")])], [("unjudge", [made()]), ("judge", [made(item="c"), made()])], "undo"])
def test_any_changes_and_undos_are_as_with_a_list(commands: list[Any]) -> None:
    with tempfile.TemporaryDirectory() as folder, Store.create(Path(folder) / "c") as store:
        known: list[Judgment] = []
        before: list[Judgment] | None = None
        for command in commands:
            steps: Steps = [("judge", [made(grade=2)]), ("unjudge", [made(item="b")])]
            if command == "undo":
                if before is None:
                    with pytest.raises(NothingToUndo):
                        store.undo()
                else:
                    store.undo()
                    known, before = before, None
            elif command == "other":
                with store.change("add", {}) as change, change.transaction():
                    change.put(change.next_keys(1), [{}], vectors={})
                before = known
            elif command in ("fail", "abandon"):
                with store.change(command, {}) as change:
                    with suppress(ZeroDivisionError), change.transaction():
                        do(change, steps)
                        raise ZeroDivisionError
                    if command == "abandon":
                        with change.transaction():
                            do(change, steps)
                        change.abandon()
                        before = None
            else:
                with store.change("judge", {}) as change:
                    for step in command:
                        with change.transaction():
                            do(change, [step])
                if command:
                    known, before = apply(known, command), known
            assert store.judgments() == known
        assert store.check(mend=False).ok


def do(change: Any, steps: Steps) -> None:
    for what, judged in steps:
        (change.judge if what == "judge" else change.unjudge)(judged)


def test_a_change_that_is_paused_goes_on(store: Store, add: Callable[..., Any]) -> None:
    def one(item: str, key: str = "mine", *, last: bool = False) -> int:
        with store.change("judge", {}, resume_key=key) as change:
            if not last:
                change.pause()
                with change.transaction():
                    change.judge([made(item=item)])
            return change.number

    assert one("a") == one("b") == 1
    assert store.log(1)[0].state == "open"
    assert store.check().ok
    assert one("", last=True) == 1
    assert [(row.state, row.added) for row in store.log()] == [("done", 2)]
    assert one("c") == 2
    store.undo()
    assert [judged.item for judged in store.judgments()] == ["a", "b"]
    assert one("d") == 3
    add({"x": {}})
    assert one("e") == 5
    assert [row.state for row in store.log()] == ["open", "done", "interrupted", "undone", "done"]


def test_a_collection_from_before_there_were_judgments(store: Store, add: Callable[..., Any], tmp_path: Path) -> None:
    add({"a": {"t": "tea"}})
    tables = raw(store, "SELECT name, sql FROM sqlite_schema ORDER BY name")
    assert store.judgments() == []
    assert not any("judgment" in promise for promise, _, _ in store.check().promises)
    with store.change("judge remove", {}) as change, change.transaction():
        assert change.unjudge([made()]) == 0
    assert raw(store, "SELECT name, sql FROM sqlite_schema ORDER BY name") == tables, "looking makes nothing"
    store.backup(tmp_path / "old")
    judge(store, made())
    assert raw(store, "PRAGMA user_version") == [(1,)], "older software opens it"
    Store.restore(tmp_path / "old", tmp_path / "restored")
    with Store.open(tmp_path / "restored") as old:
        assert old.judgments() == []
        judge(old, made())
        assert old.judgments() == [made()]


def test_older_software_takes_back_a_judgment_and_lets_go_of_what_was_kept(store: Store) -> None:
    """It knows nothing of judgments: these are the statements that it gives to the log."""
    judge(store, made())
    judge(store, made(grade=2), made(item="b"))
    db = apsw.Connection(str(store.folder / "collection.db"))
    db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    db.execute("BEGIN; UPDATE changes SET before = NULL WHERE before IS NOT NULL")
    db.execute("UPDATE changes SET state = 'undone' WHERE number = 2; COMMIT")
    assert store.judgments() == [made()]
    judge(store, made(grade=3))
    db.execute("INSERT INTO changes(number, command, arguments, state, started) VALUES (4, 'add', '{}', 'done', '')")
    assert db.execute("SELECT count(*) FROM undo_judgments").fetchall() == [(0,)]
    db.close()
    assert store.judgments() == [made(grade=3)]
    assert store.check(mend=False).promises[-2][1]


def test_backup_and_restore(store: Store, tmp_path: Path) -> None:
    judge(store, made())
    judge(store, made(grade=2, note="漢字\n'\""), made(item="b", like=True))
    before = store.judgments()
    store.backup(tmp_path / "b")
    Store.restore(tmp_path / "b", tmp_path / "again")
    with Store.open(tmp_path / "again") as restored:
        assert restored.judgments() == before
        assert restored.check().ok
        restored.undo()
        assert restored.judgments() == [made()]


def test_items_that_go_and_come_back(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {}})
    judge(store, made())
    with store.change("delete", {}) as change, change.transaction():
        change.delete(np.array([1]))
    assert store.judgments() == [made()]
    assert store.check().ok
    store.undo()
    assert store.judgments() == [made()]


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE judgments SET grade = 9", "the judgment of item 'a' was changed from outside"),
        ("UPDATE judgments SET query = 'other'", "was changed from outside"),
        ("UPDATE judgments SET source = 'x'", "was changed from outside"),
        ("UPDATE undo_judgments SET change = 7", "1 judgments are kept for an undo that cannot be"),
    ],
)
def test_damage_is_found(store: Store, sql: str, said: str) -> None:
    judge(store, made())
    raw(store, sql)
    report = store.check()
    assert not report.ok
    assert [said in detail for promise, held, detail in report.promises if not held] == [True]
    if "undo" not in sql:
        with pytest.raises(CollectionDamaged, match=said):
            store.judgments()


def test_a_trigger_that_is_gone_is_made_again(store: Store) -> None:
    judge(store, made())
    raw(store, "DROP TRIGGER judgments_undone")
    assert not store.check(mend=False).ok
    report = store.check()
    assert (report.ok, report.mended) == (True, ["made the triggers of the judgments anew"])
    store.undo()
    assert store.judgments() == []


def test_a_flipped_bit_of_a_judgment_shows(store: Store) -> None:
    long = made("find me: " + "query " * 40, item="item-key-here", note="a note " * 20, sense="topic")
    judge(store, long)
    store.close()
    path = store.folder / "collection.db"
    data = path.read_bytes()
    places = [place for place in range(len(data)) if data.startswith(b"find me: query", place)]
    assert places
    random = Random(3)
    for place in places:
        for _ in range(12):
            changed = bytearray(data)
            changed[min(place + random.randrange(300), len(data) - 1)] ^= 1 << random.randrange(8)
            path.write_bytes(changed)
            with Store.open(store.folder) as damaged:
                try:
                    assert damaged.judgments() == [long]
                except CollectionDamaged:
                    assert not damaged.check(mend=False).ok


def work(folder: Path, start: int, speak: Connection) -> None:
    """Judge without end, several items a time; every other time take the last change back."""
    store = Store.open(folder)
    speak.send(start)
    for number in range(start + 1, 10**9):
        judge(store, *(made(item=f"i{place}", grade=number, note=str(number)) for place in range(40)))
        speak.send(number)


@pytest.mark.slow
def test_a_killed_writer_leaves_whole_changes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["numpy", "apsw", "similia.collection.store.store"])
    folder, random, last = tmp_path / "c", Random(5), 0
    Store.create(folder).close()
    for _ in range(12):
        hear, speak = context.Pipe(duplex=False)
        worker = context.Process(target=work, args=(folder, last, speak))
        worker.start()
        speak.close()
        for _ in range(random.randint(1, 6)):
            last = hear.recv()
        time.sleep(random.uniform(0, 0.01))
        worker.kill()
        worker.join()
        assert worker.exitcode == -9
        while hear.poll():
            try:
                last = hear.recv()
            except EOFError:
                break
        hear.close()
        with Store.open(folder) as store:
            notes = {one.note for one in store.judgments()}
            assert notes <= {str(last), str(last + 1)}, "what was acknowledged is there, and nothing is half done"
            assert len(notes) == (1 if last or notes else 0)
            assert len(store.judgments()) in (0, 40)
            assert store.check(mend=False).ok
            last = max([last, *map(int, notes)])
