"""Any metric as a Euclidean distance, so that one walk serves all: the most similar item is the nearest point."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from similia.index.exact import Metric
from similia.index.inputs import Float64, unit
from similia.measure.vectors import TINY, norms
from similia.types import Float32


@dataclass(frozen=True, eq=False)
class Space:
    """Items as points, and how queries become points.

    Under cosine a point is the vector at length 1. Under dot, and for vectors without a direction, it has one more
    coordinate that lifts all points to one length (Bachrach et al., RecSys 2014).

    Attributes:
        metric: what similarity is.
        points: float32 (n, d) or (n, d + 1).
        longest: the length that points are lifted to; 0 where they are not.

    Examples:
        >>> space = Space.of(np.array([[3, 0], [1, 1]], np.float32), "dot")
        >>> np.round((space.points**2).sum(axis=1)).tolist()
        [9.0, 9.0]
        >>> space.queries(np.array([[0, 2]], np.float32)).tolist()
        [[0.0, 3.0, 0.0]]
    """

    metric: Metric
    points: Float32
    longest: float

    @classmethod
    def of(cls, vectors: npt.NDArray[np.float32 | np.float16], metric: Metric) -> Space:
        """Lay out vectors (n, d)."""
        given = np.ascontiguousarray(vectors, np.float32)
        if metric == "l2":
            return cls(metric, given, 0.0)
        lengths = norms(given)
        if metric == "cosine":
            given = unit(given)
            lengths = np.where(lengths >= TINY, 1.0, 0.0)
            if lengths.all():
                return cls(metric, given, 0.0)
        longest = float(lengths.max(initial=0.0)) or 1.0
        lift = longest * np.sqrt(np.maximum(1 - (lengths / longest) ** 2, 0))
        return cls(metric, np.column_stack((given, lift)).astype(np.float32), longest)

    @functools.cached_property
    def _reach(self) -> float:
        return float(norms(self.points).max(initial=0.0))

    def slack(self, queries: Float32) -> Float64:
        """Twice the most by which a squared distance in float32 is wrong, or differs by what scores are rounded to."""
        reach = norms(queries) + self._reach
        bound: Float64 = 4 * (self.points.shape[1] + 16) * 2.0**-24 * reach**2
        return bound

    def queries(self, batch: Float32) -> Float32:
        """Queries (q, d) as points."""
        if self.metric == "l2":
            return batch
        turned = unit(batch)
        if self.longest:
            turned = np.column_stack((turned * np.float32(self.longest), np.zeros(len(turned), np.float32)))
        return np.ascontiguousarray(turned, np.float32)
