"""What every ranking metric asks of its arrays."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

Float64: TypeAlias = npt.NDArray[np.float64]


def as_gains(array: npt.ArrayLike, name: str) -> Float64:
    """Return ``array`` as float64 (q, n); a single query may be given as (n,).

    Raises:
        InputError: another number of axes, or a gain that is negative or NaN.
    """
    gains = np.asarray(array, dtype=np.float64)
    if gains.ndim == 1:
        gains = gains[None, :]
    if gains.ndim != 2:
        raise InputError(f"{name}: {gains.ndim} axes; expected (queries, ranks), or (ranks,) for one query")
    if not (gains >= 0).all():
        raise InputError(f"{name}: holds a negative or NaN gain; a gain is 0 (not relevant) or more")
    return gains


def cut(gains: Float64, k: int | None) -> Float64:
    """The first ``k`` ranks; all of them where ``k`` is None."""
    if k is None:
        return gains
    if k < 1:
        raise InputError(f"k is {k}; a ranking is cut at 1 or more")
    return gains[:, :k]


def ratio(part: Float64, whole: Float64) -> Float64:
    """``part / whole``, NaN where ``whole`` is 0: no value exists where nothing is relevant."""
    values: Float64 = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return values
