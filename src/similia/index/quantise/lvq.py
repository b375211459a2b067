"""LVQ, locally adaptive vector quantisation: every vector has a step of its own (Aguerrebere et al., VLDB 2023).

The mean of all vectors is subtracted; what remains of a vector is cut into 2^bits - 1 equal steps between its least
and its greatest value. A second level cuts what the first leaves over in the same way, so that a search can read the
first level of many vectors and both of a few.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Bytes, Float32, as_vectors

Bits: TypeAlias = Literal[4, 8]
_Float64: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class LVQ:
    """Codes of n vectors of d dimensions.

    Attributes:
        mean: float32 (d,), what was subtracted.
        least, step: float32 (n,), the least value of each vector and what one code is worth.
        codes: uint8 (n, d) at 8 bits; (n, ceil(d / 2)) at 4, the first of two values in the low half of a byte.
        bits: of the first level.
        rest: the second level's codes, or None.
        rest_bits: of the second level.

    Examples:
        >>> lvq = encode([[0.0, 51.0, 255.0], [4.0, 4.0, 4.0]], 8, mean=[0.0, 0.0, 0.0])
        >>> lvq.codes.tolist(), lvq.step.tolist()
        ([[0, 51, 255], [0, 0, 0]], [1.0, 0.0])
        >>> lvq.decode().tolist()
        [[0.0, 51.0, 255.0], [4.0, 4.0, 4.0]]
    """

    mean: Float32
    least: Float32
    step: Float32
    codes: Bytes
    bits: Bits
    rest: Bytes | None = None
    rest_bits: Bits = 8

    def __len__(self) -> int:
        return len(self.codes)

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return len(self.mean)

    @property
    def nbytes(self) -> int:
        """The memory of codes and steps."""
        rest = 0 if self.rest is None else self.rest.nbytes
        return self.codes.nbytes + rest + self.least.nbytes + self.step.nbytes

    def decode(self, *, both: bool = True) -> Float32:
        """What the codes stand for, float32 (n, d), with the second level if there is one and ``both`` are asked for.

        A value is off by at most half of its vector's step; by half of the second level's, which is the first's divided
        by 2^bits - 1, with both.
        """
        steps = self._multiples(both)
        return (self.mean + self.least[:, None] + self.step[:, None].astype(np.float64) * steps).astype(np.float32)

    def scores(self, queries: npt.ArrayLike, *, both: bool = True) -> Float32:
        """Inner products of queries (q, d) and the items that the codes stand for, float32 (q, n).

        They need no decoding: ``q · x = q · mean + least · sum(q) + step · (q · codes)``.

        Raises:
            InputError: queries that do not fit.
        """
        batch = as_vectors(queries, name="queries", dimension=self.dimension).astype(np.float64)
        products = batch @ self._multiples(both).T
        products *= self.step
        products += batch.sum(axis=1)[:, None] * self.least
        products += (batch @ self.mean)[:, None]
        return products.astype(np.float32)

    def _multiples(self, both: bool) -> _Float64:
        """The steps (n, d) from the least value, whole numbers at the first level."""
        steps = _open(self.codes, self.bits, self.dimension).astype(np.float64)
        if both and self.rest is not None:
            steps += _open(self.rest, self.rest_bits, self.dimension) / (2**self.rest_bits - 1) - 0.5
        return steps


def encode(vectors: npt.ArrayLike, bits: Bits, rest_bits: Bits | None = None, mean: npt.ArrayLike | None = None) -> LVQ:
    """Code vectors (n, d), at one level or two.

    Args:
        vectors: (n, d), finite.
        bits: 8 or 4, of a value at the first level.
        rest_bits: 8 or 4 for a second level, None for none.
        mean: (d,), what is subtracted, by default the mean of these vectors.

    Raises:
        InputError: a value that is NaN or infinite, other bits, or a mean that does not fit.
    """
    for given in (bits, rest_bits):
        if given not in (4, 8, None):
            raise InputError(f"bits are {given!r}; 4 and 8 are supported")
    array = as_vectors(vectors)
    d = array.shape[1]
    if mean is None:
        middle = array.mean(axis=0, dtype=np.float64).astype(np.float32) if len(array) else np.zeros(d, np.float32)
    else:
        middle = as_vectors(mean, name="mean", dimension=d)[0]
    if not d:
        raise InputError("vectors have 0 dimensions; at least 1 is needed")
    wide = array.astype(np.float64) - middle
    least: Float32 = wide.min(axis=1).astype(np.float32)
    wide -= least[:, None]
    step: Float32 = (wide.max(axis=1).clip(0) / (2**bits - 1)).astype(np.float32)
    multiples = wide / np.where(step > 0, step, np.inf).astype(np.float64)[:, None]
    codes = np.clip(np.rint(multiples), 0, 2**bits - 1)
    rest = None
    if rest_bits is not None:
        most = 2**rest_bits - 1
        rest = _close(np.clip(np.rint((multiples - codes + 0.5) * most), 0, most), rest_bits)
    return LVQ(middle, least, step, _close(codes, bits), bits, rest, rest_bits or 8)


def _close(codes: _Float64, bits: Bits) -> Bytes:
    """Whole numbers (n, d) as bytes, two in one at 4 bits."""
    whole = codes.astype(np.uint8)
    if bits == 8:
        return whole
    whole = np.pad(whole, ((0, 0), (0, whole.shape[1] % 2)))
    packed: Bytes = whole[:, ::2] | whole[:, 1::2] << np.uint8(4)
    return packed


def _open(codes: Bytes, bits: Bits, dimension: int) -> Bytes:
    if bits == 8:
        return codes
    halves: Bytes = np.stack([codes & np.uint8(15), codes >> np.uint8(4)], axis=2)
    return halves.reshape(len(codes), -1)[:, :dimension]
