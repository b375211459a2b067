"""What may be compared with what, and how a literal becomes a value of the other side's kind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime

from similia.errors import FilterError
from similia.index.where.tree import Call, Expression, Field, Kind, Value
from similia.index.where.words import shortened

INT64 = range(-(2**63), 2**63)
_NUMERIC = ("integer", "number")
_TEMPORAL = ("date", "datetime")
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_DATETIME = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(:\d\d(\.\d{1,6})?)?)(Z|[+-]\d\d:?\d\d)?", re.ASCII | re.IGNORECASE
)


def number(text: str) -> Value:
    """A numeric literal: an integer where it has the form of one and fits in 64 bits, else a 64-bit float."""
    if text.lstrip("-").isdigit() and len(text) < 25 and int(text) in INT64:
        return Value(int(text), "integer")
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise FilterError(f"the number {text[:20]}... is beyond the range of a 64-bit floating point number")
    return Value(value, "number")


def temporal(text: str, *, kind: Kind | None = None) -> Value:
    """A date or datetime literal in the form of the store; a time with an offset is turned to UTC."""
    try:
        if kind != "datetime" and _DATE.fullmatch(text):
            return Value(date.fromisoformat(text).isoformat(), "date")
        if kind != "date" and (found := _DATETIME.fullmatch(text) or _DATE.fullmatch(text)):
            moment = datetime.fromisoformat(found[0].upper())
            if moment.tzinfo is not None:
                moment = moment.astimezone(UTC).replace(tzinfo=None)
            return Value(moment.isoformat(), "datetime")
    except (ValueError, OverflowError):
        pass
    forms = {"date": "'YYYY-MM-DD'", "datetime": "'YYYY-MM-DD HH:MM:SS'"}
    raise FilterError(f"{shortened(text)} is not a date; write {forms.get(kind or '', ' or '.join(forms.values()))}")


def comparable(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Bring two sides of a comparison to kinds that compare, or say why they do not."""
    for side in (left, right):
        _check_scalar(side)
    if left.kind in _TEMPORAL and right.kind == "text":
        right = _as_temporal(right, left)
    elif right.kind in _TEMPORAL and left.kind == "text":
        left = _as_temporal(left, right)
    if left.kind == right.kind or (left.kind in _NUMERIC and right.kind in _NUMERIC):
        return left, right
    if left.kind in _TEMPORAL and right.kind in _TEMPORAL:
        return _as_datetime(left), _as_datetime(right)
    raise FilterError(_mismatch(left, right))


def members(value: Expression, options: Sequence[Value]) -> tuple[Value, ...]:
    """The options of an IN list in the kind of the value; numbers that it can never equal are left out."""
    out: dict[Value, None] = {}
    for option in options:
        other = comparable(option, value)[0]
        if not isinstance(other, Value):
            raise AssertionError("a literal stays a literal")
        if value.kind == "date" and other.kind == "datetime":
            day, _, time = str(other.value).partition("T")
            if time != "00:00:00":
                continue
            other = Value(day, "date")
        if value.kind == "integer":
            if other.value != int(other.value) or int(other.value) not in INT64:
                continue
            other = Value(int(other.value), "integer")
        elif value.kind == "number":
            if float(other.value) != other.value:
                continue
            other = Value(float(other.value), "number")
        out[other] = None
    return tuple(out)


def describe(side: Expression) -> str:
    """A side of a comparison in words."""
    if isinstance(side, Field):
        return f"{side.name} ({side.kind})"
    if isinstance(side, Value):
        return f"the {side.kind} {shortened(side.value) if isinstance(side.value, str) else side.value}"
    return f"{side.name}(...) ({side.kind})" if isinstance(side, Call) else "an arithmetic result (number)"


def _check_scalar(side: Expression) -> None:
    if side.kind == "list":
        raise FilterError(f"{describe(side)} does not compare; write contains(field, 'value') or length(field)")
    if side.kind in ("json", "vector", "image"):
        raise FilterError(f"{describe(side)} does not compare; only IS NULL and IS NOT NULL take it")


def _as_temporal(side: Expression, other: Expression) -> Expression:
    if isinstance(side, Value):
        try:
            return temporal(str(side.value))
        except FilterError as error:
            raise FilterError(f"{describe(other)}: {error}") from None
    raise FilterError(_mismatch(side, other))


def _as_datetime(side: Expression) -> Expression:
    if side.kind == "datetime":
        return side
    if isinstance(side, Value):
        return temporal(str(side.value), kind="datetime")
    return Call("midnight", side, "datetime")


def _mismatch(left: Expression, right: Expression) -> str:
    kinds = {left.kind, right.kind}
    hint = "the two sides must be of one kind"
    if "boolean" in kinds:
        hint = "compare it with true or false"
    elif "text" in kinds and kinds & set(_NUMERIC):
        hint = "write numbers without quotes and texts in 'single' quotes"
    elif kinds & set(_TEMPORAL) and kinds & set(_NUMERIC):
        hint = "write a date as 'YYYY-MM-DD', or take year(...), month(...) or day(...) of it"
    return f"{describe(left)} cannot be compared with {describe(right)}; {hint}"
