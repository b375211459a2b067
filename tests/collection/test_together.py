"""Many threads and processes at one collection: readers never wait, and what they see belongs together."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.errors import CollectionBusy

Rows = Callable[..., list[dict[str, Any]]]

READER = """
import sys, time
from similia import Collection
seen, until = [], time.time() + 60
with Collection.open(sys.argv[1]) as shelf:
    while (not seen or seen[-1] < int(sys.argv[2])) and time.time() < until:
        found = shelf.search("tea kettle", k=10_000)
        assert len(found) == found.total == len(set(found.keys)) == len(found.items), (len(found), found.total)
        assert all(item["id"] == key for item, key in zip(found.items, found.keys))
        assert found.total % 10 == 0, found.total
        seen.append(found.total)
assert seen == sorted(seen)
print(seen[-1])
"""


def test_readers_during_an_add(shelf: Collection, rows: Rows) -> None:
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, str(shelf.path), "500"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    shelf.add(rows(300, start=1_000), key="id", batch_size=10)
    for reader in readers:
        out, said = reader.communicate()
        assert reader.returncode == 0, said
        assert out.strip() == "500"


def test_threads_share_a_collection_while_it_changes(given: Collection, rows: Rows) -> None:
    """Ids, vectors and records that a thread sees are of one state, whatever others do."""
    failures: list[str] = []
    done = threading.Event()
    query = np.ones(8, np.float32)
    rng = np.random.default_rng(0)
    vectors = {row["id"]: np.array(row["vector"], np.float64) for row in rows(900, dimension=8)}

    def read() -> None:
        try:
            while not done.is_set():
                found = given.search(query, mode="dense", k=10_000)
                assert len(found) == found.total
                for key, score in zip(found.keys[:20], found.scores[:20], strict=True):
                    vector = vectors[key]
                    assert abs(vector.sum() / np.linalg.norm(vector) / 8**0.5 - score) < 1e-5
                hits = given.search("tea", mode="text", k=50)
                assert all("tea" in f"{item['title']} {item['body']}" for item in hits.items)
        except Exception as error:
            failures.append(repr(error))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    more = rows(900, dimension=8)[300:]
    for start in range(0, 600, 150):
        given.add(more[start : start + 150], key="id", batch_size=40)
        given.delete(
            [f"k{place:04d}" for place in rng.choice(np.arange(start // 3, start // 3 + 50), 20, replace=False)]
        )
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(given) == 820


WRITER = """
import sys, time
from similia import Collection
with Collection.open(sys.argv[1]) as shelf, shelf._space.store.change("held", {}):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_fails_clearly_and_readers_go_on(shelf: Collection, rows: Rows) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(shelf.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == "held\n"
    with Collection.open(shelf.path, wait=0.2) as second:
        with pytest.raises(CollectionBusy, match=str(writer.pid)):
            second.add(rows(1, start=999), key="id")
        assert len(second.search("tea", k=500)) == 200
    writer.communicate("")
    with Collection.open(shelf.path, wait=5) as third:
        assert third.add(rows(1, start=999), key="id").added == 1


def test_two_writers_take_turns(shelf: Collection, rows: Rows) -> None:
    with Collection.open(shelf.path) as other:
        threads = [
            threading.Thread(target=one.add, args=(rows(40, start=start),), kwargs={"key": "id", "batch_size": 7})
            for one, start in ((shelf, 2_000), (other, 3_000), (shelf, 4_000))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(shelf) == 320
    assert len(shelf.search("tea", mode="dense", k=1_000)) == 320
    assert shelf.check().ok
