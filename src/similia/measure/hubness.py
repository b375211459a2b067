"""Hubness: how unevenly the items of a set are found, from the lists that were found.

In many dimensions a few items, the hubs, are among the nearest to very many queries, and others to none. The
k-occurrence of an item says in how many lists it stands. Source: Radovanović, Nanopoulos and Ivanović, *Hubs in Space:
Popular Nearest Neighbors in High-Dimensional Data* (JMLR 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Hits, Int64

if TYPE_CHECKING:
    from rich.table import Table


def k_occurrence(found: Hits | npt.ArrayLike, items: int, k: int | None = None) -> Int64:
    """In how many of the lists each item stands, int64 (items,).

    Args:
        found: hits, or ids (q, m) from 0 to items - 1, best first; -1 is none.
        items: how many there are.
        k: places of each list that count; all where None.

    Raises:
        InputError: ids that are no whole numbers (q, m) or not there, or a k below 1.

    Examples:
        >>> k_occurrence([[0, 1], [0, 2], [0, -1]], items=4).tolist()
        [3, 1, 1, 0]
    """
    ids = found.ids if isinstance(found, Hits) else np.asarray(found)
    if ids.ndim != 2 or (ids.size and ids.dtype.kind not in "iu"):
        raise InputError(f"found is {ids.dtype} {ids.shape}; it must be whole numbers, a row a query")
    if k is not None and k < 1:
        raise InputError(f"k is {k}; it must be at least 1")
    counted = ids[:, :k]
    counted = counted[counted >= 0].astype(np.int64)
    if counted.size and counted.max() >= items:
        raise InputError(f"found holds the id {int(counted.max())}; there are {items} items, from 0 on")
    return np.bincount(counted, minlength=items).astype(np.int64)


def occurrence_skewness(counts: npt.ArrayLike) -> float:
    """Skewness of the k-occurrences (n,), the third standardised moment: above 1 there are marked hubs.

    0 where all items are found equally often; NaN where there are none.

    Examples:
        >>> occurrence_skewness([1, 1, 1, 1]), round(occurrence_skewness([0, 0, 0, 4]), 4)
        (0.0, 1.1547)
    """
    values = np.asarray(counts, np.float64)
    if not values.size:
        return float("nan")
    apart = values - values.mean()
    spread = float(np.mean(apart**2))
    return float(np.mean(apart**3) / spread**1.5) if spread > 0 else 0.0


@dataclass(frozen=True)
class Hubness:
    """How unevenly the items were found by one search.

    Attributes:
        queries: lists.
        items: there are.
        k: places a list.
        skewness: of the k-occurrences; see `occurrence_skewness`.
        largest: the greatest k-occurrence.
        never: share of the items that no list holds.
    """

    queries: int
    items: int
    k: int
    skewness: float
    largest: int
    never: float

    def to_dict(self) -> dict[str, float]:
        """JSON-ready."""
        return asdict(self)


@dataclass(frozen=True)
class HubnessReport:
    """The hubness of several searches, such as before and after a correction; a Markdown or rich table, or a dict."""

    rows: Mapping[str, Hubness]

    def to_markdown(self) -> str:
        """A Markdown table."""
        lines = ["| search | k | skewness | largest | never found |", "| --- | --- | --- | --- | --- |"]
        lines += ["| " + " | ".join((name, *_cells(row))) + " |" for name, row in self.rows.items()]
        return "\n".join(lines)

    __str__ = to_markdown

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table("search", "k", "skewness", "largest", "never found")
        for name, row in self.rows.items():
            table.add_row(name, *_cells(row))
        return table

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: row.to_dict() for name, row in self.rows.items()}


def hub_statistics(found: Hits | npt.ArrayLike, items: int, k: int | None = None) -> Hubness:
    """The hubness of one search.

    Args:
        found: as in `k_occurrence`.
        items: how many there are.
        k: places of each list that count; all where None.

    Raises:
        InputError: as in `k_occurrence`.

    Examples:
        >>> hub_statistics([[0, 1], [0, 2], [0, 1]], items=4, k=1).largest
        3
    """
    counts = k_occurrence(found, items, k)
    ids = found.ids if isinstance(found, Hits) else np.asarray(found)
    places = ids.shape[1] if k is None else min(k, ids.shape[1])
    never = float(np.mean(counts == 0)) if items else float("nan")
    return Hubness(len(ids), items, places, occurrence_skewness(counts), int(counts.max(initial=0)), never)


def hubness_report(searches: Mapping[str, Hits | npt.ArrayLike], items: int, k: int | None = None) -> HubnessReport:
    """The hubness of several searches over the same items, side by side.

    Args:
        searches: name -> what was found, as in `k_occurrence`.
        items: how many there are.
        k: places of each list that count; all where None.

    Raises:
        InputError: as in `k_occurrence`.

    Examples:
        >>> print(hubness_report({"before": [[0], [0], [0]], "after": [[0], [1], [2]]}, items=3))
        | search | k | skewness | largest | never found |
        | --- | --- | --- | --- | --- |
        | before | 1 | 0.71 | 3 | 66.7 % |
        | after | 1 | 0.00 | 1 | 0.0 % |
    """
    return HubnessReport({name: hub_statistics(found, items, k) for name, found in searches.items()})


def _cells(row: Hubness) -> tuple[str, ...]:
    return str(row.k), f"{row.skewness:.2f}", f"{row.largest:,}", f"{row.never:.1%}".replace("%", " %")
