"""What passes between rooms: representations, hits and pairs. NumPy only; SciPy only where a sparse one is made.

Higher is more similar, everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Float32: TypeAlias = npt.NDArray[np.float32]
Int64: TypeAlias = npt.NDArray[np.int64]
Bool: TypeAlias = npt.NDArray[np.bool_]
Bytes: TypeAlias = npt.NDArray[np.uint8]


def as_vectors(array: npt.ArrayLike, *, name: str = "vectors", dimension: int | None = None) -> Float32:
    """Return ``array`` as C-contiguous float32 of shape (n, d), refusing what cannot be searched.

    Args:
        array: (n, d), or (d,) for a single vector.
        name: what to call it in an error.
        dimension: the d that is required, if any.

    Raises:
        InputError: another number of axes, a wrong d, or a value that is NaN, infinite or not a number.

    Examples:
        >>> as_vectors([1, 2, 3]).shape
        (1, 3)
        >>> as_vectors([[1.0, float("nan")]])
        Traceback (most recent call last):
        similia.errors.InputError: vectors: row 0 holds NaN or infinity; every value must be a finite number
    """
    try:
        vectors = np.ascontiguousarray(array, dtype=np.float32)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not an array of numbers with one length a row ({error})") from None
    if vectors.ndim == 1:
        vectors = vectors[None, :]
    if vectors.ndim != 2:
        raise InputError(f"{name}: {vectors.ndim} axes; expected (n, d), or (d,) for one vector")
    if dimension is not None and vectors.shape[1] != dimension:
        raise InputError(f"{name}: {vectors.shape[1]} dimensions, but {dimension} are needed here")
    if not np.isfinite(vectors).all():
        row = int(np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0])
        raise InputError(f"{name}: row {row} holds NaN or infinity; every value must be a finite number")
    return vectors


@dataclass(frozen=True, eq=False)
class Dense:
    """One vector an item: ``vectors`` float32 (n, d), C-contiguous.

    Examples:
        >>> len(Dense(np.eye(3, dtype=np.float32)))
        3
    """

    vectors: Float32

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", as_vectors(self.vectors))

    def __len__(self) -> int:
        return int(self.vectors.shape[0])

    @property
    def dimension(self) -> int:
        """The length d of each vector."""
        return int(self.vectors.shape[1])


@dataclass(frozen=True, eq=False)
class MultiVector:
    """Several vectors an item: ``vectors`` float32 (total, d), ``offsets`` int64 (n + 1,).

    Item i owns ``vectors[offsets[i]:offsets[i + 1]]``.

    Examples:
        >>> tokens = MultiVector(np.eye(3, dtype=np.float32), np.array([0, 2, 3]))
        >>> [part.shape for part in tokens]
        [(2, 3), (1, 3)]
    """

    vectors: Float32
    offsets: Int64

    def __post_init__(self) -> None:
        object.__setattr__(self, "vectors", as_vectors(self.vectors))
        offsets = np.ascontiguousarray(self.offsets, dtype=np.int64)
        if offsets.ndim != 1 or offsets.size == 0 or offsets[0] != 0 or offsets[-1] != len(self.vectors):
            raise InputError(f"offsets must run from 0 to {len(self.vectors)}, the number of vectors")
        if (np.diff(offsets) < 0).any():
            raise InputError("offsets must not fall")
        object.__setattr__(self, "offsets", offsets)

    def __len__(self) -> int:
        return int(self.offsets.size - 1)

    def __iter__(self) -> Iterator[Float32]:
        for start, stop in zip(self.offsets[:-1], self.offsets[1:], strict=True):
            yield self.vectors[start:stop]


@dataclass(frozen=True, eq=False)
class Sparse:
    """One sparse vector an item: a SciPy CSR array (n, d)."""

    matrix: csr_array

    def __len__(self) -> int:
        return int(self.matrix.shape[0])


@dataclass(frozen=True, eq=False)
class Codes:
    """One binary or quantised code an item: ``codes`` uint8 (n, bytes)."""

    codes: Bytes

    def __post_init__(self) -> None:
        codes = np.ascontiguousarray(self.codes)
        if codes.dtype != np.uint8 or codes.ndim != 2:
            raise InputError(f"codes must be uint8 (n, bytes), not {codes.dtype} with {codes.ndim} axes")
        object.__setattr__(self, "codes", codes)

    def __len__(self) -> int:
        return int(self.codes.shape[0])


Representation: TypeAlias = Dense | MultiVector | Sparse | Codes


@dataclass(frozen=True, eq=False)
class Hits:
    """The k most similar items of each of q queries, best first.

    Attributes:
        ids: int64 (q, k); -1 where fewer than k exist.
        scores: float32 (q, k); higher is more similar; -inf where the id is -1.

    Examples:
        >>> hits = Hits(np.array([[4, 2, -1]]), np.array([[0.9, 0.5, -np.inf]]))
        >>> [(ids.tolist(), scores.tolist()) for ids, scores in hits]
        [([4, 2], [0.8999999761581421, 0.5])]
    """

    ids: Int64
    scores: Float32

    def __post_init__(self) -> None:
        ids = np.ascontiguousarray(self.ids, dtype=np.int64)
        scores = np.ascontiguousarray(self.scores, dtype=np.float32)
        if ids.ndim != 2 or ids.shape != scores.shape:
            raise InputError(f"ids {ids.shape} and scores {scores.shape} must both be (queries, k)")
        object.__setattr__(self, "ids", ids)
        object.__setattr__(self, "scores", scores)

    @classmethod
    def empty(cls, queries: int, k: int) -> Hits:
        """Hits of ``queries`` queries that found nothing."""
        return cls(np.full((queries, k), -1, np.int64), np.full((queries, k), -np.inf, np.float32))

    @property
    def k(self) -> int:
        """The number of places a query."""
        return int(self.ids.shape[1])

    def __len__(self) -> int:
        return int(self.ids.shape[0])

    def __iter__(self) -> Iterator[tuple[Int64, Float32]]:
        """Each query's ids and scores, without the empty places."""
        for ids, scores in zip(self.ids, self.scores, strict=True):
            found = ids >= 0
            yield ids[found], scores[found]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Scored pairs: ``left`` int64 (n,), ``right`` int64 (n,), ``scores`` float32 (n,)."""

    left: Int64
    right: Int64
    scores: Float32

    def __post_init__(self) -> None:
        for name, kind in (("left", np.int64), ("right", np.int64), ("scores", np.float32)):
            object.__setattr__(self, name, np.ascontiguousarray(getattr(self, name), dtype=kind))
        if not self.left.shape == self.right.shape == self.scores.shape or self.left.ndim != 1:
            raise InputError("left, right and scores must be one-dimensional and of one length")

    def __len__(self) -> int:
        return int(self.left.size)


def ragged(parts: Sequence[npt.ArrayLike], dimension: int) -> MultiVector:
    """Join per-item arrays (m_i, d), some of which may be empty, to a `MultiVector`.

    Examples:
        >>> ragged([np.ones((2, 3)), np.empty((0, 3))], 3).offsets.tolist()
        [0, 2, 2]
    """
    arrays: list[Any] = [np.asarray(part, dtype=np.float32).reshape(-1, dimension) for part in parts]
    offsets = np.concatenate(([0], np.cumsum([len(array) for array in arrays]))).astype(np.int64)
    vectors = np.concatenate(arrays) if arrays else np.empty((0, dimension), np.float32)
    return MultiVector(vectors, offsets)
