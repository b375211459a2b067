"""Senses and their vectors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from similia.collection.store import SenseRow, Store
from similia.collection.store.vectors import checksums
from similia.errors import CollectionDamaged, InputError, UnknownItem, UnknownSense

DEFINITION = {"fields": ["title"], "about": 'the "method" 😀'}


class Stop(Exception):
    pass


def make(store: Store, name: str = "topic", dimension: int = 3, precision: str = "float32") -> None:
    with store.change("senses add", {"name": name}) as change, change.transaction():
        change.create_sense(name, DEFINITION, fingerprint="print", dimension=dimension, precision=precision)


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


def test_a_sense_of_an_empty_collection_is_ready(store: Store, add: Callable[..., Any]) -> None:
    make(store)
    assert store.senses() == {"topic": SenseRow("topic", DEFINITION, "print", 3, "float32", "ready", 0, 1)}
    vectors = random(4, 3)
    ids = add({key: {} for key in "abcd"}, vectors={"topic": vectors}).ids
    assert store.senses()["topic"].count == 4
    found, there = store.vectors("topic")
    np.testing.assert_array_equal(found, ids)
    np.testing.assert_array_equal(there, vectors)
    assert there.dtype == np.float32
    np.testing.assert_array_equal(store.vectors_of("topic", ids[::-1]), vectors[::-1])
    assert np.isnan(store.vectors_of("topic", np.array([77]))).all()
    assert store.vectors_of("topic", np.array([], np.int64)).shape == (0, 3)


def test_every_item_needs_a_vector_in_every_sense(store: Store, add: Callable[..., Any]) -> None:
    make(store)
    make(store, "method", 2)
    for given_, said in (
        ({}, "no vectors for sense 'topic'; an item needs one"),
        ({"topic": random(1, 3)}, "no vectors for sense 'method'"),
        ({"topic": random(1, 3), "method": random(2, 2)}, "2 vectors of sense 'method' for 1 items"),
        ({"topic": random(1, 4), "method": random(1, 2)}, "4 dimensions, but 3 are needed"),
        ({"topic": [[1, 2, np.nan]], "method": random(1, 2)}, "NaN or infinity"),
        ({"topic": random(1, 3), "method": random(1, 2), "x": random(1, 2)}, "vectors for sense 'x', which"),
    ):
        with pytest.raises(InputError, match=said):
            add({"a": {}}, vectors=given_)
    assert store.count() == 0


def test_building_a_sense_over_items(store: Store, add: Callable[..., Any]) -> None:
    ids = add({str(number): {} for number in range(10)}).ids
    with store.change("senses add", {}) as change:
        with change.transaction():
            change.create_sense("s", {}, fingerprint="f", dimension=2, precision="float32")
            assert store.senses()["s"].state == "building"
            with pytest.raises(InputError, match="10 of 10 items have no vector yet"):
                change.finish_sense("s")
        while len(missing := store.without_vector("s", 4)):
            with change.transaction():
                change.put_vectors("s", missing, np.repeat(missing, 2).reshape(-1, 2))
                assert missing[0] not in store.without_vector("s", 10)
        with change.transaction():
            change.finish_sense("s")
    assert store.senses()["s"].state == "ready"
    np.testing.assert_array_equal(store.vectors_of("s", ids)[:, 0], ids)
    assert store.check().ok


def test_what_is_missing_is_known_after_a_rollback(store: Store, add: Callable[..., Any]) -> None:
    add({str(number): {} for number in range(4)})
    with store.change("senses add", {}) as change:
        with change.transaction():
            change.create_sense("s", {}, fingerprint="f", dimension=1, precision="float32")
        with suppress(Stop), change.transaction():
            change.put_vectors("s", np.array([1, 2]), [[1.0], [2.0]])
            assert store.without_vector("s", 9).tolist() == [3, 4]
            raise Stop
        assert store.without_vector("s", 9).tolist() == [1, 2, 3, 4]
        change.abandon()
    assert store.senses() == {}


def test_a_building_sense_is_covered_by_additions(store: Store, add: Callable[..., Any]) -> None:
    add({"a": {}})
    make(store, "s", 1)
    with pytest.raises(InputError, match="no vectors for sense 's'"):
        add({"b": {}})
    add({"b": {}}, vectors={"s": [[5.0]]})
    assert store.without_vector("s", 5).tolist() == [1]
    with store.change("fill", {}) as change, change.transaction():
        change.put_vectors("s", np.array([1]), [[4.0]])
        change.finish_sense("s")
    before = store.senses()["s"]
    store.undo()
    after = store.senses()["s"]
    assert (after.state, after.count) == ("building", 1)
    assert after.id != before.id, "a vector was taken from an item that stays: what was derived must not be kept"
    assert store.without_vector("s", 5).tolist() == [1]
    assert store.check().ok


def test_dropping_touches_nothing_else_and_comes_back(store: Store, add: Callable[..., Any]) -> None:
    make(store, "topic")
    make(store, "method", 2)
    given_ = {"topic": random(5, 3), "method": random(5, 2)}
    ids = add({key: {"t": key} for key in "abcde"}, vectors=given_).ids
    before = store.senses()
    with store.change("senses drop", {}) as change, change.transaction():
        change.drop_sense("method")
        change.delete(ids[:1])
    assert list(store.senses()) == ["topic"]
    with pytest.raises(UnknownSense, match="no sense 'method'; the collection has: topic"):
        store.vectors("method")
    store.undo()
    assert store.senses() == before
    np.testing.assert_array_equal(store.vectors("method")[1], given_["method"])
    np.testing.assert_array_equal(store.vectors("topic")[1], given_["topic"])


def test_a_name_can_be_used_again(store: Store, add: Callable[..., Any]) -> None:
    make(store, "topic", 3)
    add({"a": {}}, vectors={"topic": random(1, 3)})
    with store.change("swap", {}) as change, change.transaction():
        change.drop_sense("topic")
        change.create_sense("topic", {}, fingerprint="other", dimension=2, precision="float16")
        change.put_vectors("topic", np.array([1]), [[1, 2]])
        change.finish_sense("topic")
    new = store.senses()["topic"]
    assert (new.fingerprint, new.dimension, new.precision) == ("other", 2, "float16")
    store.undo()
    assert store.senses()["topic"].fingerprint == "print"
    np.testing.assert_array_equal(store.vectors("topic")[1], random(1, 3))
    with store.change("swap", {}) as change, change.transaction():
        change.drop_sense("topic")
        change.create_sense("topic", {}, fingerprint="third", dimension=2, precision="float16")
        change.drop_sense("topic")
    assert store.senses() == {}
    assert store.sizes()["undo"] > 0
    make(store, "x", 1)
    assert store.check().ok


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"name": "topic"}, "sense 'topic': there is one already"),
        ({"name": ""}, "needs a name"),
        ({"dimension": 0}, "dimension 0 is not between 1 and 65,536"),
        ({"dimension": 65_537}, "dimension 65537"),
        ({"precision": "int8"}, "'int8' is neither float32 nor float16"),
    ],
)
def test_senses_that_cannot_be(store: Store, arguments: dict[str, Any], said: str) -> None:
    make(store)
    options = {"name": "s", "definition": {}, "fingerprint": "", "dimension": 3, "precision": "float32"} | arguments
    with store.change("senses add", {}) as change, change.transaction(), pytest.raises(InputError, match=said):
        change.create_sense(**options)


def test_bad_vectors(store: Store, add: Callable[..., Any]) -> None:
    make(store, "half", 2, "float16")
    ids = add({"a": {}}, vectors={"half": [[1, 2]]}).ids
    with store.change("put", {}) as change, change.transaction():
        with pytest.raises(InputError, match="beyond 65,504, the most that float16 holds"):
            change.put_vectors("half", ids, [[65_600, 0]])
        with pytest.raises(UnknownItem, match="number 9"):
            change.put_vectors("half", np.array([9]), [[1, 2]])
        with pytest.raises(InputError, match="2 vectors of sense 'half' for 1 items"):
            change.put_vectors("half", ids, [[1, 2], [3, 4]])
        with pytest.raises(UnknownSense):
            change.put_vectors("none", ids, [[1, 2]])
        change.put_vectors("half", ids[:0], np.empty((0, 2)))


@settings(max_examples=12, deadline=None)
@given(hnp.arrays(np.float32, (3, 4), elements=st.floats(-60_000, 60_000, width=32)))
def test_vectors_come_back_as_stored(tmp_path_factory: pytest.TempPathFactory, vectors: np.ndarray) -> None:
    with Store.create(tmp_path_factory.mktemp("v") / "c") as store:
        make(store, "full", 4)
        make(store, "half", 4, "float16")
        with store.change("add", {}) as change, change.transaction():
            change.put(list("abc"), [{}] * 3, vectors={"full": vectors, "half": vectors})
        assert store.vectors("full")[1].tobytes() == vectors.tobytes()
        assert store.vectors("half")[1].tobytes() == vectors.astype(np.float16).astype(np.float32).tobytes()


@pytest.mark.parametrize("size", [1, 2_000])
def test_what_is_newer_than_a_version(store: Store, size: int) -> None:
    make(store, "s", 2)
    versions = [store.version()]
    with store.change("add", {}) as change:
        for start in (0, size, 2 * size):
            with change.transaction():
                keys = [str(number) for number in range(start, start + size)]
                change.put(keys, [{}] * size, vectors={"s": np.full((size, 2), start)})
            versions.append(store.version())
    with store.change("put", {}) as change, change.transaction():
        change.put_vectors("s", np.array([size]), [[7, 7]])
    assert [len(store.vectors("s", since=version)[0]) for version in versions] == [3 * size, 2 * size + 1, size + 1, 1]
    ids, vectors = store.vectors("s", since=versions[3])
    assert ids.tolist() == [size]
    assert vectors.tolist() == [[7, 7]]
    assert len(store.vectors("s", since=store.version())[0]) == 0
    ids, vectors = store.vectors("s", since=versions[2])
    assert (np.diff(ids) > 0).all()
    batches = list(store.vector_batches("s", batch=max(1, size // 3)))
    np.testing.assert_array_equal(np.concatenate([part for part, _ in batches]), store.vectors("s")[0])
    np.testing.assert_array_equal(np.concatenate([part for _, part in batches]), store.vectors("s")[1])


@given(hnp.arrays(np.float32, (2, 7), elements=st.floats(width=32)), st.integers(0, 2 * 7 * 32 - 1), st.booleans())
def test_a_changed_bit_changes_the_checksum(vectors: np.ndarray, bit: int, half: bool) -> None:
    with np.errstate(over="ignore"):
        stored = vectors.astype(np.float16) if half else vectors
    data = bytearray(stored.tobytes())
    bit %= 8 * len(data)
    data[bit // 8] ^= 1 << bit % 8
    changed = np.frombuffer(bytes(data), stored.dtype).reshape(stored.shape)
    assert (checksums(changed) != checksums(stored)).sum() == 1


def test_the_checksum_is_the_documented_sum() -> None:
    row = np.array([[1.0, -2.0]], np.float32)
    assert checksums(row).tolist() == [(0x3F800000 * 1 + 0xC0000000 * 3) % 2**32]


def test_a_changed_vector_is_not_handed_out(tmp_path: Path) -> None:
    import apsw

    with Store.create(tmp_path / "c") as store:
        make(store, "s", 2)
        with store.change("add", {}) as change, change.transaction():
            change.put(["a", "b"], [{}, {}], vectors={"s": [[1, 2], [3, 4]]})
        db = apsw.Connection(str(tmp_path / "c" / "collection.db"))
        db.execute("UPDATE v1 SET vector = zeroblob(8) WHERE id = 2")
        db.close()
        for read in (lambda: store.vectors("s"), lambda: store.vectors_of("s", np.array([2]))):
            with pytest.raises(CollectionDamaged, match="vector of item number 2 in sense 's' was changed"):
                read()
        assert not store.check().ok
        db = apsw.Connection(str(tmp_path / "c" / "collection.db"))
        db.execute("UPDATE v1 SET vector = x'00' WHERE id = 2")
        db.close()
        with pytest.raises(CollectionDamaged):
            store.vectors("s")
