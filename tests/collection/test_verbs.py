"""Labels, near-duplicates, the map, export, senses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similia import Collection
from similia.collection.duplicates import best_pairs
from similia.collection.planar import planar
from similia.errors import InputError, UnknownSense

Rows = Callable[..., list[dict[str, Any]]]


# -- browsing


def test_items_come_in_their_order_by_pages(shelf: Collection) -> None:
    everything = shelf.browse(k=1_000)
    assert everything.total == len(everything) == len(shelf)
    pages = [shelf.browse(k=4, offset=start) for start in range(0, len(shelf), 4)]
    assert [key for page in pages for key in page.keys] == everything.keys
    assert all(item == {k: v for k, v in shelf[key].items() if k != "_key"} for key, item in everything)
    assert shelf.browse("false").total == len(shelf.browse("false")) == 0
    assert len(shelf.browse(offset=10_000)) == 0
    before = shelf.version
    shelf.delete([everything.keys[0]])
    assert shelf.version > before
    assert shelf.browse(k=1).keys == [everything.keys[1]]


# -- labels


def test_labels_follow_the_words_of_their_classes(tmp_path: Path) -> None:
    kinds = {"music": "violin bow melody string", "drink": "tea kettle cup leaf", "law": "court judge statute appeal"}
    rng = np.random.default_rng(0)
    items = [
        {"id": f"{name}{place}", "title": " ".join(rng.choice(words.split(), 6))}
        for name, words in kinds.items()
        for place in range(30)
    ]
    classes = tmp_path / "classes.txt"
    classes.write_text("# three classes\nmusic: melody, violin\n\ndrink: kettle\nlaw: judge, court\n")
    with Collection.open(tmp_path / "c", create=True) as shelf:
        shelf.add(items, key="id", text="title", encoder="hashing:256", schema={"title": "text"})
        for described in (
            classes,
            ["music: melody, violin", "drink: kettle", "law: judge"],
            {"music": ["violin"], "drink": ["tea"], "law": ["court"]},
        ):
            found = shelf.label(described)
            right = [key.startswith(label) for key, label in zip(found.keys, found.labels, strict=True)]
            assert np.mean(right) > 0.95
        assert found.scores.shape == (90, 3)
        assert found.confidence.min() > 1 / 3
        np.testing.assert_array_equal(found.scores.argmax(1), [found.classes.index(label) for label in found.labels])
        assert sum(found.counts().values()) == 90
        saved = shelf.label(classes, save="kind")
        assert dict(shelf.facets("kind")) == {name: n for name, n in saved.counts().items() if n}
        assert shelf.search("melody", where="kind = 'music'", k=100).total == saved.counts()["music"]
        assert shelf.label(classes, save="kind").saved == "kind"
        assert found.to_pandas().shape == (90, 6)


def test_classes_that_cannot_be(shelf: Collection, given: Collection, tmp_path: Path) -> None:
    for classes, said in [
        ({"a": []}, "'a' has no keywords"),
        (["a:"], "'a' has no keywords"),
        (["a: x", "a: y"], "'a' is described twice"),
        ([], "no classes"),
        (tmp_path / "missing.txt", "missing.txt"),
        ({"a": "word"}, "'a'"),
    ]:
        with pytest.raises(InputError, match=said):
            shelf.label(classes)  # type: ignore[arg-type]
    for save, said in [
        ("title", "read by a sense"),
        ("year", "of type integer"),
        ("_key", "begin with _"),
        (" ", "begin with _"),
    ]:
        with pytest.raises(InputError, match=said):
            shelf.label({"a": ["tea"]}, save=save)
    with pytest.raises(InputError, match="no encoder"):
        given.label({"a": ["tea"]})
    with Collection.open(tmp_path / "empty", create=True) as empty, pytest.raises(UnknownSense):
        empty.label({"a": ["tea"]})


# -- near-duplicates


@pytest.mark.parametrize("limit", [1, 7, 100, 10_000])
@pytest.mark.parametrize("threshold", [-1.0, 0.0, 0.6, 1.0])
def test_pairs_equal_brute_force(threshold: float, limit: int) -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal((120, 6)).astype(np.float32)
    rows[60:80] = rows[10:30] * rng.uniform(0.5, 2, (20, 1)).astype(np.float32)
    exact = rows.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    scores = np.clip(exact @ exact.T, -1, 1).astype(np.float32)
    left, right = np.triu_indices(120, 1)
    kept = scores[left, right] >= np.float32(threshold)
    left, right = left[kept], right[kept]
    order = np.lexsort((right, left, -scores[left, right]))
    found = best_pairs(rows, threshold, limit)
    if threshold < 1:
        np.testing.assert_allclose(found[2], scores[left, right][order][:limit], atol=2e-7)
        assert found[3] is (len(order) <= limit)
        pairs = set(zip(left[order].tolist(), right[order].tolist(), strict=True))
        assert set(zip(found[0].tolist(), found[1].tolist(), strict=True)) <= pairs
    assert (found[0] < found[1]).all()
    assert len(found[0]) <= limit


def test_a_collection_of_one_text_is_bounded() -> None:
    rows = np.ones((2_000, 4), np.float32)
    left, right, scores, complete = best_pairs(rows, 0.9, 50)
    assert (scores == 1).all()
    assert not complete
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == [(0, place) for place in range(1, 51)]


def test_near_duplicates_name_the_items(shelf: Collection, rows: Rows) -> None:
    copies = [{**row, "id": f"copy of {row['id']}"} for row in rows(200)[20:25]]
    shelf.add(copies, key="id")
    found = shelf.near_duplicates(threshold=0.999)
    assert {frozenset(pair[:2]) for pair in found} == {frozenset((c["id"], c["id"][8:])) for c in copies}
    assert found.complete
    assert found.texts[0][0] == found.texts[0][1]
    assert len(shelf.near_duplicates(threshold=0.999, where="id LIKE 'copy%'")) == 0
    for wrong in (2, -1.5, float("nan")):
        with pytest.raises(InputError, match="cosine"):
            shelf.near_duplicates(threshold=wrong)
    with pytest.raises(InputError, match="limit"):
        shelf.near_duplicates(limit=0)


# -- the map


def neighbours_kept(rows: np.ndarray, xy: np.ndarray, k: int = 10) -> float:
    """The share of the k nearest by cosine that are among the 3k nearest on the plane."""
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    near = np.argsort(-(unit @ unit.T), axis=1)[:, 1 : k + 1]
    beside = np.argsort(np.linalg.norm(xy[:, None] - xy[None], axis=2), axis=1)[:, 1 : 3 * k + 1]
    return float(np.mean([np.isin(one, other).mean() for one, other in zip(near, beside, strict=True)]))


def test_neighbours_stay_beside_each_other() -> None:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((12, 32)) * 2
    rows = (centres[rng.integers(0, 12, 400)] + rng.standard_normal((400, 32))).astype(np.float32)
    xy = planar(rows)
    assert xy.shape == (400, 2)
    assert np.isfinite(xy).all()
    axes = np.linalg.svd(rows - rows.mean(0), full_matrices=False)[2][:2]
    assert neighbours_kept(rows, xy) > neighbours_kept(rows, rows @ axes.T) + 0.2
    assert neighbours_kept(rows, xy) > 0.6
    np.testing.assert_array_equal(planar(rows), xy)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 20])
def test_a_map_of_few_or_equal_items(count: int) -> None:
    for rows in (
        np.ones((count, 5), np.float32),
        np.zeros((count, 5), np.float32),
        np.eye(max(count, 1), dtype=np.float32)[:count],
    ):
        xy = planar(rows)
        assert xy.shape == (count, 2)
        assert np.isfinite(xy).all()


def test_more_items_than_are_laid_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection import planar as module

    monkeypatch.setattr(module, "SAMPLE", 150)
    rng = np.random.default_rng(0)
    side = np.arange(500) % 2
    rows = (np.eye(16)[side * 8] * 5 + rng.standard_normal((500, 16))).astype(np.float32)
    xy = planar(rows)
    centres = np.array([xy[side == 0].mean(0), xy[side == 1].mean(0)])
    nearest = np.linalg.norm(xy[:, None] - centres[None], axis=2).argmin(1)
    assert (nearest == side).mean() > 0.97


def test_the_map_is_kept_and_grows(shelf: Collection, rows: Rows) -> None:
    first = shelf.layout()
    assert len(first) == 200
    assert np.abs(first.xy).max() == pytest.approx(1, abs=1e-6)
    with Collection.open(shelf.path) as again:
        np.testing.assert_array_equal(again.layout().xy, first.xy)
    shelf.add(rows(20, start=600, seed=2), key="id")
    shelf.delete(["k0003"])
    grown = shelf.layout()
    assert len(grown) == 219
    places = dict(zip(grown.keys, grown.xy, strict=True))
    kept = [key for key in first.keys if key in places]
    before, after = (
        np.array([dict(zip(one.keys, one.xy, strict=True))[key] for key in kept]) for one in (first, grown)
    )
    assert np.corrcoef(before[:, 0], after[:, 0])[0, 1] > 0.999
    shelf.add(rows(200, start=1_000, seed=3), key="id")
    anew = shelf.layout()
    shelf.undo()
    assert len(anew) == 419
    assert len(shelf.layout()) == 219


# -- export


@pytest.mark.parametrize("name", ["items.jsonl", "items.jsonl.zst", "items.parquet", "items.csv.gz"])
def test_what_is_exported_can_be_added(given: Collection, tmp_path: Path, name: str) -> None:
    count = given.export(tmp_path / name, where="year >= 2000", vectors=True)
    assert count == given.search([1.0] * 8, where="year >= 2000").total
    with Collection.open(tmp_path / "again", create=True) as again:
        report = again.add(tmp_path / name, vectors="vector", text=["title", "body"], schema={"id": "text"})
        assert (report.added, report.key) == (count, "_key")
        query = np.arange(8, dtype=np.float32)
        found = given.search(query, where="year >= 2000", k=500)
        same = again.search(query, k=500)
        assert same.keys == found.keys
        np.testing.assert_allclose(same.scores, found.scores, atol=1e-6)
        assert same.items[0]["title"] == found.items[0]["title"]


def test_export_names_a_column_for_every_sense(shelf: Collection, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow.parquet")
    shelf.senses.add("name", text="title", encoder="hashing:16")
    shelf.export(tmp_path / "items.parquet", vectors=True)
    table = pyarrow.read_table(tmp_path / "items.parquet")
    assert {"_key", "title", "topic_vector", "name_vector"} <= set(table.column_names)
    assert len(table["name_vector"][0].as_py()) == 16
    with pytest.raises(InputError, match="xlsx"):
        shelf.export(tmp_path / "items.xlsx")


# -- senses


def test_adding_and_dropping_a_sense_touches_nothing_else(shelf: Collection) -> None:
    import hashlib

    def topic_file() -> str:
        (path,) = (shelf.path / "derived").glob("vectors-1")
        return hashlib.sha256(path.read_bytes()).hexdigest()

    before = (shelf.similar("k0001", k=200).to_dict()["results"], shelf.get(["k0001"]), shelf.fields, topic_file())
    sense = shelf.senses.add("name", text="title", encoder="hashing:32")
    assert (sense.name, sense.fields, sense.count, sense.state) == ("name", ("title",), 200, "ready")
    assert list(shelf.senses) == ["topic", "name"]
    assert (
        shelf.similar("k0001", k=200).to_dict()["results"],
        shelf.get(["k0001"]),
        shelf.fields,
        topic_file(),
    ) == before
    shelf.senses.drop("name")
    assert list(shelf.senses) == ["topic"]
    assert (
        shelf.similar("k0001", k=200).to_dict()["results"],
        shelf.get(["k0001"]),
        shelf.fields,
        topic_file(),
    ) == before
    shelf.undo()
    assert shelf.senses["name"].count == 200


def test_senses_that_cannot_be(shelf: Collection) -> None:
    for name, options, said in [
        ("topic", {}, "already"),
        ("a/b", {}, "cannot name"),
        ("", {}, "cannot name"),
        ("x", {"text": "titel"}, "did you mean 'title'"),
        ("x", {"text": []}, "no field is named"),
        ("x", {"precision": "int8"}, "float32, float16"),
        ("x", {"about": " "}, "blank"),
    ]:
        with pytest.raises(InputError, match=said):
            shelf.senses.add(name, encoder="hashing:16", **options)  # type: ignore[arg-type]
    with pytest.raises(UnknownSense, match="did you mean 'topic'"):
        shelf.senses.drop("topik")
    with pytest.raises(UnknownSense):
        shelf.senses["nothing"]
    assert "nothing" not in shelf.senses
    assert list(shelf.senses) == ["topic"]
    assert len(shelf.log()) == 1


def test_a_sense_of_many_batches_equals_one_of_one(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection import senses

    shelf.senses.add("one", text="title", encoder="hashing:32")
    monkeypatch.setattr(senses, "CHARACTERS", 1)
    monkeypatch.setattr(senses, "READ", 7)
    shelf.senses.add("many", text="title", encoder="hashing:32")
    one, many = (shelf.similar("k0005", sense=sense, k=500) for sense in ("one", "many"))
    assert one.keys == many.keys
    np.testing.assert_array_equal(one.scores, many.scores)


def test_a_sense_of_an_empty_collection(shelf: Collection) -> None:
    shelf.delete(where="id IS NOT NULL")
    shelf.senses.add("name", text="title", encoder="hashing:32")
    assert shelf.senses["name"].state == "ready"
    shelf.add([{"id": "a", "title": "tea kettle"}, {"id": "b", "title": "tea cup"}], key="id")
    assert shelf.similar("a", sense="name").keys == ["b"]


def test_a_sense_over_lists_and_numbers(shelf: Collection) -> None:
    shelf.senses.add("facts", text=["tags", "year"], encoder="hashing:128")
    found = shelf.search("rank search 2010", sense="facts", mode="dense", k=1)
    assert set(found.items[0]["tags"]) & {"rank", "search"} or found.items[0]["year"] == 2010
    assert "no text field" in shelf.search("rank", sense="facts").note
