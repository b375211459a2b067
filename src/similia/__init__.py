"""Similia finds what is alike, in the sense you mean.

A *collection* holds items; a *sense* is one named notion of similarity over it::

    import similia

    papers = similia.Collection.open("papers", create=True)
    papers.add("papers.jsonl.xz", text=["title", "abstract"], key="id")
    papers.search("asymmetric similarity for copy detection", where="date >= '2025-01-01'", k=10)

The rooms below (``encode``, ``measure``, ``index``, ``rank``, ``classify``, ``evaluate``) are usable on their own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.collection import Collection as Collection
    from similia.collection import Results as Results
    from similia.errors import SimiliaError as SimiliaError
    from similia.types import Codes as Codes
    from similia.types import Dense as Dense
    from similia.types import Hits as Hits
    from similia.types import MultiVector as MultiVector
    from similia.types import Pairs as Pairs
    from similia.types import Sparse as Sparse

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "Codes": ".types",
        "Collection": ".collection",
        "Dense": ".types",
        "Hits": ".types",
        "MultiVector": ".types",
        "Pairs": ".types",
        "Results": ".collection",
        "SimiliaError": ".errors",
        "Sparse": ".types",
    },
)
