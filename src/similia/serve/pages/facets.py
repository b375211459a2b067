"""Facets: the values of short fields, each a link that puts itself into the filter or takes itself out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from similia.errors import FilterError
from similia.serve.clauses import bounds, chosen, column, literal, ranged, toggled, without
from similia.serve.display import Display, text_of
from similia.serve.pages.state import State

SHOWN = 8
MANY = 60
DAYS = 5_000
"""Most different dates that are grouped to months or years; beyond, only a range can be entered."""


@dataclass(frozen=True)
class Choice:
    """A value to click: what it says, how many items have it, where the click leads, whether it is on."""

    label: str
    count: int
    share: float
    href: str
    on: bool


@dataclass(frozen=True)
class Group:
    """One field: its values, and for dates and numbers the range that the filter sets.

    ``capped`` says that there are more values than are given.
    """

    field: str
    kind: str
    choices: list[Choice]
    more: list[Choice]
    low: str
    high: str
    clear: str | None
    ranged: bool
    capped: bool


Values: TypeAlias = Callable[[str, str, int], list[tuple[Any, int]]]
"""Field, filter and limit to the most frequent values, as `similia.Collection.facets` gives them."""


def groups_of(values: Values, fields: Mapping[str, str], display: Display, state: State) -> list[Group]:
    """The facets of a collection under the filter of ``state``.

    A field's own clauses are left out for its own counts, so that its other values stay in sight.
    """
    groups = [_group(values, name, fields[name], state) for name in display.facets]
    return [group for group in groups if group is not None]


def _group(values_of: Values, field: str, kind: str, state: State) -> Group | None:
    own = kind == "list"  # clicks on several values of a list ask for items that have them all
    others = state.where if own else without(state.where, field, kind)
    dated = kind in ("date", "datetime")
    numeric = kind in ("integer", "number")
    try:
        values = values_of(field, others, DAYS if dated else MANY)
    except FilterError:
        return None
    values = [(value, count) for value, count in values if value is not None]
    if dated:
        choices = _periods(values, field, others, state) if len(values) < DAYS else []
    elif numeric:
        few = len(values) <= 2 * SHOWN and kind == "integer"
        choices = _choices(sorted(values), field, kind, state) if few else []
    else:
        choices = _choices(values, field, kind, state)
        choices.sort(key=lambda choice: not choice.on)
        if not values or (len(values) > SHOWN and values[0][1] <= 1):
            return None  # every item has a value of its own: nothing to choose from
    limits = bounds(state.where, field)
    is_on = bool(limits or chosen(state.where, field, kind))
    return Group(
        field=field,
        kind=kind,
        choices=choices[:SHOWN],
        more=choices[SHOWN:],
        low=limits.get(">=", "").strip("'"),
        high=limits.get("<=", "").strip("'"),
        clear=state.href(where=without(state.where, field, kind), offset=0) if is_on else None,
        ranged=dated or numeric,
        capped=len(choices) >= MANY,
    )


def _choices(values: list[tuple[Any, int]], field: str, kind: str, state: State) -> list[Choice]:
    on = chosen(state.where, field, kind)
    most = max((count for _, count in values), default=1)
    return [
        Choice(
            label=text_of(value) or "(empty)",
            count=count,
            share=100 * count / most,
            href=state.href(where=toggled(state.where, field, kind, value), offset=0),
            on=literal(value) in on,
        )
        for value, count in values
    ]


def _periods(values: list[tuple[Any, int]], field: str, others: str, state: State) -> list[Choice]:
    """Years, or months where there are at most two years, newest first."""
    days = [(str(value)[:10], count) for value, count in values]
    years = {day[:4] for day, _ in days}
    width = 7 if len(years) <= 2 else 4
    counts: Counter[str] = Counter()
    for day, count in days:
        counts[day[:width]] += count
    most = max(counts.values(), default=1)
    limits = bounds(state.where, field)
    choices = []
    for period in sorted(counts, reverse=True):
        begin, end = _span(period)
        on = limits == {">=": literal(begin), "<": literal(end)}
        where = others if on else ranged(others, field, low=begin, below=end)
        href = state.href(where=where, offset=0)
        choices.append(Choice(period, counts[period], 100 * counts[period] / most, href, on))
    return choices


def _span(period: str) -> tuple[str, str]:
    """First day of a period, and of the next one.

    Examples:
        >>> _span("2024"), _span("2024-12")
        (('2024-01-01', '2025-01-01'), ('2024-12-01', '2025-01-01'))
    """
    year, month = int(period[:4]), int(period[5:7] or 1)
    months = year * 12 + month - 1 + (1 if len(period) > 4 else 12)
    following = date(months // 12, months % 12 + 1, 1) if months < 9_999 * 12 + 12 else date.max
    return date(year, month, 1).isoformat(), following.isoformat()


def example(fields: Mapping[str, str], groups: list[Group]) -> str:
    """A filter that could be typed for these fields.

    Examples:
        >>> example({"day": "date", "pages": "integer"}, [])
        "day >= '2025-01-01' AND pages > 10"
    """
    parts = []
    for kind, sense in (("date", ">= '2025-01-01'"), ("integer", "> 10"), ("number", "> 0.5"), ("boolean", "")):
        parts += [f"{column(name)} {sense}".strip() for name, found in fields.items() if found == kind][:1]
    for group in groups:
        if group.kind == "category" and group.choices:
            parts.append(f"{column(group.field)} = {literal(group.choices[0].label)}")
            break
    return " AND ".join(parts[:2]) or "length(title) < 80"


def range_value(text: str, kind: str) -> Any:
    """What someone typed into a range field, as a filter's value; None for nothing.

    Raises:
        FilterError: it is not a number or a date.

    Examples:
        >>> range_value("3", "integer"), range_value(" ", "date"), range_value("2025-01-31", "date")
        (3, None, '2025-01-31')
    """
    text = text.strip()
    if not text:
        return None
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            value = float(text)
            if value != value or abs(value) == float("inf"):
                raise ValueError
            return value
        return date.fromisoformat(text[:10]).isoformat() if len(text) <= 10 else text
    except ValueError:
        wanted = "a date such as 2025-01-31" if kind in ("date", "datetime") else "a number"
        raise FilterError(f"{text[:40]!r} is not {wanted}") from None
