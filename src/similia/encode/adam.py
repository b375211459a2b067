"""Adam (Kingma and Ba, ICLR 2015) over arrays, or over some of their rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from similia.types import Int64

Floats = npt.NDArray[np.floating[Any]]
DECAYS = (0.9, 0.999)
EPSILON = 1e-8


class Adam:
    """The running moments of one array; each row counts its own steps.

    So a row that is seldom updated takes steps as large as one that often is.

    Args:
        values: the array that is optimised, changed in place by `step`.
        rate: the size of a step.

    Examples:
        >>> values = np.array([[1.0], [1.0]])
        >>> Adam(values, rate=0.1).step(np.array([[5.0]]), rows=np.array([1]))
        >>> values.round(3).tolist()
        [[1.0], [0.9]]
    """

    def __init__(self, values: Floats, rate: float) -> None:
        self.values = values
        self.rate = rate
        self._first = np.zeros_like(values)
        self._second = np.zeros_like(values)
        self._steps = np.zeros((len(values), *(1,) * (values.ndim - 1)), values.dtype)

    def step(self, gradient: Floats, rows: Int64 | None = None) -> None:
        """One step downhill.

        Args:
            gradient: of the shape of the array, or of the rows named.
            rows: (m,) different rows; all of them where None.
        """
        at: Any = slice(None) if rows is None else rows
        self._steps[at] += 1
        first, second = DECAYS
        mean = self._first[at] * first + (1 - first) * gradient
        square = self._second[at] * second + (1 - second) * np.square(gradient)
        self._first[at], self._second[at] = mean, square
        mean /= 1 - first ** self._steps[at]
        square /= 1 - second ** self._steps[at]
        np.sqrt(square, out=square)
        square += EPSILON
        mean /= square
        mean *= self.rate
        self.values[at] -= mean
