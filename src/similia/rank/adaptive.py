"""How much the words of a query should count against its meaning, from how rare they are.

Source: Steffens, "vstash: Local-First Hybrid Retrieval with Adaptive Fusion for LLM Agents" (arXiv 2604.15484, 2026).
A query of rare words (codes, names) is one for the full text; one of common words is one for the vectors.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

Rule: TypeAlias = Literal["exact", "content"]

FIXED = (0.6, 0.4)
"""Weights of dense and text hits where there is nothing to go by."""
LONG = (0.9, 0.1)
"""Weights for a query of more than ``LONG_QUERY`` words."""
LONG_QUERY = 50


def adaptive_weights(
    query_idf: Sequence[npt.ArrayLike], documents: int, *, rule: Rule = "content", common: float = 0.1
) -> npt.NDArray[np.float64]:
    """Weights of the dense and the text view for each query, to give to `similia.rank.fuse`.

    With m the mean of the idf of the query's words and N the number of documents, the text view gets
    ``0.1 + 0.5 / (1 + exp(-2 (m - ln(N) / 2)))`` and the dense view the rest: 0.9 to 0.4. Queries of more than 50 words
    get 0.9 and 0.1, and those without words, or with fewer than two documents, 0.6 and 0.4.

    Args:
        query_idf: for each of q queries the idf of its words, ``ln(N / df)``, and ``ln(N)`` for a word that no document
            has; a word that comes twice is there twice.
        documents: N.
        rule: "exact" averages over all words, as published; stop words then pull even a query of rare words towards the
            dense view. "content" leaves out the words that more than ``common`` of the documents have.
        common: a share of the documents, above 0 and at most 1.

    Returns:
        float64 (q, 2), rows summing to 1.

    Raises:
        InputError: an idf that is negative, NaN or infinite, or an unknown rule.

    Examples:
        >>> rare, usual = math.log(1000 / 2), math.log(1000 / 500)
        >>> adaptive_weights([[rare, usual, usual], []], 1000, rule="exact").round(2).tolist()
        [[0.83, 0.17], [0.6, 0.4]]
        >>> adaptive_weights([[rare, usual, usual]], 1000).round(2).tolist()
        [[0.4, 0.6]]
    """
    if rule not in get_args(Rule):
        raise InputError(f"rule {rule!r} is unknown; there are {', '.join(get_args(Rule))}")
    if not 0 < common <= 1:
        raise InputError(f"common is {common!r}; it must be a share of the documents, above 0 and at most 1")
    least = math.log(1 / common) if rule == "content" else 0.0
    return np.array([_weights(idf, documents, least) for idf in query_idf]).reshape(-1, 2)


def _weights(idf: npt.ArrayLike, documents: int, least: float) -> tuple[float, float]:
    words = np.asarray(idf, dtype=np.float64).reshape(-1)
    if not (np.isfinite(words).all() and (words >= 0).all()):
        raise InputError("the idf of a word must be a finite number, at least 0: ln(N / df), or ln(N) where df is 0")
    if words.size > LONG_QUERY:
        return LONG
    words = words[words >= least]
    if documents < 2 or words.size == 0:
        return FIXED
    rarity = float(words.mean()) - math.log(documents) / 2
    text = 0.1 + 0.5 / (1 + math.exp(-2 * rarity))
    return 1 - text, text
