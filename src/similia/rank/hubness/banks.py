"""What the similarities of a bank to all items say about each item, a block of items at a time.

A bank is some thousand vectors that stand for what will be asked, the items may be a million: the matrix between them
is never held, and what several settings need of it is taken in one pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.inputs import Stored, as_stored
from similia.measure.sinkhorn import centred, log_sum_exp, scale
from similia.measure.vectors import normalise
from similia.types import Bool, Float32, Int64, as_vectors

Metric: TypeAlias = Literal["cosine", "dot"]
Float64: TypeAlias = npt.NDArray[np.float64]

_SIMILARITIES = 4 * 2**20  # of a bank with a block of items that are held at a time
_FLAT = 1e-6  # a spread of biases that rounding could have made is none


def prepared(vectors: npt.ArrayLike, metric: Metric, name: str, dimension: int | None = None) -> Float32:
    """Vectors (n, d) as the metric compares them: float32, at length 1 for "cosine"."""
    array = as_vectors(vectors, name=name, dimension=dimension)
    return normalise(array) if metric == "cosine" else array


def check_metric(metric: str) -> None:
    """Refuse a metric that is not one."""
    if metric not in get_args(Metric):
        raise InputError(f"metric {metric!r} is unknown; there are {', '.join(get_args(Metric))}")


class Bank:
    """A bank of vectors and the items that it is compared with.

    Args:
        vectors: (b, d), b may be 0.
        items: (n, d); kept as they are, so they may be a memory map of float32 or float16.
        metric: "cosine" or "dot".
        pairs: (b,), the position of the item that belongs to each vector of the bank, -1 for none: its right answer,
            or itself. Those similarities are left out, since they say nothing about others' queries.
        name: what to call the bank in an error.

    Raises:
        InputError: vectors or pairs that do not fit.

    Examples:
        >>> bank = Bank([[1.0, 0.0], [1.0, 1.0]], [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]], "dot")
        >>> bank.mean_of_best(1).tolist()
        [1.0, 1.0, -1.0]
        >>> bank.led(1).tolist()
        [True, False, False]
    """

    def __init__(
        self,
        vectors: npt.ArrayLike,
        items: npt.ArrayLike,
        metric: Metric,
        pairs: npt.ArrayLike | None = None,
        name: str = "bank",
    ) -> None:
        check_metric(metric)
        self.items: Stored = as_stored(items)
        given = np.asarray(vectors)
        dimension = self.items.shape[1]
        if not given.size:
            given = np.empty((0, dimension), np.float32)
        self.vectors = prepared(given, metric, name, dimension)
        self.metric: Metric = metric
        self.pairs = _pairs(pairs, len(self.vectors), len(self.items), name)
        self._soft: dict[float, Float64] = {}
        self._led: dict[int, Bool] = {}

    def __len__(self) -> int:
        return len(self.vectors)

    def blocks(self) -> Iterator[tuple[int, Float32]]:
        """Position of the first item, and similarities float32 (b, m); -inf for pairs that are left out."""
        step = max(1, _SIMILARITIES // max(1, len(self)))
        for start in range(0, len(self.items), step):
            items = prepared(self.items[start : start + step], self.metric, "gallery")
            found = self.vectors @ items.T
            inside = np.flatnonzero((self.pairs >= start) & (self.pairs < start + len(items)))
            found[inside, self.pairs[inside] - start] = -np.inf
            yield start, found

    @cached_property
    def counts(self) -> Int64:
        """How many of the bank each item is compared with, (n,)."""
        own = np.bincount(self.pairs[self.pairs >= 0], minlength=len(self.items))
        return (len(self) - own).astype(np.int64)

    def soft_all(self, betas: Sequence[float]) -> None:
        """Make `soft` of several betas in one pass, to be had from there."""
        wanted = [beta for beta in dict.fromkeys(betas) if beta not in self._soft]
        if not wanted:
            return
        found = np.full((len(wanted), len(self.items)), -np.inf)
        for start, block in self.blocks():
            for row, beta in enumerate(wanted):
                found[row, start : start + block.shape[1]] = log_sum_exp(block * np.float32(beta), axis=0)
        counts = self.counts
        for logs, beta in zip(found, wanted, strict=True):
            known = np.where(counts > 0, logs - np.log(np.maximum(counts, 1)), np.nan)
            self._soft[beta] = filled(known / beta)

    def soft(self, beta: float) -> Float64:
        """``log(mean over the bank of exp(beta * similarity)) / beta``, (n,): from the mean (0) to the maximum."""
        self.soft_all([beta])
        return self._soft[beta]

    def mean_of_best(self, count: int) -> Float64:
        """The mean of the ``count`` largest similarities of each item, (n,); of fewer where there are fewer."""
        found = np.full(len(self.items), np.nan)
        for start, block in self.blocks():
            best = -np.partition(-block, min(count, len(block)) - 1, axis=0)[:count].astype(np.float64)
            there = np.isfinite(best)
            total, number = np.where(there, best, 0).sum(axis=0), there.sum(axis=0)
            mean = np.divide(total, number, out=np.full(len(total), np.nan), where=number > 0)
            found[start : start + block.shape[1]] = mean
        return filled(found)

    def balanced(self, beta: float, rounds: int) -> Float64:
        """Bias of Sinkhorn scaling at temperature 1 / beta, (n,), of mean 0."""
        factor = np.float32(beta)
        columns = scale(lambda: (block * factor for _, block in self.blocks()), len(self), rounds)[1]
        return flat(centred(-columns / beta))

    def led(self, k: int) -> Bool:
        """Which items are among the k most similar of any vector of the bank, bool (n,); the lower of equal ones."""
        if k in self._led:
            return self._led[k]
        best = np.full((len(self), k), -np.inf, np.float32)
        at = np.full((len(self), k), -1, np.int64)
        for start, block in self.blocks():
            near = np.argsort(-block, axis=1, kind="stable")[:, :k] if k > 1 else block.argmax(axis=1)[:, None]
            scores = np.concatenate((best, np.take_along_axis(block, near, axis=1)), axis=1)
            places = np.concatenate((at, near + start), axis=1)
            order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            best, at = np.take_along_axis(scores, order, axis=1), np.take_along_axis(places, order, axis=1)
        marks = np.zeros(len(self.items), np.bool_)
        marks[at[np.isfinite(best)]] = True
        self._led[k] = marks
        return marks


def filled(bias: Float64) -> Float64:
    """Biases with the mean of those that are known for those that are not (NaN), and no spread where it is rounding."""
    known = np.isfinite(bias)
    mean = float(bias[known].mean()) if known.any() else 0.0
    return flat(np.where(known, bias, mean))


def flat(bias: Float64) -> Float64:
    """The mean everywhere, where the biases differ by no more than rounding: then no ranking may change."""
    if bias.size and float(np.ptp(bias)) <= _FLAT * max(1.0, float(np.abs(bias).max())):
        return np.full(bias.shape, bias.mean())
    return bias


def _pairs(pairs: npt.ArrayLike | None, count: int, items: int, name: str) -> Int64:
    if pairs is None:
        return np.full(count, -1, np.int64)
    given = np.asarray(pairs)
    if given.shape != (count,) or (count and given.dtype.kind not in "iu"):
        raise InputError(f"pairs of the {name} are {given.dtype} {given.shape}; they must be whole numbers ({count},)")
    if count and not (given.min() >= -1 and given.max() < items):
        raise InputError(f"pairs of the {name} must be positions from 0 to {items - 1} of items, or -1 for none")
    return given.astype(np.int64)
