"""How entangled judgments are: whether queries share relevant items, which is what single vectors find hard."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from similia.errors import InputError


@dataclass(frozen=True)
class RelevanceGraph:
    """The graph of queries, two of which are linked where an item is relevant to both.

    A link weighs the Jaccard similarity of the two sets of relevant items. LIMIT has a density of .0855 and a strength
    of 28.5 (as its authors report), Cranfield .025 and .84, NFCorpus .080 and 2.1, CISI .40 and 1.3: the strength tells
    them apart, the density does not. Strength grows with the number of queries.

    Attributes:
        queries: how many have a relevant item.
        excluded: how many have none, and take no part.
        density: the share of pairs of queries that are linked.
        strength: the sum of the weights of a query's links, in the mean.

    Source:
        Weller, Boratko, Naim and Lee, *On the Theoretical Limitations of Embedding-Based Retrieval* (2025), section 5.

    Examples:
        >>> graph = RelevanceGraph.of({"a": {"x": 1, "y": 1}, "b": {"y": 1}, "c": {"z": 1}, "d": {"x": 0}})
        >>> graph.queries, graph.excluded, round(graph.density, 4), round(graph.strength, 4)
        (3, 1, 0.3333, 0.3333)
    """

    queries: int
    excluded: int
    density: float
    strength: float

    @classmethod
    def of(cls, qrels: Mapping[str, Mapping[str, float]]) -> RelevanceGraph:
        """The graph of judgments: query -> item -> grade, relevant above 0.

        Raises:
            InputError: no query has a relevant item.
        """
        from scipy.sparse import csr_array, triu

        relevant = [{item for item, grade in items.items() if grade > 0} for items in qrels.values()]
        kept = [items for items in relevant if items]
        if not kept:
            raise InputError("no query has a relevant item; judgments above 0 are needed")
        position = {item: column for column, item in enumerate(sorted(set().union(*kept)))}
        rows = np.repeat(np.arange(len(kept)), [len(items) for items in kept])
        columns = np.array([position[item] for items in kept for item in items])
        matrix = csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(kept), len(position)))
        shared = triu(matrix @ matrix.T, k=1).tocoo()
        sizes = np.array([len(items) for items in kept])
        weights = shared.data / (sizes[shared.row] + sizes[shared.col] - shared.data)
        pairs = len(kept) * (len(kept) - 1) / 2
        return cls(
            queries=len(kept),
            excluded=len(relevant) - len(kept),
            density=float(len(weights) / pairs) if pairs else 0.0,
            strength=float(2 * weights.sum() / len(kept)),
        )
