"""Dates, timestamps, times and durations of Arrow arrays as text and numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.collection.sources.arrow_array import ArrowError, Field, Node

_UNITS = {"s": 1, "m": 1_000, "u": 1_000_000, "n": 1_000_000_000}
_DAY = 86_400
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896  # 0001-01-01 and 9999-12-31, in days from 1970-01-01


def _checked(node: Node, values: npt.NDArray[np.int64], per_day: int) -> npt.NDArray[np.int64]:
    """``values`` with 0 for nulls, if all are days of the years 1 to 9999."""
    valid = node.valid()
    if valid is not None:
        values = np.where(valid, values, 0)
    days = values // per_day
    wrong = np.flatnonzero((days < _FIRST_DAY) | (days > _LAST_DAY))
    if wrong.size:
        raise ArrowError("holds a date outside the years 1 to 9999", int(wrong[0]))
    return values


def dates(kind: Field, node: Node, _: bool = False) -> list[Any]:
    """Dates as ``YYYY-MM-DD``."""
    dtype, per_day = (np.int32, 1) if kind.format == "tdD" else (np.int64, _DAY * 1000)
    raw = node.buffer(1, dtype, node.length, node.offset).astype(np.int64)
    days = _checked(node, raw, per_day) // per_day
    found: list[Any] = np.datetime_as_string(days.astype("datetime64[D]"), unit="D").tolist()
    return found


def timestamps(kind: Field, node: Node, _: bool = False) -> list[Any]:
    """Timestamps as ``YYYY-MM-DDTHH:MM:SS`` and a fraction of 6 digits, or 9 where there are nanoseconds."""
    per_second = _UNITS[kind.format[2]]
    raw = _checked(node, node.buffer(1, np.int64, node.length, node.offset), _DAY * per_second)
    moments, fractions = _split(raw, per_second)
    return [moment + fraction for moment, fraction in zip(moments, fractions, strict=True)]


def _split(raw: npt.NDArray[np.int64], per_second: int) -> tuple[list[str], list[str]]:
    """Date and time, to the second, and the fraction with its point, if any."""
    seconds, rest = raw // per_second, raw % per_second
    moments = np.datetime_as_string(seconds.astype("datetime64[s]"), unit="s").tolist()
    if per_second == 1 or not rest.any():
        return moments, [""] * len(moments)
    nanoseconds = (rest * (1_000_000_000 // per_second)).tolist()
    return moments, [_fraction(value) for value in nanoseconds]


def _fraction(nanoseconds: int) -> str:
    if not nanoseconds:
        return ""
    return f".{nanoseconds:09}" if nanoseconds % 1000 else f".{nanoseconds // 1000:06}"


def times(kind: Field, node: Node, _: bool = False) -> list[Any]:
    """Times of day as ``HH:MM:SS`` and a fraction."""
    per_second = _UNITS[kind.format[2]]
    dtype = np.int32 if kind.format[2] in "sm" else np.int64
    raw = node.buffer(1, dtype, node.length, node.offset).astype(np.int64) % (_DAY * per_second)
    return [moment[11:] + fraction for moment, fraction in zip(*_split(raw, per_second), strict=True)]


def durations(kind: Field, node: Node, _: bool = False) -> list[Any]:
    """Durations in seconds."""
    per_second = _UNITS[kind.format[2]]
    raw = node.buffer(1, np.int64, node.length, node.offset).tolist()
    return [value // per_second if value % per_second == 0 else value / per_second for value in raw]
