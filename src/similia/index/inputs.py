"""What every index of vectors is given, checked once and in one way."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.index.selection import Selection
from similia.measure.vectors import TINY, norms
from similia.types import Bool, Float32, Int64, as_vectors

Float64: TypeAlias = npt.NDArray[np.float64]
Where: TypeAlias = "npt.ArrayLike | Selection"
Stored: TypeAlias = npt.NDArray[np.float32 | np.float16]

METRICS = {"cosine": 0, "dot": 1, "l2": 2}  # as compiled code numbers them, see `similia.index.kernels.rescore`
LONGEST = 1e18  # squares of longer vectors come close to the end of float32


def as_stored(vectors: npt.ArrayLike) -> Stored:
    """Vectors (n, d) as an index keeps them: those in float32 or float16 as they are, others converted to float32.

    Raises:
        InputError: a wrong shape, no dimensions, or values that are NaN or infinite where they had to be converted.
    """
    array = np.asanyarray(vectors)
    as_is = array.dtype in (np.float32, np.float16) and array.ndim == 2 and array.flags.c_contiguous
    kept: Stored = array if as_is else as_vectors(array)
    if kept.shape[1] == 0:
        raise InputError("vectors have 0 dimensions; at least 1 is needed")
    return kept


def as_ids(ids: npt.ArrayLike | None, count: int) -> Int64:
    """What ``count`` items are called, int64 (count,): their positions where nothing is given.

    Raises:
        InputError: no whole numbers, not one an item, or one below 0.
    """
    if ids is None:
        return np.arange(count, dtype=np.int64)
    named = np.asarray(ids)
    if named.shape != (count,) or (count and named.dtype.kind not in "iu"):
        raise InputError(f"ids are {named.dtype} {named.shape}; they must be whole numbers ({count},), one a vector")
    named = named.astype(np.int64)
    if count and named.min() < 0:
        raise InputError(f"ids hold {int(named.min())}; they must be at least 0, since -1 means that there is none")
    return named


def as_mask(where: Where, count: int, one: str) -> Bool:
    """Which of ``count`` places take part, bool (count,); ``one`` is what each place is called.

    Raises:
        InputError: another type or length.
    """
    mask = where.mask if isinstance(where, Selection) else np.asarray(where)
    if mask.shape != (count,) or (count and mask.dtype != np.bool_):
        raise InputError(f"where is {mask.dtype} {mask.shape}; it must be bool ({count},), one value {one}")
    return mask.astype(np.bool_, copy=False)


def longest_of(lengths: Float64, name: str) -> float:
    """The greatest of the lengths (n,) of what is called ``name``; 0 where there is none.

    Raises:
        InputError: one is NaN, infinite, or too long for float32 to square.
    """
    bad = ~(lengths <= LONGEST)
    if bad.any():
        row = int(np.flatnonzero(bad)[0])
        if np.isfinite(lengths[row]):
            raise InputError(f"{name}: row {row} has length {lengths[row]:g}; {LONGEST:g} is the most, scale them down")
        raise InputError(f"{name}: row {row} holds NaN or infinity; every value must be a finite number")
    return float(lengths.max(initial=0.0))


def unit(queries: Float32) -> Float32:
    """Rows of length 1; those that are too short to have a direction stay zeros."""
    lengths = norms(queries)
    scale = np.divide(1.0, lengths, out=np.zeros_like(lengths), where=lengths >= TINY)
    return (queries * scale[:, None]).astype(np.float32)
