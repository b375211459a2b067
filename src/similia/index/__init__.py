"""Index: from representations and a query to hits, within a filter.

`Engine` measures the ways of searching and takes the cheapest: comparing every vector through BLAS (`ExactIndex`),
reading 8-bit codes with a proof that the answer is the same (`ScanIndex`), or walking a graph (`GraphIndex`).
`MultiVectorIndex` is for items of several vectors, `HammingIndex` for binary codes, `LandmarkIndex` for any function of
a pair, `FilteredIndex` for the ways of searching under a filter side by side, `WorkloadIndex` for batches of
filtered queries like those of before; `fit_leanvec` and `fit_pca` shorten
vectors. `top_k` picks the best of a score matrix. `Predicate` is the filter language of every search (see
`similia.index.where`), and a `Selection` is what passed, for many searches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.engine import Engine as Engine
    from similia.index.exact import ExactIndex as ExactIndex
    from similia.index.filtered import FilteredIndex as FilteredIndex
    from similia.index.graph import GraphIndex as GraphIndex
    from similia.index.hamming import HammingIndex as HammingIndex
    from similia.index.landmarks import Budgeted as Budgeted
    from similia.index.landmarks import LandmarkIndex as LandmarkIndex
    from similia.index.multivector import FixedDimensionalEncoder as FixedDimensionalEncoder
    from similia.index.multivector import MultiVectorIndex as MultiVectorIndex
    from similia.index.planning import Costs as Costs
    from similia.index.planning import Plan as Plan
    from similia.index.planning import choose as choose
    from similia.index.project import Projection as Projection
    from similia.index.project import fit_leanvec as fit_leanvec
    from similia.index.project import fit_pca as fit_pca
    from similia.index.project import relative_loss as relative_loss
    from similia.index.scan import ScanIndex as ScanIndex
    from similia.index.selection import Selection as Selection
    from similia.index.topk import top_k as top_k
    from similia.index.where import Predicate as Predicate
    from similia.index.where import register_functions as register_functions
    from similia.index.workload import WorkloadIndex as WorkloadIndex

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Budgeted": ".landmarks",
        "Costs": ".planning",
        "Engine": ".engine",
        "ExactIndex": ".exact",
        "FilteredIndex": ".filtered",
        "FixedDimensionalEncoder": ".multivector",
        "GraphIndex": ".graph",
        "HammingIndex": ".hamming",
        "LandmarkIndex": ".landmarks",
        "MultiVectorIndex": ".multivector",
        "Plan": ".planning",
        "Predicate": ".where",
        "Projection": ".project",
        "ScanIndex": ".scan",
        "Selection": ".selection",
        "WorkloadIndex": ".workload",
        "choose": ".planning",
        "fit_leanvec": ".project",
        "fit_pca": ".project",
        "register_functions": ".where",
        "relative_loss": ".project",
        "top_k": ".topk",
    },
)
