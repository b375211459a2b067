"""Random tables with missing values, and random filters over them."""

from __future__ import annotations

import random
from types import SimpleNamespace
from typing import Any

import pytest

from similia.index.workload import description

FIELDS = {
    "area": "category",
    "title": "text",
    "n": "integer",
    "x": "number",
    "open": "boolean",
    "day": "date",
    "tags": "list",
    "extra": "json",
}
POOLS: dict[str, list[Any]] = {
    "area": ["a", "b", "cs.IR", ""],
    "title": ["On graphs", "graph", "Übung", "a%b", "zz"],
    "n": [0, 1, 2, 3, -5, 2**53, 2**53 + 1],
    "x": [0.0, -0.0, 0.5, 1.0, float("inf"), float("-inf"), float("nan"), 2.0**53],
    "open": [True, False],
    "day": ["2020-01-01", "2021-06-30", "2024-02-29"],
    "tags": [["q"], ["q", "r"], [], [1, True], ["1"]],
    "extra": [{"a": 1}],
}
ATOMS = [
    "area = 'a'", "area <> 'b'", "area IN ('a', 'cs.IR')", "area NOT IN ('a', NULL)", "area LIKE 'c%'", "area IS NULL",
    "lower(title) LIKE '%graph%'", "title > 'a'", "title <= 'graph'", "length(title) = 2", "title IS NOT NULL",
    "n = 1", "n < 2", "n >= 9007199254740993", "n BETWEEN 0 AND 2", "n IN (1, 2.5, 3)", "n IS NULL", "0 < n",
    "x > 0", "x <> 0.5", "x IS NULL", "x <= n", "x + n > 1", "1 / x > 0", "abs(x) = 1",
    "open", "open = FALSE", "open IS NULL", "day < '2021-06-30'", "year(day) = 2024", "day >= '2020-01-01 10:00'",
    "contains(tags, 'q')", "contains(tags, 1)", "length(tags) = 0", "tags IS NULL", "extra IS NULL", "TRUE", "1 = 2",
    "area = title", "length(area) < n",
]  # fmt: skip


def table(rng: random.Random, rows: int) -> dict[str, list[Any]]:
    """Columns that leave some values out, so that leaves differ."""
    columns = {}
    for name, pool in POOLS.items():
        some = rng.sample(pool, rng.randint(1, len(pool)))
        missing = rng.choice([0, 0, 0.2, 1])
        columns[name] = [None if rng.random() < missing else rng.choice(some) for _ in range(rows)]
    return columns


def condition(rng: random.Random, depth: int = 3) -> str:
    """A filter."""
    kind = rng.randrange(5 if depth else 1)
    if kind == 0:
        return rng.choice(ATOMS)
    if kind == 1:
        return f"NOT ({condition(rng, depth - 1)})"
    return f"({condition(rng, depth - 1)}) {'AND' if kind < 4 else 'OR'} ({condition(rng, depth - 1)})"


@pytest.fixture(scope="session")
def odd() -> SimpleNamespace:
    """What the tables and filters are made of, and the functions that make them."""
    return SimpleNamespace(fields=FIELDS, atoms=ATOMS, table=table, condition=condition)


@pytest.fixture(params=["values", "ranges"])
def known(request, monkeypatch) -> str:
    """Whether leaves know each value of a column, or only the lowest and the highest."""
    if request.param == "ranges":
        monkeypatch.setattr(description, "_LISTED", 0)
    return str(request.param)
