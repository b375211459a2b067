"""Adding: from anything, with any keys, all or nothing where it must be."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.errors import (
    CollectionNotFound,
    DuplicateKey,
    FingerprintMismatch,
    InputError,
    SourceError,
)

Rows = Callable[..., list[dict[str, Any]]]


def opened(path: Path) -> Collection:
    return Collection.open(path, create=True)


def test_the_first_add_makes_topic_over_all_text_fields(tmp_path: Path, rows: Rows) -> None:
    with opened(tmp_path / "c") as shelf:
        report = shelf.add(rows(50), encoder="hashing:32")
        assert (report.added, report.rows, report.key, report.resumed) == (50, 50, "id", False)
        topic = shelf.senses["topic"]
        assert topic.fields == ("title", "body")
        assert (topic.encoder, topic.dimension, topic.count) == ("hashing:32", 32, 50)
        assert shelf.fields["area"] == "category"
        assert report.to_dict()["fields"] == shelf.fields
        assert shelf["k0003"] == {"_key": "k0003", **rows(50)[3]}


def test_tables_of_other_packages(tmp_path: Path, rows: Rows) -> None:
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    arrow = pytest.importorskip("pyarrow")
    items = [{name: row[name] for name in ("id", "title", "price")} for row in rows(20)]
    for name, table in [
        ("pandas", pandas.DataFrame(items)),
        ("polars", polars.DataFrame(items)),
        ("arrow", arrow.Table.from_pylist(items)),
        ("iterator", iter(items)),
    ]:
        with opened(tmp_path / name) as shelf:
            assert shelf.add(table, text="title", encoder="hashing:32").added == 20
            assert shelf.get([items[7]["id"]]) == [{"_key": items[7]["id"], **items[7]}]


def test_a_folder_of_documents(tmp_path: Path) -> None:
    (tmp_path / "notes" / "deep").mkdir(parents=True)
    (tmp_path / "notes" / "tea.md").write_text("# Tea\n\nKettle and leaves.")
    (tmp_path / "notes" / "deep" / "violin.txt").write_text("Strings and a bow.")
    with opened(tmp_path / "c") as shelf:
        assert shelf.add(tmp_path / "notes", encoder="hashing:32").key == "path"
        assert "path" not in shelf.senses["topic"].fields
        assert shelf.search("kettle", mode="text").keys == ["tea.md"]


def test_a_damaged_file_of_a_folder_is_named_or_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "good.md").write_text("# Rank fusion\n\nAdd reciprocal ranks.")
    (folder / "bad.pdf").write_bytes(b"%PDF-1.4 nothing of the kind")
    with Collection.open(tmp_path / "c", create=True) as shelf:
        with pytest.raises(SourceError, match=r"bad\.pdf.*--on-error skip"):
            shelf.add(folder, encoder="hashing:64")
        assert len(shelf) == 0
        report = shelf.add(folder, encoder="hashing:64", on_error="skip")
        assert shelf.browse().keys == ["good.md"]
        assert len(report.notes) == 1
        assert "bad.pdf" in str(report)
        with pytest.raises(InputError, match="on_error"):
            shelf.add(folder, on_error="ignore")  # type: ignore[arg-type]


def test_numbered_items(tmp_path: Path) -> None:
    items = [{"name": "some tea here"}, {"name": "some tea here"}]
    with opened(tmp_path / "c") as shelf:
        assert shelf.add(items, text="name", encoder="hashing:32").key is None
        assert shelf.add(items).added == 2
        assert [row["name"] for row in shelf.get(["1", "2", "3", "4"])] == ["some tea here"] * 4


def test_the_key_of_the_first_add_is_the_key_of_the_next(tmp_path: Path, rows: Rows) -> None:
    items = [{"doi": row["id"], "title": row["title"]} for row in rows(10)]
    with opened(tmp_path / "c") as shelf:
        shelf.add(items[:5], key="doi", text="title", encoder="hashing:32")
        assert shelf.add(items[5:]).key == "doi"
        with pytest.raises(DuplicateKey):
            shelf.add(items)


# -- duplicates


def test_a_duplicate_adds_nothing_by_default(shelf: Collection, rows: Rows) -> None:
    version, log = shelf.info().version, shelf.log()
    with pytest.raises(DuplicateKey, match=r"'k0190' and 9 more .* nothing was added"):
        shelf.add(rows(30, start=190), key="id", batch_size=4)
    with pytest.raises(DuplicateKey, match="twice"):
        shelf.add([*rows(10, start=300), *rows(1, start=303)], key="id")
    assert len(shelf) == 200
    assert shelf.info().version == version
    assert shelf.log() == log


def test_skip_keeps_what_is_there(shelf: Collection, rows: Rows) -> None:
    fresh = rows(30, start=190, seed=5)
    report = shelf.add([*fresh, *rows(5, start=215, seed=6)], key="id", on_duplicate="skip", batch_size=8)
    assert (report.added, report.replaced, report.skipped) == (20, 0, 15)
    assert shelf["k0195"]["title"] == rows(200)[195]["title"]
    assert shelf["k0215"]["title"] == fresh[25]["title"]


def test_replace_takes_the_last(shelf: Collection, rows: Rows) -> None:
    fresh, last = rows(30, start=190, seed=5), rows(5, start=215, seed=6)
    report = shelf.add([*fresh, *last], key="id", on_duplicate="replace", batch_size=8)
    assert (report.added, report.replaced, report.skipped) == (20, 15, 0)
    assert shelf["k0195"]["title"] == fresh[5]["title"]
    assert shelf["k0215"]["title"] == last[0]["title"]
    assert len(shelf) == 220
    found = shelf.search(last[0]["title"] + " " + last[0]["body"], mode="dense", k=1)
    assert found.keys == ["k0215"]
    assert found.scores[0] > 0.99


class Counting:
    """An encoder that counts the texts that it is asked for."""

    name = "counting"
    dimension = 16
    fingerprint = "0" * 64

    def __init__(self) -> None:
        from similia.encode import load

        self.texts: list[str] = []
        self._base = load("hashing:16")

    def encode(self, items: Any, *, side: Any = "item") -> Any:
        self.texts += list(items)
        return self._base.encode(items, side=side)


def test_unchanged_text_is_not_encoded_again(tmp_path: Path, rows: Rows) -> None:
    encoder = Counting()
    items = rows(60)
    with opened(tmp_path / "c") as shelf:
        shelf.add(items, key="id", text="title", encoder=encoder)
        assert len(encoder.texts) == 60
        before = [shelf.similar("k0001", k=59).keys, shelf.similar("k0001", k=59).scores.tolist()]
        changed = [{**item, "price": 0.0} for item in items]
        changed[1]["title"] = "an entirely new title"
        encoder.texts.clear()
        assert shelf.add(changed, key="id", on_duplicate="replace").replaced == 60
        assert encoder.texts == ["an entirely new title"]
        assert shelf["k0002"]["price"] == 0.0
        changed[1]["title"] = items[1]["title"]
        shelf.add(changed[1:2], key="id", on_duplicate="replace")
        assert [shelf.similar("k0001", k=59).keys, shelf.similar("k0001", k=59).scores.tolist()] == before
        encoder.texts.clear()
        assert shelf.add(items, key="id", on_duplicate="skip").skipped == 60
        assert encoder.texts == []


def test_an_encoder_object_is_bound_again_after_opening(tmp_path: Path, rows: Rows) -> None:
    with opened(tmp_path / "c") as shelf:
        shelf.add(rows(10), key="id", text="title", encoder=Counting())
        expected = shelf.search("tea").keys
    with Collection.open(tmp_path / "c") as shelf:
        with pytest.raises(Exception, match="counting"):
            shelf.search("tea")
        shelf.senses.bind("topic", Counting())
        assert shelf.search("tea").keys == expected
        with pytest.raises(FingerprintMismatch, match="drop the sense"):
            shelf.senses.bind("topic", __import__("similia.encode", fromlist=["load"]).load("hashing"))


def test_another_encoder_under_the_same_name_is_refused(shelf: Collection, rows: Rows) -> None:
    """The stored fingerprint is what counts: as if the model on the machine had been exchanged."""
    import apsw

    from similia.collection.store.senses import description_checksum

    shelf.close()
    database = apsw.Connection(str(shelf.path / "collection.db"))
    described = "name, definition, fingerprint, dimension, precision"
    row = list(database.execute(f"SELECT {described} FROM senses").fetchone())
    row[2] = "of another model"
    database.execute("UPDATE senses SET fingerprint = ?, checksum = ?", (row[2], description_checksum(row)))
    database.close()
    with Collection.open(shelf.path) as changed:
        for use in (
            lambda: changed.search("tea"),
            lambda: changed.add(rows(1, start=999), key="id"),
            lambda: changed.label({"a": ["b"]}),
        ):
            with pytest.raises(FingerprintMismatch, match="drop the sense and add it again"):
                use()
        assert len(changed.search("tea", mode="text")) > 0
        assert len(changed.similar("k0001")) == 10
        assert "made with another" in changed.compare("k0001", "k0002").senses["topic"].note
        changed.senses.drop("topic")
        changed.senses.add("topic", text=["title", "body"], encoder="hashing:64")
        assert len(changed.search("tea")) == 10


# -- what must go together


def test_wrong_use_is_one_sentence_and_changes_nothing(shelf: Collection, tmp_path: Path, rows: Rows) -> None:
    more = rows(3, start=900, dimension=8)
    log = shelf.log()
    for options, said in [
        ({"text": "area"}, "topic' reads title, body already"),
        ({"text": "titel"}, "titel"),
        ({"encoder": "hashing"}, "has hashing:64"),
        ({"vectors": "vector"}, "made by 'hashing:64'"),
        ({"vectors": "nothing"}, "nothing"),
        ({"precision": "float16"}, "topic' has float32"),
        ({"precision": "float8"}, "float32, float16"),
        ({"on_duplicate": "replaces"}, "did you mean 'replace'"),
        ({"key": "idd"}, "idd"),
        ({"schema": {"year": "int"}}, "integer"),
        ({"batch_size": 0}, "at least 1"),
        ({"format": "jason"}, "json"),
    ]:
        with pytest.raises(InputError, match=said):
            shelf.add(more, **{"key": "id", **options})
    with pytest.raises(SourceError):
        shelf.add(tmp_path / "missing.csv")
    with pytest.raises(SourceError):
        shelf.add([])
    assert shelf.log() == log
    assert len(shelf) == 200


def test_a_bad_row_late_in_the_file_adds_nothing(tmp_path: Path, rows: Rows) -> None:
    path = tmp_path / "rows.jsonl"
    lines = [json.dumps(row) for row in rows(200, dimension=8)]
    path.write_text("\n".join([*lines, '{"id": "broken"']))
    with opened(tmp_path / "c") as shelf:
        with pytest.raises(SourceError, match="line 201"):
            shelf.add(path, key="id", vectors="vector", batch_size=10)
        assert len(shelf) == 0
        assert shelf.log() == []
        path.write_text("\n".join(lines))
        assert shelf.add(path, key="id", vectors="vector", batch_size=10).added == 200


def test_vectors_must_be_there_and_of_one_length(tmp_path: Path, rows: Rows) -> None:
    good = rows(10, dimension=8)
    bad = [
        ({**good[0], "id": "x", "vector": None}, "no vector"),
        ({**good[0], "id": "x", "vector": [1.0, 2.0]}, "vector"),
        ({**good[0], "id": "x", "vector": [float("nan")] * 8}, "vector"),
        ({**good[0], "id": "x", "vector": "none"}, "vector"),
        ({**good[0], "id": "x", "vector": [1e30] * 8}, "beyond"),
    ]
    with opened(tmp_path / "c") as shelf:
        for row, said in bad:
            with pytest.raises(InputError, match=said):
                shelf.add([*good, row], key="id", vectors="vector", batch_size=4)
            assert len(shelf) == 0
            assert not shelf.senses
        assert shelf.add(good, key="id", vectors="vector").added == 10
        assert "vector" not in shelf.fields
        with pytest.raises(InputError, match="no such field"):
            shelf.add([{"id": "y", "title": "no vector at all"}], key="id")
        with pytest.raises(InputError, match="dimensions"):
            shelf.add(rows(2, dimension=9, start=50), key="id")
        assert shelf.add(rows(2, dimension=8, start=50), key="id").added == 2


def test_given_vectors_with_a_named_encoder_can_be_searched_by_text(tmp_path: Path, rows: Rows) -> None:
    from similia.encode import load

    items = rows(30)
    for item, vector in zip(items, load("hashing:32").encode([item["title"] for item in items]).vectors, strict=True):
        item["vector"] = vector
    with opened(tmp_path / "c") as shelf:
        shelf.add(items, key="id", text="title", vectors="vector", encoder="hashing:32")
        found = shelf.search(items[4]["title"], mode="dense", k=1)
        assert found.keys == ["k0004"]
        assert found.scores[0] > 0.999
        shelf.add([{"id": "new", "title": "violin glacier"}], key="id")
        assert shelf.search("violin glacier", mode="dense", k=1).keys == ["new"]
    with opened(tmp_path / "d") as shelf, pytest.raises(InputError, match="dimensions"):
        shelf.add(items, key="id", text="title", vectors="vector", encoder="hashing:64")


def test_types_widen_and_old_text_stays_text(tmp_path: Path) -> None:
    with opened(tmp_path / "c") as shelf:
        shelf.add(
            [{"id": "a", "title": "tea in the harbour", "code": "007", "n": 1}],
            text="title",
            encoder="hashing:32",
            schema={"code": "text"},
        )
        shelf.add([{"id": "b", "title": "violin in the garden", "code": 8, "n": 2.5}])
        assert shelf.fields["code"] == "text"
        assert shelf.fields["n"] == "number"
        assert shelf["b"]["code"] == "8"
        assert shelf.search("harbour garden", where="code = '8'").keys == ["b"]
        assert shelf.search("harbour garden", where="n > 0.5", k=5).total == 2


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(CollectionNotFound, match=r"similia add .*shelf FILES"):
        Collection.open(tmp_path / "shelf")
    with opened(tmp_path / "c") as shelf, pytest.raises(InputError, match="no text field"):
        shelf.add([{"number": 1}])


@pytest.mark.parametrize("precision", ["float32", "float16"])
def test_the_loss_of_float16_is_measured(tmp_path: Path, rows: Rows, precision: str) -> None:
    items = rows(40, dimension=32)
    with opened(tmp_path / "c") as shelf:
        report = shelf.add(items, key="id", text="title", vectors="vector", precision=precision)
        if precision == "float32":
            assert not report.loss
            assert shelf.senses["topic"].loss is None
            return
        exact = np.array([item["vector"] for item in items], np.float64)
        rounded = exact.astype(np.float16).astype(np.float64)
        cosine = (exact * rounded).sum(1) / np.linalg.norm(exact, axis=1) / np.linalg.norm(rounded, axis=1)
        assert report.loss["topic"] == pytest.approx(float((1 - cosine).max()), rel=0.1)
        assert "float16" in str(report)
        sense = shelf.senses.add("name", text="title", encoder="hashing:32", precision="float16")
        assert sense.loss is not None
        assert sense.precision == "float16"
        with pytest.raises(InputError, match="beyond"):
            shelf.add([{**items[0], "id": "far", "vector": [70_000.0] * 32}], key="id")
