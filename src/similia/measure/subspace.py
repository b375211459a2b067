"""Directions that one set of vectors varies along and another does not, and the projection onto them.

Sources: Abid, Zhang, Bagaria, Zou, *Exploring patterns enriched in a dataset with contrastive principal component
analysis* (Nature Communications 2018); as a filter of queries: Psomas and others, *Instance-Level Composed Image
Retrieval* (NeurIPS 2025).
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.types import Float32, as_vectors


@dataclass(frozen=True, eq=False)
class Subspace:
    """A k-dimensional subspace of d dimensions.

    Attributes:
        axes: float32 (d, k), orthonormal columns, the most telling direction first.
        strengths: float32 (k,), the variance along each that the wanted set has more than the unwanted, above 0.
    """

    axes: Float32
    strengths: Float32

    def __len__(self) -> int:
        return int(self.axes.shape[1])

    @property
    def projector(self) -> Float32:
        """P float32 (d, d), symmetric, with PP = P."""
        return self.axes @ self.axes.T

    def project(self, vectors: npt.ArrayLike) -> Float32:
        """What of vectors (n, d) lies in the subspace, float32 (n, d).

        The inner product of a projected vector with another is that of both projected, so one side is enough.

        Raises:
            InputError: another number of dimensions, or a value that is NaN or infinite.
        """
        given = as_vectors(vectors, dimension=self.axes.shape[0])
        return np.ascontiguousarray((given @ self.axes) @ self.axes.T)


def contrastive_subspace(
    wanted: npt.ArrayLike,
    unwanted: npt.ArrayLike,
    k: int = 250,
    *,
    contrast: float = 0.2,
    mean: npt.ArrayLike | None = None,
    offset: float = 0.0,
) -> Subspace:
    """The directions in which ``wanted`` varies more than ``unwanted``: contrastive principal components.

    The eigenvectors, with the k greatest positive eigenvalues, of ``(1 - contrast) S+ - contrast S-``, where S+ and S-
    are the mean squares of the two sets around the same point, ``X^T X / (n - 1)``.

    Args:
        wanted: (n, d), n at least 2: what the vectors kept are to say.
        unwanted: (m, d), m at least 2: what they are not to say.
        k: how many directions at most. Where fewer have a positive eigenvalue, a warning says so and there are fewer.
        contrast: in [0, 1]; 0 gives the principal components of ``wanted``.
        mean: (d,), the point that both are taken around; the mean of ``wanted`` where None.
        offset: added to every entry of the matrix. The released code of the second source adds 1e-5, which favours
            the direction in which all values are equal, a little; 0 leaves that out.

    Raises:
        InputError: fewer than two vectors, different dimensions, a k below 1, a contrast outside [0, 1], or no
            direction at all in which ``wanted`` varies more.

    Examples:
        >>> across = [[1, 0, 0], [-1, 0, 0], [0, 0, 1], [0, 0, -1]]
        >>> up = [[0, 9, 0], [0, -9, 0]]
        >>> found = contrastive_subspace(across, up, 2)
        >>> found.project([[3, 4, 5]]).round(3).tolist()
        [[3.0, 0.0, 5.0]]
    """
    kept = as_vectors(wanted, name="wanted").astype(np.float64)
    left = as_vectors(unwanted, name="unwanted", dimension=kept.shape[1]).astype(np.float64)
    for name, given in (("wanted", kept), ("unwanted", left)):
        if len(given) < 2:
            raise InputError(f"{name} holds {len(given)} vectors; at least 2 are needed to see how they vary")
    _check(k)
    if not 0 <= contrast <= 1:
        raise InputError(f"contrast is {contrast!r}; it must lie in [0, 1]")
    if not np.isfinite(offset):
        raise InputError(f"offset is {offset!r}; it must be a finite number")
    around = kept.mean(axis=0) if mean is None else as_vectors(mean, name="mean", dimension=kept.shape[1])[0]
    kept, left = kept - around, left - around
    matrix = (1 - contrast) * (kept.T @ kept) / (len(kept) - 1) - contrast * (left.T @ left) / (len(left) - 1)
    values, axes = np.linalg.eigh(matrix + offset)
    # What is not above rounding error is no direction.
    positive = values > 1e-9 * max(np.abs(values).max(initial=0), 1e-12)
    if not positive.any():
        raise InputError("wanted varies in no direction more than unwanted; take other examples, or a lower contrast")
    values, axes = values[positive][::-1][:k], axes[:, positive][:, ::-1][:, :k]
    if values.size < k:
        warnings.warn(f"only {values.size} of {k} directions have a positive eigenvalue; k is reduced", stacklevel=2)
    return Subspace(np.ascontiguousarray(axes, np.float32), values.astype(np.float32))


def _check(k: object) -> None:
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise InputError(f"k is {k!r}; it must be a whole number, at least 1")


def centred(vectors: npt.ArrayLike, mean: npt.ArrayLike) -> Float32:
    """Vectors (n, d) less a mean (d,), float32, at whatever length that gives: not brought back to length 1.

    The mean should be of other items than those searched; that of a small collection says what is in it.

    Raises:
        InputError: different dimensions, or a value that is NaN or infinite.

    Examples:
        >>> centred([[1, 2], [3, 4]], [1, 1]).tolist()
        [[0.0, 1.0], [2.0, 3.0]]
    """
    given = as_vectors(vectors)
    found: Float32 = given - as_vectors(mean, name="mean", dimension=given.shape[1])[0]
    return found
