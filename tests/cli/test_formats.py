from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from similia.cli import output
from similia.cli.options import Format
from similia.collection import Collection

Inside = Callable[..., tuple[int, str, str]]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ROWS = st.lists(st.dictionaries(st.text(min_size=1, max_size=8), VALUES, min_size=1, max_size=4), max_size=4)


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _written(rows: Any, form: Format, capsys: pytest.CaptureFixture[str]) -> str:
    capsys.readouterr()
    assert output.write(rows, rows, form)
    return capsys.readouterr().out


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
@example(rows=[{"\u2028": "\x85\u2029"}])
def test_any_rows_parse_back(rows: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    def refuse(name: str) -> None:
        raise AssertionError(name)

    assert json.loads(_written(rows, Format.JSON, capsys), parse_constant=refuse) == _plain(rows)
    lines = _written(rows, Format.JSONL, capsys).splitlines() if rows else []
    assert [json.loads(line) for line in lines if line] == _plain(rows)
    text = _written(rows, Format.CSV, capsys)
    back = list(csv.reader(io.StringIO(text, newline="")))
    names = list(dict.fromkeys(name for row in rows for name in row))
    if names:
        assert back[0] == names
        for row, cells in zip(rows, back[1:], strict=True):
            for name, cell in zip(names, cells, strict=True):
                value = row.get(name)
                if isinstance(value, str):
                    assert cell == value
                elif isinstance(value, list | dict):
                    assert json.loads(cell) == _plain(value)


def test_json_holds_no_character_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    text = _written([{"a": "\x1b[31m \x9b31m \x7f"}], Format.JSONL, capsys)
    assert text.strip().isprintable()
    assert json.loads(text) == {"a": "\x1b[31m \x9b31m \x7f"}


def test_search_says_the_same_in_every_format(inside: Inside, folder: Path) -> None:
    with Collection.open(folder / "papers") as papers:
        expected = papers.search("copies of images", where="year >= 2014", k=3)
    asked = ("search", "papers", "copies of images", "--where", "year >= 2014", "-k", "3", "--format")
    whole = json.loads(inside(*asked, "json")[1])
    assert [one["key"] for one in whole["results"]] == expected.keys
    assert whole["total"] == expected.total == 5
    assert {"query", "sense", "mode", "where", "k", "offset", "total", "seconds", "weights", "results"} <= set(whole)
    lines = [json.loads(line) for line in inside(*asked, "jsonl")[1].splitlines()]
    assert [line["_key"] for line in lines] == expected.keys
    assert [line["title"] for line in lines] == [item["title"] for item in expected.items]
    assert lines[0]["_dense_rank"] == expected.views["dense"].ranks[0]
    table = list(csv.DictReader(io.StringIO(inside(*asked, "csv")[1])))
    assert [row["_key"] for row in table] == expected.keys
    assert [float(row["_score"]) for row in table] == pytest.approx(expected.scores.tolist())
    shown = inside(*asked, "table")[1]
    assert [shown.index(title) for title in lines[0]["title"].split()] == sorted(
        shown.index(title) for title in lines[0]["title"].split()
    )
    assert "1-3 of 5" in shown


def test_pages_and_offsets_pass_over_results(inside: Inside) -> None:
    def keys(*more: str) -> list[str]:
        out = inside("search", "papers", "cats", "--format", "jsonl", *more)[1]
        return [json.loads(line)["_key"] for line in out.splitlines()]

    everything = keys("-k", "6")
    assert keys("-k", "2", "--page", "2") == keys("-k", "2", "--offset", "2") == everything[2:4]
    assert keys("--offset", "6") == []


def test_fields_choose_what_is_shown(inside: Inside) -> None:
    asked = ("search", "papers", "cats", "-k", "1", "--fields", "year,title", "--format")
    assert list(json.loads(inside(*asked, "json")[1])["results"][0]["item"]) == ["year", "title"]
    assert inside(*asked, "csv")[1].splitlines()[0].endswith(",year,title")
    shown = inside(*asked, "table")[1]
    assert "Cats and dogs" in shown
    assert "abstract" not in shown


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "papers", "p1", "p2"),
        ("label", "papers", "topics.txt"),
        ("duplicates", "papers", "--threshold", "0.1"),
        ("senses", "papers", "list"),
        ("info", "papers"),
        ("log", "papers"),
        ("check", "papers"),
        ("atlas", "list"),
    ],
    ids=lambda command: command[0],
)
def test_every_result_parses_back(inside: Inside, command: tuple[str, ...]) -> None:
    code, out, err = inside(*command, "--format", "json")
    assert (code, err) == (0, "")
    assert json.loads(out)
    rows = [json.loads(line) for line in inside(*command, "--format", "jsonl")[1].splitlines()]
    table = list(csv.DictReader(io.StringIO(inside(*command, "--format", "csv")[1])))
    assert len(rows) == len(table) >= 1
    assert list(rows[0]) == list(table[0])
    assert inside(*command, "--format", "table")[1].strip()


def test_labels_are_written_and_searched(inside: Inside) -> None:
    rows = [
        json.loads(line)
        for line in inside("label", "papers", "topics.txt", "--save", "theme", "--format", "jsonl")[1].splitlines()
    ]
    themes = {row["_key"]: row["label"] for row in rows}
    assert themes["p5"] == "animals"
    out = inside("search", "papers", "cats", "--where", "theme = 'animals'", "--format", "jsonl")[1]
    assert {json.loads(line)["_key"] for line in out.splitlines()} == {
        key for key, theme in themes.items() if theme == "animals"
    }


def test_export_gives_back_what_was_added(inside: Inside, folder: Path) -> None:
    assert inside("export", "papers", "out.jsonl")[0] == 0
    given = [json.loads(line) for line in (folder / "papers.jsonl").read_text(encoding="utf-8").splitlines()]
    written = [json.loads(line) for line in (folder / "out.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [{name: row[name] for name in given[0]} for row in written] == given
