"""The best so far of a stream: a heap of fixed size with the worst on top, in two arrays that the caller owns.

An entry is worse if its score is lower or, among equal scores, its item is later.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from similia.index.kernels.cache import compiled
from similia.types import Int64

Scores = npt.NDArray[Any]


@compiled()
def push(scores: Scores, items: Int64, count: int, score: float, item: int) -> int:
    """Add an entry to a heap of ``count`` and return how many there are then.

    ``scores`` (of any number type) and ``items`` are (size,), the worst at 0. If the heap is full, the worst gives way:
    whoever calls sees to it that the new entry is better.
    """
    size = len(scores)
    if count < size:
        at = count
        while at > 0:
            above = (at - 1) >> 1
            if scores[above] < score or (scores[above] == score and items[above] >= item):
                break
            scores[at], items[at] = scores[above], items[above]
            at = above
        scores[at], items[at] = score, item
        return count + 1
    sink(scores, items, size, score, item)
    return size


@compiled()
def sink(scores: Scores, items: Int64, count: int, score: float, item: int) -> None:
    """Replace the worst of ``count`` entries."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= count:
            break
        other = below + 1
        if other < count and (
            scores[other] < scores[below] or (scores[other] == scores[below] and items[other] > items[below])
        ):
            below = other
        if scores[below] > score or (scores[below] == score and items[below] <= item):
            break
        scores[at], items[at] = scores[below], items[below]
        at = below
    scores[at], items[at] = score, item


@compiled()
def drain(scores: Scores, items: Int64, count: int) -> None:
    """Put the ``count`` entries of a heap in order, best first."""
    for last in range(count - 1, 0, -1):
        score, item = scores[last], items[last]
        scores[last], items[last] = scores[0], items[0]
        sink(scores, items, last, score, item)
