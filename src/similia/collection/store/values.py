"""Records as exact JSON text, the typed columns that are made from them, and the SQL that reads a field.

The record is the truth. A typed column is for filters and facets: an integer beyond 64 bits stands in it as the nearest
float, NaN as NULL, a date in a datetime field as its midnight.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from similia.collection.store.schema import StoredField
from similia.errors import CollectionDamaged, InputError

_MOST = 2**63
RESTORE = "run `similia check`, or restore a backup"


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} {value!r:.40} is not text, a number, a boolean, null, a list or a dict")


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), default=_plain).encode


def dump(value: Any) -> str:
    """Return JSON text that `load` turns back into the same value (NaN, infinity and big integers too)."""
    return _encode(value)


load = json.loads


def checksum(text: str) -> int:
    """CRC-32 of the text: what SQLite's own check cannot see, a changed byte inside a record, shows in it."""
    return zlib.crc32(text.encode())


def description_checksum(row: Sequence[Any]) -> int:
    """CRC-32 of a row that describes something; -1, which none has, for what was never written so."""
    try:
        return checksum(dump(list(row)))
    except (TypeError, ValueError):
        return -1


def dump_records(keys: Sequence[str], records: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[int]]:
    """Return each record's JSON text and checksum.

    Raises:
        InputError: a value that JSON has no form for, or text that is not Unicode; names the item.
    """
    texts: list[str] = []
    checksums: list[int] = []
    try:
        for record in records:
            text = _encode(record)
            checksums.append(zlib.crc32(text.encode()))
            texts.append(text)
    except (TypeError, ValueError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        if isinstance(error, UnicodeEncodeError):
            said = f"text with {error.object[error.start]!r}, half of a UTF-16 pair, which is not Unicode"
        raise InputError(f"item {keys[len(texts)]!r:.80}: the record cannot be stored: {said}") from None
    return texts, checksums


def load_record(text: str | None, stored: int, key: object, folder: object = "the collection") -> dict[str, Any]:
    """Return the record of a row, or say that its bytes are not those that were written.

    Raises:
        CollectionDamaged: the checksum does not agree.
    """
    if type(text) is not str or zlib.crc32(text.encode()) != stored:
        item = f"number {key}" if isinstance(key, int) else f"{key!r:.80}"
        raise CollectionDamaged(
            f"{folder}: the record of item {item} was changed from outside; run `similia check`, "
            "then restore a backup or add the item again"
        )
    record: dict[str, Any] = load(text)
    return record


def column_values(field: StoredField, keys: Sequence[str], values: Sequence[Any]) -> Sequence[Any]:
    """Return what the typed column of ``field`` holds for these values of records.

    Raises:
        InputError: a value that does not fit the type; names the item.
    """
    kinds = set(map(type, values))
    if kinds <= _AS_IS[field.type]:
        return values
    convert = _CONVERT[field.type]
    try:
        return [None if value is None else convert(value) for value in values]
    except (TypeError, ValueError):
        pass
    for key, value in zip(keys, values, strict=True):
        try:
            _ = None if value is None else convert(value)
        except (TypeError, ValueError):
            raise InputError(
                f"item {key!r:.80}: field {field.name!r} is of type {field.type} and cannot hold {value!r:.80}"
            ) from None
    raise AssertionError("unreachable: one value did not convert")


def _integer(value: Any) -> int | float:
    value = _scalar(value)
    if type(value) is not int:
        raise TypeError
    return value if -_MOST <= value < _MOST else _float(value)


def _float(value: Any) -> float:
    value = _scalar(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _boolean(value: Any) -> int:
    value = _scalar(value)
    if not isinstance(value, bool):
        raise TypeError
    return int(value)


def _date(value: Any) -> str:
    return date.fromisoformat(value).isoformat()


def _datetime(value: Any) -> str:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return moment.isoformat()


def _category(value: Any) -> str | None:
    return None if _is_nan(value) else as_text(value)


def as_text(value: Any) -> str:
    """Return the text of a value in a text or category field: itself, or else its JSON."""
    return value if isinstance(value, str) else dump(value)


def _scalar(value: Any) -> Any:
    return value.item() if isinstance(value, np.generic) else value


_NONE = type(None)
_CONVERT: Mapping[str, Callable[[Any], Any]] = {
    "category": _category,
    "integer": _integer,
    "number": _float,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
}
_AS_IS: Mapping[str, set[type]] = {
    "category": {str, _NONE},
    "integer": {_NONE},
    "number": {float, _NONE},
    "boolean": {bool, _NONE},
    "date": {_NONE},
    "datetime": {_NONE},
}


def text_values(values: Iterable[Any]) -> list[str | None]:
    """Return what the full-text column of a field holds for these values of records."""
    return [
        value if type(value) is str or value is None else None if _is_nan(value) else as_text(value) for value in values
    ]


def _is_nan(value: Any) -> bool:
    return isinstance(value, float) and value != value


def path(name: str) -> str:
    r"""Return the SQL literal of the JSON path of a field, whatever its name holds.

    Examples:
        >>> path("it's 1.5\"")
        '\'$."it\'\'s 1.5\\""\''
    """
    quoted = json.dumps(name, ensure_ascii=False).replace("'", "''")
    return f"'$.{quoted}'"


def expression(field: StoredField, items: str = "i", records: str = "r") -> str:
    """Return the SQL expression of a field's value: its column, or what stands in the record."""
    if field.column is not None:
        return f"{items}.{field.column}"
    where = path(field.name)
    json_form = f"nullif({records}.record -> {where}, 'null')"
    if field.type in ("list", "json", "vector"):
        return json_form
    # A text field may hold numbers from before it was widened: their text is their JSON.
    return (
        f"CASE json_type({records}.record, {where}) WHEN 'text' THEN {records}.record ->> {where} ELSE {json_form} END"
    )
