"""Two values of one field side by side, by the field's type."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from similia.collection.vectors import normalised

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True)
class FieldComparison:
    """One field of two items: how its values compare.

    Attributes:
        kind: the field's type.
        a, b: the values, None where one is missing.
        similarity: 1 for equal; of lists and texts the share of entries or words in common (Jaccard), of numbers and
            dates None; 0 for different.
        note: the same in words.
    """

    kind: str
    a: Any
    b: Any
    similarity: float | None
    note: str


def field_comparison(kind: str, a: Any, b: Any) -> FieldComparison:
    """How two values of a field of type ``kind`` compare.

    Examples:
        >>> field_comparison("date", "2024-02-28", "2024-03-01").note
        '2 days apart'
        >>> field_comparison("list", ["x", "y"], ["y", "z"]).note
        'share 1 of 3: y'
        >>> field_comparison("integer", 3, 10).note
        '7 more'
    """
    similarity, note = _compared(kind, a, b)
    return FieldComparison(kind, a, b, similarity, note)


def _compared(kind: str, a: Any, b: Any) -> tuple[float | None, str]:
    if a is None or b is None:
        return (
            (None, "missing in both")
            if a is b
            else (None, "missing in the first" if a is None else "only in the first")
        )
    if a == b:
        return 1.0, "equal"
    compared = _TYPED.get(kind)
    if compared is not None:
        try:
            return compared(a, b)
        except (TypeError, ValueError, OverflowError):
            pass
    return 0.0, "different"


def _numbers(a: Any, b: Any) -> tuple[float | None, str]:
    if isinstance(a, bool) or isinstance(b, bool):
        raise TypeError
    difference = b - a
    if isinstance(difference, float) and not math.isfinite(difference):
        return None, "cannot be compared"
    return None, f"{abs(difference):,.6g} {'more' if difference > 0 else 'less'}"


def _dates(a: Any, b: Any) -> tuple[float | None, str]:
    days = abs((date.fromisoformat(b) - date.fromisoformat(a)).days)
    return None, f"{days:,} day{'s' if days != 1 else ''} apart"


def _moments(a: Any, b: Any) -> tuple[float | None, str]:
    seconds = abs((datetime.fromisoformat(b) - datetime.fromisoformat(a)).total_seconds())
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return None, f"{seconds / size:,.1f} {name} apart"
    return None, f"{seconds:,.6g} seconds apart"


def _lists(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = (list(dict.fromkeys(str(entry) for entry in side)) for side in (a, b))
    shared, either = [entry for entry in left if entry in right], len(set(left) | set(right))
    if not either:
        return 1.0, "both empty"
    named = f": {', '.join(shared[:5])}" if shared else ""
    return len(shared) / either, f"share {len(shared)} of {either}{named}"


def _texts(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = ({word.casefold() for word in _WORD.findall(str(side)[:100_000])} for side in (a, b))
    either = len(left | right)
    share = len(left & right) / either if either else 0.0
    return share, f"{share:.0%} of words in common"


def _vectors(a: Any, b: Any) -> tuple[float | None, str]:
    left, right = normalised(np.array([a, b], np.float32)).astype(np.float64)
    cosine = float(left @ right)
    return cosine, f"cosine {cosine:.3f}"


_TYPED: Mapping[str, Callable[[Any, Any], tuple[float | None, str]]] = {
    "integer": _numbers,
    "number": _numbers,
    "date": _dates,
    "datetime": _moments,
    "list": _lists,
    "text": _texts,
    "vector": _vectors,
}
