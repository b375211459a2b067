"""Rows as Arrow, pandas and polars tables, where those packages are installed; and values as plain JSON."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from similia.errors import MissingDependency


@dataclass(frozen=True)
class TypedColumn:
    """Values of one kind: integer, number, boolean, date, datetime, list, vector or text; None where one is missing."""

    kind: str
    values: list[Any]


def typed(kind: str, values: Sequence[Any]) -> TypedColumn:
    """Values as the kind that their field type asks for; text (JSON of what is no string) where one does not fit.

    Args:
        kind: a field type of the collection.
        values: as records hold them.

    Examples:
        >>> typed("date", ["2024-02-29", None]).values
        [datetime.date(2024, 2, 29), None]
        >>> typed("integer", [1, 2**70]).values
        ['1', '1180591620717411303424']
    """
    convert = _CONVERTERS.get(kind)
    if convert is not None:
        try:
            return TypedColumn(kind, [None if value is None else convert(value) for value in values])
        except (ValueError, TypeError, OverflowError):
            pass
    return TypedColumn("text", [None if value is None else _text(value) for value in values])


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(value)
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def _list(value: Any) -> list[str]:
    if not isinstance(value, (list, tuple)):
        raise TypeError(value)
    return [_text(part) for part in value]


def _vector(value: Any) -> list[float]:
    return [_number(part) for part in value]


_CONVERTERS: Mapping[str, Callable[[Any], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": date.fromisoformat,
    "datetime": datetime.fromisoformat,
    "list": _list,
    "vector": _vector,
}


def _needs(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise MissingDependency(f"this needs {package}, which is not installed: pip install {package}") from None


def to_arrow(columns: Mapping[str, TypedColumn]) -> Any:
    """A ``pyarrow.Table``."""
    pa = _needs("pyarrow", "pyarrow")
    types = {
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "date": pa.date32(),
        "datetime": pa.timestamp("us"),
        "list": pa.list_(pa.string()),
        "vector": pa.list_(pa.float32()),
        "text": pa.string(),
    }
    return pa.table({name: pa.array(column.values, types[column.kind]) for name, column in columns.items()})


def to_pandas(columns: Mapping[str, TypedColumn]) -> Any:
    """A ``pandas.DataFrame``."""
    pd = _needs("pandas", "pandas")

    def series(column: TypedColumn) -> Any:
        missing = None in column.values
        if column.kind == "integer":
            return pd.array(column.values, dtype="Int64" if missing else "int64")
        if column.kind == "boolean":
            return pd.array(column.values, dtype="boolean" if missing else "bool")
        if column.kind == "number":
            return np.array([math.nan if value is None else value for value in column.values], np.float64)
        if column.kind in ("date", "datetime"):
            unit = "s" if column.kind == "date" else "us"
            return np.array(["NaT" if v is None else v for v in column.values], dtype=f"datetime64[{unit}]")
        return pd.Series(column.values, dtype=object)

    return pd.DataFrame({name: series(column) for name, column in columns.items()})


def to_polars(columns: Mapping[str, TypedColumn]) -> Any:
    """A ``polars.DataFrame``."""
    pl = _needs("polars", "polars")
    types = {
        "integer": pl.Int64,
        "number": pl.Float64,
        "boolean": pl.Boolean,
        "date": pl.Date,
        "datetime": pl.Datetime("us"),
        "list": pl.List(pl.String),
        "vector": pl.List(pl.Float32),
        "text": pl.String,
    }
    return pl.DataFrame([pl.Series(name, column.values, types[column.kind]) for name, column in columns.items()])


def jsonable(value: Any) -> Any:
    """``value`` with arrays as lists and what JSON has no word for (NaN, infinity) as None.

    Examples:
        >>> jsonable({"a": np.array([1.0, np.nan]), "b": (np.int64(2),)})
        {'a': [1.0, None], 'b': [2]}
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, np.ndarray):
        return jsonable(value.tolist())
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, Mapping):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(part) for part in value]
    return str(value)
