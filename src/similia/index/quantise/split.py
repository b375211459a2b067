"""Vectors turned so that their first values tell the most: a head to scan, and a tail to look at where it matters.

A rotation changes no inner product. This one puts the directions in which items differ most (principal components)
into the head and the others into the tail. The tail's part of an inner product is at most the product of the two
tails' lengths, so a scan of the heads alone can rule most items out. Within a part the axes are turned at random, so
that no value is much greater than the others and one step serves them all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from similia.index.quantise.blocks import ROWS, neighbours
from similia.types import Float32

_PROBES = 64  # rows of the sample that are the queries which the split is chosen by
_WIDEST = 2048  # the dimension up to which directions are fitted; the cost grows with its cube
_NEAREST = 10  # what the probes look for
_WRONG = 0.03  # what the codes' errors come to, for vectors of length 1
_DEAR = 12  # so many times as dear is a value of a tail, and there are queries that want more tails than probes do
_LEADING = 16  # directions that rows are put in order by
_UNIT = 2.0**-24  # unit roundoff of float32


@dataclass(frozen=True)
class Rotation:
    """A rotation of d dimensions, and how many of the turned ones are the head.

    Attributes:
        matrix: float32 (d, d), or None for none.
        head: at most d.
        error: by how much an inner product of turned vectors of length 1 may be off.
        leading: float32 (d, m), the m directions in which items differ most; m may be 0.
    """

    matrix: Float32 | None
    head: int
    error: float
    leading: Float32

    def apply(self, vectors: Float32) -> Float32:
        """The vectors (n, d), turned."""
        return vectors if self.matrix is None else vectors @ self.matrix


def fit(sample: Float32, total: int, seed: int) -> Rotation:
    """The rotation for vectors around zero, fitted on a sample (m, d) of ``total``.

    The head is as long as makes a scan cheapest, judged on some of the sample as queries; it is all if nothing is
    gained.
    """
    d = sample.shape[1]
    if not 16 <= d <= _WIDEST or len(sample) < 4 * _PROBES:
        return Rotation(None, d, 0.0, np.empty((d, 0), np.float32))
    _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
    axes = axes[:, ::-1].copy()
    leading = axes[:, :_LEADING].astype(np.float32)
    head = _cheapest(sample @ axes.astype(np.float32), max(1, round(_NEAREST * len(sample) / total)))
    random = np.random.default_rng(seed)
    for start, stop in ((0, head), (head, d)):
        turn = np.linalg.qr(random.standard_normal((stop - start, stop - start)))[0]
        axes[:, start:stop] = axes[:, start:stop] @ turn
    matrix = axes.astype(np.float32)
    wide = matrix.astype(np.float64)
    defect = float(np.linalg.norm(wide @ wide.T - np.eye(d)))
    rounding = 2.5 * d * _UNIT * float(np.sqrt(d))  # of the products with the matrix: Higham 2002, section 3.1
    return Rotation(matrix, head, defect + rounding, leading)


def _cheapest(turned: Float32, nearest: int) -> int:
    """The length of the head with which a scan costs least: a multiple of 16, or all."""
    d = turned.shape[1]
    queries, items = turned[:_PROBES], turned[_PROBES:]
    items = items[neighbours(items[:, :_LEADING], 0)[: len(items) // ROWS * ROWS]]
    scores = queries @ items.T
    least = np.partition(scores, len(items) - nearest, axis=1)[:, len(items) - nearest, None]
    best, cost = int(d), 0.9 * d  # less than a tenth is not worth a second part
    for head in range(16, d, max(16, d // 24 // 16 * 16)):
        bound = queries[:, :head] @ items[:, :head].T
        bound += lengths(queries[:, head:])[:, None] * lengths(items[:, head:])
        reached = (bound >= least - _WRONG).reshape(_PROBES, -1, ROWS).any(axis=2).mean()
        expected = head + _DEAR * float(reached) * (d - head)
        if expected < cost:
            best, cost = head, expected
    return best


def lengths(vectors: Float32) -> Float32:
    """Euclidean lengths in single precision."""
    found: Float32 = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    return found
