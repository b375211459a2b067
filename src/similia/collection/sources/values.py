"""What a piece of text is: the one place that says which strings are numbers, dates and booleans.

The rule for a cell of a CSV file (strings in JSON are strings; of these only dates and datetimes are recognised):

| cell | is read as |
| --- | --- |
| (nothing), ``""`` | null |
| ``5``, ``-12``, ``0`` | integer, where it fits in 64 bits with sign |
| ``9223372036854775808`` and beyond | text, every digit kept |
| ``1.50``, ``.5``, ``5.``, ``1e5``, ``-0`` | number (a 64-bit float; in a column of numbers, whole ones stay whole) |
| ``NaN``, ``inf``, ``-Infinity`` | number in a column with other numbers, else text |
| ``1e999`` | text: no 64-bit float holds it |
| ``007``, ``00.5``, ``+1``, ``1_000``, ``0x1F``, ``1,5``, ``12 %`` | text: codes, phone numbers, other conventions |
| ``true``, ``False``, ``TRUE`` | boolean; ``yes``, ``no``, ``t``, ``f`` are text, ``0`` and ``1`` integers |
| ``2025-03-01`` | date; ``2025-13-01``, ``01.03.2025``, ``3/1/25``, ``2025-03`` are text |
| ``2025-03-01 10:20``, ``2025-03-01T10:20:30.5+02:00`` | datetime; with an offset it is turned to UTC |
| ``[1, 2]``, ``{"a": 1}`` | list or vector, json: where the whole cell is strict JSON |
| `` 12``, ``12 `` | the same as ``12``: spaces around all of the above are ignored; in text they are kept |
| anything else, spaces alone | text |
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from similia.collection.sources.jsontext import JsonError, parse_value

INT64 = range(-(2**63), 2**63)

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
_OFFSET = "Z|z|[+-][0-9]{2}(?::?[0-9]{2})?"
_CELL = re.compile(
    " *(?:"
    "(?P<integer>0|-?[1-9][0-9]*)"
    r"|(?P<number>-?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    "|(?P<special>-?(?:[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?))"
    "|(?P<boolean>[tT][rR][uU][eE]|[fF][aA][lL][sS][eE])"
    f"|(?P<date>{_DATE})"
    f"|(?P<datetime>{_DATE}[T ]{_TIME} ?(?:{_OFFSET})?)"
    r"|(?P<json>[\[{].*[\]}])"
    ") *",
    re.DOTALL,
)
_MOMENT = re.compile(rf"({_DATE})(?:[T ]({_TIME}) ?({_OFFSET})?)?")
_CANONICAL = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.(?!000000)[0-9]{6})?")


def cell_kind(cell: str) -> str:
    """Say what one CSV cell is: integer, number, special, boolean, date, datetime, list, json or text.

    Examples:
        >>> [cell_kind(cell) for cell in ("5", "007", "1e5", "NaN", "yes", "2025-13-01", "[1, 2]", " 12")]
        ['integer', 'text', 'number', 'special', 'text', 'text', 'list', 'integer']
    """
    match = _CELL.fullmatch(cell)
    if match is None:
        return "text"
    kind = match.lastgroup or "text"
    if kind == "integer":
        return kind if len(cell) < 19 or int(cell) in INT64 else "text"
    if kind == "number":
        return kind if math.isfinite(float(cell)) else "text"
    if kind in ("date", "datetime"):
        return moment_kind(cell.strip(" "))
    if kind == "json":
        try:
            return "json" if isinstance(parse_value(cell.encode()), dict) else "list"
        except JsonError:
            return "text"
    return kind


def moment_kind(text: str) -> str:
    """Say whether a string is a date, a datetime, or only text.

    Examples:
        >>> moment_kind("1969-07-20"), moment_kind("1969-07-20T20:17:40Z"), moment_kind("July 1969")
        ('date', 'datetime', 'text')
    """
    if len(text) < 10 or text[4] != "-" or text[7] != "-":
        return "text"
    if len(text) == 10:
        return "date" if _is_date(text) else "text"
    return "text" if datetime_text(text) is None else "datetime"


def _is_date(text: str) -> bool:
    """Whether ten characters with two hyphens in their places are a day of the calendar."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def date_text(text: str) -> str | None:
    """Return a date, or a datetime at midnight, as ``YYYY-MM-DD``; None where it is neither.

    Examples:
        >>> date_text("2025-03-01T00:00:00"), date_text("2025-02-29")
        ('2025-03-01', None)
    """
    text = text.strip(" ")
    match = _MOMENT.fullmatch(text)
    if match is None:
        return None
    if match[2] is None:
        return text if _is_date(text) else None
    moment = datetime_text(text)
    return moment[:10] if moment is not None and moment[10:] == "T00:00:00" else None


def datetime_text(text: str) -> str | None:
    """Return a date or datetime as ``YYYY-MM-DDTHH:MM:SS[.ffffff]``, in UTC if it had an offset, as it was if not.

    None where it is no valid moment of the years 1 to 9999, or finer than a microsecond.

    Examples:
        >>> datetime_text("2025-03-01 10:20+02:00"), datetime_text("1969-07-20"), datetime_text("2025-03-01T25:00")
        ('2025-03-01T08:20:00', '1969-07-20T00:00:00', None)
    """
    if _CANONICAL.fullmatch(text):
        try:
            datetime.fromisoformat(text)
        except ValueError:
            return None
        return text
    match = _MOMENT.fullmatch(text.strip(" "))
    if match is None:
        return None
    day, clock, offset = match[1], match[2] or "00:00", match[3] or ""
    whole, _, fraction = clock.partition(".")
    if fraction[6:].strip("0"):
        return None
    try:
        moment = datetime.fromisoformat(f"{day}T{whole}{'.' + fraction[:6].ljust(6, '0') if fraction else ''}{offset}")
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat()


def cell_number(cell: str) -> int | float:
    """Return the number that a cell of kind integer, number or special holds.

    Examples:
        >>> cell_number("9007199254740993"), cell_number("1.50"), cell_number("-0")
        (9007199254740993, 1.5, -0.0)
    """
    match = _CELL.fullmatch(cell)
    return int(cell) if match is not None and match.lastgroup == "integer" else float(cell)


def render(value: Any) -> str:
    """Return a JSON-like value as text, as it would stand in JSON, strings as they are.

    Examples:
        >>> [render(value) for value in ("a", True, 5, 0.5, float("nan"), [1, "b"])]
        ['a', 'true', '5', '0.5', 'NaN', '[1,"b"]']
    """
    if type(value) is str:
        return value
    if type(value) is int:
        return str(value)
    if hasattr(value, "tolist"):
        value = value.tolist()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def decimal_value(value: Decimal) -> int | float | str:
    """Return a decimal as a JSON-like value that loses nothing.

    A whole number becomes an int, one that the nearest float still spells becomes that float, others text.

    Examples:
        >>> [decimal_value(Decimal(text)) for text in ("1.10", "5.00", "0.12345678901234567890")]
        [1.1, 5, '0.12345678901234567890']
    """
    if not value.is_finite():
        return float(value)
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else f"{value:f}"
