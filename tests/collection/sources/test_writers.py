from __future__ import annotations

import errno
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.sources import open_source, write_table
from similia.errors import InputError, StorageFull

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=15) | st.sampled_from(
    ["", "007", "a\r\nb", '"', "\0"]
)
plain_values = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | texts
BY_TYPE: dict[str, Any] = {
    "text": texts,
    "category": st.sampled_from(["a", "b,c"]),
    "integer": st.integers(-(2**63), 2**63 - 1),
    "number": st.floats() | st.integers(-(2**70), 2**70),
    "boolean": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes().map(lambda moment: moment.isoformat()),
    "list": st.lists(plain_values, max_size=3) | st.lists(texts, max_size=3) | st.lists(st.floats(), max_size=3),
    "json": st.dictionaries(texts, plain_values, max_size=3) | plain_values,
    "vector": st.lists(
        st.floats(width=32, allow_nan=False, allow_infinity=False) | st.sampled_from([0.1]), min_size=3, max_size=3
    ),
}
SENSE = np.array([[0.1, -1e-7, 3e38], [np.nan] * 3, [1, 2, 3]], np.float32)


def _rows(draw: Any, *, absent: bool) -> list[dict[str, Any]]:
    count = draw(st.integers(1, 9))
    keep = st.booleans() if absent else st.just(True)
    return [{name: draw(st.none() | values) for name, values in BY_TYPE.items() if draw(keep)} for _ in range(count)]


def _batches(rows: list[dict[str, Any]], size: int) -> Iterator[Any]:
    for start in range(0, len(rows), size):
        some = rows[start : start + size]
        keys = [f"k{start + place}" for place in range(len(some))]
        yield keys, some, {"sense": SENSE[np.arange(start, start + len(some)) % 3]}


FIELDS = {"_key": "text", **{name: name for name in BY_TYPE}}


def _expected(rows: list[dict[str, Any]], plain: Any) -> list[dict[str, Any]]:
    found = []
    for place, row in enumerate(rows):
        vector = SENSE[place % 3]
        whole = {"_key": f"k{place}", **row, "sense": None if np.isnan(vector).any() else vector.tolist()}
        found.append(plain(whole))
    return found


def _as_float32(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        if row.get("sense") is not None:
            row["sense"] = np.float32(row["sense"]).tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.data(), st.sampled_from(["", ".gz", ".xz", ".zst", ".bz2"]), st.integers(1, 4))
def test_json_lines_lose_nothing(
    tmp_path: Path, load: Any, plain: Any, data: st.DataObject, packing: str, size: int
) -> None:
    rows = _rows(data.draw, absent=True)
    path = tmp_path / f"a.jsonl{packing}"
    assert write_table(path, None, FIELDS, _batches(rows, size)) == len(rows)
    schema = {name: kind for name, kind in FIELDS.items() if any(name in row for row in rows)} | {"_key": "text"}
    _, found = load(path, schema={name: kind for name, kind in schema.items() if kind not in ("number", "vector")})
    _as_float32(found)
    assert found == _expected(rows, plain)


def test_every_splitter_finds_the_same_json_lines(tmp_path: Path) -> None:
    rows = [{"id": f"\x85{n}", "text": "a\u2028b\u2029c\x0bd\x1ce"} for n in range(3)]
    path = tmp_path / "a.jsonl"
    batches = iter([([str(n) for n in range(3)], rows, {})])
    assert write_table(path, None, {"id": "text", "text": "text"}, batches) == 3
    assert [json.loads(line) for line in path.read_text("utf-8").splitlines()] == rows


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.data(), st.sampled_from(["csv", "tsv", "csv.gz"]), st.integers(1, 4))
def test_csv_comes_back_with_its_schema(
    tmp_path: Path, load: Any, plain: Any, data: st.DataObject, suffix: str, size: int
) -> None:
    rows = _rows(data.draw, absent=False)
    path = tmp_path / f"a.{suffix}"
    assert write_table(path, None, FIELDS, _batches(rows, size)) == len(rows)
    _, found = load(path, schema={**FIELDS, "sense": "vector"})
    _as_float32(found)
    expected = _expected(rows, plain)
    for row in expected:
        if row["text"] == "":
            row["text"] = None
    assert found == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=15)
@given(st.data(), st.integers(1, 4))
def test_parquet_comes_back(tmp_path: Path, load: Any, plain: Any, data: st.DataObject, size: int) -> None:
    rows = _rows(data.draw, absent=True)
    path = tmp_path / "a.parquet"
    assert write_table(path, None, FIELDS, _batches(rows, size)) == len(rows)
    # That a field is JSON has to be said where its values are plain ones of several kinds.
    scan, found = load(path, schema={"json": "json"})
    expected = _expected(rows, plain)
    for name in (*FIELDS, "sense"):
        values, written = [row[name] for row in found], [row.get(name) for row in expected]
        if name in ("number", "list", "json") and values != written:
            # What no column type of Parquet holds is its text: NaN in nested values, huge numbers beside fractions.
            assert scan.types[name] in ("text", "category") or name == "json", name
            raw = [row.get(name) for row in rows]
            written = [
                None if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in raw
            ]
            assert any("NaN" in text or "Infinity" in text or len(text) > 16 for text in written if text), name
        assert values == written, name


def test_parquet_types_are_the_narrowest(tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    fields = {
        "i": "integer",
        "big": "number",
        "u": "number",
        "x": "number",
        "t": "list",
        "n": "list",
        "m": "list",
        "v": "vector",
        "w": "vector",
        "d": "date",
        "z": "datetime",
        "j": "json",
    }
    row = {
        "i": 5,
        "big": 2**53 + 1,
        "u": 10**40,
        "x": 0.5,
        "t": ["a", None],
        "n": [1, None],
        "m": [1, "a"],
        "v": [0.5] * 3,
        "w": [0.1] * 3,
        "d": "1969-07-20",
        "z": "1969-07-20T10:00:00.5",
        "j": {"a": 1},
    }
    path = tmp_path / "a.parquet"
    write_table(path, None, fields, [(["k"], [row], {"s": np.ones((1, 3), np.float32)})])
    found = {field.name: str(field.type) for field in pq.read_schema(path)}
    assert found == {
        "i": "int64",
        "big": "decimal128(38, 0)",
        "u": "string",
        "x": "double",
        "t": "list<element: string>",
        "n": "list<element: int64>",
        "m": "extension<arrow.json>",
        "v": "list<element: float>",
        "w": "list<element: double>",
        "d": "date32[day]",
        "z": "timestamp[us]",
        "j": "extension<arrow.json>",
        "s": "list<element: float>",
    }


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "jsonl.gz"])
def test_a_failure_leaves_what_was_there(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"before")

    def broken() -> Iterator[Any]:
        yield ["a"], [{"x": 1}], {}
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_table(path, None, {"x": "integer"}, broken())
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageFull, match="the disk is full"):
        write_table(tmp_path / "a.jsonl", None, {"x": "integer"}, [(["a"], [{"x": 1}], {})])
    assert not list(tmp_path.iterdir())


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.jsonl.gz", "b.jsonl.gz"):
        write_table(tmp_path / name, None, {"x": "integer"}, [(["a"], [{"x": 1}], {})])
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()
    assert gzip.decompress((tmp_path / "a.jsonl.gz").read_bytes()) == b'{"x":1}\n'


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_nothing_is_a_file_too(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.{suffix}"
    assert write_table(path, None, {"x": "integer", "t": "text"}, []) == 0
    assert path.exists()
    if suffix == "csv":
        assert path.read_text() == "x,t\n" or path.read_bytes() == b"x,t\r\n"


@pytest.mark.parametrize(
    ("name", "format", "message"),
    [
        ("a.xml", None, "has no known suffix"),
        ("a.jsonl", "xml", "cannot be written as 'xml'"),
        ("a.parquet.gz", None, "compressed inside"),
        ("no/a.csv", None, "there is no folder"),
        (".", "csv", "is a folder"),
    ],
)
def test_wrong_use_is_named(name: str, format: str | None, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        write_table(tmp_path / name, format, {"x": "integer"}, [])


def test_columns_must_fit(tmp_path: Path) -> None:
    vectors = np.zeros((1, 2), np.float32)
    with pytest.raises(InputError, match="is a field and a column of vectors"):
        write_table(tmp_path / "a.csv", None, {"x": "integer"}, [(["a"], [{}], {"x": vectors})])
    with pytest.raises(InputError, match="as many keys"):
        write_table(tmp_path / "a.csv", None, {"x": "integer"}, [(["a", "b"], [{}], {})])
    with pytest.raises(InputError, match="but for capitals"):
        write_table(tmp_path / "a.parquet", None, {"x": "integer", "X": "text"}, [(["a"], [{}], {})])


def test_long_texts_go_through_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    rows = [{"t": str(place) + "x" * (1 << 20)} for place in range(40)]
    write_table(path, None, {"t": "text"}, ((["k"], [row], {}) for row in rows))
    with open_source(path) as source:
        source.scan()
        assert [row for batch in source.batches(3) for row in batch] == rows


def test_rows_stay_in_order_over_many_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    from similia.collection.sources import parquet_writer

    monkeypatch.setattr(parquet_writer, "GROUP_BYTES", 100_000)
    monkeypatch.setattr(parquet_writer, "PIECE_BYTES", 50_000)
    path = tmp_path / "a.parquet"
    rows = [{"n": place, "t": f"{place} {'x' * 50}"} for place in range(30_000)]
    parts = ((["k"] * 7000, rows[start : start + 7000], {}) for start in range(0, 28_000, 7000))
    assert write_table(path, None, {"n": "integer", "t": "text"}, parts) == 28_000
    file = pq.ParquetFile(path)
    assert file.num_row_groups > 3
    assert file.read()["n"].to_pylist() == list(range(28_000))
