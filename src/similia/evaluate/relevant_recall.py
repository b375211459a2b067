"""Judgments as a task for the funnel: how many of the relevant items are found."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Int64


@dataclass(frozen=True, eq=False)
class RelevantRecall:
    """Mean recall@k: each query's relevant items that are found, over all of its relevant items.

    Queries for which nothing is relevant are left out; 0 where that is all of them.

    Attributes:
        wanted: the positions of the relevant items that can be found, one collection a query.
        relevant: (q,) how many are relevant to each query, those that cannot be found included; the number of those
            wanted where None.

    Raises:
        InputError: found is not one row a query.

    Examples:
        >>> task = RelevantRecall([{1, 2}, {0}, set()], relevant=[2, 4, 0])
        >>> task(np.array([[1, 5], [0, -1], [3, 4]]))
        0.375
        >>> task.ceiling(1)   # what the best of all rankings would get
        0.375
    """

    wanted: Sequence[Collection[int]]
    relevant: npt.ArrayLike | None = None

    def __call__(self, found: Int64) -> float:
        """See the class."""
        if found.ndim != 2 or len(found) != len(self.wanted):
            raise InputError(f"found is {found.shape}; it must be ({len(self.wanted)}, k), one row a query")
        return self._mean([len({*row} & {*wanted}) for wanted, row in zip(self.wanted, found.tolist(), strict=True)])

    def ceiling(self, k: int | None = None) -> float:
        """The value with the relevant items first; of all places, whatever their number, where k is None."""
        return self._mean([len(wanted) if k is None else min(len(wanted), k) for wanted in self.wanted])

    def _mean(self, gained: Sequence[int]) -> float:
        many = [len(wanted) for wanted in self.wanted] if self.relevant is None else self.relevant
        total = np.asarray(many, dtype=np.float64)
        counted = total > 0
        shares = np.asarray(gained, dtype=np.float64)[counted] / total[counted]
        return float(shares.mean()) if shares.size else 0.0
