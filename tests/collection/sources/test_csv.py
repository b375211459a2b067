from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.sources import encoding, open_source
from similia.errors import SourceError

cells = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["", "a\nb", "a\r\nb", "\r", '"', '""', 'say "hi"', "a,b;c\td|e", "007", " 12", "\0", "x\u2028y", "#", "\\", '\\"']
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=12),
    st.sampled_from(",;\t|"),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.sampled_from([5, 64, 1 << 20]),
)
def test_cells_come_back_as_text(
    file: Any, load: Any, rows: list[tuple[str, str, str]], delimiter: str, end: str, quoted: bool, block: int
) -> None:
    """With every column declared text, a cell is what it was; an empty one is null."""
    written = io.StringIO(newline="")
    quoting = csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL
    writer = csv.writer(written, delimiter=delimiter, lineterminator=end, quoting=quoting)
    writer.writerow(["first", "second", "third"])
    for row in rows:
        # The standard library's writer leaves a lone "\r" bare, which no reader can tell from the end of a row.
        writer.writerow([cell.replace("\r", "") if not quoted else cell for cell in row])
    schema = dict.fromkeys(("first", "second", "third"), "text")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoding, "BLOCK", block)
        _, found = load(file("a.csv", written.getvalue()), schema=schema)
    kept = [[cell.replace("\r", "") if not quoted else cell for cell in row] for row in rows]
    assert [list(row.values()) for row in found] == [[cell or None for cell in row] for row in kept]


@pytest.mark.parametrize(
    ("content", "types", "rows"),
    [
        ("name;price\nx;1,5\ny;2,5\n", {"name": "text", "price": "text"}, [["x", "1,5"], ["y", "2,5"]]),
        ("a\tb\n1\tx, y\n", {"a": "integer", "b": "text"}, [[1, "x, y"]]),
        ("a|b\n1|2.5\n", {"a": "integer", "b": "number"}, [[1, 2.5]]),
        (
            "1,2.5,2020-01-01\n2,3.5,2020-01-02\n",
            {"column1": "integer", "column2": "number", "column3": "date"},
            [[1, 2.5, "2020-01-01"], [2, 3.5, "2020-01-02"]],
        ),
        ("id,2019,2020\n7,1,0.5\n", {"id": "integer", "2019": "integer", "2020": "number"}, [[7, 1, 0.5]]),
        (",a\n0,x\n", {"column1": "integer", "a": "text"}, [[0, "x"]]),
        ("id, title \n1,x\n", {"id": "integer", "title": "text"}, [[1, "x"]]),
        ('t\na\n""\nb\n', {"t": "text"}, [["a"], [None], ["b"]]),
        ("id,t\r1,a\r2,b\r", {"id": "integer", "t": "text"}, [[1, "a"], [2, "b"]]),
        ("id,t\n\n1,a\n\n", {"id": "integer", "t": "text"}, [[1, "a"]]),
        ("id,t\n#1,a\n2,b\n", {"id": "text", "t": "text"}, [["#1", "a"], ["2", "b"]]),
        ("id,t\n1,a\x00b\n", {"id": "integer", "t": "text"}, [[1, "a\x00b"]]),
        ('id,t\n1,5" disk\n', {"id": "integer", "t": "text"}, [[1, '5" disk']]),
        ('id,t\n1,"a \\"b\\" c"\n', {"id": "integer", "t": "text"}, [[1, 'a "b" c']]),
        ("id,t\n1,NULL\n2,NA\n", {"id": "integer", "t": "text"}, [[1, "NULL"], [2, "NA"]]),
        ("a,b\n 12,true\n,\n", {"a": "integer", "b": "boolean"}, [[12, True], [None, None]]),
        (
            'v,j\n"[1,2,3,4,5,6,7,8]","{""a"": 1}"\n',
            {"v": "vector", "j": "json"},
            [[[1, 2, 3, 4, 5, 6, 7, 8], {"a": 1}]],
        ),
        (
            "n,x\n9223372036854775808,NaN\n1,1\n",
            {"n": "text", "x": "number"},
            [["9223372036854775808", "<NaN>"], ["1", 1]],
        ),
        ("n\n9007199254740993\n0.5\n", {"n": "number"}, [[9007199254740993], [0.5]]),
        (
            "d\n2020-01-01\n2020-01-01 10:00+02:00\n",
            {"d": "datetime"},
            [["2020-01-01T00:00:00"], ["2020-01-01T08:00:00"]],
        ),
    ],
)
def test_how_files_are_read(content: str, types: dict[str, str], rows: list[list[Any]], file: Any, load: Any) -> None:
    scan, found = load(file("a.csv", content))
    assert scan.types == types
    assert [list(row.values()) for row in found] == rows


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a,b,c\n1,2,3\n4,5\n", 3, "2 cells, but the header names 3"),
        ("a,b\n1,2\n4,5,6\n7,8\n", 3, "3 cells, but the header names 2"),
        ("a,b\n" + "1,2\n" * 50_000 + "1\n", 50_002, "1 cell, but"),
        ('a,b\n1,"x\ny"\n1,2,3\n', 4, "3 cells"),
        ('id,t\n1,"abc\n2,def\n', 2, "never closed"),
        ('id,t\n1,"abc"def\n2,x\n', 2, "follows a closing quote"),
        ("a,a,b\n1,2,3\n", 1, "'a' twice"),
        ("Report of 2020\n\nid,t\n1,a\n", 3, "2 cells, but the header names 1"),
    ],
)
def test_a_broken_row_is_named(content: str, line: int, message: str, file: Any) -> None:
    with pytest.raises(SourceError, match=message) as caught:
        open_source(file("a.csv", content)).scan()
    assert caught.value.line == line


def test_quotes_in_tab_separated_files_stand_for_themselves_where_they_must(file: Any, load: Any) -> None:
    plain = "id\tt\n" + f"1\t{'x' * 1000}\n" * 1200  # more than what the dialect is guessed from
    assert load(file("a.tsv", plain + '2\t"odd\n3\tend\n'))[1][-2:] == [{"id": 2, "t": '"odd'}, {"id": 3, "t": "end"}]
    assert load(file("b.tsv", 'id\tt\n1\t"a\tb"\n'))[1] == [{"id": 1, "t": "a\tb"}]


def test_a_line_break_in_quotes_may_come_late(file: Any, load: Any) -> None:
    content = "a,b\n" + "1,2\n" * 100_000 + '1,"x\ny"\n'
    scan, rows = load(file("a.csv", content))
    assert (scan.rows, rows[-1]) == (100_001, {"a": 1, "b": "x\ny"})


def test_cells_of_megabytes_are_kept(file: Any, load: Any) -> None:
    text = "x\n" * 1_500_000
    assert load(file("a.csv", f'id,t\n1,"{text}"\n2,y\n'))[1] == [{"id": 1, "t": text}, {"id": 2, "t": "y"}]


def test_a_quote_left_open_does_not_pull_in_the_whole_file(file: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from similia.collection.sources import dialect

    monkeypatch.setattr(dialect, "MAX_RECORD", 200_000)
    before = csv.field_size_limit(200_000)
    try:
        with pytest.raises(SourceError, match="quote left open") as caught:
            open_source(file("a.csv", 'a,b\n1,"x\n' + "1,2\n" * 300_000)).scan()
        assert caught.value.line == 2
    finally:
        csv.field_size_limit(before)


@pytest.mark.parametrize("content", ["", "a,b\n", "\n\n"])
def test_nothing_is_no_rows(content: str, file: Any) -> None:
    with pytest.raises(SourceError, match="no rows"):
        open_source(file("a.csv", content)).scan()


def test_a_column_that_changes_late_gets_the_wider_type(file: Any, load: Any) -> None:
    scan, rows = load(file("a.csv", "n\n" + "\n".join(map(str, range(10_000))) + "\nmany\n"))
    assert scan.types == {"n": "text"}
    assert (rows[7]["n"], rows[-1]["n"]) == ("7", "many")
