"""Arrow files and Parquet against files that pyarrow and polars write, and tables in memory."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import math
import uuid
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.collection.sources import arrow, open_source, parquet
from similia.errors import SourceError

pa = pytest.importorskip("pyarrow")
pl = pytest.importorskip("polars")
ipc = pytest.importorskip("pyarrow.ipc")
pq = pytest.importorskip("pyarrow.parquet")

NEVER = dt.datetime(1969, 7, 20, 20, 17, 40)
ROWS = 5

# column -> (Arrow array, what has to come out, the type of the field)
COLUMNS: dict[str, tuple[Any, list[Any], str]] = {
    "null": (pa.nulls(ROWS), [None] * ROWS, "text"),
    "empty_int": (pa.array([None] * ROWS, pa.int32()), [None] * ROWS, "integer"),
    "empty_time": (pa.array([None] * ROWS, pa.timestamp("us")), [None] * ROWS, "datetime"),
    "bool": (pa.array([True, None, False, True, None]), [True, None, False, True, None], "boolean"),
    "int8": (pa.array([-128, 127, None, 0, 1], pa.int8()), [-128, 127, None, 0, 1], "integer"),
    "int64": (pa.array([-(2**63), 2**63 - 1, None, 0, 1]), [-(2**63), 2**63 - 1, None, 0, 1], "integer"),
    "uint64": (pa.array([2**64 - 1, 2**63, None, 0, 1], pa.uint64()), [2**64 - 1, 2**63, None, 0, 1], "number"),
    "half": (pa.array(np.array([0.5, 1, 2, 3, 4], np.float16)), [0.5, 1, 2, 3, 4], "number"),
    "float": (pa.array([0.1, None, 1, 2, 3], pa.float32()), [float(np.float32(0.1)), None, 1, 2, 3], "number"),
    "double": (pa.array([0.1, None, math.nan, math.inf, -0.0]), [0.1, None, "<NaN>", math.inf, -0.0], "number"),
    "text": (pa.array(["", None, "😀\0x", "עברית", "y" * 40]), ["", None, "😀\0x", "עברית", "y" * 40], "text"),
    "large": (pa.array(["a", None, "b", "", "c"], pa.large_string()), ["a", None, "b", "", "c"], "text"),
    "bytes": (pa.array([b"a", None, "ü".encode(), b"", b"c"]), ["a", None, "ü", "", "c"], "text"),
    "category": (pa.array(["x", None, "y", "x", "x"]).dictionary_encode(), ["x", None, "y", "x", "x"], "category"),
    "codes": (pa.array([7, None, 8, 7, 7]).dictionary_encode(), [7, None, 8, 7, 7], "integer"),
    "decimal": (
        pa.array([Decimal("1.10"), None, Decimal("-0.05"), Decimal("3.00"), Decimal("999.99")]),
        [1.1, None, -0.05, 3, 999.99],
        "number",
    ),
    "fine": (
        pa.array([Decimal("0.12345678901234567890123456"), None, *map(Decimal, "123")], pa.decimal128(38, 26)),
        ["0.12345678901234567890123456", None, "1", "2", "3"],
        "text",
    ),
    "whole": (
        pa.array([Decimal(10**30), None, *map(Decimal, "123")], pa.decimal128(38, 0)),
        [10**30, None, 1, 2, 3],
        "number",
    ),
    "wide": (
        pa.array([Decimal(10**60), None, *map(Decimal, "123")], pa.decimal256(70, 2)),
        [10**60, None, 1, 2, 3],
        "number",
    ),
    "date": (
        pa.array([dt.date(1969, 7, 20), None, dt.date(1, 1, 1), dt.date(9999, 12, 31), dt.date(2020, 2, 29)]),
        ["1969-07-20", None, "0001-01-01", "9999-12-31", "2020-02-29"],
        "date",
    ),
    "date64": (
        pa.array([dt.date(1969, 7, 20), None, dt.date(2000, 1, 1), None, None], pa.date64()),
        ["1969-07-20", None, "2000-01-01", None, None],
        "date",
    ),
    "seconds": (
        pa.array([NEVER, None, NEVER, NEVER, NEVER], pa.timestamp("s")),
        ["1969-07-20T20:17:40", None, *["1969-07-20T20:17:40"] * 3],
        "datetime",
    ),
    "micros": (
        pa.array([NEVER.replace(microsecond=5), None, NEVER, NEVER, NEVER], pa.timestamp("us")),
        ["1969-07-20T20:17:40.000005", None, *["1969-07-20T20:17:40"] * 3],
        "datetime",
    ),
    "zone": (
        pa.array([NEVER, None, NEVER, NEVER, NEVER], pa.timestamp("ms", "Europe/Berlin")),
        ["1969-07-20T20:17:40", None, *["1969-07-20T20:17:40"] * 3],
        "datetime",
    ),
    "nanos": (
        pa.array([1, None, 0, 10**9, -1], pa.timestamp("ns")),
        [
            "1970-01-01T00:00:00.000000001",
            None,
            "1970-01-01T00:00:00",
            "1970-01-01T00:00:01",
            "1969-12-31T23:59:59.999999999",
        ],
        "text",
    ),
    "time": (
        pa.array([dt.time(10, 20), None, dt.time(23, 59, 59, 1), dt.time(0), dt.time(1)]),
        ["10:20:00", None, "23:59:59.000001", "00:00:00", "01:00:00"],
        "text",
    ),
    "duration": (
        pa.array(
            [dt.timedelta(seconds=90), None, dt.timedelta(milliseconds=-1500), dt.timedelta(0), dt.timedelta(days=1)]
        ),
        [90, None, -1.5, 0, 86400],
        "number",
    ),
    "vector": (
        pa.array([[0.5] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8], pa.list_(pa.float32())),
        [[0.5] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8],
        "vector",
    ),
    "fixed": (
        pa.array([[0.5] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8], pa.list_(pa.float32(), 8)),
        [[0.5] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8],
        "vector",
    ),
    "doubles": (
        pa.array([[0.1] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8]),
        [[0.1] * 8, None, [1.5] * 8, [0.0] * 8, [2.0] * 8],
        "vector",
    ),
    "ragged": (
        pa.array([[0.5], None, [], [1.5, None], [2.0]], pa.list_(pa.float32())),
        [[0.5], None, [], [1.5, None], [2.0]],
        "list",
    ),
    "ragged2": (
        pa.array([[0.5], None, [], [1.5, 2], [2.0]], pa.large_list(pa.float32())),
        [[0.5], None, [], [1.5, 2], [2.0]],
        "list",
    ),
    "tags": (pa.array([["a", None], None, [], ["b"], ["c"]]), [["a", None], None, [], ["b"], ["c"]], "list"),
    "nested": (pa.array([[["a"], None], None, [], [[]], [["c"]]]), [[["a"], None], None, [], [[]], [["c"]]], "json"),
    "struct": (
        pa.array([{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}, {"a": 2, "b": []}, {"a": 3, "b": ["y"]}]),
        [{"a": 1, "b": ["x"]}, None, {"a": None, "b": None}, {"a": 2, "b": []}, {"a": 3, "b": ["y"]}],
        "json",
    ),
    "map": (
        pa.array([[("k", 1)], None, [], [("l", None)], [("m", 2)]], pa.map_(pa.string(), pa.int64())),
        [{"k": 1}, None, {}, {"l": None}, {"m": 2}],
        "json",
    ),
    "floats_in_struct": (
        pa.array([{"v": [0.5]}] * ROWS, pa.struct({"v": pa.list_(pa.float32())})),
        [{"v": [0.5]}] * ROWS,
        "json",
    ),
}
VIEWS: dict[str, tuple[Any, list[Any], str]] = {
    "view": (
        pa.array(["short", None, "longer than twelve bytes", "", "longer again, by far"], pa.string_view()),
        ["short", None, "longer than twelve bytes", "", "longer again, by far"],
        "text",
    ),
    "list_view": (
        pa.array([[1], None, [2, 3], [], [4]], pa.list_view(pa.int16())),
        [[1], None, [2, 3], [], [4]],
        "list",
    ),
    "runs": (pa.RunEndEncodedArray.from_arrays([2, 5], ["a", "b"]), ["a", "a", "b", "b", "b"], "text"),
    "dense": (
        pa.UnionArray.from_dense(
            pa.array([0, 1, 0, 1, 1], pa.int8()),
            pa.array([0, 0, 1, 1, 2], pa.int32()),
            [pa.array([1, 2]), pa.array(["x", "y", None])],
        ),
        [1, "x", 2, "y", None],
        "text",
    ),
}
TABLE = pa.table({name: column[0] for name, column in COLUMNS.items()})
WIDE = TABLE
for _name, _column in VIEWS.items():
    WIDE = WIDE.append_column(_name, _column[0])


def _kind(kind: str) -> str:
    """Texts that are repeated are categories."""
    return "text" if kind == "category" else kind


def _check(scan: Any, rows: list[dict[str, Any]], *, repeat: int = 1, views: bool = False) -> None:
    columns = COLUMNS | (VIEWS if views else {})
    assert {name: _kind(kind) for name, kind in scan.types.items()} == {
        name: _kind(kind) for name, (_, _, kind) in columns.items()
    }
    for name, (_, values, _) in columns.items():
        expected = ["1", "x", "2", "y", None] if name == "dense" else values
        assert [row[name] for row in rows] == expected * repeat, name
        for row, value in zip(rows, expected * repeat, strict=True):
            assert type(row[name]) is type(value) or isinstance(value, float | int), name


@pytest.mark.parametrize("codec", [None, "lz4", "zstd"])
@pytest.mark.parametrize("form", ["file", "stream"])
def test_arrow_files(codec: str | None, form: str, tmp_path: Path, load: Any) -> None:
    path = tmp_path / "a.arrow"
    options = ipc.IpcWriteOptions(compression=codec)
    new = ipc.new_file if form == "file" else ipc.new_stream
    with path.open("wb") as file, new(file, WIDE.schema, options=options) as writer:
        for _ in range(3):
            writer.write_table(WIDE)
    _check(*load(path), repeat=3, views=True)


@pytest.mark.parametrize("size", [1, 2, 1000])
def test_arrow_arrays_in_slices(size: int, load: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow, "CHUNK_ROWS", size)
    whole = pa.concat_tables([WIDE.select(list(COLUMNS))] * 3).combine_chunks()
    scan, rows = load(whole.slice(ROWS, ROWS))
    _check(scan, rows)
    _check(*load(pa.table(whole)), repeat=3)


def test_record_batch_readers_are_read_once_and_kept(load: Any, plain: Any) -> None:
    scan, rows = load(TABLE.to_reader())
    _check(scan, rows)
    with open_source(TABLE.to_reader()) as source:
        source.scan()
        assert [plain(row["vector"]) for batch in source.batches(2) for row in batch] == COLUMNS["vector"][1]


@pytest.mark.parametrize("codec", ["none", "snappy", "zstd", "gzip"])
def test_parquet_files(codec: str, tmp_path: Path, load: Any) -> None:
    path = tmp_path / "a.parquet"
    # What Parquet, or DuckDB with it, turns into something else on its own.
    other = {"null", "half", "uint64", "seconds", "nanos", "duration", "codes", "wide", "category", "bytes", "zone"}
    table = TABLE.select([name for name in COLUMNS if name not in other])
    pq.write_table(pa.concat_tables([table] * 4), path, compression=codec, row_group_size=7)
    scan, rows = load(path)
    for name in table.column_names:
        _, values, kind = COLUMNS[name]
        assert _kind(scan.types[name]) == _kind(kind), name
        assert [row[name] for row in rows] == values * 4, name


def test_parquet_types_that_duckdb_reads_otherwise(tmp_path: Path, load: Any) -> None:
    path = tmp_path / "a.parquet"
    names = ["uint64", "seconds", "zone", "codes", "category", "bytes"]
    pq.write_table(TABLE.select(names), path)
    _, rows = load(path)
    for name in names:
        assert [row[name] for row in rows] == COLUMNS[name][1], name


def test_a_parquet_file_in_parts_and_in_small_batches(
    tmp_path: Path, load: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"id": range(10_000), "t": [f"text {row}" for row in range(10_000)]}), path, row_group_size=999
    )
    monkeypatch.setattr(parquet, "CHUNK_BYTES", 10_000)
    scan, rows = load(path, key="id")
    assert (scan.rows, scan.duplicate) == (10_000, None)
    assert [row["id"] for row in rows] == list(range(10_000))
    with open_source(path) as source:
        source.scan()
        for skip in (0, 1, 998, 999, 5000, 9999, 10_000, 20_000):
            found = [row["id"] for batch in source.batches(100, skip=skip) for row in batch]
            assert found == list(range(skip, 10_000))


@pytest.mark.parametrize(
    "name", ["a[1].parquet", "a*.parquet", "a?.parquet", "it's.parquet", "year=2020.parquet", "ü x.parquet"]
)
def test_parquet_names_are_names_and_not_patterns(name: str, tmp_path: Path, load: Any) -> None:
    path = tmp_path / "year=1999" / name
    path.parent.mkdir()
    pq.write_table(pa.table({"a": [1]}), path)
    pq.write_table(pa.table({"a": [2]}), path.parent / "a1.parquet")
    assert load(path)[1] == [{"a": 1}]


def test_a_large_row_group_is_read_in_small_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    """One row group of 60 MB goes through a DuckDB that may hold 64, and nothing is printed on the way."""
    path = tmp_path / "a.parquet"
    numbers = np.random.default_rng(0).random(40_000 * 384, np.float32)
    table = pa.table({"v": pa.FixedSizeListArray.from_arrays(numbers, 384)})
    pq.write_table(table, path, row_group_size=len(table), use_dictionary=False)
    monkeypatch.setattr(parquet, "MEMORY_LIMIT", "64MB")
    count = sum(len(chunk.rows) for chunk in parquet.Parquet(path, "a").read())
    assert count == len(table)
    assert capfd.readouterr() == ("", "")


def test_files_that_are_compressed_as_a_whole(tmp_path: Path, load: Any) -> None:
    for name, write in (
        ("a.parquet", pq.write_table),
        ("a.arrow", lambda table, out: pl.from_arrow(table).write_ipc(out)),
    ):
        packed = io.BytesIO()
        write(pa.table({"a": [1, 2]}), packed)
        path = tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(packed.getvalue()))
        assert load(path)[1] == [{"a": 1}, {"a": 2}]


def test_what_polars_writes(tmp_path: Path, load: Any) -> None:
    frame = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "t": ["short", "longer than twelve bytes", None],
            "c": pl.Series(["a", "b", "a"], dtype=pl.Categorical),
            "e": pl.Series(["x", "y", "x"], dtype=pl.Enum(["x", "y"])),
            "v": pl.Series([[0.5] * 8] * 3, dtype=pl.Array(pl.Float32, 8)),
            "d": [dt.date(1969, 7, 20), None, dt.date(2020, 1, 1)],
            "z": [dt.datetime(2020, 1, 1, tzinfo=dt.UTC), None, None],
            "s": [{"a": [1]}, {"a": None}, None],
            "x": [0.5, math.nan, None],
        }
    )
    expected = [
        [1, "short", "a", "x", [0.5] * 8, "1969-07-20", "2020-01-01T00:00:00", {"a": [1]}, 0.5],
        [2, "longer than twelve bytes", "b", "y", [0.5] * 8, None, None, {"a": None}, "<NaN>"],
        [3, None, "a", "x", [0.5] * 8, "2020-01-01", None, None, None],
    ]
    types = ["integer", "text", "category", "category", "vector", "date", "datetime", "json", "number"]
    for codec in ("uncompressed", "lz4", "zstd"):
        frame.write_ipc(tmp_path / f"{codec}.arrow", compression=codec)
        frame.write_ipc_stream(tmp_path / f"{codec}.arrows", compression=codec)
    frame.write_parquet(tmp_path / "a.parquet")
    for source in (frame, *sorted(tmp_path.iterdir())):
        scan, rows = load(source)
        assert [list(row.values()) for row in rows] == expected, source
        if source is not tmp_path / "a.parquet":
            kinds = list(scan.types.values())
            assert kinds == types or kinds == [*types[:2], "text", "text", *types[4:]], source


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=20)
@given(
    st.lists(
        st.tuples(
            st.none() | st.text(st.characters(exclude_categories=["Cs"])),
            st.none() | st.floats(),
            st.none() | st.integers(-(2**63), 2**63 - 1),
            st.none() | st.lists(st.floats(width=32), max_size=3),
        ),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["parquet", "arrow"]),
)
def test_odd_values_come_back(tmp_path: Path, load: Any, plain: Any, rows: list[tuple[Any, ...]], form: str) -> None:
    columns = list(zip(*rows, strict=True))
    kinds = [pa.string(), pa.float64(), pa.int64(), pa.list_(pa.float32())]
    # Texts that are all dates would be dates; one that is none keeps them texts.
    table = pa.table(
        {name: pa.array([*values, None], kind) for name, values, kind in zip("tfil", columns, kinds, strict=True)}
    )
    path = tmp_path / f"a.{form}"
    if form == "parquet":
        pq.write_table(table, path)
    else:
        with ipc.new_file(path, table.schema) as writer:
            writer.write_table(table)
    _, found = load(path)
    assert found == [plain(dict(zip("tfil", row, strict=True))) for row in [*rows, (None,) * 4]]


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (pa.array([(1, 2, 3)], pa.month_day_nano_interval()), "'a' is an interval"),
        (pa.array([None, b"\xff"]), "row 2: column 'a' holds bytes that are no text"),
        (pa.array([None, 10**15], pa.timestamp("s")), "row 2: column 'a' holds a date outside the years"),
        (pa.array([None, -800_000], pa.int32()).cast(pa.date32()), "row 2: column 'a' holds a date outside"),
    ],
)
def test_what_no_type_fits_is_named(array: Any, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with ipc.new_file(path, pa.schema({"a": array.type})) as writer:
        writer.write_table(pa.table({"a": array}))
    with pytest.raises(SourceError, match=message):
        open_source(path).scan()


@pytest.mark.parametrize("form", ["file", "stream", "parquet"])
@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_damaged_files_are_refused_and_never_crash(form: str, codec: str, tmp_path: Path) -> None:
    table = pa.table({"a": [f"text {row}" for row in range(200)], "c": pa.array(["x", "y"] * 100).dictionary_encode()})
    path = tmp_path / "a.bin"
    if form == "parquet":
        pq.write_table(table, path, compression=codec)
    else:
        new = ipc.new_file if form == "file" else ipc.new_stream
        with path.open("wb") as file, new(file, table.schema, options=ipc.IpcWriteOptions(compression=codec)) as writer:
            writer.write_table(table)
    good = path.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(40):
        bad = bytearray(good)
        if rng.random() < 0.3:
            del bad[int(rng.integers(len(bad))) :]
        else:
            for place in rng.integers(0, len(bad), 3):
                bad[place] = int(rng.integers(256))
        path.write_bytes(bad)
        try:
            with open_source(path, format="parquet" if form == "parquet" else "arrow") as source:
                source.scan()
                list(source.batches(50))
        except SourceError:
            refused += 1
    assert refused > 10


def test_a_dictionary_that_grows(tmp_path: Path, load: Any) -> None:
    path = tmp_path / "a.arrows"
    batches = [pa.array(values).dictionary_encode() for values in (["a", "b"], ["a", "b", "c"])]
    schema = pa.schema({"d": batches[0].type})
    options = ipc.IpcWriteOptions(emit_dictionary_deltas=True)
    with path.open("wb") as file, ipc.new_stream(file, schema, options=options) as writer:
        for batch in batches:
            writer.write_batch(pa.record_batch([batch], schema=schema))
    assert [row["d"] for row in load(path)[1]] == ["a", "b", "a", "b", "c"]


def test_json_and_uuid_extensions(tmp_path: Path, load: Any) -> None:
    name = uuid.uuid5(uuid.NAMESPACE_DNS, "example")
    table = pa.table(
        {
            "j": pa.array([json.dumps({"a": [1, None]}), None], pa.json_()),
            "u": pa.array([name.bytes, None], pa.uuid()),
            "b": pa.array([1, 0], pa.int8()).cast(pa.bool8()),
        }
    )
    with ipc.new_file(tmp_path / "a.arrow", table.schema) as writer:
        writer.write_table(table)
    pq.write_table(table.select(["j", "u"]), tmp_path / "a.parquet")
    expected: list[dict[str, Any]] = [
        {"j": {"a": [1, None]}, "u": str(name), "b": True},
        {"j": None, "u": None, "b": False},
    ]
    assert load(tmp_path / "a.arrow")[1] == load(table)[1] == expected
    assert load(tmp_path / "a.parquet")[1] == [{"j": row["j"], "u": row["u"]} for row in expected]


def test_columns_of_one_name_are_refused(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"])
    with pytest.raises(SourceError, match="two columns are called 'a'"):
        open_source(table).scan()


def test_other_bytes_are_refused(file: Any) -> None:
    for name, message in (
        ("a.parquet", "is no Parquet file"),
        ("a.arrow", "are no Arrow data"),
        ("b.arrow", "Feather version 1"),
    ):
        with pytest.raises(SourceError, match=message):
            open_source(file(name, b"FEA1 and so on" if name == "b.arrow" else b"id,title\n1,x\n")).scan()
    with pytest.raises(SourceError, match="no rows"):
        open_source(file("c.arrow", b"")).scan()
