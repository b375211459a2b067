"""Files made for speed: deleted, cut off, with changed bits, of another collection or time, they are made again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.collection import upkeep
from similia.collection.store import Store
from similia.index.files import open_verified


def vectors_file(shelf: Collection) -> Path:
    (found,) = (shelf.path / "derived").glob("vectors-*")
    return found


def answers(shelf: Collection) -> list[tuple[list[str], list[float]]]:
    found = [shelf.search(query, mode="dense", k=50) for query in ("tea kettle", "rank fusion", "glacier")]
    return [(one.keys, one.scores.tolist()) for one in found]


def damage_delete(path: Path) -> None:
    path.unlink()


def damage_cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def damage_flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)


def damage_empty(path: Path) -> None:
    path.write_bytes(b"")


def damage_foreign(path: Path) -> None:
    path.write_bytes(b"something else entirely" * 1000)


def damage_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


DAMAGES = [damage_delete, damage_cut, damage_flip, damage_empty, damage_foreign, damage_folder]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("live", [False, True], ids=["opened again", "while open"])
def test_a_damaged_file_is_made_again(shelf: Collection, damage: Callable[[Path], None], live: bool) -> None:
    before = answers(shelf)
    damage(vectors_file(shelf))
    if live:
        assert answers(shelf) == before
    with Collection.open(shelf.path) as again:
        assert answers(again) == before
        if damage is not damage_folder:
            assert open_verified(vectors_file(again)) is not None
    assert answers(shelf) == before


def test_the_whole_folder_can_be_deleted(shelf: Collection) -> None:
    before, places = answers(shelf), shelf.layout()
    shutil.rmtree(shelf.path / "derived")
    assert answers(shelf) == before
    with Collection.open(shelf.path) as again:
        assert answers(again) == before
        np.testing.assert_array_equal(again.layout().xy, places.xy)


def test_a_file_of_another_collection_is_not_taken(
    shelf: Collection, tmp_path: Path, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    before = answers(shelf)
    with Collection.open(tmp_path / "other", create=True) as other:
        other.add(rows(200, seed=9), key="id", text=["title", "body"], encoder="hashing:64")
        shutil.copy(vectors_file(other), vectors_file(shelf))
    with Collection.open(shelf.path) as again:
        assert answers(again) == before


def test_a_file_of_a_later_time_is_not_taken(shelf: Collection, tmp_path: Path) -> None:
    """The database is taken back by hand to an earlier copy, the file is not."""
    before = answers(shelf)
    shelf.close()
    shutil.copytree(shelf.path, tmp_path / "copy")
    with Collection.open(shelf.path) as later:
        later.delete(where="year > 2000")
        shutil.rmtree(later.path / "derived")
        answers(later)
    for name in ("collection.db", "collection.db-wal", "collection.db-shm"):
        (shelf.path / name).unlink(missing_ok=True)
        if (tmp_path / "copy" / name).exists():
            shutil.copy(tmp_path / "copy" / name, shelf.path / name)
    with Collection.open(shelf.path) as again:
        assert answers(again) == before


def test_what_changed_since_the_file_was_written_is_found(
    shelf: Collection, rows: Callable[..., list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adds, replacements and deletions beside an old file give what a new file gives, whether folded in or not."""
    old = vectors_file(shelf).read_bytes()
    shelf.add(rows(150, seed=4, start=100), key="id", on_duplicate="replace")
    shelf.delete(where="area = 'audio'")
    shutil.rmtree(shelf.path / "derived")
    with Collection.open(shelf.path) as again:
        expected = answers(again)
        path = vectors_file(again)
    for slack in (10_000, 1):
        monkeypatch.setattr(upkeep, "SLACK", slack)
        path.write_bytes(old)
        with Collection.open(shelf.path) as stale:
            assert answers(stale) == expected
        current = open_verified(path)
        assert current is not None
        assert (current.header["version"] == stale_version(old, path)) is (slack == 10_000)


def test_more_than_is_held_in_memory_is_made_again_from_the_database(
    shelf: Collection, rows: Callable[..., list[dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "HELD", 4 * 64 * 50)
    old = vectors_file(shelf).read_bytes()
    shelf.add(rows(100, start=500), key="id")
    expected = answers(shelf)
    vectors_file(shelf).write_bytes(old)
    with Collection.open(shelf.path) as again:
        assert answers(again) == expected
        assert len(again.search("tea", mode="dense", k=500)) == 300


def test_nothing_is_loaded_twice_while_nothing_changes(shelf: Collection) -> None:
    with Collection.open(shelf.path) as again:
        answers(again)
        (before,) = again._space._vectors.values()
        answers(again)
        assert next(iter(again._space._vectors.values())) is before
        assert before.file is not None


def stale_version(old: bytes, path: Path) -> int:
    beside = path.with_name("old-0")
    beside.write_bytes(old)
    opened = open_verified(beside)
    beside.unlink()
    assert opened is not None
    version: int = opened.header["version"]
    return version


def test_an_open_collection_follows_what_another_process_writes(
    shelf: Collection, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    assert len(shelf.search("tea", k=1_000)) == 200
    with Collection.open(shelf.path) as other:
        other.add(rows(30, seed=8, start=500), key="id")
        other.delete(["k0000"])
        found = shelf.search("tea", mode="dense", k=1_000)
        assert set(found.keys) == set(other.search("tea", mode="dense", k=1_000).keys)
        assert len(found) == 229
        assert "k0500" in found.keys
        assert "k0000" not in found.keys


def test_a_sense_dropped_and_made_anew_is_not_answered_from_the_old_file(shelf: Collection) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:64")
    by_title = shelf.similar("k0001", sense="name", k=20).keys
    shelf.senses.drop("name")
    shelf.senses.add("name", text="body", encoder="hashing:64")
    by_body = shelf.similar("k0001", sense="name", k=20).keys
    assert by_body != by_title
    shutil.rmtree(shelf.path / "derived")
    with Collection.open(shelf.path) as again:
        assert again.similar("k0001", sense="name", k=20).keys == by_body


def test_files_of_dropped_senses_and_killed_writers_go(shelf: Collection) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:64")
    derived = shelf.path / "derived"
    assert len(list(derived.glob("vectors-*"))) == 2
    shelf.senses.drop("name")
    assert len(list(derived.glob("vectors-*"))) == 1
    leftover = derived / ".vectors-1.1234.abcd.tmp"
    leftover.write_bytes(b"half")
    os.utime(leftover, (time.time() - 7200,) * 2)
    vectors_file(shelf).unlink()
    with Collection.open(shelf.path) as again:
        answers(again)
    assert not leftover.exists()


def test_a_folder_that_cannot_be_written_is_read(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    before = answers(shelf)
    shutil.rmtree(shelf.path / "derived")
    (shelf.path / "derived").write_text("in the way")
    with Collection.open(shelf.path) as again:
        assert answers(again) == before
        assert answers(again) == before
        assert len(again.layout()) == 200


def test_check_mends_derived_files(shelf: Collection) -> None:
    before = answers(shelf)
    shelf.layout()
    for path in (shelf.path / "derived").iterdir():
        damage_flip(path)
    said = shelf.check(mend=False)
    assert not said.ok
    assert not {promise: held for promise, held, _ in said.promises}["derived files are what they say"]
    mended = shelf.check()
    assert mended.ok
    assert len(mended.mended) == 2
    assert shelf.check().mended == []
    assert answers(shelf) == before


READ = """
import sys, time
from similia import Collection
until = time.time() + float(sys.argv[2])
while time.time() < until:
    with Collection.open(sys.argv[1]) as shelf:
        found = shelf.search("tea kettle", mode="dense", k=10_000)
        assert len(found) == found.total == len(set(found.keys)), (len(found), found.total)
        assert shelf.search(like=found.keys[-1], mode="dense", k=3).scores[0] <= 1.0
"""


def test_processes_that_make_the_same_file_do_not_disturb_each_other(
    shelf: Collection, rows: Callable[..., list[dict[str, Any]]]
) -> None:
    readers = [
        subprocess.Popen([sys.executable, "-c", READ, str(shelf.path), "4"], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    start = 1_000
    while any(reader.poll() is None for reader in readers):
        shelf.add(rows(20, start=start), key="id", batch_size=7)
        shutil.rmtree(shelf.path / "derived", ignore_errors=True)
        start += 20
    for reader in readers:
        _, said = reader.communicate()
        assert reader.returncode == 0, said


def test_float16_files_hold_what_the_store_holds(tmp_path: Path, rows: Callable[..., list[dict[str, Any]]]) -> None:
    with Collection.open(tmp_path / "half", create=True) as half:
        report = half.add(rows(50, dimension=16), key="id", text="title", vectors="vector", precision="float16")
        assert 0 < report.loss["topic"] < 1e-5
        assert half.senses["topic"].loss == report.loss["topic"]
        file = open_verified(vectors_file(half))
        assert file is not None
        assert file.arrays["vectors"].dtype == np.float16
        store = Store.open(half.path)
        ids, stored = store.vectors("topic")
        np.testing.assert_array_equal(file.arrays["vectors"].astype(np.float32), stored)
        np.testing.assert_array_equal(file.arrays["ids"], ids)
        store.close()
