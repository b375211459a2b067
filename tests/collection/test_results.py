"""Results as arrays, rows, tables of other packages, and pictures of themselves."""

from __future__ import annotations

import datetime
import io
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from similia import Collection
from similia.collection.showing import Sheet, cell, html_sheets, text_sheets
from similia.collection.tables import jsonable, to_arrow, to_pandas, to_polars, typed
from similia.errors import MissingDependency

ODD: list[dict[str, Any]] = [
    {
        "id": "a",
        "title": "<script>alert(1)</script> some words",
        "day": "1931-05-06",
        "moment": "2024-02-29T12:30:00.5",
        "big": 2**63,
        "n": 5,
        "x": float("nan"),
        "flag": True,
        "tags": ["b", 1],
        "nested": {"a": [1, None]},
        "odd [bold]name[/bold]": "x",
    },
    {
        "id": "b",
        "title": "other words \x1b[31mred\x07 \u202eback",
        "n": None,
        "flag": None,
        "tags": None,
        "day": None,
        "x": float("inf"),
    },
    {"id": "c", "title": "words without anything else"},
]


@pytest.fixture
def odd(tmp_path: Path) -> Any:
    with Collection.open(tmp_path / "odd", create=True) as made:
        made.add(ODD, key="id", text="title", encoder="hashing:32")
        yield made


def test_a_result_is_arrays_and_items(shelf: Collection) -> None:
    found = shelf.search("tea kettle", k=5, offset=2)
    assert found.ids.dtype == np.int64
    assert found.scores.dtype == np.float32
    assert found.ids.shape == found.scores.shape == (5,)
    assert len(found.keys) == len(found.items) == len(found) == 5
    assert (np.diff(found.scores) <= 0).all()
    hits = list(found)
    assert [hit.key for hit in hits] == found.keys
    assert [hit.rank for hit in hits] == [3, 4, 5, 6, 7]
    assert found[-1].key == found.keys[-1]
    assert [hit.key for hit in found[1:3]] == found.keys[1:3]
    with pytest.raises(IndexError):
        found[5]
    assert list(found.weights) == ["dense", "text"]
    assert sum(found.weights.values()) == pytest.approx(1)
    for hit in hits:
        assert set(hit.ranks) == set(hit.scores) <= {"dense", "text"}
        assert hit.ranks
        assert hit.item["id"] == hit.key


def test_to_dict_is_json_with_everything_asked(odd: Collection) -> None:
    found = odd.search("words", where="n IS NULL OR n = 5", k=2)
    told = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert {name: told[name] for name in ("query", "sense", "mode", "k", "offset", "total", "like")} == {
        "query": "words",
        "sense": "topic",
        "mode": "hybrid",
        "k": 2,
        "offset": 0,
        "total": 3,
        "like": None,
    }
    assert told["where"] == "n IS NULL OR n = 5"
    assert [row["key"] for row in told["results"]] == found.keys
    assert set(told["results"][0]) == {"rank", "key", "score", "item", "ranks", "scores"}
    assert [row["_key"] for row in found.to_dicts()] == found.keys


def test_arrow(odd: Collection) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    table = odd.search("words", k=3).to_arrow()
    rows = {row["_key"]: row for row in table.to_pylist()}
    assert rows["a"]["day"] == datetime.date(1931, 5, 6)
    assert rows["a"]["moment"] == datetime.datetime(2024, 2, 29, 12, 30, 0, 500_000)
    assert rows["a"]["big"] == 2.0**63
    assert odd["a"]["big"] == 2**63
    assert rows["a"]["tags"] == ["b", "1"]
    assert json.loads(rows["a"]["nested"]) == {"a": [1, None]}
    assert (rows["b"]["n"], rows["c"]["title"]) == (None, "words without anything else")
    assert rows["b"]["x"] == float("inf")
    assert table.schema.field("n").type == pyarrow.int64()
    assert {"_rank", "_key", "_score", "_dense_rank", "_dense_score", "_text_rank", "_text_score"} <= set(
        table.column_names
    )


def test_pandas(odd: Collection) -> None:
    pandas = pytest.importorskip("pandas")
    frame = odd.search("words", k=3).to_pandas().set_index("_key")
    assert frame.loc["a", "day"] == pandas.Timestamp("1931-05-06")
    assert pandas.isna(frame.loc["b", "day"])
    assert frame.loc["a", "n"] == 5
    assert pandas.isna(frame.loc["c", "n"])
    assert frame["flag"].dtype == "boolean"
    assert frame.loc["a", "title"] == ODD[0]["title"]
    assert len(odd.search("words", where="n = 77").to_pandas()) == 0


def test_polars(odd: Collection) -> None:
    polars = pytest.importorskip("polars")
    frame = odd.search("words", k=3).to_polars()
    row = frame.filter(polars.col("_key") == "a").to_dicts()[0]
    assert row["day"] == datetime.date(1931, 5, 6)
    assert row["tags"] == ["b", "1"]
    assert frame["n"].null_count() == 2
    assert odd.search("words", where="n = 77").to_polars().height == 0


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for package, convert in (("pyarrow", to_arrow), ("pandas", to_pandas), ("polars", to_polars)):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingDependency, match=f"pip install {package}"):
            convert({"a": typed("integer", [1])})


def test_pictures_are_safe_and_whole(odd: Collection) -> None:
    found = odd.search("words", k=3)
    page = found._repr_html_()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page
    shown = repr(found)
    for picture in (shown, repr(found.explain()), str(odd.compare("a", "b")), str(odd.info())):
        assert "\x1b" not in picture
        assert "\x07" not in picture
        assert "\u202e" not in picture
    assert "3 of 3" in shown
    console = Console(record=True, width=120, file=io.StringIO())
    console.print(found)
    console.print(found.explain())
    told = console.export_text()
    assert "some words" in told
    assert "rank (cosine)" in told


def test_every_answer_shows_itself(shelf: Collection) -> None:
    shelf.senses.add("name", text="title", encoder="hashing:16", precision="float16")
    for answer, said in (
        (shelf.search("tea"), "topic"),
        (shelf.search("tea").explain(), "weights"),
        (shelf.compare("k0001", "k0002"), "more alike than"),
        (shelf.label({"a": ["tea"], "b": ["rank"], "c": ["zzz"]}), "mean confidence"),
        (shelf.near_duplicates(threshold=0.5, limit=3), "there are more"),
        (shelf.info(), "last change"),
        (shelf.senses, "float16 (loss"),
        (shelf, "fields"),
    ):
        console = Console(record=True, width=150, file=io.StringIO())
        console.print(answer)
        assert said in " ".join(console.export_text().split())
        assert "<table" in answer._repr_html_()
        assert str(answer)


def test_labels_pairs_and_maps_as_tables(shelf: Collection) -> None:
    for answer, columns in (
        (shelf.label({"a": ["tea"], "b": ["rank"]}), ["_key", "label", "confidence", "score a", "score b"]),
        (shelf.near_duplicates(threshold=0.5), ["left", "right", "score"]),
        (shelf.layout(), ["_key", "x", "y"]),
    ):
        for table in (answer.to_arrow(), answer.to_polars(), answer.to_pandas()):
            names = table.column_names if hasattr(table, "column_names") else table.columns
            assert list(names) == columns
            assert len(table) == len(answer)


def test_explain_gives_rank_and_score_in_each_view(shelf: Collection) -> None:
    found = shelf.search("tea kettle", where="year > 1995", k=4)
    told = found.explain().to_dict()
    assert "item" not in told["results"][0]
    text = " ".join(repr(found.explain()).split())
    assert f"weights dense {found.weights['dense']:.2g}, text {found.weights['text']:.2g}" in text
    assert "year > 1995" in text
    for hit in found:
        assert hit.key in text
        if "text" in hit.ranks:
            assert f"{hit.ranks['text']} ({hit.scores['text']:.3g})" in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_tables_fit_their_terminal(shelf: Collection, monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    for shown in (repr(shelf.search("tea")), repr(shelf.search("tea").explain()), str(shelf.info())):
        assert max(map(len, shown.splitlines())) <= width


def test_cells_of_any_value() -> None:
    for value in (
        None,
        True,
        0,
        2**80,
        float("nan"),
        float("inf"),
        -0.0,
        "",
        "x" * 10_000,
        b"\xff",
        [[1]],
        {"a": {}},
        [],
        (),
    ):
        assert len(cell(value)) <= 240
    assert text_sheets([Sheet((), [], "title", "note")]).split() == ["title", "note"]
    assert "&lt;" in html_sheets([Sheet(("<a>",), [["<b>"]], "<c>", "<d>")])
    assert jsonable({1: {"x": np.float32("nan")}, "b": {2, 3}})["1"] == {"x": None}


def test_every_answer_has_a_dict(shelf: Collection) -> None:
    for answer in (
        shelf.search("tea"),
        shelf.search("tea").explain(),
        shelf.compare("k0001", "k0002"),
        shelf.label({"a": ["tea"], "b": ["rank"]}),
        shelf.near_duplicates(threshold=0.5),
        shelf.layout(),
        shelf.info(),
        shelf.senses,
        shelf.senses["topic"],
        shelf.add([{"id": "new", "title": "words", "body": "more"}], key="id"),
    ):
        json.dumps(answer.to_dict(), allow_nan=False)
