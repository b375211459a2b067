"""Making, opening, copying and removing collections."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import pytest

from similia.collection.store import Store
from similia.collection.store.files import delete_ours
from similia.errors import (
    CollectionBusy,
    CollectionDamaged,
    CollectionNotFound,
    InputError,
    SimiliaError,
    StorageError,
)


def test_create_and_open(tmp_path: Path) -> None:
    with Store.create(tmp_path / "deep" / "er" / "c") as store:
        assert store.folder == tmp_path / "deep" / "er" / "c"
        assert (store.count(), store.version(), store.fields(), store.senses()) == (0, 0, {}, {})
        assert store.check().ok
        uuid = store.uuid
    with Store.open(tmp_path / "deep" / "er" / "c") as store:
        assert store.uuid == uuid
    (tmp_path / "empty").mkdir()
    Store.create(tmp_path / "empty").close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "empty"], "nothing temporary is left"


def test_places_that_are_taken(tmp_path: Path) -> None:
    Store.create(tmp_path / "c").close()
    (tmp_path / "file").touch()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError, match="there is a collection at that place already"):
        Store.create(tmp_path / "c")
    for name in ("file", "full", "link"):
        with pytest.raises(InputError, match="there is something else at that place"):
            Store.create(tmp_path / name)
    with pytest.raises(StorageError, match="cannot be made there"):
        Store.create(tmp_path / "file" / "below")


def test_nothing_to_open(tmp_path: Path) -> None:
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(CollectionNotFound, match="there is no collection at that place"):
            Store.open(place)


def test_files_that_are_no_collections(tmp_path: Path) -> None:
    for name, content in (("empty", b""), ("text", b"Dear diary, " * 1_000), ("zeros", bytes(100_000))):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "collection.db").write_bytes(content)
        with pytest.raises(CollectionDamaged):
            Store.open(folder)
        assert (folder / "collection.db").read_bytes() == content
    other = tmp_path / "other"
    other.mkdir()
    db = apsw.Connection(str(other / "collection.db"))
    db.execute("CREATE TABLE t(x)")
    db.close()
    with pytest.raises(CollectionDamaged, match="not a database of Similia"):
        Store.open(other)


def test_a_newer_format(store: Store) -> None:
    db = apsw.Connection(str(store.folder / "collection.db"))
    db.execute("PRAGMA user_version = 2")
    db.close()
    with pytest.raises(SimiliaError, match="has format 2, and this Similia reads format 1"):
        Store.open(store.folder)


def test_a_second_process_is_named(store: Store) -> None:
    script = (
        "import sys, pathlib; from similia.collection.store import Store\n"
        "with Store.open(pathlib.Path(sys.argv[1])).change('nightly import', {}):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(store.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        impatient = Store.open(store.folder, wait=0.0)
        with pytest.raises(CollectionBusy, match=rf"process {holder.pid} \(nightly import, since"):
            impatient.undo()
        with pytest.raises(CollectionBusy):
            Store.remove(store.folder, wait=0.0)
        holder.kill()
        holder.wait()
        with impatient.change("at once", {}) as change, change.transaction():
            change.put(["a"], [{}], vectors={})
        impatient.close()


def test_reading_after_a_fork(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {}, "b": {}})
    store.count()
    child = os.fork()
    if child == 0:
        try:
            os._exit(10 + store.count())
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 12
    assert store.count() == 2


def fill(store: Store, rows: int = 30) -> None:
    with store.change("senses add", {}) as change, change.transaction():
        change.create_sense("topic", {"fields": ["t"]}, fingerprint="f", dimension=4, precision="float32")
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"t": "text", "n": "integer"})
        keys = [f"k{number}" for number in range(rows)]
        records = [{"t": f"word{number % 7} text", "n": number} for number in range(rows)]
        change.put(keys, records, vectors={"topic": np.arange(4 * rows).reshape(-1, 4)})


def content(store: Store) -> Any:
    ids, vectors = store.vectors("topic")
    items = [(keys, records) for _, keys, records in store.iterate()]
    return items, ids.tolist(), vectors.tolist(), store.fields(), store.senses(), store.log(), store.version()


def test_backup_and_restore(store: Store, tmp_path: Path) -> None:
    fill(store)
    with store.change("more", {}) as change, change.transaction():
        change.delete(np.array([3]))
        target = tmp_path / "backups" / "monday"
        other = Store.open(store.folder)
        other.backup(target)  # while somebody writes
        before = content(other)
        other.close()
    fill_version = content(store)
    assert sorted(path.name for path in target.iterdir()) == ["backup.json", "collection.db", "writer.lock"]
    Store.restore(target, tmp_path / "again")
    with Store.open(tmp_path / "again") as restored:
        assert content(restored) == before
        assert content(restored) != fill_version
        assert restored.uuid != store.uuid, "what was derived from the one is not the other's"
        assert restored.check().ok
        assert restored.text_search("word3", 30).ids.max() > 0
        restored.undo()
    assert json.loads((target / "backup.json").read_text())["counts"]["items"] == 30
    with pytest.raises(InputError, match="already"):
        Store.restore(target, tmp_path / "again")
    with pytest.raises(InputError, match="already"):
        store.backup(target)


def test_restoring_what_is_no_backup(store: Store, tmp_path: Path) -> None:
    fill(store)
    with pytest.raises(CollectionNotFound, match="no backup"):
        Store.restore(tmp_path / "none", tmp_path / "x")
    with pytest.raises(InputError, match="is a collection and no backup"):
        Store.restore(store.folder, tmp_path / "x")
    store.backup(tmp_path / "b")
    (tmp_path / "b" / "backup.json").write_text("{")
    with pytest.raises(CollectionDamaged, match=r"backup\.json is damaged"):
        Store.restore(tmp_path / "b", tmp_path / "x")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.99])
def test_a_changed_backup_is_refused(store: Store, tmp_path: Path, place: float) -> None:
    fill(store)
    store.backup(tmp_path / "b")
    path = tmp_path / "b" / "collection.db"
    data = bytearray(path.read_bytes())
    data[int(place * len(data))] ^= 1
    path.write_bytes(data)
    with pytest.raises(CollectionDamaged, match="not as it was written"):
        Store.restore(tmp_path / "b", tmp_path / "x")
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(CollectionDamaged, match="not as it was written"):
        Store.restore(tmp_path / "b", tmp_path / "x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "papers"]


def test_an_unsound_collection_is_not_backed_up(store: Store, tmp_path: Path) -> None:
    fill(store, 300)
    store.close()
    path = store.folder / "collection.db"
    data = bytearray(path.read_bytes())
    data[-16_384 * 3 : -16_384 * 2] = bytes(16_384)
    path.write_bytes(data)
    with Store.open(store.folder) as damaged, pytest.raises(CollectionDamaged):
        damaged.backup(tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_remove(store: Store, tmp_path: Path) -> None:
    fill(store)
    (store.folder / "derived" / "graph").mkdir(parents=True)
    (store.folder / "derived" / "graph" / "file").touch()
    store.close()
    Store.remove(store.folder)
    assert not store.folder.exists()
    with pytest.raises(CollectionNotFound):
        Store.remove(store.folder)


def test_remove_takes_only_what_is_ours(tmp_path: Path) -> None:
    Store.create(tmp_path / "c").close()
    (tmp_path / "c" / "letter.txt").write_text("dear")
    Store.remove(tmp_path / "c")
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["letter.txt"]
    with pytest.raises(InputError, match="this is no collection; nothing was removed"):
        Store.remove(tmp_path / "c")
    assert (tmp_path / "c" / "letter.txt").exists()
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "photo").touch()
    Store.create(tmp_path / "d").close()
    (tmp_path / "d" / "derived").symlink_to(outside)
    Store.remove(tmp_path / "d")
    assert (outside / "photo").exists()


def test_a_removal_that_was_interrupted(store: Store) -> None:
    fill(store)
    store.close()
    (store.folder / "collection.db").unlink()
    (store.folder / "collection.db-wal").write_bytes(b"left over")
    with pytest.raises(CollectionNotFound):
        Store.open(store.folder)
    with Store.create(store.folder) as fresh:
        assert fresh.count() == 0
        assert fresh.check().ok


def test_removed_while_it_is_open(store: Store) -> None:
    fill(store)
    going = store.iterate(batch=10)
    next(going)
    Store.remove(store.folder)
    assert sum(len(keys) for _, keys, _ in going) == 20, "what was being read stays readable"
    with pytest.raises(CollectionNotFound, match="was removed or replaced meanwhile; open it again"):
        store.count()
    with pytest.raises(CollectionNotFound), store.change("add", {}):
        pass
    with Store.create(store.folder) as other:
        with pytest.raises(CollectionNotFound, match="replaced"), store.change("add", {}):
            pass
        with pytest.raises(CollectionNotFound, match="replaced"):
            store.version()
        assert other.count() == 0


def test_removed_while_a_writer_waits(store: Store) -> None:
    fill(store)
    waiting = Store.open(store.folder, wait=30)
    failures: list[BaseException] = []

    def write() -> None:
        try:
            with waiting.change("add", {}) as change, change.transaction():
                change.next_keys(1)
        except BaseException as error:
            failures.append(error)

    with suppress(CollectionNotFound), store.change("hold", {}):
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.05)
        delete_ours(store.folder)
        Store.create(store.folder).close()
    thread.join()
    assert [type(error) for error in failures] == [CollectionNotFound]
    waiting.close()


def test_a_moved_collection(store: Store, tmp_path: Path) -> None:
    fill(store)
    before = content(store)
    store.close()
    shutil.move(store.folder, tmp_path / "elsewhere")
    with Store.open(tmp_path / "elsewhere") as moved:
        assert content(moved) == before


def test_sizes(store: Store) -> None:
    fill(store, 400)
    (store.folder / "derived").mkdir()
    (store.folder / "derived" / "x").write_bytes(bytes(1_000))
    sizes = store.sizes()
    assert list(sizes) == [
        "records",
        "fulltext",
        "sense:topic",
        "undo",
        "other",
        "free",
        "wal",
        "derived",
        "total",
    ]
    assert sizes["derived"] == 1_000
    assert sizes["total"] == sum(size for name, size in sizes.items() if name != "total")
    assert sizes["records"] > 400 * 20
    assert sizes["sense:topic"] > 400 * 16
    with store.change("senses drop", {}) as change, change.transaction():
        change.drop_sense("topic")
    assert "sense:topic" not in store.sizes()
    assert store.sizes()["undo"] > sizes["undo"]
