"""What a search did, counted: unlike time, the same on every machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Cost:
    """Counts that a search adds to.

    Attributes:
        tested: rows that a filter was evaluated on, once for each time.
        compared: pairs of a query and a vector whose similarity was computed.
        bitmaps: times that a filter was evaluated.
        again: queries that found too few within their lists and were searched in all of them.

    Examples:
        >>> cost = Cost()
        >>> cost.tested += 3
        >>> cost
        Cost(tested=3, compared=0, bitmaps=0, again=0)
    """

    tested: int = 0
    compared: int = 0
    bitmaps: int = 0
    again: int = 0
