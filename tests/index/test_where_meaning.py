"""One filter, one meaning: random filters over random tables give the same rows in Python, SQLite and DuckDB."""

from __future__ import annotations

import json
import math
from typing import Any

import apsw
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from similia.index.where import Predicate, register_functions
from similia.index.where.text import name as written

FIELDS = {
    "title": "text",
    "publication area": "category",
    "n": "integer",
    "m": "integer",
    "x": "number",
    "y": "number",
    "open": "boolean",
    "date": "date",
    "created": "datetime",
    "tags": "list",
    "extra": "json",
}
COLUMNS = {field: f"f{position}" for position, field in enumerate(FIELDS)}
SQLITE_TYPES = {"text": "TEXT", "category": "TEXT", "integer": "INTEGER", "number": "REAL", "boolean": "INTEGER"}
DUCKDB_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}

CHARACTERS = "abABzZ%_*?[]\\'\"\n 01éÉßẞİıσςΣǅᾳ中😀\0\u0301"
INTEGERS = [0, 1, -1, 2, 3, 2**53, 2**53 + 1, 2**53 - 1, -(2**53) - 1, 2**63 - 1, -(2**63), 2**62]
NUMBERS = [0.0, -0.0, 0.5, 1.0, -1.0, 2.5, 3.0, 2.0**53, 2.0**63, -(2.0**63), 1e308, -1e308, 5e-324, 1e300]
DATES = ["0001-01-01", "1969-12-31", "2024-02-29", "2025-01-01", "9999-12-31"]
MOMENTS = ["1969-12-31T23:59:59", "2025-01-01T00:00:00", "2025-01-01T00:00:00.000001", "2025-01-01T10:00:00.500000"]

words = st.text(st.sampled_from(CHARACTERS), max_size=4) | st.text(max_size=3)
integers = st.sampled_from(INTEGERS) | st.integers(-3, 5)
numbers = st.sampled_from(NUMBERS) | st.floats(-4, 4).map(lambda v: round(v, 1)) | st.integers(-3, 5).map(float)
finite = numbers.filter(math.isfinite)
elements = words | integers | finite | st.booleans()
cells: dict[str, st.SearchStrategy[Any]] = {
    "text": words,
    "category": st.sampled_from(["cs.IR", "cs.CL", ""]) | words,
    "integer": integers,
    "number": numbers | st.sampled_from([math.nan, math.inf, -math.inf]),
    "boolean": st.booleans(),
    "date": st.sampled_from(DATES) | st.dates().map(lambda d: d.isoformat()),
    "datetime": st.sampled_from(MOMENTS) | st.datetimes().map(lambda d: d.isoformat()),
    "list": st.lists(elements | st.none() | st.lists(integers, max_size=2), max_size=3),
    "json": st.just({"a": 1}),
}
rows = st.fixed_dictionaries({field: st.none() | cells[kind] for field, kind in FIELDS.items()})
tables = st.lists(rows, min_size=1, max_size=6)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).upper()
    return quoted(value) if isinstance(value, str) else repr(value)


def named(*kinds: str) -> st.SearchStrategy[str]:
    return st.sampled_from([written(field) for field, kind in FIELDS.items() if kind in kinds])


texts = named("text", "category") | st.builds("{}({})".format, st.sampled_from(["lower", "UPPER"]), named("text"))
dates = named("date", "datetime")
lengths = st.builds("length({})".format, named("text", "list"))
parts = st.builds("{}({})".format, st.sampled_from(["year", "month", "day"]), dates)
leaves = named("integer", "number") | lengths | parts | (integers | finite).map(literal)
arithmetic = st.recursive(
    leaves,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner) | inner.map("abs({})".format),
    max_leaves=4,
)
comparisons = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
patterns = st.text(st.sampled_from("ab%_ABé*[σΣß"), max_size=4) | words
moments = st.sampled_from(DATES) | st.sampled_from(MOMENTS) | st.just("2025-01-01 01:00:00+01:00")
negation = st.sampled_from(["", "NOT "])


def listed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    options = st.lists(values.map(literal) | st.just("NULL"), min_size=1, max_size=4)
    return options.map(lambda given: "(" + ", ".join(given) + ")")


def likes(operator: str, value: str, pattern: str, escape: str) -> str:
    if escape:
        pattern = pattern.replace(escape, escape + escape)
        return f"{value} {operator} {quoted(pattern)} ESCAPE {quoted(escape)}"
    return f"{value} {operator} {quoted(pattern)}"


tests = st.one_of(
    st.builds("{} {} {}".format, texts, comparisons, texts | words.map(quoted)),
    st.builds("{} {} {}".format, arithmetic, comparisons, arithmetic),
    st.builds("{} {} {}".format, dates, comparisons, dates | moments.map(quoted)),
    st.builds("{} {} {}".format, named("boolean"), st.sampled_from(["=", "<>"]), st.sampled_from(["TRUE", "false"])),
    named("boolean"),
    st.sampled_from(["true", "FALSE"]),
    st.builds(likes, st.sampled_from(["LIKE", "ILIKE", "NOT LIKE"]), texts, patterns, st.sampled_from(["", "!", "a"])),
    st.builds("{} {}IN {}".format, texts, negation, listed(words)),
    st.builds("{} {}IN {}".format, arithmetic, negation, listed(integers | finite)),
    st.builds("{} {}IN {}".format, dates, negation, listed(moments)),
    st.builds("{} {}BETWEEN {} AND {}".format, arithmetic, negation, arithmetic, arithmetic),
    st.builds("{} {}BETWEEN {} AND {}".format, dates, negation, moments.map(quoted), moments.map(quoted)),
    st.builds("{} IS {}NULL".format, named(*FIELDS.values()) | arithmetic, negation),
    st.builds("contains({}, {})".format, named("list"), elements.map(literal)),
)
filters = st.recursive(
    tests,
    lambda inner: (
        inner.map("NOT ({})".format)
        | st.builds("({}) AND {}".format, inner, inner)
        | st.builds("{} OR ({})".format, inner, inner)
    ),
    max_leaves=5,
)


def stored(value: Any, kind: str) -> Any:
    """A value as the store keeps it."""
    if kind in ("list", "json"):
        return None if value is None else json.dumps(value)
    return value


@pytest.fixture(scope="module")
def sqlite() -> apsw.Connection:
    connection = apsw.Connection(":memory:")
    register_functions(connection)
    types = (f"{COLUMNS[field]} {SQLITE_TYPES.get(kind, 'TEXT')}" for field, kind in FIELDS.items())
    connection.execute(f"CREATE TABLE items(id INTEGER PRIMARY KEY, {', '.join(types)})")
    return connection


@pytest.fixture(scope="module")
def duck() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    types = (f"{COLUMNS[field]} {DUCKDB_TYPES.get(kind, 'VARCHAR')}" for field, kind in FIELDS.items())
    connection.execute(f"CREATE TABLE items(id BIGINT, {', '.join(types)})")
    return connection


def fill(connection: Any, table: list[dict[str, Any]]) -> None:
    connection.execute("DELETE FROM items")
    marks = ", ".join("?" * (len(FIELDS) + 1))
    for number, row in enumerate(table):
        values = [stored(row[field], kind) for field, kind in FIELDS.items()]
        connection.execute(f"INSERT INTO items VALUES ({marks})", [number, *values])


def passing(connection: Any, condition: str, parameters: tuple[Any, ...]) -> list[int]:
    found = connection.execute(f"SELECT id FROM items WHERE {condition} ORDER BY id", parameters)
    return [row[0] for row in found.fetchall()]


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(table=tables, text=filters)
def test_python_sqlite_and_duckdb_agree(table, text, sqlite, duck):
    predicate = Predicate.parse(text, FIELDS)
    columns = {field: [row[field] for row in table] for field in FIELDS}
    expected = [number for number, passes in enumerate(predicate.mask(columns)) if passes]
    fill(sqlite, table)
    assert passing(sqlite, *predicate.sqlite(COLUMNS.__getitem__)) == expected
    fill(duck, table)
    assert passing(duck, *predicate.duckdb(COLUMNS.__getitem__)) == expected


@settings(max_examples=300, deadline=None)
@given(text=filters)
def test_canonical_text_is_parsed_to_the_same_predicate(text):
    predicate = Predicate.parse(text, FIELDS)
    assert Predicate.parse(str(predicate), FIELDS) == predicate
