"""What a filter means, readable: three-valued logic over columns of Python values.

True, False or None (unknown) for each row; a row passes where the whole is True. The SQL is tested against this.
"""

from __future__ import annotations

import json
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, TypeAlias

import numpy as np

from similia.errors import InputError
from similia.index.where import casing
from similia.index.where.coerce import INT64
from similia.index.where.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Condition,
    Constant,
    Contains,
    Expression,
    Field,
    IsNull,
    Kind,
    Like,
    Not,
    OneOf,
    Or,
    Truth,
    Value,
    walk,
)
from similia.types import Bool

Values: TypeAlias = list[Any]
Truths: TypeAlias = list[bool | None]

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_CALL: dict[str, Callable[[Any], Any]] = {
    "lower": casing.lower,
    "upper": casing.upper,
    "length": len,
    "abs": lambda number: abs(float(number)),
    "year": lambda day: int(day[:4]),
    "month": lambda day: int(day[5:7]),
    "day": lambda day: int(day[8:10]),
    "midnight": lambda day: f"{day}T00:00:00",
}
_ARITHMETIC: dict[str, Callable[[float, float], float | None]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": lambda a, b: None if b == 0 else a / b,
}


def mask(root: Condition, columns: Mapping[str, Sequence[Any]]) -> Bool:
    """Which rows pass, bool (n,)."""
    kinds = {node.name: node.kind for node in walk(root) if isinstance(node, Field)}
    missing = sorted(kinds.keys() - columns.keys())
    if missing:
        raise InputError(f"the filter needs the column {missing[0]!r}, which is not given")
    lengths = {len(column) for column in columns.values()}
    if len(lengths) > 1:
        raise InputError(f"the columns have {sorted(lengths)} rows; they must have one length")
    rows = lengths.pop() if lengths else 0
    cleaned = {name: [clean(value, kind) for value in columns[name]] for name, kind in kinds.items()}
    truths = _condition(root, cleaned, rows)
    return np.fromiter((truth is True for truth in truths), dtype=np.bool_, count=rows)


def has_element(elements: Any, element: Any) -> bool:
    """Whether a list has an element of the same JSON kind (text, number, boolean) that equals ``element``."""
    if not isinstance(elements, list | tuple):
        return False
    wanted = _element(element)
    return any(_element(candidate) == wanted for candidate in elements)


def _element(value: Any) -> tuple[str, Any]:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool):
        return "boolean", value
    if isinstance(value, str):
        return "text", value
    if isinstance(value, int | float):
        return "number", value if isinstance(value, float) or value in INT64 else float(value)
    return "other", id(value)


def clean(value: Any, kind: Kind) -> Any:
    """A value as the store would have it; None where it is missing."""
    if isinstance(value, np.datetime64):
        value = (
            None if np.isnat(value) else value.astype("datetime64[D]" if kind == "date" else "datetime64[us]").item()
        )
    elif isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if kind in ("date", "datetime"):
        return _iso(value)
    if kind == "list":
        loaded = json.loads(value) if isinstance(value, str) else value
        return loaded.tolist() if isinstance(loaded, np.ndarray) else list(loaded)
    convert: dict[str, Callable[[Any], Any]] = {"text": str, "integer": int, "number": float, "boolean": bool}
    return convert.get(kind, lambda same: same)(value)


def _iso(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return value.isoformat() if isinstance(value, date) else str(value)


def _condition(node: Condition, columns: Mapping[str, Values], rows: int) -> Truths:
    match node:
        case And(terms):
            return [_all(row) for row in zip(*(_condition(term, columns, rows) for term in terms), strict=True)]
        case Or(terms):
            return [_any(row) for row in zip(*(_condition(term, columns, rows) for term in terms), strict=True)]
        case Not(term):
            return [None if truth is None else not truth for truth in _condition(term, columns, rows)]
        case Constant(value):
            return [value] * rows
        case Truth(field):
            return _values(field, columns, rows)
        case IsNull(value):
            return [item is None for item in _values(value, columns, rows)]
        case Compare(sign, left, right):
            compare = _COMPARE[sign]
            pairs = zip(_values(left, columns, rows), _values(right, columns, rows), strict=True)
            return [None if a is None or b is None else compare(a, b) for a, b in pairs]
        case OneOf(value, options, null):
            wanted = {option.value for option in options}
            otherwise = None if null else False
            return [None if item is None else item in wanted or otherwise for item in _values(value, columns, rows)]
        case Like(value, pattern, fold):
            matches = pattern.compile().match
            texts = _values(value, columns, rows)
            return [None if t is None else matches(casing.fold(t) if fold else t) is not None for t in texts]
        case Contains(field, element):
            return [None if x is None else has_element(x, element.value) for x in _values(field, columns, rows)]


def _all(row: tuple[bool | None, ...]) -> bool | None:
    return False if False in row else None if None in row else True


def _any(row: tuple[bool | None, ...]) -> bool | None:
    return True if True in row else None if None in row else False


def _values(node: Expression, columns: Mapping[str, Values], rows: int) -> Values:
    match node:
        case Field(name):
            return columns[name]
        case Value(value):
            return [value] * rows
        case Call(function, argument):
            call = _CALL[function]
            return [None if item is None else call(item) for item in _values(argument, columns, rows)]
        case Arithmetic(sign, left, right):
            pairs = zip(_values(left, columns, rows), _values(right, columns, rows), strict=True)
            return [_number(sign, a, b) for a, b in pairs]


def _number(sign: str, a: Any, b: Any) -> float | None:
    if a is None or b is None:
        return None
    result = _ARITHMETIC[sign](float(a), float(b))
    return None if result is None or math.isnan(result) else result
