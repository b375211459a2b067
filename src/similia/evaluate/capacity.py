"""How many combinations of relevant items vectors of some dimension can serve at all.

A query vector of d dimensions finds only some sets of items as its k best. Whether the sets that are wanted are among
them is a property of the judgments and of d, not of any encoder: here the vectors themselves are optimised, as no
encoder could. Where that succeeds, d is enough; where it does not, it was not found, which is no proof.

Source: Weller, Boratko, Naim and Lee, *On the Theoretical Limitations of Embedding-Based Retrieval* (arXiv 2508.21038,
2025).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bool, Float32

_CHECK = 50  # steps between two looks at the answers
_PATIENCE = 1_000  # steps without progress after which it ends
_PROGRESS = 1e-5  # of the loss: less is none
_MOST = 2**28  # products of a query and an item


@dataclass(frozen=True)
class Capacity:
    """What free vectors reached.

    Attributes:
        solved: every query finds exactly its relevant items, before all others.
        accuracy: the share of queries that do, at best.
        steps: of the optimisation.
        queries: float32 (q, d), unit vectors at the end.
        items: float32 (n, d), unit vectors at the end.
    """

    solved: bool
    accuracy: float
    steps: int
    queries: Float32 = field(repr=False)
    items: Float32 = field(repr=False)


@dataclass(frozen=True)
class Critical:
    """The most items of which every combination can be found.

    Attributes:
        items: the largest number that was solved; 0 if none.
        accuracy: number of items -> the best share of queries served, for all numbers that were tried.
    """

    items: int
    accuracy: Mapping[int, float] = field(repr=False)


def free_embedding_capacity(
    relevance: npt.ArrayLike,
    d: int,
    *,
    steps: int = 100_000,
    temperature: float = 0.1,
    rate: float = 0.01,
    seed: int = 42,
) -> Capacity:
    """Optimise one unit vector a query and item until each query finds its relevant items first.

    Contrastive loss over all items, full batches, Adam, vectors brought to length 1 after every step; it ends when all
    queries are served, or when the loss stands still for 1,000 steps.

    Args:
        relevance: bool (q, n), which item is relevant to which query.
        d: dimensions.
        steps: the most that are taken.
        temperature: that similarities are divided by.
        rate: of Adam.
        seed: for the vectors at the start.

    Raises:
        InputError: no query or item, a query without relevant items, or a number out of its range.

    Examples:
        >>> pairs = ~np.eye(3, dtype=bool)
        >>> free_embedding_capacity(pairs, 1).accuracy < 1, free_embedding_capacity(pairs, 2).solved
        (True, True)
    """
    wanted = _relevance(relevance)
    _check(d, steps, temperature, rate)
    random = np.random.default_rng(seed)
    sides = [_unit(random.normal(size=(count, d)).astype(np.float32)) for count in wanted.shape]
    first, second = ([np.zeros_like(side) for side in sides] for _ in range(2))
    positives = wanted.sum(axis=1, keepdims=True).astype(np.float32)
    total = float(positives.sum())
    lowest, since, best = np.inf, 0, 0.0
    step = 0
    for step in range(1, steps + 1):
        logits = (sides[0] @ sides[1].T) / np.float32(temperature)
        largest = logits.max(axis=1, keepdims=True)
        shares = np.exp(logits - largest)
        sums = shares.sum(axis=1, keepdims=True)
        loss = float((positives * (np.log(sums) + largest)).sum() - logits[wanted].sum()) / total
        shares *= positives / sums
        shares[wanted] -= 1
        shares /= np.float32(total * temperature)
        gradients = (shares @ sides[1], shares.T @ sides[0])
        for number, gradient in enumerate(gradients):
            first[number] += np.float32(0.1) * (gradient - first[number])
            second[number] += np.float32(0.001) * (gradient**2 - second[number])
            size = np.sqrt(second[number] / (1 - 0.999**step)) + np.float32(1e-8)
            sides[number] = _unit(sides[number] - np.float32(rate / (1 - 0.9**step)) * first[number] / size)
        if step % _CHECK == 0 or step == steps:
            best = max(best, _served(sides[0], sides[1], wanted))
            if best == 1.0:
                break
        if loss < lowest - _PROGRESS:
            lowest, since = loss, step
        elif step - since >= _PATIENCE:
            break
    best = max(best, _served(sides[0], sides[1], wanted))
    return Capacity(best == 1.0, best, step, sides[0], sides[1])


def critical_n(
    d: int, k: int = 2, *, most: int = 100, steps: int = 100_000, seeds: Sequence[int] = (42, 43, 44)
) -> Critical:
    """The most items for which d dimensions serve every set of k of them as some query's k best.

    Numbers of items are tried with growing strides, then by halving, then all from 4 below to 5 above. One counts as
    solved if any of the seeds solves it. A larger ``steps`` can only raise the result.

    Args:
        d: dimensions.
        k: items that are relevant to a query.
        most: the largest number of items that is tried.
        steps: see `free_embedding_capacity`.
        seeds: tried one after the other, until one solves it.

    Raises:
        InputError: a k below 1, a ``most`` of k or less, or more pairs of query and item than fit.

    Examples:
        >>> critical_n(2, most=5, steps=2_000).items
        3
    """
    if k < 1 or most <= k:
        raise InputError(f"k is {k} and most {most}; k must be at least 1, and most above it")
    accuracy: dict[int, float] = {}

    def solved(n: int) -> bool:
        if n not in accuracy:
            wanted, accuracy[n] = all_combinations(n, k), 0.0
            for seed in seeds:
                found = free_embedding_capacity(wanted, d, steps=steps, seed=seed)
                accuracy[n] = max(accuracy[n], found.accuracy)
                if found.solved:
                    break
        return accuracy[n] == 1.0

    low, high, stride = k, most + 1, 1  # k items are no question; more than ``most`` are not tried
    while low + 1 < high and low + stride < high and solved(low + stride):
        low, stride = low + stride, 2 * stride
    if low + stride < high:
        high = low + stride
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (middle, high) if solved(middle) else (low, middle)
    for n in range(max(k + 1, low - 4), min(most, low + 5) + 1):
        solved(n)
    return Critical(max((n for n, a in accuracy.items() if a == 1.0), default=0), dict(sorted(accuracy.items())))


def all_combinations(n: int, k: int) -> Bool:
    """Every set of k of n items as a query: bool (n choose k, n).

    Raises:
        InputError: a k below 1 or above n, or more pairs than fit.

    Examples:
        >>> all_combinations(3, 2).astype(int).tolist()
        [[1, 1, 0], [1, 0, 1], [0, 1, 1]]
    """
    if not 1 <= k <= n:
        raise InputError(f"k is {k} and n {n}; k must be from 1 to n, else no query has an answer")
    chosen = np.array(list(combinations(range(n), k)))
    if len(chosen) * n > _MOST:
        raise InputError(f"{len(chosen):,} queries with {n} items are too many; {_MOST:,} pairs are the most")
    relevance = np.zeros((len(chosen), n), bool)
    np.put_along_axis(relevance, chosen, True, axis=1)
    return relevance


def _served(queries: Float32, items: Float32, wanted: Bool) -> float:
    """The share of queries whose relevant items all score above all others."""
    scores = queries @ items.T
    lowest = np.where(wanted, scores, np.inf).min(axis=1)
    highest = np.where(wanted, -np.inf, scores).max(axis=1)
    return float((lowest > highest).mean())


def _relevance(relevance: npt.ArrayLike) -> Bool:
    wanted = np.asarray(relevance)
    if wanted.ndim != 2 or not wanted.size or wanted.dtype != np.bool_:
        raise InputError(f"relevance is {wanted.dtype} {wanted.shape}; it must be bool (queries, items), and not empty")
    if not wanted.any(axis=1).all():
        row = int(np.flatnonzero(~wanted.any(axis=1))[0])
        raise InputError(f"query {row} has no relevant item; leave such queries out")
    if wanted.size > _MOST:
        raise InputError(f"{wanted.shape[0]:,} queries and {wanted.shape[1]:,} items are too many; {_MOST:,} pairs fit")
    return wanted


def _check(d: int, steps: int, temperature: float, rate: float) -> None:
    if d < 1 or steps < 1:
        raise InputError(f"d is {d} and steps {steps}; both must be at least 1")
    if not (0 < temperature < np.inf and 0 < rate < np.inf):
        raise InputError(f"temperature is {temperature} and rate {rate}; both must be above 0 and finite")


def _unit(vectors: Float32) -> Float32:
    lengths = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))[:, None]
    unit: Float32 = (vectors / np.maximum(lengths, np.float32(1e-12))).astype(np.float32)
    return unit
