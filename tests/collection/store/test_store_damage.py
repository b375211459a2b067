"""Bytes changed and files cut from outside: an error that says so, or a check that finds it; never silence."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from similia.collection.store import Store
from similia.errors import CollectionDamaged, SimiliaError
from similia.index.where import Predicate

FLIPS = int(os.environ.get("SIMILIA_FLIPS", "60"))
WORDS = ["similarity", "asymmetric", "copy", "detection", "graph", "neural", "cable", "charger", "paper", "sense"]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A collection in which something of everything is stored."""
    folder = tmp_path_factory.mktemp("sound") / "c"
    random = Random(1)
    with Store.create(folder) as store:
        with store.change("senses add", {}) as change, change.transaction():
            for name, precision in (("topic", "float32"), ("method", "float16")):
                change.create_sense(name, {"about": name}, fingerprint="f", dimension=40, precision=precision)
        for batch in range(4):
            keys = [f"key-{batch}-{number}" for number in range(50)]
            records = [
                {
                    "title": " ".join(random.choices(WORDS, k=8)),
                    "area": random.choice(WORDS),
                    "year": random.randrange(1900, 2100),
                    "score": random.random(),
                    "tags": random.sample(WORDS, 3),
                }
                for _ in keys
            ]
            vectors = np.random.default_rng(batch).normal(size=(50, 40))
            types = {"title": "text", "area": "category", "year": "integer", "score": "number", "tags": "list"}
            with store.change("add", {}) as change, change.transaction():
                change.set_fields(types)
                change.put(keys, records, vectors={"topic": vectors, "method": vectors})
        with store.change("upsert", {}) as change, change.transaction():
            change.put(keys, records[::-1], vectors={"topic": vectors, "method": vectors}, on_duplicate="replace")
            change.delete(np.arange(5, 20))
    return folder


def questions(store: Store) -> dict[str, Callable[[], Any]]:
    """Everything that can be asked, with answers that can be compared."""
    types = {"title": "text", "area": "category", "year": "integer", "score": "number", "tags": "list"}
    every = np.setdiff1d(np.arange(1, 201), np.arange(5, 20))
    found: dict[str, Callable[[], Any]] = {
        "count": store.count,
        "fields": store.fields,
        "senses": store.senses,
        "select": lambda: store.select().tolist(),
        "keys": lambda: store.keys(every),
        "ids": lambda: store.ids([f"key-2-{number}" for number in range(50)]).tolist(),
        "records": lambda: store.records(every),
        "iterate": lambda: [(ids.tolist(), keys, records) for ids, keys, records in store.iterate()],
        "deleted": lambda: store.deleted_since(5).tolist(),  # type: ignore[union-attr]
    }
    for name in ("topic", "method"):
        found[f"vectors {name}"] = lambda name=name: [part.tolist() for part in store.vectors(name)]
        found[f"vectors of {name}"] = lambda name=name: store.vectors_of(name, every).tolist()
    for name in types:
        found[f"values {name}"] = lambda name=name: store.values(name, every)
        found[f"facets {name}"] = lambda name=name: store.facets(name, limit=500)
    for text in (
        "year > 2000",
        "area = 'copy'",
        "title LIKE '%graph neural%'",
        "score < 0.5",
        "contains(tags, 'copy')",
    ):
        found[text] = lambda text=text: store.select(Predicate.parse(text, types)).tolist()
    for word in WORDS:
        found[f"search {word}"] = lambda word=word: store.text_search(word, 200).ids.tolist()
    found["search all"] = lambda: store.text_search(" ".join(WORDS), 200).ids.tolist()
    found["terms"] = lambda: store.term_statistics(" ".join(WORDS))
    return found


@pytest.fixture(scope="module")
def answers(sound: Path) -> dict[str, Any]:
    with Store.open(sound) as store:
        assert store.check().ok
        return {name: ask() for name, ask in questions(store).items()}


def look(folder: Path, answers: dict[str, Any]) -> tuple[str, list[str]]:
    """Ask everything of a damaged collection: how the damage shows, and which answers are wrong."""
    try:
        store = Store.open(folder)
    except SimiliaError:
        return "open", []
    with store:
        wrong, refused = [], False
        for name, ask in questions(store).items():
            try:
                if ask() != answers[name]:
                    wrong.append(name)
            except SimiliaError:
                refused = True
        try:
            found = not store.check(mend=False).ok
        except SimiliaError:
            found = True
    return "found" if found else "refused" if refused else "", wrong


def test_flipped_bits(sound: Path, answers: dict[str, Any], tmp_path: Path) -> None:
    data = np.frombuffer((sound / "collection.db").read_bytes(), np.uint8)
    random = np.random.default_rng(int(os.environ.get("SIMILIA_SEED", "7")))
    filled = np.flatnonzero(data)  # most of a small database is empty space
    shown: dict[str, int] = {}
    for flip in range(FLIPS):
        folder = tmp_path / "c"
        folder.mkdir()
        place = random.choice(filled) if flip % 8 else random.integers(len(data))
        if flip % 16 == 1:
            place = random.integers(100)  # the header
        damaged = data.copy()
        damaged[place] ^= 1 << random.integers(8)
        (folder / "collection.db").write_bytes(damaged.tobytes())
        how, wrong = look(folder, answers)
        assert how or not wrong, f"bit at {place} (page {place // 16384 + 1}): {wrong} wrong, and nobody says so"
        shown[how] = shown.get(how, 0) + 1
        shutil.rmtree(folder)
    print(f"\n{FLIPS} flips, shown by: {shown}")
    assert shown.get("found", 0) + shown.get("open", 0) > FLIPS // 3


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.35, 0.6, 0.85, 0.97, 0.9999])
def test_truncated(sound: Path, answers: dict[str, Any], tmp_path: Path, share: float) -> None:
    data = (sound / "collection.db").read_bytes()
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "collection.db").write_bytes(data[: int(share * len(data))])
    how, _ = look(folder, answers)
    assert how in ("open", "found")


@pytest.mark.parametrize("seed", range(6))
def test_a_lost_page(sound: Path, answers: dict[str, Any], tmp_path: Path, seed: int) -> None:
    data = bytearray((sound / "collection.db").read_bytes())
    random = Random(seed)
    page = random.randrange(1, len(data) // 16_384)
    folder = tmp_path / "c"
    folder.mkdir()
    data[page * 16_384 : (page + 1) * 16_384] = random.randbytes(16_384)
    (folder / "collection.db").write_bytes(data)
    how, _ = look(folder, answers)
    assert how in ("open", "found")


def edit(folder: Path, sql: str) -> None:
    import apsw

    db = apsw.Connection(str(folder / "collection.db"))
    db.execute(sql).fetchall()
    db.close()


@pytest.mark.parametrize(
    ("sql", "mended"),
    [
        ("DELETE FROM fulltext WHERE rowid = 30", "made the full text anew"),
        ("INSERT OR REPLACE INTO fulltext(rowid, c0) VALUES (30, 'other words')", "made the full text anew"),
        ("DELETE FROM fulltext_data WHERE id > 10", "made the full text anew"),
        ("UPDATE fulltext_data SET block = x'00' WHERE id = 1", "made the full text anew"),
        ("UPDATE items SET f2 = f2 + 1 WHERE id = 30", "made the column of field 'year' anew"),
        ("UPDATE items SET f1 = NULL", "made the column of field 'area' anew"),
        ("CREATE TABLE v99(x)", "dropped table v99"),
        ("ALTER TABLE items ADD COLUMN f77", "dropped column f77"),
        ("INSERT INTO records VALUES (9999, 0, '{}')", "deleted 1 records of no item"),
        (
            "INSERT INTO v1 SELECT 9999, version, checksum, vector FROM v1 LIMIT 1",
            "deleted 1 vectors of no item from sense 'topic'",
        ),
    ],
)
def test_mending(sound: Path, answers: dict[str, Any], tmp_path: Path, sql: str, mended: str) -> None:
    folder = tmp_path / "c"
    shutil.copytree(sound, folder)
    edit(folder, sql)
    with Store.open(folder) as store:
        assert not store.check(mend=False).ok
        report = store.check()
        assert report.ok, report
        assert mended in report.mended
        assert {name: ask() for name, ask in questions(store).items()} == answers
        assert store.check().mended == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE records SET record = '{}' WHERE id = 30", "item 'key-0-29' (number 30) was changed from outside"),
        ("DELETE FROM records WHERE id = 30", "item 'key-0-29' has no record"),
        ("UPDATE v2 SET checksum = 1 WHERE id = 30", "vector of item number 30 in sense 'method'"),
        ("DELETE FROM v1 WHERE id = 30", "item number 30 has no vector"),
        ("UPDATE senses SET fingerprint = 'other'", "description of sense 'topic' was changed"),
        ("UPDATE fields SET type = 'json' WHERE name = 'title'", "description of field 'title' was changed"),
        ("UPDATE meta SET value = 1 WHERE key = 'version'", "newer than the collection's version 1"),
        ("DROP TABLE v1", "table v1 is missing"),
        ("ALTER TABLE items DROP COLUMN f1", "column f1 is missing"),
    ],
)
def test_what_cannot_be_mended_is_said(sound: Path, tmp_path: Path, sql: str, said: str) -> None:
    folder = tmp_path / "c"
    shutil.copytree(sound, folder)
    edit(folder, sql)
    with Store.open(folder) as store:
        report = store.check()
        assert not report.ok
        assert said in " | ".join(detail for _, held, detail in report.promises if not held)


def test_text_where_there_should_be_none(sound: Path, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    shutil.copytree(sound, folder)
    edit(folder, "UPDATE items SET key = CAST(x'ff00' AS TEXT) WHERE id = 30")
    with Store.open(folder) as store, pytest.raises(CollectionDamaged, match="not UTF-8"):
        store.keys(np.array([30]))
