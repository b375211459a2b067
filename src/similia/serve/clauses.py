"""Filters as lists of clauses, so that a click can add one, take one away, or show that it is on.

Only the clauses that a click makes are understood here; whatever else a filter says stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

_TOKEN = re.compile(r"'(?:[^']|'')*'?|\"(?:[^\"]|\"\")*\"?|\w+|\s+|.", re.DOTALL)
_PLAIN = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_RESERVED = frozenset({"and", "or", "not", "in", "between", "like", "ilike", "escape", "is", "null", "true", "false"})


def column(field: str) -> str:
    """``field`` as a filter names it: quoted unless it is a plain word and none of the language.

    Examples:
        >>> column("year_2"), column("Main area"), column('a"b')
        ('year_2', '"Main area"', '"a""b"')
    """
    if _PLAIN.fullmatch(field) and field.lower() not in _RESERVED:
        return field
    return '"' + field.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """``value`` as a filter writes it.

    Examples:
        >>> literal(True), literal(3), literal("it's")
        ('TRUE', '3', "'it''s'")
    """
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (int, float)):
        return repr(value)
    return "'" + str(value).replace("'", "''") + "'"


def split(where: str) -> list[str]:
    """The parts of a filter that AND joins at its top level; one part where OR stands there too.

    Examples:
        >>> split("a = 1 AND (b = 2 OR c = 'x AND y') AND d BETWEEN 1 AND 2")
        ['a = 1', "(b = 2 OR c = 'x AND y')", 'd BETWEEN 1 AND 2']
        >>> split("(a BETWEEN 1 AND 2) AND b = 1")
        ['(a BETWEEN 1 AND 2)', 'b = 1']
        >>> split("a = 1 OR b = 2 AND c = 3")
        ['a = 1 OR b = 2 AND c = 3']
    """
    parts, current, depth, between = [], "", 0, False
    for said in _TOKEN.findall(where):
        word = said.upper()
        depth += (said == "(") - (said == ")")
        if depth == 0 and word == "OR":
            return [where.strip()]
        if depth == 0 and word == "AND" and not between:
            parts.append(current.strip())
            current = ""
            continue
        if depth == 0:
            between = word == "BETWEEN" or (between and word != "AND")
        current += said
    parts.append(current.strip())
    return [part for part in parts if part]


def join(parts: list[str]) -> str:
    """The filter that says all of ``parts``; one that says OR is put in parentheses beside others.

    Examples:
        >>> join(["a = 1 OR b = 2", "c = 3"])
        '(a = 1 OR b = 2) AND c = 3'
    """
    if len(parts) == 1:
        return parts[0]
    return " AND ".join(f"({part})" if _says_or(part) else part for part in parts)


def _says_or(part: str) -> bool:
    depth = 0
    for said in _TOKEN.findall(part):
        depth += (said == "(") - (said == ")")
        if depth == 0 and said.upper() == "OR":
            return True
    return False


def _name(field: str) -> str:
    """Pattern of ``field`` in a filter, quoted or not."""
    quoted = '"' + field.replace('"', '""') + '"'
    return f"(?:{re.escape(column(field))}|{re.escape(quoted)})"


def chosen(where: str, field: str, kind: str) -> list[str]:
    """The literals that clicks on values of ``field`` have put in the filter.

    Examples:
        >>> chosen("area IN ('x', 'y') AND n = 2", "area", "category")
        ["'x'", "'y'"]
    """
    return [value for part in split(where) for value in _values(part, field, kind)]


def _values(part: str, field: str, kind: str) -> Iterator[str]:
    name = _name(field)
    value = r"'(?:[^']|'')*'|-?\d[\w.+-]*|TRUE|FALSE"
    if kind == "list":
        match = re.fullmatch(rf"contains\({name}, ({value})\)", part)
    else:
        match = re.fullmatch(rf"{name} = ({value})", part) or re.fullmatch(
            rf"{name} IN \(((?:{value})(?:, (?:{value}))*)\)", part
        )
    if match:
        yield from re.findall(value, match[1])


def toggled(where: str, field: str, kind: str, value: Any) -> str:
    """The filter after a click on ``value`` of ``field``: off if it was on; beside others of its field, any of them.

    Examples:
        >>> toggled("", "area", "category", "x")
        "area = 'x'"
        >>> toggled("area = 'x' AND n > 2", "area", "category", "y")
        "n > 2 AND area IN ('x', 'y')"
        >>> toggled("area = 'x'", "area", "category", "x")
        ''
    """
    parts = split(where)
    said = literal(value)
    values = [one for part in parts for one in _values(part, field, kind)]
    values = [one for one in values if one != said] if said in values else [*values, said]
    rest = [part for part in parts if not list(_values(part, field, kind))]
    name = column(field)
    if kind == "list":
        rest += [f"contains({name}, {one})" for one in values]
    elif len(values) == 1:
        rest.append(f"{name} = {values[0]}")
    elif values:
        rest.append(f"{name} IN ({', '.join(values)})")
    return join(rest)


def without(where: str, field: str, kind: str) -> str:
    """The filter without the clauses that clicks on values or a range of ``field`` have put there.

    Examples:
        >>> without("area = 'x' AND n >= 2 AND n < 5", "n", "integer")
        "area = 'x'"
    """
    return join([p for p in split(where) if not list(_values(p, field, kind)) and not list(_bounds(p, field))])


def bounds(where: str, field: str) -> dict[str, str]:
    """The range of ``field`` that the filter sets: operator to literal.

    Examples:
        >>> bounds("day >= '2025-01-01' AND day < '2025-02-01'", "day")
        {'>=': "'2025-01-01'", '<': "'2025-02-01'"}
    """
    return dict(pair for part in split(where) for pair in _bounds(part, field))


def _bounds(part: str, field: str) -> Iterator[tuple[str, str]]:
    match = re.fullmatch(rf"{_name(field)} (>=|<=|<) ('(?:[^']|'')*'|-?\d[\w.+-]*)", part)
    if match:
        yield match[1], match[2]


def ranged(where: str, field: str, *, low: Any = None, high: Any = None, below: Any = None) -> str:
    """The filter with the range of ``field`` set anew: from ``low`` to ``high``, or to less than ``below``.

    Examples:
        >>> ranged("n >= 2 AND a = 1", "n", low=3, below=9)
        'a = 1 AND n >= 3 AND n < 9'
    """
    parts = [part for part in split(where) if not list(_bounds(part, field))]
    given = ((">=", low), ("<=", high), ("<", below))
    parts += [f"{column(field)} {sign} {literal(value)}" for sign, value in given if value is not None]
    return join(parts)
