"""How much each view should count for a query, from how steeply its scores fall."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.rank.fusion import normalised
from similia.types import Hits

PLACES = 10
SHARPNESS = 1.5
"""Chosen, as the prior of collections, on judged collections and on titles, paraphrases and rare words of abstracts."""


def steepness_weights(
    views: Sequence[Hits],
    *,
    prior: npt.ArrayLike | None = None,
    depth: int | None = None,
    places: int = PLACES,
    sharpness: float = SHARPNESS,
) -> npt.NDArray[np.float64]:
    """Weights of the views for each query, to give to `similia.rank.fuse` with ``method="score"``.

    A view that is sure of a few items scores them far above the next; one that knows nothing scores all alike. With
    the scores of a view brought to [0, 1], its steepness is how far the mean of the places 2 to ``places`` lies below
    the best, an empty place counting 0; the weights are the softmax of ``sharpness * steepness + prior``. No judgments
    and no idf are needed, and any number of views of any kind can take part.

    Args:
        views: hits of the same q queries, best first.
        prior: (views,), added before the softmax: how much a view is trusted anyway.
        depth: the rank of which the score is brought to 0; by default the last.
        places: at least 2.
        sharpness: 0 for weights by the prior alone.

    Returns:
        float64 (q, views), rows summing to 1; a view that found nothing for a query has weight 0, and where none did
        all have the same.

    Raises:
        InputError: no views, views of different numbers of queries, a prior or a number that does not fit.

    Source:
        The predictor is a form of weighted information gain (Zhou, Croft: Query Performance Prediction in Web Search
        Environments, SIGIR 2007); that predictors can weight a fusion, Markovits et al. (CIKM 2012).

    Examples:
        >>> sure = Hits([[7, 3, 5]], [[0.9, 0.2, 0.1]])
        >>> vague = Hits([[3, 9, 4]], [[5.0, 4.9, 4.0]])
        >>> steepness_weights([sure, vague], places=3).round(2).tolist()
        [[0.65, 0.35]]
    """
    if not views or len({len(view) for view in views}) > 1:
        raise InputError(f"{len(views)} views with {[len(view) for view in views]} queries; all must have the same")
    trust = np.zeros(len(views)) if prior is None else np.asarray(prior, dtype=np.float64)
    if trust.shape != (len(views),) or not np.isfinite(trust).all():
        raise InputError(f"prior is {prior!r}; it must be {len(views)} finite numbers, one a view")
    if places < 2 or not (np.isfinite(sharpness) and sharpness >= 0):
        raise InputError(f"places is {places!r} and sharpness {sharpness!r}; at least 2, and at least 0, are needed")
    there = np.stack([(view.ids >= 0).any(axis=1) for view in views], axis=1)
    steep = np.stack([_steepness(view, places, depth) for view in views], axis=1)
    wanted = np.where(there, sharpness * steep + trust, -np.inf)
    wanted[~there.any(axis=1)] = 0
    raised = np.exp(wanted - wanted.max(axis=1, keepdims=True, initial=-np.inf))
    weights: npt.NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
    return weights


def _steepness(view: Hits, places: int, depth: int | None) -> npt.NDArray[np.float64]:
    found = view.ids >= 0
    rows, columns = np.nonzero(found)
    values = np.zeros(view.ids.shape)
    values[rows, columns] = normalised(rows, view.scores[rows, columns].astype(np.float64), "minmax", depth)
    first = np.argsort(np.where(found, -view.scores, np.inf), axis=1, kind="stable")[:, :places]
    best = np.take_along_axis(values, first, axis=1)
    steep: npt.NDArray[np.float64] = best[:, :1].sum(axis=1) - best[:, 1:].sum(axis=1) / (places - 1)
    return steep
