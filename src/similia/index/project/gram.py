"""Sums of outer products: all that a linear projection needs to know of many vectors."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.exact import Metric
from similia.index.project.projection import Float64, blocks
from similia.types import Float32, as_vectors

SAMPLE = 100_000
"""Vectors that a projection is learnt from; the authors of LeanVec found that more do not help."""


class Moments(NamedTuple):
    """What is known of many vectors.

    Attributes:
        mean: float64 (D,).
        gram: float64 (D, D), the mean outer product about a centre.
        total: how many vectors there are.
    """

    mean: Float64
    gram: Float64
    total: int

    @property
    def scale(self) -> float:
        """An upper bound of the variance and of the square of the mean."""
        return float(np.trace(self.gram) + self.mean @ self.mean)


def sampled(vectors: npt.ArrayLike, most: int, seed: int, name: str) -> npt.NDArray[np.floating]:
    """At most ``most`` of the vectors, in their order.

    Raises:
        InputError: not (n, D), or no vector.
    """
    array = np.asanyarray(vectors)
    if array.ndim != 2 or array.dtype.kind != "f":
        array = as_vectors(array, name=name)
    if array.shape[0] == 0 or array.shape[1] == 0:
        raise InputError(f"{name} are {array.shape}; at least one vector of at least 1 dimension is needed")
    if len(array) <= most:
        return array
    chosen = np.random.default_rng(seed).choice(len(array), most, replace=False)
    return np.asarray(array[np.sort(chosen)])


def moments(vectors: npt.NDArray[np.floating], metric: Metric, centre: Float32 | None = None) -> Moments:
    """Mean and Gram matrix in double precision, read in blocks.

    Args:
        vectors: (n, D).
        metric: under cosine, vectors are brought to length 1 first.
        centre: what is subtracted before products are taken; their own mean where None.

    Raises:
        InputError: a value that is NaN or infinite.
    """
    total = np.zeros(vectors.shape[1])
    products = np.zeros((vectors.shape[1],) * 2)
    pivot: Float64 | None = None if centre is None else centre.astype(np.float64)
    for _, block in blocks(vectors, metric):
        rows = block.astype(np.float64)
        if pivot is None:
            pivot = rows.mean(axis=0)  # any point near the mean will do, since the rest is corrected for below
        rows -= pivot
        total += rows.sum(axis=0)
        products += rows.T @ rows
    assert pivot is not None
    shift = total / len(vectors)
    gram = products / len(vectors)
    if centre is None:
        gram -= np.outer(shift, shift)
    return Moments(pivot + shift, gram, len(vectors))


def leading(gram: Float64, d: int) -> tuple[Float64, Float64]:
    """The d largest eigenvalues, falling, and their eigenvectors (D, d), the largest entry of each positive."""
    from scipy.linalg import eigh

    size = len(gram)
    values, vectors = eigh(gram, subset_by_index=(size - d, size - 1), check_finite=False)
    values, vectors = values[::-1], vectors[:, ::-1]
    signs = np.sign(vectors[np.abs(vectors).argmax(axis=0), np.arange(d)])
    return np.maximum(values, 0), vectors * np.where(signs == 0, 1, signs)


def check_d(d: object, wide: int) -> None:
    """Refuse what cannot be the number of dimensions kept."""
    if isinstance(d, bool) or not isinstance(d, int | np.integer) or not 1 <= d <= wide:
        raise InputError(f"d is {d!r}; it must be a whole number from 1 to {wide}, the length of the vectors")


def warn_if_flat(values: Float64, d: int, scale: float) -> None:
    """Warn where fewer than d directions vary: the map is then finite, but of lower rank than it looks.

    Args:
        values: variances along the directions.
        d: how many were asked for.
        scale: the mean square of the vectors; variance below 1e-13 of it is what rounding to float32 makes.
    """
    rank = int(np.count_nonzero(values > scale * 1e-13)) if scale > 0 else 0
    if rank < d:
        warnings.warn(
            f"the vectors vary in {rank} directions only, and {d} were asked for; the other {d - rank} hold nothing",
            RuntimeWarning,
            stacklevel=4,
        )
