"""How far the probabilities beside results can be trusted, and what cutting the list at one of them keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from similia.errors import InputError
from similia.evaluate.metrics.calibration import Reliability, brier_score, reliability

CUT = 0.5
"""Where a result is rather relevant than not."""


@dataclass(frozen=True, eq=False)
class Calibration:
    """What probabilities of relevance said, and what judgments say.

    Attributes:
        curve: said against true, by bins.
        brier: mean squared distance of the two, lower is better.
        cut: the probability from which results are kept.
        precision: the share of the judged results above the cut that are relevant; NaN where none is judged.
        kept: the share of the relevant results that the cut keeps; NaN where there is none.
        judged: how many results are judged.
        results: how many there are.
    """

    curve: Reliability
    brier: float
    cut: float
    precision: float
    kept: float
    judged: int
    results: int

    @property
    def error(self) -> float:
        """The expected calibration error, in [0, 1]; NaN where nothing is judged."""
        return self.curve.error

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready but for NaN."""
        numbers = ("error", "brier", "cut", "precision", "kept", "judged", "results")
        return {**{name: getattr(self, name) for name in numbers}, "curve": self.curve.to_dict()}


def calibration_of(
    probabilities: npt.ArrayLike, labels: npt.ArrayLike, *, cut: float = CUT, bins: int = 15
) -> Calibration:
    """Compare probabilities of relevance with judgments.

    Args:
        probabilities: numbers in [0, 1], of any shape, one a result.
        labels: of the same shape: 1 relevant, 0 not, NaN where nobody judged; those are left out.
        cut: the probability from which results are kept, in [0, 1].
        bins: of the curve.

    Raises:
        InputError: shapes that differ, numbers outside [0, 1], or NaN among the probabilities.

    Examples:
        >>> found = calibration_of([0.9, 0.8, 0.7, 0.1], [1, 0, float("nan"), 1])
        >>> found.precision, found.kept, found.judged, found.results
        (0.5, 0.5, 3, 4)
    """
    if not 0 <= cut <= 1:
        raise InputError(f"cut is {cut!r}; it is a probability, from 0 to 1")
    curve = reliability(probabilities, labels, bins=bins)
    given, truth = np.asarray(probabilities, np.float64).ravel(), np.asarray(labels, np.float64).ravel()
    known = ~np.isnan(truth)
    above, relevant = known & (given >= cut), known & (truth > 0)
    both = int((above & relevant).sum())
    return Calibration(
        curve,
        brier_score(probabilities, labels),
        cut,
        both / int(above.sum()) if above.any() else float("nan"),
        both / int(relevant.sum()) if relevant.any() else float("nan"),
        int(known.sum()),
        int(truth.size),
    )
