"""Rocchio's feedback in vectors: the query moves towards the mean of what it found first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.measure.vectors import TINY, normalise
from similia.types import Float32, as_vectors

Weighting: TypeAlias = Literal["equal", "score", "rank"]
Float64: TypeAlias = npt.NDArray[np.float64]


class Expansion(Protocol):
    """Makes a new vector of each query from what a first search found for it."""

    def __call__(self, queries: npt.ArrayLike, feedback: npt.ArrayLike, scores: npt.ArrayLike) -> Float32:
        """New queries, float32 (q, d), of length 1.

        Args:
            queries: (q, d).
            feedback: (q, K, d), best first; what stands at an empty place does not matter.
            scores: (q, K), -inf at empty places.
        """
        ...


def rocchio(
    queries: npt.ArrayLike,
    feedback: npt.ArrayLike,
    weights: npt.ArrayLike | None = None,
    *,
    alpha: float = 1.0,
    beta: float = 0.5,
    negatives: npt.ArrayLike | None = None,
    gamma: float = 0.0,
) -> Float32:
    """``alpha * query + beta * mean(feedback) - gamma * mean(negatives)``, of length 1.

    Queries, feedback and negatives are brought to length 1 before, so that the numbers mean the same for each.

    Args:
        queries: (q, d), or (d,) for one.
        feedback: (q, K, d), vectors that count as relevant; K may be 0.
        weights: (q, K), at least 0, what each counts in the mean: 0 for a place without one; by default all alike. A
            query without any weight gets no feedback.
        alpha: how much the query counts; at least 0.
        beta: how much the feedback counts; at least 0.
        negatives: (q, N, d), vectors that count as irrelevant.
        gamma: how much they count; at least 0.

    Returns:
        float32 (q, d). Where the sum has no direction (all cancelled), the query itself.

    Raises:
        InputError: shapes that do not fit, a value that is NaN or infinite, or a negative weight.

    Source:
        Rocchio: Relevance Feedback in Information Retrieval (The SMART Retrieval System, 1971).

    Examples:
        >>> rocchio([[1, 0]], [[[0, 1], [0, 2]]], beta=1.0).round(2).tolist()
        [[0.7099999785423279, 0.7099999785423279]]
        >>> rocchio([[1, 0]], [[[0, 1], [1, 0]]], [[0, 1]], beta=1.0).tolist()
        [[1.0, 0.0]]
    """
    for name, number in (("alpha", alpha), ("beta", beta), ("gamma", gamma)):
        if not (np.isfinite(number) and number >= 0):
            raise InputError(f"{name} is {number!r}; it must be a number, at least 0")
    asked = as_vectors(queries, name="queries")
    found = as_stacks(feedback, asked, name="feedback")
    shares = _shares(weights, found.shape[:2])
    own = normalise(asked).astype(np.float64)
    total = alpha * own + beta * np.einsum("qk,qkd->qd", shares, found)
    if negatives is not None:
        unwanted = as_stacks(negatives, asked, name="negatives")
        total -= gamma * unwanted.sum(axis=1) / max(unwanted.shape[1], 1)
    lost = np.linalg.norm(total, axis=1) <= TINY + 1e-7 * (alpha + beta + gamma)
    total[lost] = own[lost]
    return normalise(total.astype(np.float32))


@dataclass(frozen=True)
class Rocchio:
    """`rocchio` with its numbers, as an `Expansion`.

    Args:
        beta: how much the feedback counts beside the query, which counts 1. On nine judged sets, added to hybrid
            search, .1 to .3 with one to three documents helped where many documents are about what is asked, and
            hurt a little where one document answers the question; more of either was worse.
        weighting: what each document counts in the mean: ``equal``; ``score``, by its score, 0 where that is negative;
            ``rank``, by 1 / log2(rank + 1).

    Raises:
        InputError: a beta that is negative or not finite, or an unknown weighting.

    Examples:
        >>> Rocchio(beta=1.0)([[1, 0]], [[[0, 1], [0, 0]]], [[0.9, float("-inf")]]).round(2).tolist()
        [[0.7099999785423279, 0.7099999785423279]]
    """

    beta: float = 0.3
    weighting: Weighting = "equal"

    def __post_init__(self) -> None:
        if not (np.isfinite(self.beta) and self.beta >= 0):
            raise InputError(f"beta is {self.beta!r}; it must be a number, at least 0")
        if self.weighting not in get_args(Weighting):
            raise InputError(f"weighting {self.weighting!r} is unknown; there are {', '.join(get_args(Weighting))}")

    def __call__(self, queries: npt.ArrayLike, feedback: npt.ArrayLike, scores: npt.ArrayLike) -> Float32:
        """New queries; see `Expansion`."""
        values = as_feedback_scores(scores)
        there = values > -np.inf
        if self.weighting == "score":
            weights = np.where(there, np.maximum(values, 0), 0.0)
        elif self.weighting == "rank":
            weights = there / np.log2(np.maximum(np.cumsum(there, axis=1), 1) + 1)
        else:
            weights = there.astype(np.float64)
        return rocchio(queries, feedback, weights, beta=self.beta)


def as_feedback_scores(scores: npt.ArrayLike) -> Float64:
    """Scores (q, K) in which -inf marks an empty place.

    Raises:
        InputError: another number of axes, NaN or +inf.
    """
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 2 or np.isnan(values).any() or (values == np.inf).any():
        raise InputError(f"scores of feedback, of shape {values.shape}, must be (q, K) of numbers, -inf where empty")
    return values


def as_stacks(vectors: npt.ArrayLike, queries: Float32, *, name: str) -> Float32:
    """Some vectors for each query, (q, K, d), each brought to length 1.

    Raises:
        InputError: a shape that does not fit the queries, or a value that is NaN or infinite.
    """
    stacks = np.asarray(vectors, dtype=np.float32)
    count, dimension = queries.shape
    if stacks.ndim != 3 or stacks.shape[0] != count or stacks.shape[2] != dimension:
        raise InputError(f"{name} has shape {stacks.shape}; expected ({count}, K, {dimension}), K vectors a query")
    return normalise(as_vectors(stacks.reshape(-1, dimension), name=name)).reshape(stacks.shape)


def _shares(weights: npt.ArrayLike | None, shape: tuple[int, ...]) -> Float64:
    """Weights that sum to 1 a query, or to 0 where it has none."""
    given = np.ones(shape) if weights is None else np.asarray(weights, dtype=np.float64)
    if given.shape != shape:
        raise InputError(f"weights have shape {given.shape}; expected {shape}, one a vector of feedback")
    if not (np.isfinite(given).all() and (given >= 0).all()):
        raise InputError("weights of feedback must be finite numbers, at least 0")
    total = given.sum(axis=1, keepdims=True)
    shares: Float64 = np.divide(given, total, out=np.zeros(shape), where=total > 0)
    return shares
