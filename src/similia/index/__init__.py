"""Index: from representations and a query to hits, within a filter.

`ExactIndex` compares a query with every vector through BLAS, in blocks: always right, and fast enough for some
hundred thousand items. `top_k` picks the best of a score matrix, and `Predicate` is the filter language of
every search (see `similia.index.where`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.exact import ExactIndex as ExactIndex
    from similia.index.topk import top_k as top_k
    from similia.index.where import Predicate as Predicate
    from similia.index.where import register_functions as register_functions

__getattr__, __dir__, __all__ = attach(
    __name__,
    {"ExactIndex": ".exact", "Predicate": ".where", "register_functions": ".where", "top_k": ".topk"},
)
