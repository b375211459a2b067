"""Filters in SQLite, with helper functions in Python where its own mean something else.

SQLite's LIKE ignores the case of ASCII letters only, its ``lower`` and ``upper`` know no others, and its text functions
stop at a NUL character; hence the ``similia_...`` functions, and GLOB, which heeds case, where there is no NUL.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from similia.index.where import casing
from similia.index.where.mask import has_element
from similia.index.where.pattern import Pattern
from similia.index.where.sql import Sql, sql
from similia.index.where.tree import Kind, Like, Value

if TYPE_CHECKING:
    import re

    import apsw


def register_functions(connection: apsw.Connection) -> None:
    """Give an APSW connection the functions that filters need; to be done once for each connection."""
    functions: tuple[tuple[str, Callable[..., Any], int], ...] = (
        ("similia_lower", _lower, 1),
        ("similia_upper", _upper, 1),
        ("similia_length", _length, 1),
        ("similia_like", _like, 2),
        ("similia_ilike", _ilike, 2),
        ("similia_contains", _contains, 2),
    )
    for name, function, arguments in functions:
        connection.create_scalar_function(name, function, arguments, deterministic=True)


class SQLite:
    """The `similia.index.where.sql.Dialect` of SQLite; values as in the store, dates as ISO-8601 text."""

    def value(self, value: Any, kind: Kind) -> Sql:
        return Sql("?", (int(value) if kind == "boolean" else value,))

    def real(self, operand: Sql) -> Sql:
        return sql("CAST({} AS REAL)", operand)

    def divide(self, left: Sql, right: Sql) -> Sql:
        return sql("({} / {})", left, right)

    def known(self, operand: Sql, kind: Kind) -> Sql:
        return operand  # SQLite stores and computes NULL for NaN

    def call(self, function: str, argument: Sql, kind: Kind) -> Sql:
        templates = {
            "lower": "similia_lower({})",
            "upper": "similia_upper({})",
            "length": "json_array_length({})" if kind == "list" else "similia_length({})",
            "abs": "abs(CAST({} AS REAL))",
            "year": "CAST(substr({}, 1, 4) AS INTEGER)",
            "month": "CAST(substr({}, 6, 2) AS INTEGER)",
            "day": "CAST(substr({}, 9, 2) AS INTEGER)",
            "midnight": "({} || 'T00:00:00')",
        }
        return sql(templates[function], argument)

    def compare(self, operator: str, left: Sql, right: Sql, kinds: tuple[Kind, Kind]) -> Sql:
        return sql(f"({{}} {operator} {{}})", left, right)

    def like(self, value: Sql, node: Like) -> Sql:
        pattern = Sql("?", (f"{node.pattern}",))
        if node.fold:
            return sql("similia_ilike({}, {})", value, pattern)
        glob = node.pattern.glob()
        slow = sql("similia_like({}, {})", value, pattern)
        if "\0" in glob:
            return slow
        fast = sql("({} GLOB {})", value, Sql("?", (glob,)))
        return sql("(CASE WHEN instr({}, char(0)) > 0 THEN {} ELSE {} END)", value, slow, fast)

    def contains(self, value: Sql, element: Value) -> Sql:
        return sql("similia_contains({}, {})", value, Sql("?", (json.dumps(element.value),)))

    def truth(self, value: Sql) -> Sql:
        return sql("({} <> 0)", value)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return Pattern.parse(pattern, "\\").compile()


def _lower(text: Any) -> str | None:
    return None if text is None else casing.lower(str(text))


def _upper(text: Any) -> str | None:
    return None if text is None else casing.upper(str(text))


def _length(text: Any) -> int | None:
    return None if text is None else len(str(text))


def _like(text: Any, pattern: str) -> bool | None:
    return None if text is None else _compiled(pattern).match(str(text)) is not None


def _ilike(text: Any, pattern: str) -> bool | None:
    return None if text is None else _compiled(pattern).match(casing.fold(str(text))) is not None


def _contains(elements: Any, element: str) -> bool | None:
    return None if elements is None else has_element(json.loads(elements), json.loads(element))
