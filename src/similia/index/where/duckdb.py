"""Filters in DuckDB, over columns in the forms of the store: dates as ISO-8601 text, lists as JSON text.

DuckDB counts NaN as equal to itself and above everything, compares a BIGINT with a DOUBLE after rounding, and divides
by zero to infinity; the templates below say what the tree means instead. Its LIKE can take exponential time, so a
pattern becomes a prefix, suffix or substring test where it can, and a linear-time regular expression where not.
"""

from __future__ import annotations

from typing import Any

from similia.index.where.coerce import INT64
from similia.index.where.sql import Sql, sql
from similia.index.where.tree import Kind, Like, Value

_TYPES: dict[str, str] = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}
_TEXT = Sql("json_extract_string(e, '$')")
_FLIPPED = {"=": "=", "<>": "<>", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


class DuckDB:
    """The `similia.index.where.sql.Dialect` of DuckDB."""

    def value(self, value: Any, kind: Kind) -> Sql:
        return Sql(f"CAST(? AS {_TYPES.get(kind, 'VARCHAR')})", (value,))

    def real(self, operand: Sql) -> Sql:
        return sql("CAST({} AS DOUBLE)", operand)

    def divide(self, left: Sql, right: Sql) -> Sql:
        return sql("({} / nullif({}, 0.0::DOUBLE))", left, right)

    def known(self, operand: Sql, kind: Kind) -> Sql:
        return sql("nullif({}, 'NaN'::DOUBLE)", operand) if kind == "number" else operand

    def call(self, function: str, argument: Sql, kind: Kind) -> Sql:
        templates = {
            "lower": "lower({})",
            "upper": "upper({})",
            "length": f"CAST({'json_array_length' if kind == 'list' else 'length'}({{}}) AS BIGINT)",
            "abs": "abs(CAST({} AS DOUBLE))",
            "year": "CAST(substr({}, 1, 4) AS BIGINT)",
            "month": "CAST(substr({}, 6, 2) AS BIGINT)",
            "day": "CAST(substr({}, 9, 2) AS BIGINT)",
            "midnight": "({} || 'T00:00:00')",
        }
        return sql(templates[function], argument)

    def compare(self, operator: str, left: Sql, right: Sql, kinds: tuple[Kind, Kind]) -> Sql:
        if kinds == ("integer", "number"):
            return _exact(operator, left, right)
        if kinds == ("number", "integer"):
            return _exact(_FLIPPED[operator], right, left)
        return sql(f"({{}} {operator} {{}})", left, right)

    def like(self, value: Sql, node: Like) -> Sql:
        if node.fold:
            value = sql("lower(upper({}))", value)
        literals = node.pattern.literals()
        match literals:
            case (whole,):
                return sql("({} = {})", value, self.value(whole, "text"))
            case (start, ""):
                return sql("starts_with({}, {})", value, self.value(start, "text"))
            case ("", end):
                return sql("ends_with({}, {})", value, self.value(end, "text"))
            case ("", part, ""):
                return sql("contains({}, {})", value, self.value(part, "text"))
        return sql("regexp_full_match({}, {}, 's')", value, self.value(node.pattern.regex(), "text"))

    def contains(self, value: Sql, element: Value) -> Sql:
        if isinstance(element.value, bool):
            wanted = self.value(str(element.value).lower(), "text")
            return _any_element(value, sql("json_type(e) = 'BOOLEAN' AND {} = {}", _TEXT, wanted))
        if isinstance(element.value, str):
            wanted = self.value(element.value, "text")
            return _any_element(value, sql("json_type(e) = 'VARCHAR' AND {} = {}", _TEXT, wanted))
        whole, real = _exactly(element.value)
        as_whole = (
            Sql("FALSE") if whole is None else sql("(TRY_CAST({} AS BIGINT) = {})", _TEXT, self.value(whole, "integer"))
        )
        as_real = (
            Sql("FALSE") if real is None else sql("(TRY_CAST({} AS DOUBLE) = {})", _TEXT, self.value(real, "number"))
        )
        is_real = "(json_type(e) = 'DOUBLE' OR TRY_CAST({} AS BIGINT) IS NULL)"
        is_number = "json_type(e) IN ('BIGINT', 'UBIGINT', 'HUGEINT', 'DOUBLE')"
        test = f"{is_number} AND CASE WHEN {is_real} THEN {{}} ELSE {{}} END"
        return _any_element(value, sql(test, _TEXT, as_real, as_whole))

    def truth(self, value: Sql) -> Sql:
        return value


def _exactly(value: int | float) -> tuple[int | None, float | None]:
    """The 64-bit integer and the 64-bit float that a number equals, if any."""
    whole = int(value) if value == int(value) and int(value) in INT64 else None
    return whole, float(value) if float(value) == value else None


def _any_element(value: Sql, test: Sql) -> Sql:
    return sql("(len([e FOR e IN json_extract({}, '$[*]') IF {}]) > 0)", value, test)


def _exact(operator: str, whole: Sql, broken: Sql) -> Sql:
    """Compare a BIGINT with a DOUBLE without rounding the first: the second is rounded where that changes nothing."""
    rounding = {"<": "ceil", ">=": "ceil", "<=": "floor", ">": "floor", "=": "floor", "<>": "floor"}[operator]
    # Beyond 64 bits every number is on one side of all integers, whatever it is.
    clamped = f"CAST({rounding}(least(greatest({{}}, -1e19::DOUBLE), 1e19::DOUBLE)) AS HUGEINT)"
    test = f"{{}} {operator} {clamped}"
    parts = [whole, broken]
    if operator in ("=", "<>"):
        test += f" {'AND' if operator == '=' else 'OR'} {{}} {operator} floor({{}})"
        parts += [broken, broken]
    # least and greatest pass over NULL, and NULL AND FALSE is FALSE, so it is asked for.
    return sql(f"(CASE WHEN {{}} IS NOT NULL AND {{}} IS NOT NULL THEN {test} END)", whole, broken, *parts)
