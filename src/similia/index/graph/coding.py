"""Vectors to codes: fewer dimensions, one byte each, such that one integer product orders the items.

A code is a row of bytes, a multiple of 64 long: ``round(x' / step) + 128`` of the projected item ``x'``. Under l2 the
last four bytes of a row are a float32, ``|x|² / 2`` in units of the step, which the walk subtracts; the query is zero
there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import Float64, Metric
from similia.index.project.gram import leading, moments, sampled
from similia.index.project.projection import blocks
from similia.measure.vectors import normalise, norms
from similia.types import Bytes, Float32

Int8: TypeAlias = npt.NDArray[np.int8]

LINE = 64  # bytes that memory hands over at a time
_VALUES = 4 * 2**20  # vector values that are encoded at a time
FITTED = 20_000  # vectors that the directions and the step are learned from
FINEST = 500  # codes of a query that make one step of an item's, at most
_LARGEST = 1e30  # square of a length that is told from greater ones
_WITHIN = 0.9999  # share of the values that the codes reach; the rest is clipped
_MOST = 1024  # dimensions that are kept unasked: more would cost more than it finds
_KEPT = 0.87  # share of the variance: what 192 of the 384 dimensions of a sentence encoder keep


@dataclass(frozen=True, eq=False)
class Coder:
    """Encodes items and queries of one index.

    Attributes:
        item_map: float32 (D, r), from vectors less the mean to what is coded.
        query_map: float32 (D, r).
        mean: float32 (D,).
        step: what a code counts.
        longest: under dot, at least the length of every item: items are lifted to one length (Bachrach et al. 2014),
            so that the most similar is the nearest; else 0.
    """

    metric: Metric
    item_map: Float32
    query_map: Float32
    mean: Float32
    step: float
    longest: float

    @property
    def dims(self) -> int:
        """What is coded of a vector."""
        return int(self.item_map.shape[1])

    @property
    def width(self) -> int:
        """Bytes of a row of codes."""
        tail = 4 if self.metric == "l2" else 0
        return -(-(self.dims + tail) // LINE) * LINE

    def items(self, vectors: npt.NDArray[np.floating[Any]]) -> tuple[Bytes, Float32, Float32]:
        """Codes uint8 (n, width), and what distances between items need beside them, both in steps.

        That is the squares of the lengths, float32 (n,), and the lifts, float32 (n,), or (0,) where nothing is lifted.
        """
        n, r = len(vectors), self.dims
        codes = np.full((n, self.width), 128, np.uint8)
        squares = np.empty(n, np.float32)
        lifts = np.zeros(n if self.metric == "dot" else 0, np.float32)
        rows = max(1, _VALUES // max(1, vectors.shape[1]))
        for start in range(0, n, rows):
            at = slice(start, start + rows)
            block = self._prepared(vectors[at])
            lengths = norms(block)
            block -= self.mean
            projected = block @ self.item_map
            projected *= 1 / np.float32(self.step)
            before = np.einsum("ij,ij->i", projected, projected, dtype=np.float64)
            np.clip(projected, -127, 127, out=projected)
            # What was cut off must not count as distance from everything: squares are of what is coded.
            cut = before - np.einsum("ij,ij->i", projected, projected, dtype=np.float64)
            np.rint(projected, out=projected)
            codes[at, :r] = (projected + 128).astype(np.uint8)
            squares[at] = np.minimum((norms(block) / self.step) ** 2 - cut, _LARGEST)
            if self.metric == "dot":
                lifts[at] = np.minimum(np.sqrt(np.maximum(self.longest**2 - lengths**2, 0)) / self.step, _LARGEST**0.5)
                squares[at] += lifts[at] ** 2
            if self.metric == "l2":
                codes[at, -4:] = np.ascontiguousarray(squares[at] / 2)[:, None].view(np.uint8)
        return codes, squares, lifts

    @property
    def reach(self) -> float:
        """The length of all items after lifting; under l2, where they have any, 0."""
        return {"cosine": 1.0, "dot": self.longest, "l2": 0.0}[self.metric]

    def queries(self, batch: Float32) -> tuple[Int8, Float32, Float32, Float64]:
        """Codes int8 (q, width), what scores of them count, (q,), and the factor of the items' last float32, (q,).

        An item's score, times what it counts, differs from its inner product with the query (under l2: less half its
        square) by an error and something that is the same for all items. Last, float64 (q,), is what an item would
        score that lay where the query does, the query being brought to the length of the items unless under l2.
        """
        projected = (batch - self.mean if self.metric == "l2" else batch) @ self.query_map
        largest = np.abs(projected).max(axis=1, initial=0)
        with np.errstate(divide="ignore", over="ignore"):
            scale = np.float32(127) / largest
        if self.metric == "l2":  # what is subtracted must fit, too
            scale = np.minimum(scale, np.float32(FINEST / self.step))
        scale[~np.isfinite(scale)] = 0  # no direction
        codes = np.zeros((len(batch), self.width), np.int8)
        projected *= scale[:, None]
        codes[:, : self.dims] = np.rint(projected, out=projected)
        step = np.float32(self.step)
        counts = np.divide(step, scale, out=np.zeros_like(scale), where=scale > 0)
        if self.metric == "l2":
            top = norms(batch - self.mean) ** 2 / 2
        else:
            top = self.reach * norms(batch) - batch.astype(np.float64) @ self.mean
        tops = np.divide(top, counts, out=np.zeros_like(top), where=counts > 0)
        tops += 128 * codes.sum(axis=1, dtype=np.int64)
        return codes, counts, scale * step if self.metric == "l2" else np.zeros_like(scale), tops

    def _prepared(self, vectors: npt.NDArray[np.floating[Any]]) -> Float32:
        return normalise(vectors) if self.metric == "cosine" else vectors.astype(np.float32)


def fit(
    vectors: npt.NDArray[np.floating[Any]], metric: Metric, longest: float, dimensions: int | None, seed: int
) -> Coder:
    """A coder from the directions in which vectors vary most.

    Args:
        vectors: (n, D), finite.
        metric: what similarity is.
        longest: the greatest length of a vector.
        dimensions: how many are kept, at most D. Where None, as many as keep 87 % of the variance, and so recall above
            0.99 with a wide enough beam; vectors of latent semantic analysis need three quarters of theirs.
        seed: decides on which vectors it is learned.

    Raises:
        InputError: dimensions that are not between 1 and D.
    """
    n, wide = vectors.shape
    if dimensions is not None and not 1 <= dimensions <= wide:
        raise InputError(f"dimensions are {dimensions}; they must be between 1 and {wide}, the length of the vectors")
    if not n:
        nothing = np.eye(wide, dimensions or min(wide, LINE), dtype=np.float32)
        return Coder(metric, nothing, nothing, np.zeros(wide, np.float32), 1.0, longest if metric == "dot" else 0.0)
    sample = sampled(vectors, FITTED, seed, "vectors")
    found = moments(sample, metric)
    variances, directions = leading(found.gram, min(wide, _MOST) if dimensions is None else dimensions)
    kept = dimensions or _enough(variances, float(np.trace(found.gram)), metric)
    axes, mean = np.ascontiguousarray(directions[:, :kept], dtype=np.float32), found.mean.astype(np.float32)
    values = np.abs(np.concatenate([(block - mean) @ axes for _, block in blocks(sample, metric)]))
    reach = float(np.quantile(values, _WITHIN))
    step = max(reach or float(values.max(initial=0.0)), 1e-12) / 127
    lifted = longest if metric == "dot" else 0.0
    return Coder(metric, axes, axes, mean, step, lifted)


def _enough(variances: Float64, total: float, metric: Metric) -> int:
    """Of the directions in which vectors vary most, as many as fill lines of memory and keep enough of the variance."""
    wide, tail = len(variances), 4 if metric == "l2" else 0
    needed = int(np.searchsorted(np.cumsum(variances), _KEPT * total) + 1) if total > 0 else 1
    least = 3 * LINE  # vectors are told apart by their small differences, too
    return min(wide, max(least, -(-(needed + tail) // LINE) * LINE) - tail)
