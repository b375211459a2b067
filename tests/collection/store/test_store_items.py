"""Putting, reading, filtering and deleting items."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from similia.collection.store import Store
from similia.errors import CollectionDamaged, DuplicateKey, InputError, SimiliaError, UnknownItem
from similia.index.where import Predicate

PAPERS: dict[str, dict[str, Any]] = {
    "a": {"title": "Asymmetric similarity", "year": 2025, "tags": ["copy", "image"], "open": True, "score": 0.5},
    "b": {"title": "Graph search", "year": 2019, "tags": ["graph"], "open": False, "day": "1931-05-07"},
    "c": {"title": None, "year": None, "tags": [], "score": float("nan")},
    "d": {"title": "Copy detection", "year": 2**63, "tags": ["copy", None, 3], "score": float("inf")},
}
TYPES = {"year": "integer", "tags": "list", "open": "boolean", "score": "number", "day": "date"}


def where(store: Store, text: str) -> Predicate:
    return Predicate.parse(text, {name: field.type for name, field in store.fields().items()})


def test_what_was_put_is_read(store: Store, add: Callable[..., Any]) -> None:
    result = add(PAPERS, TYPES)
    assert (result.added, result.replaced, result.skipped) == (4, 0, 0)
    assert result.ids.dtype == np.int64
    assert store.count() == 4
    assert store.keys(result.ids) == list(PAPERS)
    assert store.ids(["d", "x", "a"]).tolist() == [result.ids[3], -1, result.ids[0]]
    records = store.records(result.ids[::-1])
    assert [list(record) for record in records] == [list(record) for record in reversed(PAPERS.values())]
    assert records[3] == PAPERS["a"]
    assert records[1]["score"] != records[1]["score"]
    assert type(records[0]["year"]) is int
    assert records[0]["year"] == 2**63
    assert {name: field.type for name, field in store.fields().items()} == {"title": "text"} | TYPES
    assert [field.position for field in store.fields().values()] == list(range(6))


def test_iterate_gives_everything_in_batches(store: Store, add: Callable[..., Any]) -> None:
    add({str(number): {"n": number} for number in range(25)}, {"n": "integer"})
    batches = list(store.iterate(batch=10))
    assert [len(keys) for _, keys, _ in batches] == [10, 10, 5]
    assert [record["n"] for _, _, records in batches for record in records] == list(range(25))
    few = list(store.iterate(where=where(store, "n >= 20"), batch=3))
    assert [ids.tolist() for ids, _, _ in few] == [[21, 22, 23], [24, 25]]
    with pytest.raises(InputError, match="batch is 0"):
        next(store.iterate(batch=0))


def test_iterate_bounds_the_size_of_a_batch(store: Store, add: Callable[..., Any]) -> None:
    add({str(number): {"text": "x" * 3_000_000} for number in range(7)})
    assert [len(keys) for _, keys, _ in store.iterate()] == [3, 3, 1]


def test_iterate_sees_one_state(store: Store, add: Callable[..., Any]) -> None:
    add({str(number): {"n": number} for number in range(6)}, {"n": "integer"})
    going = store.iterate(batch=2)
    next(going)
    with store.change("delete", {}) as change, change.transaction():
        change.delete(store.select())
    assert [keys for _, keys, _ in going] == [["2", "3"], ["4", "5"]]
    assert store.count() == 0


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("year > 2020", "ad"),
        ("year IS NULL", "c"),
        ("NOT (year > 2020)", "b"),
        ("contains(tags, 'copy')", "ad"),
        ("open", "a"),
        ("open = false", "b"),
        ("day < DATE '1970-01-01'", "b"),
        ("title LIKE '%Copy%' OR title ILIKE 'GRAPH%'", "bd"),
        ("score > 100", "d"),
        ("title = 'nothing'", ""),
    ],
)
def test_filters(store: Store, add: Callable[..., Any], text: str, keys: str) -> None:
    ids = add(PAPERS, TYPES).ids
    kept = where(store, text)
    assert "".join(store.keys(store.select(kept))) == keys
    assert store.count(kept) == len(keys)
    fields = {name: field.type for name, field in store.fields().items()}
    columns = {name: store.values(name, ids) for name in fields}
    assert "".join(np.array(list("abcd"))[kept.mask(columns)]) == keys


def test_select_pages(store: Store, add: Callable[..., Any]) -> None:
    ids = add({str(number): {} for number in range(9)}).ids.tolist()
    assert store.select(limit=4).tolist() == ids[:4]
    assert store.select(limit=4, offset=6).tolist() == ids[6:]
    assert store.select(offset=8).tolist() == ids[8:]
    assert store.select(limit=0).tolist() == []


def test_values_are_those_of_the_records(store: Store, add: Callable[..., Any]) -> None:
    ids = add(PAPERS, TYPES).ids
    assert store.values("year", ids) == [2025, 2019, None, 2**63]
    assert store.values("open", ids) == [True, False, None, None]
    assert store.values("tags", ids) == [["copy", "image"], ["graph"], [], ["copy", None, 3]]
    assert store.values("title", ids[[3, 0]]) == ["Copy detection", "Asymmetric similarity"]
    assert store.values("score", ids) == [0.5, None, None, float("inf")]
    assert store.values("year", np.array([], np.int64)) == []
    with pytest.raises(InputError, match="there is no field 'nope'; the collection has: title"):
        store.values("nope", ids)
    with pytest.raises(UnknownItem, match="no item with the number 99"):
        store.values("year", np.array([99]))


def test_facets(store: Store, add: Callable[..., Any]) -> None:
    add(PAPERS | {"e": {"tags": ["copy"], "open": True}}, TYPES | {"extra": "json"})
    assert store.facets("tags")[:2] == [("copy", 3), (3, 1)]
    assert store.facets("tags", limit=1, where=where(store, "open")) == [("copy", 2)]
    assert store.facets("open") == [(True, 2), (False, 1)]
    assert store.facets("year") == [(2019, 1), (2025, 1), (2.0**63, 1)]
    assert store.facets("extra") == []


def test_unknown_ids_and_keys(store: Store, add: Callable[..., Any]) -> None:
    add(PAPERS, TYPES)
    for read in (store.records, store.keys):
        with pytest.raises(UnknownItem, match="no item with the number 77"):
            read(np.array([1, 77]))
        assert read([]) == []  # type: ignore[arg-type]
    with pytest.raises(InputError, match="whole numbers"):
        store.records(np.array([1.5]))
    assert store.ids(["\ud800"[:0], "a\0"]).tolist() == [-1, -1]
    with pytest.raises(InputError, match="not Unicode"):
        store.ids(["\ud800"])


def test_duplicates(store: Store, add: Callable[..., Any]) -> None:
    first = add({"a": {"t": "one"}, "b": {"t": "two"}}).ids
    with pytest.raises(DuplicateKey, match="key 'b' is in the collection already"):
        add({"c": {"t": "three"}, "b": {"t": "new"}})
    assert store.count() == 2
    skipped = add({"c": {"t": "three"}, "b": {"t": "new"}}, on_duplicate="skip")
    assert (skipped.added, skipped.replaced, skipped.skipped) == (1, 0, 1)
    assert skipped.ids[1] == -1
    replaced = add({"b": {"t": "new"}, "d": {"t": "four"}}, on_duplicate="replace")
    assert (replaced.added, replaced.replaced, replaced.skipped) == (1, 1, 0)
    assert replaced.ids[0] == first[1]
    assert store.records(first) == [{"t": "one"}, {"t": "new"}]
    with pytest.raises(InputError, match="on_duplicate is 'merge'"):
        add({"x": {}}, on_duplicate="merge")


def test_duplicates_within_the_input(store: Store) -> None:
    keys, records = ["x", "y", "x"], [{"t": "1"}, {"t": "2"}, {"t": "3"}]
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"t": "text"})
        with pytest.raises(DuplicateKey, match="'x' occurs twice"):
            change.put(keys, records, vectors={})
        assert store.count() == 0
        skip = change.put(keys, records, vectors={}, on_duplicate="skip")
        assert skip.ids.tolist() == [1, 2, -1]
        assert (skip.added, skip.replaced, skip.skipped) == (2, 0, 1)
        replace = change.put(keys, records, vectors={}, on_duplicate="replace")
        assert replace.ids.tolist() == [1, 2, 1]
        assert (replace.added, replace.replaced, replace.skipped) == (0, 3, 0)
    assert store.records(np.array([1, 2])) == [{"t": "3"}, {"t": "2"}]
    assert store.log()[0].added == 2
    assert store.log()[0].replaced == 3


def test_put_fields_changes_some_fields_only(store: Store, add: Callable[..., Any]) -> None:
    ids = add(PAPERS, TYPES).ids
    with store.change("label", {}) as change, change.transaction():
        change.set_fields({"label": "category"})
        change.put_fields(ids[:2], {"label": ["good", "bad"], "year": [1, None]})
    assert store.records(ids[:1])[0] == PAPERS["a"] | {"label": "good", "year": 1}
    assert store.facets("label") == [("bad", 1), ("good", 1)]
    assert store.text_search("bad", 5).ids[0, 0] == ids[1]
    assert store.text_search("asymmetric", 5).ids[0, 0] == ids[0]
    with store.change("label", {}) as change, change.transaction():
        with pytest.raises(InputError, match="named twice"):
            change.put_fields(ids[[0, 0]], {"year": [1, 2]})
        with pytest.raises(InputError, match="1 values of field 'year' for 2 items"):
            change.put_fields(ids[:2], {"year": [1]})
        with pytest.raises(UnknownItem):
            change.put_fields(np.array([55]), {"year": [1]})
        with pytest.raises(InputError, match="item 'a': field 'year' is of type integer and cannot hold 'x'"):
            change.put_fields(ids[:1], {"year": ["x"]})
    assert store.check().ok


def test_delete(store: Store, add: Callable[..., Any]) -> None:
    ids = add(PAPERS, TYPES).ids
    version = store.version()
    with store.change("delete", {}) as change, change.transaction():
        assert change.delete(np.array([ids[1], ids[1], 999])) == 1
    assert store.ids(["a", "b"]).tolist() == [ids[0], -1]
    assert store.text_search("graph", 5).ids[0, 0] == -1
    assert store.deleted_since(version).tolist() == [ids[1]]  # type: ignore[union-attr]
    assert store.deleted_since(store.version()).tolist() == []  # type: ignore[union-attr]
    again = add({"b": {"title": "Graph again"}})
    assert again.ids[0] > ids.max(), "a number is never given twice"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"year": "2020"}, "item 'k': field 'year' is of type integer and cannot hold '2020'"),
        ({"year": True}, "integer and cannot hold True"),
        ({"year": 1.5}, "integer and cannot hold 1.5"),
        ({"score": "high"}, "number and cannot hold 'high'"),
        ({"open": 1}, "boolean and cannot hold 1"),
        ({"day": "2020-13-01"}, "date and cannot hold '2020-13-01'"),
        ({"day": 5}, "date and cannot hold 5"),
        ({"title": "\ud800"}, "item 'k': the record cannot be stored: text with '\\\\ud800'"),
        ({"title": {1, 2}}, "item 'k': the record cannot be stored: set"),
        ({"nope": 1}, "field 'nope' is not declared"),
        ({"tags": 10**5000}, "cannot be stored"),
    ],
)
def test_what_does_not_fit_is_refused_whole(store: Store, record: dict[str, Any], said: str) -> None:
    with store.change("add", {}) as change, change.transaction():
        change.set_fields(TYPES | {"title": "text"})
        with pytest.raises(InputError, match=said):
            change.put(["j", "k"], [{"title": "fine"}, record], vectors={})
        assert store.count() == 0
        change.put(["l"], [{"title": "fine"}], vectors={})
    assert store.count() == 1
    assert store.check().ok


def test_too_deep_a_record_is_refused(store: Store) -> None:
    deep: Any = 1
    for _ in range(100_000):
        deep = [deep]
    with store.change("add", {}) as change, change.transaction():
        change.set_fields({"x": "json"})
        with pytest.raises(InputError, match="nested too deeply"):
            change.put(["k"], [{"x": deep}], vectors={})


def test_bad_arguments_of_put(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        with pytest.raises(InputError, match="1 keys for 2 records"):
            change.put(["k"], [{}, {}], vectors={})
        with pytest.raises(InputError, match="key 5 is int, not text"):
            change.put([5], [{}], vectors={})  # type: ignore[list-item]
        with pytest.raises(InputError, match="vectors for sense 'topic', which"):
            change.put(["k"], [{}], vectors={"topic": np.eye(1)})
        with pytest.raises(InputError, match="'money' is not a type"):
            change.set_fields({"x": "money"})
        empty = change.put([], [], vectors={})
        assert (len(empty.ids), empty.added) == (0, 0)


def test_automatic_keys_are_new_and_never_given_twice(store: Store) -> None:
    with store.change("add", {}) as change, change.transaction():
        change.put(["2", "4"], [{}, {}], vectors={})
        assert change.next_keys(3) == ["1", "3", "5"]
    store.undo()
    with store.change("add", {}) as change, change.transaction():
        assert change.next_keys(2) == ["6", "7"]
        assert change.next_keys(0) == []


def test_closed(store: Store) -> None:
    store.close()
    with pytest.raises(SimiliaError, match="is closed"):
        store.count()
    with pytest.raises(SimiliaError, match="is closed"), store.change("add", {}):
        pass


def test_a_changed_record_is_not_handed_out(store: Store, add: Callable[..., Any]) -> None:
    import apsw

    ids = add({"a": {"t": "one"}, "b": {"t": "two"}}).ids
    db = apsw.Connection(str(store.folder / "collection.db"))
    db.execute("UPDATE records SET record = replace(record, 'two', 'six')")
    db.close()
    assert store.records(ids[:1]) == [{"t": "one"}]
    with pytest.raises(CollectionDamaged, match="number 2 was changed from outside"):
        store.records(ids)
    report = store.check()
    assert not report.ok
    assert next(detail for _, held, detail in report.promises if not held).startswith("the record of item 'b'")
