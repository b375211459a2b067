"""Many filtered queries at once: vectors partitioned by the filters that are asked, and searched list by list.

`WorkloadIndex` learns from a workload of past queries (their vectors and filters, in the language of
`similia.index.where`). Rows that the same filters want are stored together (`grow`, a query-data tree), so that a
filter rules out most leaves from what is known of all their rows (`Description`). Inside a leaf, vectors lie in
inverted lists, and a batch of queries is one matrix product a list.

Mohoney and others, "High-Throughput Vector Similarity Search in Knowledge Graphs" (SIGMOD 2023, arXiv 2304.01926).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from similia._lazy import attach

if TYPE_CHECKING:
    from similia.index.workload.cost import Cost as Cost
    from similia.index.workload.index import WorkloadIndex as WorkloadIndex
    from similia.index.workload.tree import Limits as Limits

__getattr__, __dir__, __all__ = attach(__name__, {"Cost": ".cost", "Limits": ".tree", "WorkloadIndex": ".index"})
