"""All vectors of an index as codes for a scan, queries as codes for it, and by how much their scores may be wrong.

The scan's score of a query q and an item x is an inner product, scaled so that both are of length 1 or so:

    cosine, dot   u · y                 u = q / |q|            y = (x - m) s, for cosine of x / |x|
    l2            u · y - |y|² / 2      u = (q - m) s          y = (x - m) s

with m the mean and s the inverse of the greatest length of x - m. It orders items as the metric does, since
u · m s and |u|² are the same for all of them. Codes û and ŷ in place of u and y change it by at most
|u - û| |y| + |û| |y - ŷ| (Cauchy-Schwarz), to which the rounding of floating point is added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.index.quantise import scalar
from similia.index.quantise.blocks import aligned, neighbours, table_of
from similia.index.quantise.split import fit, lengths
from similia.measure.vectors import TINY
from similia.types import Bool, Bytes, Float32

Float64 = npt.NDArray[np.float64]
Stored = npt.NDArray[np.float32 | np.float16]
_SAMPLE = 16384  # rows that the rotation and the steps are fitted on
_VALUES = 2**20  # vector values that are coded at a time
_UNIT = 2.0**-24  # unit roundoff of float32
_SPARE = 8  # rows after the queries that a kernel may read
_FAR = 1e6  # queries farther from the mean than so many times the items are not worth a scan


@dataclass(frozen=True)
class CodedQueries:
    """What a scan needs to know of q queries; see `similia.index.kernels.scan` for the shapes.

    Attributes:
        codes: int8, of heads and of tails.
        terms: float32, of heads and of tails; the least scores are -inf, and infinite after the queries.
        scaled: (q, 2), factor and summand that make an exact score (squared and negated for l2) a scan's.
        slack: (q,), by how much a score may be wrong.
        head_slack: (q,), by how much a head's score may be below that of the row.
        unfit: bool (q,), what has no direction or is too far away: to be searched in another way.
    """

    codes: tuple[npt.NDArray[np.int8], npt.NDArray[np.int8]]
    terms: tuple[Float32, Float32]
    scaled: Float64
    slack: Float64
    head_slack: Float64
    unfit: Bool


class Coded:
    """Codes of all vectors.

    Args:
        vectors: float32 or float16 (n, d), finite, n at least 1; read in blocks, so it may be a memory map.
        norms: their lengths (n,).
        metric: "cosine", "dot" or "l2".
        seed: of the sample, the rotation and the order.

    Attributes:
        table: what is scanned.
    """

    def __init__(self, vectors: Stored, norms: Float64, metric: str, seed: int = 0) -> None:
        self._metric, (count, d) = metric, vectors.shape
        self._mean, self._scale = np.zeros(d), 1.0
        total = np.zeros(d)
        for _, block in self._scaled(vectors, norms):
            total += block.sum(axis=0)
        self._mean = total / count
        longest = max(float(_squares(block).max()) for _, block in self._scaled(vectors, norms))
        self._scale = 1 / np.sqrt(longest) if longest > TINY**2 else 1.0
        reach = 1.0 if metric == "cosine" else float(norms.max())
        self._offset = self._scale * (float(np.linalg.norm(self._mean)) + reach)
        rows = np.sort(np.random.default_rng(seed).choice(count, min(count, _SAMPLE), replace=False))
        sample = np.concatenate([block.astype(np.float32) for _, block in self._scaled(vectors[rows], norms[rows])])
        self.rotation = fit(sample, count, seed)
        turned, head = self.rotation.apply(sample), self.rotation.head
        self._steps = scalar.step_of(turned[:, :head]), scalar.step_of(turned[:, head:])
        heads, tails = (np.full((count, aligned(size)), scalar.ZERO, np.uint8) for size in (head, d - head))
        base, rest = np.zeros(count, np.float32), np.empty(count, np.float32)
        leading = np.empty((count, self.rotation.leading.shape[1]), np.float32)
        del sample, turned
        steps = self._encode(vectors, norms, (heads, tails), base, rest, leading)
        if any(new > 1.01 * old for new, old in zip(steps, self._steps, strict=True)):
            self._steps = steps  # the sample missed what is farthest from zero
            self._encode(vectors, norms, (heads, tails), base, rest, leading)
        self.table = table_of(heads, tails, base, rest, neighbours(leading, seed))

    def _scaled(self, vectors: Stored, norms: Float64) -> Iterator[tuple[slice, Float64]]:
        """Blocks of vectors as y."""
        step = max(1, _VALUES // vectors.shape[1])
        for start in range(0, len(vectors), step):
            at = slice(start, min(start + step, len(vectors)))
            block = vectors[at].astype(np.float64)
            if self._metric == "cosine":
                block /= np.where(norms[at] >= TINY, norms[at], np.inf)[:, None]
            block -= self._mean
            block *= self._scale
            yield at, block

    def _encode(
        self,
        vectors: Stored,
        norms: Float64,
        codes: tuple[Bytes, Bytes],
        base: Float32,
        rest: Float32,
        leading: Float32,
    ) -> tuple[float, float]:
        """Fill in what there is to know of each row, and return the steps with a code for every value."""
        head = self.rotation.head
        wrong, steps, longest = [0.0, 0.0], [0.0, 0.0], 0.0
        for at, block in self._scaled(vectors, norms):
            squares, single = _squares(block), block.astype(np.float32)
            turned = self.rotation.apply(single)
            longest = max(longest, float(squares.max()))
            if self._metric == "l2":
                base[at] = -squares / 2
            rest[at] = lengths(turned[:, head:])
            np.matmul(single, self.rotation.leading, out=leading[at])
            errors = np.zeros(len(block))
            for part, values in enumerate((turned[:, :head], turned[:, head:])):
                coded = scalar.encode(values, self._steps[part])
                codes[part][at, : values.shape[1]] = coded
                errors += _squares(values - scalar.decode(coded, self._steps[part]))
                wrong[part] = max(wrong[part], float(errors.max()))
                steps[part] = max(steps[part], scalar.step_of(values))
        self._longest = float(np.sqrt(longest))
        self._head_wrong, self._wrong = float(np.sqrt(wrong[0])), float(np.sqrt(wrong[1]))
        return steps[0], steps[1]

    def queries(self, batch: Float32, norms: Float64) -> CodedQueries:
        """Codes of queries (q, d) of these lengths (q,), and the bounds that hold for them."""
        wide = batch.astype(np.float64)
        if self._metric == "l2":
            wide -= self._mean
            wide *= self._scale
            far = np.sqrt(_squares(wide))
            unfit = far > _FAR
            wide[unfit] = 0
        else:
            unfit = norms < TINY
            wide *= np.divide(1, norms, out=np.zeros_like(norms), where=~unfit)[:, None]
            far = np.where(unfit, 0.0, 1.0)
        turned, head = self.rotation.apply(wide.astype(np.float32)), self.rotation.head
        weight = lengths(turned[:, head:])
        heads, head_terms, head_wrong = self._part(turned[:, :head], self._steps[0], weight)
        tails, tail_terms, tail_wrong = self._part(turned[:, head:], self._steps[1], -weight)
        scaled = np.empty((len(batch), 2))
        if self._metric == "l2":
            scaled[:, 0], scaled[:, 1] = self._scale**2 / 2, far**2 / 2
        else:
            scaled[:, 0] = self._scale / np.where(unfit, 1, norms) if self._metric == "dot" else self._scale
            scaled[:, 1] = -self._scale * (wide @ self._mean)
        rounding, wrong = self._rounding(far), np.sqrt(head_wrong + tail_wrong)
        head_wrong = np.sqrt(head_wrong)
        slack = wrong * self._longest + (far + wrong) * self._wrong + rounding
        head_slack = head_wrong * self._longest + (far + head_wrong) * self._head_wrong + rounding
        return CodedQueries((heads, tails), (head_terms, tail_terms), scaled, slack, head_slack, unfit)

    def _part(self, values: Float32, step: float, weight: Float32) -> tuple[npt.NDArray[np.int8], Float32, Float64]:
        """Codes and terms of one part of the queries, and the squared distances of the codes from them."""
        coded, steps = scalar.encode_queries(values)
        codes = np.zeros((len(values) + _SPARE, aligned(values.shape[1])), np.int8)
        codes[: len(values), : values.shape[1]] = coded
        terms = np.full((len(values) + _SPARE, 4), np.inf, np.float32)
        own = terms[: len(values)]
        own[:, 0], own[:, 1], own[:, 2] = steps * np.float32(step), weight, -np.inf
        own.view(np.int32)[:, 3] = scalar.ZERO * coded.sum(axis=1, dtype=np.int32)
        return codes, terms, _squares(values - coded * steps[:, None])

    def _rounding(self, far: Float64) -> Float64:
        """What floating point adds to the error: of turning, of scores in float32, and of exact ones rounded to it."""
        turning = self.rotation.error * far * self._longest
        scanned = 64 * _UNIT * ((far + 1) * (self._longest + 1) + far * self._offset)
        return turning + scanned + (4 * _UNIT * (far + self._longest) ** 2 if self._metric == "l2" else 0)


def _squares(vectors: npt.NDArray[np.floating]) -> Float64:
    squares: Float64 = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    return squares
