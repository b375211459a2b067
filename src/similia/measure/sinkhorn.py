"""Sinkhorn scaling of a matrix of scores, in log space: every row and every column gets the same total weight.

With ``K = exp(scores / temperature)``, rows a and columns b are scaled in turn, ``a = 1 / (K b)``, ``b = 1 / (a K)``,
until ``a K b`` has equal sums. A column that is near to everything, a hub, gets a small b, so ``-temperature * log b``
is what to subtract from its scores. Sources: Sinkhorn and Knopp (Pacific Journal of Mathematics, 1967); Cuturi,
*Sinkhorn Distances* (NIPS 2013); as a correction of a search by other queries' scores, Wang et al., *Unified
Coarse-to-Fine Alignment for Video-Text Retrieval* (ICCV 2023).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from similia.errors import InputError

Float64: TypeAlias = npt.NDArray[np.float64]
Floats: TypeAlias = npt.NDArray[np.floating]
Blocks: TypeAlias = Callable[[], Iterable[Floats]]
"""Gives the same blocks of columns (m, block), in order, each time that it is called."""


def sinkhorn_potentials(
    scores: npt.ArrayLike, *, temperature: float = 0.05, rounds: int = 4
) -> tuple[Float64, Float64]:
    """Logarithms of the factors that balance ``exp(scores / temperature)``, of rows (m,) and columns (n,).

    The plan ``exp(scores / temperature + rows[:, None] + columns)`` has columns of sum 1, and rows of one sum, n / m,
    as far as that many rounds bring them.

    Args:
        scores: (m, n); -inf is a pair that must not be. A row or column of nothing else has no factor: NaN.
        temperature: in units of the scores, above 0; small ones take the best pairs only and need more rounds.
        rounds: how often rows and columns are scaled after the columns were once; 0 or more.

    Raises:
        InputError: scores that are no matrix or hold NaN or +inf, or a temperature or number of rounds out of range.

    Examples:
        >>> rows, columns = sinkhorn_potentials([[0.9, 0.8], [0.9, 0.1]], temperature=0.1, rounds=50)
        >>> plan = np.exp(np.array([[0.9, 0.8], [0.9, 0.1]]) / 0.1 + rows[:, None] + columns)
        >>> plan.sum(axis=0).round(2).tolist(), plan.sum(axis=1).round(2).tolist()
        ([1.0, 1.0], [1.0, 1.0])
    """
    kernel = _matrix(scores) / check_scaling(temperature, rounds)
    return scale(lambda: [kernel], len(kernel), rounds)


def sinkhorn_bias(scores: npt.ArrayLike, *, temperature: float = 0.05, rounds: int = 4) -> Float64:
    """What to subtract from the scores of each column so that no column is near to all: float64 (n,), of mean 0.

    Args:
        scores: (m, n) of m other queries (the bank) with the n items; -inf is a pair that does not count. An item
            without any score has bias 0.
        temperature: as in `sinkhorn_potentials`; choose it on validation queries.
        rounds: as in `sinkhorn_potentials`.

    Raises:
        InputError: as in `sinkhorn_potentials`.

    Examples:
        >>> bias = sinkhorn_bias([[0.9, 0.8, 0.1], [0.9, 0.1, 0.8]])
        >>> bool(bias[0] > bias[1]), bool(np.isclose(bias[1], bias[2]))
        (True, True)
        >>> sinkhorn_bias([[0.4], [0.9]]).tolist()
        [0.0]
    """
    return centred(-temperature * sinkhorn_potentials(scores, temperature=temperature, rounds=rounds)[1])


def scale(blocks: Blocks, rows: int, rounds: int) -> tuple[Float64, Float64]:
    """`sinkhorn_potentials` of a log kernel that comes in blocks of columns, one pass over them a round.

    Args:
        blocks: of the log kernel, scores divided by the temperature.
        rows: m.
        rounds: as there.
    """
    row, unknown = np.zeros(rows), np.zeros(rows, np.bool_)
    for left in range(rounds, -1, -1):
        columns: list[Float64] = [np.empty(0)]
        total = RunningLogSum(rows)
        for block in blocks():
            column = -log_sum_exp(block + row.astype(block.dtype)[:, None], axis=0)
            columns.append(np.where(np.isfinite(column), column, np.nan))
            if left:
                known = np.where(np.isfinite(column), column, 0)
                total.add(block + known.astype(block.dtype))
        if left:
            unknown = ~np.isfinite(total.value)
            row = np.where(unknown, 0, -total.value)
    return np.where(unknown, np.nan, row), np.concatenate(columns)


class RunningLogSum:
    """The log of the sum of exponentials of each row, of blocks of columns that come one after the other.

    Examples:
        >>> total = RunningLogSum(1)
        >>> total.value.tolist()
        [-inf]
        >>> total.add(np.log([[1.0, 2.0]]))
        >>> total.add(np.log([[3.0]]))
        >>> np.exp(total.value).round(6).tolist()
        [6.0]
    """

    def __init__(self, rows: int) -> None:
        self.value: Float64 = np.full(rows, -np.inf)

    def add(self, block: Floats) -> None:
        """Count a block (rows, m) in."""
        self.value = np.logaddexp(self.value, log_sum_exp(block, axis=1))


def log_sum_exp(values: Floats, axis: int) -> Float64:
    """The log of the sum of exponentials along an axis, safe from overflow; -inf where there is nothing but -inf.

    Examples:
        >>> log_sum_exp(np.array([[1000.0, 1000.0]]), axis=1).round(4).tolist()
        [1000.6931]
    """
    if not values.shape[axis]:
        return np.full(values.shape[1 - axis], -np.inf)
    largest = values.max(axis=axis, keepdims=True)
    shift = np.where(np.isfinite(largest), largest, 0)
    powers = values - shift
    np.exp(powers, out=powers)
    with np.errstate(divide="ignore"):
        # In double precision: of thousands of float32 summed one by one, too many digits would be lost.
        total: Float64 = np.log(powers.sum(axis=axis, dtype=np.float64)) + shift.squeeze(axis)
    return total


def centred(bias: Float64) -> Float64:
    """Biases less the mean of those that are known; 0 for the others (NaN)."""
    known = np.isfinite(bias)
    mean = bias[known].mean() if known.any() else 0.0
    found: Float64 = np.where(known, bias - mean, 0.0)
    return found


def check_scaling(temperature: float, rounds: int) -> float:
    """The temperature, refused where it or the number of rounds is out of range."""
    if not (np.isfinite(temperature) and temperature > 0):
        raise InputError(f"temperature is {temperature!r}; it must be a number above 0")
    if rounds != int(rounds) or rounds < 0:
        raise InputError(f"rounds is {rounds!r}; it must be a whole number, at least 0")
    return temperature


def _matrix(scores: npt.ArrayLike) -> Float64:
    try:
        matrix = np.asarray(scores, np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"scores: not an array of numbers with one length a row ({error})") from None
    if matrix.ndim != 2:
        raise InputError(f"scores: {matrix.ndim} axes; expected (m, n)")
    if np.isnan(matrix).any() or np.isposinf(matrix).any():
        raise InputError("scores hold NaN or +inf; they must be numbers, or -inf for a pair that does not count")
    return matrix
