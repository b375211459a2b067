"""What a judge is, and the count of what it did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

Float64: TypeAlias = npt.NDArray[np.float64]


@runtime_checkable
class Judge(Protocol):
    """Reads a query and some items together.

    A judge that cannot answer says NaN or None; it raises for wrong use only. Judges that count what they did hold a
    `Tally` in ``tally``, and say in ``batch`` how many items they like to read at once.
    """

    @property
    def name(self) -> str:
        """What to call the judge."""
        ...

    @property
    def fingerprint(self) -> str:
        """SHA-256 over everything that decides what it says; answers are kept under it."""
        ...

    def grade(self, query: str, items: Sequence[str]) -> Float64:
        """How well each item answers the query: float64 (n,) in 0 to 1, NaN where there is no usable answer."""
        ...

    def order(self, query: str, items: Sequence[str]) -> list[int] | None:
        """The items' positions, best first: a permutation of ``range(n)``; None where there is no usable answer."""
        ...


@dataclass
class Tally:
    """What a judge did since it was made.

    Attributes:
        calls: times that a model was asked, repeated attempts included.
        cached: answers that were known already.
        failures: answers that were wanted and not had.
        milliseconds: spent asking.
        last_error: why the last failure was one.
    """

    calls: int = 0
    cached: int = 0
    failures: int = 0
    milliseconds: float = 0.0
    last_error: str = ""

    def copy(self) -> Tally:
        """As it is now."""
        return replace(self)

    def since(self, before: Tally) -> Tally:
        """What came after an earlier copy.

        Examples:
            >>> tally = Tally(calls=2)
            >>> before = tally.copy()
            >>> tally.calls += 3
            >>> tally.since(before).calls
            3
        """
        return Tally(
            self.calls - before.calls,
            self.cached - before.cached,
            self.failures - before.failures,
            self.milliseconds - before.milliseconds,
            self.last_error if self.failures > before.failures else "",
        )


def order_by(grades: npt.ArrayLike) -> list[int]:
    """Positions by falling grade; equal ones as they came, and those without a grade at their own place.

    Examples:
        >>> order_by([0.2, float("nan"), 0.9, 0.9])
        [2, 1, 3, 0]
    """
    values = np.asarray(grades, dtype=np.float64)
    places = np.flatnonzero(~np.isnan(values))
    order = np.arange(values.size)
    order[places] = places[np.argsort(-values[places], kind="stable")]
    return [int(place) for place in order]
