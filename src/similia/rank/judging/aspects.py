"""A judge that takes the query apart by rules, looks at each item for each part, and compares the items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from similia.encode.base import fingerprint
from similia.errors import InputError
from similia.rank.judging.base import Float64, Tally, order_by


class AspectJudge:
    """Deconstruct, evaluate, rank (the three steps of CoTRR) with plain functions instead of a language model.

    An item's grade is the share of the query's parts that it meets. To order, the items are also compared: a part
    counts for more the fewer of the listed items meet it, since what all of them meet tells nothing.

    Args:
        deconstruct: the query -> its parts: name -> value.
        meets: (item, name, value) -> how far the item meets the part, 0 to 1.
        compare: whether ordering weighs parts by their rarity; if not, by grade alone.
        name: what to call the judge; part of its fingerprint, since functions cannot be.

    Source:
        Wu et al., Chain-of-Thought Re-ranking for Image Retrieval Tasks (arXiv 2509.14746, 2025).

    Examples:
        >>> judge = AspectJudge(
        ...     lambda query: dict.fromkeys(query.split(), ""), lambda item, part, value: part in item.split()
        ... )
        >>> judge.grade("small red cat", ["a red dog", "a small red cat"]).round(2).tolist()
        [0.33, 1.0]
        >>> judge.order("red cat", ["red dog", "red car", "black cat"])  # "red" is common here, "cat" is not
        [2, 0, 1]
        >>> judge.explain("red cat", "red dog")
        {'red': 1.0, 'cat': 0.0}
    """

    batch = 256

    def __init__(
        self,
        deconstruct: Callable[[str], Mapping[str, Any]],
        meets: Callable[[str, str, Any], float],
        *,
        compare: bool = True,
        name: str = "aspects",
    ) -> None:
        self.deconstruct = deconstruct
        self.meets = meets
        self.compare = compare
        self.name = name
        self.tally = Tally()

    @property
    def fingerprint(self) -> str:
        return fingerprint(kind="aspects", name=self.name, compare=self.compare)

    def explain(self, query: str, item: str) -> dict[str, float]:
        """How far an item meets each part of a query.

        Raises:
            InputError: ``meets`` gave something outside 0 to 1.
        """
        found = {}
        for part, value in self.deconstruct(query).items():
            found[part] = float(self.meets(item, part, value))
            if not 0 <= found[part] <= 1:
                raise InputError(f"part {part!r} is met to {found[part]}; expected 0 to 1")
        self.tally.calls += 1
        return found

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """See `Judge`; NaN for a query without parts."""
        table = self._table(query, items)
        return table.mean(axis=1) if table.shape[1] else np.full(len(items), np.nan)

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """See `Judge`; None for a query without parts."""
        table = self._table(query, items)
        if not table.shape[1] and len(items):
            return None
        return order_by(table @ rarity(table) if self.compare else table.sum(axis=1))

    def _table(self, query: str, items: Sequence[str]) -> Float64:
        """Items by parts."""
        rows = [[*self.explain(query, item).values()] for item in items]
        return np.array(rows, np.float64).reshape(len(rows), -1 if rows else 0)


def rarity(table: Float64) -> Float64:
    """The weight of each part: ln((n + 1) / (m + 1/2)), m of n items meeting it.

    Args:
        table: (n, parts) in 0 to 1.

    Examples:
        >>> rarity(np.array([[1.0, 0.0], [1.0, 1.0]])).round(3).tolist()
        [0.182, 0.693]
    """
    weights: Float64 = np.log((len(table) + 1) / (table.sum(axis=0) + 0.5))
    return weights
